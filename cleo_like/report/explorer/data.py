"""A map as the page wants it: typed arrays in one gzip, and words as JSON."""

from __future__ import annotations

import base64
import gzip
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.atlas.columns import definition, transform_of, transformed
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cleo_like.atlas import Atlas

MISSING = -32768
_LEVELS = 4095  # twelve bits: finer than any screen, and a quarter smaller than sixteen
_RESTS = 254  # of a level: eight bits more, for the CSV
_EXACT = 100_000
"""Up to so many values the page has them as they are, for the CSV."""
_FULL_SPACE = 20_000
"""Up to so many cells the page has the common scale itself; above, neighbours in the page are
those of the values (the file would be too large)."""
_NOT_LABELS = (
    "cell_id", "citation", "licence", "source", "asset_path", "asset_id", "content_hash", "url",
)  # fmt: skip
_MOST_VALUES = 400
TRACE_LENGTH = 128


@attrs.frozen(kw_only=True)
class Packed:
    """What goes into the page."""

    told: dict[str, Any]
    packed: str


def packed(
    atlas: Atlas,
    traces: Mapping[str, Sequence[np.ndarray | None]] | None,
    trace_names: Sequence[str],
) -> Packed:
    """Pack a map.

    Parameters
    ----------
    atlas : Atlas
        The map.
    traces : mapping of str to sequence of array, optional
        Id of a cell to its traces, in the order of `trace_names` (None where there is none).
    trace_names : sequence of str
        What the traces are.
    """
    parts: dict[str, np.ndarray] = {"xy": _positions(atlas.xy)}
    ints, features = _features(atlas)
    parts["features"], rest = ints
    if atlas.values.size <= _EXACT:
        parts["exact"] = atlas.values.T.astype(np.float64)
    elif len(atlas) <= _FULL_SPACE:
        parts["rest"] = rest
    citations = atlas.citations()
    number = {key: k for k, key in enumerate(citations)}
    if not {"lab", "dandiset"}.isdisjoint(_left_out(atlas)):  # else the labels tell it
        parts["cited"] = np.array([number[key] for key in atlas.cited], dtype=np.uint32)
    if len(atlas) <= _FULL_SPACE:
        space = atlas.in_space(atlas.scaled)
        parts["scaled"] = np.clip(np.rint(space * 31), -127, 127).astype(np.int8).T
    labels = _labels(atlas, parts)
    ids = [str(v).replace("\n", " ") for v in atlas.cells["cell_id"]]
    parts["ids"] = np.frombuffer("\n".join(ids).encode(), dtype=np.uint8)
    told = {
        "name": atlas.name,
        "hash": atlas.hash,
        "n": len(atlas),
        "features": features,
        "scaled_features": parts["scaled"].shape[0] if "scaled" in parts else len(features),
        "labels": labels,
        "citations": list(citations.items()),
        "left_out": _left_out(atlas),
        "landmarks": _landmarks(atlas, ids),
        "assets": _assets(atlas),
        "traces": {"names": list(trace_names), "length": TRACE_LENGTH},
    }
    if traces is not None:
        parts["traces"] = _thumbnails(ids, traces, len(trace_names))
    blob, told["parts"] = _blob(parts)
    # level 6 is two thirds of the time of 9 for the same size; no time stamp: same bytes again
    text = base64.b64encode(gzip.compress(blob, 6, mtime=0)).decode("ascii")
    return Packed(told=told, packed=text)


def _blob(parts: dict[str, np.ndarray]) -> tuple[bytes, dict[str, list[int]]]:
    """Put arrays one after another, each where its type may begin."""
    out, where = bytearray(), {}
    for name, array in parts.items():
        out.extend(b"\0" * (-len(out) % 8))
        where[name] = [len(out), int(array.size)]
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        out.extend(np.ascontiguousarray(little).tobytes())
    return bytes(out), where


def _positions(xy: np.ndarray) -> np.ndarray:
    """Scale both axes alike into 0..65535."""
    middle = (xy.max(axis=0) + xy.min(axis=0)) / 2
    half = max(float(np.ptp(xy, axis=0).max()) / 2, 1e-9)
    return np.rint(((xy - middle) / half + 1) * 32767.5 * 0.98 + 655).astype(np.uint16).T


def _features(
    atlas: Atlas,
) -> tuple[tuple[np.ndarray, np.ndarray], list[dict[str, Any]]]:
    """Give twelve bits of every value for the screen, eight more for the CSV, and words."""
    values = transformed(atlas.values, atlas.transforms)
    ints = np.full(values.T.shape, MISSING, dtype=np.int16)
    rest = np.zeros(values.T.shape, dtype=np.int8)
    told = []
    for k, name in enumerate(atlas.features):
        column = values[:, k]
        there = np.isfinite(column)
        low, high = (
            (float(column[there].min()), float(column[there].max()))
            if there.any()
            else (0.0, 1.0)
        )
        high = high if high > low else low + 1.0
        place = (column[there] - low) / (high - low) * _LEVELS
        level = np.rint(place) - 2048
        ints[k, there] = level.astype(np.int16)
        rest[k, there] = np.clip(np.rint((place - 2048 - level) * _RESTS), -127, 127)
        known = definition(name)
        told.append(
            {
                "name": name,
                "label": known.label if known is not None else name.replace("_", " "),
                "short": _short(name),
                "unit": known.unit if known is not None else "1",
                "meaning": known.meaning if known is not None else "",
                "log": transform_of(name) == "log10",
                "low": low,
                "high": high,
                "sd": float(max(level.std(), 1.0)) if there.any() else 1.0,
                "missing": int((~there).sum()),
            }
        )
    return (ints, rest), told


def _short(name: str) -> str:
    out = name.removesuffix("_0_long_square").removeprefix("ap_1_")
    return out.replace("_nearest_minus_100", "").replace("_", " ")


def _labels(atlas: Atlas, parts: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Give each column of words its values, most frequent first, and each cell its number."""
    frame = atlas.cells
    out: list[dict[str, Any]] = []
    order = [c for c in ("label", "lab") if c in frame.columns]
    order += [c for c in frame.columns if c not in order and c not in _NOT_LABELS]
    for name in order:
        words = ["" if v is None or v != v else str(v) for v in frame[name]]  # noqa: PLR0124
        values, codes, counts = np.unique(words, return_inverse=True, return_counts=True)
        if (len(values) == 1 and values[0] == "") or len(values) > _MOST_VALUES:
            continue
        shown = (atlas.about.get("label") if name == "label" else name) or name
        if shown in [label["name"] for label in out]:
            continue  # the column that the labels were taken from
        rank = np.argsort(-counts, kind="stable")
        place = np.empty_like(rank)
        place[rank] = np.arange(len(rank))
        parts[f"label{len(out)}"] = place[codes].astype(np.uint16)
        out.append(
            {
                "name": shown,
                "values": [str(values[r]) for r in rank],
                "counts": [int(counts[r]) for r in rank],
            }
        )
    return out


def _left_out(atlas: Atlas) -> list[str]:
    """Columns of words with more values than anybody chooses from."""
    frame = atlas.cells
    there = [c for c in frame.columns if c not in _NOT_LABELS]
    return [c for c in there if frame[c].nunique() > _MOST_VALUES]


def _landmarks(atlas: Atlas, ids: list[str]) -> list[dict[str, Any]]:
    place = {cell: k for k, cell in enumerate(ids)}
    return [
        {
            "name": m.name,
            "meaning": m.meaning,
            "literature": m.literature,
            "rule": " and ".join(f"{f} {s} {v:g}" for f, s, v in m.rule),
            "members": [place[c] for c in m.members if c in place],
        }
        for m in atlas.landmarks
    ]


def _assets(atlas: Atlas) -> list[str] | None:
    if "asset_id" not in atlas.cells.columns:
        return None
    return ["" if v is None or v != v else str(v) for v in atlas.cells["asset_id"]]  # noqa: PLR0124


def _thumbnails(
    ids: list[str], traces: Mapping[str, Sequence[np.ndarray | None]], count: int
) -> np.ndarray:
    """Draw each trace with 128 points of a byte: extremes of each bin, so that spikes stay."""
    out = np.full((len(ids), count, TRACE_LENGTH), -128, dtype=np.int8)
    for row, cell in enumerate(ids):
        for k, trace in enumerate(traces.get(cell, ())[:count]):
            if trace is not None and len(trace) > 1:
                out[row, k] = thumbnail(np.asarray(trace, dtype=float))
    return out


def thumbnail(trace: np.ndarray) -> np.ndarray:
    """Reduce a trace to 128 bytes between its extremes.

    Raises
    ------
    InputError
        Not one-dimensional.
    """
    if trace.ndim != 1:
        msg = f"a trace must have one dimension, got shape {trace.shape}"
        raise InputError(msg)
    x = trace[np.isfinite(trace)]
    if x.size < 2:
        return np.full(TRACE_LENGTH, -128, dtype=np.int8)
    edges = np.linspace(0, x.size, TRACE_LENGTH // 2 + 1).astype(int)
    points = []
    for a, b in pairwise(edges):
        piece = x[a : max(b, a + 1)]
        low, high = int(piece.argmin()), int(piece.argmax())
        points += [piece[min(low, high)], piece[max(low, high)]]
    y = np.array(points)
    span = y.max() - y.min()
    scaled = (y - y.min()) / span * 254 - 127 if span > 0 else np.zeros_like(y)
    return np.rint(scaled).astype(np.int8)

"""Give a lab that is not on the map a scale of its own, without changing the map."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.atlas.columns import as_frame, labs_of, texts_of, transformed, values_of
from cleo_like.atlas.frozen.outside import LEAST
from cleo_like.atlas.frozen.votes import shares_of
from cleo_like.atlas.harmonise.comparable import doubtful_units
from cleo_like.atlas.harmonise.scale import (
    LEAST_CELLS,
    POOLED,
    LabScale,
    matched_scale,
    own_scale,
)
from cleo_like.atlas.missing import filled
from cleo_like.atlas.neighbours import NEIGHBOURS
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cleo_like.atlas.frozen.model import Atlas
    from cleo_like.features import FeatureTable

_WARN_ALL = (
    "the scale of {lab!r} rests on all its {n} cells: cells that belong to no kind of the map "
    "shift it and hide themselves (out-of-atlas detection falls to little better than chance); "
    "say which cells are of known kind with known= or label="
)


def adapt(
    atlas: Atlas,
    table: FeatureTable | pd.DataFrame,
    *,
    lab: str | None = None,
    label: str | None = None,
    known: str | Sequence[bool] | np.ndarray | None = None,
) -> Atlas:
    """Give the labs of a table their own scale and their own limit of what is usual.

    Cells and coordinates stay as they are. The scale rests on cells of kinds that the map
    has where labels (or `known`) tell them, else on all, with a warning; labels serve for
    that choice only, never to move one kind onto another.

    Parameters
    ----------
    atlas : Atlas
        The map.
    table : FeatureTable or DataFrame
        All cells of the lab (or labs).
    lab : str, optional
        Column with the lab of each cell.
    label : str, optional
        Column with kinds in the words of the map; those that the map has are known.
    known : str or sequence of bool, optional
        Which cells are of a kind that the map has (a column, or one value per row).

    Returns
    -------
    Atlas
        The same map with these labs in `labs` and `usual`.

    Raises
    ------
    InputError
        Fewer than 20 known cells of a lab, or none of the asked-for labels is on the map.
    """
    frame = as_frame(table)
    labs = np.array(labs_of(frame, lab))
    mask, told = _known(atlas, frame, label, known)
    asked = known is not None or label is not None
    raw = values_of(frame, atlas.features)
    values = transformed(raw, atlas.transforms)
    scales, usual = dict(atlas.labs), dict(atlas.usual)
    for name in map(str, dict.fromkeys(labs)):
        rows = np.flatnonzero(labs == name)
        base, how = rows[mask[rows]], told
        if len(base) < LEAST_CELLS <= len(rows) and not asked:
            base, how = rows, "all"  # labels that nobody pointed to, and that tell too little
        if how == "all":
            warnings.warn(_WARN_ALL.format(lab=name, n=len(base)), UserWarning, stacklevel=2)
        scales[name] = _scale(atlas, values[base], name, how)
        for feature, why in doubtful_units(atlas.features, atlas.values, raw[rows]).items():
            warnings.warn(f"lab {name!r}: {feature}: {why}", UserWarning, stacklevel=2)
        known_cells = _usual(atlas, scales[name], values[base])
        if len(known_cells) >= LEAST:
            usual[name] = known_cells
    return attrs.evolve(atlas, labs=scales, usual=usual)


def _known(
    atlas: Atlas,
    frame: pd.DataFrame,
    label: str | None,
    known: str | Sequence[bool] | np.ndarray | None,
) -> tuple[np.ndarray, str]:
    """Which rows a scale may rest on, and why."""
    if known is not None:
        mask = np.asarray(frame[known] if isinstance(known, str) else known, dtype=bool)
        if mask.shape != (len(frame),):
            msg = f"known must have one value per measured row ({len(frame)}), got {mask.shape}"
            raise InputError(msg)
        return mask, "known"
    column = label if label is not None else atlas.about.get("label")
    if column is not None and column in frame.columns and atlas.classes:
        texts = texts_of(frame, column)
        mask = np.array([t in atlas.classes for t in texts])
        if not mask.any() and label is None:
            return np.ones(len(frame), dtype=bool), "all"
        if not mask.any():
            told = ", ".join(sorted({t for t in texts if t})[:6])
            msg = f"no label of {column!r} is on the map ({', '.join(atlas.classes)}): {told}"
            raise InputError(msg)
        return mask, f"kinds of {column!r} that the map has"
    if label is not None:
        msg = f"no column {label!r} in the table, or the map has no labels"
        raise InputError(msg)
    return np.ones(len(frame), dtype=bool), "all"


def _scale(atlas: Atlas, values: np.ndarray, name: str, how: str) -> LabScale:
    if len(values) < LEAST_CELLS:
        msg = (
            f"lab {name!r} has {len(values)} known cells; its scale needs {LEAST_CELLS} "
            "(without a scale of its own it is placed on the common scale of the map)"
        )
        raise InputError(msg)
    method = str(atlas.about.get("harmonise", "robust"))
    basis = f"{len(values)} cells ({how})"
    if method == "none":
        return attrs.evolve(atlas.labs[POOLED], cells=len(values), basis="none: common scale")
    if not atlas.classes:
        return own_scale(values, atlas.scaled, method, basis)

    def vote(scaled: np.ndarray) -> np.ndarray:
        full, _, _ = filled(atlas.scaled, np.nan_to_num(scaled), 1)
        return np.nan_to_num(shares_of(atlas, atlas.in_space(full))).argmax(axis=1)

    return matched_scale(
        values, atlas.scaled, atlas.label_codes, vote, method=method, basis=basis
    )


def _usual(atlas: Atlas, scale: LabScale, values: np.ndarray) -> np.ndarray:
    """How strange the known cells of the lab are to the map, sorted."""
    scaled = scale.apply(values)
    enough = np.isnan(scaled).mean(axis=1) <= 0.5
    full, _, possible = filled(atlas.scaled, scaled[enough], NEIGHBOURS)
    return np.sort(atlas.strangeness.of(full[possible]))

"""NWB files with faults that a maker of files can put in: units, rates, links, shapes, tables.

`edited` is a kind of damage for `tests.io.fuzz`: bytes in, words and bytes out.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS = (0.0, -1.0, 1.0, 1e-3, 1e-12, 1e300, np.nan, np.inf, 20_000, 20_000.02, 5, 2**63)
_WORDS = ("", "mV", "pA", "volts", "amperes", "V", "A", "unknown", "µV", "furlong", "ms", "2.8.0",
          "NWB-1.0.5", "1.0.6", "CurrentClampSeries", "VoltageClampStimulusSeries", "TimeSeries",
          "OddCurrentClampSeries", "\ud7ff", "x" * 5000)  # fmt: skip


def edited(raw: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Edit an NWB file through h5py once to three times, and say how."""
    image, said = io.BytesIO(raw), []
    with h5py.File(image, "r+") as file, np.errstate(all="ignore"):
        for _ in range(int(rng.integers(1, 4))):
            edit = _EDITS[int(rng.integers(len(_EDITS)))]
            try:
                said.append(edit(file, rng))
            except (KeyError, ValueError, TypeError, RuntimeError, OSError, OverflowError) as e:
                said.append(f"{edit.__name__} refused by h5py ({type(e).__name__})")
    return "; ".join(said), image.getvalue()


def _pick(pool: Any, rng: np.random.Generator) -> Any:
    return pool[int(rng.integers(len(pool)))]


def _things(file: h5py.File, kind: type) -> list[str]:
    """Paths of objects; those of patch-clamp series four times, for they matter most."""
    found: list[str] = []

    def note(path: str, thing: Any) -> None:
        if isinstance(thing, kind) and not path.startswith("specifications"):
            weight = 4 if path.startswith(("acquisition/", "stimulus/")) else 1
            found.extend([path] * weight)

    file.visititems(note)
    return sorted(found)


def _value(rng: np.random.Generator) -> Any:
    made = (
        lambda: _pick(_NUMBERS, rng),
        lambda: _pick(_WORDS, rng),
        lambda: np.full(3, _pick(_NUMBERS, rng)),
        lambda: h5py.Empty("f8"),
        lambda: np.array([b"a", b"bc"]),
        lambda: np.array([(1, 2.0)], dtype=[("idx_start", "i4"), ("count", "f8")]),
        lambda: np.float32(_pick(_NUMBERS, rng)),
        lambda: int(rng.integers(-3, 12)),
    )
    return made[int(rng.integers(len(made)))]()


def _attribute(file: h5py.File, rng: np.random.Generator) -> str:
    thing = file[_pick([*_things(file, h5py.Group), *_things(file, h5py.Dataset)], rng)]
    names = sorted(thing.attrs)
    name = _pick(names, rng) if names else "unit"
    if rng.random() < 0.3 and names:
        del thing.attrs[name]
        return f"{thing.name}@{name} deleted"
    value = _value(rng)
    thing.attrs[name] = value
    return f"{thing.name}@{name} = {value!r:.60}"


def _delete(file: h5py.File, rng: np.random.Generator) -> str:
    path = _pick([*_things(file, h5py.Group), *_things(file, h5py.Dataset)], rng)
    del file[path]
    return f"{path} deleted"


def _link(file: h5py.File, rng: np.random.Generator) -> str:
    path = _pick([*_things(file, h5py.Group), *_things(file, h5py.Dataset)], rng)
    others = [*_things(file, h5py.Group), *_things(file, h5py.Dataset)]
    targets = (
        lambda: h5py.SoftLink("/nowhere/at/all"),
        lambda: h5py.SoftLink("/" + path),
        lambda: h5py.SoftLink("/" + _pick(others, rng)),
        lambda: h5py.ExternalLink("missing.nwb", "/acquisition/x"),
        lambda: file[_pick(others, rng)],
        lambda: file["/"],
        lambda: file[path].parent,
    )
    target = targets[int(rng.integers(len(targets)))]()
    del file[path]
    file[path] = target
    return f"{path} is now {target!r:.80}"


def _replace(file: h5py.File, rng: np.random.Generator) -> str:
    path = _pick(_things(file, h5py.Dataset), rng)
    old = file[path]
    attributes = dict(old.attrs)
    n = min(old.shape[0], 9999) if old.shape else 1  # an edit before may have made it huge
    data = old[:n] if old.shape else np.zeros(1)
    numeric = getattr(data, "dtype", np.dtype("O")).kind in "iuf"
    ramp = np.arange(n, dtype=float)
    made: tuple[Callable[[], dict[str, Any]], ...] = (
        lambda: {"data": _value(rng)},
        lambda: {"data": ramp[:0]},
        lambda: {"data": np.repeat(ramp[:, None], int(rng.integers(1, 3)), axis=1)},
        lambda: {
            "data": (data if numeric else ramp).astype(_pick(["i2", ">f4", "f2", "u1"], rng))
        },
        lambda: {"data": np.full(n, np.nan)},
        lambda: {"data": (data if numeric else ramp)[: n // 2]},
        lambda: {"data": ramp.astype(bool)},
        lambda: {"data": ramp.astype(complex)},
        lambda: {"shape": (2**40,), "chunks": (2**10,), "dtype": "f4"},
        lambda: {"shape": (2**34, 2**4), "chunks": (2**20, 1), "dtype": "f8"},
        lambda: {"shape": (n + 5,), "chunks": (7,), "dtype": "f4"},
        lambda: {"shape": (n,), "dtype": "f4", "external": [("missing.raw", 0, 4 * n)]},
        lambda: {"data": [f"row {k}" for k in range(min(n, 9))]},
    )
    fields = made[int(rng.integers(len(made)))]()
    del file[path]
    new = file.create_dataset(path, **fields)
    if rng.random() < 0.8:
        new.attrs.update(attributes)
    return f"{path} is now {new.dtype} {new.shape}"


def _values(file: h5py.File, rng: np.random.Generator) -> str:
    path = _pick([p for p in _things(file, h5py.Dataset) if 0 < file[p].size < 10_000], rng)
    thing = file[path]
    if thing.shape == ():
        thing[()] = _value(rng)
    elif thing.dtype.names is not None:
        rows = thing[()]
        rows[_pick(thing.dtype.names[:2], rng)] = rng.integers(-2, 2**31 - 1, len(rows))
        thing[...] = rows
    else:
        rows = thing[()]
        rows[rng.integers(len(rows), size=3)] = _pick(_NUMBERS, rng)
        thing[...] = rows
    return f"values in {path} changed"


def _stamps(file: h5py.File, rng: np.random.Generator) -> str:
    series = [
        p for p in _things(file, h5py.Group) if isinstance(file[p].get("data"), h5py.Dataset)
    ]
    path = _pick(series, rng)
    group = file[path]
    n = min(group["data"].shape[0], 9999) if group["data"].shape else 3
    even = rng.random() * 10 + np.arange(n) / _pick((20_000.0, 10_000.0, 1.0), rng)
    made = (
        lambda: even,
        lambda: even[::-1],
        lambda: even.astype("f4"),
        lambda: even + (np.arange(n) > n // 2),
        lambda: np.sort(rng.random(n)),
        lambda: np.full(n, np.nan),
        lambda: even[: n // 3],
        lambda: np.zeros(n),
        lambda: np.where(np.arange(n) == n // 2, np.inf, even),
        lambda: even.astype("i4"),
        lambda: even[:0],
    )
    for name in ("timestamps", "starting_time")[: int(rng.integers(1, 3))]:
        if name in group:
            del group[name]
    group["timestamps"] = made[int(rng.integers(len(made)))]()
    group["timestamps"].attrs["unit"] = _pick(("seconds", "ms", "samples"), rng)
    return f"time stamps for {path}"


def _number(file: h5py.File, rng: np.random.Generator) -> str:
    path = _pick([p for p in _things(file, h5py.Group) if "data" in file[p]], rng)
    value = _pick((0, 1, 2, -1, 2**40, 1.5, "x", np.nan), rng)
    file[path].attrs["sweep_number"] = value
    return f"{path} has the sweep number {value!r}"


def _resize(file: h5py.File, rng: np.random.Generator) -> str:
    able = [
        p for p in _things(file, h5py.Dataset) if file[p].chunks and None in file[p].maxshape
    ]
    path = _pick(able, rng)
    file[path].resize(int(rng.integers(0, 2**40)), axis=0)
    return f"{path} resized to {file[path].shape}"


_EDITS = (
    _attribute, _attribute, _attribute, _delete, _link, _link, _replace, _replace, _values,
    _stamps, _number, _resize,
)  # fmt: skip

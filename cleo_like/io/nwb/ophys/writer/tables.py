"""A pandas table of intervals as NWB keeps it, with what is needed to have it back."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.io.nwb.ophys.names import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_TIMES = ("start_time", "stop_time")
_RESERVED = {*_TIMES, "id", "timeseries", "tags"}


def intervals(frame: pd.DataFrame, name: str, about: str) -> tuple[Any, dict[str, Any]]:
    """Make the TimeIntervals of a table.

    Parameters
    ----------
    frame : DataFrame
        With `start_time` (s), and `end_time`, `stop_time` or `duration`; without any of these
        the last sight of a row is its start.
    name : str
        In the file.
    about : str
        Description.

    Returns
    -------
    table : pynwb.epoch.TimeIntervals
        To be added to the file.
    facts : dict
        Types of columns and index, and names of columns in the file.

    Raises
    ------
    InputError
        No start, or a column that NWB cannot keep.
    """
    from hdmf.common import ElementIdentifiers, VectorData
    from pynwb.epoch import TimeIntervals

    start, stop = _spans(frame)
    columns = [
        VectorData(name="start_time", description="Start (s)", data=start),
        VectorData(name="stop_time", description="End (s)", data=stop),
    ]
    names = dict(zip(frame.columns, _names(frame), strict=True))
    facts: dict[str, Any] = {}
    for column, stored in names.items():
        data, kind = _column(str(column), frame[column])
        facts[str(column)] = {"name": stored} | kind
        if stored not in _TIMES:
            columns.append(VectorData(name=stored, description=f"{column}", data=data))
    with warnings.catch_warnings():
        # a column "name" cannot be reached as table.name, but as table["name"]
        warnings.filterwarnings("ignore", "An attribute .* already exists", UserWarning)
        table = TimeIntervals(
            name=name,
            description=about,
            id=ElementIdentifiers(name="id", data=_ids(frame)),
            columns=columns,
        )
    index = {"name": frame.index.name, "dtype": str(frame.index.dtype)}
    if _is_whole(frame):
        return table, {"columns": facts, "index": index}
    msg = (
        "the index of presentations must be whole numbers, each once; call reset_index() first"
    )
    raise InputError(msg)


def _names(frame: pd.DataFrame) -> list[str]:
    """Names of columns in the file; `end_time` is NWB's stop_time."""
    own = [str(column) for column in frame.columns]
    if len(set(own)) < len(own):
        msg = f"columns of presentations must have different names, got {own}"
        raise InputError(msg)
    found: list[str] = []
    for name in own:
        made = "stop_time" if name == "end_time" and "stop_time" not in own else plain(name)
        while made in found or (made in _RESERVED and made not in _TIMES):
            made += "_"
        found.append(made)
    return found


def _spans(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    if "start_time" not in frame:
        msg = f"presentations need a column 'start_time' (s), got {list(frame.columns)}"
        raise InputError(msg)
    start = frame["start_time"].to_numpy(dtype=float)
    for name in ("stop_time", "end_time"):
        if name in frame:
            return start, frame[name].to_numpy(dtype=float)
    length = frame["duration"].to_numpy(dtype=float) if "duration" in frame else 0.0
    return start, start + length


def _is_whole(frame: pd.DataFrame) -> bool:
    return frame.index.dtype.kind in "iu" and frame.index.is_unique and frame.index.nlevels == 1


def _ids(frame: pd.DataFrame) -> np.ndarray:
    return (
        np.asarray(frame.index, dtype=np.int64) if _is_whole(frame) else np.arange(len(frame))
    )


def _column(name: str, values: pd.Series) -> tuple[Any, dict[str, Any]]:
    """Give the data of a column, and what is needed to have it back."""
    kind: dict[str, Any] = {"dtype": str(values.dtype)}
    missing = values.isna().to_numpy()
    known = values[~missing]
    if kind["dtype"] == "category":
        values, known = values.astype(object), known.astype(object)
    numpy_kind = getattr(values.dtype, "numpy_dtype", values.dtype)
    if getattr(numpy_kind, "kind", "O") == "f":
        return values.to_numpy(dtype=float, na_value=np.nan), kind
    if all(isinstance(v, (bool, np.bool_)) for v in known):
        return _truths(values, missing, kind)
    if all(isinstance(v, (int, np.integer)) for v in known):
        if missing.any():
            return values.to_numpy(dtype=float, na_value=np.nan), kind | {"whole": True}
        return values.to_numpy(dtype=np.int64), kind
    if all(isinstance(v, str) for v in known):
        return _texts(values, known, missing, kind)
    if all(isinstance(v, (int, float, np.integer, np.floating)) for v in known):
        return values.to_numpy(dtype=float, na_value=np.nan), kind
    odd = next(v for v in known if not isinstance(v, str))
    msg = (
        f"column {name!r} of presentations holds {type(odd).__name__} ({odd!r}); NWB keeps "
        "numbers, truth values and texts: convert it, or drop it"
    )
    raise InputError(msg)


def _truths(
    values: pd.Series, missing: np.ndarray, kind: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Give truth values; -1 is missing."""
    if not missing.any():
        return values.to_numpy(dtype=bool), kind
    stored = np.full(len(values), -1, np.int8)
    stored[~missing] = values[~missing].to_numpy(dtype=bool)
    return stored, kind | {"missing": -1}


def _texts(
    values: pd.Series, known: pd.Series, missing: np.ndarray, kind: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Give texts; a text that none of them is stands for a missing one."""
    if not missing.any():
        return list(values), dict(kind)
    taken = set(known)
    tried = itertools.chain(["N/A"], (f"N/A {n}" for n in itertools.count(1)))
    mark = next(text for text in tried if text not in taken)
    texts = [mark if gone else text for text, gone in zip(values, missing, strict=True)]
    return texts, {**kind, "missing": mark}

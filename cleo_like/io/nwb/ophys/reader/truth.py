"""What the writer kept of a simulation's truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.ophys.traces import ImagingTruth
from cleo_like.io.nwb.extras import TRUTH
from cleo_like.io.nwb.source import hdf5

if TYPE_CHECKING:
    from collections.abc import Mapping


def truths_of(
    file: Any, facts: Mapping[str, Any], rois: np.ndarray | None, frames: slice
) -> list[ImagingTruth]:
    """Read each truth of a plane.

    Parameters
    ----------
    file : h5py.File
        The file.
    facts : mapping
        What `add_truth` gave.
    rois : array of int, optional
        Which ROIs; None is all.
    frames : slice
        Which frames.

    Raises
    ------
    FileFormatError
        Something is missing or damaged.
    """
    return [_truth(file, names, rois, frames) for names in facts["truths"]]


def _truth(
    file: Any, names: Mapping[str, str], rois: np.ndarray | None, frames: slice
) -> ImagingTruth:
    module = hdf5.member(file, "processing", TRUTH)
    known: dict[str, Any] = {}
    if "spike_times" in names:
        table = hdf5.member(module, names["spike_times"])
        flat = np.asarray(hdf5.member(table, "spike_times")[:], dtype=float)
        ends = np.asarray(hdf5.member(table, "spike_times_index")[:], dtype=int)
        every = np.split(flat, ends[:-1]) if len(ends) else []
        known["spike_times"] = every if rois is None else [every[i] for i in rois]
    for name in ("fluorescence", "calcium"):
        if name in names:
            values = np.asarray(hdf5.member(module, names[name], "data")[frames]).T
            known[name] = values if rois is None else values[rois]
    return ImagingTruth(**known)


def arrays_of(file: Any, facts: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Read the truth arrays by name, with the shapes and types that they had."""
    return {name: _array(file, kind) for name, kind in facts["arrays"].items()}


def _array(file: Any, kind: Mapping[str, Any]) -> np.ndarray:
    dtype, shape = np.dtype(kind["dtype"]), tuple(kind["shape"])
    if "value" in kind:
        flat = np.array(kind["value"], dtype=object).reshape(-1)
        numbers = [float(v) for v in flat] if dtype.kind == "f" else flat.tolist()
        return np.array(numbers, dtype=dtype).reshape(shape)
    place = hdf5.member(file, "processing", TRUTH, kind["name"])
    if kind["kind"] == "table":
        column = hdf5.member(place, "value")
        if dtype.kind in "OUST":
            texts = [hdf5.as_text(t) for t in np.asarray(column[:]).reshape(-1)]
            return np.array(texts, dtype=dtype).reshape(shape)
        return np.asarray(column[:]).astype(dtype).reshape(shape)
    data = np.asarray(hdf5.member(place, "data")[:])
    return (data.T if kind["kind"] == "turned series" else data).astype(dtype).reshape(shape)

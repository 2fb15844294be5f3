"""What the functions on calcium traces take, checked in one place."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleo_like.core.arrays import si_number
from cleo_like.core.errors import InputError
from cleo_like.core.units import si_choice


def as_traces(traces: Any, name: str = "traces") -> np.ndarray:
    """Give traces as float64 (n_cells, n_frames); one trace is one cell.

    Parameters
    ----------
    traces : array or Traces
        Shape (n_cells, n_frames) or (n_frames,); NaN is no sample.
    name : str
        For the error.

    Raises
    ------
    InputError
        Another number of dimensions, no frames, or a sample that is infinite.
    """
    values = getattr(traces, "fluorescence", traces)
    y = np.asarray(si_choice(values, ("1",), name)[1], dtype=float)
    y = y[None] if y.ndim == 1 else y
    if y.ndim != 2 or y.shape[1] == 0:
        msg = f"{name} must be (n_cells, n_frames) with frames, got shape {np.shape(values)}"
        raise InputError(msg)
    if np.isinf(y).any():
        cell, frame = np.argwhere(np.isinf(y))[0]
        msg = f"{name}[{cell}] is infinite at frame {frame}; F0 near zero gives such dF/F"
        raise InputError(msg)
    return y


def positive(value: Any, unit: str, name: str) -> float:
    """Give one positive SI number; a quantity is converted."""
    found = si_number(unit, name)(value)
    if not (np.isfinite(found) and found > 0):
        msg = f"{name} must be a positive number of {unit}, got {value!r}"
        raise InputError(msg)
    return found


def per_cell(value: Any, n_cells: int, unit: str, name: str) -> np.ndarray:
    """Give one positive value for each cell; one value serves all."""
    found = np.asarray(si_choice(value, (unit,), name)[1], dtype=float)
    if found.ndim > 1 or (found.ndim == 1 and found.size not in (1, n_cells)):
        msg = (
            f"{name} must be one value or one for each of {n_cells} cells, "
            f"got shape {found.shape}"
        )
        raise InputError(msg)
    found = np.broadcast_to(found.reshape(-1), (n_cells,)).copy()
    if not (found > 0).all() or np.isinf(found).any():
        msg = f"{name} must be positive and finite ({unit}), got {value!r}"
        raise InputError(msg)
    return found

"""Steps that methods share: baseline, scale of noise, onsets of events."""

from __future__ import annotations

import numpy as np

WINDOW = 60.0
"""Seconds over which the baseline is looked for; with `SMOOTH`, the defaults of suite2p."""
SMOOTH = 10.0
"""Frames."""
_MAD = 1.4826


def without_baseline(dff: np.ndarray, rate: float) -> np.ndarray:
    """Take the baseline off: smoothed, its running minimum, and the running maximum of that.

    Missing frames (NaN) become 0, the baseline.

    Parameters
    ----------
    dff : array, shape (n_cells, n_frames)
        Traces.
    rate : float
        Hz.
    """
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

    seen = np.isfinite(dff)
    filled = np.where(seen, dff, _last_seen(dff, seen))
    width = max(1, round(WINDOW * rate))
    smooth = gaussian_filter1d(filled, SMOOTH, axis=1)
    base = maximum_filter1d(minimum_filter1d(smooth, width, axis=1), width, axis=1)
    return np.where(seen, dff - base, 0.0)


def _last_seen(dff: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Give the last value before each frame that is missing; 0 where there is none."""
    place = np.where(seen, np.arange(dff.shape[1]), -1)
    last = np.maximum.accumulate(place, axis=1)
    found = np.take_along_axis(dff, np.maximum(last, 0), axis=1)
    return np.where(last >= 0, found, 0.0)


def spread(values: np.ndarray) -> np.ndarray:
    """Give the robust SD of each row about its median, shape (n_rows, 1)."""
    centre = np.nanmedian(values, axis=1, keepdims=True)
    found = _MAD * np.nanmedian(np.abs(values - centre), axis=1, keepdims=True)
    return np.where(found > 0, found, np.inf)


def onsets(values: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Give where each row rises above a level: the height of that run there, 0 elsewhere.

    Parameters
    ----------
    values : array, shape (n_rows, n_frames)
        What crosses.
    level : array, shape (n_rows, 1)
        The level.

    Examples
    --------
    >>> onsets(np.array([[0.0, 2, 3, 0, 2]]), np.ones((1, 1)))
    array([[0., 3., 0., 0., 2.]])
    """
    runs, heights, _ = _runs(values, level)
    out = np.zeros(values.shape)
    out.ravel()[runs] = heights
    return out


def peaks(values: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Give the highest point of each run above a level; as `onsets`, at another frame.

    Examples
    --------
    >>> peaks(np.array([[0.0, 2, 3, 0, 2]]), np.ones((1, 1)))
    array([[0., 0., 3., 0., 2.]])
    """
    runs, heights, flat = _runs(values, level)
    out = np.zeros(values.shape)
    if runs.size:
        number = np.searchsorted(runs, np.arange(flat.size), side="right") - 1
        top = np.flatnonzero((number >= 0) & (flat == heights[number]))
        first = np.unique(number[top], return_index=True)[1]  # of equal ones the first
        out.ravel()[top[first]] = heights
    return out


def _runs(values: np.ndarray, level: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give first places (of all rows in one) and heights of runs; values, -inf below."""
    above = np.nan_to_num(values, nan=-np.inf) > level
    flat = np.where(above, values, -np.inf).ravel()
    starts = above & ~np.pad(above, ((0, 0), (1, 0)))[:, :-1]
    runs = np.flatnonzero(starts)
    if not runs.size:
        return runs, np.zeros(0), flat
    return runs, np.maximum.reduceat(flat, runs), flat  # between two runs all is below

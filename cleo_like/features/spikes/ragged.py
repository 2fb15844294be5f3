"""Searches in many stretches of one flat array at once (first sample that ..., extremes)."""

from __future__ import annotations

import numpy as np

_CHUNK = 32
_FEW = 50  # stretches: fewer are searched one by one
_GAP = 10_000  # samples between stretches that are worth skipping
_SHORT = 200  # samples: shorter stretches are searched side by side
BELOW_ZERO = -5e-324
"""``x <= BELOW_ZERO`` is ``x < 0`` for float64."""


def first_where(
    x: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    level: np.ndarray | float,
    *,
    rising: bool = False,
    step: int = 1,
) -> np.ndarray:
    """Find in each stretch the first sample at or beyond a level.

    Parameters
    ----------
    x : array, shape (n,)
        The flat samples.
    start, stop : arrays of int, shape (m,)
        Stretches; `stop` is excluded, in the direction of `step`.
    level : float or array, shape (m,)
        The first k with ``x[k] <= level`` (``>=`` when `rising`).
    step : 1 or -1
        Forwards, or backwards from `start` down to but without `stop`.

    Returns
    -------
    array of int, shape (m,)
        Index, or -1 where there is none.

    Examples
    --------
    >>> first_where(np.array([3.0, 2, 1, 0]), np.array([0, 2]), np.array([4, 0]), 1.5)
    array([ 2, -1])
    """
    found = np.full(start.size, -1)
    levels = np.broadcast_to(np.asarray(level, dtype=x.dtype), start.shape)[:, None]
    position = start.astype(np.int64, copy=True)
    active = np.flatnonzero((stop - position) * step > 0)
    width = _CHUNK
    while active.size:
        values = _side_by_side(x, position[active], width, step)
        limit = levels[active]
        hit = (values >= limit) if rising else (values <= limit)
        first = hit.argmax(axis=1)
        some = hit[np.arange(active.size), first]
        at = position[active] + step * first
        inside = some & ((stop[active] - at) * step > 0)
        found[active[inside]] = at[inside]
        position[active] += step * width
        active = active[~some]  # a first hit beyond the end means that there is none inside
        active = active[(stop[active] - position[active]) * step > 0]
        width = min(4 * width, 4096)
    return found


def _side_by_side(x: np.ndarray, start: np.ndarray, width: int, step: int) -> np.ndarray:
    """Give (n, width) samples from each start on; beyond the ends of x its last ones."""
    low = start if step > 0 else start - (width - 1)
    if low.min() < 0 or low.max() + width > x.size:
        return x[np.clip(start[:, None] + step * np.arange(width), 0, x.size - 1)]
    return np.lib.stride_tricks.sliding_window_view(x, width)[low][:, ::step]


def arg_max(x: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Give the index of the largest sample of each stretch (start where it is empty)."""
    length = stop - start
    if start.size and length.max() <= _SHORT:
        return start + _short_arg_max(x, start, length)
    if _in_order(start, stop):
        return first_where(x, start, stop, _extremes(np.maximum, x, start, stop), rising=True)
    pairs = zip(start.tolist(), stop.tolist(), strict=True)
    return start + np.array([x[a:b].argmax() if b > a else 0 for a, b in pairs], dtype=int)


def _short_arg_max(x: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Search stretches that are short enough to be laid side by side."""
    offset = np.arange(max(int(length.max()), 1))
    values = x[np.minimum(start[:, None] + offset, x.size - 1)]
    values[offset >= length[:, None]] = -np.inf
    return values.argmax(axis=1)


def arg_min(x: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Give the index of the smallest sample of each stretch (start where it is empty)."""
    if _in_order(start, stop):
        return first_where(x, start, stop, _extremes(np.minimum, x, start, stop))
    pairs = zip(start.tolist(), stop.tolist(), strict=True)
    return start + np.array([x[a:b].argmin() if b > a else 0 for a, b in pairs], dtype=int)


def _in_order(start: np.ndarray, stop: np.ndarray) -> bool:
    """Whether many stretches, none empty, follow one another without overlap."""
    return start.size > _FEW and bool((stop > start).all() and (stop[:-1] <= start[1:]).all())


def _extremes(of: np.ufunc, x: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Largest or smallest sample of stretches in order; long gaps between them are skipped."""
    gaps = np.flatnonzero(start[1:] - stop[:-1] > _GAP) + 1
    out = np.empty(start.size)
    edges = np.column_stack([start, stop]).reshape(-1)
    runs = zip((0, *gaps.tolist()), (*gaps.tolist(), start.size), strict=True)
    for a, b in runs:
        low, high = int(start[a]), int(stop[b - 1])
        out[a:b] = of.reduceat(x[low:high], edges[2 * a : 2 * b - 1] - low)[::2]
    return out


def group_ends(group: np.ndarray) -> np.ndarray:
    """Mark the last element of each run of equal values."""
    last = np.ones(group.size, dtype=bool)
    last[:-1] = group[1:] != group[:-1]
    return last


def next_in_group(values: np.ndarray, group: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Give the next element's value within each run, `otherwise` at the ends of the runs."""
    following = np.append(values[1:], 0)
    return np.where(group_ends(group), otherwise, following)

"""Searches in many stretches of one flat array at once (first sample that ..., extremes)."""

from __future__ import annotations

import numpy as np

_CHUNK = 32
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
    levels = np.broadcast_to(np.asarray(level, dtype=x.dtype), start.shape)
    position = start.astype(np.int64, copy=True)
    active = np.flatnonzero((stop - position) * step > 0)
    width = _CHUNK
    while active.size:
        at = position[active, None] + step * np.arange(width)
        inside = at * step < (stop * step)[active, None]
        values = x[np.clip(at, 0, x.size - 1)]
        limit = levels[active, None]
        hit = ((values >= limit) if rising else (values <= limit)) & inside
        first = hit.argmax(axis=1)
        ok = hit[np.arange(active.size), first]
        found[active[ok]] = position[active[ok]] + step * first[ok]
        position[active] += step * width
        active = active[~ok]
        active = active[(stop[active] - position[active]) * step > 0]
        width = min(4 * width, 4096)
    return found


def arg_max(x: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Give the index of the largest sample of each stretch (start where it is empty)."""
    length = stop - start
    if start.size and length.max() <= _SHORT:
        return start + _short_arg_max(x, start, length)
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
    pairs = zip(start.tolist(), stop.tolist(), strict=True)
    return start + np.array([x[a:b].argmin() if b > a else 0 for a, b in pairs], dtype=int)


def arg_min_near(x: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Do `arg_min` for stretches in order, without overlap, whose minimum comes early."""
    if start.size == 0 or not ((stop > start).all() and (stop[:-1] <= start[1:]).all()):
        return arg_min(x, start, stop)
    edges = np.column_stack([start, stop]).reshape(-1)
    if edges[-1] == x.size:
        edges = edges[:-1]
    lowest = np.minimum.reduceat(x, edges)[::2]
    return first_where(x, start, stop, lowest)


def group_ends(group: np.ndarray) -> np.ndarray:
    """Mark the last element of each run of equal values."""
    last = np.ones(group.size, dtype=bool)
    last[:-1] = group[1:] != group[:-1]
    return last


def next_in_group(values: np.ndarray, group: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Give the next element's value within each run, `otherwise` at the ends of the runs."""
    following = np.append(values[1:], 0)
    return np.where(group_ends(group), otherwise, following)

"""Which burst a spike is of: a burst begins with a spike after a second of silence."""

from __future__ import annotations

import numpy as np

SILENCE = 1.0
"""Silence before a burst (s)."""


def burst_numbers(
    times: np.ndarray, cells: np.ndarray, last: np.ndarray, count: np.ndarray
) -> np.ndarray:
    """Give every spike the number of its burst, counted in each cell from 0.

    Parameters
    ----------
    times, cells : array (n_spikes,)
        When (s) and who, sorted by cell and then by time.
    last, count : array (n,)
        Time of each cell's last spike before (-inf: none), and bursts it had by then; both
        are brought up to date in place.

    Returns
    -------
    array of int (n_spikes,)

    Examples
    --------
    >>> last, count = np.full(1, -np.inf), np.zeros(1, dtype=int)
    >>> burst_numbers(np.array([0.0, 0.5, 2.0]), np.zeros(3, dtype=int), last, count).tolist()
    [0, 0, 1]
    >>> last.tolist(), count.tolist()
    ([2.0], [2])
    """
    if len(times) == 0:
        return np.zeros(0, dtype=int)
    first = np.r_[True, cells[1:] != cells[:-1]]
    before = np.r_[-np.inf, times[:-1]]
    before[first] = last[cells[first]]
    fresh = times - before >= SILENCE
    running = np.cumsum(fresh)
    starts = np.flatnonzero(first)
    ends = np.r_[starts[1:], len(times)] - 1
    earlier = running[starts] - fresh[starts]
    numbers = count[cells] - 1 + running - np.repeat(earlier, ends - starts + 1)
    last[cells[ends]] = times[ends]
    count[cells[ends]] = numbers[ends] + 1
    return np.asarray(numbers)


def sizes_of(numbers: np.ndarray, cells: np.ndarray, bursts: np.ndarray) -> np.ndarray:
    """Give every spike the factor of its burst, from a table (n, n_bursts) taken round."""
    return np.asarray(bursts[cells, numbers % bursts.shape[1]])

"""Events by L0: the fewest jumps of an exponential decay that explain a trace.

Minimises, over calcium c >= 0 that decays by g in each frame except where it jumps,

    sum_t (y_t - c_t)^2 / 2 + penalty * (number of jumps)

exactly (Jewell & Witten 2018, doi:10.1214/18-AOAS1162). The dynamic programme goes through
the frames once and keeps, for each frame at which the last jump may have been, the cost as a
parabola of the calcium now, on the interval on which no other can be cheaper
(functional pruning: Maidstone et al. 2017, doi:10.1007/s11222-016-9636-3). With numba (extra
`movie`) a compiled loop goes through each row; without it all rows go through the frames
together. Both do the same operations in the same order.
"""

from __future__ import annotations

import functools
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOM = 16  # candidates for the last jump that are kept before the dead ones are cleared away
_STEEP = 1e200  # curvature of old parabolas, g^-2n, is kept below overflow


def last_jumps(y: np.ndarray, decay: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """For each frame, the frame of the last jump of the best fit of all until then.

    Parameters
    ----------
    y : array, shape (n_rows, n_frames)
        Traces; NaN is no sample.
    decay, penalty : array, shape (n_rows,)
        Decay per frame, and cost of a jump.

    Returns
    -------
    array of int32, shape (n_frames, n_rows)
        0 where the fit has no jump.
    """
    compiled = _compiled()
    if compiled is not None:
        best = np.empty(y.shape, dtype=np.int32)
        for row, *numbers, out in zip(y, decay, penalty, best, strict=True):
            compiled(np.ascontiguousarray(row), *numbers, out)
        return best.T
    return _together(y, decay, penalty)


@functools.cache
def _compiled() -> Callable[..., None] | None:
    """Compile the loop through one row; None without numba."""
    if find_spec("numba") is None:
        return None
    import numba

    # as numpy divides by 0
    made: Callable[..., None] = numba.njit(nogil=True, cache=True, error_model="numpy")(_row)
    return made


def _row(y: Any, decay: Any, penalty: Any, best: Any) -> None:  # noqa: C901 - numba's loop
    """Go through one trace, as `_Candidates` does; `best` is filled."""
    # vertex, low, high, curvature, least of each candidate
    kept, birth = np.empty((_ROOM, 5)), np.empty(_ROOM, np.int32)
    kept[0, 0] = kept[0, 1] = kept[0, 3] = kept[0, 4] = 0.0
    kept[0, 2], birth[0], n = np.inf, 0, 1
    for frame in range(y.shape[0]):
        if frame > 0:
            alive = 0
            for k in range(n):
                vertex, low, high = kept[k, 0] * decay, kept[k, 1] * decay, kept[k, 2] * decay
                curvature, least = min(kept[k, 3] / decay**2, _STEEP), kept[k, 4]
                if penalty - least < 0:
                    continue
                half = np.inf if curvature == 0 else np.sqrt((penalty - least) * 2 / curvature)
                low, high = max(low, vertex - half), min(high, vertex + half)
                if high < low:
                    continue
                kept[alive, 0], kept[alive, 1], kept[alive, 2] = vertex, low, high
                kept[alive, 3], kept[alive, 4], birth[alive] = curvature, least, birth[k]
                alive += 1
            covered = 0.0
            for _ in range(2):
                reached = covered
                for k in range(alive):
                    if kept[k, 1] <= covered:
                        reached = max(reached, kept[k, 2])
                covered = reached
            if alive == birth.size:
                more, born = np.empty((2 * alive, 5)), np.empty(2 * alive, np.int32)
                more[:alive], born[:alive] = kept, birth
                kept, birth = more, born
            kept[alive, 0] = kept[alive, 3] = 0.0
            kept[alive, 1], kept[alive, 2], kept[alive, 4] = covered, np.inf, penalty
            birth[alive], n = frame, alive + 1
        there = 1.0 if np.isfinite(y[frame]) else 0.0
        sample = y[frame] if there > 0 else 0.0
        cheapest, winner = np.inf, 0
        for k in range(n):
            away, before = (sample - kept[k, 0]) * there, kept[k, 3]
            kept[k, 3] += there
            share = away / kept[k, 3] if kept[k, 3] > 0 else 0.0
            kept[k, 0] += share
            kept[k, 4] += 0.5 * away * share * before
            cost = kept[k, 4] + 0.5 * kept[k, 3] * min(kept[k, 0], 0.0) ** 2
            if cost < cheapest:
                cheapest, winner = cost, k
        for k in range(n):
            kept[k, 4] -= cheapest
        best[frame] = birth[winner]


def _together(y: np.ndarray, decay: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Go through all traces at the same time."""
    candidates = _Candidates(decay, penalty)
    best = np.empty(y.shape[::-1], dtype=np.int32)
    seen = np.isfinite(y).T.astype(float)
    samples = np.nan_to_num(y).T
    with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
        for frame, (sample, there) in enumerate(zip(samples, seen, strict=True)):
            if frame:
                candidates.advance(frame)
            best[frame] = candidates.add(sample, there)
    return best


class _Candidates:
    """Frames at which the last jump may have been, (candidate, row), with their costs.

    The cost of calcium c now is ``curvature (c - vertex)^2 / 2 + least``, where the least cost
    of all is 0; a candidate counts on [low, high] only.
    """

    def __init__(self, decay: np.ndarray, penalty: np.ndarray) -> None:
        self.decay, self.penalty = decay, penalty
        self.n = 1
        self._grow(_ROOM)
        # the first frame is no jump and costs nothing
        self.curvature[0] = self.vertex[0] = self.least[0] = self.low[0] = 0.0
        self.high[0], self.birth[0] = np.inf, 0

    def _grow(self, room: int) -> None:
        shape = (room, self.decay.size)
        old = getattr(self, "places", None)
        # vertex, low and high are scaled alike in each frame: one array
        self.places = np.zeros((3, *shape))
        self.curvature, self.least = np.zeros(shape), np.full(shape, np.inf)
        self.birth = np.zeros(shape, dtype=np.int32)
        if old is not None:
            n = self.n
            self.places[:, :n] = old[:, :n]
            self.curvature[:n], self.least[:n], self.birth[:n] = self._kept
        self.vertex, self.low, self.high = self.places

    def advance(self, frame: int) -> None:
        """Let calcium decay by one frame, and let a jump be possible at this one."""
        if self.n == len(self.least):
            self._clear()
        n = self.n
        self.places[:, :n] *= self.decay
        curvature, least = self.curvature[:n], self.least[:n]
        low, high, vertex = self.low[:n], self.high[:n], self.vertex[:n]
        curvature /= self.decay**2
        np.minimum(curvature, _STEEP, out=curvature)
        # where a jump now, at `penalty`, would be cheaper, the candidate is done
        spare = self.penalty - least
        half = np.sqrt(np.maximum(spare, 0.0) * 2 / curvature)
        half[curvature == 0] = np.inf  # no sample yet: as good everywhere
        np.maximum(low, vertex - half, out=low)
        np.minimum(high, vertex + half, out=high)
        dead = (high < low) | (spare < 0)
        least[dead] = np.inf
        high[dead] = -1.0
        covered = np.zeros(self.decay.size)
        for _ in range(2):  # the old ones' part next to 0, as far as two of them reach
            covered = np.maximum(covered, np.where(low <= covered, high, 0.0).max(axis=0))
        self.curvature[n] = 0.0
        self.vertex[n] = 0.0
        self.least[n] = self.penalty
        self.low[n], self.high[n], self.birth[n] = covered, np.inf, frame
        self.n = n + 1

    def add(self, sample: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Take the sample of a frame; give the frame of the last jump of the best fit."""
        n = self.n
        curvature, vertex, least = self.curvature[:n], self.vertex[:n], self.least[:n]
        away = (sample - vertex) * there
        before = curvature.copy()
        curvature += there
        share = np.where(curvature > 0, away / curvature, 0.0)
        vertex += share
        least += 0.5 * away * share * before
        # calcium below 0 is not allowed: there the cost at 0 counts
        cost = least + 0.5 * curvature * np.minimum(vertex, 0.0) ** 2
        winner = cost.argmin(axis=0)
        rows = np.arange(winner.size)
        least -= cost[winner, rows]
        return self.birth[winner, rows]

    def _clear(self) -> None:
        """Bring the living candidates to the front, and make room where all live."""
        order = np.argsort(~np.isfinite(self.least), axis=0, kind="stable")
        alive = int(np.isfinite(self.least).sum(axis=0).max())
        for array in (*self.places, self.curvature, self.least, self.birth):
            array[:] = np.take_along_axis(array, order, axis=0)
        self.n = alive
        self._kept = self.curvature[:alive], self.least[:alive], self.birth[:alive]
        if 2 * alive > len(self.least):
            self._grow(2 * len(self.least))


def jumps_of(best: np.ndarray) -> list[np.ndarray]:
    """Frames of the jumps of each row, ascending, from `last_jumps`."""
    n_frames, n_rows = best.shape
    where = np.zeros((n_rows, n_frames), dtype=bool)
    rows, now = np.arange(n_rows), np.full(n_rows, n_frames - 1)
    while rows.size:
        jump = best[now, rows]
        rows, now = rows[jump > 0], jump[jump > 0]
        where[rows, now] = True
        now = now - 1
    return [np.flatnonzero(row) for row in where]


def on_samples(jumps: list[np.ndarray], y: np.ndarray) -> list[np.ndarray]:
    """Move jumps that lie between samples to the next one.

    All frames without a sample before it explain the trace equally well; an earlier one
    would only make the jump larger, by the decay until something is seen.
    """
    frames = np.where(np.isfinite(y), np.arange(y.shape[1]), y.shape[1])
    following = np.minimum.accumulate(frames[:, ::-1], axis=1)[:, ::-1]
    moved = [row[at] for row, at in zip(following, jumps, strict=True)]
    return [at[at < y.shape[1]] for at in moved]


def calcium_between(y: np.ndarray, jumps: list[np.ndarray], decay: np.ndarray) -> np.ndarray:
    """Least-squares calcium, decaying from jump to jump.

    Parameters
    ----------
    y : array, shape (n_rows, n_frames)
        Traces; NaN is no sample.
    jumps : list of array of int
        Frames at which calcium jumps, for each row.
    decay : array, shape (n_rows,)
        Decay per frame.

    Returns
    -------
    array, shape (n_rows, n_frames)
        Calcium, 0 or more; 0 where a stretch has no sample.
    """
    n_rows, n_frames = y.shape
    starts = np.concatenate([row * n_frames + np.r_[0, at] for row, at in enumerate(jumps)])
    lengths = np.diff(np.r_[starts, n_rows * n_frames])
    age = np.arange(n_rows * n_frames) - np.repeat(starts, lengths)
    with np.errstate(under="ignore"):
        shape = np.repeat(decay, n_frames) ** age
        seen = np.isfinite(y).ravel()
        top = np.add.reduceat(np.where(seen, shape * np.nan_to_num(y).ravel(), 0.0), starts)
        bottom = np.add.reduceat(np.where(seen, shape**2, 0.0), starts)
        first = np.maximum(np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0), 0)
        return (np.repeat(first, lengths) * shape).reshape(y.shape)

"""Non-negative calcium with events that are never negative, in the sense of least squares.

Minimises, over calcium c_t >= 0 with c_t >= g c_(t-1),

    sum_t (y_t - c_t)^2

exactly, by pooling adjacent violators (Friedrich, Zhou & Paninski 2017,
doi:10.1371/journal.pcbi.1005423). Within a pool calcium only decays. Two neighbours of which
the later is below the decay of the earlier belong to one pool, whatever the order in which they
are joined: so all of them are joined at once, until none is left.
"""

from __future__ import annotations

import numpy as np

_ROUNDS = 8  # of joining at once; the few violators that are left go one by one


def nonnegative_calcium(y: np.ndarray, decay: np.ndarray) -> np.ndarray:
    """Fit the least-squares calcium of each trace.

    Parameters
    ----------
    y : array, shape (n_rows, n_frames)
        Traces; NaN is no sample.
    decay : array, shape (n_rows,)
        Decay per frame, g.

    Returns
    -------
    array, shape (n_rows, n_frames)
        Calcium.
    """
    # one trace at a time stays in the cache, and is done when it is done
    return np.stack([_pooled(row, g) for row, g in zip(y, decay, strict=True)])


def _pooled(y: np.ndarray, g: float) -> np.ndarray:
    seen = np.isfinite(y)
    top = np.where(seen, y, 0.0)  # of each pool: sum of g^k y
    bottom = seen.astype(float)  # sum of g^2k
    begin = np.arange(y.size + 1)  # first frame of each pool, and the end
    with np.errstate(under="ignore"):
        powers = np.exp(np.log(g) * np.arange(y.size + 1))
        for _ in range(_ROUNDS):
            first = np.maximum(top, 0.0) / np.where(bottom > 0, bottom, 1.0)
            joined = first[1:] < (first * powers[np.diff(begin)])[:-1]
            if not joined.any():
                break
            starts = np.flatnonzero(np.r_[True, ~joined])
            sizes = np.diff(np.r_[starts, first.size])
            weight = powers[begin[:-1] - np.repeat(begin[starts], sizes)]
            top = np.add.reduceat(top * weight, starts)
            bottom = np.add.reduceat(bottom * weight**2, starts)
            begin = np.r_[begin[starts], y.size]
        else:
            first, begin = _one_by_one(top, bottom, begin, powers)
        lengths = np.diff(begin)
        age = np.arange(y.size) - np.repeat(begin[:-1], lengths)
        return np.repeat(first, lengths) * powers[age]


def _one_by_one(
    top: np.ndarray, bottom: np.ndarray, begin: np.ndarray, powers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Join what is left from the first pool to the last; first values and begins."""
    fall = powers.tolist()
    tops: list[float] = []
    bottoms: list[float] = []
    begins: list[int] = []
    firsts: list[float] = []
    for sums, squares, at in zip(
        top.tolist(), bottom.tolist(), begin[:-1].tolist(), strict=True
    ):
        a, b, start = sums, squares, at
        value = a / b if a > 0 < b else 0.0
        while firsts and value < firsts[-1] * fall[start - begins[-1]]:
            weight = fall[start - begins[-1]]
            a, b = tops.pop() + weight * a, bottoms.pop() + weight * weight * b
            start = begins.pop()
            firsts.pop()
            value = a / b if a > 0 < b else 0.0
        tops.append(a)
        bottoms.append(b)
        begins.append(start)
        firsts.append(value)
    return np.array(firsts), np.array([*begins, begin[-1]])

"""Intervals over cells and seeds: both are drawn again, because cells are few."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from cleo_like.core.arrays import read_only

DRAWS = 400
SEED = 20


def weights(cells: np.ndarray, seeds: np.ndarray, draws: int = DRAWS) -> np.ndarray:
    """Draw how often each value counts when cells and seeds are drawn with replacement.

    Parameters
    ----------
    cells, seeds : array, shape (n,)
        To which cell and seed each value belongs.
    draws : int
        Number of bootstrap samples.

    Returns
    -------
    array, shape (draws, n)
        Product of the counts of cell and seed (Owen 2007, Ann Appl Stat 1:386).

    Examples
    --------
    >>> w = weights(np.array(["a", "a", "b"]), np.array([0, 1, 0]), draws=50)
    >>> w.shape, bool((w == w.astype(int)).all())
    ((50, 3), True)
    """
    return _weights(tuple(cells.tolist()), tuple(seeds.tolist()), draws)


@functools.lru_cache(maxsize=64)
def _weights(cells: tuple[Any, ...], seeds: tuple[Any, ...], draws: int) -> np.ndarray:
    """Draw them; most features of a condition have the same cells and seeds."""
    rng = np.random.default_rng(SEED)
    out = np.ones((draws, len(cells)))
    for labels in (cells, seeds):
        names, place = np.unique(np.array(labels), return_inverse=True)
        if names.size > 1:
            counts = rng.multinomial(names.size, np.full(names.size, 1 / names.size), draws)
            out *= counts[:, place]
    return read_only(out)


def median_interval(
    values: np.ndarray, cells: np.ndarray, seeds: np.ndarray
) -> tuple[float, float, float]:
    """Give the median and its 95 % interval.

    Parameters
    ----------
    values : array, shape (n,)
        Finite values.
    cells, seeds : array, shape (n,)
        To which cell and seed each belongs.

    Examples
    --------
    >>> median_interval(np.array([1.0, 1.0, 1.0]), np.arange(3), np.zeros(3))
    (1.0, 1.0, 1.0)
    """
    if values.size == 0:
        return float("nan"), float("nan"), float("nan")
    drawn = _medians(values, weights(cells, seeds))
    if drawn.size == 0:
        return float(np.median(values)), float("nan"), float("nan")
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(np.median(values)), float(low), float(high)


def _medians(values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Median of each bootstrap sample that holds a value."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(drawn[:, order], axis=1)
    total = total[total[:, -1] > 0]
    return np.asarray(values[order][(total >= total[:, -1:] / 2).argmax(axis=1)])


def median_difference(
    own: np.ndarray, other: np.ndarray, cells: np.ndarray, seeds: np.ndarray
) -> tuple[float, float, float]:
    """Give |median(own)| - |median(other)| and its 95 % interval.

    Parameters
    ----------
    own, other : array, shape (n,)
        Finite errors of two extractors in the same recordings; both are drawn alike.
    cells, seeds : array, shape (n,)
        To which cell and seed each recording belongs.

    Examples
    --------
    >>> e = np.array([-1.0, -2.0, -3.0])
    >>> median_difference(e, e + 1, np.arange(3), np.zeros(3))
    (1.0, 1.0, 1.0)
    """
    found = abs(float(np.median(own))) - abs(float(np.median(other)))
    w = weights(cells, seeds)
    drawn = np.abs(_medians(own, w)) - np.abs(_medians(other, w))
    if drawn.size == 0:
        return found, float("nan"), float("nan")
    low, high = np.quantile(drawn, [0.025, 0.975])
    return found, float(low), float(high)


def f1_difference(
    own: np.ndarray, other: np.ndarray, cells: np.ndarray, seeds: np.ndarray
) -> tuple[float, float]:
    """Give the 95 % interval of the F1 of the other less the own one.

    Parameters
    ----------
    own, other : array, shape (n, 3)
        Hits, false and missed spikes of two extractors in the same recordings.
    cells, seeds : array, shape (n,)
        To which cell and seed each recording belongs.

    Examples
    --------
    >>> one, two = np.array([[9.0, 1, 1]]), np.array([[10.0, 0, 0]])
    >>> [round(x, 6) for x in f1_difference(one, two, np.zeros(1), np.zeros(1))]
    [0.1, 0.1]
    """
    w = weights(cells, seeds)
    scores = []
    for hits, false, missed in ((w @ own).T, (w @ other).T):
        with np.errstate(invalid="ignore", divide="ignore"):
            scores.append(2 * hits / (2 * hits + false + missed))
    drawn = scores[1] - scores[0]
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def ratio_interval(
    part: np.ndarray, whole: np.ndarray, cells: np.ndarray, seeds: np.ndarray
) -> tuple[float, float, float]:
    """Give sum(part) / sum(whole) and its 95 % interval.

    Examples
    --------
    >>> ratio_interval(np.array([1.0, 2.0]), np.array([2.0, 4.0]), np.arange(2), np.zeros(2))
    (0.5, 0.5, 0.5)
    """
    if whole.sum() == 0:
        return float("nan"), float("nan"), float("nan")
    w = weights(cells, seeds)
    below = w @ whole
    drawn = (w @ part)[below > 0] / below[below > 0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(part.sum() / whole.sum()), float(low), float(high)

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
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    total = np.cumsum(weights(cells, seeds)[:, order], axis=1)
    total = total[total[:, -1] > 0]
    at = (total >= total[:, -1:] / 2).argmax(axis=1)
    if at.size == 0:
        return float(np.median(values)), float("nan"), float("nan")
    low, high = np.quantile(ranked[at], [0.025, 0.975])
    return float(np.median(values)), float(low), float(high)


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

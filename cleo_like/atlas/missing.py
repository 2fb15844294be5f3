"""Missing values, filled from the cells that are nearest in what is known."""

from __future__ import annotations

import numpy as np

from cleo_like.atlas.neighbours import MANY, some_of

_FEW_ROWS = 8
"""Rows with the same holes from which on a tree is quicker than all distances."""
_ENOUGH = 1000  # whole points that make those with holes dispensable
_SPARE = 8  # candidates beyond k, so that rounding in the tree cannot change the nearest k


def filled(
    points: np.ndarray, queries: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fill missing values of queries with the mean of their nearest points.

    Parameters
    ----------
    points, queries : ndarray
        (cells x dimensions), NaN where missing. The distance is that in the dimensions which
        both have, scaled up to all.
    k : int
        How many points with that value are averaged. Of very many points every n-th is asked.

    Returns
    -------
    values, was_missing, possible : ndarray
        Filled values, where they were filled, and which rows could be.
    """
    out = np.array(queries, dtype=float)
    missing = np.isnan(out)
    possible = ~missing.all(axis=1)
    holes = np.flatnonzero(missing.any(axis=1) & possible)
    if not holes.size:
        return out, missing, possible
    points = points[some_of(len(points), MANY)]
    patterns, which = np.unique(missing[holes], axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = holes[which.ravel() == number]
        known = np.flatnonzero(~pattern)
        for j in np.flatnonzero(pattern):
            some = _with(points, known, j)
            out[rows, j] = _means(some, queries[np.ix_(rows, known)], known, j, k)
            possible[rows] &= ~np.isnan(out[rows, j])
    return out, missing, possible


def _with(points: np.ndarray, known: np.ndarray, j: int) -> np.ndarray:
    """Points that have column `j`, and all known columns where enough of them do."""
    there = points[~np.isnan(points[:, j])]
    whole = ~np.isnan(there[:, known]).any(axis=1)
    return there[whole] if whole.sum() >= min(_ENOUGH, len(there) / 2) else there


def _means(
    points: np.ndarray, queries: np.ndarray, known: np.ndarray, j: int, k: int
) -> np.ndarray:
    """Mean of column `j` over the nearest points; NaN where no point shares a dimension."""
    out = np.full(len(queries), np.nan)
    if not len(points):
        return out
    candidates = _candidates(points[:, known], queries, k)
    for row, query in enumerate(queries):
        mine = None if candidates is None else candidates[row]
        some = points if mine is None else points[mine]
        distance = _distances(some[:, known], query)
        order = np.argsort(distance, kind="stable")[:k]
        near = order[np.isfinite(distance[order])]
        if near.size:
            out[row] = some[near, j].sum() / near.size
    return out


def _candidates(points: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray | None:
    """Rows of the points that may be among the nearest; None for all."""
    from scipy.spatial import cKDTree

    asked = k + _SPARE
    few = len(queries) < _FEW_ROWS or len(points) <= 2 * asked
    if few or np.isnan(points).any():
        return None
    _, index = cKDTree(points).query(queries, k=asked)
    return np.sort(index, axis=1)


def _distances(points: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Mean square difference in the dimensions that both have; infinite where none."""
    square, shared = np.zeros(len(points)), np.zeros(len(points))
    for k in range(points.shape[1]):
        there = ~np.isnan(points[:, k])
        square = square + np.where(
            there, (np.where(there, points[:, k], 0.0) - query[k]) ** 2, 0.0
        )
        shared = shared + there
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(shared > 0, square / shared, np.inf)

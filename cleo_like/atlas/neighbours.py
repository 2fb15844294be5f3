"""Exact nearest neighbours, the same for one cell as for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_DONOR = -1
NEIGHBOURS = 15
"""How many nearest cells are shown, averaged and filled from."""


def codes_of(texts: Sequence[str]) -> np.ndarray:
    """Give texts numbers; unknown ("") is -1, and never the same as another.

    Examples
    --------
    >>> codes_of(["a", "", "b", "a"])
    array([ 0, -1,  1,  0])
    """
    numbers = {text: k for k, text in enumerate(dict.fromkeys(t for t in texts if t))}
    return np.array([numbers.get(t, _NO_DONOR) for t in texts], dtype=int)


class Neighbours:
    """A set of points (cells x dimensions) that is asked for the nearest.

    Every query is answered by itself: the answer for a cell does not depend on the others
    it came with. Points that are equally far come in the order of the set.
    """

    def __init__(self, points: np.ndarray) -> None:
        from scipy.spatial import cKDTree

        self.points = np.ascontiguousarray(points, dtype=float)
        self._tree = cKDTree(self.points, leafsize=32)

    def __len__(self) -> int:
        """Count the points."""
        return len(self.points)

    def nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Give distances and indices (queries x k), nearest first."""
        k = min(k, len(self))
        asked = min(k + 1, len(self))  # one more, so that a tie at the edge is seen whole
        found = self._tree.query(queries, k=np.arange(1, asked + 1))
        distance, index = np.asarray(found[0]), np.asarray(found[1])
        order = np.lexsort((index, distance), axis=1)
        rows = np.arange(len(queries))[:, None]
        return distance[rows, order][:, :k], index[rows, order][:, :k]

    def nearest_others(
        self, rows: np.ndarray, k: int, groups: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give the nearest to points of the set, without themselves and their own group.

        Parameters
        ----------
        rows : ndarray of int
            Which points ask.
        k : int
            How many neighbours.
        groups : ndarray of int
            Group (donor) of every point; -1 belongs to no group.

        Returns
        -------
        distance, index : ndarray
            (rows x k); infinite and -1 where there are not enough.
        """
        largest = int(np.bincount(groups[groups >= 0]).max()) if (groups >= 0).any() else 1
        distance, index = self.nearest(self.points[rows], k + largest + 1)
        own = index == rows[:, None]
        own |= (groups[index] == groups[rows][:, None]) & (groups[rows][:, None] >= 0)
        distance = np.where(own, np.inf, distance)
        order = np.argsort(distance, axis=1, kind="stable")[:, :k]
        distance = np.take_along_axis(distance, order, axis=1)
        index = np.where(np.isinf(distance), -1, np.take_along_axis(index, order, axis=1))
        return distance, index


def row_means(values: np.ndarray) -> np.ndarray:
    """Mean of each row, added up in one order however many rows there are."""
    total = np.zeros(len(values))
    for k in range(values.shape[1]):
        total = total + values[:, k]
    return total / values.shape[1]


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
        How many points with that value are averaged.

    Returns
    -------
    values, was_missing, possible : ndarray
        Filled values, where they were filled, and which rows could be.
    """
    out = np.array(queries, dtype=float)
    missing = np.isnan(out)
    possible = ~missing.all(axis=1)
    there = ~np.isnan(points)
    zeroed = np.where(there, points, 0.0)
    for row in np.flatnonzero(missing.any(axis=1) & possible):
        known = np.flatnonzero(~missing[row])
        square, shared = np.zeros(len(points)), np.zeros(len(points))
        for j in known:
            square = square + np.where(there[:, j], (zeroed[:, j] - out[row, j]) ** 2, 0.0)
            shared = shared + there[:, j]
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.where(shared > 0, square / shared, np.inf)
        order = np.argsort(distance, kind="stable")
        for j in np.flatnonzero(missing[row]):
            near = order[there[order, j]][:k]
            if near.size == 0:
                possible[row] = False
                break
            out[row, j] = points[near, j].sum() / near.size
    return out, missing, possible

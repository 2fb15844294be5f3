"""Exact nearest neighbours, the same for one cell as for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_DONOR = -1
NEIGHBOURS = 15
"""How many nearest cells are shown, averaged and filled from."""
MANY = 20_000
"""Cells that stand for all of a large map: for densities, distributions and scores."""
_SPARE = 8  # asked for beyond k, for the point itself and some of its own group


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
        # turned to the axes of largest spread the tree cuts off more: half the time per query
        self._axes = np.linalg.eigh(self.points.T @ self.points)[1][:, ::-1]
        self._turned = times(self.points, self._axes)
        self._tree = cKDTree(self._turned, leafsize=16)

    def __len__(self) -> int:
        """Count the points."""
        return len(self.points)

    def nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Give distances and indices (queries x k), nearest first."""
        return self._nearest(times(np.asarray(queries, dtype=float), self._axes), k)

    def _nearest(self, turned: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        k = min(k, len(self))
        asked = min(k + 1, len(self))  # one more, so that a tie at the edge is seen whole
        found = self._tree.query(turned, k=np.arange(1, asked + 1))
        distance, index = np.asarray(found[0]), np.asarray(found[1])
        order = np.lexsort((index, distance), axis=1)
        rows = np.arange(len(turned))[:, None]
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
        distance, index = np.full((len(rows), k), np.inf), np.full((len(rows), k), -1)
        asking, asked = np.arange(len(rows)), k + _SPARE
        while asking.size:  # few have many of their own group near: those ask again
            asked = min(asked, len(self))
            near, who = self._nearest(self._turned[rows[asking]], asked)
            mine = groups[rows[asking]][:, None]
            own = (who == rows[asking][:, None]) | ((groups[who] == mine) & (mine >= 0))
            near = np.where(own, np.inf, near)
            order = np.argsort(near, axis=1, kind="stable")[:, :k]
            near, who = (np.take_along_axis(a, order, axis=1) for a in (near, who))
            enough = ((~own).sum(axis=1) >= k) | (asked == len(self))
            width = near.shape[1]
            distance[asking[enough], :width] = near[enough]
            index[asking[enough], :width] = np.where(np.isinf(near), -1, who)[enough]
            asking, asked = asking[~enough], 4 * asked
        return distance, index


def times(values: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Multiply rows with a matrix, added up in one order: a row alone gives the same bits."""
    out = np.zeros((len(values), matrix.shape[1]))
    for k in range(values.shape[1]):
        out = out + values[:, k : k + 1] * matrix[k]
    return out


def row_means(values: np.ndarray) -> np.ndarray:
    """Mean of each row, added up in one order however many rows there are."""
    total = np.zeros(len(values))
    for k in range(values.shape[1]):
        total = total + values[:, k]
    return total / values.shape[1]


def some_of(n: int, most: int) -> np.ndarray:
    """Choose rows of a large set, evenly spaced; all of a small one.

    Examples
    --------
    >>> some_of(3, 10), some_of(10, 3)
    (array([0, 1, 2]), array([0, 4, 9]))
    """
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(int)

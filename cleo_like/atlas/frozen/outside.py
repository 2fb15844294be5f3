"""Cells that belong nowhere: farther from all known cells than known cells are from each other.

The distance is measured where correlations between features are taken out (a cell with the
width of one kind and the resistance of another is strange though each value is common), and
relative to how far the nearest cells are from theirs (Breunig et al. 2000,
doi:10.1145/342009.335388), so that sparse kinds are not called strange.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.atlas.harmonise.scale import POOLED
from cleo_like.atlas.harmonise.transport import square_root
from cleo_like.atlas.neighbours import MANY, Neighbours, row_means, some_of, times

if TYPE_CHECKING:
    from collections.abc import Mapping

NEAREST = 10
LIMIT = 0.95
"""A cell is outside when so large a share of the known cells of its lab is less strange."""
LEAST = 40
"""Known cells from which on a lab has its own limit: fewer do not show a 95th percentile."""
_SPARE = 8  # nearest beyond `NEAREST` that are known of each, for those that are left out
_RIDGE = 0.05  # of a unit variance: a direction without spread is not to rule the distance


class Strangeness:
    """How strange cells are to a set of cells.

    Parameters
    ----------
    scaled : ndarray
        (cells x features) of the map. Of a large map every n-th cell stands for all: the
        density relative to that of the neighbours does not depend on how many there are.
    spacing : ndarray, optional
        How far each of these is from its nearest, where it was measured before.
    """

    def __init__(self, scaled: np.ndarray, spacing: np.ndarray | None = None) -> None:
        d = scaled.shape[1]
        covariance = np.cov(scaled, rowvar=False, bias=True).reshape(d, d)
        self._matrix = square_root(covariance + _RIDGE * np.eye(d), -0.5)
        self.rows = some_of(len(scaled), MANY)
        self._cells = Neighbours(times(scaled[self.rows], self._matrix))
        self.spacing = self._measured() if spacing is None else spacing

    def _measured(self) -> np.ndarray:
        everyone = np.arange(len(self._cells))
        nobody = np.full(len(everyone), -1)
        return _finite_means(*self._cells.nearest_others(everyone, NEAREST, nobody))

    def of(self, scaled: np.ndarray) -> np.ndarray:
        """Give the distance to the nearest cells over theirs to their nearest."""
        if not len(scaled):
            return np.zeros(0)
        distance, index = self._cells.nearest(times(scaled, self._matrix), NEAREST)
        return row_means(distance) / np.maximum(row_means(self.spacing[index]), 1e-9)

    def of_known(self, donors: np.ndarray) -> np.ndarray:
        """Give it for the cells `rows` themselves, as if they were new.

        Without its own donor a cell has no part in how dense its neighbours lie either: with
        it, known cells would look stranger than new ones of the same kind.
        """
        everyone, mine = np.arange(len(self._cells)), donors[self.rows]
        distance, index = self._cells.nearest_others(everyone, NEAREST, mine)
        near = self._spacing_without(everyone, index, mine)
        return _finite_means(distance, index) / np.maximum(_finite_means(near, index), 1e-9)

    def _spacing_without(
        self, cells: np.ndarray, index: np.ndarray, donors: np.ndarray
    ) -> np.ndarray:
        """Measure the spacing of neighbours as if the cell and its donor were not there."""
        nobody = np.full(len(donors), -1)
        far, who = self._cells.nearest_others(cells, NEAREST + _SPARE, nobody)
        far, who = far[index], who[index]  # cells x their nearest x these's nearest
        own = donors[:, None, None]
        left_out = (who == cells[:, None, None]) | ((donors[who] == own) & (own >= 0))
        left = ~left_out & (who >= 0)
        first = left & (np.cumsum(left, axis=2) <= NEAREST)
        total = np.where(first, far, 0.0).sum(axis=2)
        return np.where(index >= 0, total / np.maximum(first.sum(axis=2), 1), np.nan)


def _finite_means(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Mean of each row over the neighbours that are there."""
    known = index >= 0
    total = np.where(known, values, 0.0).sum(axis=1)
    return total / np.maximum(known.sum(axis=1), 1)


def percentiles(
    known: Mapping[str, np.ndarray], strangeness: np.ndarray, labs: list[str]
) -> np.ndarray:
    """Share of known cells that are less strange, by the lab of the cell."""
    out = np.zeros(len(strangeness))
    for k, (value, lab) in enumerate(zip(strangeness, labs, strict=True)):
        usual = known[lab if lab in known else POOLED]
        out[k] = np.searchsorted(usual, value, side="left") / max(len(usual), 1)
    return out

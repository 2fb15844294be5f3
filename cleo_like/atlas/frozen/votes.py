"""Kinds by the vote of the nearest cells: balanced, weighted by distance, calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.atlas.calibration import RARE
from cleo_like.atlas.neighbours import NEIGHBOURS

if TYPE_CHECKING:
    from cleo_like.atlas.frozen.model import Atlas
    from cleo_like.atlas.neighbours import Neighbours

MOST_VOTERS = 2 * NEIGHBOURS
"""Nearest cells that vote on a large map: between two labs (3,984 cells) 30 named best."""
_NEAREST = 1e-3  # spreads: nearer than measurements repeat counts as equally near


def voters(cells: int) -> int:
    """Tell how many nearest cells vote on a map of so many labelled cells.

    Half the root, between `NEIGHBOURS` and twice as many: denser maps bear more.

    Examples
    --------
    >>> voters(200), voters(2000), voters(100_000)
    (15, 22, 30)
    """
    return min(max(NEIGHBOURS, round(cells**0.5 / 2)), MOST_VOTERS)


def vote_shares(distance: np.ndarray, kinds: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Share of the vote of each kind.

    A neighbour votes with 1 / distance / size of its kind (at least `RARE`), so that a kind
    does not win by being common, nor by being so rare that one cell outvotes all others.

    Parameters
    ----------
    distance, kinds : ndarray
        (cells x voters): distance and kind of each neighbour (-1: none).
    count : ndarray
        Cells of each kind on the map.

    Returns
    -------
    ndarray
        (cells x kinds); rows sum to 1, NaN where nobody voted.
    """
    weight = 1.0 / np.maximum(distance, _NEAREST)
    size = np.maximum(count, RARE)
    shares = np.zeros((len(distance), count.size))
    for k in range(distance.shape[1]):
        for c in range(count.size):
            shares[:, c] = shares[:, c] + np.where(
                kinds[:, k] == c, weight[:, k] / size[c], 0.0
            )
    total = _row_sums(shares)
    with np.errstate(invalid="ignore", divide="ignore"):
        return shares / total[:, None]


def _row_sums(values: np.ndarray) -> np.ndarray:
    total = np.zeros(len(values))
    for k in range(values.shape[1]):
        total = total + values[:, k]
    return total


def shares_of(
    atlas: Atlas, space: np.ndarray, near: tuple[np.ndarray, np.ndarray] | None = None
) -> np.ndarray:
    """Give the probability of each kind for cells in the space of distances.

    `near` are their nearest cells, where these are known.
    """
    if not atlas.classes or not len(space):
        return np.zeros((len(space), len(atlas.classes)))
    cells, kinds = atlas.labelled
    k = voters(len(cells))
    if near is None or len(cells) < len(atlas) or near[0].shape[1] < min(k, len(cells)):
        near = cells.nearest(space, k)  # some cells have no kind, and no vote
    distance, index = near[0][:, :k], near[1][:, :k]
    count = np.bincount(kinds, minlength=len(atlas.classes))
    return atlas.calibration.apply(vote_shares(distance, kinds[index], count))


def left_out_shares(
    cells: Neighbours,
    kinds: np.ndarray,
    donors: np.ndarray,
    n_kinds: int,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Vote shares of cells of the map themselves (all, or `rows`), without their own donor."""
    rows = np.arange(len(cells)) if rows is None else rows
    distance, index = cells.nearest_others(rows, voters(len(cells)), donors)
    voted = np.where(index >= 0, kinds[index], -1)
    distance = np.where(index >= 0, distance, 1.0)
    return vote_shares(distance, voted, np.bincount(kinds, minlength=n_kinds))

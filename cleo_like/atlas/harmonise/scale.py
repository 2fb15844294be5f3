"""The scale of a lab: where its cells lie and how far they spread, feature by feature.

A lab's scale is estimated on cells of kinds that it shares with the reference where labels
tell them, else on all its cells; every scale says on which. Where the mix of kinds differs, the
reference is weighted to the mix of the lab before the two are compared (without that, a lab
that recorded only one kind would be stretched to the spread of all kinds).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.atlas.harmonise.transport import square_root, transport_matrix
from cleo_like.core.errors import unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = ("none", "robust", "transport")
CLIP = 4.0
"""Scaled values end at so many spreads: one broken value is not to rule a distance."""
FENCE = 8.0
"""Values farther than this many robust spreads from the median do not enter a scale: they are
wrong units or broken measurements, not biology."""
LEAST_CELLS = 20
"""A lab with fewer cells has no scale of its own: its error exceeds a fifth of a spread."""
POOLED = ""
"""Key of the common scale, and of what is usual in all labs together."""
_ROUNDS = 5  # of guessing the mix of kinds; it settles in two or three
_SMALL = 1e-9


@attrs.frozen(kw_only=True, eq=False)
class LabScale:
    """An affine map from transformed features to the common scale, and what it rests on.

    Parameters
    ----------
    centre : ndarray
        Subtracted first, in the transformed unit of each feature.
    matrix : ndarray
        (features x features), from differences to the common scale.
    offset : ndarray
        Added on the common scale.
    cells : int
        How many cells it was estimated on.
    basis : str
        On which, in words.
    """

    centre: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray
    cells: int
    basis: str

    def apply(self, transformed: np.ndarray) -> np.ndarray:
        """Scale cells (cells x features); NaN stays NaN, values are limited to `CLIP`.

        Sums run in one order, so that a cell alone gives the same bits as in a batch.
        """
        from_centre = transformed - self.centre
        diagonal = np.diag(self.matrix)
        if np.array_equal(self.matrix, np.diag(diagonal)):
            out = from_centre * diagonal
        else:  # a missing value stands at the centre for the others, and stays missing
            known = np.where(np.isnan(from_centre), 0.0, from_centre)
            out = np.zeros_like(known)
            for k in range(known.shape[1]):
                out = out + known[:, k : k + 1] * self.matrix[k]
            out = np.where(np.isnan(from_centre), np.nan, out)
        return np.clip(out + self.offset, -CLIP, CLIP)


def moments(
    values: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and SD of each feature, without values beyond `FENCE`, weighted.

    Returns
    -------
    mean, spread : ndarray
        A feature without spread (or without values) has spread 1.
    """
    w = np.ones(len(values)) if weights is None else weights
    x = fenced(values)
    w2 = np.where(np.isnan(x), 0.0, w[:, None])
    total = w2.sum(axis=0)
    total = np.where(total > 0, total, 1.0)
    filled = np.where(np.isnan(x), 0.0, x)
    mean = (w2 * filled).sum(axis=0) / total
    spread = np.sqrt((w2 * (filled - mean) ** 2).sum(axis=0) / total)
    return mean, np.where(spread > _SMALL * (1 + np.abs(mean)), spread, 1.0)


def fenced(values: np.ndarray) -> np.ndarray:
    """Take values beyond `FENCE` robust spreads of the median as missing."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns without any value
        low, middle, high = np.nanpercentile(values, [25, 50, 75], axis=0)
    spread = (high - low) / 1.349
    limit = np.where(spread > 0, FENCE * spread, np.inf)
    return np.where(np.abs(values - middle) > limit, np.nan, values)


def pooled(values: np.ndarray, method: str, basis: str) -> LabScale:
    """Scale all cells together: the reference on which labs are brought."""
    n, d = values.shape
    if method not in METHODS:
        raise unknown_name("way to harmonise", method, METHODS)
    mean, spread = moments(values)
    return LabScale(
        centre=mean, matrix=np.diag(1 / spread), offset=np.zeros(d), cells=n, basis=basis
    )


def own_scale(values: np.ndarray, reference: np.ndarray, method: str, basis: str) -> LabScale:
    """Scale a lab by its own cells.

    Parameters
    ----------
    values : ndarray
        Transformed features of the lab's cells.
    reference : ndarray
        Scaled cells of the reference, for "transport".
    method : str
        "robust": every feature to mean 0 and spread 1; "transport": the closed-form linear
        map that carries mean and covariance to those of the reference.
    basis : str
        On which cells, in words.
    """
    mean, spread = moments(values)
    d = values.shape[1]
    scale = LabScale(
        centre=mean, matrix=np.diag(1 / spread), offset=np.zeros(d), cells=len(values),
        basis=basis,
    )  # fmt: skip
    return scale if method == "robust" else _transported(scale, values, reference, None)


def _transported(
    scale: LabScale, values: np.ndarray, reference: np.ndarray, weights: np.ndarray | None
) -> LabScale:
    """Follow a per-feature scale by the linear transport to the reference."""
    z = np.nan_to_num(scale.apply(values))
    matrix, shift, mean = transport_matrix(z, np.nan_to_num(reference), weights)
    total = scale.matrix @ matrix
    return attrs.evolve(scale, matrix=total, offset=shift + (scale.offset - mean) @ matrix)


def matched_scale(
    values: np.ndarray,
    reference: np.ndarray,
    labels: np.ndarray,
    vote: Callable[[np.ndarray], np.ndarray],
    *,
    method: str,
    basis: str,
) -> LabScale:
    """Scale a lab whose mix of kinds is not that of the reference.

    The kinds of its cells are guessed by vote, the reference is weighted to their mix, and
    the lab is brought onto the weighted reference; until the guess stays.

    Parameters
    ----------
    values : ndarray
        Transformed features of the lab's cells.
    reference : ndarray
        Scaled cells of the reference (no NaN).
    labels : ndarray of int
        Kind of each reference cell; -1 unknown.
    vote : callable
        scaled cells -> kind of each.
    method, basis : str
        As for `own_scale`.
    """
    labelled = reference[labels >= 0]
    kinds = labels[labels >= 0]
    count = np.bincount(kinds)
    mean, spread = moments(values)
    weights = np.ones(len(kinds))
    before = np.full(len(values), -1)
    scale = _onto(values, mean, spread, labelled, weights, method=method, basis=basis)
    for _ in range(_ROUNDS):
        guessed = vote(scale.apply(values))
        if np.array_equal(guessed, before):
            break
        before = guessed
        share = np.maximum(np.bincount(guessed, minlength=count.size) / len(guessed), 0.01)
        weights = (share / np.maximum(count, 1))[kinds] * len(kinds)
        scale = _onto(values, mean, spread, labelled, weights, method=method, basis=basis)
    return scale


def _onto(
    values: np.ndarray,
    mean: np.ndarray,
    spread: np.ndarray,
    reference: np.ndarray,
    weights: np.ndarray,
    *,
    method: str,
    basis: str,
) -> LabScale:
    """Bring mean and spread of a lab onto those of the weighted reference."""
    target, width = moments(reference, weights)
    scale = LabScale(
        centre=mean, matrix=np.diag(width / spread), offset=target, cells=len(values),
        basis=basis,
    )  # fmt: skip
    return scale if method == "robust" else _transported(scale, values, reference, weights)


__all__ = [
    "CLIP", "LEAST_CELLS", "METHODS", "LabScale", "matched_scale", "moments", "own_scale",
    "pooled", "square_root",
]  # fmt: skip

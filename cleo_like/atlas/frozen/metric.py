"""A supervised metric: directions in which known kinds of cells lie apart."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from cleo_like.core.errors import InputError, UnsupportedError

_PER_KIND = 200
"""Cells of each kind that are learnt from: equal counts, so that no kind rules the metric, and
few, because the cost grows with their square."""
_ITERATIONS = 50
_FEWEST = 3


def supervised_metric(points: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Learn a linear metric by neighbourhood components analysis.

    Goldberger et al. 2004 (NIPS 17), as scikit-learn has it, started at the identity.

    Parameters
    ----------
    points : ndarray
        (cells x features) on the common scale.
    labels : ndarray of int
        Kind of each; -1 unknown (left out).
    seed : int
        Which cells of large kinds are learnt from.

    Returns
    -------
    ndarray
        (features x features): multiply rows with it.

    Raises
    ------
    InputError
        Fewer than two kinds with three cells.
    UnsupportedError
        scikit-learn is not installed.
    """
    kinds = [c for c in np.unique(labels) if c >= 0 and (labels == c).sum() >= _FEWEST]
    if len(kinds) < 2:
        msg = 'metric="supervised" needs labels: at least two kinds with three cells each'
        raise InputError(msg)
    rng = np.random.default_rng(seed)
    rows = np.concatenate([_some(np.flatnonzero(labels == c), rng) for c in kinds])
    model = _nca()(
        n_components=points.shape[1], init="identity", max_iter=_ITERATIONS, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged after so many rounds: that is meant
        model.fit(points[rows], labels[rows])
    matrix = np.asarray(model.components_, dtype=float).T
    # one spread stays one spread, so that distances of two metrics can be compared
    return matrix * np.sqrt(points.shape[1] / np.sum(matrix**2))


def _some(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.permutation(rows)[:_PER_KIND])


def _nca() -> Any:
    try:
        from sklearn.neighbors import NeighborhoodComponentsAnalysis
    except ImportError as error:
        msg = 'metric="supervised" needs scikit-learn: pip install "cleo_like[atlas]"'
        raise UnsupportedError(msg) from error
    return NeighborhoodComponentsAnalysis

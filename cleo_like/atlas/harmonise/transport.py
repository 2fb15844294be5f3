"""Linear (Gaussian) optimal transport in closed form."""

from __future__ import annotations

import numpy as np

_RIDGE = 0.05  # of a unit variance: directions that a small lab hardly shows are left alone


def square_root(matrix: np.ndarray, power: float = 0.5) -> np.ndarray:
    """Give a power of a symmetric positive matrix.

    Examples
    --------
    >>> square_root(np.diag([4.0, 9.0]))
    array([[2., 0.],
           [0., 3.]])
    """
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 1e-12) ** power) @ vectors.T


def transport_matrix(
    source: np.ndarray,
    target: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    ridge: float = _RIDGE,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the linear map that carries one normal distribution onto another at least cost.

    A = S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2 for covariances S and T (Knott & Smith 1984,
    doi:10.1007/BF00934745); x goes to (x - mean of source) A + mean of target.

    Parameters
    ----------
    source, target : ndarray
        (cells x features) without NaN.
    weights : ndarray, optional
        Weights of the target cells.
    ridge : float
        Added to both variances.

    Returns
    -------
    matrix, target_mean, source_mean : ndarray
    """
    d = source.shape[1]
    w = np.ones(len(target)) if weights is None else weights
    s = np.cov(source, rowvar=False, bias=True).reshape(d, d) + ridge * np.eye(d)
    t = np.cov(target, rowvar=False, aweights=w, bias=True).reshape(d, d) + ridge * np.eye(d)
    root, inverse = square_root(s), square_root(s, -0.5)
    matrix = inverse @ square_root(root @ t @ root) @ inverse
    mean = (w[:, None] * target).sum(axis=0) / w.sum()
    return matrix, mean, source.mean(axis=0)

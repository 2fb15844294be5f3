"""Normal equations: solved, inverted, and what correlation and leverage do to their errors."""

from __future__ import annotations

import numpy as np

_MOST_LEVERAGE = 0.95  # of one sweep: there is no more to be learnt from its residual
_CORRELATED = 0.05
_LAGS = 40


def unshrunk(scores: np.ndarray, parts: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Scores of the sweeps as if none had drawn the fit to itself.

    A sweep that decides much of the fit has small residuals for that; they are enlarged so that
    the covariance of the sweeps is not biased (CR2 of Bell & McCaffrey 2002, Survey Methodology
    28:169).
    """
    values, vectors = np.linalg.eigh(whole / np.multiply.outer(*2 * [np.sqrt(np.diag(whole))]))
    scale = np.sqrt(np.diag(whole))
    keep = values > 1e-12 * values.max()
    root = vectors[:, keep] / np.sqrt(values[keep]) / scale[:, None]  # whole^-1 = root root'
    leverage, axes = np.linalg.eigh(root.T @ parts @ root)
    factor = 1 / np.sqrt(1 - np.clip(leverage, 0.0, _MOST_LEVERAGE))
    in_axes = factor[:, :, None] * (axes.swapaxes(1, 2) @ (scores.T @ root)[:, :, None])
    grown = (axes @ in_axes)[:, :, 0]
    return whole @ root @ grown.T


def inverse_of(x: np.ndarray) -> np.ndarray:
    """Invert a matrix; where it is singular, the pseudoinverse."""
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return np.linalg.pinv(x, hermitian=True)


def solved(normal: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve scaled normal equations; where they are singular, the shortest answer."""
    from scipy.linalg.lapack import dgesv

    scale = np.sqrt(np.maximum(normal.diagonal(), 1e-300))
    scaled = normal / (scale * scale[:, None])
    scale = scale[:, None] if right.ndim == 2 else scale
    # LAPACK itself: numpy.linalg.solve takes ten times as long around a system this small
    _, _, found, singular = dgesv(scaled, right / scale)
    if singular:
        found = np.linalg.lstsq(scaled, right / scale, rcond=None)[0]
    return found / scale


def inflation(residual: np.ndarray) -> float:
    """By how much correlation lessens the number of independent bins: 1 + 2 sum of rho."""
    power = float((residual**2).sum())
    if power == 0:
        return 1.0
    total = 0.0
    for lag in range(1, min(_LAGS, residual.shape[1])):
        rho = float((residual[:, lag:] * residual[:, :-lag]).sum()) / power
        if rho < _CORRELATED:
            break
        total += rho
    return 1 + 2 * total

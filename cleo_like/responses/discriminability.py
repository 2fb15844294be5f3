"""d': how far two kinds of responses, or two rates, lie apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleo_like.core.errors import InputError


def dprime(
    hit_rate: Any, fa_rate: Any, *, n_go: int | None = None, n_catch: int | None = None
) -> np.ndarray | float:
    """Compute d' of detection: z(hit rate) - z(false-alarm rate).

    Parameters
    ----------
    hit_rate, fa_rate : float or array
        Between 0 and 1.
    n_go, n_catch : int, optional
        Number of trials behind each rate. With them, rates keep half a trial away from 0 and
        1; without, a rate of 0 or 1 gives an infinite d'.

    Returns
    -------
    float or array
        In SD.

    Raises
    ------
    InputError
        A rate outside 0 to 1.

    Examples
    --------
    >>> round(float(dprime(0.9, 0.2)), 3), float(dprime(1.0, 0.2))
    (2.123, inf)
    >>> round(float(dprime(1.0, 0.0, n_go=50, n_catch=20)), 3)
    4.286
    """
    from scipy.special import ndtri

    hit, alarm = np.asarray(hit_rate, dtype=float), np.asarray(fa_rate, dtype=float)
    for name, rate in (("hit_rate", hit), ("fa_rate", alarm)):
        if ((rate < 0) | (rate > 1)).any():
            msg = f"{name} must lie between 0 and 1, got {rate}"
            raise InputError(msg)
    return ndtri(_away(hit, n_go)) - ndtri(_away(alarm, n_catch))


def _away(rate: np.ndarray, trials: int | None) -> np.ndarray:
    """Keep a rate half a trial away from 0 and 1 (Macmillan & Kaplan 1985)."""
    return rate if trials is None else rate.clip(0.5 / trials, 1 - 0.5 / trials)


def response_dprime(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Compute d' between two kinds of responses of each cell.

    Parameters
    ----------
    first, second : array, shape (n_cells, n_events)
        Mean responses; NaN is left out.

    Returns
    -------
    array, shape (n_cells,)
        Difference of the means over the root of the mean variance; NaN with fewer than two
        events of a kind, or without any variance.

    Raises
    ------
    InputError
        Different numbers of cells.

    Examples
    --------
    >>> response_dprime(np.array([[2.0, 3, 4]]), np.array([[0.0, 1, 2]]))
    array([2.])
    """
    a, b = np.atleast_2d(first), np.atleast_2d(second)
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b):
        msg = (
            f"expected one row for each cell, got shapes {np.shape(first)}, {np.shape(second)}"
        )
        raise InputError(msg)
    (mean_a, var_a), (mean_b, var_b) = map(_moments, (a, b))
    spread = np.sqrt((var_a + var_b) / 2)
    found = np.full(len(a), np.nan)
    np.divide(mean_a - mean_b, spread, out=found, where=spread > 0)
    return found


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen = np.isfinite(x)
    n = seen.sum(axis=1)
    mean = np.where(seen, x, 0.0).sum(axis=1) / np.maximum(n, 1)
    squares = np.where(seen, (x - mean[:, None]) ** 2, 0.0).sum(axis=1)
    enough = n > 1
    return mean, np.where(enough, squares / np.maximum(n - 1, 1), np.nan)


def dprime_matrix(responses: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute d' of each cell between all pairs of labels.

    Parameters
    ----------
    responses : array, shape (n_cells, n_events)
        Mean responses.
    labels : array, shape (n_events,)
        What was shown, ``image_name`` for example.

    Returns
    -------
    matrix : array, shape (n_cells, n_labels, n_labels)
        First minus second.
    kinds : array, shape (n_labels,)
        The labels, sorted.
    """
    x, names = np.atleast_2d(responses), np.asarray(labels)
    if names.shape != x.shape[1:]:
        msg = f"expected one label for each of {x.shape[1]} events, got shape {names.shape}"
        raise InputError(msg)
    kinds = np.unique(names)
    groups = [x[:, names == kind] for kind in kinds]
    rows = [[response_dprime(a, b) for b in groups] for a in groups]
    return np.moveaxis(np.array(rows), 2, 0), kinds

"""Slow noise: gain of a population, neuropil, motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.imaging.calibrated.population.noise import stationary

if TYPE_CHECKING:
    from jaxtyping import Float


def slow_noise(
    shape: tuple[int, ...], step: float, tau: float, rng: np.random.Generator
) -> Float[np.ndarray, "..."]:
    """Draw noise of variance 1 whose correlation falls with a time constant.

    Parameters
    ----------
    shape : tuple of int
        The last axis is time.
    step, tau : float
        Length of a step, and the time constant, in one unit.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    array
        From the steady state on: the first sample has variance 1 too.

    Examples
    --------
    >>> x = slow_noise((100_000,), 1.0, 10.0, np.random.default_rng(0))
    >>> round(float(x.std()), 1), round(float(np.corrcoef(x[10:], x[:-10])[0, 1]), 1)
    (1.0, 0.4)
    """
    keep = np.full(shape[-1], np.exp(-step / tau))
    return stationary(rng.standard_normal(shape), keep)

"""One exponential and an offset fitted to many sweeps at once, without a start value."""

from __future__ import annotations

import attrs
import numpy as np

_GRID, _FINE = 60, 21


@attrs.frozen(eq=False)
class Fit:
    """``offset + amplitude * exp(-t / tau)`` for each sweep, t from the first sample.

    `misfit` is the largest mean of the residuals over an eighth of the stretch, relative to
    the amplitude: what is not exponential shows there, noise averages out.
    """

    tau: np.ndarray
    amplitude: np.ndarray
    offset: np.ndarray
    misfit: np.ndarray


def fit_exponential(y: np.ndarray, dt: float) -> Fit:
    """Fit sweeps, shape (n_sweeps, n_samples): least squares over all tau.

    For given tau the best amplitude and offset are known in closed form, so that only tau is
    searched, on grids that become finer.
    """
    n = y.shape[1]
    t = np.arange(n) * dt
    low, high = np.log(2 * dt), np.log(2 * n * dt)
    taus = np.broadcast_to(np.linspace(low, high, _GRID), (len(y), _GRID))
    width = (high - low) / (_GRID - 1)
    centred = y - y.mean(axis=1, keepdims=True)
    for _ in range(4):
        shape = np.exp(-t / np.exp(taus)[..., np.newaxis])
        shape -= shape.mean(axis=2, keepdims=True)
        power = np.einsum("ktn,ktn->kt", shape, shape)
        explained = np.einsum("ktn,kn->kt", shape, centred) ** 2 / np.maximum(power, 1e-300)
        best = np.take_along_axis(taus, explained.argmax(axis=1)[:, np.newaxis], axis=1)
        taus = best + np.linspace(-width, width, _FINE)
        width *= 2 / (_FINE - 1)
    tau = np.exp(best[:, 0])
    shape = np.exp(-t / tau[:, np.newaxis])
    mean = shape.mean(axis=1)
    flat = shape - mean[:, np.newaxis]
    amplitude = (flat * centred).sum(axis=1) / (flat**2).sum(axis=1)
    offset = y.mean(axis=1) - amplitude * mean
    rest = y - offset[:, np.newaxis] - amplitude[:, np.newaxis] * shape
    parts = np.stack([part.mean(axis=1) for part in np.array_split(rest, 8, axis=1)])
    with np.errstate(divide="ignore", invalid="ignore"):
        misfit = np.abs(parts).max(axis=0) / np.abs(amplitude)
    return Fit(tau, amplitude, offset, misfit)

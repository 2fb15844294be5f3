"""The fast trough from local parabolas: deconvolution would make it noisy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.features.spikes.resampling.windows import Grid

_HALF_WIDTHS = (0.15e-3, 0.3e-3, 0.5e-3, 0.8e-3, 1.2e-3)  # s
_NOISE = 0.005  # of the downstroke: noise of the slope that is allowed
_TERMINAL = 0.01  # of the downstroke: there the trough begins


@attrs.frozen(kw_only=True, eq=False)
class Parabola:
    """Responses of the value and of the slope (V/s) of a local parabola."""

    value: np.ndarray
    slope: np.ndarray


def parabola(noise: np.ndarray, grid: Grid, downstroke: float) -> Parabola:
    """Choose the narrowest parabola whose slope is quiet enough.

    Parameters
    ----------
    noise : array, shape (n_frequencies,)
        Power (mV2 per sample).
    grid : Grid
        Of the windows.
    downstroke : float
        V/s, typical.
    """
    found = _responses(grid, _HALF_WIDTHS[0])
    for half in _HALF_WIDTHS:
        found = _responses(grid, half)
        spread = np.sqrt(mean_power(noise * np.abs(found.slope) ** 2))
        if spread <= _NOISE * abs(downstroke):
            break
    return found


def mean_power(power: np.ndarray) -> float:
    """Variance of noise whose (one-sided) power by frequency is given."""
    return float((power[0] + power[-1] + 2 * power[1:-1].sum()) / (2 * (power.size - 1)))


def _responses(grid: Grid, half_width: float) -> Parabola:
    from scipy.fft import rfft

    half = max(2, round(half_width * grid.rate))
    k = np.arange(-half, half + 1.0)
    m2, m4, n = (k**2).sum(), (k**4).sum(), k.size
    weights = np.zeros((2, grid.padded))
    at = np.arange(-half, half + 1)
    weights[0, at] = (m4 - m2 * k**2) / (n * m4 - m2**2)
    weights[1, at] = k / m2 * 1e-3 * grid.rate
    value, slope = np.conj(rfft(weights, axis=1))
    return Parabola(value=value, slope=slope)


def troughs(
    spikes: np.ndarray,
    shape: Parabola,
    grid: Grid,
    *,
    stop: np.ndarray,
    downstroke: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Find where the fall has all but ended.

    Parameters
    ----------
    spikes : array of complex, shape (n, n_frequencies)
        Fourier transforms of the windows.
    shape : Parabola
        Of `parabola`.
    grid : Grid
        Of the windows.
    stop : array of int, shape (n,)
        First sample of the window that does not belong to the spike.
    downstroke : array, shape (n,)
        V/s.

    Returns
    -------
    tuple of two arrays, shape (n,)
        Potential (mV above the window's level) and time (s from the peak's sample on); NaN
        where it is not in the window.
    """
    from scipy.fft import irfft

    n, rows = grid.size, np.arange(len(spikes))
    slope = irfft(spikes * shape.slope, grid.padded, axis=1)[:, :n]
    value = irfft(spikes * shape.value, grid.padded, axis=1)[:, :n]
    sample = np.arange(n)
    inside = (sample >= grid.before) & (sample < stop[:, None])
    steepest = np.where(inside, slope, np.inf).argmin(axis=1)
    level = _TERMINAL * downstroke
    ended = (slope >= level[:, None]) & (sample > steepest[:, None]) & inside
    k = np.maximum(ended.argmax(axis=1), 1)
    a, b = slope[rows, k - 1], slope[rows, k]
    part = np.clip((level - a) / np.where(b == a, np.inf, b - a), 0, 1)
    found = value[rows, k - 1] + part * (value[rows, k] - value[rows, k - 1])
    there = ended.any(axis=1)
    time = (k - 1 + part - grid.before) / grid.rate
    return np.where(there, found, np.nan), np.where(there, time, np.nan)

"""Spectra of the noise and of the spikes of a cell, and what they let one see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.features.lowpass import Lowpass
    from cleo_like.features.spikes.resampling.windows import Grid

_SMOOTH, _SMOOTH_NOISE = 5, 9  # frequencies whose logarithms are averaged
_SLOW = 1e3  # Hz: below, the spikes are always above the noise
_LARGEST = 8.0  # by which the filter's inverse may amplify
_NYQUIST_SHARE = 0.4  # of the sampling rate: beyond, the converter's filter and aliases
_BEYOND = 8  # times the frequencies of the samples: where the extrapolation ends
_LEAST = 3  # frequencies for a straight line


@attrs.frozen(kw_only=True, eq=False)
class Spectra:
    """Power (mV2 per sample) by frequency.

    Parameters
    ----------
    f : array, shape (n,)
        Hz.
    noise, signal : array, shape (n,)
        Of a sample of noise, and of a spike without noise.
    top : int
        First frequency at which the spikes do not stand out of the noise.
    undo : array of complex, shape (n,)
        Inverse of the declared filter, bounded; 1 without one.
    amplified : float
        Frequency (Hz) from which the bound holds.
    count : int
        Spikes.
    response : array of complex, shape (n,)
        The declared filter.
    delay : float
        Its delay (s).
    """

    f: np.ndarray
    noise: np.ndarray
    signal: np.ndarray
    top: int
    undo: np.ndarray
    amplified: float
    count: int
    response: np.ndarray
    delay: float

    @property
    def wiener(self) -> np.ndarray:
        """Gain for a single spike."""
        return self.signal / (self.signal + self.noise)

    @property
    def wiener_of_mean(self) -> np.ndarray:
        """Gain for the mean spike."""
        return self.signal / (self.signal + self.noise / self.count)

    @property
    def bandwidth(self) -> float:
        """Highest frequency (Hz) that can be trusted."""
        rate = 2 * self.f[-1]
        return float(min(self.f[self.top], self.amplified, _NYQUIST_SHARE * rate))


def converter_step(x: np.ndarray) -> float:
    """Smallest change (mV) between samples; 0 where nothing changes."""
    change = np.abs(np.diff(x, axis=1))
    least = change[change > 1e-9].min(initial=np.inf)
    return float(least) if np.isfinite(least) else 0.0


def spectra_of(
    spikes: np.ndarray, x: np.ndarray, quiet: np.ndarray, grid: Grid, filtered: Lowpass | None
) -> Spectra:
    """Measure the spectra of a cell.

    Parameters
    ----------
    spikes : array of complex, shape (n_spikes, n)
        Fourier transforms of the windows.
    x : array, shape (n_spikes, size)
        The windows.
    quiet : array, shape (n_stretches, size)
        Stretches without a spike.
    grid : Grid
        Of the windows.
    filtered : Lowpass, optional
        The declared filter.
    """
    from scipy.fft import rfft

    f, count = grid.frequencies, len(spikes)
    window = np.hanning(grid.size)
    power = np.abs(rfft(quiet * window, grid.padded, axis=1)) ** 2 / (window @ window)
    noise = _smooth(np.median(power, axis=0) / np.log(2), _SMOOTH_NOISE)
    noise += converter_step(x) ** 2 / 12 + 1e-12
    total = _smooth((np.abs(spikes) ** 2).mean(axis=0) / grid.size, _SMOOTH)
    hidden = (total < (1 + 2 / np.sqrt(count)) * noise) & (f > _SLOW)
    top = int(hidden.argmax()) if hidden.any() else f.size - 1
    signal = np.maximum(total - noise, 1e-12 * total)
    if hidden.any():
        decay, start = _line(f, signal, f[top] / 2, f[top])
        signal[top:] = np.exp(start + decay * f[top:])
    response = np.ones(f.size, dtype=complex) if filtered is None else filtered.response(f)
    gain = 1 / np.abs(response)
    large = gain > _LARGEST
    return Spectra(
        f=f, noise=noise, signal=signal, top=top, count=count, response=response,
        undo=np.minimum(gain, _LARGEST) / (response * gain),
        amplified=float(f[large.argmax()]) if large.any() else np.inf,
        delay=0.0 if filtered is None else filtered.delay,
    )  # fmt: skip


def _smooth(power: np.ndarray, width: int) -> np.ndarray:
    from scipy.ndimage import uniform_filter1d

    return np.exp(uniform_filter1d(np.log(np.maximum(power, 1e-30)), width, mode="nearest"))


def _line(f: np.ndarray, power: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Fit log power on frequency; it never rises."""
    b = max(int(np.searchsorted(f, high)), _LEAST + 1)
    a = min(int(np.searchsorted(f, low)), b - _LEAST)
    x, y = f[a:b], np.log(power[a:b])
    slope = min(float(np.polyfit(x, y, 1)[0]), -1e-6)
    return slope, float(y.mean() - slope * x.mean())


def lost(spectra: Spectra, grid: Grid, upstroke: float) -> float:
    """Estimate the share of the mean spike's upstroke that lies beyond what can be seen.

    The amplitude of the spikes falls exponentially with frequency; what the Wiener filter
    and the sampling leave out of it, in phase at the upstroke, is missing there.
    """
    f = spectra.f
    seen = np.sqrt(spectra.signal * grid.size)
    true = seen / np.abs(spectra.response)
    slope, start = _line(f, true, spectra.bandwidth / 2, spectra.bandwidth)
    beyond = np.arange(_BEYOND * f.size) * f[1]
    expected = np.exp(start + slope * beyond)
    inside = beyond[: f.size] <= spectra.bandwidth
    expected[: f.size][inside] = true[inside]
    kept = np.zeros(beyond.size)
    kept[: f.size] = seen * spectra.wiener_of_mean * np.abs(spectra.undo)
    missing = float((beyond * (expected - kept)).sum())
    return 2 * np.pi * 2 / grid.padded * 1e-3 * missing / upstroke

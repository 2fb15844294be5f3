"""Noise currents as shapes: white and Ornstein-Uhlenbeck, both reproducible by a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.units import si
from cleo_like.stimuli.waveforms.shape import Shape, length_of

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity


def white_noise(
    sd: Quantity,
    duration: Quantity,
    *,
    seed: int | np.random.Generator,
    bandwidth: Quantity | None = None,
    mean: Quantity = "0 pA",
) -> Shape:
    """Gaussian noise with a flat spectrum up to a bandwidth.

    Parameters
    ----------
    sd : quantity or str
        Standard deviation of the current, all frequencies together.
    duration : quantity or str
        Length.
    seed : int or Generator
        Seed; a Generator is asked once for one, which is kept in `parameters`.
    bandwidth : quantity or str, optional
        Highest frequency; nothing above it. None is half the sampling rate, which makes
        every sample independent.
    mean : quantity or str
        Mean current.

    Returns
    -------
    Shape
        The same samples each time it is drawn at one rate.

    Examples
    --------
    >>> quiet = white_noise("5 pA", "10 s", seed=1, bandwidth="500 Hz").samples("10 kHz")
    >>> round(float(quiet.std()) * 1e12)
    5
    """
    spread, length, level = _spread(sd), length_of(duration), si(mean, "A", "mean")
    band = None if bandwidth is None else si(bandwidth, "Hz", "bandwidth")
    number = _seed(seed)

    def draw(time: np.ndarray, rate: float) -> np.ndarray:
        sample = np.random.default_rng(number).standard_normal(time.size)
        return level + spread * (sample if band is None else _limit(sample, band, rate))

    return Shape(
        name="white noise",
        duration=length,
        draw=draw,
        parameters={
            "sd": spread, "duration": length, "bandwidth": band, "mean": level, "seed": number,
        },
    )  # fmt: skip


def ou_noise(
    sd: Quantity,
    tau: Quantity,
    duration: Quantity,
    *,
    seed: int | np.random.Generator,
    mean: Quantity = "0 pA",
) -> Shape:
    """Ornstein-Uhlenbeck noise: Gaussian, exponential autocorrelation, stationary from t = 0.

    The update is exact for any step: x[k+1] = a x[k] + sd sqrt(1 - a^2) xi,
    a = exp(-dt / tau), and x[0] is drawn from the stationary distribution.

    Parameters
    ----------
    sd : quantity or str
        Stationary standard deviation.
    tau : quantity or str
        Correlation time.
    duration : quantity or str
        Length.
    seed : int or Generator
        Seed; a Generator is asked once for one, which is kept in `parameters`.
    mean : quantity or str
        Mean current.

    Notes
    -----
    Source: Gillespie 1996, Phys Rev E 54:2084 (exact simulation); Destexhe, Rudolph,
    Fellous & Sejnowski 2001, Neuroscience 107:13 (as synaptic background).

    Examples
    --------
    >>> noise = ou_noise("20 pA", "3 ms", "2 s", seed=7)
    >>> bool((noise.samples("10 kHz") == noise.samples("10 kHz")).all())
    True
    """
    spread, length, level = _spread(sd), length_of(duration), si(mean, "A", "mean")
    time_constant, number = si(tau, "s", "tau"), _seed(seed)
    if time_constant <= 0:
        msg = f"tau must be above 0 s, got {time_constant:g} s; use white_noise for none"
        raise InputError(msg)

    def draw(time: np.ndarray, rate: float) -> np.ndarray:
        from scipy.signal import lfilter

        decay = np.exp(-1.0 / (rate * time_constant))
        drive = np.random.default_rng(number).standard_normal(time.size)
        drive[1:] *= np.sqrt(-np.expm1(-2.0 / (rate * time_constant)))  # sqrt(1 - decay^2)
        return level + spread * lfilter([1.0], [1.0, -decay], drive)

    return Shape(
        name="OU noise",
        duration=length,
        draw=draw,
        parameters={
            "sd": spread, "tau": time_constant, "duration": length, "mean": level,
            "seed": number,
        },
    )  # fmt: skip


def _limit(sample: np.ndarray, band: float, rate: float) -> np.ndarray:
    """Keep the frequencies up to `band` of white samples, and their expected variance 1."""
    if not 0 < band <= rate / 2:
        msg = f"bandwidth must be above 0 and at most {rate / 2:g} Hz (rate/2), got {band:g} Hz"
        raise InputError(msg)
    spectrum = np.fft.rfft(sample)
    kept = np.fft.rfftfreq(sample.size, 1 / rate) <= band
    weight = np.full(spectrum.size, 2.0)  # a bin stands for +f and -f ...
    weight[0] = 1.0
    if sample.size % 2 == 0:
        weight[-1] = 1.0  # ... but 0 and the Nyquist frequency only once
    share = weight[kept].sum() / sample.size
    return np.fft.irfft(np.where(kept, spectrum, 0), sample.size) / np.sqrt(share)


def _spread(sd: Quantity) -> float:
    spread = si(sd, "A", "sd")
    if spread < 0:
        msg = f"sd must be 0 A or more, got {spread:g} A"
        raise InputError(msg)
    return spread


def _seed(seed: int | np.random.Generator) -> int:
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**53))  # exact in JSON's numbers
    return whole_number("seed", 0)(seed)

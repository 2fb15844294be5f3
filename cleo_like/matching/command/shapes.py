"""What a command that is not made of plateaus looks like: ramp, sine, chirp, noise."""

from __future__ import annotations

import attrs
import numpy as np

from cleo_like.matching.command.noise import rough_sd, runs, white_sd
from cleo_like.matching.command.waves import crossings, fit_wave

_POINTS = 4000
"""A stretch is looked at with at most this many points (means of equal blocks)."""
_NOISE_BLOCK = 10e-3
"""Length (s) of the blocks whose noise is compared within a sweep."""
_SMOOTH = 2e-3
"""Longest mean (s) taken to see a wave in noise."""
_LOUDER = 4.0
"""Blocks are loud when they are this many times noisier than the quiet ones."""


_BAND = 0.1
"""Returns to the middle within this fraction of the usual size are no crossings."""
_FEW = 0.02
"""Largest error of the formula of a wave of few cycles, as a fraction of its SD."""
_ROUGH = 0.3
"""Least part of the variance of noise that is left when slow changes are taken off."""


@attrs.frozen(kw_only=True)
class Shape:
    """Family of a varying stretch, and why."""

    family: str
    reason: str


def shape_of(
    samples: np.ndarray, rate: float, *, strict: bool = False, holding: float | None = None
) -> Shape | None:
    """Name the shape of a varying stretch.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        The stretch alone, in any unit.
    rate : float
        Samples per second (Hz).
    strict : bool
        Give None where nothing regular is found, instead of "noise" or "arbitrary".
    holding : float, optional
        Level about which a wave of one or two cycles swings, where it is known.

    Examples
    --------
    >>> t = np.arange(20000) / 2e4
    >>> shape_of(5 * t, 2e4).family, shape_of(np.sin(30 * t), 2e4).family
    ('ramp', 'sine')
    >>> shape_of(np.random.default_rng(0).normal(size=20000), 2e4).family
    'noise'
    """
    noise = white_sd(samples)
    points, step = _reduced(samples)
    ramp = _ramp(points, rate / step, noise / np.sqrt(step))
    if ramp is not None:
        return ramp
    wave = _wave(*_smooth(samples, rate))
    if wave is None and holding is not None:
        means, slower = _smooth(samples, rate)
        wave = _few_cycles(means - holding, slower, noise * (slower / rate) ** 0.5)
    if wave is not None or strict:
        return wave
    if _is_irregular(samples, rate):
        return Shape(family="noise", reason=_noise_text(samples))
    return Shape(family="arbitrary", reason="neither constant, linear, periodic nor noise")


def loud_stretch(samples: np.ndarray, rate: float) -> tuple[int, int] | None:
    """Longest stretch (20 ms or more) that is far noisier than the quiet rest.

    Examples
    --------
    >>> x = np.zeros(20000)
    >>> x[4000:16000] = np.random.default_rng(0).normal(0, 30.0, 12000)
    >>> loud_stretch(x, 2e4)
    (4000, 16000)
    """
    block = max(8, round(_NOISE_BLOCK * rate))
    count = samples.size // block
    if count < 4:
        return None
    change = np.diff(samples[: count * block], prepend=samples[0])
    size = np.abs(change.reshape(count, block))
    level = (size.sum(axis=1) - size.max(axis=1)) / (block - 1)  # one edge is no noise
    quiet = float(np.sort(level)[min(count // 10, 2)])  # the rest may be short
    loud = level > max(_LOUDER * quiet, 1e-6 * float(np.max(np.abs(samples), initial=0.0)))
    starts, stops = runs(loud)
    if starts.size == 0:
        return None
    longest = int(np.argmax(stops - starts))
    start, stop = int(starts[longest]), int(stops[longest])
    if stop - start < 2:
        return None
    return start * block, stop * block


def _smooth(samples: np.ndarray, rate: float) -> tuple[np.ndarray, float]:
    """Means of short blocks, so that noise is a hundredth of the range; and their rate."""
    noise = float(np.median(rough_sd(samples, samples.size)))
    wanted = (100 * noise / max(float(np.ptp(samples)), 1e-300)) ** 2
    step = int(np.clip(np.ceil(wanted), 1, max(1, round(_SMOOTH * rate))))
    count = samples.size // step
    return samples[: count * step].reshape(count, step).mean(axis=1), rate / step


def _reduced(samples: np.ndarray) -> tuple[np.ndarray, int]:
    """Means of blocks, so that noise and cost go down; and the block length."""
    step = max(1, samples.size // _POINTS)
    count = samples.size // step
    return samples[: count * step].reshape(count, step).mean(axis=1), step


def _ramp(points: np.ndarray, rate: float, noise: float) -> Shape | None:
    """One straight line, or two that meet (up and down, up and hold)."""
    n = points.size
    span = float(np.ptp(points))
    if n < 16 or span == 0.0:
        return None
    if noise * 6 > span:
        return None
    allowed = np.hypot(0.015 * span, 1.2 * noise)
    x = np.arange(n) / n
    for knot in (None, *np.linspace(0.05, 0.95, 37)):
        columns = [np.ones(n), x]
        if knot is not None:
            columns.append(np.maximum(x - knot, 0.0))
        design = np.stack(columns, axis=1)
        weights, *_ = np.linalg.lstsq(design, points, rcond=None)
        error = points - design @ weights
        slopes = [weights[1], weights[1] + (weights[2] if knot is not None else 0.0)]
        moved = max(abs(slopes[0]) * (knot or 1.0), abs(slopes[1]) * (1 - (knot or 0.0)))
        if float(np.sqrt(np.mean(error**2))) <= allowed and moved > 0.5 * span:
            shown = slopes[int(np.argmax(np.abs(slopes)))] / n * rate
            text = "linear" if knot is None else "linear in two pieces"
            return Shape(family="ramp", reason=f"{text}, {shown:.3g} per s")
    return None


def _wave(samples: np.ndarray, rate: float) -> Shape | None:
    """Sine or chirp: half periods that are equal, or change steadily."""
    crossing = crossings(samples - _middle(samples), _BAND)
    if crossing.size < 4:
        return None
    half = np.diff(crossing)
    if not _is_sinusoidal(samples, crossing):
        return None
    frequency = rate / (2 * half)
    low, high = float(frequency.min()), float(frequency.max())
    if np.std(half) < 0.05 * np.mean(half) + 1.0:
        return Shape(family="sine", reason=f"a sine of {np.mean(frequency):.3g} Hz")
    order = np.argsort(np.argsort(half))
    steady = abs(np.corrcoef(order, np.arange(half.size))[0, 1])
    if steady > 0.9:
        return Shape(family="chirp", reason=f"a chirp of {low:.3g} to {high:.3g} Hz")
    return None


def _few_cycles(points: np.ndarray, rate: float, noise: float) -> Shape | None:
    """Sine or chirp of one or two cycles: its formula must explain it."""
    if not 2 <= crossings(points, _BAND).size < 4:
        return None
    wave = fit_wave(points)
    if wave is None or wave.error > np.hypot(_FEW * float(np.std(points)), 1.2 * noise):
        return None
    first, last = (f * rate for f in wave.frequencies)
    if abs(last - first) < 0.05 * max(first, last):
        return Shape(family="sine", reason=f"a sine of {(first + last) / 2:.3g} Hz")
    return Shape(family="chirp", reason=f"a chirp of {first:.3g} to {last:.3g} Hz")


def _middle(samples: np.ndarray) -> float:
    """Middle between the usual highest and lowest values."""
    low, high = np.quantile(samples, [0.02, 0.98])
    return float(low + high) / 2


def _is_sinusoidal(samples: np.ndarray, crossing: np.ndarray) -> bool:
    """Whether the stretch follows sin(phase) with the phase that its crossings give."""
    inner = np.arange(int(np.ceil(crossing[0])), int(crossing[-1]))
    if inner.size < 4 * crossing.size:
        return False
    phase = np.interp(inner, crossing, np.pi * np.arange(crossing.size))
    y = samples[inner] - _middle(samples)
    half = np.clip(np.searchsorted(crossing, inner, side="right") - 1, 0, crossing.size - 2)
    peak = np.zeros(crossing.size - 1)
    np.maximum.at(peak, half, np.abs(y))
    wave = np.sin(phase) * peak[half]
    return bool(abs(np.corrcoef(wave, y)[0, 1]) > 0.97)


def _is_irregular(samples: np.ndarray, rate: float) -> bool:
    """Many turns at intervals without order: noise, white or filtered."""
    crossing = crossings(samples - _middle(samples), _BAND)
    if crossing.size < 20 or samples.size < 0.02 * rate or not _is_rough(samples):
        return False
    half = np.diff(crossing)
    # pulses of one kind have two lengths that alternate
    if any(np.std(some) < 0.3 * np.mean(some) for some in (half, half[::2], half[1::2])):
        return False
    changes = np.count_nonzero(np.diff(samples)) / samples.size
    return bool(changes > 0.3)  # a waveform held over many samples is drawn, not noise


def _is_rough(samples: np.ndarray) -> bool:
    """Whether much is left of a stretch when its slow course and its ends are taken off.

    A decay or a trapezoid with a little noise on it crosses its middle often, too.
    """
    block = max(1, samples.size // 20)
    rows = samples[: samples.size // block * block].reshape(-1, block)[1:-1]
    left = float(np.mean(np.var(rows, axis=1)))
    return left > _ROUGH * float(np.var(samples))


def _noise_text(samples: np.ndarray) -> str:
    return f"irregular about its mean, sd {np.std(samples):.3g}"

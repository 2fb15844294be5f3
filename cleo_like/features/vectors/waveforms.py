"""Mean waveform of first spikes, and the course between spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.sweep import same_rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cleo_like.features.long_square.cell import CellFeatures
    from cleo_like.features.stack import SweepStack

AP_RATE = 50e3
"""Rate (Hz) of the spike waveform."""

AP_LENGTH = 0.003
"""Its length (s)."""

SHAPE_POINTS = 100
"""Points of the course between spikes."""

_SHAPE_SPIKES = 5
_ROUNDING = 1e-7  # of a rate
_STEADY = 0.1  # s


def subsample(x: np.ndarray, width: int) -> np.ndarray:
    """Mean of successive stretches of `width` samples; an incomplete one is dropped.

    Examples
    --------
    >>> subsample(np.array([1.0, 3.0, 5.0, 7.0, 9.0]), 2)
    array([2., 6.])
    """
    count = x.size // width
    return x[: count * width].reshape(count, width).mean(axis=1)


def first_ap(
    cell: CellFeatures, rows: Sequence[int], *, rate: float = AP_RATE
) -> tuple[np.ndarray, np.ndarray]:
    """Mean waveform (mV) of the first spikes of some sweeps, and its difference.

    Waveforms begin at the threshold and last 3 ms. Sampling rates that are a multiple of
    `rate` (Hz) are averaged down to it, all others are interpolated.
    """
    stack = cell.stack
    length = int(AP_LENGTH * stack.rate * (1 + _ROUNDING))
    waves = []
    for row in rows:
        spikes = cell.spikes.of(row)
        if spikes["threshold_index"].size == 0:
            continue
        start = int(spikes["threshold_index"][0])
        wave = stack.voltage_mv[row, start : start + length]
        if wave.size == length:
            waves.append(wave)
    if not waves:
        msg = "no spike with 3 ms of recording after its threshold"
        raise InputError(msg)
    wave = np.mean(waves, axis=0)
    factor = round(stack.rate / rate)
    if factor >= 1 and same_rate(stack.rate, factor * rate):
        wave = subsample(wave, factor)
    else:
        t = np.arange(round(AP_LENGTH * rate)) / rate
        wave = np.interp(t, np.arange(length) / stack.rate, wave)
    return wave, np.diff(wave)


def isi_shape(cell: CellFeatures) -> np.ndarray:
    """Mean course between spikes, from fast trough to next threshold, in 100 points.

    Potentials are relative to the threshold of the spike before. The sweep is the lowest
    with 5 spikes, else the one with most; with one spike only, the course from its fast
    trough until it is within 1 mV of the steady state (at most 0.1 s).
    """
    counts, amplitude = cell.sweeps["n_spikes"], cell.sweeps["stim_amp"]
    firing = np.flatnonzero(cell.sweeps["avg_rate"] > 0)
    if firing.size == 0:
        msg = "no sweep with a spike"
        raise InputError(msg)
    enough = firing[counts[firing] >= _SHAPE_SPIKES]
    if enough.size:
        row = int(enough[amplitude[enough].argmin()])
    else:
        row = int(firing[counts[firing].argmax()])
    spikes = cell.spikes.of(row)
    return _shape_of(cell.stack, row, spikes, cell.window.end)


def _shape_of(
    stack: SweepStack, row: int, spikes: Mapping[str, np.ndarray], end: float
) -> np.ndarray:
    v = stack.voltage_mv[row]
    begin, level = spikes["fast_trough_index"], spikes["threshold_v"]
    if begin.size > 1:
        stop = spikes["threshold_index"][1:]
        good = np.isfinite(begin[:-1])
        stretches = zip(begin[:-1][good], stop[good], level[:-1][good], strict=True)
    else:
        if not np.isfinite(begin[0]):
            msg = "the only spike was cut off by the end of the step"
            raise InputError(msg)
        stretches = zip(begin, [_return(stack, v, int(begin[0]), end)], level, strict=True)
    courses = [_resampled(v[int(a) : int(b)] - base) for a, b, base in stretches]
    if not courses:
        msg = "no interval between two whole spikes"
        raise InputError(msg)
    return np.mean(courses, axis=0)


def _return(stack: SweepStack, v: np.ndarray, begin: int, end: float) -> int:
    """Sample at which the potential has come back to the steady state."""
    stop = stack.index(end)
    steady = v[stack.index(end - _STEADY) : stop].mean()
    near = np.flatnonzero(v[begin:stop] >= steady - 1.0)
    latest = min(begin + round(_STEADY * stack.rate), stop)
    return min(begin + int(near[0]), latest) if near.size else latest


def _resampled(course: np.ndarray) -> np.ndarray:
    """Shrink a course to 100 means of one whole number of samples, as ipfx does.

    What is left over (up to 99 samples, at most half of the course) is dropped at its end.
    """
    if course.size < 2:
        msg = "an interval between spikes has no sample"
        raise InputError(msg)
    width = course.size // SHAPE_POINTS
    if width:
        return subsample(course, width)[:SHAPE_POINTS]
    at = np.linspace(0, course.size - 1, SHAPE_POINTS)
    return np.interp(at, np.arange(course.size), course)

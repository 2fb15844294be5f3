"""Shapes of current in time, that can be scaled, delayed and added.

A `Shape` knows its duration and draws itself on any sample grid that divides it::

    from cleo_like.stimuli import shapes

    step = shapes.square("100 pA", "500 ms")
    noisy = step + shapes.ou_noise("20 pA", "3 ms", "500 ms", seed=1)
    current = noisy.samples("20 kHz")  # A, shape (10000,)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.units import si
from cleo_like.stimuli.waveforms.grid import whole_samples
from cleo_like.stimuli.waveforms.noise import ou_noise, white_noise
from cleo_like.stimuli.waveforms.shape import (
    Shape,
    at_least_zero,
    below_nyquist,
    length_of,
    sum_of,
)

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity

__all__ = [
    "Shape",
    "chirp",
    "ou_noise",
    "pulse_train",
    "ramp",
    "sine",
    "square",
    "sum_of",
    "white_noise",
]


def square(amplitude: Quantity, duration: Quantity) -> Shape:
    """Constant current for a while.

    Parameters
    ----------
    amplitude : quantity or str
        Current.
    duration : quantity or str
        Length.

    Examples
    --------
    >>> square("100 pA", "3 ms").samples("1 kHz") * 1e12
    array([100., 100., 100.])
    """
    level, length = si(amplitude, "A", "amplitude"), length_of(duration)
    return Shape(
        name="square",
        duration=length,
        draw=lambda time, _: np.full(time.size, level),
        parameters={"amplitude": level, "duration": length},
    )


def ramp(start: Quantity, stop: Quantity, duration: Quantity) -> Shape:
    """Straight line from one current to another.

    Parameters
    ----------
    start, stop : quantity or str
        Current at time 0, and at `duration` (which is the first sample after the shape).
    duration : quantity or str
        Length.

    Examples
    --------
    >>> ramp("0 pA", "40 pA", "4 ms").samples("1 kHz") * 1e12
    array([ 0., 10., 20., 30.])
    """
    first, last, length = si(start, "A", "start"), si(stop, "A", "stop"), length_of(duration)
    return Shape(
        name="ramp",
        duration=length,
        draw=lambda time, _: first + (last - first) * (time / length),
        parameters={"start": first, "stop": last, "duration": length},
    )


def sine(
    amplitude: Quantity,
    frequency: Quantity,
    duration: Quantity,
    *,
    phase: Quantity = 0.0,
    offset: Quantity = "0 pA",
) -> Shape:
    """Sine wave ``offset + amplitude * sin(2 pi frequency t + phase)``.

    Parameters
    ----------
    amplitude, offset : quantity or str
        Half of peak to peak, and mean current.
    frequency : quantity or str
        Cycles per second.
    duration : quantity or str
        Length.
    phase : float, quantity or str
        Phase at time 0; a plain number is in radians ("90 deg" is read too).
    """
    a, mean = si(amplitude, "A", "amplitude"), si(offset, "A", "offset")
    f, length = at_least_zero(frequency, "frequency", "Hz"), length_of(duration)
    angle = si(phase, "rad", "phase")
    if f == 0:
        msg = "a sine needs a frequency above 0 Hz, got 0 Hz; a constant current is a step"
        raise InputError(msg)

    def draw(time: np.ndarray, rate: float) -> np.ndarray:
        below_nyquist(f, rate, "frequency")
        if f == rate / 2:
            msg = f"a sine of half the rate ({f:g} Hz) is 0 at every sample; lower it"
            raise InputError(msg)
        return mean + a * np.sin(2 * np.pi * f * time + angle)

    return Shape(
        name="sine",
        duration=length,
        draw=draw,
        parameters={
            "amplitude": a, "frequency": f, "duration": length, "phase": angle, "offset": mean,
        },
    )  # fmt: skip


def chirp(
    amplitude: Quantity,
    start: Quantity,
    stop: Quantity,
    duration: Quantity,
    *,
    sweep: str = "linear",
) -> Shape:
    """Sine wave of constant amplitude whose frequency moves from start to stop (ZAP current).

    The phase is the exact integral of the frequency, f(t) = f0 + (f1 - f0) t / T (linear)
    or f0 (f1 / f0)^(t / T) (exponential).

    Parameters
    ----------
    amplitude : quantity or str
        Half of peak to peak.
    start, stop : quantity or str
        Frequency at time 0 and at `duration`; the exponential sweep needs both above 0.
    duration : quantity or str
        Length.
    sweep : str
        "linear" or "exponential".

    Notes
    -----
    Source: Puil, Gimbarzevsky & Miura 1986, J Neurophysiol 55:995 (impedance by a
    frequency sweep); Hutcheon & Yarom 2000, Trends Neurosci 23:216.

    Examples
    --------
    >>> current = chirp("10 pA", "1 Hz", "20 Hz", "2 s").samples("10 kHz")
    >>> current.shape, bool(abs(current).max() <= 10e-12)
    ((20000,), True)
    """
    a, length = si(amplitude, "A", "amplitude"), length_of(duration)
    f0, f1 = at_least_zero(start, "start", "Hz"), at_least_zero(stop, "stop", "Hz")
    if sweep not in ("linear", "exponential"):
        msg = f"sweep must be 'linear' or 'exponential', got {sweep!r}"
        raise InputError(msg)
    if max(f0, f1) == 0:
        msg = "a chirp needs a frequency above 0 Hz, got 0 to 0 Hz"
        raise InputError(msg)
    if sweep == "exponential" and min(f0, f1) == 0:
        msg = f"an exponential chirp needs frequencies above 0 Hz, got {f0:g} to {f1:g} Hz"
        raise InputError(msg)

    def draw(time: np.ndarray, rate: float) -> np.ndarray:
        below_nyquist(max(f0, f1), rate, "the highest frequency")
        return a * np.sin(2 * np.pi * _cycles(time, f0, f1, length, sweep))

    return Shape(
        name="chirp",
        duration=length,
        draw=draw,
        parameters={
            "amplitude": a, "start": f0, "stop": f1, "duration": length, "sweep": sweep,
        },
    )  # fmt: skip


def _cycles(time: np.ndarray, f0: float, f1: float, length: float, sweep: str) -> np.ndarray:
    """Integrate the frequency of a chirp from 0 to each time."""
    if sweep == "linear" or f0 == f1:
        return f0 * time + (f1 - f0) / (2 * length) * time**2
    rise = np.log(f1 / f0)
    return f0 * length / rise * np.expm1(rise * time / length)


def pulse_train(
    amplitude: Quantity,
    width: Quantity,
    frequency: Quantity,
    duration: Quantity,
    *,
    count: int | None = None,
) -> Shape:
    """Equal pulses at a fixed frequency, the first at time 0.

    Parameters
    ----------
    amplitude : quantity or str
        Current of each pulse.
    width : quantity or str
        Length of each pulse.
    frequency : quantity or str
        Pulses per second. Each onset is put on the sample nearest to its exact time.
    duration : quantity or str
        Length of the train, the zero current after the last pulse included.
    count : int, optional
        Number of pulses; None is as many as end within the duration.

    Examples
    --------
    >>> pulse_train("50 pA", "1 ms", "500 Hz", "5 ms").samples("1 kHz") * 1e12
    array([50.,  0., 50.,  0., 50.])
    """
    level, wide = si(amplitude, "A", "amplitude"), length_of(width, "width")
    f, length = at_least_zero(frequency, "frequency", "Hz"), length_of(duration)
    number = pulses_within(
        length, wide, f, None if count is None else whole_number("count", 1)(count)
    )

    def draw(time: np.ndarray, rate: float) -> np.ndarray:
        samples = whole_samples(wide, rate, "width")
        current = np.zeros(time.size)
        at = pulse_onsets(number, f, rate)[:, np.newaxis] + np.arange(samples)
        current[np.minimum(at, time.size - 1)] = level
        return current

    return Shape(
        name="pulse train",
        duration=length,
        draw=draw,
        parameters={
            "amplitude": level, "width": wide, "frequency": f, "duration": length,
            "count": number,
        },
    )  # fmt: skip


def pulses_within(length: float, width: float, frequency: float, count: int | None) -> int:
    """Give the number of pulses of a train, or an error where they do not fit (SI)."""
    if frequency <= 0 or width * frequency > 1 + 1e-9:
        msg = (
            f"pulses of {width * 1e3:g} ms at {frequency:g} Hz run into each other; "
            f"the frequency must be above 0 and at most {1 / width:g} Hz"
        )
        raise InputError(msg)
    fit = max(0, int((length - width) * frequency + 1e-9) + 1) if length >= width else 0
    number = fit if count is None else count
    if not 1 <= number <= fit:
        msg = (
            f"{number} pulses of {width * 1e3:g} ms at {frequency:g} Hz do not fit into "
            f"{length * 1e3:g} ms, which holds {fit}"
        )
        raise InputError(msg)
    return number


def pulse_onsets(count: int, frequency: float, rate: float) -> np.ndarray:
    """Give the samples nearest to the onsets of a pulse train, the first at 0."""
    return np.rint(np.arange(count) * (rate / frequency)).astype(int)

"""Standard protocols: each function makes a `Protocol` with named epochs and its source.

All amplitudes are added to `holding`. All times are physical quantities or text with a unit
and must be whole numbers of samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.protocol import Epoch
from cleo_like.core.units import si
from cleo_like.stimuli.build import Timing, amplitude_list, finished, from_epochs, from_shape
from cleo_like.stimuli.waveforms import shapes
from cleo_like.stimuli.waveforms.grid import whole_samples

if TYPE_CHECKING:
    from cleo_like.core.protocol import Protocol
    from cleo_like.core.units import Quantity

ALLEN = (
    "Allen Cell Types Database, Technical White Paper: Electrophysiology "
    "(Allen Institute for Brain Science, 2017)"
)


def long_square(
    amplitudes: Quantity,
    *,
    duration: Quantity = "1 s",
    before: Quantity = "0.5 s",
    after: Quantity = "0.5 s",
    rate: Quantity = "50 kHz",
    holding: Quantity = "0 pA",
    gap: Quantity = "0 s",
    test_pulse: Quantity | None = None,
) -> Protocol:
    """Make a family of long current steps, one sweep per amplitude.

    Parameters
    ----------
    amplitudes : quantity, list of quantities or texts, shape (n_sweeps,)
        Step of each sweep relative to holding.
    duration : quantity or str
        Length of the step.
    before, after : quantity or str
        Length of the rest on both sides.
    rate : quantity or str
        Sampling rate.
    holding : quantity or str
        Current outside the step.
    gap : quantity or str
        Pause between sweeps.
    test_pulse : quantity or str, optional
        Amplitude of a test pulse in front of every sweep (see `with_test_pulse`).

    Returns
    -------
    Protocol
        With the epoch "step".

    Notes
    -----
    Source of the default duration: Allen Cell Types Database, electrophysiology white paper.

    Examples
    --------
    >>> long_square(["-50 pA", "50 pA", "100 pA"])
    Protocol long_square: 3 sweeps of 2000 ms at 50 kHz, -50..100 pA, gap 0 ms
    """
    timing = Timing.of(before, after, rate, holding, gap)
    levels = amplitude_list(amplitudes)
    steps = timing.steps(levels, duration)
    made = from_epochs("long_square", steps, timing, amplitudes=levels.tolist())
    return finished(made, test_pulse, source=f"1 s step: {ALLEN}")


def short_square(
    amplitudes: Quantity,
    *,
    duration: Quantity = "3 ms",
    before: Quantity = "0.5 s",
    after: Quantity = "0.5 s",
    rate: Quantity = "50 kHz",
    holding: Quantity = "0 pA",
    gap: Quantity = "0 s",
    test_pulse: Quantity | None = None,
) -> Protocol:
    """Make a family of brief current steps, which evoke one spike each.

    Parameters
    ----------
    amplitudes : quantity, list of quantities or texts, shape (n_sweeps,)
        Step of each sweep relative to holding.
    duration, before, after : quantity or str
        Length of the step and of the rest on both sides.
    rate : quantity or str
        Sampling rate.
    holding : quantity or str
        Current outside the step.
    gap : quantity or str
        Pause between sweeps.
    test_pulse : quantity or str, optional
        Amplitude of a test pulse in front of every sweep (see `with_test_pulse`).

    Returns
    -------
    Protocol
        With the epoch "step".

    Notes
    -----
    Source of the default duration: Allen Cell Types Database, electrophysiology white paper.

    Examples
    --------
    >>> short_square(["500 pA"]).epoch("step")
    Epoch step [25000, 25150)
    """
    timing = Timing.of(before, after, rate, holding, gap)
    levels = amplitude_list(amplitudes)
    steps = timing.steps(levels, duration)
    made = from_epochs("short_square", steps, timing, amplitudes=levels.tolist())
    return finished(made, test_pulse, source=f"3 ms step: {ALLEN}")


def sag_ladder(
    amplitudes: Quantity = ("-110 pA", "-90 pA", "-70 pA", "-50 pA", "-30 pA", "-10 pA"),
    *,
    duration: Quantity = "1 s",
    before: Quantity = "0.5 s",
    after: Quantity = "0.5 s",
    rate: Quantity = "50 kHz",
    holding: Quantity = "0 pA",
    gap: Quantity = "0 s",
    test_pulse: Quantity | None = None,
) -> Protocol:
    """Make hyperpolarising long steps, for input resistance, time constant and sag.

    Parameters
    ----------
    amplitudes : quantity, list of quantities or texts, shape (n_sweeps,)
        Step of each sweep relative to holding; one that is not negative is refused.
    duration, before, after : quantity or str
        Length of the step and of the rest on both sides.
    rate : quantity or str
        Sampling rate.
    holding : quantity or str
        Current outside the step.
    gap : quantity or str
        Pause between sweeps.
    test_pulse : quantity or str, optional
        Amplitude of a test pulse in front of every sweep (see `with_test_pulse`).

    Returns
    -------
    Protocol
        Of the family "long_square", with the epoch "step".

    Raises
    ------
    InputError
        An amplitude is not negative.

    Notes
    -----
    Source of the defaults: the hyperpolarising steps of 20 pA of the long squares of the
    Allen Cell Types Database, electrophysiology white paper.

    Examples
    --------
    >>> sag_ladder()
    Protocol sag_ladder: 6 sweeps of 2000 ms at 50 kHz, -110..0 pA, gap 0 ms
    """
    levels = amplitude_list(amplitudes)
    if (levels >= 0).any():
        msg = (
            f"a sag ladder is hyperpolarising: amplitudes must be below 0 pA, got up to "
            f"{levels.max() * 1e12:g} pA; use long_square for both signs"
        )
        raise InputError(msg)
    timing = Timing.of(before, after, rate, holding, gap)
    steps = timing.steps(levels, duration)
    made = from_epochs("long_square", steps, timing, amplitudes=levels.tolist())
    source = f"hyperpolarising long squares: {ALLEN}"
    return finished(made, test_pulse, source=source, name="sag_ladder")


def ramp(
    slope: Quantity = "25 pA/s",
    *,
    duration: Quantity = "10 s",
    repeats: int = 1,
    before: Quantity = "0.5 s",
    after: Quantity = "0.5 s",
    rate: Quantity = "50 kHz",
    holding: Quantity = "0 pA",
    gap: Quantity = "0 s",
    test_pulse: Quantity | None = None,
) -> Protocol:
    """Make a slow ramp of current from holding up (or down).

    Parameters
    ----------
    slope : quantity or str
        Current per time.
    duration : quantity or str
        Length; the ramp ends at slope * duration.
    repeats : int
        Number of equal sweeps.
    before, after, rate, holding, gap, test_pulse
        As in `long_square`.

    Returns
    -------
    Protocol
        With the epoch "ramp".

    Notes
    -----
    Source of the default slope: Allen Cell Types Database, electrophysiology white paper
    (there the ramp ends after some spikes; a fixed length is this package's choice).

    Examples
    --------
    >>> ramp(duration="4 s", rate="10 kHz")
    Protocol ramp: 1 sweep of 5000 ms at 10 kHz, 0..100 pA, gap 0 ms
    """
    per_second, length = si(slope, "A/s", "slope"), si(duration, "s", "duration")
    shape = shapes.ramp("0 pA", f"{per_second * length!r} A", f"{length!r} s")
    shape = attrs.evolve(shape, parameters={"slope": per_second, "duration": length})
    timing = Timing.of(before, after, rate, holding, gap)
    made = from_shape("ramp", shape, repeats, timing)
    return finished(made, test_pulse, source=f"slope 25 pA/s: {ALLEN}")


def chirp(
    amplitude: Quantity,
    *,
    start: Quantity = "0 Hz",
    stop: Quantity = "25 Hz",
    duration: Quantity = "25 s",
    sweep: str = "linear",
    repeats: int = 1,
    before: Quantity = "0.5 s",
    after: Quantity = "0.5 s",
    rate: Quantity = "20 kHz",
    holding: Quantity = "0 pA",
    gap: Quantity = "0 s",
    test_pulse: Quantity | None = None,
) -> Protocol:
    """Make a frequency sweep of constant amplitude, for the impedance of the membrane.

    Parameters
    ----------
    amplitude : quantity or str
        Half of peak to peak.
    start, stop : quantity or str
        Frequency at the beginning and at the end of the chirp.
    duration : quantity or str
        Length of the chirp.
    sweep : str
        "linear" or "exponential" (which needs `start` above 0 Hz).
    repeats : int
        Number of equal sweeps.
    before, after, rate, holding, gap, test_pulse
        As in `long_square`.

    Returns
    -------
    Protocol
        With the epoch "chirp".

    Notes
    -----
    Source: method of Puil, Gimbarzevsky & Miura 1986, J Neurophysiol 55:995, and Hutcheon &
    Yarom 2000, Trends Neurosci 23:216; 0 to 25 Hz in 25 s as in Narayanan & Johnston 2007,
    Neuron 56:1061.

    Examples
    --------
    >>> chirp("50 pA")
    Protocol chirp: 1 sweep of 26000 ms at 20 kHz, -50..50 pA, gap 0 ms
    """
    shape = shapes.chirp(amplitude, start, stop, duration, sweep=sweep)
    source = (
        "Puil, Gimbarzevsky & Miura 1986, J Neurophysiol 55:995; "
        "Hutcheon & Yarom 2000, Trends Neurosci 23:216; "
        "0-25 Hz in 25 s: Narayanan & Johnston 2007, Neuron 56:1061"
    )
    timing = Timing.of(before, after, rate, holding, gap)
    made = from_shape("chirp", shape, repeats, timing)
    return finished(made, test_pulse, source=source)


def sine(
    amplitude: Quantity,
    frequency: Quantity,
    *,
    duration: Quantity = "5 s",
    phase: Quantity = 0.0,
    repeats: int = 1,
    before: Quantity = "0.5 s",
    after: Quantity = "0.5 s",
    rate: Quantity = "50 kHz",
    holding: Quantity = "0 pA",
    gap: Quantity = "0 s",
    test_pulse: Quantity | None = None,
) -> Protocol:
    """Make a sine wave of one frequency.

    Parameters
    ----------
    amplitude, frequency, duration, phase
        As in `shapes.sine`.
    repeats : int
        Number of equal sweeps.
    before, after, rate, holding, gap, test_pulse
        As in `long_square`.

    Returns
    -------
    Protocol
        With the epoch "sine".

    Examples
    --------
    >>> sine("20 pA", "8 Hz")
    Protocol sine: 1 sweep of 6000 ms at 50 kHz, -20..20 pA, gap 0 ms
    """
    shape = shapes.sine(amplitude, frequency, duration, phase=phase)
    timing = Timing.of(before, after, rate, holding, gap)
    made = from_shape("sine", shape, repeats, timing)
    return finished(made, test_pulse, source="cleo_like")


def noise(  # noqa: PLR0913  (two kinds of noise share one door)
    sd: Quantity,
    *,
    seed: int,
    tau: Quantity | None = None,
    bandwidth: Quantity | None = None,
    mean: Quantity = "0 pA",
    duration: Quantity = "5 s",
    repeats: int = 1,
    before: Quantity = "0.5 s",
    after: Quantity = "0.5 s",
    rate: Quantity = "50 kHz",
    holding: Quantity = "0 pA",
    gap: Quantity = "0 s",
    test_pulse: Quantity | None = None,
) -> Protocol:
    """Make frozen noise: the same samples in every sweep.

    Parameters
    ----------
    sd : quantity or str
        Standard deviation of the current.
    seed : int
        Seed of the noise.
    tau : quantity or str, optional
        Correlation time; makes Ornstein-Uhlenbeck noise. None makes white noise.
    bandwidth : quantity or str, optional
        Highest frequency of white noise; not together with `tau`.
    mean : quantity or str
        Mean current of the noise, relative to holding.
    duration : quantity or str
        Length.
    repeats : int
        Number of equal sweeps (spike-time reliability wants several).
    before, after, rate, holding, gap, test_pulse
        As in `long_square`.

    Returns
    -------
    Protocol
        With the epoch "noise".

    Notes
    -----
    Source: repeated frozen noise as in Mainen & Sejnowski 1995, Science 268:1503.

    Examples
    --------
    >>> noise("20 pA", tau="3 ms", seed=1, repeats=3).n_sweeps
    3
    """
    if tau is not None and bandwidth is not None:
        msg = "give tau (Ornstein-Uhlenbeck noise) or bandwidth (white noise), not both"
        raise InputError(msg)
    if tau is None:
        shape = shapes.white_noise(sd, duration, seed=seed, bandwidth=bandwidth, mean=mean)
    else:
        shape = shapes.ou_noise(sd, tau, duration, seed=seed, mean=mean)
    timing = Timing.of(before, after, rate, holding, gap)
    source = "frozen noise: Mainen & Sejnowski 1995, Science 268:1503"
    made = from_shape("noise", shape, repeats, timing)
    return finished(made, test_pulse, source=source)


def pulse_train(
    amplitudes: Quantity,
    *,
    frequency: Quantity,
    width: Quantity = "3 ms",
    count: int = 10,
    before: Quantity = "0.5 s",
    after: Quantity = "0.5 s",
    rate: Quantity = "50 kHz",
    holding: Quantity = "0 pA",
    gap: Quantity = "0 s",
    test_pulse: Quantity | None = None,
) -> Protocol:
    """Make trains of equal pulses, one sweep per amplitude.

    Parameters
    ----------
    amplitudes : quantity, list of quantities or texts, shape (n_sweeps,)
        Pulses of each sweep relative to holding.
    frequency : quantity or str
        Pulses per second; each onset is put on the nearest sample.
    width : quantity or str
        Length of a pulse.
    count : int
        Number of pulses.
    before, after, rate, holding, gap, test_pulse
        As in `long_square`; `after` starts at the end of the last pulse.

    Returns
    -------
    Protocol
        With one epoch "pulse" per pulse.

    Examples
    --------
    >>> train = pulse_train(["500 pA"], frequency="50 Hz", count=3)
    >>> [(e.start, e.stop) for e in train.epochs]
    [(25000, 25150), (26000, 26150), (27000, 27150)]
    """
    timing, levels = Timing.of(before, after, rate, holding, gap), amplitude_list(amplitudes)
    f, wide = si(frequency, "Hz", "frequency"), si(width, "s", "width")
    count = whole_number("count", 1)(count)
    samples = whole_samples(wide, timing.rate, "width")
    shapes.pulses_within(np.inf if f <= 0 else count / f + wide, wide, f, count)
    onsets = shapes.pulse_onsets(count, f, timing.rate) + timing.lead
    epochs = [
        Epoch(name="pulse", start=int(s), stop=int(s) + samples, levels=timing.holding + levels)
        for s in onsets
    ]
    made = from_epochs(
        "pulse_train", epochs, timing,
        amplitudes=levels.tolist(), frequency=f, width=wide, count=count,
    )  # fmt: skip
    return finished(made, test_pulse, source="cleo_like")

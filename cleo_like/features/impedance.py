"""Impedance and resonance from a chirp (ZAP) or any other stimulus with many frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.units import si
from cleo_like.features.parameters import DEFAULT
from cleo_like.features.spikes.table import spikes_of
from cleo_like.features.stack import SweepStack, as_stack, given_window
from cleo_like.matching import match

if TYPE_CHECKING:
    from cleo_like.core.recording import Recording
    from cleo_like.core.units import Quantity
    from cleo_like.core.window import Window, WindowLike

_REST = 0.1  # s before the chirp that give the zero of both traces
_TAIL = 1.0  # s after it, in which the answer dies away: whole answers need no fading window
_WIDE = ("chirp", "noise")  # families with many frequencies
_LEAST_POWER = 1e-3  # of the largest: frequencies with less drive are not measured
_AT_REST = 0.05  # of the swing of the current: at rest its SD is below
_SLOWEST, _ORDER = 0.4, 2  # of the lowest frequency: what is slower is drift; of the filter
_SURE = 3.0  # standard errors by which a resonance must exceed the lowest frequency
_LEAST_PEAK = 1e-3  # ... and part of it: less is rounding


@attrs.frozen(kw_only=True, eq=False)
class Impedance:
    """Impedance of a cell at the frequencies that the stimulus contains.

    Parameters
    ----------
    frequency : array, shape (n,)
        Hz, ascending.
    magnitude : array, shape (n,)
        MOhm.
    phase : array, shape (n,)
        Radians; positive where the potential leads the current.
    values : dict
        ``resonance_frequency`` (Hz), ``resonance_q``, ``impedance_low``, ``impedance_max``
        (MOhm), ``impedance_cutoff`` (Hz).
    reasons : dict
        Why a value is missing.
    error : array, shape (n,)
        Standard error of the magnitude (MOhm), from what of the potential the current does
        not explain.
    notes : tuple of str
        Sweeps that were left out, and what else is to be known.
    """

    frequency: np.ndarray
    magnitude: np.ndarray
    phase: np.ndarray
    values: dict[str, float]
    reasons: dict[str, str]
    error: np.ndarray
    notes: tuple[str, ...] = ()


def impedance(
    source: Recording | SweepStack,
    start: Quantity | None = None,
    end: Quantity | None = None,
    *,
    window: WindowLike | None = None,
    low: Quantity = "0.5 Hz",
    high: Quantity = "20 Hz",
    resolution: Quantity = "0.5 Hz",
) -> Impedance:
    """Measure impedance between two frequencies.

    The ratio of the cross spectrum of current and potential to the power spectrum of the
    current, summed over the sweeps and over neighbouring frequencies within `resolution`:
    noise in the potential averages out, and is not divided by little current.

    Parameters
    ----------
    source : Recording or SweepStack
        Sweeps with a chirp; those that fire are left out.
    start, end : quantity, optional
        Of the whole chirp: the command rests before and after it. Those of the matched
        recording when not given.
    window : Window, pair of quantities or str, optional
        Instead of the two: the name of an epoch ("chirp"), ``cl.match(recording).window``.
    low, high : quantity
        Range (Hz) to report; what the stimulus hardly contains is left out.
    resolution : quantity
        Width (Hz) over which spectra are averaged.

    Returns
    -------
    Impedance
        Spectrum, resonance frequency, Q, cutoff.

    Raises
    ------
    InputError
        The stimulus has no power in the range or makes the cell fire in every sweep; or a
        sample is not a number; no window is given, and none is found.

    Notes
    -----
    Definitions: Hutcheon & Yarom 2000, doi:10.1016/S0166-2236(00)01547-2.

    Examples
    --------
    100 MOhm and 10 ms make a low-pass filter with its cutoff at 1 / (2 pi 10 ms):

    >>> from scipy.signal import lfilter
    >>> t = np.arange(200_000) / 10e3
    >>> on = (t >= 0.2) & (t < 19)
    >>> i = 20 * on * np.sin(2 * np.pi * (0.2 + (t - 0.2)) * (t - 0.2))
    >>> a = np.exp(-1e-4 / 0.01)
    >>> v = lfilter([0.1 * (1 - a)], [1, -a], i) - 70
    >>> z = impedance(SweepStack(voltage_mv=v[None], current_pa=i[None], rate=10e3),
    ...               "200 ms", "19 s", high="35 Hz")
    >>> round(z.values["impedance_low"]), round(z.values["impedance_cutoff"])
    (100, 16)
    """
    stack, step = _chirp(source, given_window(source, start, end, window))
    notes, rested = _check(stack, step)
    rests = rested and not notes
    stack, fires = _silent(stack, step)
    notes += fires
    lowest = si(low, "Hz", "low")
    slowest = _SLOWEST * lowest if rested else 0.0
    current, potential = _from_rest(stack, step, slowest=slowest, line=rests)
    n = current.shape[1]
    if n < stack.bounds(step)[1] - stack.bounds(step)[0] + round(_TAIL * stack.rate):
        notes += ("the sweep ends within 1 s of the stimulus: the last of the answer is cut",)
    frequency = np.fft.rfftfreq(n, 1 / stack.rate)
    drive, answer = np.fft.rfft(current, axis=1), np.fft.rfft(potential, axis=1)
    width = max(1, round(si(resolution, "Hz", "resolution") * n / stack.rate))
    power, total = (_smooth((np.abs(x) ** 2).sum(axis=0), width) for x in (drive, answer))
    cross = _smooth((answer * drive.conj()).sum(axis=0), width)
    keep = (frequency >= lowest) & (frequency <= si(high, "Hz", "high"))
    keep &= power > _LEAST_POWER * power.max()
    if keep.sum() < 3 or power.max() == 0:
        msg = "the stimulus has no power between the two frequencies"
        raise InputError(msg)
    z = cross[keep] / power[keep] * 1e3  # mV / pA = GOhm
    unexplained = np.maximum(total[keep] / power[keep] * 1e6 - np.abs(z) ** 2, 0.0)
    error = np.sqrt(unexplained / (2 * width * stack.n_sweeps))  # half of it in each direction
    values, reasons = _resonance(frequency[keep], np.abs(z), error)
    return Impedance(
        frequency=frequency[keep],
        magnitude=np.abs(z),
        phase=np.angle(z),
        values=values,
        reasons=reasons,
        error=error,
        notes=notes,
    )


def _check(stack: SweepStack, step: Window) -> tuple[tuple[str, ...], bool]:
    """Refuse samples that are not numbers; say where a window cuts the stimulus.

    Beside it whether the command rests before the window.
    """
    a, b = stack.bounds(step)
    reach = round(_REST * stack.rate)
    low, high = max(0, a - reach), min(b + reach, stack.n_samples)
    if not np.isfinite(stack.voltage_mv[:, low:high] + stack.current_pa[:, low:high]).all():
        msg = f"a sample between {low / stack.rate:g} and {high / stack.rate:g} s is no number"
        raise InputError(msg)
    current = stack.current_pa
    swing = np.ptp(current[:, a:b], axis=1)
    notes, rested = [], True
    for where, part in (("before", current[:, low:a]), ("after", current[:, b + 1 : high])):
        if part.size and (part.std(axis=1) > _AT_REST * swing).any():
            rested &= where == "after"
            notes.append(
                f"the command is not at rest {where} {step.start:g} to {step.end:g} s: only a "
                "part of the stimulus is measured, and the frequencies at its end are less sure"
            )
    return tuple(notes), rested


def _silent(stack: SweepStack, step: Window) -> tuple[SweepStack, tuple[str, ...]]:
    """Leave out the sweeps that fire: spikes are no answer of a linear membrane."""
    fires = spikes_of(stack, step, DEFAULT).counts > 0
    if fires.all():
        msg = "the cell fires in every sweep: impedance needs a weaker stimulus"
        raise InputError(msg)
    numbers = np.asarray(stack.numbers)[fires].tolist()
    notes = tuple(f"sweep {number} left out: it fires" for number in numbers)
    return (stack.take(np.flatnonzero(~fires)) if numbers else stack), notes


def _from_rest(
    stack: SweepStack, step: Window, *, slowest: float, line: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Take current and potential from the rest before the stimulus, until the answer died.

    Over a whole chirp a drift of the potential is as large as the answer to it. A straight one
    shows between the rests (`line`); for others both go through one high-pass filter, which
    the ratio of a linear cell does not see.
    """
    a, b = stack.bounds(step)
    rest = slice(max(0, a - round(_REST * stack.rate)), max(a, 1))
    whole = b + round(_TAIL * stack.rate)
    b = min(whole, int(stack.lengths.min()))
    current, potential = (
        x[:, a:b] - x[:, rest].mean(axis=1, keepdims=True)
        for x in (stack.current_pa, stack.voltage_mv)
    )
    if line and b == whole and rest.stop - rest.start > 1:
        end = potential[:, -(rest.stop - rest.start) :].mean(axis=1, keepdims=True)
        potential = potential - end * (np.arange(b - a) / (b - a))
    if slowest <= 0:
        return current, potential
    from scipy.signal import butter, sosfilt

    sections = butter(_ORDER, slowest, "high", fs=stack.rate, output="sos")
    return sosfilt(sections, current, axis=1), sosfilt(sections, potential, axis=1)


def _chirp(source: Recording | SweepStack, given: Window | None) -> tuple[SweepStack, Window]:
    """Sweeps and their window: the one that is given, or that of the matched recording."""
    if given is not None:
        return as_stack(source), given
    if isinstance(source, SweepStack):
        msg = "arrays do not tell where their chirp is; give start and end"
        raise InputError(msg)
    found = match(source)
    if found.family not in _WIDE or found.window is None:
        msg = (
            f"expected a recording of a {' or '.join(_WIDE)}, found {found.family} "
            f"({found.reason}); give start and end to measure it all the same"
        )
        raise InputError(msg)
    sweeps = [source.sweeps[k] for k in found.members]
    own = attrs.evolve(source, sweeps=sweeps, truth=None, protocol=None)
    return as_stack(own), found.window


def _smooth(x: np.ndarray, width: int) -> np.ndarray:
    return np.convolve(x, np.ones(width) / width, mode="same")


def _resonance(
    f: np.ndarray, z: np.ndarray, error: np.ndarray
) -> tuple[dict[str, float], dict[str, str]]:
    top = int(z.argmax())
    reasons = {}
    below = np.flatnonzero(z[top:] < z[top] / np.sqrt(2))
    cutoff = float(f[top + below[0]]) if below.size else np.nan
    if not below.size:
        reasons["impedance_cutoff"] = f"still above 0.71 of the largest at {f[-1]:.3g} Hz"
    unsure = max(_SURE * float(np.hypot(error[top], error[0])), _LEAST_PEAK * z[0])
    peak = float(f[top])
    if z[top] - z[0] <= unsure:
        peak = np.nan
        reasons["resonance_frequency"] = "not larger anywhere than at the lowest frequency"
    elif top == z.size - 1:
        peak = np.nan
        reasons["resonance_frequency"] = f"still rising at {f[-1]:.3g} Hz"
    values = {
        "resonance_frequency": peak,
        "resonance_q": float(z[top] / z[0]),
        "impedance_low": float(z[0]),
        "impedance_max": float(z[top]),
        "impedance_cutoff": cutoff,
    }
    return values, reasons

"""Impedance and resonance from a chirp (ZAP) or any other stimulus with many frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.units import si
from cleo_like.features.stack import SweepStack, as_stack, window

if TYPE_CHECKING:
    from cleo_like.core.recording import Recording

_REST = 0.1  # s before the chirp that give the zero of both traces
_TAIL = 1.0  # s after it, in which the answer dies away: whole answers need no fading window
_LEAST_POWER = 1e-3  # of the largest: frequencies with less drive are not measured


@attrs.frozen(kw_only=True)
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
    """

    frequency: np.ndarray
    magnitude: np.ndarray
    phase: np.ndarray
    values: dict[str, float]
    reasons: dict[str, str]


def impedance(
    source: Recording | SweepStack,
    start: Any,
    end: Any,
    *,
    low: Any = "0.5 Hz",
    high: Any = "20 Hz",
    resolution: Any = "0.5 Hz",
) -> Impedance:
    """Measure impedance between two frequencies.

    The ratio of the cross spectrum of current and potential to the power spectrum of the
    current, summed over the sweeps and over neighbouring frequencies within `resolution`:
    noise in the potential averages out, and is not divided by little current.

    Parameters
    ----------
    source : Recording or SweepStack
        Sweeps with the same chirp and without spikes.
    start, end : quantity
        Of the chirp.
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
        The stimulus has no power in the range.

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
    stack, step = as_stack(source), window(start, end)
    a, b = stack.bounds(step)
    rest = slice(max(0, a - round(_REST * stack.rate)), max(a, 1))
    b = min(b + round(_TAIL * stack.rate), stack.n_samples)
    current = stack.current_pa[:, a:b] - stack.current_pa[:, rest].mean(axis=1, keepdims=True)
    potential = stack.voltage_mv[:, a:b] - stack.voltage_mv[:, rest].mean(axis=1, keepdims=True)
    frequency = np.fft.rfftfreq(b - a, 1 / stack.rate)
    drive, answer = np.fft.rfft(current, axis=1), np.fft.rfft(potential, axis=1)
    width = max(1, round(si(resolution, "Hz", "resolution") * (b - a) / stack.rate))
    power = _smooth((np.abs(drive) ** 2).sum(axis=0), width)
    cross = _smooth((answer * drive.conj()).sum(axis=0), width)
    keep = (frequency >= si(low, "Hz", "low")) & (frequency <= si(high, "Hz", "high"))
    keep &= power > _LEAST_POWER * power.max()
    if keep.sum() < 3 or power.max() == 0:
        msg = "the stimulus has no power between the two frequencies"
        raise InputError(msg)
    z = cross[keep] / power[keep] * 1e3  # mV / pA = GOhm
    values, reasons = _resonance(frequency[keep], np.abs(z))
    return Impedance(
        frequency=frequency[keep],
        magnitude=np.abs(z),
        phase=np.angle(z),
        values=values,
        reasons=reasons,
    )


def _smooth(x: np.ndarray, width: int) -> np.ndarray:
    return np.convolve(x, np.ones(width) / width, mode="same")


def _resonance(f: np.ndarray, z: np.ndarray) -> tuple[dict[str, float], dict[str, str]]:
    top = int(z.argmax())
    reasons = {}
    below = np.flatnonzero(z[top:] < z[top] / np.sqrt(2))
    cutoff = float(f[top + below[0]]) if below.size else np.nan
    if not below.size:
        reasons["impedance_cutoff"] = f"still above 0.71 of the largest at {f[-1]:.3g} Hz"
    values = {
        "resonance_frequency": float(f[top]),
        "resonance_q": float(z[top] / z[0]),
        "impedance_low": float(z[0]),
        "impedance_max": float(z[top]),
        "impedance_cutoff": cutoff,
    }
    return values, reasons

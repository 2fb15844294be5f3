"""Make a command that a membrane can follow and a DAC can play: filter, inverse, quantise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_samples, whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.units import one_finite, si, si_choice
from cleo_like.core.units.dimensions import SIFloat
from cleo_like.core.units.table import UNITS

if TYPE_CHECKING:
    from jaxtyping import Float

_REACH = 5.0
"""Half length of the Gaussian kernel in standard deviations (weight beyond: 6e-7)."""

DEFAULT_CUTOFF_TAU = 0.6
"""Default cut-off frequency times tau: 30 Hz for 20 ms."""


def _default_full_scale() -> Any:
    return "4096 pA"


def _full_scale(value: object) -> SIFloat:
    unit, array = si_choice(value, ("A", "V"), "full_scale")
    if unit is None:
        si(value, "A", "full_scale")  # says what to write
    number = one_finite(array, ("A", "V"), "full_scale")
    if number <= 0:
        msg = f"full_scale must be above 0 pA, got {number * 1e12:g} pA"
        if unit == "V":
            msg = f"full_scale must be above 0 mV, got {number * 1e3:g} mV"
        raise InputError(msg)
    return SIFloat.of(number, UNITS[unit or "A"].dimension)


def _bits(value: object) -> int:
    number = whole_number("bits", 2)(value)
    if number > 32:
        msg = f"bits must be 2 to 32, got {number}"
        raise InputError(msg)
    return number


@attrs.frozen
class Dac:
    """The digital-to-analogue converter of a rig, seen from the command.

    Parameters
    ----------
    full_scale : quantity or str
        Largest command (amplifier gain times output range): a current, or a potential for
        voltage clamp.
    bits : int
        Resolution; codes run from -2^(bits-1) to 2^(bits-1) - 1.

    Notes
    -----
    Default: 400 pA/V (MultiClamp 700B, 500 MOhm feedback) times 10.24 V (the range of Axon
    Binary Files), 16 bits: one code is 0.125 pA.

    Examples
    --------
    >>> round(Dac().lsb * 1e12, 9)
    0.125
    """

    full_scale: SIFloat = attrs.field(factory=_default_full_scale, converter=_full_scale)
    bits: int = attrs.field(default=16, converter=_bits)

    @property
    def lsb(self) -> float:
        """Command of one code (A or V)."""
        return self.full_scale / 2 ** (self.bits - 1)

    @property
    def unit(self) -> str:
        """SI unit of the command: "A" or "V"."""
        return "V" if self.full_scale.dimension == UNITS["V"].dimension else "A"

    def quantise(
        self, current: Float[np.ndarray, "n_sweeps n_samples"]
    ) -> Float[np.ndarray, "n_sweeps n_samples"]:
        """Round a command to the codes of the converter.

        Parameters
        ----------
        current : array, any shape
            Command (A or V).

        Raises
        ------
        InputError
            The command leaves the range; nothing is clipped.
        """
        current = si_samples(self.unit, name="current")(current)
        codes = np.rint(current / self.lsb)
        half = 2 ** (self.bits - 1)
        if codes.min() < -half or codes.max() > half - 1:
            scale, shown = (1e12, "pA") if self.unit == "A" else (1e3, "mV")
            low, high = current.min() * scale, current.max() * scale
            step = self.lsb * scale
            msg = (
                f"the command reaches {low:.6g}..{high:.6g} {shown} but the DAC plays "
                f"{-half * step:.6g}..{(half - 1) * step:.6g} {shown}; lower the amplitude, "
                "the peak or the low-pass frequency"
            )
            raise InputError(msg)
        return np.asarray(codes * self.lsb)


def gaussian_sd(cutoff: float) -> float:
    """Give the standard deviation (s) of the Gaussian that is at -3 dB at `cutoff` (Hz).

    Examples
    --------
    >>> round(gaussian_sd(30.0) * 1e3, 3)  # ms
    4.417
    """
    return float(np.sqrt(np.log(2.0)) / (2 * np.pi * cutoff))


def reach(cutoff: float, rate: float) -> int:
    """Give the samples by which `low_pass` spreads a sample to either side."""
    return int(np.ceil(_REACH * gaussian_sd(cutoff) * rate))


def low_pass(
    current: Float[np.ndarray, "n_sweeps n_samples"], cutoff: float, rate: float
) -> Float[np.ndarray, "n_sweeps n_samples"]:
    """Smooth every sweep with a Gaussian: no delay, no overshoot.

    Parameters
    ----------
    current : array, shape (n_sweeps, n_samples)
        The first and last sample of a sweep are taken to go on for ever.
    cutoff : float
        Frequency of -3 dB (Hz).
    rate : float
        Sampling rate (Hz).

    Returns
    -------
    array, shape (n_sweeps, n_samples)
    """
    from scipy.signal import oaconvolve

    half = reach(cutoff, rate)
    time = np.arange(-half, half + 1) / rate
    kernel = np.exp(-0.5 * (time / gaussian_sd(cutoff)) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(current, ((0, 0), (half, half)), mode="edge")
    return np.asarray(oaconvolve(padded, kernel[np.newaxis], mode="valid", axes=1))


def pre_emphasis(
    target: Float[np.ndarray, "n_sweeps n_samples"], tau: float, rate: float
) -> Float[np.ndarray, "n_sweeps n_samples"]:
    """Give the current that makes an RC membrane follow a target, sample by sample.

    It is I = (V* + tau dV*/dt) / R for a current held from each sample to the next, exact
    on the grid: V[k+1] = a V[k] + (1 - a) R I[k], a = exp(-1 / (rate tau)), solved for I.

    Parameters
    ----------
    target : array, shape (n_sweeps, n_samples)
        Wanted potential divided by the input resistance, V* / R (A).
    tau : float
        Membrane time constant (s).
    rate : float
        Sampling rate (Hz).

    Returns
    -------
    array, shape (n_sweeps, n_samples)
        Current (A); the last sample repeats the target.

    Examples
    --------
    >>> current = pre_emphasis(np.array([[0.0, 1.0, 1.0]]), 1e-3, 1e3)
    >>> current.round(3)  # 1 / (1 - 1/e), then at rest at the target
    array([[1.582, 1.   , 1.   ]])
    """
    slow = np.exp(-1.0 / (rate * tau))
    following = np.concatenate([target[:, 1:], target[:, -1:]], axis=1)
    return (following - slow * target) / -np.expm1(-1.0 / (rate * tau))


def worst_peak(cutoff: float, tau: float, low: float, high: float) -> float:
    """Give a bound on the pre-emphasised current of any picture (A).

    The smoothing and the inverse together are one kernel, g + tau g' with a Gaussian g; its
    absolute integral is the most that it can enlarge a deviation from the middle grey.

    Parameters
    ----------
    cutoff : float
        Frequency of the low-pass (Hz).
    tau : float
        Membrane time constant (s).
    low, high : float
        Range of the target (A).
    """
    from scipy.special import ndtr

    sd = gaussian_sd(cutoff)
    u = sd / tau
    density = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)
    gain = 2 * ndtr(u) - 1 + 2 * density / u
    return float(abs(low + high) / 2 + (high - low) / 2 * gain)


def cutoff_for_peak(peak: float, tau: float, low: float, high: float) -> float:
    """Give the highest low-pass frequency whose `worst_peak` keeps a limit (Hz).

    Parameters
    ----------
    peak : float
        Largest current allowed, either sign (A).
    tau : float
        Membrane time constant (s).
    low, high : float
        Range of the target (A).

    Raises
    ------
    InputError
        Even the unfiltered target is above the limit.

    Examples
    --------
    >>> round(cutoff_for_peak(36e-12, 20e-3, -10e-12, 10e-12), 1)
    29.1
    """
    from scipy.optimize import brentq

    least = max(abs(low), abs(high))
    if peak <= least * (1 + 1e-9):
        msg = (
            f"peak={peak * 1e12:g} pA leaves no room for pre-emphasis of "
            f"{low * 1e12:g}..{high * 1e12:g} pA; allow more than {least * 1e12:g} pA"
        )
        raise InputError(msg)

    def excess(log_cutoff: float) -> float:
        return worst_peak(np.exp(log_cutoff), tau, low, high) / peak - 1

    scale = np.log(1 / tau)
    return float(np.exp(brentq(excess, scale - 30, scale + 30)))

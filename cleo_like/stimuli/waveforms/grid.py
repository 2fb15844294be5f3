"""Time on a sample grid: durations that are whole numbers of samples, or an error."""

from __future__ import annotations

from cleo_like.core.errors import InputError
from cleo_like.core.units import si

_SLACK = 1e-6
"""Samples by which duration * rate may miss a whole number (rounding of the product)."""

_MOST = 1_000_000_000
"""Samples of a sweep: 8 GB, or five hours at 50 kHz."""


def sample_rate(value: object, name: str = "rate") -> float:
    """Convert a sampling rate to Hz.

    Parameters
    ----------
    value : quantity or str
        Such as ``"50 kHz"``.
    name : str
        Name of the argument, for the error.

    Returns
    -------
    float
        Samples per second.

    Raises
    ------
    UnitError
        No unit, or not a frequency.
    InputError
        Zero or negative.

    Examples
    --------
    >>> sample_rate("50 kHz")
    50000.0
    """
    rate = si(value, "Hz", name)
    if rate <= 0:
        msg = f"{name} must be above 0 Hz, got {rate:g} Hz"
        raise InputError(msg)
    return rate


def whole_samples(
    duration: float, rate: float, name: str = "duration", *, least: int = 1
) -> int:
    """Give the number of samples of a duration that the rate divides.

    Parameters
    ----------
    duration : float
        Length (s).
    rate : float
        Samples per second (Hz).
    name : str
        Name of the argument, for the error.
    least : int
        Smallest legal number of samples.

    Returns
    -------
    int
        ``round(duration * rate)``; never truncated (``int(0.3 / (1 / 10000))`` is 2999).

    Raises
    ------
    InputError
        The duration is not a whole number of samples; the message has the two nearest
        durations that are. Or it is shorter than `least` samples, or longer than any sweep.

    Examples
    --------
    >>> whole_samples(0.3, 10_000)
    3000
    >>> whole_samples(0.03333, 10_000)
    Traceback (most recent call last):
    ...
    cleo_like.core.errors.InputError: duration of 33.33 ms is 333.3 samples at 10 kHz, not a \
whole number; use 33.3 ms (333 samples) or 33.4 ms (334 samples)
    """
    exact = duration * rate
    count = round(exact)
    if abs(exact - count) > max(_SLACK, 1e-12 * abs(exact)):
        near = [n for n in (int(exact // 1), int(exact // 1) + 1) if n >= max(least, 1)]
        choices = " or ".join(f"{n / rate * 1e3:.9g} ms ({_samples(n)})" for n in near)
        msg = (
            f"{name} of {duration * 1e3:.9g} ms is {exact:.9g} samples at "
            f"{rate / 1e3:.9g} kHz, not a whole number; use {choices}"
        )
        raise InputError(msg)
    if count < least:
        msg = (
            f"{name} must be at least {_samples(least)} ({least / rate * 1e3:g} ms), "
            f"got {duration * 1e3:g} ms"
        )
        raise InputError(msg)
    if count > _MOST:
        msg = (
            f"{name} of {duration:g} s is {count:.3g} samples at {rate / 1e3:.9g} kHz, more "
            f"than a sweep can hold ({_MOST:.0e}); is its unit right?"
        )
        raise InputError(msg)
    return count


def _samples(count: int) -> str:
    return f"{count} sample{'s' if count != 1 else ''}"

"""The amplifier's low-pass filter, as a file or the user states it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import attrs
import numpy as np

_FREQUENCY = re.compile(r"(\d+(?:\.\d+)?)\s*(k?)\s*hz\b", re.IGNORECASE)
_POLES = re.compile(r"\b(\d+)(?:[- ]?pole|(?:st|nd|rd|th)[- ]order)", re.IGNORECASE)
_OTHER = re.compile(
    r"butter|cheb|ellip|gauss|\brc\b|\bfir\b|notch|high[- ]?pass|band[- ]?pass", re.IGNORECASE
)
_NONE = re.compile(r"\s*(none|no filter|unfiltered|off)\s*", re.IGNORECASE)
POLES = 4
"""Of the output filters of the common amplifiers (MultiClamp 700, Axopatch 200, EPC 10)."""


@attrs.frozen
class Lowpass:
    """A Bessel filter before sampling.

    Parameters
    ----------
    corner : float
        -3 dB frequency (Hz); infinite where it is stated that there was no filter.
    poles : int
        Order.

    Examples
    --------
    >>> round(Lowpass(10e3).delay * 1e6, 1)  # us
    33.6
    """

    corner: float
    poles: int = POLES

    @property
    def is_none(self) -> bool:
        """Whether it is stated that there was no filter."""
        return not np.isfinite(self.corner)

    @property
    def delay(self) -> float:
        """Delay (s) of slow signals."""
        return float(np.sum(-1 / self.pole_places).real) if not self.is_none else 0.0

    @property
    def pole_places(self) -> np.ndarray:
        """Poles (1/s)."""
        if self.is_none:
            return np.zeros(0, dtype=complex)
        return np.asarray(_unit_poles(self.poles) * 2 * np.pi * self.corner)

    def response(self, frequencies: np.ndarray) -> np.ndarray:
        """Give its complex response at frequencies (Hz).

        Examples
        --------
        >>> gain = np.abs(Lowpass(1e3).response(np.array([1e3])))
        >>> (gain**2).round(6).tolist()
        [0.5]
        """
        out = np.ones(frequencies.shape, dtype=complex)
        for pole in self.pole_places:
            out *= -pole / (2j * np.pi * frequencies - pole)
        return out

    def text(self) -> str:
        """Give it in words."""
        return f"{self.poles}-pole Bessel filter of {self.corner / 1e3:g} kHz"


@lru_cache(maxsize=16)
def _unit_poles(poles: int) -> np.ndarray:
    from scipy.signal import besselap

    return np.asarray(besselap(poles, norm="mag")[1])


def stated(text: Any) -> Lowpass | None:
    """Read a description such as "4-pole Bessel, 10 kHz".

    A description without a kind is taken for a Bessel filter, as the common amplifiers have;
    one of another kind, or with several frequencies, is not understood.

    Parameters
    ----------
    text : str or None
        As a file has it.

    Returns
    -------
    Lowpass or None
        None where nothing is stated, or nothing that is understood.

    Examples
    --------
    >>> stated("Bessel, 2.9 kHz").corner, stated("8-pole Bessel 5000 Hz").poles
    (2900.0, 8)
    >>> stated("none").is_none, stated("3 kHz Butterworth"), stated(None)
    (True, None, None)
    """
    if text is None or _OTHER.search(str(text)):
        return None
    if _NONE.fullmatch(str(text)):
        return Lowpass(np.inf)
    found = {float(x) * (1e3 if kilo else 1.0) for x, kilo in _FREQUENCY.findall(str(text))}
    poles = _POLES.search(str(text))
    order = int(poles[1]) if poles is not None else POLES
    if len(found) != 1 or not 1 <= order <= 10:
        return None
    corner = found.pop()
    return Lowpass(corner, order) if corner > 0 else None

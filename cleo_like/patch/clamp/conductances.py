"""Conductances for a dynamic clamp: `step(t, v) -> i` in s, V and A, as a board would call it.

A positive current depolarises. Gates relax exactly from one call to the next with the
potential of the later call held, as boards do it.
"""

from __future__ import annotations

from bisect import bisect_right
from math import exp
from typing import TYPE_CHECKING, ClassVar

import attrs
import numpy as np

from cleo_like.core.arrays import si_default
from cleo_like.core.errors import InputError
from cleo_like.core.units import si_array
from cleo_like.patch.pipette.fields import quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    _Kinetics = tuple[Callable[[float], float], Callable[[float], float], int]


@attrs.define(eq=False)
class Leak:
    """An added (or, with a negative conductance, removed) leak.

    Parameters
    ----------
    conductance : quantity or str
        Negative values compensate a leak, such as that of an impalement.
    reversal : quantity or str
        Reversal potential.

    Examples
    --------
    >>> round(Leak("5 nS", "-70 mV")(0.0, -0.06) * 1e12, 6)  # pA
    -50.0
    """

    conductance: float = attrs.field(converter=quantity("S", "conductance"))
    reversal: float = attrs.field(
        default=si_default("-70 mV", "V"), converter=quantity("V", "reversal")
    )

    def __call__(self, t: float, v: float) -> float:
        """Give the current (A) at a potential (V)."""
        del t
        return self.conductance * (self.reversal - v)

    def as_function(self) -> Callable[[float, float], float]:
        """Give the same as a function of plain numbers: three times as fast."""
        conductance, reversal = float(self.conductance), float(self.reversal)
        return lambda t, v: conductance * (reversal - v)  # noqa: ARG005


def _times(value: object) -> tuple[float, ...]:
    found = si_array(value, "s", "times")
    if found.ndim != 1 or not np.isfinite(found).all():
        msg = f"times must be a list of finite times, got the shape {found.shape}"
        raise InputError(msg)
    return tuple(np.sort(found).tolist())


@attrs.define(eq=False)
class Synapse:
    """An artificial synapse: at each time a conductance that decays exponentially.

    Parameters
    ----------
    conductance : quantity or str
        Peak of one event; events add up.
    reversal : quantity or str
        0 mV for an excitatory, -70 mV and below for an inhibitory synapse.
    tau : quantity or str
        Time constant of the decay.
    times : list of quantities or str
        When transmitter is released.

    Examples
    --------
    >>> synapse = Synapse("1 nS", "0 mV", tau="5 ms", times=["10 ms"])
    >>> synapse(0.005, -0.07), round(synapse(0.010, -0.07) * 1e12, 6)  # pA
    (0.0, 70.0)
    """

    conductance: float = attrs.field(converter=quantity("S", "conductance"))
    reversal: float = attrs.field(
        default=si_default("0 mV", "V"), converter=quantity("V", "reversal")
    )
    tau: float = attrs.field(
        default=si_default("5 ms", "s"), kw_only=True, converter=quantity("s", "tau")
    )
    times: tuple[float, ...] = attrs.field(kw_only=True, converter=_times)
    _open: float = attrs.field(init=False, default=0.0, repr=False)
    _since: float = attrs.field(init=False, default=0.0, repr=False)
    _seen: int = attrs.field(init=False, default=0, repr=False)

    def __attrs_post_init__(self) -> None:
        """Check the signs."""
        _above_zero(self.tau, "tau", "s")

    def __call__(self, t: float, v: float) -> float:
        """Give the current (A) at a time (s) and a potential (V)."""
        self._open *= exp(-(t - self._since) / self.tau)
        self._since = t
        due = bisect_right(self.times, t + 1e-12, lo=self._seen)
        for k in range(self._seen, due):
            self._open += exp(-max(t - self.times[k], 0.0) / self.tau)
        self._seen = due
        return self.conductance * self._open * (self.reversal - v)

    def reset(self) -> None:
        """Start again before the first event."""
        self._open, self._since, self._seen = 0.0, 0.0, 0


@attrs.define(eq=False)
class _Gated:
    """A conductance of gates, each to a power; every gate starts in its steady state."""

    conductance: float = attrs.field(converter=quantity("S", "conductance"))
    reversal: float = attrs.field(converter=quantity("V", "reversal"))
    _gates: list[float] | None = attrs.field(init=False, default=None, repr=False)
    _last: float = attrs.field(init=False, default=0.0, repr=False)

    # (steady state, time constant in ms, power), functions of the potential in mV
    _KINETICS: ClassVar[tuple[_Kinetics, ...]] = ()

    def __call__(self, t: float, v: float) -> float:
        """Give the current (A) at a time (s) and a potential (V)."""
        u = min(max(v * 1e3, -_FAR), _FAR)
        if self._gates is None:
            self._gates = [steady(u) for steady, _, _ in self._KINETICS]
        elapsed, self._last = (t - self._last) * 1e3, t
        opened = 1.0
        for k, (steady, tau, power) in enumerate(self._KINETICS):
            end = steady(u)
            gate = end + (self._gates[k] - end) * exp(-elapsed / tau(u))
            self._gates[k] = gate
            opened *= gate**power
        return self.conductance * opened * (self.reversal - v)

    def reset(self) -> None:
        """Start again from the steady state of the next potential."""
        self._gates, self._last = None, 0.0


_FAR = 500.0
"""Potential (mV) beyond which the rates are those there: a board's input is bounded too."""


def _boltzmann(half: float, slope: float) -> Callable[[float], float]:
    return lambda u: 1 / (1 + exp((u - half) / slope))


def _h_tau(u: float) -> float:
    return 1 / (exp(-14.59 - 0.086 * u) + exp(-1.87 + 0.0701 * u))


def _a_tau_m(u: float) -> float:
    return 1 / (exp((u + 35.82) / 19.69) + exp(-(u + 79.69) / 12.7)) + 0.37


def _a_tau_h(u: float) -> float:
    if u >= -63:
        return 19.0
    return 1 / (exp((u + 46.05) / 5) + exp(-(u + 238.4) / 37.45))


@attrs.define(eq=False)
class HCurrent(_Gated):
    """The hyperpolarisation-activated current I_h, which makes sag and rebound.

    Parameters
    ----------
    conductance : quantity or str
        With the gate open.
    reversal : quantity or str
        Default -43 mV.

    Notes
    -----
    Source: Huguenard & McCormick 1992, J Neurophysiol 68:1373; the same kinetics as in the
    library cell "sag".
    """

    reversal: float = attrs.field(
        default=si_default("-43 mV", "V"), converter=quantity("V", "reversal")
    )
    _KINETICS: ClassVar[tuple[_Kinetics, ...]] = ((_boltzmann(-75.0, 5.5), _h_tau, 1),)


@attrs.define(eq=False)
class ACurrent(_Gated):
    """The transient potassium current I_A, which delays the first spike.

    Parameters
    ----------
    conductance : quantity or str
        With all gates open.
    reversal : quantity or str
        Default -90 mV.

    Notes
    -----
    Source: Huguenard & McCormick 1992, J Neurophysiol 68:1373 (m^4 h, their first component).
    """

    reversal: float = attrs.field(
        default=si_default("-90 mV", "V"), converter=quantity("V", "reversal")
    )
    _KINETICS: ClassVar[tuple[_Kinetics, ...]] = (
        (_boltzmann(-60.0, -8.5), _a_tau_m, 4),
        (_boltzmann(-78.0, 6.0), _a_tau_h, 1),
    )


def _above_zero(value: float, name: str, unit: str) -> None:
    if not value > 0:
        msg = f"{name} must be above 0 {unit}, got {value:g} {unit}"
        raise InputError(msg)

"""What the amplifier does: current clamp with bridge, voltage clamp with compensation."""

from __future__ import annotations

import math

import attrs

from cleo_like.core.arrays import si_default, whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.sweep import ClampMode
from cleo_like.core.units.dimensions import SIFloat
from cleo_like.core.units.table import UNITS, show
from cleo_like.patch.pipette.fields import check_above_zero, check_range, pure, quantity

MOST_POLES = 10
_TAU_SUM = 40e-6
"""Time constant (s) of the summing amplifier: Lei et al. 2020, Phil Trans A 378:20190348."""
STABLE = 0.95
"""Compensation that is called stable when 1 or more is asked for."""

_optional = attrs.converters.optional


def _check_filter(part: CurrentClamp | VoltageClamp) -> None:
    check_above_zero(part, "lowpass", "Hz", "leave it out (None) for the full bandwidth")
    check_above_zero(part, "command_lowpass", "Hz", "leave it out (None) for no filter")
    if part.poles > MOST_POLES:
        msg = f"poles must be 1 to {MOST_POLES}, got {part.poles}"
        raise InputError(msg)


def _check_share(part: CurrentClamp | VoltageClamp, name: str, why: str) -> None:
    value = getattr(part, name)
    if value < 0:
        msg = f"{name} must be 0 or more, got {value:g}"
        raise InputError(msg)
    if value >= 1:
        msg = f"{name} must be below 1, got {value:g}: {why}; {name}={STABLE} would be stable"
        raise InputError(msg)


@attrs.frozen(kw_only=True)
class CurrentClamp:
    """Current clamp: the pipette's potential, with what the amplifier takes away from it.

    Parameters
    ----------
    bridge : quantity, optional
        Bridge balance: this times the command is subtracted. None (default): balanced, equal
        to the access resistance at the start of the recording.
    neutralisation : float
        Share of the pipette's capacitance that is neutralised, 0 to below 1 (default 0).
    holding : quantity
        Current that the amplifier adds to the command of the protocol (default 0 pA).
    lowpass : quantity, optional
        -3 dB frequency of the output's Bessel filter, which works before sampling (default
        10 kHz); None records the full bandwidth.
    poles : int
        Its order (default 4).
    command_lowpass : quantity, optional
        -3 dB frequency of a 2-pole Bessel filter of the command (default: none).
    gain : float
        Output per potential, V/V (default 10); with the digitiser's range it gives the size
        of a code.

    Examples
    --------
    >>> CurrentClamp(neutralisation=0.9)
    CurrentClamp(bridge balanced, neutralisation 0.9, 4-pole Bessel 10 kHz)
    """

    bridge: float | None = attrs.field(
        default=None, converter=_optional(quantity("ohm", "bridge"))
    )
    neutralisation: float = attrs.field(default=0.0, converter=pure("neutralisation"))
    holding: float = attrs.field(default=0.0, converter=quantity("A", "holding"))
    lowpass: float | None = attrs.field(
        default=si_default("10 kHz", "Hz"), converter=_optional(quantity("Hz", "lowpass"))
    )
    poles: int = attrs.field(default=4, converter=whole_number("poles", 1))
    command_lowpass: float | None = attrs.field(
        default=None, converter=_optional(quantity("Hz", "command_lowpass"))
    )
    gain: float = attrs.field(default=10.0, converter=pure("gain"))

    def __attrs_post_init__(self) -> None:
        """Check the limits."""
        check_range(self, "bridge", (0.0, math.inf), "ohm")
        _check_share(self, "neutralisation", "the feedback would ring")
        _check_filter(self)
        check_above_zero(self, "gain", "1")

    @property
    def mode(self) -> ClampMode:
        """Current clamp."""
        return ClampMode.CURRENT

    def __repr__(self) -> str:
        """One line."""
        bridge = "balanced" if self.bridge is None else show(self.bridge, "ohm")
        parts = [f"bridge {bridge}", f"neutralisation {self.neutralisation:g}"]
        if self.holding:
            parts.append(f"holding {show(self.holding, 'A')}")
        return f"CurrentClamp({', '.join([*parts, filter_text(self)])})"


@attrs.frozen(kw_only=True)
class VoltageClamp:
    """Voltage clamp with series-resistance and whole-cell compensation.

    The circuit is that of Lei et al. 2020 with prediction and correction apart.

    Parameters
    ----------
    correction : float
        Share of the drop over the series resistance that feedback corrects, 0 to below 1.
    prediction : float
        Share that is predicted from the command ("supercharging"), 0 to below 1; needs the
        whole-cell settings.
    series_resistance : quantity, optional
        The amplifier's estimate of the access resistance. None (default): the true one at
        the start of the recording.
    whole_cell_capacitance : quantity, optional
        Cell capacitance whose charging current is taken away (whole-cell compensation). None
        (default): off.
    fast_capacitance : quantity
        Pipette capacitance that is compensated (default 0 pF).
    bandwidth : quantity
        Of the summing amplifier and so of the correction (default 3979 Hz: 40 us).
    clamp_time, output_time : quantity
        Time constants of the clamp (0.8 us) and of the current monitor (7.5 us).
    holding : quantity
        Potential that the amplifier adds to the command of the protocol (default 0 mV).
    feedback_resistance : quantity
        Of the headstage (default 500 MOhm); it makes noise, and its 10 V end at 20 nA.
    lowpass, poles, command_lowpass
        As in `CurrentClamp`.
    gain : float
        Output gain (default 1): the output is current times gain times feedback resistance.

    Examples
    --------
    >>> VoltageClamp(correction=0.7, prediction=0.7, whole_cell_capacitance="100 pF")
    VoltageClamp(correction 0.7, prediction 0.7, whole-cell 100 pF, 4-pole Bessel 10 kHz)
    """

    correction: float = attrs.field(default=0.0, converter=pure("correction"))
    prediction: float = attrs.field(default=0.0, converter=pure("prediction"))
    series_resistance: float | None = attrs.field(
        default=None, converter=_optional(quantity("ohm", "series_resistance"))
    )
    whole_cell_capacitance: float | None = attrs.field(
        default=None, converter=_optional(quantity("F", "whole_cell_capacitance"))
    )
    fast_capacitance: float = attrs.field(
        default=0.0, converter=quantity("F", "fast_capacitance")
    )
    bandwidth: float = attrs.field(
        default=SIFloat.of(1 / (2 * math.pi * _TAU_SUM), UNITS["Hz"].dimension),
        converter=quantity("Hz", "bandwidth"),
    )
    clamp_time: float = attrs.field(
        default=si_default("0.8 us", "s"), converter=quantity("s", "clamp_time")
    )
    output_time: float = attrs.field(
        default=si_default("7.5 us", "s"), converter=quantity("s", "output_time")
    )
    holding: float = attrs.field(default=0.0, converter=quantity("V", "holding"))
    feedback_resistance: float = attrs.field(
        default=si_default("500 MOhm", "ohm"), converter=quantity("ohm", "feedback_resistance")
    )
    lowpass: float | None = attrs.field(
        default=si_default("10 kHz", "Hz"), converter=_optional(quantity("Hz", "lowpass"))
    )
    poles: int = attrs.field(default=4, converter=whole_number("poles", 1))
    command_lowpass: float | None = attrs.field(
        default=None, converter=_optional(quantity("Hz", "command_lowpass"))
    )
    gain: float = attrs.field(default=1.0, converter=pure("gain"))

    def __attrs_post_init__(self) -> None:
        """Check the limits."""
        why = "the feedback would oscillate"
        _check_share(self, "correction", why)
        _check_share(self, "prediction", "the predicted step would be infinite")
        if self.prediction > 0 and self.whole_cell_capacitance is None:
            msg = (
                "prediction needs the amplifier's estimate of the cell's capacitance; give "
                "whole_cell_capacitance=..., or prediction=0"
            )
            raise InputError(msg)
        for name, unit in _ABOVE_ZERO.items():
            check_above_zero(self, name, unit)
        check_range(self, "fast_capacitance", (0.0, 100e-12), "F")
        _check_filter(self)

    @property
    def mode(self) -> ClampMode:
        """Voltage clamp."""
        return ClampMode.VOLTAGE

    @property
    def sum_time(self) -> float:
        """Time constant of the summing amplifier (s)."""
        return 1 / (2 * math.pi * self.bandwidth)

    def __repr__(self) -> str:
        """One line."""
        parts = [f"correction {self.correction:g}", f"prediction {self.prediction:g}"]
        if self.whole_cell_capacitance is not None:
            parts.append(f"whole-cell {show(self.whole_cell_capacitance, 'F')}")
        if self.holding:
            parts.append(f"holding {show(self.holding, 'V')}")
        return f"VoltageClamp({', '.join([*parts, filter_text(self)])})"


_ABOVE_ZERO = {
    "series_resistance": "ohm", "whole_cell_capacitance": "F", "bandwidth": "Hz",
    "clamp_time": "s", "output_time": "s", "feedback_resistance": "ohm", "gain": "1",
}  # fmt: skip


def filter_text(part: CurrentClamp | VoltageClamp) -> str:
    """Name the output filter: "4-pole Bessel 10 kHz"."""
    if part.lowpass is None:
        return "full bandwidth"
    return f"{part.poles}-pole Bessel {part.lowpass / 1e3:g} kHz"

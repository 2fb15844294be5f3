"""The glass: access resistance, pipette capacitance, seal, potentials, thermal noise."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_default
from cleo_like.core.errors import InputError
from cleo_like.core.units import celsius
from cleo_like.core.units.table import show
from cleo_like.patch.pipette.fields import check_above_zero, check_range, quantity

BOLTZMANN = 1.380649e-23  # J/K
MOST_ACCESS = 100e6
"""Access resistance (ohm) above which a whole-cell recording is none: 5 times the 20 MOhm
that quality control allows (ipfx qc_criteria.json)."""
LEAST_CAPACITANCE = 1e-15
"""Capacitance (F) that the pipette node keeps when nothing is left of it."""


def _temperature(value: object) -> float:
    return celsius(value, "temperature")


@attrs.frozen(kw_only=True)
class Electrode:
    """A patch pipette in whole-cell configuration.

    Parameters
    ----------
    access_resistance : quantity
        Between pipette and cell (default 10 MOhm; at most 100 MOhm).
    access_resistance_end : quantity, optional
        Access resistance of the last sweep; it drifts linearly with the start of the sweeps
        and is constant within each. None (default): it does not drift.
    capacitance : quantity
        Capacitance of the pipette wall and the holder (default 5 pF).
    seal : quantity, optional
        Seal resistance: a leak from the cell to 0 mV. None (default): no leak.
    junction_potential : quantity
        Liquid junction potential that is not corrected: the reported potential is the true
        one plus this (default 0 mV).
    offset : quantity
        Error of the zero of the amplifier, added in the same way (default 0 mV).
    johnson_noise : bool
        Whether the access resistance (and the seal) make thermal noise (default True).
    temperature : float
        Of the thermal noise in degrees Celsius, or text such as "300 K" (default 25).

    Examples
    --------
    >>> Electrode(access_resistance="15 MOhm", seal="2 GOhm")
    Electrode(15 MOhm, 5 pF, seal 2000 MOhm)
    """

    access_resistance: float = attrs.field(
        default=si_default("10 MOhm", "ohm"), converter=quantity("ohm", "access_resistance")
    )
    access_resistance_end: float | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(quantity("ohm", "access_resistance_end")),
    )
    capacitance: float = attrs.field(
        default=si_default("5 pF", "F"), converter=quantity("F", "capacitance")
    )
    seal: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(quantity("ohm", "seal"))
    )
    junction_potential: float = attrs.field(
        default=0.0, converter=quantity("V", "junction_potential")
    )
    offset: float = attrs.field(default=0.0, converter=quantity("V", "offset"))
    johnson_noise: bool = True
    temperature: float = attrs.field(default=25.0, converter=_temperature)

    def __attrs_post_init__(self) -> None:
        """Check the limits."""
        ideal = "the preset 'ideal' is an electrode without resistance"
        for name in ("access_resistance", "access_resistance_end"):
            check_above_zero(self, name, "ohm", ideal)
            check_range(
                self, name, (0.0, MOST_ACCESS), "ohm",
                "beyond it the cell cannot be recorded from",
            )  # fmt: skip
        check_range(self, "capacitance", (0.0, 100e-12), "F")
        check_above_zero(self, "seal", "ohm", "leave it out for no leak")
        for name in ("junction_potential", "offset"):
            check_range(self, name, (-0.1, 0.1), "V")
        if not isinstance(self.johnson_noise, bool):
            msg = f"johnson_noise must be True or False, got {self.johnson_noise!r}"
            raise InputError(msg)
        if self.temperature <= -273.15:
            msg = f"temperature must be above -273.15 degC, got {self.temperature:g} degC"
            raise InputError(msg)

    def access(self, start_times: Any) -> np.ndarray:
        """Give the access resistance (ohm) of sweeps that start at these times (s)."""
        times = np.asarray(start_times, dtype=float)
        last = self.access_resistance_end
        if last is None or times.size < 2 or times[-1] == times[0]:
            return np.full(times.shape, float(self.access_resistance))
        share = (times - times[0]) / (times[-1] - times[0])
        return self.access_resistance + share * (last - self.access_resistance)

    @property
    def drifts(self) -> bool:
        """Whether the access resistance changes from sweep to sweep."""
        return self.access_resistance_end not in {None, self.access_resistance}

    @property
    def error(self) -> float:
        """What the reported potential has too much (V): junction potential and offset."""
        return self.junction_potential + self.offset

    @property
    def thermal_energy(self) -> float:
        """4 k T (J)."""
        return 4 * BOLTZMANN * (self.temperature + 273.15)

    def __repr__(self) -> str:
        """One line in MOhm and pF."""
        access = show(self.access_resistance, "ohm")
        if self.access_resistance_end is not None:
            access += f" to {show(self.access_resistance_end, 'ohm')}"
        seal = "" if self.seal is None else f", seal {show(self.seal, 'ohm')}"
        return f"Electrode({access}, {show(self.capacitance, 'F')}{seal})"

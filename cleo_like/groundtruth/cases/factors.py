"""What can differ between two cases: every factor with its unit, range and default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.cells import cell_names
from cleo_like.core.errors import InputError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTOCOLS = (
    "steps_500", "steps_600", "steps_1000", "steps_test_pulse", "steps_held", "steps_block",
    "one_step", "ramp", "chirp",
)  # fmt: skip
"""Families of steps of 0.5, 0.6 and 1 s; with a test pulse; held 5 mV below rest; up to four
times rheobase and eight; a single step of -20 pA; a ramp; a chirp."""


@attrs.frozen(kw_only=True)
class Factor:
    """One thing that can be chosen for a case.

    Parameters
    ----------
    meaning : str
        One line.
    default : str or float
        Where a cases file says nothing.
    unit : str
        Of the numbers in a cases file; empty for words and counts.
    choices : tuple of str
        The words that are taken; empty for numbers.
    low, high : float
        Range of a number.
    whole : bool
        Whether only whole numbers make sense.
    """

    meaning: str
    default: str | float
    unit: str = ""
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False

    def check(self, name: str, value: Any) -> str | float:
        """Give a legal value as it is kept.

        Raises
        ------
        InputError
            A number out of range, or none.
        UnknownNameError
            A word that is not among the choices.
        """
        if self.choices:
            if value not in self.choices:
                raise unknown_name(name, str(value), self.choices)
            return str(value)
        unit = f" {self.unit}" if self.unit else ""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            msg = f"{name} is a number{f' in {self.unit}' if unit else ''}, got {value!r}"
            raise InputError(msg)
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            kind = "a whole number of " if self.whole else ""
            msg = f"{name} must be {kind}{self.low:g} to {self.high:g}{unit}, got {value!r}"
            raise InputError(msg)
        return float(value)


FACTORS: Mapping[str, Factor] = {
    "cell": Factor(meaning="cell of the library", default="rs", choices=cell_names()),
    "member": Factor(
        meaning="0: the library's cell; 1, 2 ...: drawn about it", default=0.0, high=1e4,
        whole=True,
    ),
    "protocol": Factor(meaning="what is played", default="steps_500", choices=PROTOCOLS),
    "noise": Factor(meaning="rms of the recording noise", default=0.1, unit="mV", high=10.0),
    "noise_colour": Factor(
        meaning="white, or 1/f from 1 Hz", default="white", choices=("white", "pink")
    ),
    "access_error": Factor(
        meaning="access resistance that the bridge leaves", default=0.0, unit="MOhm",
        low=-100.0, high=100.0,
    ),
    "capacitance": Factor(
        meaning="pipette capacitance that is left behind 20 MOhm of access", default=0.0,
        unit="pF", high=20.0,
    ),
    "filter": Factor(
        meaning="4-pole Bessel filter before sampling; 0: none", default=10.0, unit="kHz",
        high=150.0,
    ),
    "rate": Factor(meaning="sampling rate", default=50.0, unit="kHz", low=5.0, high=200.0),
    "adc": Factor(meaning="step of the converter", default=0.03125, unit="mV",
                  low=1e-4, high=5.0),
    "drift": Factor(meaning="drift from start to end of a sweep", default=0.0, unit="mV",
                    low=-20.0, high=20.0),
    "mains": Factor(meaning="amplitude of 50 Hz pickup", default=0.0, unit="mV", high=5.0),
    "synaptic": Factor(
        meaning="SD of spontaneous synaptic fluctuations at rest (3 ms currents)", default=0.0,
        unit="mV", high=5.0,
    ),
    "command_noise": Factor(
        meaning="SD of the noise of the recorded command", default=0.0, unit="pA", high=50.0
    ),
}  # fmt: skip
"""Every factor of a patch-clamp case; those of imaging are in `calcium_factors`."""

RIG = (
    "noise", "noise_colour", "access_error", "filter", "rate", "adc", "drift", "mains",
    "command_noise",
)  # fmt: skip
"""Factors that change the recording and leave the cell's potential as it is."""


def checked(
    values: Mapping[str, Any], where: str, factors: Mapping[str, Factor] = FACTORS
) -> dict[str, str | float]:
    """Check names and values of some factors.

    Parameters
    ----------
    values : mapping
        As a cases file gives them.
    where : str
        Place in the file, for errors.
    factors : mapping of str to Factor
        Those that there are.

    Returns
    -------
    dict
        Only the given ones.

    Raises
    ------
    UnknownNameError
        A factor that there is none of; the message says which there are.
    """
    out = {}
    for name, value in values.items():
        if name not in factors:
            raise unknown_name(f"factor in {where}", name, factors)
        out[name] = factors[name].check(f"{name} in {where}", value)
    return out


def defaults(factors: Mapping[str, Factor] = FACTORS) -> dict[str, str | float]:
    """Give the case in which nothing was chosen."""
    return {name: factor.default for name, factor in factors.items()}

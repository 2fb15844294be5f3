"""The converters: commands become codes going out, responses become codes coming in."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_default, whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.units import si_choice
from cleo_like.core.units.dimensions import SIFloat
from cleo_like.core.units.table import UNITS, show
from cleo_like.patch.pipette.fields import check_above_zero, check_range, quantity
from cleo_like.stimuli.design import Dac

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float


def _response(name: str) -> Callable[[Any], float]:
    """Make a converter of a potential or a current; 0 is 0 in either."""

    def convert(value: object) -> float:
        if type(value) in {int, float} and value == 0:
            return 0.0
        unit, _ = si_choice(value, ("V", "A"), name)
        return quantity(unit if unit is not None else "V", name)(value)

    return convert


@attrs.frozen(kw_only=True)
class Digitiser:
    """Digital-to-analogue converter of the command, analogue-to-digital one of the response.

    Parameters
    ----------
    command : Dac, optional
        Rounds the command and refuses one beyond its range. None (default): the command is
        played as it is.
    bits : int
        Resolution of the input (default 16).
    input_range : quantity
        Largest input (default 10.24 V, the range of Axon Binary Files); the amplifier's gain
        tells what that is of the response.
    pickup : quantity
        Amplitude of the mains in the response: a potential in current clamp, a current in
        voltage clamp (default 0). Its phase is that of the recording's clock.
    mains : quantity
        Frequency of the mains (default 50 Hz).
    drift : quantity
        Slow drift of the response from the start of a sweep to its end (default 0).
    rate : quantity, optional
        Sampling rate, where it is fixed; a protocol at another rate is refused.

    Examples
    --------
    >>> Digitiser(bits=16, pickup="0.05 mV")
    Digitiser(16 bits, 10.24 V, pickup 0.05 mV at 50 Hz)
    """

    command: Dac | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(Dac))
    )
    bits: int = attrs.field(default=16, converter=whole_number("bits", 2))
    input_range: float = attrs.field(
        default=si_default("10.24 V", "V"), converter=quantity("V", "input_range")
    )
    pickup: float = attrs.field(default=0.0, converter=_response("pickup"))
    mains: float = attrs.field(
        default=si_default("50 Hz", "Hz"), converter=quantity("Hz", "mains")
    )
    drift: float = attrs.field(default=0.0, converter=_response("drift"))
    rate: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(quantity("Hz", "rate"))
    )

    def __attrs_post_init__(self) -> None:
        """Check the limits."""
        if self.bits > 32:
            msg = f"bits must be 2 to 32, got {self.bits}"
            raise InputError(msg)
        check_above_zero(self, "input_range", "V")
        check_range(self, "pickup", (0.0, np.inf), _unit(self.pickup) or "V")
        check_above_zero(self, "mains", "Hz")
        check_above_zero(self, "rate", "Hz")

    def check(self, rate: float, units: tuple[str, str]) -> None:
        """Refuse another sampling rate, and parts that are for the other clamp mode.

        Parameters
        ----------
        rate : float
            Of the protocol (Hz).
        units : tuple of str
            SI units of command and response.
        """
        if self.rate is not None and abs(self.rate - rate) > 1e-6 * rate:
            msg = (
                f"the digitiser samples at {self.rate:g} Hz but the protocol has {rate:g} Hz; "
                "make the protocol at the digitiser's rate, or leave out the digitiser's rate="
            )
            raise InputError(msg)
        command, response = units
        if self.command is not None and self.command.unit != command:
            msg = (
                f"the digitiser's command is in {self.command.unit}, the protocol's in "
                f"{command}; give Digitiser(command=Dac({_EXAMPLE[command]!r}))"
            )
            raise InputError(msg)
        for name in ("pickup", "drift"):
            unit = _unit(getattr(self, name))
            if unit not in {None, response}:
                msg = f"{name} is in {unit}, the response in {response}; give it in {response}"
                raise InputError(msg)

    def lsb(self, gain: float) -> float:
        """Give the response of one code, for an amplifier of that gain (V per V or A)."""
        return self.input_range / gain / 2 ** (self.bits - 1)

    def code(self, gain: float) -> tuple[float, float]:
        """Give the response of one code, and how many codes there are on each side of 0."""
        return float(self.lsb(gain)), float(2 ** (self.bits - 1))

    def disturbed(
        self, response: Float[np.ndarray, "n_sweeps n_samples"], rate: float, starts: Any
    ) -> Float[np.ndarray, "n_sweeps n_samples"]:
        """Add the mains and the drift, in place, to sweeps that start at these times (s)."""
        n = response.shape[1]
        if self.pickup:
            phase = 2 * np.pi * self.mains
            wave = phase * np.arange(n) / rate + phase * np.asarray(starts)[:, np.newaxis]
            response += self.pickup * np.sin(wave)
        if self.drift:
            response += self.drift * np.arange(n) / n
        return response

    def digitised(
        self, response: Float[np.ndarray, "n_sweeps n_samples"], gain: float
    ) -> tuple[Float[np.ndarray, "n_sweeps n_samples"], np.ndarray]:
        """Round to codes, in place, and clip to the range.

        Returns
        -------
        response : array
            The same array.
        clipped : array of int, shape (n_sweeps,)
            Samples of each sweep that left the range.
        """
        clipped = np.zeros(len(response), dtype=int)
        outside = rounded(response, *self.code(gain))
        return response, clipped if outside is None else outside.sum(axis=1)

    def description(self) -> dict[str, Any]:
        """Give the settings in SI."""
        found = attrs.asdict(self)
        if self.command is not None:
            found["command"] = attrs.asdict(self.command) | {"unit": self.command.unit}
        return found

    def __repr__(self) -> str:
        """One line."""
        parts = [f"{self.bits} bits", f"{self.input_range:g} V"]
        if self.command is not None:
            parts.append(f"command +-{show(self.command.full_scale, self.command.unit)}")
        if self.pickup:
            unit = _unit(self.pickup) or "V"
            parts.append(f"pickup {show(self.pickup, unit)} at {self.mains:g} Hz")
        if self.drift:
            parts.append(f"drift {show(self.drift, _unit(self.drift) or 'V')}")
        return f"Digitiser({', '.join(parts)})"


_least, _most = (
    functools.partial(extreme.reduce, axis=None) for extreme in (np.minimum, np.maximum)
)


def rounded(response: np.ndarray, lsb: float, half: float) -> np.ndarray | None:
    """Round to codes and clip, in place; says which samples were clipped, None: none."""
    response /= lsb
    np.rint(response, out=response)
    low, high = -half, half - 1
    outside = None
    if response.size and (_least(response) < low or _most(response) > high):
        outside = (response < low) | (response > high)
        np.clip(response, low, high, out=response)
    response *= lsb
    return outside


_EXAMPLE = {"A": "4096 pA", "V": "204.8 mV"}


def _unit(value: float) -> str | None:
    """Give the unit that a value came in; None for a plain 0."""
    if not isinstance(value, SIFloat):
        return None
    return "A" if value.dimension == UNITS["A"].dimension else "V"

"""Converters and limits that the parts of a rig share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleo_like.core.arrays import si_required
from cleo_like.core.errors import InputError
from cleo_like.core.units import number
from cleo_like.core.units.table import show

if TYPE_CHECKING:
    from collections.abc import Callable


def quantity(unit: str, name: str) -> Callable[[Any], float]:
    """Make a converter of a field with a unit; a plain 0 is 0 in any unit."""
    convert = si_required(unit, name)

    def convert_or_zero(value: object) -> float:
        if type(value) in {int, float} and value == 0:
            return 0.0
        return convert(value)

    return convert_or_zero


def pure(name: str) -> Callable[[Any], float]:
    """Make a converter of a pure number ("70 %" too)."""
    return lambda value: number(value, name)


def check_range(
    part: Any, name: str, limits: tuple[float, float], unit: str, advice: str = ""
) -> None:
    """Refuse a value (or None) outside [low, high].

    Raises
    ------
    InputError
        Says the limits, the value and, where given, what to write instead.
    """
    value, (low, high) = getattr(part, name), limits
    if value is None or low <= value <= high:
        return
    limit = (
        f"{show(low, unit)} or more"
        if high == float("inf")
        else f"{show(low, unit)} to {show(high, unit)}"
    )
    msg = f"{name} must be {limit}, got {show(value, unit)}"
    raise InputError(f"{msg}; {advice}" if advice else msg)


def check_above_zero(part: Any, name: str, unit: str, advice: str = "") -> None:
    """Refuse a value that is zero or negative (None passes)."""
    value = getattr(part, name)
    if value is None or value > 0:
        return
    msg = f"{name} must be above 0, got {show(value, unit)}"
    raise InputError(f"{msg}; {advice}" if advice else msg)

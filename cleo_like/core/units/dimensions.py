"""What a quantity of any package is: exponents of the SI base units, and its SI value.

Brian2, ``quantities``, pint, astropy and unyt are recognised by their attributes, so none of
them is imported; durations of numpy and of the standard library are quantities too.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np

from cleo_like.core.errors import UnitError

BASE = ("m", "kg", "s", "A", "K", "mol", "cd")
"""The SI base units, in the order of all exponents."""
Dimension = tuple[float, ...]
PURE: Dimension = (0.0,) * 7
"""Exponents of a pure number."""
_SECOND: Dimension = (0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)

# what other packages call the base units, with the size in SI; angles are pure numbers
_NAMES: dict[str, tuple[str, float]] = {
    **{symbol: (symbol, 1.0) for symbol in BASE},
    "meter": ("m", 1.0), "metre": ("m", 1.0), "length": ("m", 1.0),
    "kilogram": ("kg", 1.0), "gram": ("kg", 1e-3), "g": ("kg", 1e-3), "mass": ("kg", 1.0),
    "second": ("s", 1.0), "time": ("s", 1.0),
    "ampere": ("A", 1.0), "current_mks": ("A", 1.0),
    "kelvin": ("K", 1.0), "temperature": ("K", 1.0),
    "mole": ("mol", 1.0), "candela": ("cd", 1.0), "luminous_intensity": ("cd", 1.0),
    "rad": ("", 1.0), "radian": ("", 1.0), "angle": ("", 1.0), "1": ("", 1.0),
}  # fmt: skip
_ANGLES = ("rad", "radian", "angle", "deg", "degree", "rpm")
# temperatures that do not count from absolute zero: degree in K, and where 0 is
_CELSIUS, _FAHRENHEIT = (1.0, 273.15), (5 / 9, 459.67 * 5 / 9)
_OFFSETS = {"degC": _CELSIUS, "deg_C": _CELSIUS, "degF": _FAHRENHEIT, "deg_F": _FAHRENHEIT}


class SIFloat(float):
    """A number that has been converted to SI and knows its dimension.

    A copy, or another model that takes it over, need not carry its unit again. `unit` may
    name the unit in the words of Brian2 ("siemens").
    """

    dimension: Dimension = PURE
    unit: str = ""

    @classmethod
    def of(cls, value: float, dimension: Dimension, unit: str = "") -> SIFloat:
        """Make one."""
        made = cls(value)
        made.dimension, made.unit = dimension, unit
        return made


def has_unit(value: object) -> bool:
    """Whether a value says its unit itself (text does not count; a list is not looked into)."""
    if isinstance(value, (SIFloat, timedelta, np.timedelta64)):
        return True
    if isinstance(value, _PLAIN):
        return False
    nouns = ("dim", "units", "unit", "dimensionality")
    return any(_noun(value, n) for n in nouns) or label_of(value) is not None or _is_time(value)


_PLAIN = (str, bytes, int, float, type(None))


def _noun(value: object, name: str) -> bool:
    """Whether there is such an attribute; methods (torch's ``dim()``) do not count."""
    found = getattr(value, name, None)
    return found is not None and not callable(found)


def _is_time(value: object) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", "") == "m"


def label_of(value: object) -> str | None:
    """Give a unit that is written beside the numbers as text (xarray, pandas); None without."""
    notes = getattr(value, "attrs", None)
    notes = notes if isinstance(notes, Mapping) else {}
    for name in ("units", "unit"):
        label = notes.get(name, getattr(value, name, None))
        if isinstance(label, str):
            return label
    return None


def dimension_of(value: object) -> tuple[Dimension, np.ndarray] | None:
    """Give the exponents of (m, kg, s, A, K, mol, cd) and the SI value; None without a unit.

    Raises
    ------
    UnitError
        It has a unit that is not understood, or its numbers are not real.

    Examples
    --------
    >>> from brian2 import mV
    >>> dimension_of(5 * mV)
    ((2.0, 1.0, -3.0, -1.0, 0.0, 0.0, 0.0), array(0.005))
    """
    if isinstance(value, SIFloat):
        return value.dimension, np.asarray(float(value))
    if not has_unit(value) or label_of(value) is not None:
        return None
    for read in (_brian2, _quantities, _pint, _astropy, _unyt, _duration):
        found = read(value)
        if found is not None:
            return found
    kind = type(value).__name__
    msg = (
        f"cannot read the unit of a {kind} ({_short(value)}); give a Brian2, quantities, pint "
        "or astropy value, or text such as '100 pA'"
    )
    raise UnitError(msg)


def real_numbers(value: object) -> np.ndarray:
    """Give numbers as an array of floats (float32 stays); masked ones become NaN.

    Raises
    ------
    UnitError
        Complex numbers, truth values, texts, objects that are no numbers.
    """
    try:
        if isinstance(value, np.ma.MaskedArray):
            array = np.ma.filled(value.astype(float), np.nan)
        else:
            array = np.asarray(value)
        if (
            array.dtype.kind == "O"
            and array.ndim
            and all(isinstance(x, _REAL) for x in array.flat)
        ):
            array = array.astype(float)
        if array.dtype.kind in "fiu":
            keep = array.dtype == np.float32
            return array if keep else array.astype(np.float64, copy=False)
        kind = f"an array of {array.dtype}" if array.ndim else str(array.dtype)
        kind = type(value).__name__ if kind == "object" else kind
    except (TypeError, ValueError, OverflowError) as error:
        kind = f"{type(value).__name__} ({error})"
    msg = f"real numbers are needed, got {kind}"
    raise UnitError(msg)


_REAL = (numbers.Real, np.floating, np.integer, type(None))  # None is a missing sample


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _powers(powers: Mapping[str, Any]) -> tuple[Dimension, float] | None:
    """Give exponents in the order of `BASE`, and the factor to SI; None for other bases."""
    exponents, factor = dict.fromkeys(("", *BASE), 0.0), 1.0
    for name, power in powers.items():
        if name not in _NAMES:
            return None
        symbol, size = _NAMES[name]
        exponents[symbol] += float(power)
        factor *= size ** float(power)
    return tuple(exponents[symbol] for symbol in BASE), factor


def _scaled(numbers: object, powers: Mapping[str, Any], factor: float) -> Any:
    """Multiply in float64, whatever the type of the numbers: float16 would lose 1e-12."""
    read = _powers(powers)
    if read is None:
        return None
    _no_angle(powers, read[0])
    values = real_numbers(numbers).astype(np.float64)
    return read[0], np.asarray(values * (factor * read[1]))  # an array of no axis stays one


def _no_angle(powers: Mapping[str, Any], dimension: Dimension) -> None:
    """Refuse rad/s: other packages take an angle for 1, and 20 rad/s are 3.2 Hz, not 20."""
    if dimension != PURE and any(name in _ANGLES for name in powers):
        msg = "it is an angle per something; give cycles: divide it by 2*pi*rad"
        raise UnitError(msg)


def _warm(numbers: object, symbol: str) -> tuple[Dimension, np.ndarray]:
    degree, zero = _OFFSETS[symbol]
    kelvin = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    return kelvin, np.asarray(real_numbers(numbers).astype(np.float64) * degree + zero)


def _brian2(value: object) -> tuple[Dimension, np.ndarray] | None:
    exponents = getattr(getattr(value, "dim", None), "_dims", None)
    if exponents is None:
        return None  # a Brian2 Quantity stores SI values
    return tuple(float(e) for e in exponents), real_numbers(np.asarray(value)).astype(float)


def _quantities(value: Any) -> tuple[Dimension, np.ndarray] | None:
    if not (hasattr(value, "dimensionality") and hasattr(value, "simplified")):
        return None
    symbols = {unit.symbol: power for unit, power in value.dimensionality.items()}
    if len(symbols) == 1 and (symbol := next(iter(symbols))) in _OFFSETS:
        return _warm(value.magnitude, symbol)
    unit = value.units.simplified  # one of its units, in SI
    powers = {base.symbol: power for base, power in unit.dimensionality.items()}
    found = _scaled(value.magnitude, powers, float(unit.magnitude))
    if found is not None:
        _no_angle(symbols, found[0])  # `simplified` has dropped it
    return found


def _pint(value: Any) -> tuple[Dimension, np.ndarray] | None:
    if not (hasattr(value, "to_root_units") and hasattr(value, "magnitude")):
        return None
    # root units do not depend on the system (SI, cgs) that is set in the registry
    root = type(value)(real_numbers(value.magnitude).astype(float), value.units).to_root_units()
    return _scaled(root.magnitude, dict(root.unit_items()), 1.0)


def _astropy(value: Any) -> tuple[Dimension, np.ndarray] | None:
    if not (hasattr(value, "value") and hasattr(getattr(value, "unit", None), "decompose")):
        return None
    unit = value.unit.decompose()
    names = [base.name for base in getattr(unit, "bases", ())]
    if len(names) == 1 and names[0] in _OFFSETS:
        return _warm(value.value, names[0])
    if not names and not hasattr(unit, "scale"):
        return None  # logarithmic units
    return _scaled(value.value, dict(zip(names, unit.powers, strict=True)), float(unit.scale))


def _unyt(value: Any) -> tuple[Dimension, np.ndarray] | None:
    unit: Any = getattr(value, "units", None)
    if not (hasattr(unit, "base_value") and hasattr(unit, "dimensions")):
        return None
    if unit.base_offset:
        return _warm(value.value, str(unit).replace("°", "deg"))
    powers = {str(k).strip("()"): p for k, p in unit.dimensions.as_powers_dict().items()}
    return _scaled(value.value, powers, float(unit.base_value))


def _duration(value: object) -> tuple[Dimension, np.ndarray] | None:
    if isinstance(value, timedelta):
        return _SECOND, np.asarray(value.total_seconds())
    if isinstance(value, np.timedelta64) or _is_time(value):
        return _SECOND, np.asarray(np.asarray(value) / np.timedelta64(1, "s"))
    return None

"""The one converter through which physical quantities enter: unit in, SI float out.

Brian2, ``quantities``, pint, astropy and unyt values are recognised without importing any of
them (`cleo_like.core.units.dimensions`). Text such as ``"100 pA"`` is read too (the command
line uses it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import UnitError
from cleo_like.core.units.dimensions import (
    PURE,
    Dimension,
    SIFloat,
    dimension_of,
    has_unit,
    label_of,
    real_numbers,
)
from cleo_like.core.units.table import (
    TEXT,
    UNITS,
    ascii_text,
    dimension_text,
    is_number,
    text_factor,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "carries_unit", "celsius", "degrees", "number", "one_finite", "si", "si_array", "si_choice",
]  # fmt: skip


def si(value: object, unit: str, name: str) -> float:
    """Convert one physical argument to an SI float.

    Parameters
    ----------
    value : quantity or str
        A Brian2, ``quantities``, pint or astropy scalar, or text such as ``"100 pA"``. Of a
        unit without dimension ("1", "rad") also a plain number.
    unit : str
        The SI unit it must have: one of `UNITS`.
    name : str
        Name of the argument, for the error.

    Returns
    -------
    float
        The value in SI ("M" in mol/m^3).

    Raises
    ------
    UnitError
        A bare number, a wrong dimension, more than one value, or a value that is not finite.

    Examples
    --------
    >>> round(si("100 pA", "A", "amplitude") * 1e12, 9)
    100.0
    >>> si(100, "A", "amplitude")
    Traceback (most recent call last):
    ...
    cleo_like.core.errors.UnitError: amplitude=100 has no unit; did you mean 100*pA?
    """
    return one_finite(si_array(value, unit, name), (unit,), name)


def one_finite(array: np.ndarray, units: tuple[str, ...], name: str) -> float:
    """Give the one number of an array, or say that it must be one, and finite."""
    where = f" in {_either(units)}" if units != ("1",) else ""
    if array.size != 1:
        msg = f"{name} must be one value{where}, got {array.size} values"
        raise UnitError(msg)
    found = float(array.reshape(()))
    if not np.isfinite(found):
        msg = f"{name} must be a finite value{where}, got {found}"
        raise UnitError(msg)
    return found


def si_array(value: object, unit: str, name: str) -> np.ndarray:
    """Convert a physical argument of any shape to an SI float64 array.

    Parameters
    ----------
    value : quantity or str, or list of them, any shape
        As for `si`; a list of quantities or of texts is converted item by item.
    unit : str
        The SI unit it must have: one of `UNITS`.
    name : str
        Name of the argument, for the error.

    Returns
    -------
    ndarray
        Values in SI, in the shape given; a copy of its own.

    Examples
    --------
    >>> si_array(["1 ms", "2 s"], "s", "times")
    array([1.e-03, 2.e+00])
    """
    return np.array(_converted(value, (unit,), name, plain=False)[1], dtype=float)


def si_choice(
    value: object, units: tuple[str, ...], name: str
) -> tuple[str | None, np.ndarray]:
    """Convert samples that are in one of several units; plain numbers are SI already.

    Returns
    -------
    unit : str or None
        The unit that the value came in; None for plain numbers.
    array : array
        SI values. Plain arrays of float32 or float64 are not copied.
    """
    return _converted(value, units, name, plain=True)


def number(value: object, name: str) -> float:
    """Convert a pure number (a quantity without dimension and "50 %" are read too)."""
    return si(value, "1", name)


def degrees(value: object, name: str) -> float:
    """Convert an angle to degrees; a plain number is in degrees already.

    Examples
    --------
    >>> degrees(90, "rotate"), degrees("90 deg", "rotate")
    (90.0, 90.0)
    """
    if has_unit(value) or (isinstance(value, str) and not is_number(value)):
        return float(np.rad2deg(si(value, "rad", name)))
    return number(value, name)


def celsius(value: object, name: str) -> float:
    """Convert a temperature to degrees Celsius; a plain number is in degrees already.

    Examples
    --------
    >>> celsius(34, "temperature"), celsius("307.15 K", "temperature")
    (34.0, 34.0)
    """
    if isinstance(value, str):
        match = TEXT.match(ascii_text(value))
        if match is not None and (match[2] or "").replace(" ", "") in _CELSIUS:
            return float(match[1])
    if not (has_unit(value) or isinstance(value, str)):
        return number(value, name)
    return round(si(value, "K", name) - 273.15, 9)


_CELSIUS = ("", "degC", "°C", "C", "celsius")


def carries_unit(value: object) -> bool:
    """Whether a value, or any item of a list or of an array of objects, has a unit."""
    if isinstance(value, (str, bytes)):
        return True
    items = _items(value)
    if items is None:
        return has_unit(value)
    kinds = set(map(type, items))
    if kinds == {SIFloat}:  # answers of `rheobase` and its kin
        return True
    if all(issubclass(kind, _NUMBERS) for kind in kinds):
        return False
    return any(map(carries_unit, items))


_NUMBERS = (float, int, np.floating, np.integer)
_SAMPLES = (np.dtype(float), np.dtype(np.float32))


def _converted(
    value: object, units: tuple[str, ...], name: str, *, plain: bool
) -> tuple[str | None, np.ndarray]:
    if plain and type(value) is np.ndarray and value.dtype in _SAMPLES:
        return None, value  # what nearly every value is, without asking for units
    if isinstance(value, (str, bytes)):
        return _from_text(value, units, name)
    items = _items(value)
    if items is not None and len(items) and carries_unit(value):
        return _from_items(items, units, name)
    try:
        found = dimension_of(value)
        if found is not None:
            return _checked(value, found, units, name)
        label = label_of(value)
        if label is not None:
            unit, factor = _factor_of(label, units, name, label)
            return unit, real_numbers(value).astype(float) * factor
        if plain or PURE in (UNITS[u].dimension for u in units):
            return None, real_numbers(value)
    except UnitError as error:
        if str(error).startswith(name):
            raise
        msg = f"{name}, in {_either(units)}: {error}" if units != ("1",) else f"{name}: {error}"
        raise UnitError(msg) from error
    raise _no_unit(value, units[0], name)


def _items(value: object) -> Any:
    """Give the items of a list, a tuple or an array of objects; None for everything else."""
    if isinstance(value, (list, tuple)):
        return value
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("O", "U", "S") and hasattr(value, "__array__") and np.ndim(value):
        return list(np.asarray(value))
    return None


def _from_items(
    items: Iterable[Any], units: tuple[str, ...], name: str
) -> tuple[str | None, np.ndarray]:
    """Convert item by item; an item without a unit among others with one is refused."""
    found: list[tuple[str | None, np.ndarray]] = [
        _converted(item, units, f"{name}[{k}]", plain=False) for k, item in enumerate(items)
    ]
    kinds = sorted({str(unit) for unit, _ in found})
    if len(kinds) > 1:
        msg = f"{name} must be in one unit, got {' and '.join(kinds)} side by side"
        raise UnitError(msg)
    shapes = {array.shape for _, array in found}
    if len(shapes) > 1:
        msg = f"{name} must be a regular array; its items have the shapes {sorted(shapes)}"
        raise UnitError(msg)
    return found[0][0], np.stack([array for _, array in found])


def _checked(
    value: object, found: tuple[Dimension, np.ndarray], units: tuple[str, ...], name: str
) -> tuple[str | None, np.ndarray]:
    dimension, array = found
    for unit in units:
        if np.allclose(dimension, UNITS[unit].dimension):
            return unit, array
    shown = str(value) if array.size <= 4 else f"an array of shape {array.shape}"
    msg = (
        f"{name} must be in {_either(units)} (or another unit of {' or '.join(units)}), "
        f"got {shown} with the dimension {dimension_text(dimension)}"
    )
    if units == ("1",):
        msg = f"{name} must be a pure number, got {shown}"
    raise UnitError(msg)


def _either(units: tuple[str, ...]) -> str:
    return " or ".join(UNITS[unit].code if UNITS[unit].code != "1" else unit for unit in units)


def _from_text(value: str | bytes, units: tuple[str, ...], name: str) -> tuple[str, np.ndarray]:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    match = TEXT.match(ascii_text(text))
    common = UNITS[units[0]].text
    if match is None:
        how = f" with a unit; write for example '100 {common}'" if common else ""
        msg = f"{name}={text!r} is not a number{how}"
        raise UnitError(msg)
    if not match[2]:
        if UNITS[units[0]].dimension == PURE:
            return units[0], np.asarray(float(match[1]))
        raise _no_unit(text.strip(), units[0], name)
    unit, factor = _factor_of(match[2], units, name, text)
    return unit, np.asarray(float(match[1]) * factor)


def _factor_of(symbol: str, units: tuple[str, ...], name: str, text: str) -> tuple[str, float]:
    """Find the unit of a symbol among the allowed ones, and its size."""
    for unit in units:
        factor = text_factor(symbol, unit)
        if factor is not None:
            return unit, factor
    common = " or ".join(UNITS[u].text for u in units if UNITS[u].text)
    such = f" such as {common}" if common else ""
    msg = f"{name}={text!r}: expected a unit of {' or '.join(units)}{such}, got {symbol!r}"
    if units == ("1",):
        msg = f"{name}={text!r}: expected a pure number, got the unit {symbol!r}"
    raise UnitError(msg)


def _no_unit(value: object, unit: str, name: str) -> UnitError:
    """Say what to write instead; text gets text, code gets code."""
    code, text = UNITS[unit].code, UNITS[unit].text
    if isinstance(value, str):
        return UnitError(f"{name}={value} has no unit; did you mean '{value} {text}'?")
    if not isinstance(value, (int, float, np.number, np.ndarray, list, tuple)) and not (
        hasattr(value, "__array__")
    ):
        kind = type(value).__name__
        return UnitError(f"{name} must be a value in {code}, got {value!r} of type {kind}")
    if isinstance(value, (list, tuple)) and len(value):
        return _no_unit(value[0], unit, name)
    if isinstance(value, bool) or not np.size(value):
        return UnitError(f"{name} must be a value in {code}, got {value!r}")
    if np.size(value) > 1:
        return UnitError(f"{name} has no unit; multiply the array by {code}")
    return UnitError(f"{name}={value} has no unit; did you mean {value}*{code}?")

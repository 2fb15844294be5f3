"""Field converters shared by the nouns: read-only arrays and frozen mappings."""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError, PlaceError, UnitError
from cleo_like.core.units import carries_unit, one_finite, si, si_choice
from cleo_like.core.units.dimensions import SIFloat, dimension_of, has_unit
from cleo_like.core.units.table import UNITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def read_only(array: np.ndarray) -> np.ndarray:
    """Give a view that cannot be written to (the data are not copied)."""
    view = array.view()
    view.flags.writeable = False
    return view


def places(what: str, n: int, which: Any, of: str = "sweeps") -> np.ndarray:
    """Give the rows that an index of several means: a slice, places, or a mask.

    Raises
    ------
    PlaceError
        It is no index, or goes beyond the last row; the message begins with `what`.
    """
    try:
        return np.arange(n)[which]
    except (IndexError, TypeError) as error:
        msg = (
            f"{what} has {n} {of}: give a whole number, a slice, a list of places or a mask, "
            f"got [{which!r}]"
        )
        raise PlaceError(msg) from error


def si_samples(*units: str, name: str) -> Callable[[Any], np.ndarray]:
    """Make a converter to a read-only array: plain arrays are SI, quantities converted.

    float32 stays float32 (recordings are large); everything else becomes float64.
    A quantity, or a list of them, must have one of the given units.
    """

    def convert(value: Any) -> np.ndarray:
        return read_only(si_choice(value, units, name)[1])

    return convert


def samples_by_mode(kind: str, name: str, *, optional: bool = False) -> Any:
    """Make a converter of samples whose unit the clamp mode tells.

    Parameters
    ----------
    kind : str
        "command" or "response". The field ``mode`` must come before the converted one.
    name : str
        Name of the field, for the error.
    optional : bool
        Whether None stays None.
    """

    def convert(value: Any, noun: Any) -> np.ndarray | None:
        return (
            None
            if value is None and optional
            else read_only(_by_mode(value, noun.mode, kind, name))
        )

    return attrs.Converter(convert, takes_self=True)


def number_by_mode(kind: str, name: str) -> Any:
    """Make a converter of one number whose unit the clamp mode tells."""

    def convert(value: Any, noun: Any) -> float:
        array = _by_mode(value, noun.mode, kind, name)
        return one_finite(array, mode_units(noun.mode, kind), name)

    return attrs.Converter(convert, takes_self=True)


def mode_units(mode: Any, kind: str) -> tuple[str, ...]:
    """Units that the command or the response can have: both where the mode is unknown."""
    unit = getattr(mode, f"{kind}_unit")
    return ("V", "A") if unit == "?" else (unit,)


def _by_mode(value: object, mode: Any, kind: str, name: str) -> np.ndarray:
    units = mode_units(mode, kind)
    try:
        return si_choice(value, units, name)[1]
    except UnitError as error:
        if len(units) > 1 or not carries_unit(value):
            raise
        msg = f"{error}; mode is {mode}"
        raise UnitError(msg) from error


def si_number(unit: str, name: str) -> Callable[[Any], float]:
    """Make a converter of a scalar field: a plain number is SI, a quantity converted."""

    def convert(value: Any) -> float:
        if carries_unit(value):
            return si(value, unit, name)
        array = si_choice(value, (unit,), name)[1]
        # what is not finite is left to the noun, which knows whether it means something
        return float(array) if array.ndim == 0 else one_finite(array, (unit,), name)

    return convert


def whole_number(name: str, least: int | None = None) -> Callable[[Any], int]:
    """Make a converter to a whole number (3, numpy's 3, 3.0); anything else is refused."""

    def convert(value: Any) -> int:
        plain = isinstance(value, (int, float, np.integer, np.floating))
        if not plain or isinstance(value, (bool, SIFloat)) or value != value // 1:
            msg = f"{name} must be a whole number, got {value!r}"
            raise InputError(msg)
        if least is not None and value < least:
            msg = f"{name} must be {least} or more, got {value}"
            raise InputError(msg)
        return int(value)

    return convert


def si_value(value: object) -> Any:
    """Give a quantity as SI float or array; everything else stays as it is."""
    if not has_unit(value):
        return value
    found = dimension_of(value)
    if found is None:
        return value
    return float(found[1]) if found[1].ndim == 0 else found[1]


def samples(value: Any, unit: str, name: str) -> np.ndarray:
    """Give samples in one unit (SI); plain numbers are SI, and float64 stays as it is.

    Examples
    --------
    >>> samples(["10 pA", "20 pA"], "A", "command")
    array([1.e-11, 2.e-11])
    """
    if type(value) is np.ndarray and value.dtype == np.float64:
        return value  # block after block of a live cell
    return si_choice(value, (unit,), name)[1].astype(np.float64)


def moment(value: Any, name: str) -> float:
    """Give a time that is not before 0 (s); a plain number is in seconds.

    Examples
    --------
    >>> moment("20 ms", "at"), moment(2, "at")
    (0.02, 2.0)
    """
    found = si_number("s", name)(value)
    if not 0 <= found < np.inf:
        msg = f"{name} must be a time of 0 s or more, got {found:g} s"
        raise InputError(msg)
    return found


def si_mapping(values: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Copy a mapping into a read-only one; quantities in it become SI numbers."""
    return frozen_mapping({k: si_value(v) for k, v in as_mapping(values).items()})


def as_mapping(values: object, name: str = "it") -> Mapping[str, Any]:
    """Check that names come with values; None is empty."""
    if values is not None and not isinstance(values, Mapping):
        kind = type(values).__name__
        msg = f"{name} must be a mapping of names to values, got {kind}: {values!r}"
        raise InputError(msg)
    return values if values is not None else {}


def texts(value: Any) -> tuple[str, ...]:
    """Make a tuple of texts: one text is one of them, None is none."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def si_default(text: str, unit: str) -> float:
    """Make the default of a field that needs a unit: ``si_default("25 us", "s")``."""
    return si_required(unit, "the default")(text)


def as_tuple(values: Iterable[Any]) -> tuple[Any, ...]:
    """Make a tuple (the builtin itself, as a converter, hides its argument's type)."""
    return tuple(values)


def si_required(unit: str, name: str) -> Callable[[Any], float]:
    """Make a converter of a scalar field that needs a unit (a converted value passes)."""

    def convert(value: Any) -> float:
        return SIFloat.of(si(value, unit, name), UNITS[unit].dimension)

    return convert


def with_unit(unit: str) -> Callable[[Any], float]:
    """Make a converter of an answer (SI) to a number that carries its unit.

    Examples
    --------
    >>> from cleo_like.core.units import si
    >>> si(with_unit("A")(1e-10), "A", "amplitude")
    1e-10
    """

    def convert(value: Any) -> float:
        return SIFloat.of(float(value), UNITS[unit].dimension)

    return convert


def _rebuild(mapping: MappingProxyType) -> tuple[Any, tuple[dict]]:
    """Let nouns with frozen mappings travel to other processes (pickle cannot by itself)."""
    return frozen_mapping, (dict(mapping),)


copyreg.pickle(MappingProxyType, _rebuild)


def frozen_mapping(value: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Copy a mapping into a read-only one (None becomes empty)."""
    return MappingProxyType(dict(value if value is not None else {}))


def same_arrays(left: Any, right: Any) -> bool:
    """Compare arrays, or tuples of arrays, or None; NaN equals NaN."""
    if left is None or right is None:
        return left is right
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(same_arrays, left, right))
    return left.shape == right.shape and bool(np.array_equal(left, right, equal_nan=True))


array_eq = attrs.cmp_using(eq=same_arrays)
"""Equality for an attrs field that holds arrays: ``attrs.field(eq=array_eq)``."""

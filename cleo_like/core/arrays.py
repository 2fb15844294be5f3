"""Field converters shared by the nouns: read-only arrays and frozen mappings."""

from __future__ import annotations

import copyreg
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.units import has_unit, si, si_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def read_only(array: np.ndarray) -> np.ndarray:
    """Give a view that cannot be written to (the data are not copied)."""
    view = array.view()
    view.flags.writeable = False
    return view


def si_samples(*units: str, name: str) -> Callable[[Any], np.ndarray]:
    """Make a converter to a read-only array: plain arrays are SI, quantities converted.

    float32 stays float32 (recordings are large); everything else becomes float64.
    A quantity must have one of the given units.
    """
    unit = " or ".join(units)

    def convert(value: Any) -> np.ndarray:
        array = _first_unit(value, units, name) if has_unit(value) else np.asarray(value)
        if array.dtype.kind not in "fiu":
            msg = f"{name} must be an array of real numbers in {unit}, got {array.dtype}"
            raise InputError(msg)
        if array.dtype != np.float32:
            array = array.astype(np.float64, copy=False)
        return read_only(array)

    return convert


def _first_unit(value: Any, units: tuple[str, ...], name: str) -> np.ndarray:
    for unit in units[:-1]:
        try:
            return si_array(value, unit, name)
        except UnitError:
            continue
    return si_array(value, units[-1], name)


def si_number(unit: str, name: str) -> Callable[[Any], float]:
    """Make a converter of a scalar field: a plain float is SI, a quantity converted."""

    def convert(value: Any) -> float:
        if has_unit(value) or isinstance(value, str):
            return si(value, unit, name)
        return float(value)

    return convert


def as_tuple(values: Iterable[Any]) -> tuple[Any, ...]:
    """Make a tuple (the builtin itself, as a converter, hides its argument's type)."""
    return tuple(values)


class SIFloat(float):
    """A number that has been converted to SI, so that a copy need not carry its unit again.

    `unit` may name the unit it came in, in the words of Brian2 ("siemens").
    """

    unit: str = ""


def si_required(unit: str, name: str) -> Callable[[Any], float]:
    """Make a converter of a scalar field that needs a unit (a converted value passes)."""

    def convert(value: Any) -> float:
        return value if isinstance(value, SIFloat) else SIFloat(si(value, unit, name))

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

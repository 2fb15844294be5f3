"""Physical arguments of devices: checked by the one converter, kept as Brian2 quantities.

Cleo users read ``scope.img_width`` as a quantity and write it in their own expressions;
so devices keep quantities where the rest of the package keeps SI floats.
"""

from __future__ import annotations

import functools
from typing import Any

import attrs
import numpy as np

from cleo_like.core.units import si, si_array

_NAMES = {
    "m": "metre", "s": "second", "Hz": "hertz", "V": "volt", "A": "amp", "M": "molar",
    "W": "watt",
}  # fmt: skip


def unit_of(symbol: str) -> Any:
    """Give the Brian2 unit of an SI symbol (also M, for molar, and W)."""
    import brian2

    return getattr(brian2, _NAMES[symbol])


def quantity(value: object, unit: str, name: str) -> Any:
    """Check the dimension of an argument and give it as a Brian2 quantity.

    Parameters
    ----------
    value : quantity or str
        Brian2, ``quantities``, pint, astropy, or text ("10 um").
    unit : str
        m, s, Hz, V, A, M (molar) or W.
    name : str
        Name of the argument, for the error.

    Raises
    ------
    UnitError
        A bare number or a wrong dimension.

    Examples
    --------
    >>> quantity("10 um", "m", "soma_radius")
    10. * umetre
    """
    from brian2 import Quantity

    array = si_array(value, unit, name)
    one = array.reshape(()) if array.size == 1 else array  # a list of one is that one
    return Quantity(one, dim=unit_of(unit).dim)


def quantity_field(unit: str, name: str) -> Any:
    """Make an attrs converter to a quantity; None stays None (it means "not given")."""

    def convert(value: object) -> Any:
        return quantity(value, unit, name)

    return attrs.converters.optional(convert)


def seconds(value: Any, name: str) -> float:
    """Give a time in seconds as a float, quickly when it is a Brian2 quantity already."""
    dim = getattr(value, "dim", None)
    if dim is not None and getattr(dim, "_dims", None) == (0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0):
        return float(value)
    return si(value, "s", name)


def time_quantity(value: float) -> Any:
    """Make a time (s) a Brian2 quantity, without the cost of checks.

    A controller adds its latency to such a time at every sample, so that this too is cheap.

    Examples
    --------
    >>> from brian2 import ms, Quantity
    >>> later = time_quantity(0.5) + 3 * ms
    >>> later, isinstance(later, Quantity)
    (0.503 * second, True)
    """
    make, second = _time_maker()
    return make(value, second)


@functools.cache
def _time_maker() -> tuple[Any, Any]:
    """Make the class at first use, and import once what is needed at every time step."""
    from brian2 import second
    from brian2.units.fundamentalunits import Quantity

    class Time(Quantity):
        """A time to which another one is added 10 times faster than to a Quantity."""

        def __add__(self, other: Any) -> Any:
            if getattr(other, "dim", None) is second.dim and other.ndim == self.ndim == 0:
                return Time(float(self) + float(other), second.dim)
            return super().__add__(other)

        __radd__ = __add__

    return Time, second.dim


def times_of(history: Any) -> Any:
    """Give the times of a history as a quantity."""
    from brian2 import second

    return history.times * second


def set_times_of(history: Any, times: Any) -> None:
    """Replace the times of a history; bare numbers are refused, as everywhere."""
    history.set_times(np.atleast_1d(si_array(times, "s", "t")))

"""The one converter through which physical quantities enter: unit in, SI float out.

Brian2 and ``quantities`` values are recognised by their shape, so neither package is
imported. Text such as ``"100 pA"`` is read too (the command line uses it).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from cleo_like.core.errors import UnitError

_BASE = ("m", "kg", "s", "A", "K", "mol", "cd")
_Dimension = tuple[float, ...]

# unit symbol -> (exponents of the SI base units, the way people write it)
_UNITS: dict[str, tuple[_Dimension, str]] = {
    "1": ((0, 0, 0, 0, 0, 0, 0), "1"),
    "V": ((2, 1, -3, -1, 0, 0, 0), "mV"),
    "A": ((0, 0, 0, 1, 0, 0, 0), "pA"),
    "s": ((0, 0, 1, 0, 0, 0, 0), "ms"),
    "Hz": ((0, 0, -1, 0, 0, 0, 0), "Hz"),
    "ohm": ((2, 1, -3, -2, 0, 0, 0), "Mohm"),
    "S": ((-2, -1, 3, 2, 0, 0, 0), "nS"),
    "F": ((-2, -1, 4, 2, 0, 0, 0), "pF"),
    "m": ((1, 0, 0, 0, 0, 0, 0), "um"),
    "C": ((0, 0, 1, 1, 0, 0, 0), "pC"),
    "A/s": ((0, 0, -1, 1, 0, 0, 0), "pA/ms"),
}
_PREFIX = {
    "": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6,
    "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9,
}  # fmt: skip
_SPELLING = {"Ohm": "ohm", "Ω": "ohm", "hz": "Hz", "sec": "s"}
_TEXT = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s].*?)?\s*$")


def si(value: Any, unit: str, name: str) -> float:
    """Convert one physical argument to an SI float.

    Parameters
    ----------
    value : quantity or str
        A Brian2 or ``quantities`` scalar, or text such as ``"100 pA"``.
    unit : str
        The SI unit it must have: V, A, s, Hz, ohm, S, F, m, C, A/s or 1.
    name : str
        Name of the argument, for the error.

    Returns
    -------
    float
        The value in that SI unit.

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
    array = si_array(value, unit, name)
    if array.size != 1:
        msg = f"{name} must be one value in {_UNITS[unit][1]}, got {array.size} values"
        raise UnitError(msg)
    number = float(array.reshape(()))
    if not np.isfinite(number):
        msg = f"{name} must be a finite value in {_UNITS[unit][1]}, got {number}"
        raise UnitError(msg)
    return number


def si_array(value: Any, unit: str, name: str) -> np.ndarray:
    """Convert a physical argument of any shape to an SI float64 array.

    Parameters are those of `si`; a list of quantities or of texts is converted item
    by item. The array is a copy of its own.

    Examples
    --------
    >>> si_array(["1 ms", "2 s"], "s", "times")
    array([1.e-03, 2.e+00])
    """
    if isinstance(value, str):
        return np.asarray(_from_text(value, unit, name))
    if isinstance(value, (list, tuple)) and len(value) > 0:
        return np.stack([si_array(item, unit, name) for item in value])
    found = dimension_of(value)
    if found is None:
        raise _no_unit(value, unit, name)
    dimension, si_value = found
    if not np.allclose(dimension, _UNITS[unit][0]):
        msg = (
            f"{name} must be in {_UNITS[unit][1]} (or another unit of {unit}), "
            f"got {value!s} with the dimension {_dimension_text(dimension)}"
        )
        raise UnitError(msg)
    return np.array(si_value, dtype=float)


def has_unit(value: Any) -> bool:
    """Whether a value carries a unit (Brian2 or ``quantities``)."""
    return (not isinstance(value, str) and hasattr(value, "dim")) or (
        hasattr(value, "dimensionality") and hasattr(value, "simplified")
    )


def dimension_of(value: Any) -> tuple[_Dimension, np.ndarray] | None:
    """Give the exponents of (m, kg, s, A, K, mol, cd) and the SI value; None without a unit."""
    brian_dim = getattr(value, "dim", None)
    exponents = getattr(brian_dim, "_dims", None)
    if exponents is not None:  # a Brian2 Quantity stores SI values
        return tuple(float(e) for e in exponents), np.asarray(value, dtype=float)
    if hasattr(value, "dimensionality") and hasattr(value, "simplified"):
        simple = value.simplified  # a ``quantities`` value
        powers = {unit.symbol: float(p) for unit, p in simple.dimensionality.items()}
        if set(powers) <= set(_BASE):
            exponents = tuple(powers.get(symbol, 0.0) for symbol in _BASE)
            return exponents, np.asarray(simple.magnitude, dtype=float)
    return None


def _from_text(text: str, unit: str, name: str) -> float:
    match = _TEXT.match(text)
    common = _UNITS[unit][1]
    if match is None:
        msg = f"{name}={text!r} is not a number with a unit; write for example '100 {common}'"
        raise UnitError(msg)
    number, symbol = float(match[1]), match[2] or ""
    if not symbol:
        if unit == "1":
            return number
        raise _no_unit(text, unit, name)
    factor = _text_factor(symbol, unit)
    if factor is None:
        msg = f"{name}={text!r}: expected a unit of {unit} such as {common}, got {symbol!r}"
        raise UnitError(msg)
    return number * factor


def _text_factor(symbol: str, unit: str) -> float | None:
    if "/" in unit:  # "pA/ms": each side on its own
        parts, units = symbol.split("/"), unit.split("/")
        if len(parts) != len(units):
            return None
        factors = [_text_factor(*pair) for pair in zip(parts, units, strict=True)]
        if None in factors:
            return None
        return factors[0] / factors[1]  # type: ignore[operator]
    if unit == "1" and symbol == "%":
        return 0.01
    for spelling, standard in _SPELLING.items():
        symbol = symbol.replace(spelling, standard) if symbol.endswith(spelling) else symbol
    if not symbol.endswith(unit):
        return None
    return _PREFIX.get(symbol[: -len(unit)])


def _no_unit(value: Any, unit: str, name: str) -> UnitError:
    common = _UNITS[unit][1]
    if np.size(value) > 1:
        return UnitError(f"{name} has no unit; multiply the array by {common}")
    if not isinstance(value, (int, float, np.number, str, np.ndarray)):
        kind = type(value).__name__
        msg = f"{name} must be a value in {common}, got {value!r} of type {kind}"
        return UnitError(msg)
    shown = value.strip() if isinstance(value, str) else value
    return UnitError(f"{name}={shown} has no unit; did you mean {shown}*{common}?")


def _dimension_text(dimension: _Dimension) -> str:
    for symbol, (known, _) in _UNITS.items():
        if np.allclose(known, dimension):
            return "none (a pure number)" if symbol == "1" else symbol
    parts = [
        f"{symbol}^{power:g}"
        for symbol, power in zip(_BASE, dimension, strict=True)
        if power != 0
    ]
    return " ".join(parts)

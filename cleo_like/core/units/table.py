"""Units by their SI symbol: dimension, size, and how people write and read them."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from cleo_like.core.errors import UnitError
from cleo_like.core.units.dimensions import BASE, PURE, Dimension


class Unit(NamedTuple):
    """One unit: its dimension, its size in SI, and how people write and read it."""

    dimension: Dimension
    code: str
    """What to multiply by in Python, with Brian2's names."""
    text: str
    """What to write in text."""
    size: float = 1.0
    """In SI base units (a molar is 1000 mol/m^3)."""


UNITS: dict[str, Unit] = {
    "1": Unit(PURE, "1", ""),
    "rad": Unit(PURE, "1", "rad"),
    "V": Unit((2, 1, -3, -1, 0, 0, 0), "mV", "mV"),
    "A": Unit((0, 0, 0, 1, 0, 0, 0), "pA", "pA"),
    "s": Unit((0, 0, 1, 0, 0, 0, 0), "ms", "ms"),
    "Hz": Unit((0, 0, -1, 0, 0, 0, 0), "Hz", "Hz"),
    "ohm": Unit((2, 1, -3, -2, 0, 0, 0), "Mohm", "MOhm"),
    "S": Unit((-2, -1, 3, 2, 0, 0, 0), "nS", "nS"),
    "F": Unit((-2, -1, 4, 2, 0, 0, 0), "pF", "pF"),
    "m": Unit((1, 0, 0, 0, 0, 0, 0), "um", "um"),
    "C": Unit((0, 0, 1, 1, 0, 0, 0), "pcoulomb", "pC"),
    "K": Unit((0, 0, 0, 0, 1, 0, 0), "kelvin", "K"),
    "W": Unit((2, 1, -3, 0, 0, 0, 0), "mwatt", "mW"),
    "M": Unit((-3, 0, 0, 0, 0, 1, 0), "nmolar", "nM", 1e3),
    "A/s": Unit((0, 0, -1, 1, 0, 0, 0), "pA/ms", "pA/ms"),
    "V/s": Unit((2, 1, -4, -1, 0, 0, 0), "mV/ms", "mV/ms"),
    "Hz/A": Unit((0, 0, -1, -1, 0, 0, 0), "Hz/pA", "Hz/pA"),
}
"""Every unit that an argument can have, by its SI symbol ("M" is molar)."""

_PREFIX = {
    "": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6,
    "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9,
}  # fmt: skip
_SPELLING = {
    "ohms": "ohm", "Ohms": "ohm", "Ohm": "ohm",
    "\u03a9": "ohm", "\u2126": "ohm",  # omega, and the ohm sign that looks the same
    "hz": "Hz", "sec": "s", "molar": "M",
}  # fmt: skip
# symbols that are no prefix and unit
_ALONE = {
    "1": {"%": 0.01}, "rad": {"": 1.0, "deg": np.pi / 180, "°": np.pi / 180},
    "m": {"cm": 0.01}, "s": {"min": 60.0, "h": 3600.0},
}  # fmt: skip
TEXT = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s].*?)?\s*$")


def show(value: float, unit: str, digits: int = 4) -> str:
    """Show an SI value in the unit that people read.

    Examples
    --------
    >>> show(1e-10, "A"), show(0.5, "1")
    ('100 pA', '0.5')
    """
    text, size = shown_unit(unit)
    return f"{value / size:.{digits}g} {text}".rstrip()


def show_range(samples: np.ndarray, unit: str, digits: int = 4) -> str:
    """Show the range of an SI array in the unit that people read, NaN left out.

    Examples
    --------
    >>> show_range(np.array([-0.07, np.nan, 0.03]), "V"), show_range(np.zeros(0), "A")
    ('-70..30 mV', 'no pA')
    """
    text, size = shown_unit(unit)
    if samples.size == 0 or np.isnan(samples).all():
        return f"no {text}"
    low, high = float(np.nanmin(samples)) / size, float(np.nanmax(samples)) / size
    return f"{low:.{digits}g}..{high:.{digits}g} {text}".rstrip()


def shown_unit(unit: str) -> tuple[str, float]:
    """Give the unit in which people read an SI unit, and its size in SI.

    Examples
    --------
    >>> shown_unit("A"), shown_unit("1"), shown_unit("?")
    (('pA', 1e-12), ('', 1.0), ('(unit unknown)', 1.0))
    """
    if unit == "?":
        return "(unit unknown)", 1.0
    text = UNITS[unit].text
    return text, (text_factor(text, unit) or 1.0) if text else 1.0


def si_of_text(text: str, name: str) -> tuple[str, float]:
    """Read a text whose unit is not known beforehand: the symbol in `UNITS`, and SI."""
    match = TEXT.match(ascii_text(text))
    if match is not None and match[2]:
        for unit in UNITS:
            factor = text_factor(match[2], unit)
            if factor is not None:
                return unit, float(match[1]) * factor
    msg = f"{name}={text!r} is not a number with a unit; write for example '10 nS' or '-70 mV'"
    raise UnitError(msg)


def code_of(dimension: Dimension) -> str | None:
    """Give what to multiply by in Python to have that dimension; None for an unusual one."""
    fitting = (u.code for u in UNITS.values() if np.allclose(u.dimension, dimension))
    code = next(fitting, None)
    return None if code == "1" else code


def is_number(text: str) -> bool:
    """Whether a text is a number without a unit."""
    match = TEXT.match(ascii_text(text))
    return match is not None and not match[2]


def ascii_text(text: str) -> str:
    """Write a typographic minus as the hyphen of programs, a hard space as a space."""
    return text.replace("\u2212", "-").replace("\u00a0", " ").replace("\u202f", " ")


def text_factor(symbol: str, unit: str) -> float | None:
    """Give the SI size of a symbol ("pA"), None where it is no unit of that kind."""
    if symbol in _ALONE.get(unit, {}):
        return _ALONE[unit][symbol]
    if unit == "1":
        return None
    if "/" in unit:  # "pA/ms": each side on its own
        parts, units = symbol.split("/"), unit.split("/")
        if len(parts) != len(units):
            return None
        factors = [text_factor(*pair) for pair in zip(parts, units, strict=True)]
        if None in factors:
            return None
        return factors[0] / factors[1]  # type: ignore[operator]
    for spelling, standard in _SPELLING.items():
        if symbol.endswith(spelling):
            symbol = symbol.removesuffix(spelling) + standard
            break
    if not symbol.endswith(unit):
        return None
    prefix = _PREFIX.get(symbol.removesuffix(unit))
    return None if prefix is None else prefix * UNITS[unit].size


def dimension_text(dimension: Dimension) -> str:
    """Name a dimension: by its unit where it has one, else by powers of the base units."""
    for symbol, unit in UNITS.items():
        if np.allclose(unit.dimension, dimension):
            return "none (a pure number)" if symbol == "1" else symbol
    parts = [
        f"{symbol}^{power:g}"
        for symbol, power in zip(BASE, dimension, strict=True)
        if power != 0
    ]
    return " ".join(parts)

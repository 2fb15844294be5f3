"""Units as files write them ("mV", "nA", "µA", "volts"): which quantity, its size in SI."""

from __future__ import annotations

import re
from functools import lru_cache

import attrs

from cleo_like.core.units.table import shown_unit

_PREFIXES = {
    "": 1.0, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "f": 1e-15,
}  # fmt: skip
_WORDS = {
    "": 1.0, "milli": 1e-3, "micro": 1e-6, "nano": 1e-9, "pico": 1e-12, "femto": 1e-15,
}  # fmt: skip
_SPELT = re.compile(rf"({'|'.join(_WORDS)})[ -]?(volt|amp|ampere)s?", re.IGNORECASE)


@attrs.frozen
class TextUnit:
    """A unit of potential or current.

    Parameters
    ----------
    text : str
        The unit as written.
    si : str
        "V", "A", or "?" when it is neither.
    scale : float
        Size in that SI unit; 1 when it is neither.
    """

    text: str
    si: str
    scale: float


@lru_cache(maxsize=256)
def parse_unit(text: str) -> TextUnit:
    """Read the unit of a channel.

    Parameters
    ----------
    text : str
        Unit as a file gives it, symbol or word; surrounding blanks do not count.

    Returns
    -------
    TextUnit
        `si` is "?" when the unit is neither of potential nor of current.

    Examples
    --------
    >>> parse_unit("pA")
    TextUnit(text='pA', si='A', scale=1e-12)
    >>> parse_unit("millivolts")
    TextUnit(text='millivolts', si='V', scale=0.001)
    >>> parse_unit("°C").si
    '?'
    """
    clean = text.strip().strip("\0").strip()
    if clean and clean[-1] in "VA" and clean[:-1] in _PREFIXES:
        return TextUnit(clean, clean[-1], _PREFIXES[clean[:-1]])
    spelt = _SPELT.fullmatch(clean)
    if spelt is not None:
        si = "V" if spelt[2].lower() == "volt" else "A"
        return TextUnit(clean, si, _WORDS[spelt[1].lower()])
    return TextUnit(clean, "?", 1.0)


SHOWN = {si: TextUnit(text, si, size) for si in "VA" for text, size in [shown_unit(si)]}
"""The unit in which files and people want a quantity: mV for V, pA for A."""

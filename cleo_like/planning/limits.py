"""What a designed stimulus must not exceed."""

from __future__ import annotations

import attrs

from cleo_like.core.errors import InputError
from cleo_like.core.units import number, si
from cleo_like.stimuli.design import Dac


def _optional_ampere(value: object) -> float | None:
    if value is None:
        return None
    found = si(value, "A", "peak")
    if not found > 0:
        msg = f"peak must be above 0 pA, got {found * 1e12:g} pA"
        raise InputError(msg)
    return found


def _share(value: object) -> float:
    found = number(value, "rheobase")
    if not 0 < found <= 1:
        msg = f"rheobase must be a share above 0 and up to 1, got {found:g}"
        raise InputError(msg)
    return found


def _cutoff(value: object) -> float:
    if type(value) is float and value == HIGHEST:  # the default
        return value
    found = si(value, "Hz", "cutoff")
    if found < LOWEST:
        msg = f"cutoff must be {LOWEST:g} Hz or more, got {found:g} Hz"
        raise InputError(msg)
    return found


HIGHEST = 200.0
"""Default of the highest cut-off (Hz): far above what a membrane of 3 ms passes."""
LOWEST = 2.0
"""Lowest cut-off (Hz) that is tried: its filter reaches 0.5 s to either side."""


@attrs.frozen(kw_only=True)
class Limits:
    """What a designed stimulus must not exceed.

    Parameters
    ----------
    peak : quantity, optional
        Largest current around holding, either sign. None: 4 times that of the target, within
        `rheobase` and the converter.
    rheobase : float
        Share of the rheobase (of a 1 s step) that the peak may reach (default 0.8); used
        where `peak` is not given.
    cutoff : quantity
        Highest frequency (-3 dB) of the low-pass (default 200 Hz).
    dac : Dac, optional
        Converter that will play it; the command is rounded to its codes.

    Examples
    --------
    >>> Limits(peak="22 pA").rheobase
    0.8
    """

    peak: float | None = attrs.field(default=None, converter=_optional_ampere)
    rheobase: float = attrs.field(default=0.8, converter=_share)
    cutoff: float = attrs.field(default=HIGHEST, converter=_cutoff)
    dac: Dac | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(Dac))
    )

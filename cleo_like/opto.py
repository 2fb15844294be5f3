"""Cleo's `opto`, which this package does not have yet: every name of it says so."""

from __future__ import annotations

from typing import Never

from cleo_like.core.errors import not_here_yet

_NAMES = [
    "BansalFourStateOpsin",
    "BansalThreeStatePump",
    "FourStateOpsin",
    "Opsin",
    "ProportionalCurrentOpsin",
    "chr2_4s",
    "chr2_b4s",
    "chr2_h134r_4s",
    "chrimson_4s",
    "enphr3_3s",
    "gtacr2_4s",
    "vfchrimson_4s",
]


def __getattr__(name: str) -> Never:
    error = not_here_yet("opto", name)
    if name in _NAMES:
        raise error  # an AttributeError would lose its message in `from ... import ...`
    raise AttributeError(str(error))

"""Cleo's `registry`, which this package does not have yet: every name of it says so."""

from __future__ import annotations

from typing import Never

from cleo_like.core.errors import not_here_yet

_NAMES = ["DeviceInteractionRegistry"]


def __getattr__(name: str) -> Never:
    error = not_here_yet("registry", name)
    if name in _NAMES:
        raise error  # an AttributeError would lose its message in `from ... import ...`
    raise AttributeError(str(error))

"""Cleo's `registry`, which this package does not have yet: every name says so."""

from __future__ import annotations

from typing import Never

from cleo_like.core.errors import not_here_yet


def __getattr__(name: str) -> Never:
    if name.startswith("__"):
        raise AttributeError(name)
    raise not_here_yet("registry", name)

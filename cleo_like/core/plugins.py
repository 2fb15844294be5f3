"""Other packages: those that only some people need, and what they offer by entry points."""

from __future__ import annotations

import warnings
from typing import Any

from cleo_like.core.errors import UnsupportedError

BROKEN = (
    ImportError, SyntaxError, AttributeError, NameError, TypeError, ValueError, LookupError,
    RuntimeError, OSError, ArithmeticError, AssertionError, EOFError, Warning,
)  # fmt: skip
"""What the code of others may raise when it is imported or called."""


class PluginWarning(UserWarning):
    """A package that is installed beside this one offers something that does not work."""


_broken: set[tuple[str, str]] = set()
"""Group and name of what did not work: said once, and not tried again."""


def needed(package: str, extra: str, what: str = "this") -> Any:
    """Import a package that only some people need, or say how to install it.

    Parameters
    ----------
    package : str
        As it is imported.
    extra : str
        Extra of this package that has it.
    what : str
        What needs it.

    Raises
    ------
    UnsupportedError
        It is not installed.
    """
    import importlib

    try:
        return importlib.import_module(package)
    except ImportError as error:
        msg = f"{what} needs the package {package}: pip install 'cleo_like[{extra}]'"
        raise UnsupportedError(msg) from error


def offered(group: str) -> list[Any]:
    """Give the entry points of a group; nothing is imported yet."""
    from importlib.metadata import entry_points

    return list(entry_points(group=group))


def loaded(group: str, kind: type) -> list[Any]:
    """Import what a group offers; what cannot be imported, or is of another kind, is left out.

    Parameters
    ----------
    group : str
        Entry point group, "cleo_like.readers".
    kind : type
        What every entry point must be.

    Warns
    -----
    PluginWarning
        Once for each that does not work.
    """
    found = []
    for point in offered(group):
        name = str(getattr(point, "name", "an unnamed one"))
        if (group, name) in _broken:
            continue
        try:
            thing = point.load()
        except BROKEN as error:
            _leave_out(group, name, f"{type(error).__name__}: {error}")
            continue
        if isinstance(thing, kind):
            found.append(thing)
        else:
            _leave_out(group, name, f"it is a {type(thing).__name__}, not a {kind.__name__}")
    return found


def _leave_out(group: str, name: str, why: str) -> None:
    _broken.add((group, name))
    msg = f"{name!r} of another package ({group}) does not work and is left out: {why}"
    warnings.warn(msg, PluginWarning, stacklevel=4)

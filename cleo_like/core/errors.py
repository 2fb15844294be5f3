"""Every error of the package has one root, so that a caller can catch them all."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class CleoLikeError(Exception):
    """Root of all errors that the package raises on purpose."""


class UnitError(CleoLikeError, ValueError):
    """A physical quantity came without a unit, or with the wrong one."""


class InputError(CleoLikeError, ValueError):
    """An argument has the right unit and the wrong value or shape."""


class UnknownNameError(CleoLikeError, KeyError):
    """A name that is not in a registry; the message suggests near ones."""

    def __str__(self) -> str:
        """Show the message itself, not its repr as KeyError would."""
        return str(self.args[0]) if self.args else ""


class PlaceError(CleoLikeError, IndexError):
    """A place beyond the last sweep or ROI; the message says how many there are."""


class FileFormatError(CleoLikeError, ValueError):
    """A file is not what its name says, is truncated, or cannot hold the data."""


class UnsupportedError(CleoLikeError, NotImplementedError):
    """A legal request that this version does not serve; the message says what does."""


class MissingPackageError(UnsupportedError, ImportError):
    """A package that is not installed; the message says what needs it, and how to get it."""


class OutputError(CleoLikeError, OSError):
    """A file or folder that cannot be written; said before any work is done for it."""


class ExistingFileError(OutputError, FileExistsError):
    """A file that exists would be replaced, and nobody asked for that."""


class NotHereYetError(UnsupportedError, ImportError):
    """A part of Cleo that this version does not have; the message says which."""


_OF_CLEO = {
    "light": "light sources and their propagation",
    "opto": "opsins",
    "ephys": "extracellular probes (spikes, LFP)",
    "registry": "registries of lights and opsins",
}


def not_here_yet(module: str, name: str | None = None) -> NotHereYetError:
    """Make the error for a module of Cleo that has no counterpart.

    Parameters
    ----------
    module : str
        "light", "opto", "ephys" or "registry".
    name : str, optional
        What was wanted of it.

    Examples
    --------
    >>> print(not_here_yet("opto", "chr2_4s"))
    cleo_like.opto.chr2_4s: Cleo's opsins are not part of cleo_like yet (docs: coming_from_cleo)
    """
    what = f"cleo_like.{module}" + (f".{name}" if name else "")
    return NotHereYetError(
        f"{what}: Cleo's {_OF_CLEO[module]} are not part of cleo_like yet "
        f"(docs: coming_from_cleo)"
    )


def missing_package(package: str, what: str) -> MissingPackageError:
    """Make the error for a package that is not installed.

    Parameters
    ----------
    package : str
        As pip knows it.
    what : str
        What needs it.

    Examples
    --------
    >>> print(missing_package("matplotlib", "a figure"))
    a figure needs the package matplotlib, which is not installed: pip install matplotlib
    """
    return MissingPackageError(
        f"{what} needs the package {package}, which is not installed: pip install {package}"
    )


_LISTED = 60
"""Known names that a person reads through; of more, the nearest say enough."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Make the error for an unknown name, with the nearest known ones.

    Parameters
    ----------
    kind : str
        What is being looked up, for the message ("cell", "stimulus family").
    name : str
        The name that was asked for.
    known : iterable of str
        All legal names.

    Returns
    -------
    UnknownNameError
        To be raised by the caller.

    Examples
    --------
    >>> print(unknown_name("cell", "rs_", ["rs", "fs"]))
    unknown cell 'rs_'; did you mean 'rs'? Known: 'fs', 'rs'
    """
    names = sorted(known)
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    hint = f"; did you mean {_or_list(near)}?" if near else "."
    listed = names[:_LISTED]
    more = len(names) - len(listed)
    if more and near:  # a screen of names beside the right one hides it
        return UnknownNameError(f"unknown {kind} {name!r}{hint} ({len(names)} are known)")
    known_ones = ", ".join(map(repr, listed)) + (f" and {more} more" if more else "")
    return UnknownNameError(f"unknown {kind} {name!r}{hint} Known: {known_ones}")


def _or_list(names: list[str]) -> str:
    return " or ".join(map(repr, names))

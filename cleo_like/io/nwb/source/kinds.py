"""Which type of the core schema an object is, or extends."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import FileFormatError
from cleo_like.core.sweep import ClampMode
from cleo_like.io.nwb.source import hdf5

if TYPE_CHECKING:
    import h5py

TYPES = {
    "CurrentClampSeries": ("V", False, ClampMode.CURRENT),
    "IZeroClampSeries": ("V", False, ClampMode.CURRENT),
    "VoltageClampSeries": ("A", False, ClampMode.VOLTAGE),
    "CurrentClampStimulusSeries": ("A", True, ClampMode.CURRENT),
    "VoltageClampStimulusSeries": ("V", True, ClampMode.VOLTAGE),
    "PatchClampSeries": ("?", None, ClampMode.UNKNOWN),
}
"""Types of the core schema: unit of their samples, whether a command, clamp mode."""

_NOTHING = {"", "na", "n/a", "nan", "none", "unknown", "{}", "null", "unspecified"}


def known(found: object) -> str | None:
    """Text that says something; None for "NA", "{}" and their like."""
    if found is None:
        return None
    said = hdf5.as_text(found)
    return None if said.strip().lower() in _NOTHING else said


def kinds_of(group: h5py.Group, derived: dict[str, str]) -> tuple[str, str | None]:
    """Give the type of the core schema that an object is or extends, and the one it declares.

    The first is one of `TYPES` for patch-clamp series, "" where none is known.

    Raises
    ------
    FileFormatError
        What it declares cannot be read.
    """
    declared = kind = known(hdf5.attribute(group, "neurodata_type"))
    if kind is None:
        return _like_a_series(group), declared
    seen = set()
    while kind not in TYPES and kind != "TimeSeries" and kind not in seen:
        seen.add(kind)
        parent = derived[kind]
        if not parent:
            return _named_like(kind) or _like_a_series(group), declared
        kind = parent
    return kind, declared


def derived_types(file: h5py.File) -> dict[str, str]:
    """Types of extensions and what they extend, from the specifications kept in the file."""
    return _Lazy(file)


class _Lazy(dict):
    """Reads the specifications when the first type is asked for that is not of the core."""

    def __init__(self, file: h5py.File) -> None:
        super().__init__()
        self._file: Any = file

    def __missing__(self, kind: str) -> str:
        if self._file is not None:
            self.update(_declared(self._file))
            self._file = None
        return self.get(kind, "")


def _declared(file: h5py.File) -> dict[str, str]:
    found: dict[str, str] = {}
    specifications = hdf5.optional(file, "specifications")
    for namespace in hdf5.members(specifications):
        if namespace in {"core", "hdmf-common", "hdmf-experimental"}:
            continue
        try:
            versions = hdf5.member(specifications, namespace)
            for version in hdf5.members(versions):
                group = hdf5.member(versions, version)
                for source in hdf5.members(group):
                    found.update(_types_in(hdf5.text(group, source)))
        except FileFormatError:
            continue  # the type's name is left to tell
    return found


def _types_in(source: str | None) -> dict[str, str]:
    try:
        content = json.loads(source if source is not None else "{}")
    except ValueError:
        return {}
    groups = content.get("groups", []) if isinstance(content, dict) else []
    return {
        str(g["neurodata_type_def"]): str(g.get("neurodata_type_inc", ""))
        for g in groups
        if isinstance(g, dict) and "neurodata_type_def" in g
    }


def _like_a_series(group: h5py.Group) -> str:
    """Take whatever has samples and one electrode for a patch-clamp series."""
    patch = hdf5.has(group, "electrode") and hdf5.has(group, "data")
    return "PatchClampSeries" if patch else ""


@functools.cache
def _named_like(kind: str) -> str:
    """Read an extension without specification: "MyCurrentClampSeries" says what it extends."""
    fits = [name for name in TYPES if kind.endswith(name)]
    return max(fits, key=len, default="")

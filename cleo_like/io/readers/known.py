"""The readers that there are, and which of them a file is for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import FileFormatError, unknown_name
from cleo_like.core.plugins import loaded
from cleo_like.io.readers.reader import Imaging, Reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cleo_like.core.recording import Recording

ENTRY_POINTS = "cleo_like.readers"
"""Entry point group under which other packages offer a `Reader`."""


def reader_for(path: Path) -> Reader:
    """Find the reader of a file by its suffix.

    Raises
    ------
    UnknownNameError
        No reader knows the suffix; the message lists those that exist.
    """
    suffix = path.suffix.lower()
    for reader in _own():  # asking all installed packages takes longer than most files
        if suffix in reader.suffixes:
            return reader
    known = _by_suffix()
    if suffix not in known:
        raise unknown_name(f"kind of file, {path.name} with the suffix", suffix, known)
    return known[suffix]


def suffixes_of_recordings() -> list[str]:
    """Suffixes of the formats that hold recordings."""
    return sorted(suffix for suffix, reader in _by_suffix().items() if not reader.read_movie)


def is_known(path: Path) -> bool:
    """Whether a file is what its suffix says, where that suffix says little."""
    suffix = path.suffix.lower()
    for reader in _own():
        if suffix in reader.suffixes:
            return reader.knows is None or reader.knows(path)
    return True


def _by_suffix() -> dict[str, Reader]:
    """Give all readers; those of other packages go before the general one of Neo."""
    found: dict[str, Reader] = dict.fromkeys(_NEO.suffixes, _NEO)
    for reader in loaded(ENTRY_POINTS, Reader):
        found.update(dict.fromkeys(map(str.lower, reader.suffixes), reader))
    for reader in _own():
        found.update(dict.fromkeys(reader.suffixes, reader))
    return found


def _own() -> tuple[Reader, ...]:
    return (
        Reader(
            name="ABF",
            suffixes=(".abf",),
            read_all=_late("cleo_like.io.abf.read", "read_abf"),
            read_protocol=_late("cleo_like.io.abf.read", "read_abf_protocol"),
            read_electrode=_late("cleo_like.io.abf.read", "read_abf_electrode"),
            version=_late("cleo_like.io.abf.source", "abf_version"),
        ),
        Reader(
            name="ATF",
            suffixes=(".atf",),
            read_all=_late("cleo_like.io.atf.read", "read_atf"),
            read_protocol=_late("cleo_like.io.atf.read", "read_atf_protocol"),
            read_electrode=_late("cleo_like.io.atf.read", "read_atf_electrode"),
            version=lambda _: "1.0",
        ),
        Reader(
            name="NWB",
            suffixes=(".nwb",),
            read_all=_late("cleo_like.io.nwb.read", "read_nwb"),
            read_protocol=_late("cleo_like.io.nwb.read", "read_nwb_protocol"),
            read_electrode=_late("cleo_like.io.nwb.read", "read_nwb_electrode"),
            version=_late("cleo_like.io.nwb.read", "nwb_version"),
            imaging=Imaging(
                only=_late("cleo_like.io.nwb.ophys.describe", "imaging_only"),
                read_traces=_late("cleo_like.io.nwb.ophys.read", "read_traces"),
                read_experiments=_late("cleo_like.io.nwb.ophys.read", "read_experiments"),
                read_masks=_late("cleo_like.io.nwb.ophys.read", "read_masks"),
                describe=_late("cleo_like.io.nwb.ophys.describe", "imaging_lines"),
            ),
        ),
        Reader(
            name="HEKA PatchMaster",
            suffixes=(".dat",),
            read_all=_late("cleo_like.io.rigs.heka", "read_heka"),
            knows=_late("cleo_like.io.rigs.heka", "is_heka"),
        ),
        Reader(
            name="WaveSurfer",
            suffixes=(".h5",),
            read_all=_late("cleo_like.io.rigs.wavesurfer", "read_wavesurfer"),
            knows=_late("cleo_like.io.rigs.wavesurfer", "is_wavesurfer"),
        ),
        Reader(
            name="Igor wave",
            suffixes=(".ibw",),
            read_all=_late("cleo_like.io.rigs.igor", "read_igor_wave"),
        ),
        Reader(
            name="Igor experiment",
            suffixes=(".pxp",),
            read_all=_late("cleo_like.io.rigs.igor", "read_igor_experiment"),
        ),
        Reader(
            name="TIFF",
            suffixes=(".tif", ".tiff"),
            read_all=_movie_only,
            read_movie=_late("cleo_like.io.tiff.read", "read_tiff"),
        ),
    )


def _movie_only(path: Path) -> list[Recording]:
    msg = f"{path.name} is a movie, not a recording of cells: open it with read({path.name!r})"
    raise FileFormatError(msg)


def _late(module: str, name: str) -> Callable[..., Any]:
    """Make a function that imports its module when it is first called."""

    def call(*arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*arguments, **options)

    return call


_NEO = Reader(
    name="Neo",
    suffixes=(".wcp", ".edr", ".smr", ".smrx", ".axgd", ".axgx", ".cfs"),
    read_all=_late("cleo_like.io.rigs.neo", "read_with_neo"),
)

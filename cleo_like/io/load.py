"""The one door in: `read` finds the reader that knows the file."""

from __future__ import annotations

import fnmatch
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import FileFormatError, InputError, unknown_name
from cleo_like.core.plugins import loaded
from cleo_like.io.findings.electrodes import pick
from cleo_like.io.folders import files_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cleo_like.core.ophys.experiment import ImagingExperiment
    from cleo_like.core.ophys.frames import FrameSource
    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.core.ophys.traces import Traces
    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording

ENTRY_POINTS = "cleo_like.readers"
"""Entry point group under which other packages offer a `Reader`."""


@attrs.frozen(kw_only=True)
class Reader:
    """How one file format is read.

    Parameters
    ----------
    name : str
        "ABF".
    suffixes : tuple of str
        File name endings in lower case, with the dot.
    read_all : callable
        path -> list of Recording, one per cell.
    read_protocol : callable, optional
        path -> Protocol, for formats that can hold a stimulus alone.
    read_electrode : callable, optional
        path, name or None -> Recording, for formats whose every channel can be asked for;
        without it one of `read_all` is taken.
    version : callable, optional
        path -> version of the format in this file ("1.8.3.0").
    imaging : Imaging, optional
        How two-photon imaging is read, for formats that can hold it.
    read_movie : callable, optional
        path and options -> movie, for formats of frames.
    knows : callable, optional
        path -> whether a file is of this format, where others share the suffix (".dat"): those
        of a folder that it does not know are left out.
    """

    name: str
    suffixes: tuple[str, ...]
    read_all: Callable[[Path], list[Recording]]
    read_protocol: Callable[[Path], Protocol] | None = None
    read_electrode: Callable[[Path, str | None], Recording] | None = None
    version: Callable[[Path], str] | None = None
    imaging: Imaging | None = None
    read_movie: Callable[..., FrameSource] | None = None
    knows: Callable[[Path], bool] | None = None


@attrs.frozen(kw_only=True)
class Imaging:
    """How two-photon imaging of one file format is read.

    Parameters
    ----------
    only : callable
        path -> whether a file has imaging and no recording.
    read_traces, read_experiments, read_masks : callable
        path and the options of `read`, `read_experiments`, `read_masks`.
    describe : callable
        path -> lines that tell what is in it.
    """

    only: Callable[[Path], bool]
    read_traces: Callable[..., Traces]
    read_experiments: Callable[..., list[ImagingExperiment]]
    read_masks: Callable[..., RoiMasks]
    describe: Callable[[Path], list[str]]


def read(path: str | Path, *, electrode: str | None = None, **imaging: Any) -> Any:
    """Read one cell from an ABF, ATF or NWB file, the traces of an imaging plane, or a movie.

    A file of two-photon imaging gives `Traces`; so does one of both kinds when anything of
    imaging is asked for. Only the ROIs and frames that are asked for are read from the disk.

    Parameters
    ----------
    path : str or Path
        The file.
    electrode : str, optional
        Which electrode (NWB) or channel (ABF, ATF), where the file has several. In ABF and
        ATF any channel can be named, in NWB any response series. Without a name the only
        cell is read, or the only one whose output played a waveform.
    **imaging
        Of two-photon imaging: `plane` (its name, its ROI table or its number; needed where
        there are several), `trace` ("dff", "fluorescence", "neuropil", "events" ... or the
        place of a series; by default dF/F, or else fluorescence), `rois` (slice or numbers),
        `frames` (slice), `order` ("xy" or "yx": axes of pictures in the file; by default as
        its maker is known to write them, which is NWB's "xy" but for suite2p and the
        AllenSDK). Of a movie (TIFF): `frame_rate`, `pixel_size`, `channel`, as `read_tiff`.

    Returns
    -------
    Recording, Traces or FrameSource
        SI units. What the reader noticed is in `findings` (of traces and movies: `notes`).
        The frames of a movie are read when they are asked for.

    Raises
    ------
    FileFormatError
        The file is missing, truncated, or not what its name says.
    UnknownNameError
        No reader for that suffix, or no such electrode.
    InputError
        The file has several electrodes and none was named.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from cleo_like import Cell, Provenance, Recording, Sweep
    >>> from cleo_like.io import read, write
    >>> sweep = Sweep(response=np.linspace(-0.07, -0.06, 200), command=np.zeros(200), rate=2e4)
    >>> made = Recording(sweeps=[sweep], cell=Cell(id="c1"), provenance=Provenance(source="me"))
    >>> path = write(made, Path(tempfile.mkdtemp()) / "c1.abf")
    >>> read(path)
    Recording of c1: 1 sweep, 10 ms at 20 kHz, current_clamp, -70..-60 mV, command 0..0 pA
    """
    file = existing(path)
    reader = reader_for(file)
    if reader.read_movie is not None:
        return _movie(file, reader.read_movie, electrode, imaging)
    how = reader.imaging
    if imaging or (electrode is None and how is not None and how.only(file)):
        return imaging_of(file, reader).read_traces(file, **_known(imaging))
    if reader.read_electrode is not None:
        return reader.read_electrode(file, electrode)
    return pick(file, reader.read_all(file), electrode)


def _movie(
    file: Path,
    reader: Callable[..., FrameSource],
    electrode: str | None,
    options: dict[str, Any],
) -> FrameSource:
    if electrode is not None:
        msg = f"{file.name} is a movie and has no electrode {electrode!r}"
        raise InputError(msg)
    for name in options:
        if name not in _OF_MOVIES:
            raise unknown_name("option of read for movies", name, _OF_MOVIES)
    return reader(file, **options)


_OF_MOVIES = ("frame_rate", "pixel_size", "channel")
_OPTIONS = ("plane", "trace", "rois", "frames", "order")


def _known(options: dict[str, Any]) -> dict[str, Any]:
    for name in options:
        if name not in _OPTIONS:
            raise unknown_name("option of read", name, ("electrode", *_OPTIONS))
    if options.get("order") not in {None, "xy", "yx"}:
        msg = f"order must be 'xy' or 'yx', got {options['order']!r}"
        raise InputError(msg)
    return options


def imaging_of(file: Path, reader: Reader) -> Imaging:
    """Give how imaging is read from a file.

    Raises
    ------
    FileFormatError
        Its format holds none.
    """
    if reader.imaging is None:
        msg = f"{file.name} is {reader.name}, which holds no imaging; NWB does"
        raise FileFormatError(msg)
    return reader.imaging


def read_all(path: str | Path | Iterable[str | Path]) -> list[Recording]:
    """Read every cell of a file, of a folder, or of many files.

    Parameters
    ----------
    path : path or iterable of paths
        Files of any format that the package reads, folders, or patterns (``data/*.abf``), see
        `files_in`.

    Returns
    -------
    list of Recording
        One per electrode (NWB) or response channel (ABF) of each file.

    Raises
    ------
    FileFormatError
        A file that cannot be read; its message names it. `extract` and the command line say
        so and go on with the others.
    """
    found = []
    for file in map(existing, files_in(path)):
        found += reader_for(file).read_all(file)
    return found


def read_chosen(path: str | Path, electrode: str | Mapping[str, str] | None) -> list[Recording]:
    """Read every cell of a file, or the one channel or electrode that is chosen for it.

    Parameters
    ----------
    path : str or Path
        A file.
    electrode : str, mapping of pattern to str, or None
        The channel or electrode; of several patterns of file names (``*.abf``) the first that
        fits. Without one all cells are read.

    Returns
    -------
    list of Recording
        One, where one is chosen.
    """
    if isinstance(electrode, Mapping):
        name = Path(path).name
        electrode = next((v for p, v in electrode.items() if fnmatch.fnmatch(name, p)), None)
    return read_all(path) if electrode is None else [read(path, electrode=electrode)]


def read_protocol(path: str | Path) -> Protocol:
    """Read a protocol from a stimulus file, or the one that a recording was made with.

    Parameters
    ----------
    path : str or Path
        A stimulus file, or a recording.

    Returns
    -------
    Protocol
        With family, epochs and picture where the file (or its sidecar) tells them.

    Raises
    ------
    FileFormatError
        The file holds no command.
    """
    file = existing(path)
    reader = reader_for(file)
    if reader.read_protocol is not None:
        return reader.read_protocol(file)
    for recording in reader.read_all(file):
        if recording.protocol is not None:
            return recording.protocol
    msg = f"{file.name} holds no command, so no protocol can be read from it"
    raise FileFormatError(msg)


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


def files_in(places: str | Path | Iterable[str | Path]) -> list[Path]:
    """List the files of files, folders and patterns.

    Parameters
    ----------
    places : path or iterable of paths
        A file is itself. A folder is every recording in it and below, hidden files left out.
        A text with ``*``, ``?`` or ``[`` that is no file is a pattern (``**`` goes into
        folders). A file that is not there is kept, so that whoever reads it can say so.

    Returns
    -------
    list of Path
        In the order given, those of a folder or pattern sorted; none twice.

    Raises
    ------
    InputError
        Something that is no path.
    FileFormatError
        A folder or pattern without any such file.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("b.abf", "a.abf", "notes.txt"):
    ...     (folder / name).touch()
    >>> [path.name for path in files_in(folder)]
    ['a.abf', 'b.abf']
    """
    listed = [places] if isinstance(places, (str, Path)) else list(places)
    found = files_of(listed, _recordings)
    named = {Path(place) for place in listed}
    return [path for path in found if path in named or _is_known(path)]


def _recordings() -> list[str]:
    """Suffixes of the formats that hold recordings."""
    return sorted(suffix for suffix, reader in _by_suffix().items() if not reader.read_movie)


def _is_known(path: Path) -> bool:
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


def existing(path: str | Path) -> Path:
    """Give the path of a file that is there and not empty, else raise."""
    file = Path(path)
    if not file.is_file():
        kind = "a folder" if file.is_dir() else "missing"
        msg = f"expected a recording at {file}, but it is {kind}"
        if any((file / name).is_file() for name in (".zgroup", "zarr.json", ".zattrs")):
            msg += " in Zarr; NWB is read from HDF5 only: export it with hdmf-zarr and pynwb"
        raise FileFormatError(msg)
    if file.stat().st_size == 0:
        msg = f"{file.name} is empty; expected a recording"
        raise FileFormatError(msg)
    return file

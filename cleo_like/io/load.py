"""The one door in: `read` finds the reader that knows the file."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import FileFormatError, InputError, unknown_name
from cleo_like.io.findings.electrodes import pick
from cleo_like.io.folders import files_of
from cleo_like.io.readers import Imaging, Reader, is_known, reader_for, suffixes_of_recordings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cleo_like.core.ophys.frames import FrameSource
    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording


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
    if not isinstance(electrode, (str, NoneType)):
        msg = f"electrode must be the name of one, a text, got {electrode!r:.60}"
        raise InputError(msg)
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
    found = files_of(listed, suffixes_of_recordings)
    named = {Path(place) for place in listed}
    return [path for path in found if path in named or is_known(path)]


def existing(path: str | Path) -> Path:
    """Give the path of a file that is there and not empty, else raise."""
    if not isinstance(path, (str, Path)):
        msg = f"expected the path of one file, got {type(path).__name__}: {path!r:.60}"
        if isinstance(path, (list, tuple)):
            msg += "; read_all takes several"
        raise InputError(msg)
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

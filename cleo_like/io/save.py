"""The one door out: `write` chooses the format by the suffix."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleo_like.core.cell import Cell
from cleo_like.core.errors import FileFormatError, InputError, unknown_name
from cleo_like.core.files import together
from cleo_like.core.ophys.experiment import ImagingExperiment
from cleo_like.core.ophys.frames import FrameSource
from cleo_like.core.ophys.traces import Traces
from cleo_like.core.protocol import Protocol
from cleo_like.core.provenance import Provenance
from cleo_like.core.recording import Recording
from cleo_like.io.abf.arrays import check_shape
from cleo_like.io.abf.write import write_abf
from cleo_like.io.atf.table import check_columns
from cleo_like.io.atf.write import write_atf
from cleo_like.io.nwb.names import dandi_path
from cleo_like.io.nwb.ophys.write import write_ophys
from cleo_like.io.nwb.write import write_nwb
from cleo_like.io.targets import check_target
from cleo_like.io.tiff.write import write_tiff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_WRITERS: dict[str, Callable[..., Path]] = {
    ".abf": write_abf,
    ".atf": write_atf,
    ".nwb": write_nwb,
    ".tif": write_tiff,
    ".tiff": write_tiff,
}
_MOVIES = (".tif", ".tiff")


def write(
    thing: Recording
    | Protocol
    | Traces
    | ImagingExperiment
    | Sequence[ImagingExperiment]
    | FrameSource,
    path: str | Path,
    *,
    overwrite: bool = False,
    **options: Any,
) -> Path:
    """Write a recording or a protocol as ABF, ATF or NWB, or imaging as NWB, a movie as TIFF.

    Parameters
    ----------
    thing : Recording, Protocol, Traces, (list of) ImagingExperiment, or FrameSource
        A protocol becomes a stimulus file; several experiments are planes of one session; a
        FrameSource is a movie.
    path : str or Path
        The suffix chooses the format: .abf, .atf or .nwb; .tif, .tiff or .ome.tif for a
        movie. The file appears whole or not at all.
    overwrite : bool
        Whether a file that this package wrote may be replaced (with its sidecar). A recording
        from elsewhere - of a rig, of an archive - is never replaced.
    **options
        Of `write_nwb`, or of `write_ophys` for imaging; the other formats have none.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UnknownNameError
        The suffix is none of these, or an option that the format does not have.
    ExistingFileError
        The file exists.
    OutputError
        It cannot be written, or is a recording that this package did not write.
    FileFormatError
        The format cannot hold the data; the message says which one can.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from cleo_like import Protocol
    >>> from cleo_like.io import read_protocol, write
    >>> made = Protocol(waveforms=np.full((2, 400), 1e-11), rate=2e4, family="noise")
    >>> read_protocol(write(made, Path(tempfile.mkdtemp()) / "noise.atf"))
    Protocol noise: 2 sweeps of 20 ms at 20 kHz, 10..10 pA, gap 0 ms
    """
    path = check_writable(path, overwrite=overwrite)
    suffix = path.suffix.lower()
    writer = _WRITERS[suffix]
    if suffix in _MOVIES and isinstance(thing, FrameSource):
        pass
    elif suffix in _MOVIES:
        msg = (
            "a TIFF holds a movie: expected frames with shape, times and pixel_size (such as "
            f"ArrayFrames(frames=..., times=...)), got {type(thing).__name__}"
        )
        raise InputError(msg)
    elif _is_imaging(thing):
        if suffix != ".nwb":
            msg = f"imaging is written as NWB only; name the file {path.stem}.nwb"
            raise FileFormatError(msg)
        writer = write_ophys
    elif not isinstance(thing, (Recording, Protocol)):
        msg = (
            "expected a Recording, a Protocol, Traces or an ImagingExperiment to write, got "
            f"{type(thing).__name__}"
        )
        raise InputError(msg)
    known = set(inspect.signature(writer).parameters) - {"thing", "path", "overwrite"}
    for name in options:
        if name not in known:
            raise unknown_name(f"option of {suffix}", name, known)
    return writer(thing, path, overwrite=overwrite, **options)


def _is_imaging(thing: object) -> bool:
    things = thing if isinstance(thing, (list, tuple)) and thing else [thing]
    return all(isinstance(t, (Traces, ImagingExperiment)) for t in things)


def check_writable(
    path: str | Path, *, overwrite: bool, how: str = "give overwrite=True"
) -> Path:
    """Refuse, before any work, a file that `write` could not write.

    Raises
    ------
    UnknownNameError
        The suffix is none of these.
    ExistingFileError
        The file exists and is not to be replaced.
    OutputError
        It cannot be written, or is a recording that this package did not write.
    """
    if not isinstance(path, (str, Path)):
        msg = f"path must be the name of a file, got {type(path).__name__}: {path!r}"
        raise InputError(msg)
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise unknown_name("file suffix", suffix, _WRITERS)
    return check_target(path, overwrite=overwrite, how=how)


def check_fits(protocol: Protocol, kinds: Iterable[str]) -> None:
    """Refuse, before any work, formats that cannot hold the recording of a protocol.

    Parameters
    ----------
    protocol : Protocol
        What is going to be recorded: response and command of each sweep.
    kinds : iterable of str
        Formats ("abf", "nwb", "atf").

    Raises
    ------
    FileFormatError
        More sweeps or samples than the format can count.
    """
    channels = 2
    shape = (channels, protocol.n_sweeps, protocol.n_samples)
    for kind in kinds:
        if kind == "abf":
            check_shape(shape, round(float(protocol.start_times[-1]) * protocol.rate))
        elif kind == "atf":
            check_columns(channels, protocol.n_sweeps)


SIMULATED_SESSION = "simulation"
"""Session of a simulated recording: a rerun has the same name, and replaces the one before."""


def simulated_path(folder: Path, kind: str, cell_id: str) -> Path:
    """Name the file of a simulated cell: by the cell, or as DANDI wants it for NWB.

    Parameters
    ----------
    folder : Path
        Where the file shall be.
    kind : str
        Format: "abf", "nwb" or "atf".
    cell_id : str
        Name of the cell.

    Returns
    -------
    Path
        In `folder`; of NWB, in a folder of the cell.

    Examples
    --------
    >>> simulated_path(Path("out"), "nwb", "rs").as_posix()
    'out/sub-rs/sub-rs_ses-simulation_icephys.nwb'
    """
    if kind != "nwb":
        return folder / f"{cell_id}.{kind}"
    cell = Recording(
        sweeps=(), cell=Cell(id=cell_id), provenance=Provenance(source="simulation")
    )
    return folder / dandi_path(cell, SIMULATED_SESSION)


def simulated_paths(
    folder: Path, kind: str, cell_id: str, protocols: Sequence[str]
) -> list[Path]:
    """Name the files of a simulated cell: one, or of ABF and ATF one for each protocol.

    Parameters
    ----------
    folder, kind, cell_id
        As in `simulated_path`.
    protocols : sequence of str
        Names of the protocols that were played to it.

    Returns
    -------
    list of Path
        In the order of the protocols.

    Examples
    --------
    >>> played = ["ramp", "short_square"]
    >>> [path.name for path in simulated_paths(Path("out"), "abf", "rs", played)]
    ['rs_ramp.abf', 'rs_short_square.abf']
    """
    if kind == "nwb" or len(protocols) < 2:
        return [simulated_path(folder, kind, cell_id)]
    return [
        simulated_path(folder, kind, f"{cell_id}_{re.sub(r'[^0-9A-Za-z._+-]+', '-', name)}")
        for name in protocols
    ]


def write_simulated(
    recordings: Recording | Iterable[Recording],
    folders: Mapping[str, str | Path],
    *,
    overwrite: bool = False,
    ipfx_compatible: bool = False,
) -> list[list[Path]]:
    """Write simulated recordings in several formats: all files appear, or none.

    Parameters
    ----------
    recordings : Recording or iterable of Recording
        From `cleo_like.record` or `cleo_like.experiment`.
    folders : mapping of str to path
        Format ("abf", "nwb", "atf") to the folder for its files. A recording of several
        protocols is one NWB file, and an ABF (or ATF) file for each protocol.
    overwrite : bool
        Whether files of an earlier run may be replaced.
    ipfx_compatible : bool
        Add to NWB what ipfx asks for (see `write_nwb`).

    Returns
    -------
    list of list of Path
        The files of each recording.

    Raises
    ------
    InputError
        `folders` is no mapping of format to folder.
    """
    if not hasattr(folders, "items"):
        msg = f"folders must be {{format: folder}} such as {{'nwb': 'out'}}, got {folders!r}"
        raise InputError(msg)
    given = [recordings] if isinstance(recordings, Recording) else recordings
    own = {"session_id": SIMULATED_SESSION, "ipfx_compatible": ipfx_compatible}
    with together():
        return [
            [
                write(part, path, overwrite=overwrite, **(own if kind == "nwb" else {}))
                for kind, folder in folders.items()
                for path, part in _parts(recording, kind, Path(folder))
            ]
            for recording in given
        ]


def _parts(recording: Recording, kind: str, folder: Path) -> list[tuple[Path, Recording]]:
    """Give the files of a recording, and what is in each."""
    if kind == "nwb" or not recording.protocols:
        return [(simulated_path(folder, kind, recording.cell.id), recording)]
    names = [protocol.name for protocol in recording.protocols]
    paths = simulated_paths(folder, kind, recording.cell.id, names)
    return [(path, recording[name]) for path, name in zip(paths, names, strict=True)]

"""What of two-photon imaging is in a file, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.io.nwb.ophys.reader.contents import contents_of
from cleo_like.io.nwb.ophys.reader.microscope import motion_of, movie_of, plane_of
from cleo_like.io.nwb.ophys.reader.pictures import images_of
from cleo_like.io.nwb.ophys.reader.plane import PlaneReader
from cleo_like.io.nwb.source import hdf5

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def imaging_only(path: Path) -> bool:
    """Whether a file has imaging and no patch-clamp electrodes, by its groups alone."""
    groups = _general(path)
    return "optophysiology" in groups and "intracellular_ephys" not in groups


def _general(path: Path) -> list[str]:
    """Names of the groups with metadata; nothing of the file is read beside."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return hdf5.members(hdf5.optional_or_none(file, "general"))
    except hdf5.READ_ERRORS:
        return []  # the reader says what is wrong with it


def imaging_lines(path: Path) -> list[str]:
    """Describe each plane of a file, a fact a line; nothing where it has no imaging.

    Raises
    ------
    FileFormatError
        It cannot be read.
    """
    if "optophysiology" not in _general(path):
        return []
    with hdf5.opened(path) as file:
        found = contents_of(file)
        lines: list[str] = []
        for plane in found.planes:
            lines += _lines(path, PlaneReader.of(path, found, plane, None, None))
        return [*lines, *(f"  finding: {text}" for text in found.problems)]


def _lines(path: Path, read: PlaneReader) -> Iterator[str]:
    found, plane = read.found, read.plane
    yield f"  plane {plane.label}: {plane_of(found, plane.name, [])!r}"
    if plane.table is not None:
        yield f"    {len(read.rows)} ROIs in {plane.table.path}, {_masks(read)}"
    for name, series in read.series.items():
        size = getattr(hdf5.optional_or_none(series.thing.group, "data"), "shape", "no data")
        yield f"    traces {name!r}: {series.thing.path}, stored as {size}"
    movie = movie_of(found, path, plane.name, read.notes)
    if movie is not None:
        yield f"    movie: {movie!r}"
    motion = motion_of(found, path, plane.name, read.index, read.notes)
    if motion is not None:
        corrected = "" if motion.corrected is None else ", corrected movie"
        yield f"    motion: {len(motion.times)} frames{corrected}"
    images = images_of(found, read.index, None, [])
    if images:
        yield f"    images: {', '.join(images)}"
    if read.facts is not None and read.facts["truth"]["truths"]:
        yield "    truth of a simulation: yes"
    yield from (f"    finding: {note}" for note in dict.fromkeys(read.notes))


def _masks(read: PlaneReader) -> str:
    if read.facts is not None and read.facts["rois"].get("masks") is None:
        return "masks not known"
    table = None if read.plane.table is None else read.plane.table.group
    kinds = [k for k in ("image", "pixel", "voxel") if hdf5.has(table, f"{k}_mask")]
    return f"{' and '.join(kinds)} masks" if kinds else "no masks"

"""Traces and imaging experiments -> NWB file of two-photon imaging."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.files import as_written
from cleo_like.core.ophys.experiment import ImagingExperiment
from cleo_like.core.ophys.plane import ImagingPlane
from cleo_like.core.ophys.traces import Traces
from cleo_like.core.provenance import to_json, versions
from cleo_like.io.nwb.extras import add_facts
from cleo_like.io.nwb.names import safe
from cleo_like.io.nwb.ophys.identity import Identity
from cleo_like.io.nwb.ophys.names import name_of_quantity
from cleo_like.io.nwb.ophys.reader.movie import TiffFrames, frames_in
from cleo_like.io.nwb.ophys.save import save
from cleo_like.io.nwb.ophys.writer.microscope import (
    add_motion,
    add_movie,
    add_plane,
)
from cleo_like.io.nwb.ophys.writer.pictures import (
    add_images,
    add_presentations,
    add_templates,
)
from cleo_like.io.nwb.ophys.writer.rois import add_rois, check_masks
from cleo_like.io.nwb.ophys.writer.truth import add_truth
from cleo_like.io.nwb.parts import ANY_AGE, NO_ORGANISM, session_time
from cleo_like.io.targets import check_target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pynwb import NWBFile

_SHARED = ("subject", "session_id", "session_start", "presentations", "templates")


def write_ophys(
    thing: Traces | ImagingExperiment | Sequence[ImagingExperiment],
    path: str | Path,
    *,
    overwrite: bool = False,
    session_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    masks: str | Sequence[str] = "image",
    movie_files: Mapping[str, Sequence[str | Path]] | Sequence[str | Path] = (),
    reproducible: bool = False,
) -> Path:
    """Write traces, or everything of one or several imaging planes, as NWB.

    Movies are streamed a few frames at a time (gzip level 1, shuffle), pictures and movies are
    stored as (x, y) as the standard has it. The truth of a simulation has a module of its own.

    Parameters
    ----------
    thing : Traces, ImagingExperiment or sequence of ImagingExperiment
        The planes of one session share subject, stimuli and start.
    path : str or Path
        The file appears whole or not at all.
    overwrite : bool
        Whether a file that this package wrote may be replaced.
    session_id : str, optional
        Instead of that of the experiment.
    metadata : mapping, optional
        Further fields of the NWB file: experimenter, lab, institution, keywords,
        experiment_description ...
    masks : str or sequence of str
        "image" (which other programs expect), "pixel" or "voxel"; several give a table each,
        and traces refer to the first.
    movie_files : sequence of paths, or mapping of plane name to them
        TIFF files that hold the raw movie: only their names, relative to the NWB file, are
        written, and the movie stays in them.
    reproducible : bool
        Whether identifiers and dates follow from what is written instead of chance and the
        clock: the same data then make the same bytes. Frames of a movie that is written into
        the file are made, or read, once more for it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ExistingFileError
        The file exists.
    InputError
        Nothing to write, planes of different sessions, or something that NWB cannot hold.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from cleo_like.core import RoiMasks
    >>> masks = RoiMasks.from_pixels((24, 32), [([3, 4], [5, 5]), ([9], [1])])
    >>> traces = Traces(fluorescence=np.eye(2, 90), times=np.arange(90) / 30, masks=masks)
    >>> write_ophys(traces, Path(tempfile.mkdtemp()) / "cells.nwb").name
    'cells.nwb'
    """
    path = check_target(path, overwrite=overwrite, sidecar=False)
    planes = _planes_of(thing, path)
    kinds = (masks,) if isinstance(masks, str) else tuple(masks)
    files = _files_of(planes, movie_files)
    planes = [_with_frames(p, files.get(p.plane.name, ())) for p in planes]
    for plane in planes:
        check_masks(plane, kinds)
    identity = None
    if reproducible:
        identity = Identity(
            planes, embedded=not files, session=session_id, metadata=metadata, masks=kinds,
            files=[p.name for some in files.values() for p, _ in some],
        )  # fmt: skip
    nwbfile = _nwbfile(planes, session_id, metadata if metadata is not None else {}, identity)
    facts = [
        _add_plane(
            nwbfile,
            plane,
            k,
            masks=kinds,
            files=files.get(plane.plane.name, ()),
            folder=path.parent,
        )
        for k, plane in enumerate(planes)
    ]
    first = planes[0]
    templates, single = add_templates(nwbfile, first.templates)
    shown = None
    if first.presentations is not None:
        shown = add_presentations(nwbfile, first.presentations, single)
    stored = {"planes": facts, "templates": templates, "presentations": shown}
    add_facts(nwbfile, {"imaging": json.loads(to_json(stored))}, {})
    if identity is not None:
        identity.give(nwbfile)
    save(nwbfile, path, overwrite=overwrite)
    return path


def _planes_of(thing: Any, path: Path) -> list[ImagingExperiment]:
    """Give the planes to write, in one form."""
    if isinstance(thing, Traces):
        name = name_of_quantity(thing.quantity)
        rate = thing.rate if thing.n_frames > 1 else None
        return [
            ImagingExperiment(
                id=path.stem,
                plane=ImagingPlane(rate=rate),
                traces={name: thing},
                provenance=thing.provenance,
            )
        ]
    planes = [thing] if isinstance(thing, ImagingExperiment) else list(thing)
    if not planes:
        msg = "there is no imaging plane to write"
        raise InputError(msg)
    for plane in planes:
        if not isinstance(plane, ImagingExperiment):
            msg = f"expected imaging experiments to write, got {type(plane).__name__}"
            raise InputError(msg)
    _check_one_session(planes)
    return planes


def _check_one_session(planes: Sequence[ImagingExperiment]) -> None:
    names = [p.plane.name for p in planes]
    if len(set(names)) < len(names):
        msg = f"planes of one file need different names (plane.name), got {names}"
        raise InputError(msg)
    for name in _SHARED:
        first = getattr(planes[0], name)
        for other in planes[1:]:
            if not _same(first, getattr(other, name)):
                msg = (
                    f"planes of one file are of one session and share {name}; those of "
                    f"{planes[0].id} and {other.id} differ"
                )
                raise InputError(msg)


def _same(left: Any, right: Any) -> bool:
    if left is right:
        return True
    if hasattr(left, "equals"):  # tables of pandas
        return bool(left.equals(right))
    if hasattr(left, "items") and hasattr(right, "items"):
        return left.keys() == right.keys() and all(
            np.array_equal(a, right[k], equal_nan=a.dtype.kind == "f") for k, a in left.items()
        )
    return not hasattr(right, "equals") and bool(left == right)


def _files_of(
    planes: Sequence[ImagingExperiment], given: Any
) -> dict[str, list[tuple[Path, tuple[int, int, int]]]]:
    """Give the TIFF files of each plane, with frames, height and width of each."""
    if not hasattr(given, "items"):
        files = [given] if isinstance(given, (str, Path)) else list(given)
        if files and len(planes) > 1:
            msg = "with several planes, movie_files must be {name of the plane: files}"
            raise InputError(msg)
        given = {planes[0].plane.name: files} if files else {}
    names = [p.plane.name for p in planes]
    found = {}
    for name, files in given.items():
        if name not in names:
            msg = f"movie_files names the plane {name!r}; there are {names}"
            raise InputError(msg)
        paths = [Path(f) for f in ([files] if isinstance(files, (str, Path)) else files)]
        for path in paths:
            if not as_written(path).is_file():
                msg = f"movie_files names {path}, which is no file"
                raise InputError(msg)
        found[name] = [(path, frames_in(as_written(path))) for path in paths]
    return found


def _with_frames(
    experiment: ImagingExperiment, files: Sequence[tuple[Path, tuple[int, int, int]]]
) -> ImagingExperiment:
    """Check that files hold the movie, or take the movie from them."""
    if not files:
        return experiment
    n = sum(shape[0] for _, shape in files)
    size = files[0][1][1:]
    if any(shape[1:] != size for _, shape in files):
        msg = f"the files of a movie must have one size, got {[s[1:] for _, s in files]}"
        raise InputError(msg)
    movie = experiment.movie
    if movie is not None:
        if tuple(movie.shape) != (n, *size):
            msg = f"movie_files hold {(n, *size)} frames, height, width; movie {movie.shape}"
            raise InputError(msg)
        return experiment
    times = next((t.times for t in experiment.traces.values() if t.n_frames == n), None)
    if times is None:
        if experiment.plane.rate is None:
            msg = "the times of the frames in movie_files are not known; give plane.rate"
            raise InputError(msg)
        times = np.arange(n) / experiment.plane.rate
    source = TiffFrames(
        files=tuple((str(path), shape[0]) for path, shape in files),
        size=size,
        times=times,
        pixel_size=experiment.plane.pixel_size,
    )
    return attrs.evolve(experiment, movie=source)


def is_simulated(experiment: ImagingExperiment) -> bool:
    """Whether an experiment comes from a simulator."""
    known = [experiment.truth, *(t.truth for t in experiment.traces.values())]
    sources = [experiment.provenance, *(t.provenance for t in experiment.traces.values())]
    return (
        any(truth is not None for truth in known)
        or bool(experiment.truth_arrays)
        or any(p is not None and p.source == "simulation" for p in sources)
    )


def _nwbfile(
    planes: Sequence[ImagingExperiment],
    session_id: str | None,
    metadata: Mapping[str, Any],
    identity: Identity | None,
) -> Any:
    import pynwb

    first = planes[0]
    simulated = is_simulated(first)
    provenance = first.provenance
    software = versions() if provenance is None else provenance.software or versions()
    kind = "Simulated" if simulated else "Two-photon"
    notes = [note for plane in planes for note in plane.notes]
    if first.session_start is None:
        notes.append("session_start_time is the time of making the data or the file")
    session = session_id if session_id is not None else first.session_id
    many = f"{len(planes)} planes" if len(planes) > 1 else "one plane"
    start = session_time(
        first.session_start, None if provenance is None else provenance.created
    )
    fields: dict[str, Any] = {
        "session_description": f"{kind} imaging session, {many}: "
        + ", ".join(plane.id for plane in planes),
        "identifier": str(uuid.uuid4()) if identity is None else identity.next(),
        "session_start_time": start,
        "session_id": safe(session if session is not None else first.id),
        "keywords": ["two-photon imaging", "calcium", *(["simulation"] if simulated else [])],
        "experiment_description": f"{kind} imaging of {', '.join(map(repr, _planes(planes)))}",
        "notes": "\n".join(dict.fromkeys(notes)),
        "subject": _subject(first, simulated=simulated),
        "was_generated_by": [[name, version] for name, version in software.items()],
    }
    if not fields["notes"]:
        del fields["notes"]
    if identity is not None:
        fields["file_create_date"] = start
    fields.update(metadata)
    return pynwb.NWBFile(**fields)


def _planes(planes: Sequence[ImagingExperiment]) -> list[ImagingPlane]:
    return [plane.plane for plane in planes]


def _subject(experiment: ImagingExperiment, *, simulated: bool) -> Any:
    """Make the Subject: what is known, and honest values for what an archive insists on."""
    from pynwb.file import Subject

    known = experiment.subject
    names = ("species", "sex", "age", "genotype", "strain", "description")
    given = {} if known is None else {n: getattr(known, n) for n in names}
    given = {name: value for name, value in given.items() if value is not None}
    about = "A computer model, not an animal" if simulated else "Animal under the microscope"
    unknown = [name for name in ("species", "sex", "age") if name not in given]
    if unknown:
        about += f"; not known: {', '.join(unknown)}"
        if simulated:
            about += " (species stands for 'synthetic construct', age for any, sex U)"
    if simulated:
        given.setdefault("species", NO_ORGANISM)
    subject = experiment.id if known is None else known.id
    return Subject(
        subject_id=safe(subject), **{"description": about, "age": ANY_AGE, "sex": "U"} | given
    )


def _add_plane(
    nwbfile: NWBFile,
    experiment: ImagingExperiment,
    index: int,
    *,
    masks: Sequence[str],
    files: Sequence[tuple[Path, tuple[int, int, int]]],
    folder: Path,
) -> dict[str, Any]:
    """Add everything of one plane; give what the standard has no place for."""
    subject = experiment.subject
    plane = add_plane(
        nwbfile, experiment.plane, index, None if subject is None else subject.species
    )
    counted = [(path, shape[0]) for path, shape in files]
    movie = add_movie(nwbfile, experiment, plane, index, files=counted, folder=folder)
    module = nwbfile.processing.get("ophys")
    if module is None:
        module = nwbfile.create_processing_module(
            "ophys", "Motion, regions of interest, fluorescence and summary images"
        )
    add_motion(module, experiment, movie, index)
    rois = add_rois(module, experiment, plane, index, masks=masks, movie=movie)
    return {
        "name": plane.name,
        "id": experiment.id,
        "session_id": experiment.session_id,
        "session_start": experiment.session_start,
        "plane": attrs.asdict(experiment.plane),
        "subject": None if subject is None else attrs.asdict(subject),
        "provenance": _provenance(experiment),
        "notes": experiment.notes,
        "rois": rois,
        "traces": {name: _trace_facts(traces) for name, traces in experiment.traces.items()},
        "images": add_images(module, experiment.images, index),
        "truth": add_truth(nwbfile, experiment, index),
    }


def _provenance(thing: ImagingExperiment | Traces) -> dict[str, Any] | None:
    known = thing.provenance
    if known is None:
        return None
    return {field.name: getattr(known, field.name) for field in attrs.fields(type(known))}


def _trace_facts(traces: Traces) -> dict[str, Any]:
    return {
        "quantity": traces.quantity,
        "exposure": traces.exposure,
        "notes": traces.notes,
        "provenance": _provenance(traces),
        "positions": traces.positions is not None,
    }

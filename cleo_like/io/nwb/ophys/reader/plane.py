"""One imaging plane of a file: what the file says, and what this package kept in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError, InputError, unknown_name
from cleo_like.core.ophys.experiment import ImagingExperiment
from cleo_like.core.ophys.plane import ImagingPlane, Subject
from cleo_like.core.ophys.traces import Traces
from cleo_like.core.provenance import Provenance, hash_of, versions
from cleo_like.io.nwb.extras import stored_facts
from cleo_like.io.nwb.ophys.names import POSITIONS
from cleo_like.io.nwb.ophys.reader.kinds import named_series
from cleo_like.io.nwb.ophys.reader.microscope import (
    motion_of,
    movie_of,
    plane_of,
    subject_of_file,
)
from cleo_like.io.nwb.ophys.reader.pictures import (
    images_of,
    presentations_of,
    restored_frame,
    restored_images,
    restored_templates,
    templates_of,
)
from cleo_like.io.nwb.ophys.reader.rois import masks_of, table_of, values_of
from cleo_like.io.nwb.ophys.reader.truth import arrays_of, truths_of
from cleo_like.io.nwb.source import hdf5
from cleo_like.io.nwb.source.kinds import known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.core.ophys.traces import ImagingTruth
    from cleo_like.io.nwb.ophys.reader.contents import Contents, Plane, RoiSeries

_HASHED = 1 << 27
"""Bytes up to which a file is hashed for the provenance; a movie would take minutes."""


@attrs.define(kw_only=True, eq=False)
class PlaneReader:
    """One plane that is being read: what the file says, and what this package kept."""

    path: Path
    found: Contents
    plane: Plane
    facts: Mapping[str, Any] | None
    session: Mapping[str, Any] | None
    rows: np.ndarray
    picked: np.ndarray | None
    frames: slice
    columns: dict[str, np.ndarray]
    notes: list[str]

    @classmethod
    def of(
        cls, path: Path, found: Contents, plane: Plane, rois: Any, frames: slice | None
    ) -> PlaneReader:
        """Open a plane: its facts, the rows of its table, and those that are wanted."""
        notes = list(found.problems)
        session = _stored(found.file, notes)
        facts = _facts_of(session, plane)
        rows = plane.rows if plane.series else None
        columns: dict[str, np.ndarray] = {}
        if plane.table is not None:
            rows, columns = table_of(plane.table.group, rows, notes)
        elif rows is None:
            rows = np.zeros(0, int)
        picked = _picked(rois, len(rows))
        if picked is not None:
            rows = rows[picked]
            columns = {name: values[picked] for name, values in columns.items()}
        return cls(
            path=path,
            found=found,
            plane=plane,
            facts=facts,
            session=session,
            rows=rows,
            picked=picked,
            frames=_checked(frames),
            columns=columns,
            notes=notes,
        )

    @property
    def index(self) -> int:
        """Number of the plane in the file."""
        planes = self.found.planes
        return planes.index(self.plane) if self.plane in planes else 0

    @property
    def series(self) -> dict[str, RoiSeries]:
        """Series of the plane by the names of their traces."""
        if self.facts is None:
            return named_series(self.plane.series)
        names = {f"processing/ophys/{p}": n for n, p in self.facts["rois"]["traces"].items()}
        own = {names[s.thing.path]: s for s in self.plane.series if s.thing.path in names}
        ordered = {name: own[name] for name in self.facts["rois"]["traces"] if name in own}
        others = [s for s in self.plane.series if s.thing.path not in names]
        return ordered | {s.thing.path: s for s in others}

    @property
    def masks(self) -> RoiMasks | None:
        """Masks of the wanted ROIs."""
        size = self._frame_size()
        if self.plane.table is None:
            return None
        if self.facts is not None and size is None:  # one pixel stands for an unknown mask
            return None
        return masks_of(
            self.plane.table.group,
            self.rows,
            self.found.order,
            size,
            self.notes,
            own=self.facts is not None,
        )

    def _frame_size(self) -> tuple[int, ...] | None:
        """Size of a frame (or volume): as kept, of the movie, or of the summary images."""
        if self.facts is not None:
            kept = self.facts["rois"].get("masks")
            return None if kept is None else tuple(kept)
        movie = movie_of(self.found, self.path, self.plane.name, [])
        if movie is not None:
            return movie.shape[1:]
        images = images_of(self.found, self.index, None, [])
        sizes = {image.shape[:2] for image in images.values()}
        return sizes.pop() if len(sizes) == 1 else None

    def traces(self, names: Sequence[str]) -> dict[str, Traces]:
        """Read traces that share their ROI table."""
        masks, (rois, positions) = self.masks, self._table()
        truths = self._truths()
        made = {}
        for name in names:
            values = values_of(self.series[name], self.rows, self.frames)
            kept = {} if self.facts is None else self.facts["traces"].get(name, {})
            number = self._truth_numbers().get(name)
            with_positions = positions is not None and kept.get("positions", True)
            made[name] = Traces(
                fluorescence=values.values,
                times=values.times,
                rois=rois,
                positions=positions if with_positions else None,
                masks=masks,
                quantity=kept.get("quantity", f"{name} ({values.unit}): {values.description}"),
                exposure=kept.get("exposure", 0.0),
                truth=None if number is None else truths[number],
                provenance=_provenance(kept.get("provenance")) if kept else self._read_from(),
                notes=(*kept.get("notes", ()), *self.notes, *values.notes),
            )
        return made

    def experiment(self, names: Sequence[str] | None) -> ImagingExperiment:
        """Read everything; movies stay in the file."""
        every = self.series
        for name in names if names is not None else ():
            if name not in every:
                raise unknown_name(f"kind of trace of {self.plane.label}", name, every)
        traces = self.traces(list(every) if names is None else names)
        movie = movie_of(self.found, self.path, self.plane.name, self.notes)
        motion = motion_of(self.found, self.path, self.plane.name, self.index, self.notes)
        return ImagingExperiment(
            movie=movie,
            motion=motion,
            traces=traces,
            **(self._own() if self.facts is not None else self._others(traces, movie)),
        )

    def _own(self) -> dict[str, Any]:
        """Give the other parts as this package kept them."""
        facts, session = self.facts, self.session
        if facts is None or session is None:
            return {}
        number = self._truth_numbers().get("")
        shown = session["presentations"]
        stored = presentations_of(self.found.file, self.notes) if shown is not None else None
        return {
            "id": facts["id"],
            "plane": ImagingPlane(**facts["plane"]),
            "images": restored_images(self.found, facts["images"], self.index),
            "presentations": None if stored is None else restored_frame(stored, shown),
            "templates": restored_templates(self.found, session["templates"]),
            "subject": None if facts["subject"] is None else Subject(**facts["subject"]),
            "truth": None if number is None else self._truths()[number],
            "truth_arrays": arrays_of(self.found.file, facts["truth"]),
            "session_id": facts["session_id"],
            "session_start": facts["session_start"],
            "provenance": _provenance(facts["provenance"]),
            "notes": (*facts["notes"], *self.notes),
        }

    def _others(self, traces: Mapping[str, Traces], movie: Any) -> dict[str, Any]:
        """Give the other parts as any file has them."""
        file = self.found.file
        masks = next((t.masks for t in traces.values()), None)
        size: tuple[int, ...] | None = None if movie is None else movie.shape[1:]
        size = masks.shape[-2:] if masks is not None else size
        images = images_of(self.found, self.index, size, self.notes)
        plane = plane_of(self.found, self.plane.name, self.notes)
        if plane.rate is None and traces:
            rate = next(iter(traces.values())).rate
            plane = attrs.evolve(plane, rate=rate if np.isfinite(rate) else None)
        label = f"_{self.plane.label}" if len(self.found.planes) > 1 else ""
        return {
            "id": f"{self.path.stem}{label}",
            "plane": plane,
            "images": images,
            "presentations": presentations_of(file, self.notes),
            "templates": templates_of(self.found, self.notes),
            "subject": subject_of_file(file),
            "session_id": known(hdf5.text(file.get("general"), "session_id")),
            "session_start": known(hdf5.text(file, "session_start_time")),
            "provenance": self._read_from(),
            "notes": tuple(dict.fromkeys(self.notes)),
        }

    def _table(self) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Give the columns of the ROI table by their names, and the places of the cells."""
        if self.facts is None:
            return self.columns, None
        names = self.facts["rois"]["columns"]
        columns = {name: self.columns[stored] for name, stored in names.items()}
        return columns, self.columns.get(POSITIONS)

    def _truth_numbers(self) -> Mapping[str, int]:
        return {} if self.facts is None else self.facts["truth"]["numbers"]

    def _truths(self) -> list[ImagingTruth]:
        if self.facts is None:
            return []
        return truths_of(self.found.file, self.facts["truth"], self.picked, self.frames)

    def _read_from(self) -> Provenance:
        small = self.path.stat().st_size <= _HASHED
        return Provenance(
            source=self.path.name,
            software=versions(("h5py",)),
            input_hash=hash_of(self.path) if small else None,
        )


def _checked(frames: Any) -> slice:
    if frames is None:
        return slice(None)
    if not isinstance(frames, slice) or (frames.step is not None and frames.step < 1):
        msg = f"frames must be a slice that goes forward, such as slice(0, 100), got {frames!r}"
        raise InputError(msg)
    return frames


def _picked(rois: Any, n: int) -> np.ndarray | None:
    """Give the numbers of the wanted ROIs; None is all.

    Raises
    ------
    InputError
        One does not exist.
    """
    if rois is None:
        return None
    try:
        found = np.arange(n)[rois if isinstance(rois, slice) else np.atleast_1d(rois)]
    except IndexError as error:
        msg = f"rois must name ROIs by number, 0 to {n - 1}, got {rois!r}"
        raise InputError(msg) from error
    return np.atleast_1d(found)


def _stored(file: Any, notes: list[str]) -> Mapping[str, Any] | None:
    """Give what this package kept of the imaging; None for files of others."""
    try:
        stored = stored_facts(file)
    except FileFormatError as error:
        notes.append(f"{error}; ignored")
        return None
    return None if stored is None else stored[0].get("imaging")


def _facts_of(session: Mapping[str, Any] | None, plane: Plane) -> Mapping[str, Any] | None:
    """Give what this package kept of a plane, where it is the very table."""
    for facts in session["planes"] if session is not None else ():
        table = facts["rois"].get("table")
        own = None if plane.table is None else plane.table.name
        if facts["name"] == plane.name and table == own:
            return facts
    return None


def _provenance(facts: Mapping[str, Any] | None) -> Provenance | None:
    return None if facts is None else Provenance(**facts)

"""What of two-photon imaging lies in a file: planes, ROI tables, traces, movies, images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError, InputError, unknown_name
from cleo_like.io.nwb.source import hdf5
from cleo_like.io.nwb.source.kinds import derived_types, known

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import h5py

    Order = Literal["xy", "yx"]

_KINDS = (
    "RoiResponseSeries", "PlaneSegmentation", "TwoPhotonSeries", "OnePhotonSeries",
    "CorrectedImageStack", "Images", "DfOverF", "Fluorescence", "ImageSeries", "TimeSeries",
)  # fmt: skip
_LEAVES = {
    "RoiResponseSeries", "PlaneSegmentation", "TwoPhotonSeries", "OnePhotonSeries",
    "CorrectedImageStack", "Images", "ImageSeries", "TimeSeries",
}  # fmt: skip
_PLACES = ("acquisition", "processing", "analysis")
_DEEP = 5
MOVIES = ("TwoPhotonSeries", "OnePhotonSeries")
PLANES = ("general", "optophysiology")
_ALLEN = "ndx-aibs-behavior-ophys"
_SUITE2P = ("suite2p output", "suite2p_proc")


@attrs.frozen(kw_only=True, eq=False)
class Thing:
    """An object of a known type: its path, its name, its container's type and name."""

    path: str
    kind: str
    group: Any
    container: str = ""
    container_kind: str = ""

    @property
    def name(self) -> str:
        """Own name."""
        return self.path.rsplit("/", 1)[-1]


@attrs.frozen(kw_only=True, eq=False)
class RoiSeries:
    """Traces of some rows of an ROI table."""

    thing: Thing
    table: str | None
    rows: np.ndarray


@attrs.define(kw_only=True, eq=False)
class Plane:
    """What belongs to one plane: its name, its ROI table and the traces of it."""

    name: str | None
    table: Thing | None = None
    series: list[RoiSeries] = attrs.field(factory=list)
    label: str = ""

    @property
    def rows(self) -> np.ndarray:
        """Rows of the table that any of the traces has, rising."""
        return np.unique(np.concatenate([np.zeros(0, int), *(s.rows for s in self.series)]))


@attrs.define(kw_only=True, eq=False)
class Contents:
    """Things of a file by their type, and the planes that they make."""

    file: Any
    things: list[Thing]
    order: Order
    planes: list[Plane] = attrs.field(factory=list)
    problems: list[str] = attrs.field(factory=list)

    def of(self, *kinds: str) -> list[Thing]:
        """Things of these types."""
        return [thing for thing in self.things if thing.kind in kinds]

    def __bool__(self) -> bool:
        """Whether there is any imaging in the file."""
        return bool(self.of("RoiResponseSeries", "PlaneSegmentation", *MOVIES))


def contents_of(file: h5py.File, order: Order | None = None) -> Contents:
    """Look through an opened file.

    Parameters
    ----------
    file : h5py.File
        The file.
    order : str, optional
        Axes of pictures in it; by default as its maker is known to write them: (x, y) as the
        standard has it, (row, column) by suite2p and the AllenSDK.
    """
    derived = derived_types(file)
    things: list[Thing] = []
    for place in _PLACES:
        top = hdf5.optional_or_none(file, place)
        things += _walk(top, place, derived, ("", ""), _DEEP)
    found = Contents(
        file=file, things=things, order=order if order is not None else _order(file, things)
    )
    _group(found)
    return found


def has_imaging(file: h5py.File) -> bool:
    """Whether a file holds traces, ROIs or movies of a microscope."""
    return bool(contents_of(file))


def _walk(
    group: Any, path: str, derived: dict[str, str], inside: tuple[str, str], deep: int
) -> Iterator[Thing]:
    for name in hdf5.members(group):
        child = hdf5.optional_or_none(group, name)
        if not hasattr(child, "keys"):
            continue
        kind = _kind(child, derived)
        place = f"{path}/{name}"
        if kind:
            yield Thing(
                path=place,
                kind=kind,
                group=child,
                container=inside[0],
                container_kind=inside[1],
            )
        if kind not in _LEAVES and deep > 1:
            yield from _walk(child, place, derived, (name, kind), deep - 1)


def _kind(group: h5py.Group, derived: dict[str, str]) -> str:
    """Type that a group is, or extends; "" for anything else."""
    kind = known(hdf5.attribute_or_none(group, "neurodata_type"))
    seen = set()
    while kind is not None and kind not in _KINDS and kind not in seen:
        seen.add(kind)
        kind = derived[kind] or None
    if kind in (None, "TimeSeries") and {"data", "rois"} <= set(hdf5.members(group)):
        return "RoiResponseSeries"  # of an extension whose specification is not in the file
    return kind if kind in _KINDS else ""


def _order(file: h5py.File, things: Sequence[Thing]) -> Order:
    """Tell how pictures are stored by who made the file."""
    if hdf5.has(hdf5.optional_or_none(file, "specifications"), _ALLEN):
        return "yx"
    texts = [hdf5.text(file, "session_description")]
    tables = (t for t in things if t.kind == "PlaneSegmentation")
    texts += [str(hdf5.attribute_or_none(t.group, "description")) for t in tables]
    return "yx" if any(text in _SUITE2P for text in texts) else "xy"


def _group(found: Contents) -> None:
    """Put traces to their tables, and tables to their planes."""
    tables = {thing.path: thing for thing in found.of("PlaneSegmentation")}
    for thing in found.of("RoiResponseSeries"):
        try:
            series = _roi_series(found.file, thing)
        except FileFormatError as error:
            found.problems.append(f"traces {thing.path} left out: {error}")
            continue
        _join(found, series, tables)
    used = {plane.table.path for plane in found.planes if plane.table is not None}
    taken = {plane.name for plane in found.planes}
    for path, table in tables.items():
        name = plane_name(table.group)
        if path not in used and name not in taken:
            found.planes.append(Plane(name=name, table=table))
            taken.add(name)
    for movie in found.of(*MOVIES):
        name = plane_name(movie.group)
        if name not in taken:
            found.planes.append(Plane(name=name))
            taken.add(name)
    if not found.planes:  # nothing was seen by them, and that much can be told
        listed = hdf5.members(hdf5.optional_or_none(found.file, *PLANES))
        found.planes = [Plane(name=name) for name in listed]
    _label(found.planes)


def _join(found: Contents, series: RoiSeries, tables: dict[str, Thing]) -> None:
    """Add traces to the plane with which they share ROIs, or make a new one."""
    for plane in found.planes:
        path = None if plane.table is None else plane.table.path
        shares = np.isin(series.rows, plane.rows).any() or not series.rows.size
        if path == series.table and (shares or not plane.rows.size):
            plane.series.append(series)
            return
    table = None if series.table is None else tables.get(series.table)
    name = None if table is None else plane_name(table.group)
    found.planes.append(Plane(name=name, table=table, series=[series]))


def plane_name(thing: h5py.Group) -> str | None:
    """Name of the imaging plane to which a table or movie links."""
    if not hdf5.has(thing, "imaging_plane"):
        return None
    return hdf5.target_name(thing, "imaging_plane", *PLANES)


def _label(planes: list[Plane]) -> None:
    """Give each plane a name of its own."""
    names = [plane.name for plane in planes]
    for number, plane in enumerate(planes):
        tried = [plane.name]
        if plane.name is None or names.count(plane.name) > 1:
            first = plane.series[0].thing.name if plane.series else None
            same_table = sum(p.table is plane.table for p in planes) > 1
            tried = [first] if same_table else [plane.table.name if plane.table else None]
        taken = {p.label for p in planes}
        tried.append(f"plane {number}")
        plane.label = next(t for t in tried if t is not None and t not in taken)


def _roi_series(file: h5py.File, thing: Thing) -> RoiSeries:
    """Read to which rows of which table the columns of a series belong.

    Raises
    ------
    FileFormatError
        Its region cannot be read.
    """
    region = hdf5.optional(thing.group, "rois")
    if region is None:
        msg = "it does not say which ROIs its columns are"
        raise FileFormatError(msg)
    try:
        rows = np.atleast_1d(np.asarray(region[()]))
    except hdf5.READ_ERRORS as error:
        msg = f"its ROIs cannot be read ({hdf5.said_by(error)})"
        raise FileFormatError(msg) from error
    if rows.size and rows.dtype.kind not in "iu":
        msg = f"its ROIs are no rows of a table but {rows.dtype}"
        raise FileFormatError(msg)
    return RoiSeries(thing=thing, table=_table_of(file, region), rows=rows.astype(int))


def _table_of(file: h5py.File, region: h5py.Dataset) -> str | None:
    """Path of the table to which a region refers."""
    reference = hdf5.attribute_or_none(region, "table")
    try:
        target = None if reference is None else file[reference]
    except hdf5.READ_ERRORS:
        return None
    return None if target is None or target.name is None else str(target.name).lstrip("/")


def chosen(
    found: Contents, name: str, plane: str | int | None, *, with_traces: bool = False
) -> Plane:
    """Pick a plane by its label, its name, its table or its number.

    Parameters
    ----------
    found : Contents
        What is in the file.
    name : str
        Name of the file, for errors.
    plane : str or int, optional
        Which; None is the only one.
    with_traces : bool
        Whether only planes with traces count where none is named.

    Raises
    ------
    InputError
        There are several, and none was named.
    UnknownNameError
        None is called so.
    FileFormatError
        There is none at all.
    """
    if not found.planes:
        why = "; ".join(found.problems)
        msg = f"{name} has no imaging plane, ROIs or traces" + (f": {why}" if why else "")
        raise FileFormatError(msg)
    labels = [p.label for p in found.planes]
    if plane is None:
        fitting = [p for p in found.planes if p.series] if with_traces else found.planes
        if len(fitting) == 1:
            return fitting[0]
        if len(found.planes) > 1:
            msg = (
                f"{name} has {len(labels)} planes; say which: plane={labels[0]!r}, of {labels}"
            )
            raise InputError(msg)
        return found.planes[0]
    if isinstance(plane, int):
        if not -len(labels) <= plane < len(labels):
            msg = f"{name} has {len(labels)} planes, so none has the number {plane}"
            raise InputError(msg)
        return found.planes[plane]
    for p in found.planes:
        if plane == p.label or (p.table is not None and plane == p.table.name):
            return p
    tables = {t.name: t for t in found.of("PlaneSegmentation")}
    if plane in tables:
        return Plane(name=plane_name(tables[plane].group), table=tables[plane], label=plane)
    raise unknown_name("plane or ROI table", plane, [*labels, *tables])

"""All patch-clamp series of a file, and what its tables say of them."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.io.nwb.source import hdf5
from cleo_like.io.nwb.source.kinds import TYPES, derived_types, kinds_of, known
from cleo_like.io.nwb.source.series import ICEPHYS, key_of, series_of
from cleo_like.io.text_units import parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import h5py

    from cleo_like.io.nwb.source.series import Series

_PLACES = {"acquisition": ("acquisition",), "stimulus": ("stimulus", "presentation"),
           "template": ("stimulus", "templates")}  # fmt: skip
_DEEP = 2  # groups within groups in which series are looked for
_SHOWN = 3


@attrs.frozen(kw_only=True)
class Row:
    """A row of the IntracellularRecordings table: stretches (series, start, count) or None."""

    response: tuple[Any, int, int] | None
    stimulus: tuple[Any, int, int] | None
    from_template: bool = False


@attrs.define(eq=False)
class Contents:
    """The series of a file by their role, each object once.

    Parameters
    ----------
    responses, stimuli, templates : list of Series
        In the natural order of their names.
    problems : dict
        Reason -> names of the series that cannot be used for it.
    plain : list of str
        Names of plain TimeSeries among the acquisitions.
    """

    file: Any
    responses: list[Series] = attrs.field(factory=list)
    stimuli: list[Series] = attrs.field(factory=list)
    templates: list[Series] = attrs.field(factory=list)
    problems: dict[str, list[str]] = attrs.field(factory=lambda: defaultdict(list))
    plain: list[str] = attrs.field(factory=list)
    _types: dict[str, str] = attrs.field(factory=dict)
    _known: dict[tuple[int, int], Series | None] = attrs.field(factory=dict)

    def seen(self, reference: Any) -> Series | None:
        """Give the series that a reference leads to, if it was taken in already."""
        import h5py

        target = h5py.h5r.dereference(reference, self.file.id)
        return None if target is None else self._known.get(key_of(h5py.Group(target)))

    def findings(self) -> list[str]:
        """Say which series were left out, and why."""
        return [f"{named(names)} left out: {why}" for why, names in self.problems.items()]

    def add(
        self,
        group: h5py.Group,
        name: str,
        place: str,
        kinds: tuple[str, str | None] | None = None,
    ) -> Series | None:
        """Take in a series once; None (and a problem) where it cannot be used.

        `kinds` is what `kinds_of` gives, where it is known already.
        """
        key = key_of(group)
        if key in self._known:
            return self._known[key]
        self._known[key] = None
        among_stimuli = place != "acquisition"
        try:
            made = series_of(
                group,
                name,
                kinds_of(group, self._types) if kinds is None else kinds,
                self._types,
                key=key,
                among_stimuli=among_stimuli,
            )
            if among_stimuli and not made.stimulus:
                msg = f"a {made.type}, the type of a response, lies among the stimuli"
                raise FileFormatError(msg)
        except FileFormatError as error:
            self.problems[_without(str(error), group)].append(name)
            return None
        self._known[key] = made
        if not made.stimulus:
            self.responses.append(made)
        else:
            (self.templates if place == "template" else self.stimuli).append(made)
        return made


def contents_of(file: h5py.File) -> Contents:
    """Look through an opened file."""
    found = Contents(file)
    found._types = derived_types(file)  # noqa: SLF001
    currents = [pair for place in _PLACES for pair in _take(found, place)]
    if not found.stimuli:
        for group, name in currents:
            found.add(group, name, "stimulus")
    for some in (found.responses, found.stimuli, found.templates):
        some.sort(key=lambda series: natural(series.name))
    return found


def _take(found: Contents, place: str) -> list[tuple[Any, str]]:
    """Take in the patch-clamp series of a place; give the plain currents of the stimuli."""
    names = _PLACES[place]
    try:
        top = hdf5.optional(found.file, *names)
    except FileFormatError as error:
        found.problems[str(error)].append("/".join(names))
        return []
    currents = []
    for name, group, kinds in _groups(top, found, _DEEP):
        if kinds[0] in TYPES:
            found.add(group, name, place, kinds)
        elif kinds[1] == "TimeSeries":
            if place == "acquisition":
                found.plain.append(name)
            elif place == "stimulus" and _is_current(group):
                currents.append((group, name))
    return currents


def _is_current(group: h5py.Group) -> bool:
    """Whether a plain TimeSeries is a current (in V it may be a trigger as well)."""
    unit = known(hdf5.attribute_or_none(hdf5.optional_or_none(group, "data"), "unit"))
    return unit is not None and parse_unit(unit).si == "A"


def _groups(
    top: h5py.Group, found: Contents, deep: int
) -> Iterator[tuple[str, Any, tuple[str, str | None]]]:
    """Give name, group and `kinds_of` what has data, in groups within groups too."""
    for name in sorted(hdf5.members(top), key=natural):
        try:
            group = hdf5.member(top, name)
        except FileFormatError as error:
            found.problems[str(error)].append(name)
            continue
        try:
            kinds = kinds_of(group, found._types)  # noqa: SLF001
        except FileFormatError as error:
            found.problems[_without(str(error), group)].append(name)
            continue
        if kinds[0] in TYPES or hdf5.has(group, "data"):
            yield name, group, kinds
        elif deep > 1:
            yield from _groups(group, found, deep - 1)


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which "v2" comes before "v10".

    Examples
    --------
    >>> sorted(["v10", "v2", "v"], key=natural)
    ['v', 'v2', 'v10']
    """
    parts = re.split(r"(\d{1,18})", name)
    return tuple((0, int(p), "") if p.isascii() and p.isdigit() else (1, 0, p) for p in parts)


def named(names: list[str]) -> str:
    """Give the names of a few series, or how many there are."""
    shown = ", ".join(map(repr, names[:_SHOWN]))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{shown}{more}"


def _without(reason: str, group: h5py.Group) -> str:
    """Reasons that differ in the series' own path only are one reason."""
    path = getattr(group, "name", None)
    return reason if path is None else reason.replace(hdf5.as_text(path) + "/", "its ")


def recordings_table(found: Contents) -> list[Row]:
    """Rows of the IntracellularRecordings table; none where there is no usable one.

    Raises
    ------
    FileFormatError
        The table is there and damaged.
    """
    table = hdf5.optional(found.file, *ICEPHYS, "intracellular_recordings")
    if table is None:
        return []
    responses = _column(found, table, "responses", "response")
    stimuli = _column(found, table, "stimuli", "stimulus")
    templates = _column(found, table, "stimuli", "stimulus_template")
    rows = []
    for index, response in enumerate(responses):
        stimulus = stimuli[index] if index < len(stimuli) else None
        template = templates[index] if index < len(templates) else None
        rows.append(
            Row(
                response=response,
                stimulus=template if stimulus is None else stimulus,
                from_template=stimulus is None and template is not None,
            )
        )
    return rows


def _column(
    found: Contents, table: h5py.Group, category: str, name: str
) -> list[tuple[Any, int, int] | None]:
    column = hdf5.optional(table, category, name)
    if column is None:
        return []
    names = getattr(getattr(column, "dtype", None), "names", None)
    if names is None or not {"idx_start", "count", "timeseries"} <= set(names):
        msg = f"the column {name!r} of the IntracellularRecordings table holds no series"
        raise FileFormatError(msg)
    return [_part(found, cell, category) for cell in _loaded(found, column)]


def _loaded(found: Contents, column: h5py.Group) -> Iterable[Any]:
    try:
        if column.size * column.dtype.itemsize > found.file.id.get_filesize():
            msg = f"{column.name} promises {column.size} rows, more than the file holds"
            raise FileFormatError(msg)
        hdf5.check_texts(column)
        return np.atleast_1d(column[()])
    except FileFormatError:
        raise
    except hdf5.READ_ERRORS as error:
        msg = f"{column.name} cannot be read ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error


def _part(found: Contents, cell: h5py.Group, category: str) -> tuple[Any, int, int] | None:
    """Read a table cell; index -1 or count -1 say that there is no series."""
    start, count = int(cell["idx_start"]), int(cell["count"])
    if start < 0 or count < 0:
        return None
    series = _pointed_at(found, cell["timeseries"], category)
    return None if series is None else (series, start, count)


def _pointed_at(found: Contents, reference: h5py.Group, category: str) -> Series | None:
    try:
        made = found.seen(reference)
        if made is not None:
            return made
        group = found.file[reference]
        if group.name is not None:
            among = "acquisition" if category == "responses" else "stimulus"
            return found.add(group, hdf5.as_text(group.name).rsplit("/", 1)[-1], among)
    except hdf5.READ_ERRORS:
        pass
    # an object without a name was deleted: what lies there is left from before
    found.problems[f"they name {category} that are not in the file"] = ["rows of a table"]
    return None


def sweep_table(found: Contents) -> dict[tuple[int, int], int]:
    """Sweep numbers by series, from the SweepTable; empty where there is none.

    Raises
    ------
    FileFormatError
        The table is there and damaged.
    """
    table = hdf5.optional(found.file, *ICEPHYS, "sweep_table")
    if table is None:
        return {}
    numbers, series, ends = (
        list(_loaded(found, hdf5.member(table, name)))
        for name in ("sweep_number", "series", "series_index")
    )
    result = {}
    begin = 0
    for number, end in zip(numbers, ends, strict=False):
        for reference in series[begin : int(end)]:
            made = _pointed_at(found, reference, _side(found, reference))
            if made is not None:
                result[made.key] = int(number)
        begin = int(end)
    return result


def _side(found: Contents, reference: h5py.Group) -> str:
    import h5py

    try:
        path = hdf5.as_text(h5py.h5r.get_name(reference, found.file.id) or b"")
    except hdf5.READ_ERRORS:
        return "responses"
    return "stimuli" if "/stimulus/" in path else "responses"

"""Which stimulus goes with which response in an NWB file.

In this order: the IntracellularRecordings table, the SweepTable, the sweep numbers of the
series, then electrode and time. Never by sorted names: "__10" sorts before "__2". A command
in A goes with a response in V, and the other way round; nothing else does.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import FileFormatError
from cleo_like.io.nwb.evidence import START, Matches
from cleo_like.io.nwb.source import hdf5
from cleo_like.io.nwb.source.contents import (
    contents_of,
    named,
    natural,
    recordings_table,
    sweep_table,
)
from cleo_like.io.nwb.source.series import ICEPHYS

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cleo_like.io.nwb.source.contents import Contents
    from cleo_like.io.nwb.source.series import Series

NO_ELECTRODE = "unknown electrode"
_NUMBER, _TIME = "sweep numbers of the series", "electrode and start time"
_TABLE, _SWEEPS = "IntracellularRecordings table", "SweepTable"


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """A series and the stretch [start, stop) of it that belongs to the sweep."""

    series: Series
    start: int
    stop: int


@attrs.frozen(kw_only=True, eq=False)
class Pair:
    """One sweep: its number, its electrode's name, its response and stimulus."""

    number: int
    electrode: str
    response: Part
    stimulus: Part | None
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Pairing:
    """All sweeps of a file, how they were paired, and what was noticed.

    `left_out` are responses that were recorded beside another one (monitors), by name.
    """

    pairs: tuple[Pair, ...]
    method: str
    findings: tuple[str, ...]
    contents: Contents
    left_out: tuple[Pair, ...] = ()


def pair(file: Any) -> Pairing:
    """Pair the patch-clamp series of an opened file."""
    contents = contents_of(file)
    findings: list[str] = []
    try:
        pairs, method = _from_table(contents), _TABLE
    except FileFormatError as error:
        findings.append(f"{error}; the table was not used")
        pairs = []
    if pairs:
        used = {p.response.series.key for p in pairs}
        left = [_alone(s) for s in contents.responses if s.key not in used]
        if left:
            names = named([p.response.series.name for p in left])
            findings.append(
                f"{len(left)} responses are in no row of the {_TABLE} and were left out: "
                f"{names}"
            )
    else:
        pairs, method = _from_series(contents, findings)
        pairs, left = _without_monitors(pairs, findings)
    pairs = _numbered(pairs, findings)
    return Pairing(
        pairs=tuple(pairs),
        method=method,
        findings=(*_remarks(pairs, contents, method), *findings, *contents.findings()),
        contents=contents,
        left_out=tuple(left),
    )


def _remarks(pairs: list[Pair], contents: Contents, method: str) -> list[str]:
    remarks = []
    lonely = [p for p in pairs if p.stimulus is None and not _is_izero(p)]
    if lonely:
        remarks.append(
            f"no stimulus belongs to {len(lonely)} of {len(pairs)} responses "
            f"(paired by {method}); their command is unknown"
        )
        used = {p.stimulus.series.key for p in pairs if p.stimulus is not None}
        idle = [s.name for s in contents.stimuli + contents.templates if s.key not in used]
        if idle:
            remarks.append(f"{len(idle)} stimuli belong to no response: {named(idle)}")
    doubts: dict[str, list[str]] = defaultdict(list)
    used_series = [x.series for p in pairs for x in (p.response, p.stimulus) if x is not None]
    for series in dict.fromkeys(used_series):
        for doubt in series.findings:
            doubts[doubt].append(series.name)
    remarks += [f"{named(names)}: {doubt}" for doubt, names in doubts.items()]
    counts = Counter(note for p in pairs for note in p.notes)
    return remarks + [f"{note} ({n} sweeps)" for note, n in counts.items()]


def _is_izero(pair: Pair) -> bool:
    return pair.response.series.type == "IZeroClampSeries"


def _alone(series: Series, stimulus: Series | None = None, **fields: Any) -> Pair:
    number = series.number if series.number is not None else 0
    return Pair(
        number=fields.pop("number", number),
        electrode=series.electrode if series.electrode is not None else NO_ELECTRODE,
        response=_whole(series),
        stimulus=None if stimulus is None else _whole(stimulus),
        **fields,
    )


def _whole(series: Series) -> Part:
    return Part(series=series, start=0, stop=series.samples.count)


# --- by the table of recordings


def _from_table(contents: Contents) -> list[Pair]:
    pairs = []
    for index, row in enumerate(recordings_table(contents)):
        if row.response is None or row.response[0].stimulus:
            continue
        response = _part(*row.response)
        stimulus = None if row.stimulus is None else _part(*row.stimulus)
        notes = []
        if stimulus is not None and stimulus.series.unit == response.series.unit:
            unit = response.series.unit
            notes.append(
                f"the table pairs a response in {unit} with a stimulus in {unit}; unused"
            )
            stimulus = None
        elif row.from_template:
            notes.append("the command is the template of the stimulus, as the table says")
        made = _alone(response.series, number=index, notes=tuple(notes))
        pairs.append(attrs.evolve(made, response=response, stimulus=stimulus))
    own = [p.response.series.number for p in pairs]
    own = own if None not in own else [None] * len(own)
    unique = Counter((p.electrode, n) for p, n in zip(pairs, own, strict=True) if n is not None)
    if max(unique.values(), default=1) == 1:
        return [
            p if n is None else attrs.evolve(p, number=n)
            for p, n in zip(pairs, own, strict=True)
        ]
    return pairs


def _part(series: Series, start: int, count: int) -> Part:
    stop = min(start + count, series.samples.count)
    return Part(series=series, start=min(start, stop), stop=stop)


# --- by sweep number, then by time


def _from_series(contents: Contents, findings: list[str]) -> tuple[list[Pair], str]:
    try:
        numbers = sweep_table(contents)
    except FileFormatError as error:
        findings.append(f"{error}; the SweepTable was not used")
        numbers = {}
    numbers = {
        s.key: s.number
        for s in contents.responses + contents.stimuli + contents.templates
        if s.number is not None
    } | numbers
    matches = Matches(contents, numbers)
    by_number = len(matches.found)
    matches.by_time()
    by_time = len(matches.found) - by_number
    matches.by_template()
    pairs = [
        _alone(
            series,
            matches.found.get(series.key),
            number=numbers.get(series.key, -1),
            notes=matches.notes.get(series.key, ()),
        )
        for series in contents.responses
    ]
    pairs.sort(key=lambda p: (p.number, p.response.series.start))
    named_first = _SWEEPS if numbers and by_number and _has_sweep_table(contents) else _NUMBER
    methods = [named_first] * bool(by_number) + [_TIME] * bool(by_time)
    return pairs, "; ".join(methods) or (_NUMBER if numbers else _TIME)


def _has_sweep_table(contents: Contents) -> bool:
    return hdf5.has(hdf5.optional(contents.file, *ICEPHYS), "sweep_table")


# --- after pairing


def _without_monitors(pairs: list[Pair], findings: list[str]) -> tuple[list[Pair], list[Pair]]:
    """Leave out what was recorded in the other unit beside the response of a sweep."""
    groups: dict[Hashable, list[Pair]] = defaultdict(list)
    for one in pairs:
        groups[_sweep_of(one)].append(one)
    monitors: list[Pair] = []
    for group in groups.values():
        units = {p.response.series.unit for p in group}
        if len(units) < 2 or (group[0].number < 0 and len(group) > 2):
            continue
        commanded = {p.response.series.unit for p in group if p.stimulus is not None}
        unit = next(iter(commanded)) if len(commanded) == 1 else "V"
        monitors += [p for p in group if p.response.series.unit != unit and p.stimulus is None]
    if monitors:
        names = named([p.response.series.name for p in monitors])
        findings.append(
            f"{len(monitors)} series recorded beside the response of a sweep in the other unit "
            f"were left out: {names}"
        )
    gone = {id(p) for p in monitors}
    return [p for p in pairs if id(p) not in gone], monitors


def _sweep_of(one: Pair) -> Hashable:
    series = one.response.series
    moment = one.number if one.number >= 0 else round(series.start / START)
    return one.electrode, one.number >= 0, moment


def _numbered(pairs: list[Pair], findings: list[str]) -> list[Pair]:
    """Give every sweep of an electrode a number of its own, the file's where it has one."""
    result: list[Pair] = []
    for electrode in dict.fromkeys(p.electrode for p in pairs):
        own = [p for p in pairs if p.electrode == electrode]
        numbers = [p.number for p in own]
        if min(numbers) < 0:
            own.sort(key=lambda p: (p.response.series.start, natural(p.response.series.name)))
        if min(numbers) < 0 or len(set(numbers)) < len(numbers):
            if min(numbers) >= 0 or max(numbers) >= 0:
                repeated = "repeat themselves" if min(numbers) >= 0 else "are missing in some"
                findings.append(f"sweep numbers of {electrode} {repeated}; counted anew from 0")
            own = [attrs.evolve(p, number=k) for k, p in enumerate(own)]
        result += own
    return result

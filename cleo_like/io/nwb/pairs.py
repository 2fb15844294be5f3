"""Which stimulus goes with which response in an NWB file.

In this order: the IntracellularRecordings table, the SweepTable, the sweep numbers of the
series, then electrode and time. Never by sorted names: "__10" sorts before "__2". A command
in A goes with a response in V, and the other way round; nothing else does.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import attrs

from cleo_like.core.errors import FileFormatError
from cleo_like.io.nwb.evidence import Matches, Part, part_of, parts_of
from cleo_like.io.nwb.monitors import split_monitors
from cleo_like.io.nwb.source.contents import (
    contents_of,
    named,
    natural,
    recordings_table,
    sweep_table,
)

if TYPE_CHECKING:
    import h5py

    from cleo_like.io.nwb.source.contents import Contents

NO_ELECTRODE = "unknown electrode"
_NUMBER, _TIME = "sweep numbers of the series", "electrode and start time"
_TABLE, _SWEEPS = "IntracellularRecordings table", "SweepTable"


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


def pair(file: h5py.File) -> Pairing:
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
        left = [
            part
            for series in contents.responses
            if series.key not in used
            for part in parts_of(series, series.number)
        ]
        if left:
            findings.append(
                f"{len(left)} responses are in no row of the {_TABLE} and were left out: "
                f"{named([part.series.name for part in left])}"
            )
    else:
        pairs, left, method = _from_series(contents, findings)
    pairs = _numbered(pairs, findings)
    return Pairing(
        pairs=tuple(pairs),
        method=method,
        findings=(*_remarks(pairs, contents, method), *findings, *contents.findings()),
        contents=contents,
        left_out=tuple(_pair(part, part.number) for part in left),
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
    idle = [s.name for s in contents.stimuli if s.key not in used]
    if lonely:
        idle += [s.name for s in contents.templates if s.key not in used]
    if idle:
        remarks.append(f"{len(idle)} stimuli belong to no response: {named(idle)}")
    doubts: dict[str, list[str]] = defaultdict(list)
    for series in contents.responses + contents.stimuli:
        for doubt in series.findings:
            doubts[doubt].append(series.name)
    remarks += [f"{named(names)}: {doubt}" for doubt, names in doubts.items()]
    counts = Counter(note for p in pairs for note in p.notes)
    return remarks + [f"{note} ({n} sweeps)" for note, n in counts.items()]


def _is_izero(pair: Pair) -> bool:
    return pair.response.series.type == "IZeroClampSeries"


def _pair(response: Part, number: int | None, stimulus: Part | None = None) -> Pair:
    electrode = response.series.electrode
    return Pair(
        number=number if number is not None else -1,
        electrode=electrode if electrode is not None else NO_ELECTRODE,
        response=response,
        stimulus=stimulus,
    )


# --- by the table of recordings


def _from_table(contents: Contents) -> list[Pair]:
    pairs = []
    for index, row in enumerate(recordings_table(contents)):
        if row.response is None or row.response[0].stimulus:
            continue
        response, start, count = row.response
        asked = part_of(response, start, start + count)
        played, notes = None, []
        if row.stimulus is not None:
            stimulus, start, count = row.stimulus
            played = part_of(stimulus, start, start + count)
            if stimulus.unit == response.unit:
                notes.append(
                    f"the table pairs a response in {response.unit} with another; unused"
                )
                played = None
            elif row.from_template:
                notes.append("the command is the template of the stimulus, as the table says")
        pairs.append(attrs.evolve(_pair(asked, index, played), notes=tuple(notes)))
    own = [p.response.series.number for p in pairs]
    keys = {(p.electrode, n) for p, n in zip(pairs, own, strict=True)}
    if None in own or len(keys) < len(pairs):
        return pairs
    return [attrs.evolve(p, number=n) for p, n in zip(pairs, own, strict=True) if n is not None]


# --- by sweep number, then by time


def _from_series(contents: Contents, findings: list[str]) -> tuple[list[Pair], list[Part], str]:
    try:
        table = sweep_table(contents)
    except FileFormatError as error:
        findings.append(f"{error}; the SweepTable was not used")
        table = {}
    responses, stimuli, templates = (
        [part for s in every for part in parts_of(s, table.get(s.key, s.number))]
        for every in (contents.responses, contents.stimuli, contents.templates)
    )
    jumping = [s for s in contents.responses if len(s.clock.stretches) > 1]
    if jumping:
        jumps = sum(len(s.clock.stretches) - 1 for s in jumping)
        findings.append(
            f"the time stamps of {named([s.name for s in jumping])} jump ({jumps} times in "
            "all); each stretch became a sweep of its own"
        )
    responses, monitors = split_monitors(responses, stimuli, findings)
    matches = Matches(responses, stimuli, templates)
    pairs = [
        attrs.evolve(
            _pair(part, part.number, matches.found.get(part.key)),
            notes=matches.notes.get(part.key, ()),
        )
        for part in responses
    ]
    pairs.sort(key=lambda p: (p.number, p.response.begin))
    by_number = _SWEEPS if table else _NUMBER
    methods = [by_number] * bool(matches.by_number) + [_TIME] * bool(matches.by_time)
    numbered = any(part.number is not None for part in responses)
    return pairs, monitors, "; ".join(methods) or (by_number if numbered else _TIME)


def _numbered(pairs: list[Pair], findings: list[str]) -> list[Pair]:
    """Give every sweep of an electrode a number of its own, the file's where it has one."""
    result: list[Pair] = []
    for electrode in dict.fromkeys(p.electrode for p in pairs):
        own = [p for p in pairs if p.electrode == electrode]
        numbers = [p.number for p in own]
        if min(numbers) < 0:
            own.sort(key=lambda p: (p.response.begin, natural(p.response.series.name)))
        if min(numbers) < 0 or len(set(numbers)) < len(numbers):
            if max(numbers) >= 0:
                how = "repeat themselves" if min(numbers) >= 0 else "are missing in some"
                findings.append(f"sweep numbers of {electrode} {how}; counted anew from 0")
            own = [attrs.evolve(p, number=k) for k, p in enumerate(own)]
        result += own
    return result

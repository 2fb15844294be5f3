"""Which stimulus goes with which response in an NWB file.

In this order: the IntracellularRecordings table, the SweepTable, the sweep numbers of the
series, then electrode and time. Never by sorted names: "__10" sorts before "__2". A command
in A goes with a response in V, and the other way round; nothing else does.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import FileFormatError
from cleo_like.io.nwb import hdf5
from cleo_like.io.nwb.contents import contents_of, named, natural, recordings_table, sweep_table
from cleo_like.io.nwb.series import ICEPHYS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from cleo_like.io.nwb.contents import Contents
    from cleo_like.io.nwb.series import Series

NO_ELECTRODE = "unknown electrode"
_OTHER = {"V": "A", "A": "V"}
_NUMBER, _TIME = "sweep numbers of the series", "electrode and start time"
_TABLE, _SWEEPS = "IntracellularRecordings table", "SweepTable"
_START = 1e-5  # s: closer than any two sweeps, wider than rounding


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
    matches = _Matches(contents, numbers)
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


class _Matches:
    """Stimuli found for responses, the surest evidence first, each stimulus used once."""

    def __init__(self, contents: Contents, numbers: dict[tuple[int, int], int]) -> None:
        self.contents = contents
        self.numbers = numbers
        self.found: dict[tuple[int, int], Series] = {}
        self.notes: dict[tuple[int, int], tuple[str, ...]] = {}
        self.recording = {s.electrode for s in contents.responses}
        self._by_number()

    def _open(self, stimuli: list[Series]) -> tuple[list[Series], list[Series]]:
        taken = {s.key for s in self.found.values()}
        responses = [
            r
            for r in self.contents.responses
            if r.key not in self.found and r.type != "IZeroClampSeries"
        ]
        return responses, [s for s in stimuli if s.key not in taken]

    def _take(self, pairs: Iterable[tuple[Series, Series]], note: str | None = None) -> None:
        for response, stimulus in pairs:
            self.found[response.key] = stimulus
            if note is not None:
                self.notes[response.key] = (note,)

    def _by_number(self) -> None:
        number = self.numbers.get

        def key(series: Series) -> Hashable:
            n = number(series.key)
            return None if n is None else (n, series.electrode, _response_unit(series))

        self._take(_grouped(*self._open(self.contents.stimuli), key))
        # an electrode that records nothing of its own, or none: the number alone must do
        responses, stimuli = self._open(self.contents.stimuli)
        stray = [s for s in stimuli if s.electrode not in self.recording]
        self._take(
            _singles(responses, stray, self.numbers),
            "the stimulus names another electrode, which records nothing; the sweep number "
            "is the same",
        )

    def by_time(self) -> None:
        """Pair what starts together, else what overlaps, on one electrode."""
        responses, stimuli = self._open(self.contents.stimuli)
        self._take(_mutual_in_time(responses, stimuli, self._starts_together))
        responses, stimuli = self._open(self.contents.stimuli)
        self._take(
            _mutual_in_time(responses, stimuli, self._overlap),
            "the stimulus was found by its time, which overlaps with the response",
        )

    def by_template(self) -> None:
        """Templates count where nothing was presented, by sweep number only."""
        responses, templates = self._open(self.contents.templates)
        self._take(
            _singles(responses, templates, self.numbers),
            "the command is the template of the stimulus with the same sweep number",
        )

    def _same_electrode(self, response: Series, stimulus: Series) -> bool:
        alike = stimulus.electrode == response.electrode
        stray = stimulus.electrode not in self.recording and len(self.recording) == 1
        return (alike or stray) and stimulus.unit == _OTHER[response.unit]

    def _starts_together(self, response: Series, stimulus: Series) -> bool:
        near = abs(response.start - stimulus.start) <= _START
        return near and self._same_electrode(response, stimulus)

    def _overlap(self, response: Series, stimulus: Series) -> bool:
        own, other = self.numbers.get(response.key), self.numbers.get(stimulus.key)
        if own is not None and other is not None and own != other:
            return False
        meet = stimulus.start < response.clock.stop and response.start < stimulus.clock.stop
        return meet and self._same_electrode(response, stimulus)


def _response_unit(series: Series) -> str:
    """Give the unit of the response to which a series belongs."""
    return _OTHER[series.unit] if series.stimulus else series.unit


def _grouped(
    responses: list[Series], stimuli: list[Series], key: Callable[[Series], Hashable]
) -> list[tuple[Series, Series]]:
    """Pair what is alone under its key, and by start what shares it."""
    groups: dict[Hashable, tuple[list[Series], list[Series]]] = defaultdict(lambda: ([], []))
    for series in responses + stimuli:
        if key(series) is not None:
            groups[key(series)][series.stimulus].append(series)
    pairs = []
    for asked, played in groups.values():
        if len(asked) == len(played) == 1:
            pairs.append((asked[0], played[0]))
        else:
            pairs += _mutual(asked, played, _near)
    return pairs


def _near(response: Series, stimulus: Series) -> bool:
    return abs(response.start - stimulus.start) <= _START


def _singles(
    responses: list[Series], stimuli: list[Series], numbers: dict[tuple[int, int], int]
) -> list[tuple[Series, Series]]:
    """Pair one response with the one stimulus of its number, whatever the electrode."""
    groups: dict[Hashable, list[Series]] = defaultdict(list)
    for series in responses + stimuli:
        if series.key in numbers:
            groups[numbers[series.key], _response_unit(series)].append(series)
    return [
        (group[0], group[1])
        for group in groups.values()
        if [s.stimulus for s in group] == [False, True]
    ]


def _mutual(
    responses: list[Series], stimuli: list[Series], fits: Callable[[Series, Series], bool]
) -> list[tuple[Series, Series]]:
    """Pairs that meet in time, in which each is the only one that fits the other."""
    return _mutual_of({r.key: [s for s in stimuli if fits(r, s)] for r in responses}, responses)


def _mutual_in_time(
    responses: list[Series], stimuli: list[Series], fits: Callable[[Series, Series], bool]
) -> list[tuple[Series, Series]]:
    """As `_mutual`, asking only about stimuli that can meet the response."""
    played = sorted(stimuli, key=lambda s: s.start)
    starts = [s.start for s in played]
    longest = max((s.clock.stop - s.start for s in played), default=0.0) + _START
    fitting = {}
    for r in responses:
        first = bisect_left(starts, r.start - longest)
        last = bisect_right(starts, r.clock.stop + _START)
        fitting[r.key] = [s for s in played[first:last] if fits(r, s)]
    return _mutual_of(fitting, responses)


def _mutual_of(
    fitting: dict[tuple[int, int], list[Series]], responses: list[Series]
) -> list[tuple[Series, Series]]:
    wanted = Counter(s.key for found in fitting.values() for s in found)
    return [
        (r, fitting[r.key][0])
        for r in responses
        if len(fitting[r.key]) == 1 and wanted[fitting[r.key][0].key] == 1
    ]


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
    moment = one.number if one.number >= 0 else round(series.start / _START)
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

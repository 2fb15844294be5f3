"""What says that a stimulus belongs to a response: sweep number, time, template."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from cleo_like.io.nwb.source.series import Series

START = 1e-5
"""s: closer than any two sweeps, wider than rounding."""

OTHER = {"V": "A", "A": "V"}
"""Unit of the stimulus by unit of the response."""

Key = tuple[tuple[int, int], int]


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """A series and the stretch [start, stop) of it that belongs to one sweep.

    `begin` and `end` are its times (s), `number` its sweep number where it has one.
    """

    series: Series
    start: int
    stop: int
    begin: float
    end: float
    number: int | None = None

    @property
    def key(self) -> Key:
        """Identity: which series, from which sample on."""
        return self.series.key, self.start


def part_of(series: Series, start: int, stop: int, number: int | None = None) -> Part:
    """Make the part [start, stop) of a series."""
    stop = min(stop, series.samples.count)
    clock = series.clock.part(start, stop)
    begin, end = (clock.start, clock.stop) if clock.stretches else (series.start, series.start)
    return Part(
        series=series, start=min(start, stop), stop=stop, begin=begin, end=end, number=number
    )


def parts_of(series: Series, number: int | None) -> list[Part]:
    """Give the whole series, or its stretches where its time stamps jump (no number each)."""
    stretches = series.clock.stretches
    if len(stretches) < 2:
        return [part_of(series, 0, series.samples.count, number)]
    return [part_of(series, s.begin, s.end) for s in stretches]


class Matches:
    """Stimuli found for responses, the surest evidence first.

    Parameters
    ----------
    responses, stimuli, templates : list of Part
        Of a whole file.
    """

    def __init__(
        self, responses: list[Part], stimuli: list[Part], templates: list[Part]
    ) -> None:
        self.found: dict[Key, Part] = {}
        self.notes: dict[Key, tuple[str, ...]] = {}
        self._responses = [r for r in responses if r.series.type != "IZeroClampSeries"]
        self._stimuli = stimuli
        self._recording = {r.series.electrode for r in responses}
        self.by_number = self._by_number()
        self.by_time = self._by_time()
        self._take(
            _singles(*self._open(templates)),
            "the command is the template of the stimulus with the same sweep number",
        )

    def _open(self, stimuli: list[Part]) -> tuple[list[Part], list[Part]]:
        taken = {s.key for s in self.found.values()}
        responses = [r for r in self._responses if r.key not in self.found]
        return responses, [s for s in stimuli if s.key not in taken]

    def _take(self, pairs: Iterable[tuple[Part, Part]], note: str | None = None) -> None:
        for response, stimulus in pairs:
            self.found[response.key] = stimulus
            if note is not None:
                self.notes[response.key] = (note,)

    def _by_number(self) -> int:
        self._take(_grouped(*self._open(self._stimuli)))
        # an electrode that records nothing of its own, or none: the number alone must do
        responses, stimuli = self._open(self._stimuli)
        stray = [s for s in stimuli if s.series.electrode not in self._recording]
        self._take(
            _singles(responses, stray),
            "the stimulus names another electrode, which records nothing; the sweep number "
            "is the same",
        )
        return len(self.found)

    def _by_time(self) -> int:
        before = len(self.found)
        self._take(_mutual(_in_time(*self._open(self._stimuli), self._starts_together)))
        self._take(
            _mutual(_in_time(*self._open(self._stimuli), self._overlap)),
            "the stimulus was found by its time, which overlaps with the response",
        )
        alone = [r for r in self._open([])[0] if not self._crowded(r)]
        self._take(
            [
                (response, found[0])
                for response, found in _in_time(alone, self._stimuli, self._contains)
                if len(found) == 1
            ],
            "the command is the stretch of a longer stimulus at the time of the response",
        )
        return len(self.found) - before

    def _crowded(self, response: Part) -> bool:
        """Whether another response of its electrode was recorded at the same time."""
        return any(
            r.key != response.key
            and r.series.electrode == response.series.electrode
            and r.begin < response.end
            and response.begin < r.end
            for r in self._responses
        )

    def _fit(self, response: Part, stimulus: Part) -> bool:
        own, other = response.series, stimulus.series
        alike = own.electrode == other.electrode
        stray = other.electrode not in self._recording and len(self._recording) == 1
        return (alike or stray) and other.unit == OTHER[own.unit]

    def _starts_together(self, response: Part, stimulus: Part) -> bool:
        return abs(response.begin - stimulus.begin) <= START and self._fit(response, stimulus)

    def _overlap(self, response: Part, stimulus: Part) -> bool:
        if None not in {response.number, stimulus.number}:
            return False  # they differ, else they were paired by number
        meet = stimulus.begin < response.end and response.begin < stimulus.end
        return meet and self._fit(response, stimulus)

    def _contains(self, response: Part, stimulus: Part) -> bool:
        inside = (
            stimulus.begin <= response.begin + START and response.end <= stimulus.end + START
        )
        return inside and self._overlap(response, stimulus)


def _sweep(part: Part) -> Hashable:
    """Give sweep number and unit of the response, alike for both sides of a pair."""
    unit = part.series.unit
    return part.number, OTHER[unit] if part.series.stimulus else unit


def _grouped(responses: list[Part], stimuli: list[Part]) -> list[tuple[Part, Part]]:
    """Pair what is alone with its number on its electrode, and by start what shares it."""
    groups: dict[Hashable, tuple[list[Part], list[Part]]] = defaultdict(lambda: ([], []))
    for part in responses + stimuli:
        if part.number is not None:
            groups[_sweep(part), part.series.electrode][part.series.stimulus].append(part)
    pairs = []
    for asked, played in groups.values():
        if len(asked) == len(played) == 1:
            pairs.append((asked[0], played[0]))
        else:
            near = [(r, [s for s in played if abs(r.begin - s.begin) <= START]) for r in asked]
            pairs += _mutual(near)
    return pairs


def _singles(responses: list[Part], stimuli: list[Part]) -> list[tuple[Part, Part]]:
    """Pair one response with the one stimulus of its number, whatever the electrode."""
    groups: dict[Hashable, list[Part]] = defaultdict(list)
    for part in responses + stimuli:
        if part.number is not None:
            groups[_sweep(part)].append(part)
    return [
        (group[0], group[1])
        for group in groups.values()
        if [p.series.stimulus for p in group] == [False, True]
    ]


def _in_time(
    responses: list[Part], stimuli: list[Part], fits: Callable[[Part, Part], bool]
) -> list[tuple[Part, list[Part]]]:
    """Give the stimuli that fit each response, asking only about those that can meet it."""
    played = sorted(stimuli, key=lambda s: s.begin)
    begins = [s.begin for s in played]
    longest = max((s.end - s.begin for s in played), default=0.0) + START
    found = []
    for r in responses:
        first = bisect_left(begins, r.begin - longest)
        last = bisect_right(begins, r.end + START)
        found.append((r, [s for s in played[first:last] if fits(r, s)]))
    return found


def _mutual(fitting: list[tuple[Part, list[Part]]]) -> list[tuple[Part, Part]]:
    """Pairs in which each is the only one that fits the other."""
    wanted = Counter(s.key for _, found in fitting for s in found)
    return [(r, s[0]) for r, s in fitting if len(s) == 1 and wanted[s[0].key] == 1]

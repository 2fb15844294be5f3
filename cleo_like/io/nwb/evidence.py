"""What says that a stimulus belongs to a response: sweep number, time, template."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from cleo_like.io.nwb.source.contents import Contents
    from cleo_like.io.nwb.source.series import Series

START = 1e-5
"""s: closer than any two sweeps, wider than rounding."""

_OTHER = {"V": "A", "A": "V"}


class Matches:
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
        near = abs(response.start - stimulus.start) <= START
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
    return abs(response.start - stimulus.start) <= START


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
    longest = max((s.clock.stop - s.start for s in played), default=0.0) + START
    fitting = {}
    for r in responses:
        first = bisect_left(starts, r.start - longest)
        last = bisect_right(starts, r.clock.stop + START)
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

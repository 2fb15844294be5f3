"""Pairs of series -> sweeps: stretches cut, commands laid on the clock of the response."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.rates import same_rate
from cleo_like.core.sweep import Sweep
from cleo_like.io.nwb.source.clock import common_rates, lay
from cleo_like.io.nwb.source.contents import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleo_like.io.nwb.pairs import Pair, Part
    from cleo_like.io.nwb.source.clock import Clock


@attrs.frozen(kw_only=True)
class Cut:
    """Sweeps of one electrode; `unreadable` counts the responses that were lost."""

    sweeps: tuple[Sweep, ...]
    findings: tuple[str, ...]
    unreadable: int = 0


def sweeps_of(pairs: list[Pair]) -> Cut:
    """Load the sweeps of one electrode."""
    clocks = _clocks(pairs)
    said: dict[str, list[str]] = defaultdict(list)
    commands = _Commands(said, _timeless(pairs))
    sweeps: list[Sweep] = []
    empty = unreadable = jumps = 0
    for one, clock in zip(pairs, clocks, strict=True):
        jumps += len(clock.stretches) - 1
        try:
            parts = list(_sweeps(one, clock, commands))
        except FileFormatError as error:
            said[f"{error}; the sweep was left out"].append(one.response.series.name)
            unreadable += 1
            continue
        kept = [sweep for sweep in parts if sweep.n_samples]
        empty += len(parts) - len(kept)
        sweeps += kept
    findings = [f"{named(names)}: {text}" for text, names in said.items()]
    if jumps:
        findings.append(
            f"the time stamps jump {jumps} times; each stretch became a sweep of its own"
        )
        sweeps = [attrs.evolve(sweep, number=k) for k, sweep in enumerate(sweeps)]
    if empty:
        findings.append(f"{empty} sweeps without a recorded sample were left out")
    return Cut(sweeps=tuple(sweeps), findings=tuple(findings), unreadable=unreadable)


def _clocks(pairs: list[Pair]) -> list[Clock]:
    """Clocks of the responses, of which rates that may be one are one."""
    own = [p.response.series.clock for p in pairs]
    rates = common_rates(own)
    return [
        attrs.evolve(clock.part(p.response.start, p.response.stop), rate=rate)
        for p, clock, rate in zip(pairs, own, rates, strict=True)
    ]


def _timeless(pairs: list[Pair]) -> bool:
    """Whether the stimuli say no time: they all start at once, their responses do not."""
    paired = [p for p in pairs if p.stimulus is not None]
    responses = {_begin(p.response) for p in paired}
    stimuli = {_begin(p.stimulus) for p in paired if p.stimulus is not None}
    return len(stimuli) == 1 and len(responses) == len(paired) > 1


def _begin(part: Part) -> float:
    clock = part.series.clock.part(part.start, part.stop)
    return clock.start if clock.stretches else part.series.start


@attrs.frozen
class _Commands:
    """Lays the stimulus of a sweep on the clock of its response."""

    said: dict[str, list[str]]
    timeless: bool

    def of(
        self, one: Pair, start: float, rate: float, count: int
    ) -> tuple[np.ndarray | None, list[str]]:
        """Give the command (None where it is unknown) and notes."""
        if one.response.series.type == "IZeroClampSeries":
            return np.zeros(count), ["the current was zero (IZeroClampSeries)"]
        if one.stimulus is None:
            return None, []
        name = one.response.series.name
        try:
            return self._laid(one.stimulus, name, start, rate, count)
        except FileFormatError as error:
            self.said[f"{error}; the command is unknown"].append(name)
            return None, []

    def _laid(
        self, played: Part, name: str, start: float, rate: float, count: int
    ) -> tuple[np.ndarray | None, list[str]]:
        clock = played.series.clock.part(played.start, played.stop)
        if not clock.stretches:
            if count:
                self.said["its stimulus has no samples; the command is unknown"].append(name)
            return (None if count else np.zeros(0)), []
        values, notes = _finite(played.series.values(played.start, played.stop), "command")
        start = self._begin(clock, name, start, start + count / rate)
        laid, reached = lay(
            values, clock, start=start, rate=rate, count=count, origin=played.start
        )
        inside = np.flatnonzero(reached)
        if count and (inside.size == 0 or np.isnan(laid).all()):
            self.said[
                "its stimulus tells nothing of the time of the response; the command is unknown"
            ].append(name)
            return None, notes
        if not same_rate(rate, clock.rate):
            self.said[
                f"its stimulus has another rate ({clock.rate:g} Hz for {rate:g} Hz); each of "
                "its samples was held until the next"
            ].append(name)
        if inside.size < count:
            self.said[
                "its stimulus does not cover the response; the command is unknown (NaN) outside"
            ].append(name)
            before, after = int(inside[0]), count - 1 - int(inside[-1])
            notes.append(f"command unknown in the first {before} and last {after} samples")
        return laid, notes

    def _begin(self, clock: Clock, name: str, start: float, stop: float) -> float:
        """Give the time of the first sample of the response on the clock of the stimulus."""
        away = clock.start >= stop or start >= clock.stop
        if not (self.timeless or (away and clock.start == 0)):
            return start
        if abs(clock.start - start) > 1 / clock.rate:
            self.said[
                "its stimulus has no start time of its own; it was laid from the first sample "
                "of the response on"
            ].append(name)
        return clock.start


def _sweeps(one: Pair, clock: Clock, commands: _Commands) -> Iterator[Sweep]:
    series = one.response.series
    settings, stimulus = series.settings(), series.description
    for stretch in clock.stretches or series.clock.stretches[:1]:
        end = max(stretch.begin, min(stretch.end, one.response.stop))
        response, notes = _finite(series.values(stretch.begin, end), "response")
        kept = _recorded(response)
        if kept < len(response):
            notes.append(f"NaN tail of {len(response) - kept} samples trimmed")
            response = response[:kept]
        notes += _zero_tail(response)
        command, more = commands.of(one, stretch.start, clock.rate, len(response))
        yield Sweep(
            response=response,
            command=command,
            rate=clock.rate,
            number=one.number,
            mode=series.mode,
            start_time=stretch.start,
            stimulus=stimulus,
            settings=settings,
            notes=(*series.notes, *notes, *more),
        )


def _finite(values: np.ndarray, what: str) -> tuple[np.ndarray, list[str]]:
    """Take infinite samples for what they are: not measured."""
    infinite = np.isinf(values)
    if not infinite.any():
        return values, []
    said = f"{int(infinite.sum())} samples of the {what} are infinite; taken as not recorded"
    return np.where(infinite, np.nan, values), [said]


def _recorded(response: np.ndarray) -> int:
    """Count the samples up to the last one that was recorded."""
    good = np.flatnonzero(~np.isnan(response))
    return int(good[-1]) + 1 if len(good) else 0


def _zero_tail(response: np.ndarray) -> list[str]:
    """Report the zeros with which some software fills an interrupted sweep."""
    nonzero = np.flatnonzero(response)
    tail = len(response) - 1 - int(nonzero[-1]) if len(nonzero) else 0
    if tail < max(10, len(response) // 100):
        return []
    return [f"the last {tail} samples are exactly zero: the sweep may have been stopped early"]

"""Pairs of series -> sweeps: stretches cut, commands laid on the clock of the response."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.sweep import Sweep, same_rate
from cleo_like.io.nwb.source.clock import common_rates, lay
from cleo_like.io.nwb.source.contents import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleo_like.io.nwb.evidence import Part
    from cleo_like.io.nwb.pairs import Pair
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
        jumps += max(0, len(clock.stretches) - 1)
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
    """Whether the stimuli say no time: all start at once, and miss responses."""
    both = [(p.response, p.stimulus) for p in pairs if p.stimulus is not None]
    starts = {stimulus.begin for _, stimulus in both}
    return len(starts) == 1 and len(both) > 1 and any(_apart(r, s) for r, s in both)


def _apart(response: Part, stimulus: Part) -> bool:
    return stimulus.begin >= response.end or response.begin >= stimulus.end


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
        try:
            return self._laid(one.response, one.stimulus, start, rate, count)
        except FileFormatError as error:
            self.said[f"{error}; the command is unknown"].append(one.response.series.name)
            return None, []

    def _laid(
        self, response: Part, played: Part, start: float, rate: float, count: int
    ) -> tuple[np.ndarray | None, list[str]]:
        name = response.series.name
        clock = played.series.clock.part(played.start, played.stop)
        if count == 0:
            return np.zeros(0), []
        if not clock.stretches:
            self.said["its stimulus has no samples; the command is unknown"].append(name)
            return None, []
        values, notes = _finite(played.series.values(played.start, played.stop), "command")
        begin = start + self._shift(response, played)
        laid, reached = lay(
            values, clock, start=begin, rate=rate, count=count, origin=played.start
        )
        inside = reached.nonzero()[0]
        if inside.size == 0 or np.isnan(laid).all():
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

    def _shift(self, response: Part, played: Part) -> float:
        """Give the time (s) to add to that of the response for the clock of the stimulus."""
        shift = played.begin - response.begin
        if not (self.timeless or (_apart(response, played) and played.begin == 0)):
            return 0.0
        if abs(shift) > 1 / played.series.clock.rate:
            self.said[
                "its stimulus has no start time of its own; it was laid from the first sample "
                "of the response on"
            ].append(response.series.name)
        return shift


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
    if np.isfinite(values).all():
        return values, []
    infinite = np.isinf(values)
    if not infinite.any():
        return values, []
    said = f"{int(infinite.sum())} samples of the {what} are infinite; taken as not recorded"
    return np.where(infinite, np.nan, values), [said]


def _recorded(response: np.ndarray) -> int:
    """Count the samples up to the last one that was recorded."""
    good = ~np.isnan(response[::-1])
    last = int(good.argmax()) if len(good) else 0
    return len(good) - last if len(good) and good[last] else 0


def _zero_tail(response: np.ndarray) -> list[str]:
    """Report the zeros with which some software fills an interrupted sweep."""
    nonzero = response[::-1] != 0
    last = int(nonzero.argmax()) if len(nonzero) else 0
    tail = last if len(nonzero) and nonzero[last] else 0
    if tail < max(10, len(response) // 100):
        return []
    return [f"the last {tail} samples are exactly zero: the sweep may have been stopped early"]

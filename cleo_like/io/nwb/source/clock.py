"""When each sample of a series was taken, and one series laid on the clock of another."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.sweep import RATE_TOLERANCE, same_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHOLE = 1e-9
"""Relative; a rate this close to a whole number was computed as 1 / interval."""
_BREAK = 0.5
"""Samples by which the time stamps must move, for good, to make a break: one lost sample moves
them by 1, the jitter of a clock moves none for good."""
_AROUND = 16
"""Samples before and after a step of which the means tell whether stamps moved for good."""
_FINE, _LONG = 1e-3, 256
"""Resolution of stamps, in samples, beyond which the usual interval is measured over so many
samples: single steps of rounded stamps have one of two lengths, neither of them right."""
_BREAKS = 0.03
"""Share of breaks beyond which a series is no sweeps with gaps between but unevenly sampled."""
_SLACK = 0.05
"""Samples by which a command may come late and still be held from that sample on (rounding
of starts and stamps)."""


@attrs.frozen
class Stretch:
    """Samples [begin, end) of a series, taken evenly from the time `start` (s) on."""

    begin: int
    end: int
    start: float


@attrs.frozen(kw_only=True)
class Clock:
    """Times of the samples of a series.

    Parameters
    ----------
    rate : float
        Samples per second within each stretch.
    stretches : tuple of Stretch
        One, or more where the time stamps jump.
    uncertainty : float
        Relative error of the rate, where it was taken from time stamps; else 0.
    notes : tuple of str
        What was done to get the rate.
    """

    rate: float
    stretches: tuple[Stretch, ...]
    uncertainty: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def start(self) -> float:
        """Time of the first sample (s)."""
        return self.stretches[0].start

    @property
    def stop(self) -> float:
        """Time (s) at which the last sample ends."""
        last = self.stretches[-1]
        return last.start + (last.end - last.begin) / self.rate

    def part(self, start: int, stop: int) -> Clock:
        """Give the clock of samples [start, stop), counted as in the whole series."""
        kept = [
            Stretch(
                max(s.begin, start),
                min(s.end, stop),
                s.start + max(0, start - s.begin) / self.rate,
            )
            for s in self.stretches
            if s.begin < stop and s.end > start
        ]
        return attrs.evolve(self, stretches=tuple(kept))


def clock_of_rate(start: float, rate: float, count: int) -> Clock:
    """Make the clock of evenly sampled data.

    Raises
    ------
    FileFormatError
        The rate is no positive number, or the start no number.
    """
    if not (np.isfinite(rate) and rate > 0 and np.isfinite(start)):
        msg = f"a rate of {rate:g} Hz from {start:g} s on; expected a positive rate and a start"
        raise FileFormatError(msg)
    exact = _whole(rate, _WHOLE)
    said = [] if exact == rate else [f"rate {rate!r} Hz taken as {exact:g} Hz"]
    return Clock(rate=exact, stretches=(Stretch(0, count, start),), notes=tuple(said))


def clock_of_stamps(stamps: np.ndarray) -> Clock:
    """Find rate and stretches in time stamps (s), of which a NaN tail does not count.

    Raises
    ------
    FileFormatError
        They are not evenly spaced even within stretches, or fewer than two.
    """
    known = np.flatnonzero(np.isfinite(stamps))
    kept = stamps[: int(known[-1]) + 1] if len(known) else stamps[:0]
    if len(kept) < 2 or len(known) < len(kept):
        msg = f"{len(known)} usable time stamps for {len(stamps)} samples tell no rate"
        raise FileFormatError(msg)
    resolution = float(np.spacing(np.abs(kept).max()))
    times = kept.astype(float)
    steps = np.diff(times)
    if float(np.mean(steps == 0)) > _BREAKS and (steps > 0).any():
        resolution = max(resolution, float(steps[steps > 0].min()))  # rounded when written
    edges = [0, *_breaks(times, resolution), len(times)]
    spans = list(itertools.pairwise(edges))
    rate = _rate(times, spans)
    error = max(_deviation(times[a:b], rate) for a, b in spans) + resolution
    if len(spans) - 1 > _BREAKS * len(steps) + 1 or not error <= 1.0 / rate + 2 * resolution:
        msg = "the time stamps are not evenly spaced; samples are never made up between them"
        raise FileFormatError(msg)
    uncertainty = 2 * error * rate / max(b - a for a, b in spans)
    range_ = f" (known to {uncertainty:.1g} of it)" if uncertainty > RATE_TOLERANCE else ""
    return Clock(
        rate=_whole(rate, max(uncertainty, _WHOLE)),
        stretches=tuple(Stretch(a, b, float(times[a])) for a, b in spans),
        uncertainty=max(uncertainty, _WHOLE),
        notes=(f"rate taken from the time stamps{range_}",),
    )


def _breaks(times: np.ndarray, resolution: float) -> list[int]:
    """Give the samples at which the time stamps have moved for good."""
    steps = np.diff(times)
    usual = float(np.median(steps))
    if not resolution < _FINE * usual:
        span = min(_LONG, len(steps))
        usual = float(np.median(times[span:] - times[:-span])) / span
    if usual <= 0:
        return []
    coarse = resolution / usual
    if coarse > 1 and _deviation(times, _rate(times, [(0, len(times))])) <= resolution:
        return []
    around = max(_AROUND, round(8 * coarse))
    off = np.abs(steps / usual - 1)
    middle = np.flatnonzero(off > _BREAK) + 1
    middle = middle[np.argsort(-off[middle - 1], kind="stable")]
    line = times / usual - np.arange(len(times))
    total = np.concatenate([[0.0], np.cumsum(line - line[0])])
    after = np.minimum(middle + around, len(times)) - middle
    before = middle - np.maximum(middle - around, 0)
    moved = (total[middle + after] - total[middle]) / after
    moved -= (total[middle] - total[middle - before]) / before
    lasting = np.abs(moved) > _BREAK + 2 * coarse
    found: list[int] = []
    taken = np.zeros(len(times) + 1, dtype=bool)
    for at in middle[lasting].tolist():
        if not taken[at]:
            found.append(at)
            taken[max(0, at - around) : at + around] = True
        if len(found) > _BREAKS * len(times) + 1:
            break
    return sorted(found)


def _rate(times: np.ndarray, spans: list[tuple[int, int]]) -> float:
    """Slope of the lines, one slope for all, by least squares."""
    above = below = 0.0
    for a, b in spans:
        index = np.arange(b - a) - (b - a - 1) / 2
        above += float(index @ index)
        below += float(index @ (times[a:b] - times[a]))
    return above / below if below > 0 else np.nan


def _deviation(times: np.ndarray, rate: float) -> float:
    """Half of the range (s) of the distances between the stamps and even ones."""
    off = times - times[0] - np.arange(len(times)) / rate
    return float(np.ptp(off)) / 2


def _whole(rate: float, tolerance: float) -> float:
    """Roundest rate within a relative tolerance: tens of kHz, kHz ... whole Hz, else itself."""
    for step in (1e4, 1e3, 1e2, 1e1, 1.0):
        near = step * round(rate / step)
        if near > 0 and abs(rate - near) <= tolerance * rate:
            return near
    return rate


def common_rates(clocks: Sequence[Clock]) -> list[float]:
    """Give each clock its rate, those from time stamps the one of another clock if they may."""
    chosen: list[float] = []
    found: dict[int, float] = {}
    for index in sorted(range(len(clocks)), key=lambda i: clocks[i].uncertainty):
        clock = clocks[index]
        near = [r for r in chosen if abs(r - clock.rate) <= clock.uncertainty * r]
        found[index] = near[0] if near else clock.rate
        if not near:
            chosen.append(clock.rate)
    return [found[i] for i in range(len(clocks))]


def _is_the_same(
    values: np.ndarray, clock: Clock, start: float, rate: float, count: int
) -> bool:
    """Whether each sample of a stimulus belongs to that of the response with its number."""
    if len(clock.stretches) != 1 or values.dtype.kind != "f" or not same_rate(rate, clock.rate):
        return False
    alone = clock.stretches[0]
    length = alone.end - alone.begin
    return len(values) == length == count and round((start - alone.start) * clock.rate) == 0


def lay(
    values: np.ndarray,
    clock: Clock,
    *,
    start: float,
    rate: float,
    count: int,
    origin: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Hold a stimulus at the times of a response.

    Parameters
    ----------
    values : array
        Samples of the stimulus, from number `origin` of its series on.
    clock : Clock
        Its times.
    start, rate, count
        Of the response: time of its first sample (s), rate (Hz) and number of samples.

    Returns
    -------
    laid : array, shape (count,)
        The sample at or before each time; NaN where the stimulus does not reach.
    reached : array of bool, shape (count,)
        Where it does.

    Examples
    --------
    >>> pulse = clock_of_rate(0.1, 10.0, 2)
    >>> lay(np.array([5.0, 6.0]), pulse, start=0.0, rate=20.0, count=7)[0]
    array([nan, nan,  5.,  5.,  6.,  6., nan])
    """
    if _is_the_same(values, clock, start, rate, count):
        return values, np.ones(count, dtype=bool)
    laid = np.full(count, np.nan, dtype=values.dtype if values.dtype.kind == "f" else float)
    reached = np.zeros(count, dtype=bool)
    for stretch in clock.stretches:
        offset = (start - stretch.start) * clock.rate
        length = stretch.end - stretch.begin
        if same_rate(rate, clock.rate):
            shift = round(offset)
            first, last = max(0, -shift), min(count, length - shift)
            if first < last:
                begin = stretch.begin - origin + shift
                reached[first:last] = True
                laid[first:last] = values[begin + first : begin + last]
            continue
        index = np.floor(offset + np.arange(count) * (clock.rate / rate) + _SLACK)
        inside = (index >= 0) & (index < length)
        reached |= inside
        laid[inside] = values[stretch.begin - origin + index[inside].astype(np.int64)]
    return laid, reached

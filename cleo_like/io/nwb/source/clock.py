"""When each sample of a series was taken, and one series laid on the clock of another."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.rates import same_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHOLE = 1e-9
"""Relative; a rate this close to a whole number was computed as 1 / interval."""
_BREAK = 0.5
"""A step of the time stamps that differs from the usual one by more than this share of it is
a break: of one lost sample it is 1, of a digitiser's jitter a few percent."""
_BREAKS = 0.01
"""Share of broken steps up to which a series is sweeps with gaps between them; stamps of a
software clock, or uneven sampling, break everywhere."""
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
    usual = float(np.median(steps))
    broken = np.flatnonzero(np.abs(steps - usual) > _BREAK * usual)
    if usual <= 0 or len(broken) > _BREAKS * len(steps):
        broken = broken[:0]  # one stretch after all, if it follows a line
    edges = [0, *(int(b) + 1 for b in broken), len(times)]
    spans = list(itertools.pairwise(edges))
    rate = _rate(times, spans)
    error = max(_deviation(times[a:b], rate) for a, b in spans) + resolution
    if error > 1.0 / rate + 2 * resolution:
        msg = "the time stamps are not evenly spaced; samples are never made up between them"
        raise FileFormatError(msg)
    uncertainty = 2 * error * rate / max(b - a for a, b in spans)
    return Clock(
        rate=_whole(rate, max(uncertainty, _WHOLE)),
        stretches=tuple(Stretch(a, b, float(times[a])) for a, b in spans),
        uncertainty=max(uncertainty, _WHOLE),
        notes=("rate taken from the time stamps",),
    )


def _rate(times: np.ndarray, spans: list[tuple[int, int]]) -> float:
    steps = sum(b - a - 1 for a, b in spans)
    length = sum(float(times[b - 1] - times[a]) for a, b in spans)
    if steps == 0 or length <= 0:
        msg = "the time stamps do not increase"
        raise FileFormatError(msg)
    return steps / length


def _deviation(times: np.ndarray, rate: float) -> float:
    """Largest distance (s) of the stamps from even ones."""
    off = times - times[0] - np.arange(len(times)) / rate
    return float(np.abs(off).max())


def _whole(rate: float, tolerance: float) -> float:
    whole = float(round(rate))
    return whole if abs(rate - whole) <= tolerance * rate and whole > 0 else rate


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

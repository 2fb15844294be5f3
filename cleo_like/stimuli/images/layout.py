"""How a row of grey becomes a sweep: the range of current, and where everything is in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.protocol import Epoch
from cleo_like.core.units import si, si_array
from cleo_like.stimuli import design
from cleo_like.stimuli.waveforms import grid

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity

_SETTLING = 0.1
"""Rest (s) beside the picture where no time constant is given: 5 times 20 ms."""
_CUT = 64
"""Clampex plays holding instead of the first and last 1/64 of a sweep."""


@attrs.frozen
class Timing:
    """The sample grid of a picture protocol and what is outside the picture (SI)."""

    rate: float
    drawn: int
    holding: float
    gap: float

    @classmethod
    def of(
        cls, sweep_duration: Quantity, rate: Quantity, holding: Quantity, gap: Quantity
    ) -> Timing:
        """Convert the arguments of `from_image`."""
        hertz = grid.sample_rate(rate, "sample_rate")
        length = si(sweep_duration, "s", "sweep_duration")
        return cls(
            rate=hertz,
            drawn=grid.whole_samples(length, hertz, "sweep_duration"),
            holding=si(holding, "A", "holding"),
            gap=si(gap, "s", "gap"),
        )


@attrs.frozen
class Drive:
    """How grey becomes current (SI): no filter without `low_pass`, no inverse without `tau`."""

    low: float
    high: float
    resistance: float | None
    tau: float | None
    low_pass: float | None
    peak: float | None

    @classmethod
    def of(
        cls,
        amplitude: Quantity,
        resistance: Quantity,
        tau: Quantity,
        low_pass: Quantity,
        peak: Quantity,
    ) -> Drive:
        """Convert the arguments of `from_image`; "auto" becomes a frequency or None."""
        ohm = _positive(resistance, "ohm", "resistance")
        low, high = _black_and_white(amplitude, ohm)
        second, limit = _positive(tau, "s", "tau"), _positive(peak, "A", "peak")
        if isinstance(low_pass, str) and low_pass == "auto":
            cutoff = _auto_low_pass(second, limit, low, high)
        else:
            cutoff = _positive(low_pass, "Hz", "low_pass")
        return cls(low, high, ohm, second, cutoff, limit)

    def current(self, grey: np.ndarray) -> np.ndarray:
        """Give the current of grey values 0..1, relative to holding (A)."""
        return self.low + (self.high - self.low) * grey

    def shaped(self, current: np.ndarray, rate: float) -> np.ndarray:
        """Filter and pre-emphasise whole sweeps (A, relative to holding)."""
        smooth = current if self.low_pass is None else design.low_pass(
            current, self.low_pass, rate
        )  # fmt: skip
        return smooth if self.tau is None else design.pre_emphasis(smooth, self.tau, rate)

    def spread(self, rate: float) -> int:
        """Give the samples by which `shaped` reaches beyond the picture."""
        filtered = 0 if self.low_pass is None else design.reach(self.low_pass, rate)
        return filtered + (self.tau is not None)

    @property
    def settling(self) -> float:
        """Rest (s) that the membrane needs beside the picture."""
        return _SETTLING if self.tau is None else 5 * self.tau


@attrs.frozen
class Layout:
    """Where everything is in a sweep (samples)."""

    before: int
    spread: int
    drawn: int
    tail: int
    after: int

    @property
    def stop(self) -> int:
        """First sample after the picture."""
        return self.before + self.drawn

    @property
    def tail_start(self) -> int:
        """First sample after the picture and the spread of its filter."""
        return self.stop + self.spread

    @property
    def total(self) -> int:
        """Samples of a sweep."""
        return self.stop + self.tail + self.after

    def epochs(self, tail_levels: np.ndarray | None) -> tuple[Epoch, ...]:
        """Give the epochs in order; the tail has levels (A)."""
        found = [Epoch(name="picture", start=self.before, stop=self.stop)]
        if self.spread:
            first = Epoch(name="lead_in", start=self.before - self.spread, stop=self.before)
            last = Epoch(name="lead_out", start=self.stop, stop=self.tail_start)
            found = [first, *found, last]
        if tail_levels is not None:
            end = self.tail_start + self.tail
            found.append(
                Epoch(name="tail", start=self.tail_start, stop=end, levels=tail_levels)
            )
        return tuple(found)


def tail_of(current: np.ndarray, drive: Drive, rate: float) -> tuple[int, np.ndarray]:
    """Give length (samples) and level (A) of pulses that undo the charge of each row."""
    total = current.sum(axis=1)
    largest = max(abs(drive.low), abs(drive.high))
    count = _whole_ms(max(1.0, float(np.abs(total).max()) / largest), rate)
    return count, -total / count


def lay_out(
    timing: Timing, drive: Drive, tail: int, before: Quantity, after: Quantity
) -> Layout:
    """Find the rests: 1/64 of the sweep, plus settling, plus the spread of the filter.

    Raises
    ------
    InputError
        A given rest is shorter than 1/64 of the sweep, or than the spread.
    """
    rate, spread = timing.rate, drive.spread(timing.rate)
    core = timing.drawn + tail
    need = np.ceil(drive.settling * rate) + spread
    both = _given(before, rate, "before"), _given(after, rate, "after")
    first, last = _rests(both, core / _CUT + need, rate)
    made = Layout(before=first, spread=spread, drawn=timing.drawn, tail=tail, after=last)
    least = max(-(-made.total // _CUT), spread)
    for name, rest in (("before", first), ("after", last)):
        if rest < least:
            msg = (
                f"{name} of {rest / rate * 1e3:g} ms is too short: a sweep of "
                f"{made.total / rate * 1e3:g} ms needs at least {least / rate * 1e3:g} ms "
                "(1/64 of it is not played by Clampex, and the filter needs its spread)"
            )
            raise InputError(msg)
    return made


def _rests(given: tuple[int | None, int | None], need: float, rate: float) -> tuple[int, int]:
    """Solve rest = (all samples) / 64 + settling for the rests that were not given."""
    first, last = given
    if first is not None and last is not None:
        return first, last
    known = first if first is not None else last
    if known is None:
        rest = _whole_ms(need / (1 - 2 / _CUT), rate)
        return rest, rest
    rest = _whole_ms((known / _CUT + need) / (1 - 1 / _CUT), rate)
    return (known, rest) if first is not None else (rest, known)


def _given(value: object, rate: float, name: str) -> int | None:
    if value is None:
        return None
    return grid.whole_samples(si(value, "s", name), rate, name, least=0)


def _whole_ms(samples: float, rate: float) -> int:
    """Round up to whole samples, and to whole milliseconds where the rate has them."""
    step = round(rate / 1000)
    unit = step if step >= 1 and abs(step * 1000 - rate) < 1e-6 else 1
    return int(np.ceil(samples / unit - 1e-9)) * unit


def _positive(value: object, unit: str, name: str) -> float | None:
    if value is None:
        return None
    number = si(value, unit, name)
    if number <= 0:
        msg = f"{name} must be above 0 {unit}, got {number:g} {unit}"
        raise InputError(msg)
    return number


def _black_and_white(amplitude: Quantity, resistance: float | None) -> tuple[float, float]:
    """Give the currents of black and white; potentials are divided by the resistance."""
    try:
        pair = si_array(amplitude, "A", "amplitude")
    except UnitError:
        if resistance is None:
            raise
        pair = si_array(amplitude, "V", "amplitude") / resistance
    if pair.shape != (2,):
        msg = f"amplitude must be the pair (black, white), got {amplitude!r}"
        raise InputError(msg)
    low, high = float(pair[0]), float(pair[1])
    if not (np.isfinite(pair).all() and low < high):
        msg = (
            f"amplitude must rise from black to white, got {low * 1e12:g}..{high * 1e12:g} pA; "
            "polarity='inverted' turns the picture round"
        )
        raise InputError(msg)
    return low, high


def _auto_low_pass(
    tau: float | None, peak: float | None, low: float, high: float
) -> float | None:
    if tau is None:
        return None
    if peak is None:
        return design.DEFAULT_CUTOFF_TAU / tau
    # holding (0 here) is part of what is filtered, so it belongs to the range
    return design.cutoff_for_peak(peak, tau, min(low, 0.0), max(high, 0.0))

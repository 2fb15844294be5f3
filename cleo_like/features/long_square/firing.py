"""Firing of the whole family: rheobase, hero sweep, f-I line, depolarisation block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.estimate import Estimate
from cleo_like.features.long_square.membrane import line
from cleo_like.features.long_square.rheobase import levels
from cleo_like.features.passive.family import NO_STEP

if TYPE_CHECKING:
    from cleo_like.core.window import Window
    from cleo_like.features.spikes.table import SpikeTable
    from cleo_like.features.stack import SweepStack

_HERO = (39.0, 61.0)  # pA above rheobase, exclusive
_SILENT = 0.25  # of the step: so long without a spike at the end of a blocked sweep
_SETTLE = 0.010  # s after the last peak
_SMOOTH = 0.002  # s: rebounds of gates last longer, noise does not


def rheobase_row(amplitude: np.ndarray, rate: np.ndarray, least: float = 0.0) -> int | None:
    """Sweep with the lowest current above `least` (pA) that fires."""
    rows = np.flatnonzero((rate > 0) & (amplitude > least))
    return int(rows[amplitude[rows].argmin()]) if rows.size else None


def hero_row(amplitude: np.ndarray, rate: np.ndarray, rheobase: float) -> int | None:
    """Sweep at 39 to 61 pA above rheobase (the lowest), else the one nearest to +39 pA."""
    rows = np.flatnonzero(rate > 0)
    if rows.size == 0:
        return None
    above = amplitude[rows] - rheobase
    inside = np.flatnonzero((above > _HERO[0]) & (above < _HERO[1]))
    if inside.size:
        return int(rows[inside[amplitude[rows[inside]].argmin()]])
    return int(rows[np.abs(above - _HERO[0]).argmin()])


def fi_slope(amplitude: np.ndarray, rate: np.ndarray, rows: np.ndarray) -> Estimate:
    """Slope (Hz/pA) of the least-squares line through some sweeps."""
    if rows.size < 2 or np.ptp(amplitude[rows]) == 0:
        return Estimate(reason=f"only {rows.size} spiking sweep(s) of different current")
    return line(amplitude[rows], rate[rows])


def fi_slopes(amplitude: np.ndarray, rate: np.ndarray) -> tuple[Estimate, Estimate]:
    """Slopes (Hz/pA) of rate on current up to the first current of the largest rate, and on.

    Beyond it firing falls off (block, failing spikes), and one line through both is neither.
    """
    fires = (rate > 0) & (amplitude > NO_STEP)
    if not fires.any():
        none = Estimate(reason="no sweep with a depolarising step fired")
        return none, none
    level = levels(amplitude)
    currents = np.unique(level[fires])
    means = np.array([rate[level == current].mean() for current in currents])
    top = currents[means.argmax()]
    rising = np.flatnonzero((level >= currents[0]) & (level <= top))
    falling = np.flatnonzero(level >= top)
    up, down = fi_slope(level, rate, rising), fi_slope(level, rate, falling)
    if top == currents[0] and currents.size > 1:
        up = Estimate(reason=f"the rate is largest at {top:.4g} pA, the lowest that fires")
    if top == level.max():
        down = Estimate(reason="the rate is largest at the largest current")
    return up, down


def blocked(
    stack: SweepStack,
    step: Window,
    table: SpikeTable,
    amplitude: np.ndarray,
    rate: np.ndarray,
) -> np.ndarray:
    """Sweeps in depolarisation block.

    A sweep is blocked when less current made more spikes, it is silent for the last quarter
    of the step or more, and rests in that time above the spike threshold (of the first
    spike of the rheobase sweep): depolarised enough to fire, and not firing.

    Returns
    -------
    array of bool, shape (n_sweeps,)
    """
    out = np.zeros(stack.n_sweeps, dtype=bool)
    lowest = rheobase_row(amplitude, rate)
    if lowest is None:
        return out
    threshold = table.of(lowest)["threshold_v"][0]
    best = rate.argmax()
    start, end = stack.bounds(step)
    for row in np.flatnonzero((amplitude > amplitude[best]) & (rate < rate[best])).tolist():
        peaks = table.of(row)["peak_index"]
        begin = int(peaks[-1] + _SETTLE * stack.rate) if peaks.size else start
        silent = (end - begin) / stack.rate
        if silent >= _SILENT * step.duration:
            out[row] = stack.voltage_mv[row, begin:end].mean() >= threshold
    return out


@attrs.frozen(kw_only=True)
class Rebound:
    """What follows the end of a hyperpolarising step."""

    amplitude: Estimate  # mV above the baseline: of the spike, or of the mean over 2 ms
    latency: float  # s after the step
    spikes: int


def rebound(
    stack: SweepStack,
    row: int,
    step: Window,
    *,
    baseline: float,
    rest: tuple[int, int],
    spike_count: int,
    within: float,
) -> Rebound:
    """Measure the rebound of one sweep.

    Without a spike it is the highest mean over 2 ms: the highest sample of a passive cell is
    three times its noise above rest. Such means scatter at rest by the error that is stated.
    """
    a = stack.index(step.end)
    b = min(a + max(1, round(within * stack.rate)), int(stack.lengths[row]))
    after, width = stack.voltage_mv[row, a:b], round(_SMOOTH * stack.rate)
    if spike_count or not 1 < width < after.size:
        top = int(after.argmax())
        height, error = float(after[top]) - baseline, np.nan
    else:
        means = moving_mean(after, width)
        top = int(means.argmax())
        height = float(means[top]) - baseline
        calm = stack.voltage_mv[row, rest[0] : rest[1]]
        blocks = calm[: calm.size // width * width].reshape(-1, width).mean(axis=1)
        error = np.nan
        if blocks.size > 2:  # a spike at rest is no noise
            error = 1.4826 * float(np.median(np.abs(blocks - np.median(blocks))))
        top += width // 2
    return Rebound(
        amplitude=Estimate(value=height, error=error),
        latency=(a + top) / stack.rate - step.end,
        spikes=spike_count,
    )


def moving_mean(x: np.ndarray, width: int) -> np.ndarray:
    """Give the mean of each stretch of `width` samples."""
    total = np.concatenate(([0.0], np.cumsum(x - x[0])))
    return (total[width:] - total[:-width]) / width + x[0]

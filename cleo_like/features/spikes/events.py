"""From what the search found to spikes: peak, steepest rise and threshold of each.

The points have ipfx's definitions (raw peak, filtered dV/dt), so that shape features can be
compared. Which events are spikes was decided by the search; which belong to the step is
decided here, by their threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.spikes import derivative, ragged
from cleo_like.features.spikes.detect import Events, Trace, clipped, mean_per_sweep
from cleo_like.features.spikes.parabola import kernel

if TYPE_CHECKING:
    from cleo_like.core.window import Window
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.spikes.search import Peaks
    from cleo_like.features.stack import SweepStack

_MARGIN = 0.010  # s on either side of the step in which dV/dt is known
_ABOUT = (2.5e-3, 3.5e-3)  # s before and after a peak in which it is filtered
_SMEAR = 0.2e-3  # s by which the filter spreads the edge of a step
_LATEST = 3e-3  # s after the end of the step: what peaks later was not evoked by it
_CUT = 1e-3  # s from the end of the step: the current's end may be what made it fall
_WHOLE = 0.5  # of the typical prominence of the sweep's other spikes: it was on its way down
_OWN = 0.25  # of a spike's own upstroke: its threshold is not above that


@attrs.frozen(kw_only=True, eq=False)
class Placed(Events):
    """Spikes with what set them off from the noise."""

    prominence: np.ndarray  # mV
    slope: np.ndarray  # V/s


def near_trace(
    stack: SweepStack,
    sweeps: np.ndarray,
    step: Window,
    p: ExtractionParameters,
    *,
    peaks: Peaks,
) -> Trace | None:
    """Prepare dV/dt about the peaks; None where the filter has no room."""
    start, end = stack.bounds(step)
    margin = int(np.ceil(_MARGIN * stack.rate))
    before, after = (round(t * stack.rate) for t in _ABOUT)
    slope = derivative.around(
        stack.voltage_mv,
        sweeps,
        stack.rate,
        p.cutoff(stack.rate),
        first=start - margin,
        stop=end + margin,
        wanted=(peaks.sweep, peaks.top - before, peaks.top + after),
    )
    if slope is None:
        return None
    return Trace(stack=stack, slope=slope, start=start, end=end, parameters=p)


def place(trace: Trace, peaks: Peaks) -> tuple[Placed, np.ndarray]:
    """Find the points of each spike, and keep those whose threshold is in the step.

    Returns
    -------
    events : Placed
        One entry per spike.
    unsure : array of bool, shape (n_sweeps,)
        Sweeps whose answer hangs on a dV/dt that was not computed.
    """
    doubt = np.zeros(trace.stack.n_sweeps, dtype=bool)
    rows = np.isin(peaks.sweep, trace.slope.sweeps)
    sweep, prominence, slope = peaks.sweep[rows], peaks.prominence[rows], peaks.slope[rows]
    peak, upstroke = _peaks_and_rises(trace, sweep, peaks.top[rows], peaks.steep[rows])
    threshold = _thresholds(trace, sweep, peak, upstroke, doubt)
    events = Placed(
        sweep=sweep, threshold=threshold, peak=peak, upstroke=upstroke, prominence=prominence,
        slope=slope, clipped=np.zeros(sweep.size, dtype=bool),
    )  # fmt: skip
    events = _of_the_step(trace, events)
    return attrs.evolve(events, clipped=clipped(trace, events)), doubt


def _peaks_and_rises(
    trace: Trace, sweep: np.ndarray, top: np.ndarray, steep: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Highest raw sample and steepest filtered rise about those of the smooth course."""
    shape, n = kernel(trace.stack.rate), trace.stack.n_samples
    reach = (shape.half + 1) * shape.bin
    same = np.append(False, sweep[1:] == sweep[:-1]) if sweep.size else np.zeros(0, bool)
    middle = np.append(0, (top[1:] + top[:-1]) // 2) if sweep.size else top
    low = np.where(same, np.maximum(top - reach, middle), np.maximum(top - reach, 0))
    high = np.minimum(top + reach + 1, n)
    peak = ragged.arg_max(trace.v, sweep * n + low, sweep * n + high)
    if peak.size:  # of equal samples (a saturated amplifier) the first
        lower = np.nextafter(trace.v[peak], -np.inf)
        before = ragged.first_where(trace.v, peak, sweep * n - 1, lower, step=-1)
        peak = np.where(before >= 0, before + 1, peak)
    shift = trace.shift(sweep)
    first = trace.slope.row[sweep] * trace.slope.width
    begin = np.maximum(sweep * n + steep - reach - shift, first)
    stop = np.minimum(sweep * n + steep + reach + 1, peak) - shift
    rise = ragged.arg_max(trace.d, begin, stop) + shift
    return peak, np.where(stop > begin, rise, peak - 1)


def _thresholds(
    trace: Trace, sweep: np.ndarray, peak: np.ndarray, upstroke: np.ndarray, doubt: np.ndarray
) -> np.ndarray:
    """Walk back from the upstroke to a fraction of the mean upstroke of the sweep.

    Not above a quarter of the spike's own upstroke, for a small one among large ones; and
    not further than `max_interval` from the peak: a cell that is driven hard rises steeply
    all the time, and the least steep sample is where its spike begins.
    """
    if sweep.size == 0:
        return upstroke
    p, shift = trace.parameters, trace.shift(sweep)
    at = upstroke - shift
    rise = trace.d[at]
    target = np.minimum(
        p.thresh_frac * mean_per_sweep(rise, sweep), max(_OWN, p.thresh_frac) * rise
    )
    first = trace.slope.row[sweep] * trace.slope.width
    earliest = np.maximum(peak - int(p.max_interval * trace.stack.rate) - shift, first)
    same = np.append(False, sweep[1:] == sweep[:-1])
    earliest = np.where(same, np.maximum(earliest, np.append(0, peak[:-1]) - shift), earliest)
    earliest = np.minimum(earliest, at)
    found = ragged.first_where(trace.d, at, earliest - 1, target, step=-1)
    steep = np.flatnonzero(found < 0)
    found[steep] = ragged.arg_min(trace.d, earliest[steep], at[steep] + 1)
    doubt[sweep[~trace.slope.is_known(found)]] = True
    return found + shift


def _of_the_step(trace: Trace, events: Placed) -> Placed:
    """Keep the spikes that begin in the step and are high enough for the limits."""
    p, rate = trace.parameters, trace.stack.rate
    smear = round(_SMEAR * rate)
    begin = trace.sample(events.sweep, events.threshold)
    peak = trace.sample(events.sweep, events.peak)
    within = (peak < trace.end) | (
        (begin <= trace.end - smear) & (peak - trace.end <= _LATEST * rate)
    )
    keep = (begin >= trace.start - smear) & within & ~_broken_off(trace, events, peak)
    if p.min_peak is not None:
        keep &= trace.v[events.peak] >= p.min_peak
    if p.reject_at_stim_start_interval > 0:
        keep &= (begin - trace.start) / rate > p.reject_at_stim_start_interval
    start = events.sweep * trace.stack.n_samples + trace.start
    return attrs.evolve(events, threshold=np.maximum(events.threshold, start)).keep(keep)


def _broken_off(trace: Trace, events: Placed, peak: np.ndarray) -> np.ndarray:
    """Events that the end of the step made a maximum of: much smaller than the other spikes."""
    near = np.abs(peak - trace.end) <= _CUT * trace.stack.rate
    out = np.zeros(peak.size, dtype=bool)
    for k in np.flatnonzero(near).tolist():
        others = events.prominence[(events.sweep == events.sweep[k]) & ~near]
        out[k] = others.size > 0 and events.prominence[k] < _WHOLE * np.median(others)
    return out

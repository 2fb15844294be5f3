"""Where ipfx finds spikes: detection, thresholds and peaks, for all sweeps at once.

Used with ``compat="ipfx"``; by default `search` and `events` find them. The definitions
are those of Gouwens et al. 2019 (doi:10.1038/s41593-019-0417-0) as ipfx 2.1.2 implements
them, measured against ipfx to the last index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.spikes import derivative, ragged

if TYPE_CHECKING:
    from typing import Self

    from cleo_like.core.window import Window
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.spikes.derivative import Derivative
    from cleo_like.features.stack import SweepStack

_MARGIN = 0.010  # s of the sweep that the search may use on either side of the step
SAMPLES_AT_ONCE = 2_000_000  # samples of dV/dt in memory
_SECOND_LOOK = 0.05  # of the mean upstroke
_CLIP_TOLERANCE = 1.0  # mV above threshold to which the potential must return


@attrs.frozen(kw_only=True)
class Trace:
    """Sweeps and their dV/dt with flat indices (sweep * n_samples + sample)."""

    stack: SweepStack
    slope: Derivative
    start: int
    end: int
    parameters: ExtractionParameters

    @property
    def v(self) -> np.ndarray:
        """All samples (mV), flat."""
        return self.stack.voltage_mv.reshape(-1)

    @property
    def d(self) -> np.ndarray:
        """dV/dt (V/s), flat in its own window."""
        return self.slope.flat

    def shift(self, sweep: np.ndarray) -> np.ndarray:
        """Flat index of v minus flat index of d."""
        slope = self.slope
        return sweep * self.stack.n_samples - slope.row[sweep] * slope.width + slope.first

    def sample(self, sweep: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Sample within the sweep of a flat index."""
        return index - sweep * self.stack.n_samples

    def stop(self, sweep: np.ndarray) -> np.ndarray:
        """Flat index of the end of the step."""
        return sweep * self.stack.n_samples + self.end

    def time(self, sweep: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Time (s) in the sweep of a flat index."""
        return self.sample(sweep, index) / self.stack.rate


@attrs.frozen(kw_only=True, eq=False)
class Events:
    """Spikes as flat indices, ordered by sweep and time."""

    sweep: np.ndarray
    threshold: np.ndarray
    peak: np.ndarray
    upstroke: np.ndarray
    clipped: np.ndarray

    def keep(self, mask: np.ndarray) -> Self:
        """Give the spikes of a mask."""
        return type(self)(**{k: x[mask] for k, x in attrs.asdict(self).items()})


def fast_trace(
    stack: SweepStack, sweeps: np.ndarray, window: Window, p: ExtractionParameters
) -> Trace | None:
    """Prepare dV/dt of the step and 10 ms around it, filtered where a spike can be."""
    return _near_trace(stack, sweeps, window, p, p.fixed("dv_cutoff"))


def dense_trace(
    stack: SweepStack, sweeps: np.ndarray, window: Window, p: ExtractionParameters
) -> Trace | None:
    """Prepare all of dV/dt of the step and 10 ms around it."""
    if p.cutoff(stack.rate) is None:
        return None
    return _near_trace(stack, sweeps, window, p, 0.0)


def _near_trace(
    stack: SweepStack, sweeps: np.ndarray, window: Window, p: ExtractionParameters, cut: float
) -> Trace | None:
    start, end = stack.bounds(window)
    margin = int(np.ceil(_MARGIN * stack.rate))
    slope = derivative.windowed(
        stack.voltage_mv,
        sweeps,
        stack.rate,
        p.cutoff(stack.rate),
        first=start - margin,
        stop=end + margin,
        cut=cut,
    )
    if slope is None:
        return None
    return Trace(stack=stack, slope=slope, start=start, end=end, parameters=p)


def full_trace(
    stack: SweepStack, sweeps: np.ndarray, window: Window, p: ExtractionParameters
) -> Trace:
    """Prepare dV/dt of whole sweeps."""
    start, end = stack.bounds(window)
    slope = derivative.whole(stack.voltage_mv, sweeps, stack.rate, p.cutoff(stack.rate))
    return Trace(stack=stack, slope=slope, start=start, end=end, parameters=p)


def detect(trace: Trace) -> tuple[Events, np.ndarray]:
    """Find the spikes of all sweeps.

    Returns
    -------
    events : Events
        One entry per spike.
    unsure : array of bool, shape (n_sweeps,)
        Sweeps whose answer hangs on a dV/dt that was not computed: detect them again with
        `full_trace`.
    """
    doubt = np.zeros(trace.stack.n_sweeps, dtype=bool)
    sweep, start = _putative(trace)
    sweep, start, peak = _peaks(trace, sweep, start, doubt)
    upstroke = _upstrokes(trace, sweep, start, peak)
    ok = upstroke >= start
    sweep, peak, upstroke = sweep[ok], peak[ok], upstroke[ok]
    threshold = _thresholds(trace, sweep, upstroke, doubt)
    events = Events(
        sweep=sweep,
        threshold=threshold,
        peak=peak,
        upstroke=upstroke,
        clipped=np.zeros(sweep.size, dtype=bool),
    )
    events = _without_early(trace, events)
    events = _without_overlap(events)
    events = _not_too_long(trace, events, doubt)
    return attrs.evolve(events, clipped=clipped(trace, events)), doubt


def _putative(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """Upward crossings of the cut."""
    above = trace.d >= trace.parameters.fixed("dv_cutoff")
    at = np.flatnonzero(above)
    at = at[~above[at - 1]] - 1  # a crossing at the very first sample has no sample before
    row, k = np.divmod(at, trace.slope.width)
    sweep = trace.slope.sweeps[row]
    k += trace.slope.first
    inside = (k >= trace.start) & (k < trace.end - 1) & (at >= 0)
    sweep, start = sweep[inside], (sweep * trace.stack.n_samples + k)[inside]
    return sweep, start


def _separated(
    trace: Trace, sweep: np.ndarray, start: np.ndarray, doubt: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the crossings with a fall of the potential since the one before."""
    inner = ~ragged.group_ends(sweep)[:-1]
    keep = np.ones(sweep.size, dtype=bool)
    keep[1:][inner] = _falls(
        trace, sweep[:-1][inner], start[:-1][inner], start[1:][inner], doubt
    )
    return sweep[keep], start[keep]


def _falls(
    trace: Trace, sweep: np.ndarray, a: np.ndarray, b: np.ndarray, doubt: np.ndarray
) -> np.ndarray:
    """Whether dV/dt is negative somewhere in [a, b)."""
    shift = trace.shift(sweep)
    found = ragged.first_where(trace.d, a - shift, b - shift, ragged.BELOW_ZERO) >= 0
    if not trace.slope.known.all():
        doubt[sweep[~found]] = True
    return found


def _peaks(
    trace: Trace, sweep: np.ndarray, start: np.ndarray, doubt: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Highest sample after each start; merge those without a fall; drop the low ones."""
    v, p = trace.v, trace.parameters
    if sweep.size == 0:
        return sweep, start, start
    peak, separate = _tops(trace, sweep, start, doubt)
    if not separate.all():  # else there is a fall since the crossing before, too
        sweep, start = _separated(trace, sweep, start, doubt)
        peak, separate = _tops(trace, sweep, start, doubt)
    first_kept = np.append(True, separate[:-1])  # a merge drops this peak, the next start
    peak, start, sweep = peak[separate], start[first_kept], sweep[separate]
    high = v[peak] >= p.fixed("min_peak")
    sweep, start, peak = sweep[high], start[high], peak[high]
    tall = v[peak] - v[start] >= p.fixed("min_height")
    return sweep[tall], start[tall], peak[tall]


def _tops(
    trace: Trace, sweep: np.ndarray, start: np.ndarray, doubt: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Highest sample after each start, and whether it falls before the next start."""
    stop = ragged.next_in_group(start, sweep, trace.stop(sweep))
    peak = ragged.arg_max(trace.v, start, stop)
    separate = ragged.group_ends(sweep)
    inner = ~separate
    separate[inner] = _falls(trace, sweep[inner], peak[inner], stop[inner], doubt)
    return peak, separate


def _upstrokes(
    trace: Trace, sweep: np.ndarray, start: np.ndarray, peak: np.ndarray
) -> np.ndarray:
    """Steepest sample in [start, peak); -1 where that is empty."""
    shift = trace.shift(sweep)
    steepest = ragged.arg_max(trace.d, start - shift, peak - shift) + shift
    return np.where(peak > start, steepest, -1)


def mean_per_sweep(values: np.ndarray, sweep: np.ndarray) -> np.ndarray:
    """Mean of the values of the same sweep, for each value."""
    ends = np.flatnonzero(ragged.group_ends(sweep)) + 1
    starts = np.append(0, ends[:-1])
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    return np.repeat([values[a:b].mean() for a, b in pairs], ends - starts)


def _thresholds(
    trace: Trace, sweep: np.ndarray, upstroke: np.ndarray, doubt: np.ndarray
) -> np.ndarray:
    """Walk back from the upstroke to a fraction of the mean upstroke of the sweep.

    From the first spike on into the time before the step, if need be.
    """
    if sweep.size == 0:
        return upstroke
    shift = trace.shift(sweep)
    at = upstroke - shift
    target = trace.parameters.thresh_frac * mean_per_sweep(trace.d[at], sweep)
    first = np.append(True, ragged.group_ends(sweep)[:-1])
    earliest = trace.slope.row[sweep] * trace.slope.width
    before = np.where(first, earliest, np.append(0, at[:-1]))
    # sample 0 itself is never looked at
    partial = first & (trace.slope.first > 0)
    found = ragged.first_where(trace.d, at, before - partial, target, step=-1)
    missing = found < 0
    doubt[sweep[missing & partial]] = True
    found = np.where(missing, before, found)
    doubt[sweep[~trace.slope.is_known(found)]] = True
    return found + shift


def _without_early(trace: Trace, events: Events) -> Events:
    reject = trace.parameters.reject_at_stim_start_interval
    if reject <= 0:
        return events
    t = trace.time(events.sweep, events.threshold)
    return events.keep(t > trace.start / trace.stack.rate + reject)


def _without_overlap(events: Events) -> Events:
    """Where the next threshold is not after this peak, join the two into one spike."""
    inner = ~ragged.group_ends(events.sweep)
    overlap = np.zeros(events.sweep.size, dtype=bool)
    overlap[:-1] = inner[:-1] & (events.threshold[1:] <= events.peak[:-1] + 1)
    if not overlap.any():
        return events
    started = np.append(True, ~overlap[:-1])
    return Events(
        sweep=events.sweep[~overlap],
        threshold=events.threshold[started],
        peak=events.peak[~overlap],
        upstroke=events.upstroke[~overlap],
        clipped=events.clipped[~overlap],
    )


def _not_too_long(trace: Trace, events: Events, doubt: np.ndarray) -> Events:
    """Look again where a threshold is far before its peak; drop what stays so."""
    p = trace.parameters
    t_peak = trace.time(events.sweep, events.peak)
    t_threshold = trace.time(events.sweep, events.threshold)
    long = np.flatnonzero(t_peak - t_threshold >= p.max_interval)
    if long.size == 0:
        return events
    if trace.slope.width < trace.stack.n_samples:  # the second look goes further afield
        doubt[events.sweep[long]] = True
        return events
    steepest = trace.d[events.upstroke - trace.shift(events.sweep)]
    # ipfx forgets the fraction that was asked for
    target = _SECOND_LOOK * mean_per_sweep(steepest, events.sweep)
    threshold, peak = events.threshold.copy(), events.peak.copy()
    keep = np.ones(events.sweep.size, dtype=bool)
    for k in long.tolist():
        keep[k] = _mend(trace, events, k, float(target[k]), moved=(threshold, peak))
    return attrs.evolve(events, threshold=threshold, peak=peak).keep(keep)


def _mend(
    trace: Trace,
    events: Events,
    k: int,
    target: float,
    *,
    moved: tuple[np.ndarray, np.ndarray],
) -> bool:
    """Find a nearer threshold, else a nearer peak; False when there is neither."""
    threshold, peak = moved
    stack, p = trace.stack, trace.parameters
    sweep = events.sweep[k]
    base = sweep * stack.n_samples
    seconds = p.max_interval
    earliest = base + stack.index(max((peak[k] - base) / stack.rate - seconds, 0.0))
    shift = int(trace.shift(events.sweep[k : k + 1])[0])
    back = trace.d[earliest + 1 - shift : events.upstroke[k] + 1 - shift][::-1] <= target
    # ipfx asks whether any *offset* is true, so the upstroke itself alone does not count
    if back[1:].any():
        threshold[k] = events.upstroke[k] - int(back.argmax())
        return True
    begin = (threshold[k] - base) / stack.rate
    latest = base + stack.index(min(begin + 2 * seconds, (stack.n_samples - 1) / stack.rate))
    if latest <= threshold[k]:
        return False
    nearer = int(threshold[k] + trace.v[threshold[k] : latest].argmax())
    if (nearer - base) / stack.rate - begin >= seconds:
        return False
    has_next = k + 1 < events.sweep.size and events.sweep[k + 1] == sweep
    if has_next and nearer >= threshold[k + 1]:
        return False
    peak[k] = nearer
    return True


def clipped(trace: Trace, events: Events) -> np.ndarray:
    """Whether the last spike of a sweep was cut off by the end of the step."""
    out = np.zeros(events.sweep.size, dtype=bool)
    last = np.flatnonzero(ragged.group_ends(events.sweep))
    level = trace.v[events.threshold[last]] + _CLIP_TOLERANCE
    stop = trace.stop(events.sweep[last]) + 1
    out[last] = ragged.first_where(trace.v, events.peak[last], stop, level) < 0
    return out

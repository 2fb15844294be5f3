"""The shape of each spike: slopes, troughs, afterdepolarisation, width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.spikes import derivative, ragged

if TYPE_CHECKING:
    from cleo_like.features.spikes.detect import Events, Trace

_TERMINAL = 0.01  # of the steepest fall: there the fast trough begins
_HEAVY_FOLDS = 22.0  # decisions need no more than 1e-7 V/s of this slope
_ROUGH_FOLDS = 13.0  # e-folds of a first look, which is then within ...
_ROUGH_SLACK = 0.1  # ... V/s of the slope
_HEAVY = 1.0  # kHz: the smoother dV/dt in which an afterdepolarisation is looked for
_ADP_SLOPE = 0.5  # V/s
_ADP_WITHIN = 0.002  # s after the fast trough
_ADP_LATEST = 0.005  # s
_ADP_HEIGHT = 10.0  # mV above the fast trough at most
_DETOUR = 0.5  # mV
_EDGE = 1e-3  # s before the end of the step in which its edge can be in the slope


@attrs.frozen(kw_only=True, eq=False)
class Shapes:
    """Flat indices (-1 where there is none) and values of each spike."""

    trough: np.ndarray
    upstroke: np.ndarray
    upstroke_value: np.ndarray
    downstroke: np.ndarray
    downstroke_value: np.ndarray
    fast_trough: np.ndarray
    slow_trough: np.ndarray
    adp: np.ndarray
    detour: np.ndarray
    width: np.ndarray
    clipped: np.ndarray


def measure(trace: Trace, events: Events, doubt: np.ndarray) -> Shapes:
    """Measure every spike; sweeps that need more of dV/dt are marked in `doubt`."""
    sweep = events.sweep
    last = ragged.group_ends(sweep)
    following = ragged.next_in_group(events.threshold, sweep, trace.stop(sweep))
    trough = ragged.arg_min(trace.v, events.peak, following)
    valid = np.flatnonzero(~events.clipped)
    limit = following[valid]
    if trace.parameters.exact:  # the clipped spike is forgotten: its forerunner runs to the end
        limit = ragged.next_in_group(
            events.threshold[valid], sweep[valid], trace.stop(sweep[valid])
        )
    steepest = np.full(sweep.size, -1)
    fast = np.full(sweep.size, -1)
    steepest[valid], fast[valid] = _fast_troughs(
        trace, sweep[valid], events.peak[valid], limit, _falls_by(trace, events, limit, last),
        doubt=doubt,
    )  # fmt: skip
    upstroke, rise = _extreme(trace, sweep, events.threshold, events.peak, doubt, sign=1)
    downstroke, fall = _downstrokes(trace, sweep, events.peak, trough, steepest, doubt=doubt)
    cut_off = last & events.clipped
    trough[cut_off], downstroke[cut_off], fall[cut_off] = -1, -1, np.nan
    clipped = fast < 0
    adp, slow = np.full(sweep.size, -1), np.full(sweep.size, -1)
    seen = np.flatnonzero(~clipped)
    before = np.full(sweep.size, -1)
    before[valid] = limit
    adp[seen], slow[seen] = _afterwards(
        trace, sweep[seen], fast[seen], before[seen], trough[seen]
    )
    detour = slow >= 0
    adp[last], slow[last] = -1, -1  # nothing follows the last spike of a sweep
    return Shapes(
        trough=trough,
        upstroke=upstroke,
        upstroke_value=rise,
        downstroke=downstroke,
        downstroke_value=fall,
        fast_trough=fast,
        slow_trough=slow,
        adp=adp,
        detour=detour,
        width=_widths(trace, events, fast),
        clipped=clipped,
    )


def _falls_by(trace: Trace, events: Events, limit: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Give where the steepest fall of each spike that is not cut off is before.

    The fall at the end of the step is not the spike's: behind a bridge that is off it is the
    steepest. The slope is filtered in both directions, so that it begins before its sample.
    """
    if trace.parameters.exact:
        return limit
    valid = ~events.clipped
    edge, peak = round(_EDGE * trace.stack.rate), events.peak[valid]
    shorter = np.maximum(limit - edge, np.minimum(peak + edge, limit))
    return np.where(last[valid], shorter, limit)


def _extreme(
    trace: Trace,
    sweep: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    doubt: np.ndarray,
    *,
    sign: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Steepest rise (sign 1) or fall (-1) in [a, b); -1 and NaN where that is empty."""
    shift = trace.shift(sweep)
    search = ragged.arg_max if sign > 0 else ragged.arg_min
    at = search(trace.d, a - shift, b - shift)
    value = trace.d[at]
    empty = b <= a
    bound = trace.slope.bound[sweep]
    doubt[sweep[~empty & (sign * value < bound) & (bound > 0)]] = True
    return np.where(empty, -1, at + shift), np.where(empty, np.nan, value)


def _fast_troughs(
    trace: Trace,
    sweep: np.ndarray,
    peak: np.ndarray,
    stop: np.ndarray,
    falls_by: np.ndarray,
    *,
    doubt: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Steepest fall, and the first sample after it where it has all but ended; -1 if none."""
    shift = trace.shift(sweep)
    steepest = ragged.arg_min(trace.d, peak - shift, falls_by - shift)
    value = trace.d[steepest]
    bound = trace.slope.bound[sweep]
    doubt[sweep[(-value < bound) & (bound > 0)]] = True
    found = ragged.first_where(trace.d, steepest, stop - shift, _TERMINAL * value, rising=True)
    doubt[sweep[(found >= 0) & ~trace.slope.is_known(found)]] = True
    return steepest + shift, np.where(found < 0, -1, found + shift)


def _downstrokes(
    trace: Trace,
    sweep: np.ndarray,
    peak: np.ndarray,
    trough: np.ndarray,
    steepest: np.ndarray,
    *,
    doubt: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Steepest fall between peak and trough: mostly the steepest of all that follows."""
    at = steepest.copy()
    value = trace.d[np.maximum(at - trace.shift(sweep), 0)]
    other = np.flatnonzero((at < 0) | (at >= trough))
    at[other], value[other] = _extreme(
        trace, sweep[other], peak[other], trough[other], doubt, sign=-1
    )
    return at, value


def _afterwards(
    trace: Trace, sweep: np.ndarray, fast: np.ndarray, stop: np.ndarray, trough: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Afterdepolarisation and slow trough of each spike; -1 where there is none."""
    v = trace.v
    # the lowest sample since the peak is the lowest since the fast trough if it comes later
    lowest = np.where((trough >= fast) & (trough < stop), trough, -1)
    other = np.flatnonzero(lowest < 0)
    lowest[other] = ragged.arg_min(v, fast[other], stop[other])
    adp = np.full(fast.size, -1)
    dips = np.flatnonzero(_falls_back(trace, fast, stop, lowest))
    adp[dips] = _afterdepolarisations(trace, sweep[dips], fast[dips], stop[dips])
    seen = np.flatnonzero(adp >= 0)
    after = ragged.arg_min(v, adp[seen], stop[seen])
    good = v[adp[seen]] - v[after] >= _DETOUR
    adp[seen[~good]] = -1
    lowest[seen[good]] = after[good]
    slow = np.where((adp >= 0) | (v[fast] - v[lowest] >= _DETOUR), lowest, -1)
    return adp, slow


def _falls_back(
    trace: Trace, fast: np.ndarray, stop: np.ndarray, lowest: np.ndarray
) -> np.ndarray:
    """Whether any sample soon after the fast trough is followed by one 0.5 mV lower.

    An afterdepolarisation must be; this is cheaper to see than the filtered slope.
    """
    v = trace.v
    falls = v[fast] - v[lowest] >= _DETOUR  # the fast trough itself is such a sample
    rest = np.flatnonzero(~falls)
    if rest.size:
        falls[rest] = _falls_later(trace, fast[rest], stop[rest], lowest[rest])
    return falls


def _falls_later(
    trace: Trace, fast: np.ndarray, stop: np.ndarray, lowest: np.ndarray
) -> np.ndarray:
    v = trace.v
    length = int(np.ceil(_ADP_LATEST * trace.stack.rate)) + 1
    end = np.minimum(fast + length, stop)
    whole = fast + length <= v.size
    values = np.lib.stride_tricks.sliding_window_view(v, min(length, v.size))[
        np.where(whole, fast, 0)
    ]
    beyond = np.flatnonzero(~whole | (end < fast + length))
    inside = np.arange(values.shape[1]) < (end - fast)[beyond, None]
    at = np.minimum(fast[beyond, None] + np.arange(values.shape[1]), end[beyond, None] - 1)
    values[beyond] = np.where(inside, v[at], v[end[beyond] - 1][:, None])
    top = np.maximum.accumulate(values, axis=1)
    falls = (top - values).max(axis=1) >= _DETOUR
    later = np.flatnonzero(~falls & (stop > end))
    at = lowest[later].copy()
    unknown = at < end[later]
    at[unknown] = ragged.arg_min(v, end[later[unknown]], stop[later[unknown]])
    falls[later] = top[later, -1] - v[at] >= _DETOUR
    return falls


def _afterdepolarisations(
    trace: Trace, sweep: np.ndarray, fast: np.ndarray, stop: np.ndarray
) -> np.ndarray:
    """Candidates: the heavily filtered potential rises soon, then stops rising soon.

    A rough look at the slope dismisses most spikes; only the others are filtered in full.
    """
    out = np.full(fast.size, -1)
    some = np.arange(fast.size)
    top = some
    for folds, slack in ((_ROUGH_FOLDS, _ROUGH_SLACK), (_HEAVY_FOLDS, 0.0)):
        if some.size == 0:
            return out
        top = _rise_and_stop(trace, sweep[some], fast[some], stop[some], folds, slack=slack)
        some, top = some[top >= 0], top[top >= 0]
    low = trace.v[fast[some] + top] - trace.v[fast[some]] <= _ADP_HEIGHT
    out[some[low]] = fast[some[low]] + top[low]
    return out


def _rise_and_stop(
    trace: Trace,
    sweep: np.ndarray,
    fast: np.ndarray,
    stop: np.ndarray,
    folds: float,
    *,
    slack: float,
) -> np.ndarray:
    """Find the first sample after a rise that rises no more, from the fast trough on; -1."""
    rate = trace.stack.rate
    reach = int(np.ceil(_ADP_LATEST * rate)) + 1
    slope = _heavy_slope(trace, sweep, fast, reach, folds)
    at = np.arange(reach)
    inside = at < (stop - fast)[:, None]
    t = (trace.sample(sweep, fast)[:, None] + at) / rate
    delay = t - t[:, :1]
    rising = (slope >= _ADP_SLOPE - slack) & inside & (delay < _ADP_WITHIN)
    first = rising.argmax(axis=1)
    ended = (slope <= slack) & inside & (at >= first[:, None]) & (delay <= _ADP_LATEST)
    both = rising.any(axis=1) & ended.any(axis=1)
    return np.where(both, ended.argmax(axis=1), -1)


def _heavy_slope(
    trace: Trace, sweep: np.ndarray, begin: np.ndarray, length: int, folds: float
) -> np.ndarray:
    """dV/dt (V/s) through the heavy filter, `length` samples from each start."""
    stack = trace.stack
    cutoff = min(_HEAVY, 0.9 * stack.rate / 2e3)
    design = derivative.bessel(cutoff, stack.rate, folds)
    k = trace.sample(sweep, begin)
    near = (k >= design.memory) & (k + length + 1 + design.memory <= stack.n_samples)
    out = np.empty((begin.size, length + 1))
    if near.any():
        out[near] = derivative.filter_equal_runs(trace.v, begin[near], length + 1, design)
    for row in np.flatnonzero(~near).tolist():
        whole = derivative.filtfilt(stack.voltage_mv[sweep[row]], design)
        piece = whole[k[row] : k[row] + length + 1]
        out[row, : piece.size] = piece
        out[row, piece.size :] = piece[-1]
    return 1e-3 * stack.rate * np.diff(out, axis=1)


def _widths(trace: Trace, events: Events, fast: np.ndarray) -> np.ndarray:
    """Time (s) between the half-height samples on both sides of the peak."""
    v = trace.v
    out = np.full(fast.size, np.nan)
    seen = np.flatnonzero(fast >= 0)
    peak, threshold, fast = events.peak[seen], events.threshold[seen], fast[seen]
    level = v[fast] + (v[peak] - v[fast]) / 2.0
    from_threshold = v[threshold] + (v[peak] - v[threshold]) / 2.0
    level = np.where(level < v[threshold], from_threshold, level)
    left = ragged.first_where(v, peak, threshold, level, step=-1)
    right = ragged.first_where(v, peak, fast, level)
    both = (left >= 0) & (right >= 0)
    sweep = events.sweep[seen]
    width = trace.time(sweep, right) - trace.time(sweep, left)
    out[seen[both]] = width[both]
    return out

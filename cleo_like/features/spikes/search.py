"""Where spikes are, judged against the noise of the sweep itself.

A spike is a maximum of the smooth course (`parabola`) that stands out on both sides by more
than the noise makes, and that rises and falls faster than the noise does. There is no least
potential: small spikes near depolarisation block count, noise on a depolarised plateau does
not.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.spikes import ragged
from cleo_like.features.spikes.parabola import Noise, spread
from cleo_like.features.spikes.runs import (
    FALL_WITHIN,
    RISE_WITHIN,
    is_edge,
    quiet,
    region,
    runs,
    stands_out,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core.window import Window
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.spikes.parabola import Kernel
    from cleo_like.features.spikes.runs import Region, Runs
    from cleo_like.features.stack import SweepStack

HEIGHT, TALL = 4.0, 10.0
"""mV on both sides of the peak; a tall spike may be slower."""
SLOPE, SLOW_SLOPE = 5.0, 2.5
"""V/s: least upstroke; subthreshold oscillations stay below (50 Hz, 5 mV: 0.8 V/s)."""
OF_VALUE, OF_SLOPE, OF_FALL = 7.0, 6.0, 4.0
"""Times the noise: normal noise exceeds 6 SD once in 10^9 samples."""
FALL = 0.3
"""Of the least upstroke: broad spikes fall slower than they rise, and PSPs slower still."""
EARLY, ARTEFACT = 1e-3, 0.4e-3
"""s after the command's edge: an event before the first may be its artefact, and is one if the
potential was highest before the second (a filter of 2 kHz passes its peak by then)."""
GLITCH = 0.1e-3
"""s: no spike is so brief at half of its height."""
_CODES = 2.5  # steps of the converter: flicker between two codes is no spike
_CODE_SAMPLES = 2000  # are enough to see the step of the converter
_RISING, _FALLING = 3e-3, 5e-3  # s in which the steepest rise and fall must lie
_QUICK_LOOK = 0.6  # of the least height: the parabola's weights make no more of raw samples
_MASK = (2e-3, 3e-3)  # s before and after a candidate that are not quiet
_ENOUGH = 0.2  # of the searched samples must be quiet to tell their noise
_IRREGULAR = 0.35  # CV2: maxima of noise have 0.45 to 0.7, dense trains of spikes below 0.2
_ABOVE = 3.5  # times the noise of single samples


@attrs.frozen(kw_only=True, eq=False)
class Peaks:
    """Spikes as the search finds them, one entry each.

    Parameters
    ----------
    sweep : array of int
        Row in the stack.
    top, steep : array of int
        Samples of the peak and of the steepest rise of the smooth course.
    prominence : array
        The smaller of its rise and its fall (mV).
    slope : array
        Its steepest rise (V/s).
    artefacts : array of int, shape (n_sweeps,)
        Events of each sweep that are too brief, or too near to the edge, for spikes.
    """

    sweep: np.ndarray
    top: np.ndarray
    steep: np.ndarray
    prominence: np.ndarray
    slope: np.ndarray
    artefacts: np.ndarray

    @property
    def sweeps(self) -> np.ndarray:
        """Sweeps with a spike."""
        return np.unique(self.sweep)


@attrs.frozen(kw_only=True, eq=False)
class _Candidates:
    """Maxima of the smooth course; places are those of the runs."""

    top: np.ndarray
    steep: np.ndarray
    base: np.ndarray  # mV: the higher of the two minima beside it
    prominence: np.ndarray
    rise: np.ndarray  # V/s
    fall: np.ndarray  # V/s, positive

    def keep(self, mask: np.ndarray) -> _Candidates:
        return _Candidates(**{k: x[mask] for k, x in attrs.asdict(self).items()})


def search(
    stack: SweepStack, sweeps: np.ndarray, step: Window, p: ExtractionParameters
) -> Peaks:
    """Find what peaks in the step, or just after it, as a spike does."""
    least = HEIGHT if p.min_height is None else p.min_height
    where = region(stack, sweeps, step, _QUICK_LOOK * least)
    if where.sweeps.size == 0:
        return _none(stack.n_sweeps)
    part = runs(where)
    u, d = where.shape.course(part.y)
    u[~part.inside] = np.nan  # a wall between the parts
    noise = _quiet_noise(where)
    height = np.maximum(OF_VALUE * noise.value, _CODES * _converter_steps(where))
    height = np.maximum(height, least)
    found = _candidates(part, u, d, where.shape, float(height.min()))
    noise = noise.or_more(*_noise_between(where, part, u, d, found.top))
    row = part.row[found.top]
    found = found.keep(_stands_out(found, noise.of(row), p, height[row]))
    return _spikes(where, part, found, noise)


def _none(n_sweeps: int) -> Peaks:
    index, number = np.zeros(0, dtype=int), np.zeros(0)
    return Peaks(
        sweep=index, top=index, steep=index, prominence=number, slope=number,
        artefacts=np.zeros(n_sweeps, dtype=int),
    )  # fmt: skip


def _spikes(where: Region, part: Runs, found: _Candidates, noise: Noise) -> Peaks:
    """Set aside what is no spike but an artefact."""
    sweep, top = where.sweeps[part.row[found.top]], part.sample[found.top]
    within = top > where.start
    real = _lasting(where, part, found, noise) & ~_after_edge(where, sweep, top)
    artefacts = np.bincount(sweep[within & ~real], minlength=where.stack.n_sweeps)
    keep = within & real
    return Peaks(
        sweep=sweep[keep],
        top=top[keep],
        steep=part.sample[found.steep[keep]],
        prominence=found.prominence[keep],
        slope=found.rise[keep],
        artefacts=artefacts,
    )


def _quiet_noise(where: Region) -> Noise:
    """Noise of the quiet pieces, the larger of before and in the step."""
    y, row, before = quiet(where)
    half, n = where.shape.half, where.sweeps.size
    out = Noise(value=np.zeros(n), slope=np.zeros(n))
    if y.shape[0] == 0 or y.shape[1] <= 2 * half:
        return out
    inner = [where.shape.quick(x[:, half:-half]) for x in where.shape.course(y)]
    for some in (before, ~before):
        pieces = np.searchsorted(row[some], np.arange(n + 1)).tolist()
        value, slope = (
            np.array([spread(x[a:b].reshape(-1)) for a, b in pairwise(pieces)])
            for x in (x[some] for x in inner)
        )
        out = out.or_more(value, slope)
    return out


def _candidates(
    part: Runs, u: np.ndarray, d: np.ndarray, shape: Kernel, height: float
) -> _Candidates:
    """Maxima of the course with their prominence and the slopes on both sides."""
    from scipy.signal import find_peaks, peak_prominences

    before, after, rising, falling = (
        round(t * shape.rate) for t in (RISE_WITHIN, FALL_WITHIN, _RISING, _FALLING)
    )
    top, _ = find_peaks(u)
    top = top[_may_stand_out(part, u, height)[top]]
    high, left, right = peak_prominences(u, top, wlen=2 * after + 1)
    some = high >= height
    top, left, right = top[some], left[some], right[some]
    for k in np.flatnonzero(top - left > before).tolist():  # the window reaches further back
        low = top[k] - before
        left[k] = low + int(u[low : top[k]].argmin())
    base = np.maximum(u[left], u[right])
    steep = ragged.arg_max(d, np.maximum(left, top - rising), top + 1)
    down = ragged.arg_min(d, top, np.minimum(right, top + falling) + 1)
    return _Candidates(
        top=top, steep=steep, base=base, prominence=u[top] - base, rise=d[steep], fall=-d[down]
    )


def _may_stand_out(part: Runs, u: np.ndarray, height: float) -> np.ndarray:
    """Active samples in blocks that reach the height: most maxima of noise do not."""
    blocks = u.reshape(-1, part.per)
    unknown = np.isnan(blocks)
    top = np.where(unknown, -np.inf, blocks).max(axis=1)
    low = np.where(unknown, np.inf, blocks).min(axis=1)
    return part.active & np.repeat(stands_out(top, low, height), part.per)


def _stands_out(
    found: _Candidates, noise: Noise, p: ExtractionParameters, height: np.ndarray
) -> np.ndarray:
    """Whether each candidate rises and falls as only a spike does in this noise."""
    height = np.maximum(height, OF_VALUE * noise.value)
    tall = found.prominence >= np.maximum(height, TALL)
    least = np.where(tall, SLOW_SLOPE, SLOPE) if p.dv_cutoff is None else p.dv_cutoff
    least = np.maximum(least, OF_SLOPE * noise.slope)
    return (
        (found.prominence >= height)
        & (found.rise >= least)
        & (found.fall >= np.maximum(FALL * least, OF_FALL * noise.slope))
    )


def _noise_between(
    where: Region, part: Runs, u: np.ndarray, d: np.ndarray, top: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Noise of the searched samples of each sweep away from the candidates.

    On a plateau it is larger than before the step: channels open and close there.
    """
    shape, n = where.shape, where.sweeps.size
    free = part.inside & ~_about(top, u.size, [round(t * shape.rate) for t in _MASK])
    lag = 2 * shape.half + 1  # parabolas that share no sample, near enough for one trend
    both = free[lag:] & free[:-lag]
    value, slope = np.full(n, np.nan), np.full(n, np.nan)
    bounds, tops = (
        np.searchsorted(rows, np.arange(n + 1)).tolist() for rows in (part.row, part.row[top])
    )
    for k in np.unique(part.row[top]).tolist():
        a, b = bounds[k : k + 2]
        inside = part.inside[a:b]
        pairs = both[a : b - lag]
        if pairs.sum() >= max(_ENOUGH * inside.sum(), 4 * shape.half):
            value[k], slope[k] = (
                spread((x[a + lag : b] - x[a : b - lag])[pairs]) / np.sqrt(2) for x in (u, d)
            )
        elif _irregular(top[tops[k] : tops[k + 1]]):  # so many: all of it is noise
            value[k], slope[k] = (spread(shape.quick(x[a:b][inside])) for x in (u, d))
        else:  # the least that is known of a dense train: what the parabolas leave over
            single = spread((part.y[a:b] - u[a:b])[inside]) / np.sqrt(1 - shape.middle)
            value[k] = single * np.sqrt(shape.middle)
            slope[k] = single * float(np.linalg.norm(shape.slope))
    return value, slope


def _about(top: np.ndarray, size: int, reach: Sequence[int]) -> np.ndarray:
    """Mark the samples before and after each maximum."""
    change = np.zeros(size + 1, dtype=int)
    np.add.at(change, np.maximum(top - reach[0], 0), 1)
    np.add.at(change, np.minimum(top + reach[1] + 1, size), -1)
    return np.cumsum(change[:-1]) > 0


def _irregular(top: np.ndarray) -> bool:
    """Whether successive intervals differ as those of noise do (CV2, Holt et al. 1996)."""
    interval = np.diff(top)
    if interval.size < 2:
        return False
    change = np.abs(np.diff(interval)) / (interval[1:] + interval[:-1])
    return bool(2 * change.mean() > _IRREGULAR)


def _converter_steps(where: Region) -> np.ndarray:
    """Smallest change (mV) between samples of each sweep: the step of a coarse converter."""
    v = where.stack.voltage_mv[where.sweeps, where.start : where.start + _CODE_SAMPLES]
    change = np.abs(np.diff(v, axis=1))
    change[change == 0] = np.inf
    out = change.min(axis=1, initial=np.inf)
    return np.where(np.isfinite(out), out, 0.0)


def _lasting(where: Region, part: Runs, found: _Candidates, noise: Noise) -> np.ndarray:
    """Whether an event lasts longer than a glitch of the amplifier or the converter."""
    shape, stack = where.shape, where.stack
    brief = int(GLITCH * stack.rate * (1 + 1e-9))
    if brief == 0:  # a sample is longer than that
        return np.ones(found.top.size, dtype=bool)
    row, reach = part.row[found.top], 2 * shape.half * shape.bin
    at = part.sample[found.top][:, None] + np.arange(-reach, reach + 1)
    at = np.clip(at, 0, stack.n_samples - 1) + (where.sweeps[row] * stack.n_samples)[:, None]
    single = noise.of(row).value / np.sqrt(shape.middle)
    level = found.base + np.maximum(found.prominence / 2, _ABOVE * single)
    return (stack.voltage_mv.reshape(-1)[at] > level[:, None]).sum(axis=1) > brief


def _after_edge(where: Region, sweep: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Whether an event is what the amplifier makes of the command's edge."""
    out = np.zeros(top.size, dtype=bool)
    stack, reach = where.stack, (where.shape.half + 1) * where.shape.bin
    near = np.flatnonzero((top > where.start) & (top <= where.start + EARLY * stack.rate))
    near = near[is_edge(stack, sweep[near], where.start, where.block)]
    for k in near.tolist():
        v = stack.voltage_mv[sweep[k], where.start : top[k] + reach]
        out[k] = v.argmax() <= ARTEFACT * stack.rate
    return out

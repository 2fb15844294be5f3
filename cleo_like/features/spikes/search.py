"""Where spikes are, judged against the noise of the sweep itself.

A spike is a maximum of the smooth course (`parabola`) that stands out on both sides by more
than the noise makes, and that rises and falls faster than the noise does. There is no least
potential: small spikes near depolarisation block count, noise on a depolarised plateau does
not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.spikes import ragged
from cleo_like.features.spikes.parabola import Noise, course, noise_of, quick, spread, white_noise
from cleo_like.features.spikes.stretch import FALL_WITHIN, RISE_WITHIN, stretch_of

if TYPE_CHECKING:
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.spikes.stretch import Stretch
    from cleo_like.features.stack import SweepStack, Window

HEIGHT, TALL = 4.0, 10.0
"""mV on both sides of the peak; a tall spike may be slower."""
SLOPE, SLOW_SLOPE = 5.0, 2.5
"""V/s: least upstroke; subthreshold oscillations stay below (50 Hz, 5 mV: 0.8 V/s)."""
OF_VALUE, OF_SLOPE, OF_FALL = 7.0, 6.0, 4.0
"""Times the noise: normal noise exceeds 6 SD once in 10^9 samples."""
FALL = 0.3
"""Of the least upstroke: broad spikes fall slower than they rise, synaptic potentials more so."""
EARLY, ARTEFACT = 1e-3, 0.4e-3
"""s after the command's edge: an event before the first may be its artefact; it is one if the
potential has only fallen since the second (filters of 2 kHz and more pass its peak till then)."""
GLITCH = 0.1e-3
"""s: no spike is so brief at half of its height."""
_CODES = 2.5  # steps of the converter: flicker between two codes is no spike
_CODE_SAMPLES = 5000  # are enough to see the step of the converter
_RISING, _FALLING = 3e-3, 5e-3  # s in which the steepest rise and fall must lie
_QUICK_LOOK = 0.6  # of the least height: the parabola's weights make no more of raw samples
_MASK = (2e-3, 3e-3)  # s before and after a candidate that are not quiet
_ENOUGH = 0.2  # of the searched samples must be quiet to tell their noise
_IRREGULAR = 0.35  # CV2: maxima of noise have 0.45 to 0.7, dense trains of spikes below 0.2
_ABOVE = 3.5  # times the noise of single samples


@attrs.frozen(kw_only=True)
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


@attrs.frozen(kw_only=True)
class _Candidates:
    """Maxima of one stretch, in averaged samples."""

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
    artefacts = np.zeros(stack.n_sweeps, dtype=int)
    parts = [(np.zeros(0, int),) * 3 + (np.zeros(0),) * 2]
    least = HEIGHT if p.min_height is None else p.min_height
    for sweep in sweeps.tolist():
        stretch = stretch_of(stack, sweep, step, _QUICK_LOOK * least)
        if stretch is None:
            continue
        found, real = _judged(stretch, p, least)
        since = (found.top - stretch.start) / stretch.shape.rate
        real &= ~_after_edge(stretch, found.top, since)
        artefacts[sweep] = (~real & (since > 0)).sum()
        kept = found.keep(real & (since > 0))
        where = stretch.samples(kept.top), stretch.samples(kept.steep)
        parts.append((np.full(kept.top.size, sweep), *where, kept.prominence, kept.rise))
    sweep_of, top, steep, prominence, slope = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    return Peaks(
        sweep=sweep_of, top=top, steep=steep, prominence=prominence, slope=slope,
        artefacts=artefacts,
    )  # fmt: skip


def _judged(
    stretch: Stretch, p: ExtractionParameters, least: float
) -> tuple[_Candidates, np.ndarray]:
    """Give the maxima that stand out of the noise, and whether each lasts as a spike does."""
    u, d = np.full(stretch.y.size, np.nan), np.full(stretch.y.size, np.nan)
    for a, b in stretch.runs.tolist():
        u[a:b], d[a:b] = course(stretch.y[a:b], stretch.shape)
    baseline, *pieces = stretch.quiet()
    noise = noise_of([baseline], stretch.shape).or_more(noise_of(pieces, stretch.shape))
    height = max(least, OF_VALUE * noise.value, _CODES * _converter_step(stretch.v))
    found = _candidates(stretch, u, d, height)
    noise = noise.or_more(_noise_between(stretch, u, d, found.top))
    found = found.keep(_stands_out(found, noise, p, height))
    return found, _lasting(stretch, found, noise)


def _candidates(
    stretch: Stretch, u: np.ndarray, d: np.ndarray, height: float
) -> _Candidates:
    """Maxima of the course with their prominence and the slopes on both sides."""
    from scipy.signal import find_peaks

    rate = stretch.shape.rate
    before, after = round(RISE_WITHIN * rate), round(FALL_WITHIN * rate)
    top, about = find_peaks(u, prominence=height, wlen=2 * after + 1)
    mine = stretch.active[top]
    top, left, right = top[mine], about["left_bases"][mine], about["right_bases"][mine]
    for k in np.flatnonzero(top - left > before).tolist():  # the window reaches further back
        low = top[k] - before
        left[k] = low + int(u[low : top[k]].argmin())
    base = np.maximum(u[left], u[right])
    steep = ragged.arg_max(d, np.maximum(left, top - round(_RISING * rate)), top + 1)
    falling = ragged.arg_min(d, top, np.minimum(right, top + round(_FALLING * rate)) + 1)
    return _Candidates(
        top=top, steep=steep, base=base, prominence=u[top] - base, rise=d[steep],
        fall=-d[falling],
    )  # fmt: skip


def _stands_out(
    found: _Candidates, noise: Noise, p: ExtractionParameters, height: float
) -> np.ndarray:
    """Whether each candidate rises and falls as only a spike does in this noise."""
    tall = found.prominence >= max(TALL, OF_VALUE * noise.value)
    least = np.where(tall, SLOW_SLOPE, SLOPE) if p.dv_cutoff is None else p.dv_cutoff
    least = np.maximum(least, OF_SLOPE * noise.slope)
    return (
        (found.prominence >= max(height, OF_VALUE * noise.value))
        & (found.rise >= least)
        & (found.fall >= np.maximum(FALL * least, OF_FALL * noise.slope))
    )


def _noise_between(
    stretch: Stretch, u: np.ndarray, d: np.ndarray, top: np.ndarray
) -> Noise:
    """Noise of the searched samples away from the candidates.

    On a plateau it is larger than before the step: channels open and close there.
    """
    shape, searched = stretch.shape, stretch.searched()
    before, after = (round(t * shape.rate) for t in _MASK)
    change = np.zeros(u.size + 1, dtype=int)
    np.add.at(change, np.maximum(top - before, 0), 1)
    np.add.at(change, np.minimum(top + after + 1, u.size), -1)
    free = searched & (np.cumsum(change[:-1]) == 0)
    if free.sum() < max(_ENOUGH * searched.sum(), 4 * shape.half):
        if not _irregular(top):
            return white_noise(stretch.y[searched], u[searched], shape)
        free = searched  # so many, so irregular: all of it is noise
    place, known = np.flatnonzero(searched), np.flatnonzero(free)
    out = [
        spread(quick(np.interp(place, known, x[known]), shape)[free[place]]) for x in (u, d)
    ]
    return Noise(value=out[0], slope=out[1])


def _irregular(top: np.ndarray) -> bool:
    """Whether successive intervals differ as those of noise do (CV2, Holt et al. 1996)."""
    interval = np.diff(top)
    if interval.size < 2:
        return False
    change = np.abs(np.diff(interval)) / (interval[1:] + interval[:-1])
    return bool(2 * change.mean() > _IRREGULAR)


def _converter_step(v: np.ndarray) -> float:
    """Smallest change (mV) between neighbouring samples: the step of a coarse converter."""
    change = np.abs(np.diff(v[:_CODE_SAMPLES]))
    return float(change[change > 0].min(initial=np.inf)) if (change > 0).any() else 0.0


def _lasting(stretch: Stretch, found: _Candidates, noise: Noise) -> np.ndarray:
    """Whether an event lasts longer than a glitch of the amplifier or the converter."""
    shape, v = stretch.shape, stretch.v
    brief = int(GLITCH * shape.rate * shape.bin * (1 + 1e-9))
    if brief == 0:  # a sample is longer than that
        return np.ones(found.top.size, dtype=bool)
    reach = 2 * shape.half * shape.bin
    middle = stretch.samples(found.top)[:, None] - stretch.first
    values = v[np.clip(middle + np.arange(-reach, reach + 1), 0, v.size - 1)]
    single = noise.value / np.sqrt(shape.value[shape.half])
    level = found.base + np.maximum(found.prominence / 2, _ABOVE * single)
    return (values > level[:, None]).sum(axis=1) > brief


def _after_edge(stretch: Stretch, top: np.ndarray, since: np.ndarray) -> np.ndarray:
    """Whether an event is what the amplifier makes of the command's edge."""
    out = np.zeros(top.size, dtype=bool)
    if not stretch.begins:
        return out
    rate = stretch.shape.rate * stretch.shape.bin
    start = round(stretch.start * stretch.shape.bin)
    reach = (stretch.shape.half + 1) * stretch.shape.bin
    for k in np.flatnonzero((since > 0) & (since <= EARLY)).tolist():
        stop = int(stretch.samples(top[k])) - stretch.first + reach
        out[k] = stretch.v[start:stop].argmax() <= ARTEFACT * rate
    return out

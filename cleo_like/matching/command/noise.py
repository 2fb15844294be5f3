"""How noisy a command is, and what of it is missing."""

from __future__ import annotations

import attrs
import numpy as np

MAD_TO_SD = 1.4826
"""Standard deviation of normal noise over its median absolute deviation."""
_QUARTER = 0.3186
"""A quarter of normal noise lies within this many standard deviations of 0."""
_FEW = 2_000
"""More samples than this are not sorted for their median."""
_ENOUGH = 20_000
"""A quantile of noise needs no more values than this."""
_STEADY = 0.02
"""Differences alike to within this fraction are a slope."""
_BUSY = 0.01
"""A noise-free step command changes at fewer than this fraction of its samples."""
_FLIPS, _FLIP_SIZE = 6, 0.2
"""So many changes, each this small a fraction of the range, are flips of a converter."""
_BRIDGE = 2e-3
"""Longest gap of missing samples (s) over which the last value is held."""


@attrs.frozen(kw_only=True, eq=False)
class Filled:
    """A command without gaps: `samples` up to the last one there is, and what was done."""

    samples: np.ndarray
    notes: tuple[str, ...] = ()
    trouble: str | None = None


def fill(command: np.ndarray, rate: float) -> Filled:
    """Cut a missing tail, hold the last value over short gaps, refuse long ones.

    Examples
    --------
    >>> fill(np.array([0.0, 1.0, np.nan, 1.0, np.nan]), 1e4).samples
    array([0., 1., 1., 1.])
    """
    samples = np.asarray(command, dtype=float)
    finite = np.isfinite(samples)
    if not finite.any():
        return Filled(samples=samples[:0], trouble="the command has no finite sample")
    stop = samples.size - int(np.argmax(finite[::-1]))
    notes = []
    if stop < samples.size:
        notes.append(f"the last {samples.size - stop} samples of the command are missing")
    samples, finite = samples[:stop], finite[:stop]
    if finite.all():
        return Filled(samples=samples, notes=tuple(notes))
    starts, stops = runs(~finite)
    longest = int(np.max(stops - starts))
    if longest > _BRIDGE * rate:
        msg = (
            f"{longest} samples of the command in a row are not finite "
            f"(from sample {int(starts[np.argmax(stops - starts)])})"
        )
        return Filled(samples=samples[:0], notes=tuple(notes), trouble=msg)
    last = np.maximum.accumulate(np.where(finite, np.arange(stop), -1))
    last = np.where(last < 0, int(np.argmax(finite)), last)
    notes.append(f"{int((~finite).sum())} missing samples of the command bridged")
    return Filled(samples=samples[last], notes=tuple(notes))


def runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give starts and stops of the stretches where a mask holds.

    Examples
    --------
    >>> runs(np.array([False, True, True, False, True]))
    (array([1, 4]), array([3, 5]))
    """
    padded = np.concatenate(([False], mask, [False]))
    change = np.flatnonzero(padded[1:] != padded[:-1])
    return change[::2], change[1::2]


def median_of(samples: np.ndarray) -> float:
    """Median; of few samples without numpy's overhead, which is ten times their sorting."""
    if samples.size > _FEW:
        majority = _has_majority(samples)
        return float(samples[samples.size // 2] if majority else np.median(samples))
    ordered = np.sort(samples)
    middle = samples.size // 2
    if samples.size % 2:
        return float(ordered[middle])
    return float((ordered[middle - 1] + ordered[middle]) / 2)


def sd_of(samples: np.ndarray) -> float:
    """Spread about the median by the median absolute deviation (0 for no samples)."""
    if samples.size == 0 or _has_majority(samples):
        return 0.0
    return MAD_TO_SD * median_of(np.abs(samples - median_of(samples)))


def _has_majority(samples: np.ndarray) -> bool:
    """Whether more than half of the samples equal the middle one: the spread is then 0."""
    return bool(2 * np.count_nonzero(samples == samples[samples.size // 2]) > samples.size)


def white_sd(samples: np.ndarray) -> float:
    """Noise by first differences: steps and slow drifts do not count.

    Examples
    --------
    >>> x = np.repeat([0.0, 100.0, 0.0], 1000)
    >>> noise = np.random.default_rng(0).normal(0, 2.0, 3000)
    >>> white_sd(x), round(white_sd(x + noise), 1)
    (0.0, 2.0)
    """
    return sd_of(np.diff(samples)) / 2**0.5


def quantum(samples: np.ndarray) -> float:
    """Step of the converter: the smallest change seen in a command that always changes.

    It is 0 for an exact command, whose smallest change is a step of the protocol; a
    command that often changes by one and the same small amount is a recorded one.
    """
    return _quantum(samples, *_changes(samples))


def is_clean(samples: np.ndarray) -> bool:
    """Whether the command is exact: plateaus without noise or converter flips."""
    at, step = _changes(samples)
    return _are_few(at, samples) and _quantum(samples, at, step) == 0.0


def _changes(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the command changes from one sample to the next, and by how much."""
    at = np.flatnonzero(samples[1:] != samples[:-1])
    return at, samples[at + 1] - samples[at]


def _are_few(at: np.ndarray, samples: np.ndarray) -> bool:
    """Whether the command hardly ever changes from sample to sample."""
    return at.size < max(16, _BUSY * samples.size)


def _quantum(samples: np.ndarray, at: np.ndarray, step: np.ndarray) -> float:
    span = float(np.ptp(samples)) if at.size else 0.0
    change = np.abs(step)
    change = change[change > 1e-9 * span]
    if change.size == 0:
        return 0.0
    smallest = float(np.min(change))
    if not _are_few(at, samples) or _glitches(at, step) >= _FLIPS / 2:
        return smallest
    flips = np.count_nonzero(change <= 1.5 * smallest)
    return smallest if flips >= _FLIPS and smallest < _FLIP_SIZE * span else 0.0


def _glitches(at: np.ndarray, step: np.ndarray) -> int:
    """Count single samples (or two) that leave a level and come back to it."""
    brief = np.flatnonzero(np.diff(at) <= 2)
    if brief.size == 0:
        return 0
    return int(np.count_nonzero(np.isclose(step[brief + 1], -step[brief], rtol=1e-6)))


def quantile_of(samples: np.ndarray, q: float) -> float:
    """Quantile; of a command with few levels without sorting all its samples.

    Examples
    --------
    >>> x = np.repeat([0.0, 50.0, 0.0], [2000, 10000, 8000])
    >>> quantile_of(x, 0.25), quantile_of(x, 0.75)
    (0.0, 50.0)
    """
    at, _ = _changes(samples)
    if 0 < at.size < _FEW and samples.size > _FEW:
        starts = np.r_[0, at + 1]
        order = np.argsort(samples[starts], kind="stable")
        levels = samples[starts][order]
        ends = np.cumsum(np.diff(np.r_[starts, samples.size])[order])
        place = int(q * (samples.size - 1))
        both = [place, min(place + 1, samples.size - 1)]
        low, high = levels[np.searchsorted(ends, both, side="right")]
        if low == high:  # else between two of them, as numpy does it
            return float(low)
    return float(np.quantile(samples, q))


def quiet_sd(values: np.ndarray) -> float:
    """Noise of values about 0, by their quietest quarter (pulses fill the rest)."""
    if values.size == 0:
        return 0.0
    few = values[:: max(1, values.size // _ENOUGH)]
    if few.size - np.count_nonzero(few) >= 0.25 * few.size + 2:  # the quantile is a zero
        return 0.0
    return float(np.quantile(np.abs(few), 0.25)) / _QUARTER


def contrast_sd(difference: np.ndarray, scale: int) -> float:
    """Noise of differences of neighbouring means, a steady slope not counted.

    A slope that fills the sweep is no noise: its differences are all alike.
    """
    noise = quiet_sd(difference)
    if difference.size <= scale:
        return noise
    bend = quiet_sd(difference[scale:] - difference[:-scale])
    return bend if bend < _STEADY * noise else noise


def rough_sd(samples: np.ndarray, block: int) -> np.ndarray:
    """Noise at each sample by third differences in its block: smooth shapes count as 0."""
    n = samples.size
    if n < 8:
        return np.zeros(n)
    block = max(1, min(block, n - 3))  # kHz stored as Hz make blocks of no sample
    # a change is seen by three third differences: so few never fill half of a block
    if 6 * np.count_nonzero(samples[1:] != samples[:-1]) < block:
        return np.zeros(n)
    third = np.abs(np.diff(samples, 3)) / np.sqrt(20)
    count = third.size // block
    blocks = third[: count * block].reshape(count, block)
    level = np.zeros(count)
    # the median of the others is 0
    busy = np.flatnonzero(2 * np.count_nonzero(blocks, axis=1) >= block)
    level[busy] = MAD_TO_SD * np.median(blocks[busy], axis=1)
    return level[np.minimum(np.arange(n) // block, count - 1)]

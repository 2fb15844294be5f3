"""dV/dt through a zero-phase Bessel filter, computed only where a spike can be.

The filter forgets: with poles inside the unit circle a start a few hundred samples early
gives the result of the whole sweep to the last bit. And it cannot amplify: its output is at
most `gain` times the largest input within its reach. So a scan of the raw differences tells
where the filtered dV/dt can reach the cut, and only those blocks are filtered.
"""

from __future__ import annotations

from functools import lru_cache

import attrs
import numpy as np

_FORGOTTEN = 40.0  # e-folds after which a transient is below the last bit
_BLOCK = 0.0005  # s
_BEFORE, _AFTER = 2, 6  # further blocks that a spike needs before and after
_TAIL = 1e-3  # of the impulse response that may lie beyond its reach
_DENSE = 0.8  # filtered samples over samples of the window, from which all are filtered


@attrs.frozen(kw_only=True, eq=False)
class Filter:
    """A zero-phase low-pass filter and what is needed to use it on parts of a sweep."""

    b: np.ndarray
    a: np.ndarray
    zi: np.ndarray  # state of rest at 1
    memory: int  # samples until a transient is gone
    reach: int  # samples that hold all but `tail` of the impulse response
    gain: float  # sum of its absolute values
    tail: float


@lru_cache(maxsize=32)
def bessel(cutoff_khz: float, rate: float, folds: float = _FORGOTTEN) -> Filter:
    """Design the 4-pole low-pass filter and measure its memory and gain.

    `folds` says by how many e-folds a transient must have died to be forgotten.
    """
    from scipy import signal

    b, a = signal.bessel(4, cutoff_khz * 1e3 / (rate / 2), "low")
    slowest = np.abs(np.roots(a)).max()
    memory = int(np.ceil(folds / -np.log(slowest))) + 8
    design = Filter(
        b=b, a=a, zi=signal.lfilter_zi(b, a), memory=memory, reach=0, gain=1.0, tail=0.0
    )
    impulse = np.zeros(2 * memory + 1)
    impulse[memory] = 1
    response = np.abs(_both_ways(design, impulse))
    beyond = 2 * np.cumsum(response[:memory])[::-1]  # tail outside 1, 2 ... samples
    reach = 1 + int(np.flatnonzero(beyond < _TAIL)[0])
    gain = float(response.sum()) * (1 + 1e-9)
    return attrs.evolve(design, reach=reach, gain=gain, tail=float(beyond[reach - 1]))


def _both_ways(design: Filter, x: np.ndarray) -> np.ndarray:
    from scipy import signal

    b, a = design.b, design.a
    forward, _ = signal.lfilter(b, a, x, zi=design.zi * x[0])
    backward, _ = signal.lfilter(b, a, forward[::-1], zi=design.zi * forward[-1])
    return backward[::-1]


def filtfilt(v: np.ndarray, design: Filter) -> np.ndarray:
    """Filter whole sweeps along the last axis, padded as scipy does."""
    from scipy import signal

    # shortened where the sweep is shorter than the padding
    pad = min(3 * max(len(design.a), len(design.b)), v.shape[-1] - 1)
    return signal.filtfilt(design.b, design.a, v, axis=-1, padlen=pad)


@attrs.frozen(kw_only=True, eq=False)
class Derivative:
    """dV/dt (V/s) of some sweeps in one window.

    `flat` holds (n_rows, width) samples of the sweeps `sweeps`; where `known` is False it
    holds 0 and the true value is between ``-bound`` and ``bound`` of that sweep. Sweeps that
    are not among them nowhere reach the cut.
    """

    flat: np.ndarray
    width: int
    first: int
    sweeps: np.ndarray  # (n_rows,)
    row: np.ndarray  # (n_sweeps,): place among the rows
    known: np.ndarray  # (n_rows, n_blocks)
    block: int
    bound: np.ndarray  # (n_sweeps,)

    def is_known(self, index: np.ndarray) -> np.ndarray:
        """Whether samples (flat indices) were computed."""
        row, k = np.divmod(index, self.width)
        blocks = np.minimum(k // self.block, self.known.shape[1] - 1)
        return self.known[row, blocks]


def _derivative(
    rows: np.ndarray,
    sweeps: np.ndarray,
    n_sweeps: int,
    first: int,
    *,
    known: np.ndarray | None = None,
    block: int = 0,
    bound: np.ndarray | None = None,
) -> Derivative:
    where, bounds = np.zeros(n_sweeps, dtype=int), np.zeros(n_sweeps)
    where[sweeps] = np.arange(sweeps.size)
    if bound is not None:
        bounds[sweeps] = bound
    return Derivative(
        flat=rows.reshape(-1),
        width=rows.shape[1],
        first=first,
        sweeps=sweeps,
        row=where,
        known=known if known is not None else np.ones((sweeps.size, 1), dtype=bool),
        block=block if block else max(rows.shape[1], 1),
        bound=bounds,
    )


def whole(
    v: np.ndarray, sweeps: np.ndarray, rate: float, cutoff_khz: float | None
) -> Derivative:
    """dV/dt of whole sweeps; the last column is 0."""
    some = v[sweeps]
    if cutoff_khz is not None and sweeps.size:
        some = filtfilt(some, bessel(cutoff_khz, rate))
    return _derivative(_slope(some, 0, rate), sweeps, len(v), 0)


def windowed(
    v: np.ndarray,
    sweeps: np.ndarray,
    rate: float,
    cutoff_khz: float | None,
    *,
    first: int,
    stop: int,
    cut: float,
) -> Derivative | None:
    """dV/dt of some sweeps in [first, stop), filtered only where it can reach `cut` (V/s).

    Gives None where the window is too near to the ends of the sweep for the filter.
    """
    if cutoff_khz is None:
        if first < 0 or stop >= v.shape[1]:
            return None
        loud = _loud(v, sweeps, slice(first, stop + 1), cut / (1e-3 * rate))
        rows = _slope(v[loud, first : stop + 1], first, rate)
        return _derivative(rows, loud, len(v), first)
    design = bessel(cutoff_khz, rate)
    block = max(round(_BLOCK * rate), design.reach + 1)
    count = -(-(stop - first) // block)
    low, high = first - design.memory, first + count * block + 1 + design.memory
    if low < 0 or high > v.shape[1]:
        return None
    scale = 1e-3 * rate * (1 + 1e-6)  # 1e-6: the rounding of the time steps
    limit = cut / (scale * design.gain)
    loud, bound = _block_bounds(v, sweeps, slice(low, high), limit, (block, count, design))
    bound *= scale
    needed = _widened(bound >= cut)
    runs = needed[:, 0] + (needed[:, 1:] & ~needed[:, :-1]).sum(axis=1)
    cost = needed.sum(axis=1) * block + 2 * design.memory * runs
    needed[cost > _DENSE * count * block] = True
    rows = np.zeros((loud.size, count * block))
    _fill(rows, v, loud, needed, block=block, first=first, rate=rate, design=design)
    largest = np.where(needed, 0.0, bound).max(axis=1, initial=0.0)
    return _derivative(rows, loud, len(v), first, known=needed, block=block, bound=largest)


def around(
    v: np.ndarray,
    sweeps: np.ndarray,
    rate: float,
    cutoff_khz: float | None,
    *,
    first: int,
    stop: int,
    wanted: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Derivative | None:
    """dV/dt of some sweeps in [first, stop), filtered only in the wanted stretches.

    `wanted` holds sweep, first sample and last sample of each stretch. Gives None where the
    window is too near to the ends of the sweep for the filter.
    """
    if cutoff_khz is None:
        if first < 0 or stop >= v.shape[1]:
            return None
        return _derivative(
            _slope(v[sweeps, first : stop + 1], first, rate), sweeps, len(v), first
        )
    design = bessel(cutoff_khz, rate)
    block = max(round(_BLOCK * rate), design.reach + 1)
    count = -(-(stop - first) // block)
    low, high = first - design.memory, first + count * block + 1 + design.memory
    if low < 0 or high > v.shape[1]:
        return None
    _, bound = _block_bounds(v, sweeps, slice(low, high), 0.0, (block, count, design))
    needed = np.zeros((sweeps.size, count), dtype=bool)
    sweep, begin, end = wanted
    at = [np.clip((k - first) // block, 0, count - 1) for k in (begin, end)]
    rows = np.searchsorted(sweeps, sweep)
    for row, a, b in zip(rows.tolist(), at[0].tolist(), at[1].tolist(), strict=True):
        needed[row, a : b + 1] = True
    out = np.zeros((sweeps.size, count * block))
    _fill(out, v, sweeps, needed, block=block, first=first, rate=rate, design=design)
    largest = np.where(needed, 0.0, bound * 1e-3 * rate * (1 + 1e-6)).max(axis=1, initial=0.0)
    return _derivative(out, sweeps, len(v), first, known=needed, block=block, bound=largest)


def _loud(v: np.ndarray, sweeps: np.ndarray, where: slice, limit: float) -> np.ndarray:
    """Sweeps in which neighbouring samples differ by the limit (mV) or more."""
    out = []
    step = np.empty(where.stop - where.start - 1)
    for sweep in sweeps.tolist():
        x = v[sweep, where]
        np.subtract(x[1:], x[:-1], out=step)
        if step.max() >= limit or step.min() <= -limit:
            out.append(sweep)
    return np.array(out, dtype=int)


def _slope(v: np.ndarray, first: int, rate: float) -> np.ndarray:
    """1e-3 dV/dt with the rounding of the time axis k / rate; the last column is 0."""
    out = np.zeros(v.shape)
    np.subtract(v[:, 1:], v[:, :-1], out=out[:, :-1])
    out *= 1e-3
    out[:, :-1] /= np.diff(np.arange(first, first + v.shape[1]) / rate)
    return out


def _block_bounds(
    v: np.ndarray,
    sweeps: np.ndarray,
    where: slice,
    limit: float,
    layout: tuple[int, int, Filter],
) -> tuple[np.ndarray, np.ndarray]:
    """Sweeps that reach the limit, and the largest filtered difference (mV) of each block."""
    block, count, design = layout
    memory = design.memory
    # before the reach, within it, each block, after the last
    edges = np.append((0, memory - design.reach), memory + block * np.arange(count + 1))
    step = np.empty(where.stop - where.start - 1)
    loud, bounds = [], []
    for sweep in sweeps.tolist():
        x = v[sweep, where]
        np.subtract(x[1:], x[:-1], out=step)
        np.abs(step, out=step)
        top = step.max()
        if top < limit:
            continue
        loud.append(sweep)
        largest = np.maximum.reduceat(step, edges)
        near = np.maximum(np.maximum(largest[1:-2], largest[3:]), largest[2:-1])
        bounds.append(near * design.gain + design.tail * top)
    return np.array(loud, dtype=int), np.array(bounds).reshape(len(loud), count)


def _widened(needed: np.ndarray) -> np.ndarray:
    """Add the blocks before and after that the shape of a spike needs."""
    out = needed.copy()
    for shift in range(1, _BEFORE + 1):
        out[:, :-shift] |= needed[:, shift:]
    for shift in range(1, _AFTER + 1):
        out[:, shift:] |= needed[:, :-shift]
    return out


def _fill(
    rows: np.ndarray,
    v: np.ndarray,
    sweeps: np.ndarray,
    needed: np.ndarray,
    *,
    block: int,
    first: int,
    rate: float,
    design: Filter,
) -> None:
    """Write the filtered slope into the needed blocks of `rows`.

    The stretches of a sweep are laid end to end, with room to forget in between: one call of
    the filter for each sweep, small enough to stay in the cache.
    """
    edges = np.diff(np.pad(needed, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    for row, sweep in enumerate(sweeps.tolist()):
        begin = np.flatnonzero(edges[row] == 1) * block
        length = np.flatnonzero(edges[row] == -1) * block - begin
        if begin.size == 0:
            continue
        x, out, memory = v[sweep], rows[row], design.memory
        low = (begin + first - memory).tolist()
        room = (length + 1 + 2 * memory).tolist()
        filtered = _both_ways(
            design, np.concatenate([x[a : a + n] for a, n in zip(low, room, strict=True)])
        )
        slope = np.subtract(filtered[1:], filtered[:-1])
        slope *= 1e-3 * rate
        at = memory
        for a, n, taken in zip(begin.tolist(), length.tolist(), room, strict=True):
            out[a : a + n] = slope[at : at + n]
            at += taken


def filter_equal_runs(
    flat: np.ndarray, start: np.ndarray, length: int, design: Filter
) -> np.ndarray:
    """Filter stretches of one length, shape (n_runs, length).

    Every stretch must have ``design.memory`` samples of its own sweep on both sides.
    """
    from scipy import signal

    memory = design.memory
    at = (start - memory)[:, None] + np.arange(length + 2 * memory)
    b, a, x = design.b, design.a, flat[at]
    forward, _ = signal.lfilter(b, a, x.reshape(-1), zi=design.zi * x[0, 0])
    # what comes before a stretch has done its work: the way back begins after it
    x = forward.reshape(x.shape)[::-1, : memory - 1 : -1].reshape(-1)
    backward, _ = signal.lfilter(b, a, x, zi=design.zi * x[0])
    return backward.reshape(start.size, length + memory)[::-1, : memory - 1 : -1]

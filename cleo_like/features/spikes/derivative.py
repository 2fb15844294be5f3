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
_BLOCK = 0.002  # s
_BEFORE, _AFTER = 1, 2  # further blocks that a spike needs before and after
_DENSE = 0.6  # share of needed blocks from which the whole window is filtered


@attrs.frozen(kw_only=True)
class _Filter:
    b: np.ndarray
    a: np.ndarray
    memory: int  # samples until a transient is gone
    reach: int  # samples over which the impulse response matters
    gain: float  # sum of its absolute values


@lru_cache(maxsize=32)
def bessel(cutoff_khz: float, rate: float) -> _Filter:
    """Design the 4-pole low-pass filter and measure its memory and gain."""
    from scipy import signal

    b, a = signal.bessel(4, cutoff_khz * 1e3 / (rate / 2), "low")
    slowest = np.abs(np.roots(a)).max()
    memory = int(np.ceil(_FORGOTTEN / -np.log(slowest))) + 8
    impulse = np.zeros(2 * memory + 1)
    impulse[memory] = 1
    response = _both_ways(b, a, impulse)
    support = np.flatnonzero(np.abs(response) > 1e-12)
    return _Filter(
        b=b,
        a=a,
        memory=memory,
        reach=int(memory - support[0] + 1),
        gain=float(np.abs(response).sum()) * (1 + 1e-9),
    )


def _both_ways(b: np.ndarray, a: np.ndarray, x: np.ndarray) -> np.ndarray:
    from scipy import signal

    zi = signal.lfilter_zi(b, a)
    forward, _ = signal.lfilter(b, a, x, zi=zi * x[0])
    backward, _ = signal.lfilter(b, a, forward[::-1], zi=zi * forward[-1])
    return backward[::-1]


@attrs.frozen(kw_only=True)
class Derivative:
    """dV/dt (V/s) of some sweeps in one window.

    `flat` holds (n_sweeps, width) samples; where `known` is False it holds 0 and the true
    value is between ``-bound`` and ``bound`` of that sweep.
    """

    flat: np.ndarray
    width: int
    first: int
    known: np.ndarray  # (n_sweeps, n_blocks)
    block: int
    bound: np.ndarray  # (n_sweeps,)

    @property
    def rows(self) -> np.ndarray:
        """dV/dt as (n_sweeps, width)."""
        return self.flat.reshape(-1, self.width)

    def is_known(self, index: np.ndarray) -> np.ndarray:
        """Whether samples (flat indices) were computed."""
        sweep, k = np.divmod(index, self.width)
        blocks = np.minimum(k // self.block, self.known.shape[1] - 1)
        return self.known[sweep, blocks]


def whole(v: np.ndarray, rate: float, cutoff_khz: float | None) -> Derivative:
    """dV/dt of whole sweeps, shape (n_sweeps, n_samples); the last column is 0."""
    from scipy import signal

    if cutoff_khz is not None:
        design = bessel(cutoff_khz, rate)
        # the padding of scipy, shortened where the sweep is shorter still
        pad = min(3 * max(len(design.a), len(design.b)), v.shape[1] - 1)
        v = signal.filtfilt(design.b, design.a, v, axis=1, padlen=pad)
    return _computed(_slope(v, 0, rate), 0)


def windowed(
    v: np.ndarray, rate: float, cutoff_khz: float | None, first: int, stop: int, cut: float
) -> Derivative | None:
    """dV/dt in [first, stop), filtered only where it can reach `cut` (V/s).

    Gives None where the window is too near to the ends of the sweep for the filter.
    """
    if cutoff_khz is None:
        if stop >= v.shape[1]:
            return None
        return _computed(_slope(v[:, first : stop + 1], first, rate), first)
    design = bessel(cutoff_khz, rate)
    block = max(round(_BLOCK * rate), design.reach)
    count = -(-(stop - first) // block)
    low, high = first - design.memory, first + count * block + 1 + design.memory
    if low < 0 or high > v.shape[1]:
        return None
    bound = _block_bounds(v[:, low:high], rate, low, block, count, design)
    needed = _widened(bound >= cut)
    if needed.mean() > _DENSE:
        needed[:] = True
    rows = np.zeros((len(v), count * block))
    _fill(rows, v, needed, block, first, rate, design)
    return Derivative(
        flat=rows.reshape(-1),
        width=rows.shape[1],
        first=first,
        known=needed,
        block=block,
        bound=np.where(needed, 0.0, bound).max(axis=1, initial=0.0),
    )


def _slope(v: np.ndarray, first: int, rate: float) -> np.ndarray:
    """1e-3 dV/dt with the rounding of the time axis k / rate; the last column is 0."""
    out = np.zeros(v.shape)
    np.subtract(v[:, 1:], v[:, :-1], out=out[:, :-1])
    out *= 1e-3
    out[:, :-1] /= np.diff(np.arange(first, first + v.shape[1]) / rate)
    return out


def _computed(rows: np.ndarray, first: int) -> Derivative:
    n, width = rows.shape
    return Derivative(
        flat=rows.reshape(-1),
        width=width,
        first=first,
        known=np.ones((n, 1), dtype=bool),
        block=max(width, 1),
        bound=np.zeros(n),
    )


def _block_bounds(
    v: np.ndarray, rate: float, first: int, block: int, count: int, design: _Filter
) -> np.ndarray:
    """Largest value that |filtered dV/dt| can have in each block."""
    steps = np.subtract(v[:, 1:], v[:, :-1])
    np.abs(steps, out=steps)
    inner = steps[:, design.memory : design.memory + count * block]
    largest = np.empty((len(v), count + 2))
    largest[:, 1:-1] = inner.reshape(len(v), count, block).max(axis=2)
    largest[:, 0] = steps[:, design.memory - design.reach : design.memory].max(axis=1)
    largest[:, -1] = steps[:, design.memory + count * block :].max(axis=1)
    around = np.maximum(np.maximum(largest[:, :-2], largest[:, 2:]), largest[:, 1:-1])
    # 1e-6: the rounding of the time steps
    return around * (1e-3 * rate * design.gain * (1 + 1e-6))


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
    needed: np.ndarray,
    block: int,
    first: int,
    rate: float,
    design: _Filter,
) -> None:
    """Write the filtered slope into the needed blocks of `rows`."""
    edges = np.diff(np.pad(needed, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    sweep, begin = np.nonzero(edges == 1)
    _, end = np.nonzero(edges == -1)
    if sweep.size == 0:
        return
    samples, width = v.shape[1], rows.shape[1]
    filtered = filter_runs(
        v.reshape(-1),
        sweep * samples + first + begin * block,
        sweep * samples + first + end * block + 1,
        design,
    )
    dt = np.diff(np.arange(first, first + width + 1) / rate)
    flat, at = rows.reshape(-1), 0
    for s, a, b in zip(sweep.tolist(), (begin * block).tolist(), (end * block).tolist(), strict=True):
        piece = filtered[at : at + b - a + 1]
        out = flat[s * width + a : s * width + b]
        np.subtract(piece[1:], piece[:-1], out=out)
        out *= 1e-3
        out /= dt[a:b]
        at += b - a + 1


def filter_runs(
    flat: np.ndarray, start: np.ndarray, stop: np.ndarray, design: _Filter
) -> np.ndarray:
    """Filter stretches of a flat array, laid end to end with room to forget in between.

    Every stretch must have ``design.memory`` samples of its own sweep on both sides.
    Gives the filtered samples of all stretches, one after the other.
    """
    low, high = start - design.memory, stop + design.memory
    pieces = [flat[a:b] for a, b in zip(low.tolist(), high.tolist(), strict=True)]
    filtered = _both_ways(design.b, design.a, np.concatenate(pieces))
    keep, at = [], 0
    for length in (high - low).tolist():
        keep.append(filtered[at + design.memory : at + length - design.memory])
        at += length
    return np.concatenate(keep)

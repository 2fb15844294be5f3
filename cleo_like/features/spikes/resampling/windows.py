"""Spikes cut out of their sweeps, and quiet stretches of the same length beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.features.stack import SweepStack

BEFORE, AFTER = 4e-3, 8e-3
"""s before and after the peak's sample."""
_CLOSING = 2e-3  # s in which the end is brought to the level of the start
_LEVEL = 0.2e-3  # s whose mean is the level
_FINE = 100e3  # Hz of the finer samples, at least: extremes are parabolas through three
_SPIKE = (5e-3, 20e-3)  # s before and after a peak that are not quiet
_EDGE = 15e-3  # s after an edge of the step
_STRETCHES = 64  # their median has an error of 16 %

_FLAT = 3  # equal samples at a peak: a real one is rounder, unless the converter is coarse
_JUMP = 3.0  # steps of the converter into and out of the flat top
_CODE_SAMPLES = 2000  # are enough to see the step of the converter


@attrs.frozen(kw_only=True)
class Grid:
    """Samples of a window, and its frequencies.

    Parameters
    ----------
    rate : float
        Hz.
    size, before : int
        Samples of a window, and of it before the peak's sample.
    padded : int
        Samples with the closing.
    up : int
        Finer samples for each sample.
    """

    rate: float
    size: int
    before: int
    padded: int
    up: int

    @classmethod
    def of(cls, rate: float) -> Grid:
        """Make the grid of a sampling rate (Hz)."""
        from scipy.fft import next_fast_len

        before = round(BEFORE * rate)
        size = before + round(AFTER * rate)
        half = next_fast_len((size + round(_CLOSING * rate) + 1) // 2, real=True)
        return cls(
            rate=rate, size=size, before=before, padded=2 * half, up=max(1, round(_FINE / rate))
        )

    @property
    def frequencies(self) -> np.ndarray:
        """Hz."""
        return np.fft.rfftfreq(self.padded, 1 / self.rate)

    @property
    def times(self) -> np.ndarray:
        """Times (s) of the finer samples from the peak's sample on."""
        return np.arange(self.size * self.up) / (self.rate * self.up) - self.before / self.rate


@attrs.frozen(kw_only=True, eq=False)
class Windows:
    """Windows about spikes.

    Parameters
    ----------
    x : array, shape (n_spikes, padded)
        Potential (mV) above the level of its start; the end closes with half a cosine.
    level : array, shape (n_spikes,)
        mV.
    """

    x: np.ndarray
    level: np.ndarray


def cut(stack: SweepStack, sweep: np.ndarray, peak: np.ndarray, grid: Grid) -> Windows:
    """Cut spikes out; beyond the ends of a sweep its last samples are repeated."""
    v = stack.voltage_mv
    at = peak[:, None] + np.arange(-grid.before, grid.size - grid.before)
    x = np.empty((sweep.size, grid.padded))
    x[:, : grid.size] = v[sweep[:, None], np.clip(at, 0, stack.n_samples - 1)]
    few = max(1, round(_LEVEL * grid.rate))
    level = x[:, :few].mean(axis=1)
    x[:, : grid.size] -= level[:, None]
    pad = grid.padded - grid.size
    closing = 0.5 * (1 + np.cos(np.pi * np.arange(1, pad + 1) / (pad + 1)))
    x[:, grid.size :] = x[:, grid.size - few : grid.size].mean(axis=1)[:, None] * closing
    return Windows(x=x, level=level)


def quiet(
    stack: SweepStack, bounds: tuple[int, int], sweep: np.ndarray, peak: np.ndarray, grid: Grid
) -> np.ndarray:
    """Give stretches away from spikes and from the edges of the step, without their trend.

    Returns
    -------
    array, shape (n_stretches, size)
        mV.
    """
    n, first = grid.size, bounds[0] % grid.size
    count = (stack.n_samples - first) // n
    change = np.zeros((stack.n_sweeps, count + 1), dtype=int)

    def stretch(sample: np.ndarray | int) -> np.ndarray:
        return np.clip((np.asarray(sample) - first) // n, 0, count)

    before, after = (round(t * grid.rate) for t in _SPIKE)
    np.add.at(change, (sweep, stretch(peak - before)), 1)
    np.add.at(change, (sweep, stretch(peak + after + n)), -1)
    for edge in bounds:
        change[:, stretch(edge)] += 1
        change[:, stretch(edge + round(_EDGE * grid.rate) + n)] -= 1
    free = np.cumsum(change, axis=1)[:, :count] == 0
    end = first + (np.arange(count) + 1) * n
    free &= end <= stack.lengths[:, None]
    # those nearest to the onset, as many of each sweep
    near = np.argsort(np.abs(end - bounds[0]), kind="stable")
    rank = np.cumsum(free[:, near], axis=1)
    row, k = np.nonzero(free[:, near] & (rank <= -(-_STRETCHES // stack.n_sweeps)))
    x = stack.voltage_mv[row[:, None], first + near[k, None] * n + np.arange(n)]
    x = x[np.isfinite(x).all(axis=1)]
    x = x - x.mean(axis=1, keepdims=True)
    line = np.linspace(-1.0, 1.0, n)
    return np.asarray(x - (x @ line / (line @ line))[:, None] * line)


def flat_tops(stack: SweepStack, sweep: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """Mark the spikes whose peak is a flat of equal samples, jumped to and from."""
    if not sweep.size:
        return np.zeros(0, dtype=bool)
    first = peak - 1  # the peak is the first of equal samples
    at = np.clip(first[:, None] + np.arange(_FLAT + 1), 0, stack.n_samples - 1)
    values = stack.voltage_mv[sweep[:, None], at]
    step = np.abs(np.diff(stack.voltage_mv[sweep[0], :_CODE_SAMPLES]))
    least = step[step > 0].min(initial=np.inf)
    flat = (values[:, 1:] == values[:, 1:2]).all(axis=1)
    return np.asarray(flat & (values[:, 1] - values[:, 0] > _JUMP * least))

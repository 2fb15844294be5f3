"""The part of a sweep in which spikes are searched, and where in it anything stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.spikes.parabola import Kernel, averaged, kernel

if TYPE_CHECKING:
    from cleo_like.features.stack import SweepStack, Window

RISE_WITHIN, FALL_WITHIN = 5e-3, 8e-3
"""s before and after a peak in which the potential must rise to it and fall from it."""
_BLOCK = 1e-3  # s
_BASELINE = 0.1  # s before the step: the noise is measured there, too
_AFTER = 10e-3  # s after the step in which its last spike may peak and fall
_MARGIN = 4  # blocks more than a peak needs: the noise about it is measured there
_PIECE, _PIECES = 20, 10  # blocks of a quiet piece; how many are enough
_EDGE = 0.5e-3  # s after an edge of the command that belong to its artefact
_EDGE_CURRENT = 1.0  # pA: smaller changes of the command leave no artefact


@attrs.frozen(kw_only=True)
class Stretch:
    """Samples from 0.1 s before a step to 10 ms after it.

    Places are those of averaged samples; `runs` holds [start, stop) of the parts about
    blocks that may hold a spike, `active` whether each sample is in such a block.
    """

    v: np.ndarray  # raw samples (mV)
    y: np.ndarray  # averaged samples, without the artefacts of the command's edges
    shape: Kernel
    first: int  # sample of the sweep
    start: float  # of the step
    begins: bool  # whether the command changes there
    active: np.ndarray
    runs: np.ndarray  # (n_runs, 2)

    def samples(self, k: np.ndarray) -> np.ndarray:
        """Samples of the sweep in the middle of averaged ones."""
        return self.first + k * self.shape.bin + (self.shape.bin - 1) // 2

    def searched(self) -> np.ndarray:
        """Whether each averaged sample is in a run."""
        out = np.zeros(self.y.size, dtype=bool)
        for a, b in self.runs.tolist():
            out[a:b] = True
        return out

    def quiet(self) -> list[np.ndarray]:
        """Pieces in which nothing stands out: the baseline, and some of the step."""
        size = round(_PIECE * _BLOCK * self.shape.rate)
        begin = int(self.start)
        gaps = np.column_stack(
            [np.append(begin, self.runs[:, 1]), np.append(self.runs[:, 0], self.y.size)]
        )
        starts = [a for low, high in gaps.tolist() for a in range(low, high - size + 1, size)]
        some = starts[:: max(1, len(starts) // _PIECES)]
        return [self.y[:begin], *(self.y[a : a + size] for a in some)]


def stretch_of(stack: SweepStack, sweep: int, step: Window, height: float) -> Stretch | None:
    """Prepare a sweep; None where nothing rises and falls by `height` (mV)."""
    rate, (start, end) = stack.rate, stack.bounds(step)
    first = max(0, start - round(_BASELINE * rate))
    stop = min(stack.n_samples, end + round(_AFTER * rate) + 1)
    v = stack.voltage_mv[sweep, first:stop]
    block = max(1, round(_BLOCK * rate))
    blocks = _active(v, block, height)
    blocks[: (start - first) // block] = False  # spikes of the baseline are not asked for
    if not blocks.any():
        return None
    shape = kernel(rate)
    y = averaged(v, shape.bin)
    current = stack.current_pa[sweep]
    edges = [at for at in (start, end) if _is_edge(current, at, block)]
    for at in edges:
        _bridge(y, (at - first) / shape.bin, shape)
    scale = block / shape.bin
    at = np.minimum((np.arange(y.size) / scale).astype(int), blocks.size - 1)
    return Stretch(
        v=v, y=y, shape=shape, first=first, start=(start - first) / shape.bin,
        begins=start in edges, active=blocks[at], runs=_runs(blocks, scale, y.size),
    )  # fmt: skip


def _active(v: np.ndarray, block: int, height: float) -> np.ndarray:
    """Blocks whose highest sample stands out by `height` on both sides."""
    n = max(1, v.size // block)
    whole = v[: n * block].reshape(n, -1)
    top, low = whole.max(axis=1), whole.min(axis=1)
    before, after = low.copy(), low.copy()
    for k in range(1, min(round(RISE_WITHIN / _BLOCK) + 2, n)):
        before[k:] = np.minimum(before[k:], low[:-k])
    for k in range(1, min(round(FALL_WITHIN / _BLOCK) + 2, n)):
        after[:-k] = np.minimum(after[:-k], low[k:])
    return (top - before >= height) & (top - after >= height)


def _is_edge(current: np.ndarray, at: int, block: int) -> bool:
    """Whether the command changes at a sample."""
    before, after = current[max(0, at - 1 - block) : at - 1], current[at + 1 : at + 1 + block]
    if before.size == 0 or after.size == 0:
        return False
    return bool(abs(np.median(after) - np.median(before)) >= _EDGE_CURRENT)


def _bridge(y: np.ndarray, at: float, shape: Kernel) -> None:
    """Put a straight line in the place of an artefact."""
    a = max(int(at) - 1, 0)
    b = min(int(np.ceil(at + _EDGE * shape.rate)), y.size - 1)
    y[a : b + 1] = np.linspace(y[a], y[b], b + 1 - a)


def _runs(blocks: np.ndarray, scale: float, size: int) -> np.ndarray:
    """Active blocks with what the search needs about them, joined where they meet."""
    change = np.flatnonzero(np.diff(np.pad(blocks, 1).astype(np.int8)))
    low = change[::2] - round(RISE_WITHIN / _BLOCK) - _MARGIN
    high = change[1::2] + round(FALL_WITHIN / _BLOCK) + _MARGIN
    apart = low[1:] > high[:-1]
    runs = np.column_stack([low[np.append(True, apart)], high[np.append(apart, True)]])
    return np.clip(np.round(runs * scale).astype(int), 0, size)

"""Which parts of the sweeps may hold a spike, and which are quiet.

A look at the extremes of blocks of 1 ms dismisses most of a recording; the parts that are
left are laid end to end, so that all sweeps are searched at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.spikes.parabola import Kernel, averaged, kernel

if TYPE_CHECKING:
    from cleo_like.core.window import Window
    from cleo_like.features.stack import SweepStack

RISE_WITHIN, FALL_WITHIN = 5e-3, 8e-3
"""s before and after a peak in which the potential must rise to it and fall from it."""
BLOCK = 1e-3
"""s"""
_BASELINE = 0.1  # s before the step: the noise is measured there, too
_AFTER = 10e-3  # s after the step in which its last spike may peak and fall
_MARGIN = 4  # blocks more than a peak needs: the noise about it is measured there
_PIECE = 20  # blocks of a quiet piece
_BEFORE_STEP, _IN_STEP = 3, 6  # quiet pieces that are enough to tell the noise
_EDGE = 0.5e-3  # s after an edge of the command that belong to its artefact
_EDGE_CURRENT = 1.0  # pA: smaller changes of the command leave no artefact


@attrs.frozen(kw_only=True, eq=False)
class Region:
    """Blocks of 1 ms from 0.1 s before a step to 10 ms after it."""

    stack: SweepStack
    sweeps: np.ndarray  # with an active block
    active: np.ndarray  # (n_sweeps, n_blocks): something may stand out here
    first: int  # sample at which the blocks begin
    start: int  # sample at which the step begins
    end: int
    block: int  # samples
    shape: Kernel


def region(stack: SweepStack, sweeps: np.ndarray, step: Window, height: float) -> Region:
    """Look where the potential rises and falls by `height` (mV)."""
    start, end = stack.bounds(step)
    shape = kernel(stack.rate)
    block = max(1, round(BLOCK * stack.rate / shape.bin)) * shape.bin
    # a block begins with the step
    first = start - min(start, round(_BASELINE * stack.rate)) // block * block
    stop = min(stack.n_samples, end + round(_AFTER * stack.rate) + block)
    count = max((stop - first) // block, 0)
    active = np.zeros((sweeps.size, count), dtype=bool)
    for row, sweep in enumerate(sweeps.tolist()):
        v = stack.voltage_mv[sweep, first : first + count * block]
        blocks = v.reshape(count, block)
        active[row] = stands_out(blocks.max(axis=1), blocks.min(axis=1), height)
    active[:, : (start - first) // block] = False  # spikes of the baseline are not asked for
    some = active.any(axis=1)
    return Region(
        stack=stack, sweeps=sweeps[some], active=active[some], first=first, start=start,
        end=end, block=block, shape=shape,
    )  # fmt: skip


def stands_out(top: np.ndarray, low: np.ndarray, height: float) -> np.ndarray:
    """Blocks whose highest sample is higher by `height` than some sample on either side."""
    if not top.size or top.max() - low.min() < height:
        return np.zeros(top.size, dtype=bool)
    before, after = low.copy(), low.copy()
    for k in range(1, min(round(RISE_WITHIN / BLOCK) + 2, low.size)):
        before[k:] = np.minimum(before[k:], low[:-k])
    for k in range(1, min(round(FALL_WITHIN / BLOCK) + 2, low.size)):
        after[:-k] = np.minimum(after[:-k], low[k:])
    return (top - before >= height) & (top - after >= height)


@attrs.frozen(kw_only=True, eq=False)
class Runs:
    """Parts of sweeps laid end to end, as averaged samples.

    Parameters
    ----------
    y : array, shape (n,)
        Averaged samples (mV), without the artefacts of the command's edges.
    row : array of int, shape (n,)
        Row of `Region.sweeps` of each.
    sample : array of int, shape (n,)
        Sample of the sweep at its middle.
    active : array of bool, shape (n,)
        Whether a spike may peak there.
    per : int
        Samples of a block; all parts are whole blocks.
    inside : array of bool, shape (n,)
        Whether a whole parabola about it lies in its part.
    """

    y: np.ndarray
    row: np.ndarray
    sample: np.ndarray
    active: np.ndarray
    inside: np.ndarray
    per: int


def runs(found: Region) -> Runs:
    """Lay the active blocks, with what the search needs about them, end to end."""
    wide = widened(found.active)
    row, block = np.nonzero(wide)
    stack, width = found.stack, found.block
    begin = found.first + block * width
    offset = found.sweeps[row] * stack.n_samples + begin
    v = stack.voltage_mv.reshape(-1)
    y = averaged(v[offset[:, None] + np.arange(width)], found.shape.bin)
    per = y.shape[1]
    y = y.reshape(-1)
    middle = np.arange(per) * found.shape.bin + (found.shape.bin - 1) // 2
    out = Runs(
        y=y,
        row=np.repeat(row, per),
        sample=(begin[:, None] + middle).reshape(-1),
        active=np.repeat(found.active[row, block], per),
        inside=_inside(wide, row, block, per, found.shape.half),
        per=per,
    )
    for edge in (found.start, found.end):
        _bridge(found, out, edge)
    return out


def widened(active: np.ndarray) -> np.ndarray:
    """Add the blocks that a peak needs before and after it."""
    out = active.copy()
    before, after = (round(t / BLOCK) + _MARGIN for t in (RISE_WITHIN, FALL_WITHIN))
    for k in range(1, before + 1):
        out[:, :-k] |= active[:, k:]
    for k in range(1, after + 1):
        out[:, k:] |= active[:, :-k]
    return out


def _inside(
    wide: np.ndarray, row: np.ndarray, block: np.ndarray, per: int, half: int
) -> np.ndarray:
    """Mark all but the first and last `half` samples of each run of blocks."""
    padded = np.pad(wide, ((0, 0), (1, 1)))
    out = np.ones((row.size, per), dtype=bool)
    half = min(half, per)
    out[~padded[row, block], :half] = False
    out[~padded[row, block + 2], per - half :] = False
    return out.reshape(-1)


def _bridge(found: Region, out: Runs, edge: int) -> None:
    """Put a straight line in the place of the artefact of an edge of the command."""
    stack, bins = found.stack, found.shape.bin
    rows = np.flatnonzero(is_edge(stack, found.sweeps, edge, found.block))
    bounds = np.searchsorted(out.row, np.arange(found.sweeps.size + 1))
    for row in rows.tolist():
        samples = out.sample[bounds[row] : bounds[row + 1]]
        a = bounds[row] + int(np.searchsorted(samples, edge - bins - 1))
        b = bounds[row] + int(np.searchsorted(samples, edge + round(_EDGE * stack.rate) + bins))
        if b > a:
            out.y[a:b] = np.linspace(out.y[a], out.y[b - 1], b - a)


def is_edge(stack: SweepStack, sweeps: np.ndarray, at: int, block: int) -> np.ndarray:
    """Whether the command of each sweep changes at a sample."""
    current = stack.current_pa[sweeps, max(0, at - 1 - block) : at + 1 + block]
    middle = at - max(0, at - 1 - block)
    before, after = current[:, : max(0, middle - 1)], current[:, middle + 1 :]
    if before.shape[1] == 0 or after.shape[1] == 0:
        return np.zeros(sweeps.size, dtype=bool)
    out = np.zeros(sweeps.size, dtype=bool)
    moves = np.flatnonzero(current.max(axis=1) - current.min(axis=1) >= _EDGE_CURRENT)
    if moves.size:  # a command that stands still needs no medians
        change = np.median(after[moves], axis=1) - np.median(before[moves], axis=1)
        out[moves] = np.abs(change) >= _EDGE_CURRENT
    return out


def quiet(found: Region) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pieces of the sweeps in which nothing stands out.

    Returns
    -------
    y : array, shape (n_pieces, n)
        Averaged samples.
    row : array of int, shape (n_pieces,)
        Row of `Region.sweeps`.
    before : array of bool, shape (n_pieces,)
        Whether the piece is from before the step.
    """
    free = ~widened(found.active)
    onset = (found.start - found.first) // found.block
    length = min(_PIECE, max(onset, 1)) if onset else _PIECE
    row, block = [], []
    for k, line in enumerate(free):
        for low, high, enough in ((0, onset, _BEFORE_STEP), (onset, line.size, _IN_STEP)):
            starts = np.arange(low, high - length + 1, length)
            if low and starts.size:
                starts = starts[np.logical_and.reduceat(line, starts)]
                starts = starts[starts + length <= high]
            some = starts[:: max(1, starts.size // enough)][:enough]
            block += some.tolist()
            row += [k] * some.size
    rows, blocks = np.array(row, dtype=int), np.array(block, dtype=int)
    begin = found.sweeps[rows] * found.stack.n_samples + found.first + blocks * found.block
    at = begin[:, None] + np.arange(length * found.block)
    y = averaged(found.stack.voltage_mv.reshape(-1)[at], found.shape.bin)
    return y, rows, blocks < onset

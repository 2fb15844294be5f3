"""Potentials as means over bins: fine after each edge of the command, coarse later."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.features.passive.joint.command import Command
    from cleo_like.features.stack import SweepStack

_FINEST, _WIDEST, _RATIO = 1e-4, 5e-3, 1.15  # s, s, width over that of the bin before
_MOST = 200  # bins of the widest kind between two edges
_BASELINE = 1.0  # s before the first edge that are used
_SPIKE = 10.0  # mV of the largest sample above the mean of its bin: no passive response
_STILL = 1e-9  # mV: rounding of the mean of equal samples
_SAMPLES = 20  # of a bin: fewer may be equal by chance
_CLIPPED = 0.3  # of the bins of a plateau
_LOUD = 3.0  # times that of the median bin: where the noise itself is large


@attrs.frozen(kw_only=True, eq=False)
class Bins:
    """Means of the potential (mV), bin by bin.

    Parameters
    ----------
    starts, stops : array of int, shape (n_bins,)
        Samples of each bin, half-open.
    part : array of int, shape (n_bins,)
        How many edges of the command lie before it.
    since : array, shape (n_bins,)
        Samples from the last edge to the start of the bin.
    mean : array, shape (n_sweeps, n_bins)
        Mean potential; 0 where nothing is known.
    weight : array, shape (n_sweeps, n_bins)
        Samples in the bin; 0 where it is not used.
    valid : array of bool, shape (n_sweeps, n_bins)
        Whether the mean is known.
    spiking : array of bool, shape (n_sweeps,)
        Whether a spike is in a bin that is used.
    clipped : array of bool, shape (n_sweeps,)
        Whether the potential stands still at the end, but not at the start.
    """

    starts: np.ndarray
    stops: np.ndarray
    part: np.ndarray
    since: np.ndarray
    mean: np.ndarray
    weight: np.ndarray
    valid: np.ndarray
    spiking: np.ndarray
    clipped: np.ndarray

    @property
    def widths(self) -> np.ndarray:
        """Samples of each bin."""
        return (self.stops - self.starts).astype(float)

    def take(self, rows: np.ndarray) -> Bins:
        """Give some of the sweeps."""
        names = ("mean", "weight", "valid", "spiking", "clipped")
        return attrs.evolve(self, **{name: getattr(self, name)[rows] for name in names})

    def without(self, dropped: np.ndarray) -> Bins:
        """Leave some bins unused, in all sweeps or (2-D) in some."""
        return attrs.evolve(self, weight=np.where(dropped, 0.0, self.weight))


def binned(
    stack: SweepStack,
    rows: np.ndarray,
    command: Command,
    *,
    start: int,
    stop: int,
    until_start: np.ndarray,
) -> Bins:
    """Average the potential of some sweeps over bins.

    Parameters
    ----------
    stack : SweepStack
        All sweeps.
    rows : array of int
        Those to average.
    command : Command
        Of these rows.
    start, stop : int
        The step (samples).
    until_start : array of bool, shape (n_rows,)
        Sweeps that are used only before the step.
    """
    starts, stops, part = _grid(command, stop, stack.rate)
    low = np.concatenate(([command.first], command.edges))[part]
    widths = (stops - starts).astype(float)
    mean = np.zeros((rows.size, starts.size))
    weight = np.zeros_like(mean)
    spiking, clipped = (np.zeros(rows.size, dtype=bool) for _ in range(2))
    for k, row in enumerate(rows.tolist()):
        used = (
            starts.size if not until_start[k] else int(np.searchsorted(stops, start, "right"))
        )
        if used:
            total, top = _sums(stack.voltage_mv[row], starts[:used], stops[:used])
            mean[k, :used] = total / widths[:used]
            weight[k, :used] = widths[:used]
            spiking[k] = _has_spike(top - mean[k, :used])
            clipped[k] = _is_clipped(top - mean[k, :used], part[:used], widths[:used])
    known = np.isfinite(mean)
    return Bins(
        starts=starts,
        stops=stops,
        part=part,
        since=(starts - low).astype(float),
        mean=np.where(known, mean, 0.0),
        weight=np.where(known, weight, 0.0),
        valid=known & (weight > 0),
        spiking=spiking,
        clipped=clipped,
    )


def _has_spike(above: np.ndarray) -> bool:
    """Whether some bin rises above its mean far more than the others do."""
    known = above[np.isfinite(above)]
    return (
        bool((known > max(_SPIKE, _LOUD * float(np.median(known)))).any())
        if known.size
        else False
    )


def _is_clipped(above: np.ndarray, part: np.ndarray, widths: np.ndarray) -> bool:
    """Whether the bins of the last plateau stand still and those of the first do not.

    What was recorded without noise, or in coarse steps, stands still everywhere.
    """
    still, wide = np.abs(above) < _STILL, widths >= _SAMPLES
    first, last = still[wide & (part == 0)], still[wide & (part == part[-1])]
    return bool(
        part[-1] and first.size and last.size
        and last.mean() > _CLIPPED and first.mean() < _CLIPPED / 2
    )  # fmt: skip


def _grid(
    command: Command, stop: int, rate: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut the time between the edges into bins."""
    cuts = np.concatenate((command.edges, [stop]))
    rest = cuts[0] - command.first
    wide = max(round(_WIDEST * rate), 1)
    begin = max(cuts[0] - round(_BASELINE * rate), command.first)
    borders = [np.arange(cuts[0], begin - 1, -wide)[::-1] if rest else np.zeros(0, dtype=int)]
    for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        borders.append(low + _offsets(high - low, rate))
    starts = np.concatenate([b[:-1] for b in borders])
    stops = np.concatenate([b[1:] for b in borders])
    part = np.repeat(np.arange(len(borders)), [max(b.size - 1, 0) for b in borders])
    return starts, stops, part


@lru_cache(maxsize=64)
def _offsets(length: int, rate: float) -> np.ndarray:
    """Borders of bins after an edge, the last at `length`."""
    widest = max(_WIDEST * rate, length / _MOST)
    at, width = 0.0, max(_FINEST * rate, 1.0)
    out = []
    while at < length:
        out.append(round(at))
        at += width
        width = min(width * _RATIO, widest)
    if out and length - out[-1] < width / 2 and len(out) > 1:
        out.pop()
    return np.array([*out, length] if out else [], dtype=int)


def _sums(
    x: np.ndarray, starts: np.ndarray, stops: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sum and maximum of each bin."""
    last = int(stops[-1])
    where = np.stack((starts, stops), axis=1).ravel()[:-1]  # gaps between bins are dropped
    part = x[:last]
    return np.add.reduceat(part, where)[::2], np.maximum.reduceat(part, where)[::2]

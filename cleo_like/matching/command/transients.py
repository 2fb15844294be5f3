"""Short disturbances of a recorded command, which are no part of its protocol.

A recorded current shows the spikes of the cell (the amplifier is no perfect source) and
switching artefacts: it leaves its level for a few milliseconds and comes back.
"""

from __future__ import annotations

import attrs
import numpy as np

from cleo_like.matching.command.changes import SLEW
from cleo_like.matching.command.filtered import pulse_edges
from cleo_like.matching.command.levels import plateau_levels
from cleo_like.matching.command.noise import white_sd

TRANSIENT = 10e-3
"""A disturbance lasts no longer than this (s)."""
_MANY, _THEIRS = 8, 0.4
"""So many of them, for so much of the time from the first to the last, are the stimulus: a
sine is away from its usual level for half of the time, a cell that spikes at 100 Hz disturbs
for 0.3 of it."""
_BACK = 0.1
"""It ends within this fraction of its size from the level where it began."""


@attrs.frozen(kw_only=True, eq=False)
class _Cut:
    """A recorded command, its plateaus, and what counts as the same level."""

    samples: np.ndarray
    cuts: list[int]
    levels: list[float]
    noise: float
    rate: float
    longest: int
    tolerance: float

    def length(self, k: int) -> int:
        """Count the samples of plateau k."""
        return self.cuts[k + 1] - self.cuts[k]


def bridge(
    samples: np.ndarray, edges: np.ndarray, rate: float, floor: float
) -> tuple[np.ndarray, int]:
    """Remove the edges of short excursions from a level, unless flat-topped.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Recorded command.
    edges : array
        Its edges.
    rate : float
        Samples per second (Hz).
    floor : float
        Smallest difference of levels that counts.

    Returns
    -------
    edges : array
        Those that are left.
    count : int
        Number of excursions removed.
    """
    noise = white_sd(samples)
    cut = _Cut(
        samples=samples, cuts=[0, *edges.tolist(), samples.size],
        levels=plateau_levels(samples, edges, rate).tolist(), noise=noise,
        rate=rate, longest=round(TRANSIENT * rate),
        tolerance=max(floor, 2 * noise),
    )  # fmt: skip
    kept: list[int] = []
    away: list[tuple[int, int]] = []
    level, home, count, k = cut.levels[0], 0, 0, 0
    while k < edges.size:
        back = _return(cut, k, level)
        if back is not None and not _is_pulse(cut, k, back):
            count += 1
            away.append((cut.cuts[k + 1], cut.cuts[back]))
            if cut.length(back) > cut.length(home):  # the longer plateau tells the level
                level, home = cut.levels[back], back
            k = back
            continue
        kept.append(cut.cuts[k + 1])
        k += 1
        level, home = cut.levels[k], k
    if count >= _MANY:
        taken = sum(b - a for a, b in away)
        if taken > _THEIRS * (away[-1][1] - away[0][0]):
            return edges, 0
    return np.array(kept, dtype=int), count


def _return(cut: _Cut, k: int, level: float) -> int | None:
    """Index of the plateau at which an excursion that begins with edge k is over."""
    size = 0.0
    for j in range(k + 1, len(cut.cuts) - 2):
        if cut.cuts[j + 1] - cut.cuts[k + 1] > cut.longest:
            return None
        size = max(size, abs(cut.levels[j] - level))
        if abs(cut.levels[j + 1] - level) <= max(cut.tolerance, _BACK * size):
            return j + 1
    return None


def _is_pulse(cut: _Cut, first: int, last: int) -> bool:
    """Whether an excursion is a short pulse, flat-topped or filtered, and no disturbance."""
    start, stop = cut.cuts[first + 1], cut.cuts[last]
    around = round(SLEW * cut.rate)
    inside = cut.samples[max(start - around, 0) : stop + around] - cut.levels[first]
    return pulse_edges(inside, cut.noise, cut.rate) is not None

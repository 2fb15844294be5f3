"""A command as plateaus: edges in their place, short disturbances set aside."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np

from cleo_like.matching.command.changes import SLEW, find_changes
from cleo_like.matching.command.filtered import Marks, settle, without_creep
from cleo_like.matching.command.levels import plateau_levels
from cleo_like.matching.command.noise import (
    fill,
    is_clean,
    quantile_of,
    quantum,
    sd_of,
    white_sd,
)
from cleo_like.matching.command.transients import bridge

_FLOOR_CLEAN = 1e-3
_FLOOR_NOISY = 5e-3
"""Level differences below this fraction of the largest are no steps."""
_COARSE = 0.1
"""Disturbances up to this fraction of the largest difference may ride on a plateau."""
_DOUBT = 5.0
"""Levels of recorded plateaus differ when they do by this many standard errors."""
_DRAWN, _LONG = 64, 20e-3
"""A command of no more edges and no shorter plateaus (s) is drawn so, if it is exact."""
_MANY = 600
"""More edges than this are a waveform, not plateaus."""


@attrs.frozen(kw_only=True, eq=False)
class Plateaus:
    """One command cut at its edges.

    Parameters
    ----------
    edges : array, shape (n_edges,)
        First sample of each new level.
    levels : array, shape (n_edges + 1,)
        Level of each plateau (unit of the command).
    varying : tuple of (start, stop)
        Stretches in which the command is never constant.
    samples : array, shape (n_samples,)
        The command without gaps.
    noise : float
        Standard deviation about the levels.
    slow : float
        Standard deviation of the white noise that disturbs the levels as much.
    transients : int
        Short disturbances that were bridged.
    notes : tuple of str
        What was done about missing samples.
    trouble : str or None
        Why the command cannot be cut at all.
    flat : bool
        Whether each plateau is known to be of one value, to the last bit.
    """

    edges: np.ndarray
    levels: np.ndarray
    varying: tuple[tuple[int, int], ...]
    samples: np.ndarray
    rate: float
    noise: float
    slow: float = 0.0
    transients: int = 0
    notes: tuple[str, ...] = ()
    trouble: str | None = None
    flat: bool = False

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.samples.size

    @property
    def clean(self) -> bool:
        """Whether the command is exact, not recorded."""
        return self.flat or is_clean(self.samples)

    @property
    def quantum(self) -> float:
        """Step of the converter; 0 for an exact command."""
        return 0.0 if self.flat else quantum(self.samples)

    def is_flat_between(self, edges: np.ndarray) -> bool:
        """Whether the command is known to be of one value between these edges."""
        return self.flat and set(self.edges.tolist()) <= set(edges.tolist())

    def bounds(self) -> list[tuple[int, int]]:
        """Half-open ranges of the plateaus."""
        cuts = [0, *self.edges.tolist(), self.n]
        return list(pairwise(cuts))


def find_plateaus(command: np.ndarray, rate: float, *, resolution: float = 0.0) -> Plateaus:
    """Cut one command into plateaus.

    Parameters
    ----------
    command : array, shape (n_samples,)
        In any unit; NaN is allowed.
    rate : float
        Samples per second (Hz).
    resolution : float
        Differences up to this size are never a step (unit of the command).

    Examples
    --------
    >>> cut = find_plateaus(np.repeat([0.0, 50.0, 0.0], 1000), 1e4)
    >>> cut.edges, cut.levels
    (array([1000, 2000]), array([ 0., 50.,  0.]))
    """
    filled = fill(command, rate)
    x = filled.samples
    if filled.trouble is not None or x.size < 16:
        trouble = filled.trouble if filled.trouble is not None else f"only {x.size} samples"
        return _empty(filled.samples, rate, filled.notes, trouble)
    size = _robust_span(x)
    exact = _drawn(x, rate, max(resolution, size * _FLOOR_CLEAN))
    if exact is not None:
        return attrs.evolve(exact, notes=filled.notes)
    cut = _cut(x, rate, resolution, max(resolution, size * _FLOOR_CLEAN), size)
    if cut.varying:  # perhaps only a disturbance that rides on plateaus
        coarse = _cut(x, rate, resolution, max(resolution, size * _COARSE), size)
        if not coarse.varying and coarse.edges.size and _is_smooth(coarse, _COARSE * size / 2):
            cut = coarse
    return attrs.evolve(cut, notes=filled.notes)


def _drawn(x: np.ndarray, rate: float, floor: float) -> Plateaus | None:
    """Cut a command that was drawn as a few long plateaus; None for all others.

    All that `_cut` does would find the same, in a hundred times the time.
    """
    edges = np.flatnonzero(x[1:] != x[:-1]) + 1
    lengths = np.diff(np.concatenate(([0], edges, [x.size])))
    if edges.size > _DRAWN or (edges.size and lengths.min() < max(16, _LONG * rate)):
        return None
    levels = x[np.concatenate(([0], edges))]
    # differences of sums of the samples, by which changes are found, are rounded
    unseen = 2 * max(floor, 1e-12 * x.size * float(np.ptp(levels)))
    if edges.size and (np.abs(np.diff(levels)).min() <= unseen or not is_clean(x)):
        return None
    return Plateaus(
        edges=edges, levels=levels, varying=(), samples=x, rate=rate, noise=0.0, flat=True
    )


def _is_smooth(cut: Plateaus, spread: float) -> bool:
    """Whether every plateau stays about its level."""
    return all(sd_of(cut.samples[a:b]) <= spread for a, b in cut.bounds())


def _cut(x: np.ndarray, rate: float, resolution: float, finest: float, size: float) -> Plateaus:
    """Cut a whole command of range `size`, changes up to `finest` ignored."""
    clean = is_clean(x)
    changes = find_changes(x, rate, finest)
    if changes.edges.size > _MANY and not clean:
        nothing = _empty(x, rate, (), None)
        ends = int(changes.edges[0]), int(changes.edges[-1])
        return attrs.evolve(nothing, varying=(ends,))
    marks = Marks(changes.edges, changes.radius, changes.varying)
    marks = settle(x, marks, rate, clean=clean)
    edges, radius = _join_slews(x, marks.edges, marks.radius, round(SLEW * rate))
    edges = _place_edges(x, edges, radius)
    floor, transients = max(resolution, size * _FLOOR_CLEAN), 0
    if not clean:
        floor = max(resolution, size * _FLOOR_NOISY, white_sd(x) / 2, 1.5 * quantum(x))
        edges, transients = bridge(x, edges, rate, floor)
        edges = without_creep(x, edges, rate, changes.slow)
    edges = _pruned(x, edges, rate, floor, 0.0 if clean else changes.slow)
    levels = plateau_levels(x, edges, rate)
    return Plateaus(
        edges=edges, levels=levels, varying=marks.varying, samples=x, rate=rate,
        noise=_residual(x, edges, levels), slow=changes.slow, transients=transients,
    )  # fmt: skip


def _empty(
    samples: np.ndarray, rate: float, notes: tuple[str, ...], trouble: str | None
) -> Plateaus:
    return Plateaus(
        edges=np.zeros(0, dtype=int), levels=np.array([np.median(samples[:1])])
        if samples.size else np.array([np.nan]), varying=(), samples=samples, rate=rate,
        noise=0.0, notes=notes, trouble=trouble,
    )  # fmt: skip


def _robust_span(samples: np.ndarray) -> float:
    """Range of a command without its briefest excursions (0.1 % of the samples)."""
    span = quantile_of(samples, 0.999) - quantile_of(samples, 0.001)
    return span if span > 0 else float(np.ptp(samples))


def _pruned(
    x: np.ndarray, edges: np.ndarray, rate: float, floor: float, slow: float
) -> np.ndarray:
    """Remove edges whose levels hardly differ, the least certain first."""
    levels = plateau_levels(x, edges, rate)
    while edges.size:
        lengths = np.diff(np.r_[0, edges, x.size])
        doubt = _DOUBT * slow * np.sqrt(1 / lengths[1:] + 1 / lengths[:-1])
        jump = np.abs(np.diff(levels)) / np.maximum(doubt, floor)
        k = int(np.argmin(jump))
        if jump[k] > 1:
            break
        cuts = np.r_[0, edges, x.size]
        joined = plateau_levels(x[cuts[k] : cuts[k + 2]], edges[:0], rate)
        levels = np.r_[levels[:k], joined, levels[k + 2 :]]
        edges = np.delete(edges, k)
    return edges


def _residual(x: np.ndarray, edges: np.ndarray, levels: np.ndarray) -> float:
    """Robust spread about the levels."""
    lengths = np.diff(np.r_[0, edges, x.size])
    return sd_of(x - np.repeat(levels, lengths))


def _join_slews(
    x: np.ndarray, edges: np.ndarray, radius: np.ndarray, slew: int
) -> tuple[np.ndarray, np.ndarray]:
    """Take edges that follow each other within `slew` in one direction as one."""
    if edges.size < 2:
        return edges, radius
    cuts = np.r_[0, edges, x.size]
    middles = x[(cuts[:-1] + cuts[1:]) // 2]
    up = np.sign(np.diff(middles))
    new = np.r_[True, (np.diff(edges) > slew) | (up[1:] != up[:-1])]
    first, last = edges[new], edges[np.r_[new[1:], True]]
    reach = np.maximum.reduceat(radius, np.flatnonzero(new)) + (last - first)
    middle = (first + last + 1) // 2
    return middle, reach


def _place_edges(x: np.ndarray, edges: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Move each edge to where the two levels beside it explain the samples best."""
    if edges.size == 0:
        return edges
    cuts = np.r_[0, edges, x.size]
    placed = []
    for k, (edge, reach) in enumerate(zip(edges.tolist(), radius.tolist(), strict=True)):
        wide = 2 * reach + 2
        low = max(edge - wide, (cuts[k] + edge) // 2 if k else 0)
        high = min(edge + wide, (edge + cuts[k + 2] + 1) // 2)
        before = x[max(cuts[k], low - wide) : max((low + edge) // 2, cuts[k] + 1)]
        after = x[min((edge + high) // 2, cuts[k + 2] - 1) : min(cuts[k + 2], high + wide)]
        placed.append(low + _split(x[low:high], edge - low, before, after))
    return np.unique(np.array(placed, dtype=int))


def _split(window: np.ndarray, guess: int, before: np.ndarray, after: np.ndarray) -> int:
    """Sample of the window that best parts the levels before and after."""
    low, high = float(np.median(before)), float(np.median(after))
    if low == high:
        return guess
    # clipped, so that an overshoot beyond either level pulls no edge towards it
    inner = np.clip(window, min(low, high), max(low, high))
    gain = np.cumsum((inner - (low + high) / 2) * np.sign(low - high))
    return int(np.argmax(np.concatenate(([0.0], gain))))

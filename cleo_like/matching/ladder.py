"""Sweeps that share their edges: one set of edges for all, and the level of each plateau."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.matching.command.changes import SLEW
from cleo_like.matching.command.levels import level_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.matching.command.plateaus import Plateaus

_SAME = 0.5e-3
"""Edges of recorded commands within this time (s) of each other are the same edge."""
_USUAL = 0.2
"""Edges that a fifth of the sweeps share are the protocol's, those of other sweeps a part."""
_TALL, _SUPPORT = 1.5, 0.3
"""An edge below 1.5 times the noise counts where 30 % of the sweeps show it."""
_UNSURE = 60.0
"""An edge of height J in white noise s is placed within k samples but for a chance of
exp(-k (J/s)^2 / 8): this many (s/J)^2 samples make it 1 in 2000."""


@attrs.frozen(kw_only=True, eq=False)
class Ladder:
    """Sweeps with common edges.

    `levels` has the shape (n_sweeps, n_edges + 1); NaN where a sweep ends before.
    """

    members: tuple[int, ...]
    edges: np.ndarray
    levels: np.ndarray
    lengths: np.ndarray
    noise: np.ndarray
    slow: np.ndarray
    quantum: float
    rate: float
    clean: bool

    @property
    def stop(self) -> int:
        """Usual number of samples of a sweep."""
        return Counter(self.lengths.tolist()).most_common(1)[0][0]

    def bounds(self) -> list[tuple[int, int]]:
        """Half-open ranges of the plateaus."""
        end = max(self.stop, int(self.edges[-1]) + 1 if self.edges.size else 1)
        cuts = [0, *self.edges.tolist(), end]
        return list(pairwise(cuts))


def find_ladders(cuts: Sequence[Plateaus], positions: Sequence[int]) -> list[Ladder]:
    """Put sweeps of one rate together by their edges.

    A sweep without an edge of its own (0 pA) belongs to the largest ladder whose sweeps
    have its length; without any it is left out.

    Parameters
    ----------
    cuts : sequence of Plateaus
        Sweeps of equal rate that are made of plateaus.
    positions : sequence of int
        Their positions in the recording.
    """
    names = _edge_names(cuts)
    patterns = [frozenset(n) - {-1} for n in names]
    templates = _templates(patterns)
    groups: dict[frozenset[int], list[int]] = {t: [] for t in templates}
    empty = []
    for k, pattern in enumerate(patterns):
        if not pattern:
            empty.append(k)
            continue
        groups[next(t for t in templates if pattern <= t)].append(k)
    for k in empty:
        home = _home(k, cuts, groups)
        if home is not None:
            groups[home].append(k)
    return [
        _ladder([cuts[k] for k in sorted(g)], [positions[k] for k in sorted(g)],
                [names[k] for k in sorted(g)])
        for g in groups.values() if g
    ]  # fmt: skip


def _templates(patterns: list[frozenset[int]]) -> list[frozenset[int]]:
    """Edge sets that are part of no other, richer or commoner one."""
    count = Counter(p for p in patterns if p)
    usual = max(2, round(_USUAL * len(patterns)))

    def rank(pattern: frozenset[int]) -> tuple[bool, int, int, list[int]]:
        """Usual patterns first, the richest of them leading; then by their number."""
        seldom = count[pattern] < usual
        number, size = -count[pattern], -len(pattern)
        return (seldom, *((number, size) if seldom else (size, number)), sorted(pattern))

    order = sorted(count, key=rank)
    templates: list[frozenset[int]] = []
    for pattern in order:
        if not any(pattern <= t for t in templates):
            templates.append(pattern)
    return templates


def _home(
    k: int, cuts: Sequence[Plateaus], groups: dict[frozenset[int], list[int]]
) -> frozenset[int] | None:
    """Largest ladder that a sweep without edges may belong to."""
    fitting = []
    for template, members in groups.items():
        like = [cuts[m] for m in members if cuts[m].edges.size]
        if not like or cuts[k].n not in {c.n for c in like}:
            continue
        noise = max(c.noise for c in like)
        span = max(float(np.ptp(c.levels)) for c in like)
        if cuts[k].noise <= 3 * noise + 0.02 * span:
            fitting.append(template)
    return max(fitting, key=lambda t: len(groups[t]), default=None)


def _edge_names(cuts: Sequence[Plateaus]) -> list[list[int]]:
    """Give edges at the same place in different sweeps the same number (-1: ignored)."""
    owner = np.repeat(np.arange(len(cuts)), [c.edges.size for c in cuts])
    at = np.concatenate([c.edges for c in cuts]).astype(float)
    doubt = np.concatenate([_doubt(c) for c in cuts])
    if at.size == 0:
        return [[] for _ in cuts]
    names = _clusters(at, doubt)
    sure = np.concatenate([_sure(c) for c in cuts])
    count = np.bincount(names, minlength=at.size)
    unsure = np.bincount(names, sure, minlength=at.size) == 0
    names = np.where((unsure & (count < _SUPPORT * len(cuts)))[names], -1, names)
    return [names[owner == k].tolist() for k in range(len(cuts))]


def _sure(cut: Plateaus) -> np.ndarray:
    """Whether each edge is so tall that one sweep alone shows it."""
    return np.abs(np.diff(cut.levels)) >= _TALL * max(cut.noise, cut.slow)


def _clusters(at: np.ndarray, doubt: np.ndarray) -> np.ndarray:
    """Give edges at one place one number, the surest edges first."""
    if np.ptp(doubt) == 0.0:
        order = np.argsort(at, kind="stable")
        new = np.diff(at[order]) > doubt[0]
        names = np.empty(at.size, dtype=int)
        names[order] = np.concatenate(([0], np.cumsum(new)))
        return names
    centres, reach = np.full(at.size + 1, np.inf), np.zeros(at.size + 1)
    names, count = np.empty(at.size, dtype=int), 0
    for k in np.argsort(doubt, kind="stable").tolist():
        distance = np.abs(centres[: count + 1] - at[k])
        nearest = int(np.argmin(distance))
        if distance[nearest] > max(doubt[k], reach[nearest]):
            nearest = count
            centres[count], reach[count] = at[k], doubt[k]
            count += 1
        names[k] = nearest
    return names


def _doubt(cut: Plateaus) -> np.ndarray:
    """How far (samples) each edge may lie from where it was put."""
    if cut.clean:
        return np.full(cut.edges.size, 2.0)
    jump = np.abs(np.diff(cut.levels))
    return _SAME * cut.rate + _UNSURE * (max(cut.noise, cut.slow) / jump) ** 2


def _ladder(cuts: list[Plateaus], positions: list[int], names: list[list[int]]) -> Ladder:
    edges = _common_edges(cuts, names)
    return Ladder(
        members=tuple(positions),
        edges=edges,
        levels=np.stack([_levels_at(c, edges) for c in cuts]),
        lengths=np.array([c.n for c in cuts]),
        noise=np.array([c.noise for c in cuts]),
        slow=np.array([0.0 if c.clean else c.slow for c in cuts]),
        quantum=max(c.quantum for c in cuts),
        rate=cuts[0].rate,
        clean=all(c.clean for c in cuts),
    )


def _common_edges(cuts: list[Plateaus], names: list[list[int]]) -> np.ndarray:
    """Median place of each edge, tall edges in little noise counting more."""
    name = np.concatenate([np.array(n, dtype=int) for n in names])
    at = np.concatenate([c.edges for c in cuts])
    jump = np.concatenate([np.abs(np.diff(c.levels)) / (c.noise or 1.0) for c in cuts])
    return np.unique(
        [
            _weighted_median(at[name == n], jump[name == n] ** 2)
            for n in np.unique(name[name >= 0])
        ]
    ).astype(int)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _levels_at(cut: Plateaus, edges: np.ndarray) -> np.ndarray:
    """Level of one sweep between common edges; NaN for a plateau it does not reach."""
    bounds = [0, *edges.tolist(), max(cut.n, int(edges[-1]) + 1)]
    slew = round(SLEW * cut.rate)
    levels = np.full(len(bounds) - 1, np.nan)
    for k, (a, b) in enumerate(pairwise(bounds)):
        inside = cut.samples[a:b]
        if inside.size:
            levels[k] = level_of(inside, min(slew, inside.size // 4))
    return levels

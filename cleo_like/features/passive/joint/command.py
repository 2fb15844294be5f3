"""The command of a family as common edges and the level of each sweep between them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.matching.command.plateaus import find_plateaus

if TYPE_CHECKING:
    from cleo_like.features.stack import SweepStack

_RESOLUTION = 1e-3  # pA: no converter of a current clamp resolves less
_EXACT = 64  # changes in a sweep; a recorded or varying command has more
_SETTLED = 0.1  # s after a varying stretch: so long a cell is not yet at rest again
_MARGIN = 1e-3  # s beside an edge of a recorded command that are not of its level


@attrs.frozen(kw_only=True, eq=False)
class Command:
    """Piecewise constant currents, from sample `first` to the end of the step.

    Parameters
    ----------
    first : int
        First sample of which the command before is known to be constant.
    edges : array of int, shape (n_edges,)
        First sample of each new level, the same for all sweeps.
    levels : array, shape (n_sweeps, n_edges + 1)
        Current (pA) between the edges.
    trouble : str
        Why the command cannot be written in this way; "" if it can.
    """

    first: int
    edges: np.ndarray
    levels: np.ndarray
    trouble: str = ""

    def take(self, rows: np.ndarray) -> Command:
        """Give some of the sweeps."""
        return attrs.evolve(self, levels=self.levels[rows])


def command_of(stack: SweepStack, start: int, stop: int) -> Command:
    """Cut the commands of a family at their common edges, up to sample `stop`.

    A command that varies before the step (a ramp, noise) is used from 0.1 s after it.

    Parameters
    ----------
    stack : SweepStack
        All sweeps.
    start, stop : int
        First sample of the step and first after it; `start` is an edge even if no sweep
        shows it (a family of one 0 pA step).

    Examples
    --------
    >>> from cleo_like.features.stack import SweepStack
    >>> i = np.repeat([[0.0, -20.0, 30.0, 0.0], [0.0, -20.0, 60.0, 0.0]], 100, axis=1)
    >>> found = command_of(SweepStack(voltage_mv=i, current_pa=i, rate=1e4), 200, 300)
    >>> found.edges.tolist(), found.levels[1].tolist()
    ([100, 200], [0.0, -20.0, 60.0])
    """
    current = stack.current_pa[:, :stop]
    first = _after_gaps(current)
    current = current[:, first:]
    changes = [_changes(row) for row in current]
    if max(c.size for c in changes) <= _EXACT:
        edges = np.unique(np.concatenate(changes))
        levels = current[:, np.concatenate(([0], edges))]
        return Command(first=first, edges=edges + first, levels=levels)
    return _recorded(current, stack.rate, first, start)


def _changes(row: np.ndarray) -> np.ndarray:
    """First sample of each new level of one command."""
    at = np.flatnonzero(row[1:] != row[:-1])
    return at[np.abs(row[at + 1] - row[at]) > _RESOLUTION] + 1


def _after_gaps(current: np.ndarray) -> int:
    """First sample after the last that is not a number in any sweep."""
    if np.isfinite(current.sum()):  # as nearly always
        return 0
    gaps = np.flatnonzero(~np.isfinite(current).all(axis=0))
    return int(gaps[-1]) + 1 if gaps.size else 0


def _recorded(current: np.ndarray, rate: float, first: int, start: int) -> Command:
    """Find the edges of recorded commands where their mean or the lowest sweep has them."""
    lowest = current[:, start - first :].mean(axis=1).argmin()
    cuts = [find_plateaus(x, rate) for x in (current.mean(axis=0), current[lowest])]
    begin = max((b for cut in cuts for _, b in cut.varying), default=0)
    if begin:
        begin += round(_SETTLED * rate)
    near = round(_MARGIN * rate)
    edges: list[int] = [start - first]  # the window knows where the step is
    for edge in np.concatenate([cut.edges for cut in cuts]).tolist():
        if begin < edge and all(abs(edge - known) > near for known in edges):
            edges.append(edge)
    if begin >= start - first:
        why = "the command varies before the step or within it"
        return Command(
            first=first,
            edges=np.array([start]),
            levels=np.zeros((len(current), 2)),
            trouble=why,
        )
    ordered = np.array(sorted(edges))
    cut_at = np.concatenate(([begin], ordered, [current.shape[1]]))
    levels = np.stack(
        [_level(current[:, a:b], near) for a, b in pairwise(cut_at.tolist())],
        axis=1,
    )
    return Command(first=first + begin, edges=ordered + first, levels=levels)


def _level(part: np.ndarray, margin: int) -> np.ndarray:
    inside = min(margin, part.shape[1] // 4)
    return part[:, inside : part.shape[1] - inside].mean(axis=1)

"""Two-colouring of a model's states: which ones can take turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.core.errors import InputError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping

POTENTIALS = ("v", "V", "vm", "Vm", "V_m", "v_m")
"""Names by which a membrane potential is known without its unit."""


def two_colours(
    influences: Mapping[str, frozenset[str]], first: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split states in two halves that depend on themselves and on the other half only.

    Parameters
    ----------
    influences : mapping of str to frozenset of str
        For each state, the states that its rate depends on.
    first : str
        A state of the half that is named first.

    Returns
    -------
    tuple of two tuples of str
        The half with `first`, and the other one; sorted.

    Raises
    ------
    UnsupportedError
        There is no such split; the message names the states that stand in its way.

    Examples
    --------
    >>> needs = {"v": frozenset("vmh"), "m": frozenset("vm"), "h": frozenset("vh")}
    >>> two_colours(needs, "v")
    (('v',), ('h', 'm'))
    """
    if first not in influences:
        msg = f"first={first!r} is not a state; the states are {', '.join(sorted(influences))}"
        raise InputError(msg)
    near = _neighbours(influences)
    colour: dict[str, int] = {}
    for start in [first, *sorted(influences)]:
        if start not in colour:
            colour[start] = 0
            _spread(near, start, colour)
    halves = [tuple(sorted(s for s in colour if colour[s] == k)) for k in (0, 1)]
    return halves[0], halves[1]


def _neighbours(influences: Mapping[str, frozenset[str]]) -> dict[str, set[str]]:
    near: dict[str, set[str]] = {state: set() for state in influences}
    for state, needs in influences.items():
        for other in needs - {state}:
            near[state].add(other)
            near[other].add(state)
    return near


def _spread(near: Mapping[str, set[str]], start: str, colour: dict[str, int]) -> None:
    waiting = [start]
    while waiting:
        state = waiting.pop(0)
        for other in sorted(near[state]):
            if other not in colour:
                colour[other] = 1 - colour[state]
                waiting.append(other)
            elif colour[other] == colour[state]:
                raise _no_turns(near, state, other)


def _no_turns(near: Mapping[str, set[str]], a: str, b: str) -> UnsupportedError:
    shared = sorted(near[a] & near[b])
    third = f" and both on {shared[0]}" if shared else " and, through others, on each other"
    return UnsupportedError(
        f"{a} and {b} depend on each other{third}: the states cannot be split in two halves "
        "that take turns; use method='rk4' or 'rush_larsen'"
    )

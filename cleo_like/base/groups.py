"""Groups of Brian2 as devices see them: mappings by group, present values, equality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from brian2 import NeuronGroup


class ByGroup(dict):
    """A dict by name of group, which a group itself finds too.

    Examples
    --------
    >>> from brian2 import NeuronGroup
    >>> cells = NeuronGroup(1, "v : 1", name="cells")
    >>> found = ByGroup(cells=1)
    >>> found["cells"], found[cells], cells in found, found.get(cells), list(found)
    (1, 1, True, 1, ['cells'])
    """

    def __missing__(self, key: object) -> Any:
        """Find a group by its name."""
        name = getattr(key, "name", None)
        if name is None or name not in self:
            raise KeyError(key)
        return self[name]

    def __contains__(self, key: object) -> bool:
        """Whether a group, or its name, is there."""
        return super().__contains__(getattr(key, "name", key))

    def get(self, key: object, default: Any = None) -> Any:
        """Give what belongs to a group, or to its name."""
        return super().get(getattr(key, "name", key), default)


def present_values(group: NeuronGroup, name: str) -> np.ndarray:
    """Give the values of a variable of a group (SI): a view of Brian2's own array.

    A subgroup has its part; a subexpression is evaluated (which costs milliseconds).

    Parameters
    ----------
    group : brian2.Group
        Neurons, a part of them, or synapses.
    name : str
        Name of the variable.
    """
    variable = group.variables[name]
    if not hasattr(variable, "get_value") or not hasattr(variable, "size"):
        found = group.get_states([name], units=False, subexpressions=True)[name]
        return np.broadcast_to(found, (len(group),))  # one that is the same for all is scalar
    values: np.ndarray = variable.get_value()
    if hasattr(group, "source") and hasattr(group, "start") and len(values) != len(group):
        return values[group.start : group.stop]
    return values


def is_same(one: Any, other: object) -> bool:
    """Whether two groups are the same neurons (each ``group[a:b]`` is another object)."""
    if one is other:
        return True
    parts = [
        (id(getattr(g, "source", g)), getattr(g, "start", 0), getattr(g, "stop", None))
        for g in (one, other)
    ]
    return parts[0] == parts[1] and parts[0][2] is not None

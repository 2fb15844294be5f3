"""Mappings by neuron group that answer to the group and to its name."""

from __future__ import annotations

from typing import Any


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

    def __missing__(self, key: Any) -> Any:
        """Find a group by its name."""
        name = getattr(key, "name", None)
        if name is None or name not in self:
            raise KeyError(key)
        return self[name]

    def __contains__(self, key: object) -> bool:
        """Whether a group, or its name, is there."""
        return super().__contains__(getattr(key, "name", key))

    def get(self, key: Any, default: Any = None) -> Any:
        """Give what belongs to a group, or to its name."""
        return super().get(getattr(key, "name", key), default)

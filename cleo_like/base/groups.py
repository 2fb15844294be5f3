"""Groups of Brian2 as devices see them: by name, their present values, those of every step."""

from __future__ import annotations

import functools
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


_ROWS = 512  # steps that are kept until Brian2's arrays grow


def every_step(group: Any, name: str) -> Any:
    """Make a StateMonitor of one variable of all neurons.

    Brian2's own runs generated code at each step, which costs 14 us whatever the group, and its
    arrays grow at each sample of a loop; where the values are plain arrays they are copied
    (1 us), or written by the compiled loop, to where they wait until somebody looks.

    Parameters
    ----------
    group : brian2.Group
        Neurons, or a part of them.
    name : str
        Name of the variable.

    Returns
    -------
    brian2.StateMonitor
    """
    from brian2 import StateMonitor
    from brian2.core.variables import ArrayVariable

    variable = group.variables[name]
    plain = isinstance(variable, ArrayVariable) and not variable.scalar
    plain = plain and variable.dtype == np.float64
    return (_copying_class() if plain else StateMonitor)(group, name, record=True)


class _Waiting:
    """Steps that Brian2's arrays do not hold yet: a Brian2 object's attributes are slow."""

    def __init__(self) -> None:
        self.n = 0
        self.make_room(0, 0)
        self.present: np.ndarray | None = None

    def begin(self, present: np.ndarray, time: np.ndarray) -> None:
        """Copy from these arrays, which a run changes in place."""
        self.present, self.time = present, time
        self.make_room(_ROWS, present.size)

    def make_room(self, n: int, width: int) -> None:
        """Let there be room for so many steps."""
        self.rows: np.ndarray = np.empty((n, width))
        self.times: np.ndarray = np.empty(n)

    def copy(self) -> None:
        """Copy the present values."""
        self.rows[self.n] = self.present
        self.times[self.n] = self.time[0]
        self.n += 1


@functools.cache
def _copying_class() -> type:  # noqa: C901  the methods of a class are counted with it
    """Make the class at first use: its base is in Brian2, which is not imported before."""
    from brian2 import StateMonitor

    class CopyingMonitor(StateMonitor):
        """A StateMonitor that copies; everybody who looks finds all steps."""

        compiles_as = StateMonitor  # a compiled loop serves it as its base

        def __init__(self, *args: Any, **options: Any) -> None:
            self._waiting = _Waiting()
            super().__init__(*args, **options)

        def before_run(self, run_namespace: Any) -> None:
            """Find the arrays; there is no code to make."""
            del run_namespace
            present = present_values(self.source, self.record_variables[0])
            self._waiting.begin(present, self._clock.variables["t"].get_value())

        def run(self) -> None:
            """Copy the present values."""
            waiting = self._waiting
            if waiting.n == _ROWS:
                self.hand_on()
            waiting.copy()

        def rows_for(self, times: np.ndarray) -> np.ndarray:
            """Give rows, to be filled, for the steps at these times (s)."""
            waiting, n = self._waiting, len(times)
            if waiting.n + n > len(waiting.rows):
                self.hand_on()
                if n > len(waiting.rows):
                    waiting.make_room(max(n, _ROWS), self.n_indices)
            first, waiting.n = waiting.n, waiting.n + n
            waiting.times[first : waiting.n] = times
            return waiting.rows[first : waiting.n]

        def after_run(self) -> None:
            """Let Brian2's arrays be whole between runs."""
            self.hand_on()
            super().after_run()

        def hand_on(self) -> None:
            """Append what waits to Brian2's arrays."""
            waiting = self._waiting
            n, waiting.n = waiting.n, 0
            if n:
                before = int(self.variables["N"].get_value().item())
                self.resize(before + n)
                self.variables["t"].get_value()[before:] = waiting.times[:n]
                values = self.variables[self.record_variables[0]].get_value()
                values[before:] = waiting.rows[:n]

        def record_single_timestep(self) -> None:
            """Record the present values too."""
            if self._waiting.present is None:  # it has not run here
                super().record_single_timestep()
                return
            self.run()
            self.hand_on()

        def __getattr__(self, item: str) -> Any:
            if "_waiting" in self.__dict__ and self._waiting.n:
                self.hand_on()
            return super().__getattr__(item)

        def __getitem__(self, item: Any) -> Any:
            self.hand_on()
            return super().__getitem__(item)

        def get_states(self, *args: Any, **options: Any) -> Any:
            """Give all variables, all steps in them."""
            self.hand_on()
            return super().get_states(*args, **options)

        def _full_state(self) -> Any:
            self.hand_on()
            return super()._full_state()

        def _restore_from_full_state(self, state: Any) -> None:
            self._waiting.n = 0
            super()._restore_from_full_state(state)

    return CopyingMonitor

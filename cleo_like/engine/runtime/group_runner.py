"""All traces of a group, advanced by stretches of steps: what steppers and loops share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.engine.runtime.program import Arguments, Spikes, in_order, lost_in

if TYPE_CHECKING:
    from cleo_like.engine.runtime.program import Program


class Together:
    """A compiled group and the spikes of its last stretch.

    Parameters
    ----------
    program : Program
        The compiled group.
    seed : int
        Seed of noise terms.
    """

    def __init__(self, program: Program, seed: int = 0) -> None:
        self.program = program
        self.n = program.n_traces
        self._arguments = Arguments.of(program)
        self._arguments.head[:2] = 0, self.n
        self._arguments.head[4] = seed
        self._arguments.head[8] = 1  # what Python wrote between two stretches is looked at
        self._make_room(1)
        plan, constants = program.plan, program.kernel.layout.constants
        own = {k: plan.group.variables.get(n) for k, (n, _) in enumerate(constants)
               if n not in plan.externals}  # fmt: skip
        # shared parameters may be set between two stretches
        self._shared = {k: v for k, v in own.items() if v is not None and not v.constant}

    def advance(self, start: int, stop: int) -> None:
        """Run steps [start, stop).

        Raises
        ------
        InputError
            A variable is NaN at the start, or a state became NaN, infinite or huge; says
            which, in which trace and when.
        """
        arguments = self._arguments
        if (stop - start + 1) * self.n > self._room:
            self._make_room(stop - start)
        for k, variable in self._shared.items():
            arguments.constants[k] = np.asarray(variable.get_value()).item()
        arguments.results[4:] = 0
        # number by number: a dynamic clamp comes here at every tick
        arguments.head[2] = start
        arguments.head[3] = stop
        self._call()
        lost, plan = lost_in(self.program, arguments), self.program.plan
        if lost is not None:
            advice = "try a smaller dt or less current"
            raise InputError(lost.describe(plan.group.name, plan.dt, advice))

    def _make_room(self, n_steps: int) -> None:
        """Make room for a spike of every neuron in every step."""
        self._room = (n_steps + 1) * self.n
        self._arguments.make_room(self.program.kernel.layout, self._room)
        self._call = self.program.kernel.bind_all(self._arguments, self.n)

    @property
    def fired(self) -> bool:
        """Whether the last stretch had a spike."""
        return bool(self._arguments.counters().any())

    def spikes(self) -> list[Spikes]:
        """Give the spikes of the last stretch, one entry per SpikeMonitor."""
        arguments, layout = self._arguments, self.program.kernel.layout
        return [
            in_order([column[:count] for column in buffer], [name for name, _ in variables])
            for buffer, variables, count in zip(
                arguments.buffers, layout.spikes, arguments.counters(), strict=True
            )
        ]

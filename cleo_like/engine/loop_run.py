"""A network on compiled kernels that stops for Python wherever something is due there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleo_like.engine.brian2_internals import forget_stop, is_stopped, last_step
from cleo_like.engine.codegen.build import build, width_of
from cleo_like.engine.codegen.network import (
    GroupPlan,
    NotCompilableError,
    clocks_of,
    read_network,
)
from cleo_like.engine.runtime.group_runner import Together
from cleo_like.engine.runtime.monitors import store
from cleo_like.engine.runtime.program import Program
from cleo_like.engine.runtime.recorded_runner import Recorded
from cleo_like.engine.runtime.run_lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brian2 import Network, NetworkOperation

    from cleo_like.core.units import Quantity

_LARGEST_ROOM = 4_000_000
"""Spikes that one call has room for: bounds the buffers of a long stretch without a stop."""


class LoopRun:
    """Uncoupled NeuronGroups and their monitors, with operations of Python between steps.

    Parameters
    ----------
    network : brian2.Network
        The network.
    operations : sequence of brian2 objects
        The objects that run Python, at the start of a step, before everything else.
    namespace : mapping
        Names that the equations use besides those of the groups.

    Raises
    ------
    NotCompilableError
        Something else is in the network; says what.
    toolchain.CompilerError
        No compiler.
    """

    def __init__(
        self,
        network: Network,
        operations: Sequence[NetworkOperation],
        namespace: Mapping[str, Any],
    ) -> None:
        plans = read_network(network, namespace, without=operations)
        self.network, self.operations = network, operations
        self.clock = (operations[0] if operations else plans[0].group).clock
        for plan in plans:
            _check(plan, {self.clock} | {operation.clock for operation in operations})
        self.groups = [
            (Recorded if plan.of_kind("record") else Together)(
                Program(build(plan, namespace, width_of(plan)), plan)
            )
            for plan in plans
        ]
        self.clocks = {self.clock} | clocks_of(plans)

    def run(self, duration: Quantity) -> None:
        """Run for a time; each operation's `act` does what is due, and says when it is next.

        Raises
        ------
        InputError
            A variable that Python wrote is NaN, or a state became NaN, infinite or huge.
        """
        from brian2 import second

        start = self.network.t_ * second
        for clock in self.clocks:
            clock.set_interval(start, start + duration)
        forget_stop(self.network)
        step, last = self._step(), last_step(self.clock)
        acts = [operation.act for operation in self.operations]
        with exclusive():
            while step < last and not is_stopped(self.network):
                self._show(step)
                following = last
                for act in acts:
                    following = min(following, max(act(), step + 1))
                for group in self.groups:
                    _advance(group, step, following)
                step = following
        self._show(step)
        if step == last:
            self.network.t_ = float(start + duration)

    def _step(self) -> int:
        return int(self.clock.variables["timestep"].get_value().item())

    def _show(self, step: int) -> None:
        """Let the clocks and the network tell the time of a step."""
        t = step * float(self.clock.dt_)
        for clock in self.clocks:
            every = round(clock.dt_ / self.clock.dt_)
            number = -(-step // every)
            clock.variables["timestep"].get_value()[0] = number
            clock.variables["t"].get_value()[0] = number * clock.dt_
        self.network.t_ = t


def _check(plan: GroupPlan, clocks: set[Any]) -> None:
    if any(plan.dt != float(clock.dt_) for clock in clocks):
        msg = "the groups step on another clock than the loop"
        raise NotCompilableError(msg)
    if plan.group.equations.is_stochastic or {"rand", "randn"} & set(plan.externals):
        msg = "noise in a loop is Brian2's, so that its seed repeats it"
        raise NotCompilableError(msg)


def _advance(group: Together, start: int, stop: int) -> None:
    """Run steps [start, stop) and append the spikes to the monitors."""
    longest = max(1, _LARGEST_ROOM // group.n)
    while start < stop:
        end = min(stop, start + longest)
        group.advance(start, end)
        if group.fired:
            store(group.program.plan, group.spikes())
        start = end

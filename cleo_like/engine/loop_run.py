"""A network on compiled kernels that stops for Python wherever something is due there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.engine.build import build
from cleo_like.engine.guard import exclusive
from cleo_like.engine.monitors import store
from cleo_like.engine.plan import GroupPlan, NotCompilableError, read_network
from cleo_like.engine.program import Arguments, Lost, Program, Spikes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LARGEST_ROOM = 4_000_000
"""Spikes that one call has room for: bounds the buffers of a long stretch without a stop."""


class LoopRun:
    """Uncoupled NeuronGroups and SpikeMonitors, with one operation of Python between steps.

    Parameters
    ----------
    network : brian2.Network
        The network.
    operation : brian2 object
        The one object that runs Python, at the start of a step, before everything else.
    namespace : mapping
        Names that the equations use besides those of the groups.

    Raises
    ------
    NotCompilableError
        Something else is in the network; says what.
    toolchain.CompilerError
        No compiler.
    """

    def __init__(self, network: Any, operation: Any, namespace: Mapping[str, Any]) -> None:
        plans = read_network(network, namespace, without=operation)
        for plan in plans:
            _check(plan, operation)
        self.network = network
        self.clock = operation.clock
        self.groups = [_Group(Program(build(plan, namespace), plan)) for plan in plans]
        self.clocks = {self.clock} | {plan.group.clock for plan in plans}
        self.clocks |= {step.runner.clock for plan in plans for step in plan.steps}

    def run(self, duration: Any, act: Callable[[], int]) -> None:
        """Run for a time; `act` does what is due and gives the next step at which it must.

        Raises
        ------
        InputError
            A state became NaN, infinite or huge.
        """
        from brian2 import second

        start = self.network.t_ * second
        for clock in self.clocks:
            clock.set_interval(start, start + duration)
        self.network._stopped = False  # noqa: SLF001  # as Brian2 does
        step, last = self._step(), int(self.clock._i_end)  # noqa: SLF001
        with exclusive():
            while step < last and not self.network._stopped:  # noqa: SLF001
                self._show(step)
                following = min(max(act(), step + 1), last)
                for group in self.groups:
                    group.advance(step, following)
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


def _check(plan: GroupPlan, operation: Any) -> None:
    if plan.of_kind("record"):
        msg = "a StateMonitor is read by Python at any time"
        raise NotCompilableError(msg)
    if plan.dt != float(operation.clock.dt_):
        msg = "the groups step on another clock than the loop"
        raise NotCompilableError(msg)
    if plan.group.equations.is_stochastic or {"rand", "randn"} & set(plan.externals):
        msg = "noise in a loop is Brian2's, so that its seed repeats it"
        raise NotCompilableError(msg)


class _Group:
    """One compiled group and the spikes of its last stretch."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.arguments = Arguments.of(program)
        self.n = program.n_traces
        self.arguments.head[:2] = 0, self.n
        self.room = 0

    def advance(self, start: int, stop: int) -> None:
        """Run steps [start, stop) and append the spikes to the monitors."""
        longest = max(1, _LARGEST_ROOM // self.n)
        while start < stop:
            end = min(stop, start + longest)
            self._stretch(start, end)
            start = end

    def _stretch(self, start: int, stop: int) -> None:
        arguments = self.arguments
        if (stop - start + 1) * self.n > self.room:
            self.room = (stop - start + 1) * self.n
            arguments.make_room(self.program.kernel.layout, self.room)
            self.call = self.program.kernel.bind_all(arguments, self.n)
        arguments.refresh(self.program)
        arguments.head[2:4] = start, stop
        arguments.results[3:] = 0
        self.call()
        if arguments.results[1] >= 0:
            lost = Lost(*arguments.results[1:3].tolist())
            msg = (
                f"a state of {self.program.plan.group.name!r} is not finite in trace "
                f"{lost.trace} {lost.when(self.program.plan.dt)}; try a smaller dt"
            )
            raise InputError(msg)
        if arguments.counters().any():
            store(self.program.plan, self._spikes())

    def _spikes(self) -> list[Spikes]:
        found = []
        layout, arguments = self.program.kernel.layout, self.arguments
        for buffer, variables, count in zip(
            arguments.buffers, layout.spikes, arguments.counters(), strict=True
        ):
            order = np.argsort(buffer[1][:count], kind="stable")
            trace, step, *rest = (column[:count][order] for column in buffer)
            names = [name for name, _ in variables]
            found.append(Spikes(trace, step, dict(zip(names, rest, strict=True))))
        return found

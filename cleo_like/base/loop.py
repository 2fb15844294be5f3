"""The loop between network and controller: one Brian2 operation on the group's own clock.

A second clock makes Brian2 look for the next one at every step, which costs more than the
loop itself; so the operation sits on the clock the groups have and counts steps.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from cleo_like.base.quantities import time_quantity
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import Clock, Network

    from cleo_like.base.simulation import Simulation
    from cleo_like.engine.loop_run import LoopRun

_WHOLE = 1e-6


class Loop:
    """Counts time steps and lets the processor sample and act.

    Parameters
    ----------
    simulator : Simulation
        Whose recorders are read and stimulators set.
    clock : brian2.Clock
        Clock of the groups.
    period : float, optional
        Seconds between two communications; None asks at every step.
    """

    def __init__(self, simulator: Simulation, clock: Clock, period: float | None) -> None:
        self.simulator = simulator
        self.clock = clock
        self.period = period
        self.steps = 1
        self.dt = 0.0
        self._next = 0

    def start(self) -> None:
        """Fix the number of steps between communications; called before every run."""
        self.dt = float(self.clock.dt_)
        if self.period is not None:
            steps = self.period / self.dt
            self.steps = round(steps)
            if self.steps < 1 or abs(steps - self.steps) > _WHOLE * steps:
                msg = (
                    f"communication_period must be a whole number of time steps of "
                    f"{self.dt * 1e3:g} ms, got {self.period * 1e3:g} ms"
                )
                raise InputError(msg)
        processor = self.simulator.io_processor
        if processor is not None:
            processor.start(self.dt * self.steps)
        self._next = 0
        self._timestep = self.clock.variables["timestep"]

    def step(self) -> None:
        """Do what is due at the present time step."""
        number = int(self._timestep.get_value().item())
        if number < self._next or number % self.steps:
            return
        simulator = self.simulator
        processor = simulator.io_processor
        if processor is None:
            return
        now = time_quantity(round(number * self.dt, 12))
        if processor.is_sampling_now(now):
            processor.put_state(simulator.get_state(), now)
        values = processor.get_stim_values(now)
        if values:
            simulator.update_stimulators(values)
        while processor.has_due_signals(now):
            simulator.update_stimulators(processor.get_stim_values(now))
        self._next = processor.next_tick(number // self.steps) * self.steps

    def act(self) -> int:
        """Do what is due at the present time step; give the next step to do so."""
        self.step()
        number = int(self._timestep.get_value().item())
        if self.simulator.io_processor is None:
            return number + 1
        # the next multiple of the period that is not before the tick asked for
        return -(-max(self._next, number + 1) // self.steps) * self.steps


@functools.cache
def _operation_class() -> type:
    """Make the class at first use: its base is in Brian2, which is not imported before."""
    from brian2 import NetworkOperation

    class LoopOperation(NetworkOperation):
        """Runs a `Loop`, before everything else in a time step."""

        act = property(lambda self: self.loop.act)

        add_to_magic_network = False

        def __init__(self, loop: Loop) -> None:
            super().__init__(loop.step, clock=loop.clock, when="start", order=-1)
            self.loop = loop

        def before_run(self, run_namespace: Mapping[str, Any]) -> None:
            """Start the loop with the run."""
            super().before_run(run_namespace)
            self.loop.start()

        def run(self) -> None:
            """Take the step of the loop."""
            self.loop.step()

    return LoopOperation


def loop_operation(loop: Loop) -> Any:
    """Make the Brian2 object that runs a loop."""
    return _operation_class()(loop)


def operations_of(network: Network) -> list[Any]:
    """Give the objects of a network that say when they have something to do.

    Those are operations with a method ``act() -> int``, which does what is due at the present
    step and gives the next step at which something is: the compiled loop stops only there.
    """
    return [found for found in network.sorted_objects if hasattr(found, "act")]


def on_kernels(network: Network, level: int, options: Mapping[str, Any]) -> LoopRun | None:
    """Prepare a loop's network on compiled kernels, where that gives the same answer.

    None keeps Brian2's own loop: for coupled networks, noise, the numpy target, a report of
    the progress, and where there is no compiler.

    Parameters
    ----------
    network : brian2.Network
        With its devices.
    level : int
        Whose names the equations may use, counted from the caller.
    options : mapping
        Other keywords of the run.
    """
    from brian2 import get_device, prefs
    from brian2.core.namespace import get_local_namespace

    from cleo_like.engine.codegen.network import NotCompilableError
    from cleo_like.engine.loop_run import LoopRun
    from cleo_like.engine.toolchain import CompilerError

    if set(options) - {"namespace"} or prefs.codegen.target == "numpy":
        return None
    if type(get_device()).__name__ != "RuntimeDevice":
        return None
    namespace = options.get("namespace")
    if namespace is None:
        namespace = get_local_namespace(level=level + 1)
    try:
        return LoopRun(network, operations_of(network), namespace)
    except (NotCompilableError, CompilerError, KeyError):  # what is unknown, Brian2 names
        return None

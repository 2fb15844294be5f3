"""Advance compiled groups a few steps at a time: closed loop and dynamic clamp.

Between two calls the state is in plain numpy arrays: read a voltage, write a current, go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError, UnsupportedError, unknown_name
from cleo_like.engine.codegen.build import build, width_of
from cleo_like.engine.codegen.network import NotCompilableError, read_network
from cleo_like.engine.runtime.group_runner import Together
from cleo_like.engine.runtime.program import Program
from cleo_like.engine.runtime.run_lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import Network


class Stepper:
    r"""One NeuronGroup, advanced from Python without Brian2 in between.

    Parameters
    ----------
    network : brian2.Network
        One NeuronGroup, with run_regularly operations and SpikeMonitors if wanted. What a
        StateMonitor would record is read from the arrays.
    namespace : mapping, optional
        Names that the equations use besides those of the group.
    seed : int
        Seed of noise terms.

    Raises
    ------
    UnsupportedError
        The network cannot be compiled; says why.

    Examples
    --------
    A proportional controller that holds the mean of 100 leaky integrators at 10 mV:

    >>> from brian2 import Network, NeuronGroup, ms
    >>> group = NeuronGroup(
    ...     100, "dv/dt = (I - v)/(10*ms) : volt\nI : volt", method="exact", dt=0.1 * ms
    ... )
    >>> stepper = Stepper(Network(group))
    >>> v, current = stepper["v"], stepper["I"]
    >>> for _ in range(200):
    ...     current[:] = 0.010 + 5 * (0.010 - v.mean())
    ...     stepper.advance(10)
    >>> round(float(v.mean()), 4), stepper.t
    (0.01, 0.2)
    """

    def __init__(
        self, network: Network, namespace: Mapping[str, Any] | None = None, *, seed: int = 0
    ) -> None:
        names = namespace if namespace is not None else {}
        try:
            with exclusive():
                plans = read_network(network, names)
                if len(plans) != 1 or plans[0].of_kind("record"):
                    msg = (
                        "a stepper takes one NeuronGroup and no StateMonitor (read the arrays)"
                    )
                    raise UnsupportedError(msg)
                kernel = build(plans[0], names, width_of(plans[0]))
                self._group = Together(Program(kernel, plans[0]), seed)
        except NotCompilableError as error:
            msg = f"the network cannot be advanced in steps: {error}"
            raise UnsupportedError(msg) from error
        self._plan = plans[0]
        self._dt = plans[0].dt
        self._network = network
        self._step = int(plans[0].group.clock.variables["timestep"].get_value().item())

    def __getitem__(self, name: str) -> np.ndarray:
        """Give the array of a variable (SI units); it changes as the group advances.

        Write into it (``stepper["I"][:] = x``) to set the variable.
        """
        known = self._plan.group.variables
        if name not in known or not hasattr(known[name], "get_value"):
            raise unknown_name("variable", name, self._plan.group.equations.names)
        return np.asarray(known[name].get_value())

    @property
    def t(self) -> float:
        """Simulated time (s)."""
        return self._step * self._dt

    @property
    def dt(self) -> float:
        """Integration step (s)."""
        return self._dt

    @property
    def group(self) -> Any:
        """The NeuronGroup."""
        return self._plan.group

    def advance(self, n_steps: int) -> None:
        """Run `n_steps` steps of the group's clock.

        Raises
        ------
        InputError
            A variable is NaN at the start, or a state became NaN, infinite or huge; says
            which, in which trace and when.
        """
        if n_steps < 1:
            msg = f"advance() takes 1 step or more, got {n_steps}"
            raise InputError(msg)
        start = self._step
        self._step += n_steps
        self._group.advance(start, self._step)

    def spikes(self, monitor: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Give the spikes of the last `advance`: trace numbers, and times (s)."""
        found = self._group.spikes()
        if monitor >= len(found):
            msg = "there is no such SpikeMonitor in the network"
            raise InputError(msg)
        return found[monitor].trace, found[monitor].step * self._dt

    def finish(self) -> None:
        """Tell Brian2 the time that has passed, so that a later `run` goes on from here."""
        clock = self._plan.group.clock
        clock.variables["timestep"].set_value(self._step)
        clock.variables["t"].set_value(self.t)
        self._network.t_ = self.t

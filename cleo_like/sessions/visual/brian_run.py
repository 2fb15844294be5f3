"""Run uncoupled neurons in Brian2 for their spikes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@attrs.frozen(kw_only=True, eq=False)
class UncoupledRun:
    """One run of uncoupled neurons whose spikes are wanted.

    Parameters
    ----------
    n : int
        Number of neurons.
    equations : brian2.Equations
        Of each.
    names : mapping
        What the equations use besides their own names.
    start : mapping
        Values at the start, in SI.
    duration, dt : float
        Of the run, and of a step (s).
    options : mapping
        Keywords of NeuronGroup: threshold, reset, method ...
    noise : str, optional
        Statement that is run every millisecond.
    """

    n: int
    equations: Any
    names: Mapping[str, Any]
    start: Mapping[str, Any]
    duration: float
    dt: float
    options: Mapping[str, Any]
    noise: str | None = None

    def spikes(
        self, seed: int, report: Callable[[float], None] | None = None
    ) -> tuple[np.ndarray, ...]:
        """Run on the compiled engine, or on Brian2's own loop where it cannot.

        Parameters
        ----------
        seed : int
            Of all noise.
        report : callable, optional
            Told the simulated neuron-seconds as they pass.

        Returns
        -------
        tuple of arrays
            Spike times of each neuron (s).

        Warns
        -----
        FallbackWarning
            Brian2's own loop runs it; says why.
        """
        return _spikes_of(self, seed, report)


NOISE_STEP = 1e-3
"""The noise current is constant for 1 ms (s)."""


def _spikes_of(
    run: UncoupledRun, seed: int, report: Callable[[float], None] | None
) -> tuple[np.ndarray, ...]:
    from brian2 import Network, NeuronGroup, SpikeMonitor, second

    from cleo_like.engine.codegen.network import NotCompilableError
    from cleo_like.engine.device import FallbackWarning
    from cleo_like.engine.runtime.run_lock import exclusive
    from cleo_like.engine.toolchain import CompilerError

    n, dt = run.n, run.dt
    if n == 0:
        return ()
    group = NeuronGroup(
        n, run.equations, dt=dt * second, namespace=dict(run.names), **run.options
    )
    group.set_states(dict(run.start), units=False)
    monitor = SpikeMonitor(group)
    network = Network(group, monitor)
    if run.noise is not None:
        every = max(round(NOISE_STEP / dt), 1)
        network.add(group.run_regularly(run.noise, dt=every * dt * second))
    steps = round(run.duration / dt)
    try:
        with exclusive():
            who, when = _compiled(network, steps, seed, report)
    except (NotCompilableError, CompilerError) as error:
        warnings.warn(
            f"Brian2's own loop simulates the session: {error}", FallbackWarning, stacklevel=3
        )
        who, when = _on_brian2(network, monitor, steps * dt, dt, seed)
    order = np.lexsort((when, who))
    ends = np.searchsorted(who[order], np.arange(1, n))
    return tuple(np.split(when[order] * dt, ends))


def _compiled(
    network: Any,
    steps: int,
    seed: int,
    report: Callable[[float], None] | None,
) -> tuple[np.ndarray, np.ndarray]:
    from cleo_like.engine.codegen.build import build
    from cleo_like.engine.codegen.network import read_network
    from cleo_like.engine.runtime.program import Program

    (plan,) = read_network(network, {})
    program = Program(build(plan, {}), plan)
    tell = None if report is None else (lambda done: report(done * plan.dt))
    outcome = program.run(0, steps, [], seed=seed, threads=1, report=tell)
    if outcome.lost is not None:
        msg = outcome.lost.describe("the population", plan.dt, "try a smaller dt")
        raise InputError(msg)
    (spikes,) = outcome.spikes
    return np.array(spikes.trace), np.array(spikes.step)


def _on_brian2(
    network: Any, monitor: Any, duration: float, dt: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    from brian2 import Network, second
    from brian2 import seed as seed_brian2  # noqa: TID251  # Brian2's own loop has no other way

    seed_brian2(seed)
    Network.run.original_function(network, duration * second, namespace={})
    return np.array(monitor.i), np.round(np.array(monitor.t) / dt).astype(int)

"""Results of a compiled run, put into Brian2's own monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.engine.codegen.network import recorded
from cleo_like.engine.runtime.program import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from brian2.core.variables import Variable

    from cleo_like.engine.codegen.network import GroupPlan, Step
    from cleo_like.engine.runtime.program import Spikes


def recorders_of(
    plan: GroupPlan, first: int, last: int
) -> tuple[list[Recorder], Callable[[], None]]:
    """Make room in the StateMonitors for the steps [first, last).

    Returns
    -------
    list of Recorder
        One per recorded variable.
    callable
        Call it after the run; copies what could not be written in place.
    """
    recorders: list[Recorder] = []
    copies: list[tuple[Any, int, np.ndarray]] = []
    for step in plan.of_kind("record"):
        monitor = step.runner
        samples = np.arange(-(-first // step.every), -(-last // step.every))
        if step.every == 1 and hasattr(monitor, "rows_for"):  # one that keeps its rows itself
            recorders.append(Recorder(out=monitor.rows_for(samples * plan.dt), lanes=None))
            continue
        before = int(monitor.variables["N"].get_value().item())
        monitor.resize(before + len(samples))
        times = monitor.variables["t"].get_value()
        times[before:] = samples * monitor.clock.dt_
        lanes = None if monitor.record_all else np.asarray(monitor.record)
        for name in recorded(step):
            whole = monitor.variables[name].get_value()
            part = whole[before:]
            if _is_wide(plan.group.variables[name]):
                part = part.view(np.float64)
            elif part.dtype != np.float64:
                part = np.empty(part.shape)
                copies.append((monitor.variables[name], before, part))
            recorders.append(Recorder(out=part, lanes=lanes))

    def commit() -> None:
        for variable, before, values in copies:
            variable.get_value()[before:] = values

    return recorders, commit


def _is_wide(variable: Variable) -> bool:
    """Whether a kernel writes the samples as the bits of whole numbers."""
    from brian2.core.variables import Subexpression

    wide = variable.dtype == np.int64 and not variable.scalar
    return wide and not isinstance(variable, Subexpression)


def store(plan: GroupPlan, found: list[Spikes]) -> None:
    """Append spikes to the SpikeMonitors."""
    for step, spikes in zip(plan.of_kind("spikes"), found, strict=True):
        _append(step, spikes, plan.dt)


def allow_single_steps(plan: GroupPlan, namespace: Mapping[str, Any]) -> None:
    """Let `StateMonitor.record_single_timestep` work after a compiled run."""
    for step in plan.of_kind("record"):
        step.runner.codeobj = _SingleStep(step.runner, namespace)


@attrs.frozen(eq=False)
class _SingleStep:
    """Takes the place of a monitor's code: Brian2 makes it when it is asked for."""

    monitor: Any
    namespace: Mapping[str, Any]

    def __call__(self) -> None:
        self.monitor.create_default_code_object(self.namespace)()


def _append(step: Step, spikes: Spikes, dt: float) -> None:
    monitor = step.runner
    counts = monitor.variables["count"].get_value()
    counts += np.bincount(spikes.trace, minlength=len(counts)).astype(counts.dtype)
    before = int(monitor.variables["N"].get_value().item())
    values = dict(spikes.variables)
    if monitor.record:
        values |= {"i": spikes.trace, "t": spikes.step * dt}
    size = before + (len(spikes.trace) if values else 0)
    monitor.resize(size)
    for name, value in values.items():
        monitor.variables[name].get_value()[before:] = value
    monitor.variables["N"].set_value(before + len(spikes.trace))

"""The Brian2 objects of one block of traces: cells, command, recorder, spike monitor."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells.reading import NOISE, uses
from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.engine.integrators import register

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jaxtyping import Float

    from cleo_like.patch.batch import Job

# Names that the bench adds to the equations of a model
_SWEEP, BEFORE, _LEVEL = "bench_sweep", "bench_before", "bench_level"


@attrs.frozen(kw_only=True, eq=False)
class Block:
    """Simulated traces [start, stop) of a job.

    `samples` holds, for every recorded variable, an array (n, n_samples) float32 in SI, in a
    buffer that the next block overwrites; `spike_times[k]` are the times (s) of trace
    start + k from its first sample, refined between integration steps.
    """

    start: int
    stop: int
    samples: Mapping[str, Float[np.ndarray, "n n_samples"]]
    spike_times: list[np.ndarray]


@contextmanager
def refusals(model: str) -> Iterator[None]:
    """Say whose equations they are that Brian2 refuses.

    Raises
    ------
    InputError
        With what Brian2 says.
    """
    from brian2.core.base import BrianObjectException
    from brian2.units.fundamentalunits import DimensionMismatchError

    refused = (SyntaxError, TypeError, KeyError, DimensionMismatchError)
    try:
        yield
    except (*refused, BrianObjectException) as error:
        cause = error.__cause__ if isinstance(error, BrianObjectException) else error
        if not isinstance(cause, refused):
            raise
        text = cause.args[0] if cause.args else cause
        msg = f"Brian2 refuses the equations of {model!r}: {text}"
        raise InputError(msg) from cause


def padded(part: Job, size: int) -> Job:
    """Repeat the last trace until the part has the size that was compiled."""
    index = np.minimum(np.arange(size), part.n_traces - 1)
    return attrs.evolve(
        part,
        parameters={k: v[index] for k, v in part.parameters.items()},
        sweep=part.sweep[index],
        initial=part.initial[:, index],
        coefficients={k: v[index] for k, v in part.coefficients.items()},
    )


@attrs.frozen(eq=False)
class BenchObjects:
    """The Brian2 objects of one block."""

    group: Any
    recorder: Any
    spikes: Any
    network: Any
    states: tuple[str, ...]
    stochastic: bool

    @classmethod
    def build(cls, job: Job) -> BenchObjects:
        """Make the objects for the traces of a job."""
        from brian2 import Clock, Network, NeuronGroup, SpikeMonitor, StateMonitor, second

        model = job.model
        equations = _bench_equations(job)
        group = NeuronGroup(
            job.n_traces,
            equations,
            dt=job.dt * second,
            namespace=_namespace(job),
            name="bench_cells",
            **_integration(job, equations.is_stochastic),
            **_spiking(job),
        )
        # one clock for the command and the recorder: a step costs Brian2 a look at each clock
        sampling = Clock(dt=second / job.rate, name="bench_sampling")
        objects = [
            group.run_regularly(
                f"{model.current} = bench_command(t, {_SWEEP})", clock=sampling, when="start"
            )
        ]
        if model.method not in _OWN and job.linear is None:
            objects.append(
                group.run_regularly(f"{BEFORE} = {model.voltage}", when="start", order=1)
            )
        recorder = StateMonitor(
            group, list(job.recorded), record=True, clock=sampling, when="start", order=-1,
            name="bench_recorder",
        )  # fmt: skip
        spikes = SpikeMonitor(group, variables=[model.voltage, BEFORE], name="bench_spikes")
        network = Network(group, recorder, spikes, *objects)
        return cls(
            group,
            recorder,
            spikes,
            network,
            job.states,
            equations.is_stochastic or uses(model, NOISE),
        )

    def set_values(self, job: Job) -> None:
        """Set parameters and initial states to those of another job of the same size."""
        self.group.set_states(self._values(job), units=False)

    def arguments(self, job: Job) -> dict[Any, Any]:
        """Values of this block for a compiled program."""
        from brian2 import Quantity

        views = {getattr(self.group, name): v for name, v in self._values(job).items()}
        return {
            view: Quantity(np.ascontiguousarray(value), dim=view.dim)
            for view, value in views.items()
        }

    def _values(self, job: Job) -> dict[str, np.ndarray]:
        values: dict[str, np.ndarray] = dict(job.parameters) | dict(job.coefficients)
        values |= dict(zip(self.states, job.initial, strict=True))
        values[_SWEEP] = job.sweep.astype(np.int32)
        values[BEFORE] = values[job.model.voltage]
        if job.before is not None:
            values[job.model.current] = np.full(job.n_traces, job.before)
        return values

    def block(self, job: Job, start: int) -> Block:
        """Take the recorded samples and the spikes out of the monitors."""
        samples = {}
        with np.errstate(over="ignore"):  # a runaway becomes inf, which is refused
            for name in job.recorded:
                recorded = self.recorder.variables[name].get_value()
                samples[name] = np.ascontiguousarray(
                    recorded[: job.n_samples, : job.n_traces].T, dtype=np.float32
                )
        found = self.spikes.variables
        index, t, after, before = (
            np.array(found[name].get_value()) for name in ("i", "t", job.model.voltage, BEFORE)
        )
        return block_of(job, start, samples, index, refined(job, index, t, after, before))


def block_of(
    job: Job,
    start: int,
    samples: Mapping[str, np.ndarray],
    trace: np.ndarray,
    times: np.ndarray,
) -> Block:
    """Make a block; traces that were added to fill the block up are left out.

    Raises
    ------
    InputError
        A sample is not finite; says which and when.
    """
    n = job.n_traces
    for name, values in samples.items():
        if not np.isfinite(values[:n]).all():
            what = "potential" if name == job.model.voltage else "recorded signal"
            lost, sample = np.argwhere(~np.isfinite(values[:n]))[0]
            msg = (
                f"the {what} of {job.model.name!r} is not finite in trace {start + lost} at "
                f"{sample / job.rate * 1e3:.3f} ms; try a smaller dt (now "
                f"{job.dt * 1e3:g} ms)"
            )
            raise InputError(msg)
    inside = trace < n
    return Block(
        start=start,
        stop=start + n,
        samples={name: values[:n] for name, values in samples.items()},
        spike_times=by_trace(trace[inside], times[inside], n),
    )


def refined(
    job: Job, index: np.ndarray, t: np.ndarray, after: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """Interpolate the crossing of the spike level inside a step (s)."""
    level = np.asarray(job.model.level(job.parameters))
    level = level[np.minimum(index, job.n_traces - 1)] if level.ndim else level
    rise = after - before
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = np.where(rise > 0, (level - before) / rise, 1.0)
    # Brian2 stamps a spike with the start of the step in which v crossed
    return t + job.dt * np.clip(fraction, 0.0, 1.0)


def by_trace(trace: np.ndarray, times: np.ndarray, n_traces: int) -> list[np.ndarray]:
    """Sort spike times into one array per trace.

    Examples
    --------
    >>> by_trace(np.array([1, 0, 1]), np.array([0.1, 0.2, 0.3]), 3)
    [array([0.2]), array([0.1, 0.3]), array([], dtype=float64)]
    """
    order = np.argsort(trace, kind="stable")
    ends = np.searchsorted(trace[order], np.arange(1, n_traces))
    return np.split(times[order], ends)


def _bench_equations(job: Job) -> Any:
    """Add what the bench needs to the model's equations."""
    from brian2 import Equations

    equations = job.model.brian_equations()
    added = [f"{_SWEEP} : integer (constant)", f"{BEFORE} : volt"]
    if job.model.current not in equations.names:
        added.append(f"{job.model.current} : {job.unit}")
    added += [f"{name} : 1 (constant)" for name in job.coefficients]
    return equations + Equations("\n".join(added))


_OWN = {"rk4": "shared_rk4", "rush_larsen": "rush_larsen", "staggered": "staggered"}
"""Methods of the engine: the same steps as Brian2 would take, in fewer operations."""


def _integration(job: Job, stochastic: bool) -> dict[str, Any]:  # noqa: FBT001
    model = job.model
    options: dict[str, Any]
    if job.linear is not None:
        options = {"previous": {BEFORE: model.voltage}, "linear": job.linear}
        return {"method": register("exponential_rk4"), "method_options": options}
    if model.method not in _OWN:
        return {"method": model.method}
    if stochastic:
        msg = (
            f"{model.name!r} has noise terms (xi), which {model.method} cannot integrate; "
            "give the model method='heun' (or 'euler', 'milstein')"
        )
        raise UnsupportedError(msg)
    options = {"previous": {BEFORE: model.voltage}}
    if model.method == "staggered":
        options["first"] = model.voltage
    return {"method": register(_OWN[model.method]), "method_options": options}


def _spiking(job: Job) -> dict[str, Any]:
    model = job.model
    if model.threshold is not None:
        refractory = _brian_refractory(model.refractory)
        return {"threshold": model.threshold, "reset": model.reset, "refractory": refractory}
    level = model.spike_level if isinstance(model.spike_level, str) else _LEVEL
    crossing = f"{model.voltage} > {level} and {BEFORE} <= {level}"
    return {"threshold": crossing, "reset": ""}


def _brian_refractory(value: float | str | None) -> Any:
    from brian2 import second

    if value is None:
        return False
    return value if isinstance(value, str) else float(value) * second


def _namespace(job: Job) -> dict[str, Any]:
    from brian2 import TimedArray, amp, second, volt

    model, unit = job.model, {"amp": amp, "volt": volt}[job.unit]
    names = {"bench_command": TimedArray(job.waveforms.T * unit, dt=second / job.rate)}
    if not isinstance(model.spike_level, str):
        names[_LEVEL] = model.spike_level * volt
    return names


def block_seed(seed: int, block: int) -> int:
    """Seed of Brian2's noise in one block."""
    return int(np.random.SeedSequence((seed, block)).generate_state(1)[0])

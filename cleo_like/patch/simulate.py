"""Run a job on Brian2, block by block, at runtime or as a standalone program."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.engine.updaters import register as register_shared_rk4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jaxtyping import Float

    from cleo_like.patch.job import Job

BACKENDS = ("runtime", "cpp_standalone")
_BYTES_PER_SAMPLE = 24
"""Peak bytes per recorded sample: Brian2's monitor grows by doubling, in float64."""

# Names that the bench adds to the equations of a model
_SWEEP, _BEFORE, _LEVEL = "bench_sweep", "bench_before", "bench_level"


class CompilerWarning(UserWarning):
    """There is no C++ compiler, so the simulation runs on numpy and is slow."""


@attrs.frozen(kw_only=True, eq=False)
class Block:
    """Simulated traces [start, stop) of a job.

    `voltage` is (n, n_samples) float32 in V; `spike_times[k]` are the times (s) of trace
    start + k from its first sample, refined between integration steps.
    """

    start: int
    stop: int
    voltage: Float[np.ndarray, "n n_samples"]
    spike_times: list[np.ndarray]


def simulate(
    job: Job,
    *,
    backend: str = "runtime",
    memory: float = 512e6,
    seed: int = 0,
    report: Callable[[float], None] | None = None,
) -> Iterator[Block]:
    """Run all traces of a job.

    Parameters
    ----------
    job : Job
        Traces of one model.
    backend : str
        "runtime" (Cython, or numpy without a compiler) or "cpp_standalone".
    memory : float
        Bound on the recording buffer (bytes); traces run in blocks that fit.
    seed : int
        Seed of noise terms (``xi``) in the equations; a block has its own stream.
    report : callable, optional
        Told the simulated trace-seconds as they pass.

    Yields
    ------
    Block
        In order, covering all traces.
    """
    if backend not in BACKENDS:
        msg = f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}"
        raise InputError(msg)
    run = _run_standalone if backend == "cpp_standalone" else _run_runtime
    yield from run(job, block_size(job, memory), seed, report)


def block_size(job: Job, memory: float) -> int:
    """Give the number of traces per block: as many as fit, all blocks about equal.

    Raises
    ------
    InputError
        Not even one trace fits.
    """
    per_trace = _BYTES_PER_SAMPLE * job.n_samples
    fit = int(memory // per_trace)
    if fit < 1:
        msg = (
            f"one trace of {job.n_samples} samples needs {per_trace / 1e6:.0f} MB but "
            f"memory={memory / 1e6:.0f} MB; raise memory or shorten the sweep"
        )
        raise InputError(msg)
    blocks = int(np.ceil(job.n_traces / fit))
    return int(np.ceil(job.n_traces / blocks))


def _run_runtime(
    job: Job, size: int, seed: int, report: Callable[[float], None] | None
) -> Iterator[Block]:
    from brian2 import second
    from brian2 import seed as seed_brian2  # noqa: TID251  # the one place that seeds it
    from brian2.devices.device import get_device

    if type(get_device()).__name__ != "RuntimeDevice":
        msg = (
            "another Brian2 device is active; call brian2.set_device('runtime') before "
            "record(), which switches to a standalone program by itself when asked to"
        )
        raise UnsupportedError(msg)
    _say_when_slow()
    bench = _Bench.build(_padded(job.part(0, min(size, job.n_traces)), size))
    bench.network.store("bench")
    for number, start in enumerate(range(0, job.n_traces, size)):
        part = job.part(start, min(start + size, job.n_traces))
        bench.network.restore("bench")
        bench.set_values(_padded(part, size))
        if bench.stochastic:
            seed_brian2(_block_seed(seed, number))
        progress = _Progress(report, part)
        with _explained(part):
            bench.network.run(
                part.n_samples / part.rate * second, namespace={}, **progress.options
            )
        progress.finish()
        yield bench.block(part, start)


def _run_standalone(
    job: Job, size: int, seed: int, report: Callable[[float], None] | None
) -> Iterator[Block]:
    from brian2 import second

    with _standalone_device() as (device, directory):
        first = _padded(job.part(0, min(size, job.n_traces)), size)
        bench = _Bench.build(first)
        if bench.stochastic:
            device.seed(_block_seed(seed, 0))
        bench.network.run(first.n_samples / first.rate * second, namespace={})
        device.build(directory=directory, compile=True, run=False, with_output=False)
        for start in range(0, job.n_traces, size):
            part = job.part(start, min(start + size, job.n_traces))
            if bench.stochastic and start > 0:
                msg = (
                    "equations with noise terms in more than one block would repeat the same "
                    "noise in a standalone program; raise memory, or use backend='runtime'"
                )
                raise UnsupportedError(msg)
            device.run(run_args=bench.arguments(_padded(part, size)), with_output=False)
            if report is not None:
                report(part.n_traces * part.n_samples / part.rate)
            yield bench.block(part, start)


@contextmanager
def _explained(job: Job) -> Iterator[None]:
    """Say in the user's words what a division by zero inside compiled code means."""
    from brian2.core.base import BrianObjectException

    try:
        yield
    except BrianObjectException as error:
        if not isinstance(error.__cause__, ArithmeticError):
            raise
        msg = (
            f"the integration of {job.model.name!r} broke down ({error.__cause__}): a state "
            f"left its range; try a smaller dt (now {job.dt * 1e3:g} ms) or less current"
        )
        raise InputError(msg) from error


def _padded(part: Job, size: int) -> Job:
    """Repeat the last trace until the part has the size that was compiled."""
    index = np.minimum(np.arange(size), part.n_traces - 1)
    return attrs.evolve(
        part,
        parameters={k: v[index] for k, v in part.parameters.items()},
        sweep=part.sweep[index],
        initial=part.initial[:, index],
    )


@attrs.frozen(eq=False)
class _Bench:
    """The Brian2 objects of one block."""

    group: Any
    recorder: Any
    spikes: Any
    network: Any
    states: tuple[str, ...]
    stochastic: bool

    @classmethod
    def build(cls, job: Job) -> _Bench:
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
        if model.method != "rk4":
            objects.append(
                group.run_regularly(f"{_BEFORE} = {model.voltage}", when="start", order=1)
            )
        recorder = StateMonitor(
            group, model.voltage, record=True, clock=sampling, when="start", order=-1,
            name="bench_recorder",
        )  # fmt: skip
        spikes = SpikeMonitor(group, variables=[model.voltage, _BEFORE], name="bench_spikes")
        network = Network(group, recorder, spikes, *objects)
        return cls(group, recorder, spikes, network, job.states, equations.is_stochastic)

    def set_values(self, job: Job) -> None:
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
        values: dict[str, np.ndarray] = dict(job.parameters)
        values |= dict(zip(self.states, job.initial, strict=True))
        values[_SWEEP] = job.sweep.astype(np.int32)
        values[_BEFORE] = values[job.model.voltage]
        return values

    def block(self, job: Job, start: int) -> Block:
        """Take the recorded samples and the spikes out of the monitors."""
        model, n = job.model, job.n_traces
        variables = self.recorder.variables
        recorded = variables[model.voltage].get_value()[: job.n_samples, :n]
        with np.errstate(over="ignore"):  # a runaway becomes inf, which is refused below
            voltage = np.ascontiguousarray(recorded.T, dtype=np.float32)
        if not np.isfinite(voltage).all():
            trace, sample = np.argwhere(~np.isfinite(voltage))[0]
            msg = (
                f"the potential of {model.name!r} is not finite in trace {start + trace} at "
                f"{sample / job.rate * 1e3:.3f} ms; try a smaller dt (now {job.dt * 1e3:g} ms)"
            )
            raise InputError(msg)
        return Block(
            start=start, stop=start + n, voltage=voltage, spike_times=self._spike_times(job)
        )

    def _spike_times(self, job: Job) -> list[np.ndarray]:
        found = self.spikes.variables
        index = np.array(found["i"].get_value())
        t = np.array(found["t"].get_value())
        after = np.array(found[job.model.voltage].get_value())
        before = np.array(found[_BEFORE].get_value())
        level = np.asarray(job.model.level(job.parameters))
        level = level[index] if level.ndim else level
        rise = after - before
        with np.errstate(divide="ignore", invalid="ignore"):
            fraction = np.where(rise > 0, (level - before) / rise, 1.0)
        # Brian2 stamps a spike with the start of the step in which v crossed
        times = t + job.dt * np.clip(fraction, 0.0, 1.0)
        return [times[index == k] for k in range(job.n_traces)]


def _bench_equations(job: Job) -> Any:
    """Add what the bench needs to the model's equations."""
    from brian2 import Equations

    equations = job.model.brian_equations()
    added = [f"{_SWEEP} : integer (constant)", f"{_BEFORE} : volt"]
    if job.model.current not in equations.names:
        added.append(f"{job.model.current} : amp")
    return equations + Equations("\n".join(added))


def _integration(job: Job, stochastic: bool) -> dict[str, Any]:  # noqa: FBT001
    model = job.model
    if model.method != "rk4":
        return {"method": model.method}
    if stochastic:
        msg = (
            f"{model.name!r} has noise terms (xi), which rk4 cannot integrate; "
            "give the model method='heun' (or 'euler', 'milstein')"
        )
        raise UnsupportedError(msg)
    return {
        "method": register_shared_rk4(),
        "method_options": {"previous": {_BEFORE: model.voltage}},
    }


def _spiking(job: Job) -> dict[str, Any]:
    model = job.model
    if model.threshold is not None:
        refractory = model.refractory if model.refractory is not None else False
        return {
            "threshold": model.threshold, "reset": model.reset, "refractory": refractory
        }  # fmt: skip
    level = model.spike_level if isinstance(model.spike_level, str) else _LEVEL
    crossing = f"{model.voltage} > {level} and {_BEFORE} <= {level}"
    return {"threshold": crossing, "reset": ""}


def _namespace(job: Job) -> dict[str, Any]:
    from brian2 import TimedArray, amp, second, volt

    model = job.model
    names = {"bench_command": TimedArray(job.waveforms.T * amp, dt=second / job.rate)}
    if not isinstance(model.spike_level, str):
        names[_LEVEL] = model.spike_level * volt
    return names


def _block_seed(seed: int, block: int) -> int:
    return int(np.random.SeedSequence((seed, block)).generate_state(1)[0])


def auto_target_is_numpy() -> bool:
    """Whether Brian2 falls back to numpy for want of a compiler."""
    from brian2 import prefs
    from brian2.devices.device import auto_target

    return prefs["codegen.target"] == "auto" and "Numpy" in auto_target().__name__


def _say_when_slow() -> None:
    if auto_target_is_numpy():
        warnings.warn(
            "no working C++ compiler: Brian2 runs on numpy, 4 to 100 times slower than "
            "compiled code; install g++ (or clang) to speed this up",
            CompilerWarning,
            stacklevel=4,
        )


@attrs.define(eq=False)
class _Progress:
    """Turns Brian2's report into trace-seconds done."""

    report: Callable[[float], None] | None
    job: Job
    done: float = 0.0

    @property
    def options(self) -> dict[str, Any]:
        from brian2 import second

        if self.report is None:
            return {}
        return {"report": self._hear, "report_period": 0.5 * second}

    def _hear(self, _elapsed: Any, complete: float, _start: Any, _duration: Any) -> None:
        self._tell(complete * self._total)

    def finish(self) -> None:
        self._tell(self._total)

    @property
    def _total(self) -> float:
        return self.job.n_traces * self.job.n_samples / self.job.rate

    def _tell(self, total: float) -> None:
        if self.report is not None and total > self.done:
            self.report(total - self.done)
            self.done = total


@contextmanager
def _standalone_device() -> Iterator[tuple[Any, str]]:
    """Switch Brian2 to a standalone program in a temporary folder, and back again."""
    import tempfile

    from brian2 import prefs, set_device
    from brian2.devices.device import get_device, reset_device

    # let gcc use the vector exp of libm, and vectorise loops over more than five arrays
    extra = ["-D__FAST_MATH__", "--param=vect-max-version-for-alias-checks=1000"]
    option = "codegen.cpp.extra_compile_args_gcc"
    before = list(prefs[option])
    with tempfile.TemporaryDirectory(prefix="cleo_like_") as directory:
        set_device("cpp_standalone", build_on_run=False, directory=directory)
        device = get_device()
        try:
            prefs[option] = before + [flag for flag in extra if flag not in before]
            yield device, directory
        finally:
            prefs[option] = before
            device.reinit()
            reset_device()

"""The sweep device: an ordinary Brian2 script, with its time loop compiled in one piece.

``set_device('sweeps')`` before the objects are made; `run` then uses the compiled loop for
networks of uncoupled NeuronGroups with their monitors, and Brian2's own run, with a warning
that says why, for everything else.
"""

from __future__ import annotations

import secrets
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.engine.brian2_internals import forget_stop, is_stopped, last_step, note_run
from cleo_like.engine.codegen.build import build
from cleo_like.engine.codegen.network import NotCompilableError, clocks_of, read_network
from cleo_like.engine.runtime.monitors import allow_single_steps, recorders_of, store
from cleo_like.engine.runtime.program import Program
from cleo_like.engine.runtime.run_lock import exclusive
from cleo_like.engine.runtime.snapshot import Before
from cleo_like.engine.toolchain import CompilerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from brian2 import Network
    from brian2.devices.device import RuntimeDevice

    from cleo_like.core.units import Quantity
    from cleo_like.engine.runtime.program import Lost, Outcome

NAME = "sweeps"


class FallbackWarning(UserWarning):
    """A network runs on Brian2's own loop; the message says why."""


class NotFiniteWarning(UserWarning):
    """A state variable became NaN, infinite or huge; the message says which and when."""


def register() -> str:
    """Register the device with Brian2 (once) and give its name.

    Examples
    --------
    >>> from brian2 import Network, NeuronGroup, ms, set_device
    >>> from brian2.devices.device import reset_device
    >>> set_device(register())
    >>> group = NeuronGroup(3, "dx/dt = -x/(10*ms) : 1", method="exact")
    >>> group.x = [1, 2, 3]
    >>> Network(group).run(10 * ms)
    >>> group.x[:].round(6).tolist()
    [0.367879, 0.735759, 1.103638]
    >>> reset_device()
    """
    from brian2.devices.device import all_devices

    if NAME not in all_devices:
        all_devices[NAME] = _device_class()()
    return NAME


def _device_class() -> type:
    from brian2.core.namespace import get_local_namespace
    from brian2.devices.device import RuntimeDevice

    class SweepDevice(RuntimeDevice):
        """Brian2's runtime device with the compiled time loop."""

        streams = _Streams.of(None)

        def activate(self, build_on_run: bool = True, **options: Any) -> None:  # noqa: FBT001, FBT002
            """Start; ``set_device('sweeps', seed=1, threads=2)`` gives options."""
            super().activate(build_on_run=build_on_run, **options)
            self.streams = _Streams.of(options.get("seed"))

        def seed(self, seed: int | None = None) -> None:
            """Take the place of `brian2.seed`: the noise of later runs follows from it."""
            super().seed(seed)
            self.streams = _Streams.of(seed)

        def get_random_state(self) -> dict[str, Any]:
            """Give what `Network.store` keeps of the noise."""
            return super().get_random_state() | {NAME: attrs.astuple(self.streams)}

        def set_random_state(self, state: dict[str, Any]) -> None:
            """Go back to it, for ``Network.restore(restore_random_state=True)``."""
            super().set_random_state(state)
            self.streams = _Streams(*state[NAME])

        def network_run(  # noqa: PLR0917  # Brian2's signature
            self,
            network: Network,
            duration: Quantity,
            report: str | Callable | None = None,
            report_period: Quantity | None = None,
            namespace: Any = None,
            profile: Any = None,
            level: int = 0,
        ) -> None:
            """Take the place of `Network.run`."""
            from brian2 import Network, second

            if namespace is None:
                namespace = get_local_namespace(level=level + 2)
            with exclusive():
                reason: str | None = "profile=True times its objects one by one"
                if not profile:
                    reason = _run_compiled(network, duration, report, namespace, self)
                if reason is None:
                    return
                warnings.warn(
                    f"Brian2's own loop runs this network: {reason}", FallbackWarning,
                    stacklevel=level + 3,
                )  # fmt: skip
                Network.run.original_function(
                    network, duration, report=report, namespace=namespace, profile=profile,
                    report_period=10 * second if report_period is None else report_period,
                )  # fmt: skip

    return SweepDevice


def _run_compiled(
    network: Network,
    duration: Any,
    report: str | Callable | None,
    namespace: Mapping[str, Any],
    device: Any,
) -> str | None:
    """Run a network on compiled kernels; give the reason if that cannot be done."""
    from brian2 import second

    if duration < 0 * second:
        msg = f"a run needs a duration of 0 s or more, got {duration}"
        raise InputError(msg)
    try:
        plans = read_network(network, namespace)
        programs = [Program(build(plan, namespace), plan) for plan in plans]
    except (NotCompilableError, CompilerError) as error:
        return str(error)
    start, end = float(network.t_), float(network.t_) + float(duration)
    began = time.time()
    telling = _report(report, programs, start, end)
    _Run(network, programs, telling, device, namespace).until(start, end)
    part = (float(network.t_) - start) / (end - start) if end > start else 1.0
    note_run(device, time.time() - began, part)
    return None


class _Run:
    """One run of all groups: done as a whole, or not at all."""

    def __init__(
        self,
        network: Network,
        programs: list[Program],
        telling: Callable | None,
        device: RuntimeDevice,
        namespace: Mapping[str, Any],
    ) -> None:
        self.namespace = namespace
        self.network, self.programs, self.telling = network, programs, telling
        self.threads = int(device.build_options.get("threads", 1))
        self.seeds = [device.streams.next() for _ in programs]
        self.lock = threading.Lock()
        self.clocks = clocks_of([program.plan for program in programs])
        self.done = 0

    def until(self, start: float, end: float) -> None:
        """Run from `start` to `end` (s), or to where `stop` was called on the way."""
        before, asked = Before.of(self.programs), end
        forget_stop(self.network)
        try:
            outcomes = self._all_groups(start, end, self._keep_going)
            if not self._keep_going():
                # the groups have come to different times: all of them once more, to one time
                before.restore()
                end = start + (end - start) * self.done / self._total(start, end)
                outcomes = self._all_groups(start, end, lambda: True)
                self.network.t_ = min(last_step(c) * c.dt_ for c in self.clocks)
            else:
                self.network.t_ = end
        except BaseException:
            before.restore()
            raise
        for clock in self.clocks:
            clock.variables["timestep"].set_value(last_step(clock))
            clock.variables["t"].set_value(last_step(clock) * clock.dt_)
        if self.telling is not None:
            self.telling(0, (float(self.network.t_) - start) / ((asked - start) or 1.0))
        for program, (commit, outcome) in zip(self.programs, outcomes, strict=True):
            commit()
            store(program.plan, outcome.spikes)
            allow_single_steps(program.plan, self.namespace)
            _warn_of_lost(program, outcome.lost)

    def _keep_going(self) -> bool:
        return not is_stopped(self.network)

    def _total(self, start: float, end: float) -> float:
        return sum(p.n_traces * (end - start) / p.plan.dt for p in self.programs)

    def _all_groups(
        self, start: float, end: float, keep_going: Callable[[], bool]
    ) -> list[tuple[Callable[[], None], Outcome]]:
        from brian2 import second

        for clock in self.clocks:
            clock.set_interval(start * second, end * second)
        outcomes = []
        for program, seed in zip(self.programs, self.seeds, strict=True):
            clock = program.plan.group.clock
            first = int(clock.variables["timestep"].get_value().item())
            last = last_step(clock)
            recorders, commit = recorders_of(program.plan, first, last)
            outcome = program.run(
                first, last, recorders, seed=seed, threads=self.threads,
                report=self._count, keep_going=keep_going,
            )  # fmt: skip
            outcomes.append((commit, outcome))
        return outcomes

    def _count(self, steps: int) -> None:
        with self.lock:  # called by every thread
            self.done += steps
        if self.telling is not None and self._keep_going():
            self.telling(steps)


def _warn_of_lost(program: Program, lost: Lost | None) -> None:
    if lost is not None:
        warnings.warn(
            lost.describe(program.plan.group.name, program.plan.dt),
            NotFiniteWarning,
            stacklevel=7,
        )


@attrs.define
class _Streams:
    """Seeds of the noise, one after another, from one root."""

    root: int
    drawn: int = 0

    @classmethod
    def of(cls, seed: int | None) -> _Streams:
        """Start anew; None takes a root from the operating system."""
        return cls(secrets.randbits(64) if seed is None else int(seed))

    def next(self) -> int:
        """Give a seed that differs from all before."""
        self.drawn += 1
        sequence = np.random.SeedSequence((self.root, self.drawn))
        return int(sequence.generate_state(1, np.uint64)[0] >> 1)


def _report(
    report: str | Callable | None, programs: list[Program], start: float, end: float
) -> Callable[..., None] | None:
    """Turn trace-steps into calls of Brian2's report function."""
    import sys

    from brian2 import second
    from brian2.core.network import TextReport

    if report is None:
        return None
    streams = {"text": sys.stdout, "stdout": sys.stdout, "stderr": sys.stderr}
    if isinstance(report, str) and report not in streams:
        msg = f"report must be one of {', '.join(streams)} or a function, got {report!r}"
        raise InputError(msg)
    hear = TextReport(streams[report]) if isinstance(report, str) else report
    total = sum(p.n_traces * (end - start) / p.plan.dt for p in programs) or 1.0
    began, done, told = time.time(), [0.0], [time.time()]
    lock = threading.Lock()
    hear(0 * second, 0.0, start * second, (end - start) * second)

    def tell(steps: int, completed: float | None = None) -> None:
        with lock:
            done[0] += steps
            now = time.time()
            if completed is not None or now - told[0] > 1.0:
                told[0] = now
                part = min(done[0] / total, 1.0) if completed is None else completed
                hear((now - began) * second, part, start * second, (end - start) * second)

    return tell

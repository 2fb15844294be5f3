"""The sweep device: an ordinary Brian2 script, with its time loop compiled in one piece.

``set_device('sweeps')`` before the objects are made; `run` then uses the compiled loop for
networks of uncoupled NeuronGroups with their monitors, and Brian2's own run, with a warning
that says why, for everything else.
"""

from __future__ import annotations

import threading
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.engine.build import build
from cleo_like.engine.guard import exclusive
from cleo_like.engine.monitors import recorders_of, store
from cleo_like.engine.plan import NotCompilableError, read_network
from cleo_like.engine.program import Program
from cleo_like.engine.toolchain import CompilerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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

        def network_run(  # noqa: PLR0917  # Brian2's signature
            self, network: Any, duration: Any, report: Any = None, report_period: Any = None,
            namespace: Any = None, profile: Any = None, level: int = 0,
        ) -> None:  # fmt: skip
            """Take the place of `Network.run`."""
            from brian2 import Network, second

            if namespace is None:
                namespace = get_local_namespace(level=level + 2)
            with exclusive():
                reason = _run_compiled(network, duration, report, namespace, self.build_options)
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
    network: Any, duration: Any, report: Any, namespace: Mapping[str, Any],
    options: Mapping[str, Any],
) -> str | None:  # fmt: skip
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
    clocks = {found.clock for found in network.sorted_objects}
    for clock in clocks:
        clock.set_interval(start * second, end * second)
    began = time.time()
    telling = _report(report, programs, start, end)
    network._stopped = False  # noqa: SLF001  # as Brian2 does at the start of a run
    for program in programs:
        _run_group(program, network, telling, options)
    for clock in clocks:
        clock.variables["timestep"].set_value(clock._i_end)  # noqa: SLF001
        clock.variables["t"].set_value(clock._i_end * clock.dt_)  # noqa: SLF001
    network.t_ = end
    if telling is not None:
        telling(None)
    _note_last_run(time.time() - began)
    return None


def _run_group(
    program: Program, network: Any, telling: Callable | None, options: Mapping[str, Any]
) -> None:
    clock = program.plan.group.clock
    first = int(clock.variables["timestep"].get_value().item())
    last = int(clock._i_end)  # noqa: SLF001
    recorders, commit = recorders_of(program.plan, first, last)
    outcome = program.run(
        first, last, recorders,
        seed=_noise_seed(options), threads=int(options.get("threads", 1)), report=telling,
        keep_going=lambda: not network._stopped,  # noqa: SLF001
    )  # fmt: skip
    commit()
    store(program.plan, outcome.spikes)
    if outcome.lost is not None:
        group = program.plan.group
        warnings.warn(
            f"a state of {group.name!r} is not finite in trace {outcome.lost.trace} "
            f"{outcome.lost.when(program.plan.dt)}; try a smaller dt",
            NotFiniteWarning,
            stacklevel=6,
        )


_seed_of_process = int(np.random.SeedSequence().generate_state(1)[0])
_runs = [0]


def _noise_seed(options: Mapping[str, Any]) -> int:
    """Seed of this run: of ``set_device(..., seed=...)``, or drawn anew; every run differs."""
    given = options.get("seed")
    _runs[0] += 1
    root = _seed_of_process if given is None else int(given)
    return int(np.random.SeedSequence((root, _runs[0])).generate_state(1, np.uint64)[0] >> 1)


def _note_last_run(seconds: float) -> None:
    from brian2.devices.device import get_device

    device = get_device()
    device._last_run_time = seconds  # noqa: SLF001
    device._last_run_completed_fraction = 1.0  # noqa: SLF001


def _report(
    report: Any, programs: list[Program], start: float, end: float
) -> Callable[[int | None], None] | None:
    """Turn trace-steps into calls of Brian2's report function."""
    import sys

    from brian2 import second
    from brian2.core.network import TextReport

    if report is None:
        return None
    streams = {"text": sys.stdout, "stdout": sys.stdout, "stderr": sys.stderr}
    hear = TextReport(streams[report]) if isinstance(report, str) else report
    total = sum(p.n_traces * (end - start) / p.plan.dt for p in programs) or 1.0
    began, done, told = time.time(), [0.0], [time.time()]
    lock = threading.Lock()
    hear(0 * second, 0.0, start * second, (end - start) * second)

    def tell(steps: int | None) -> None:
        with lock:
            done[0] = total if steps is None else done[0] + steps
            now = time.time()
            if steps is None or now - told[0] > 1.0:
                told[0] = now
                fraction = min(done[0] / total, 1.0)
                hear((now - began) * second, fraction, start * second, (end - start) * second)

    return tell

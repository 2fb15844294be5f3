"""Blocks of traces on Brian2's own loop: the reference, and the fall-back."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.engine.runtime.run_lock import exclusive
from cleo_like.patch.backends.objects import BenchObjects, Block, block_seed, padded, refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleo_like.patch.batch import Job


class CompilerWarning(UserWarning):
    """There is no C++ compiler, so the simulation runs on numpy and is slow."""


def run_brian2(
    job: Job, size: int, seed: int, report: Callable[[float], None] | None
) -> Iterator[Block]:
    """Run a job on Brian2's runtime (Cython, or numpy without a compiler)."""
    from brian2 import Network, second
    from brian2 import seed as seed_brian2  # noqa: TID251  # the one place that seeds it

    check_device()
    _say_when_slow()
    with refusals(job.model.name):
        bench = BenchObjects.build(padded(job.part(0, min(size, job.n_traces)), size))
    bench.network.store("bench")
    for number, start in enumerate(range(0, job.n_traces, size)):
        part = job.part(start, min(start + size, job.n_traces))
        bench.network.restore("bench")
        bench.set_values(padded(part, size))
        if bench.stochastic:
            seed_brian2(block_seed(seed, number))
        progress = _Progress(report, part)
        with exclusive(), refusals(job.model.name), _explained(part):
            # Brian2's own loop, also where the sweep device is set
            Network.run.original_function(
                bench.network, part.n_samples / part.rate * second, namespace={},
                **progress.options,
            )  # fmt: skip
        progress.finish()
        yield bench.block(part, start)


def check_device() -> None:
    """Refuse a Brian2 device that would not run anything now."""
    from brian2.devices.device import RuntimeDevice, get_device

    if not isinstance(get_device(), RuntimeDevice):
        msg = (
            "another Brian2 device is active; call brian2.set_device('runtime') before "
            "record(), which switches to a standalone program by itself when asked to"
        )
        raise UnsupportedError(msg)


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


def auto_target_is_numpy() -> bool:
    """Whether Brian2 falls back to numpy for want of a compiler."""
    from brian2 import prefs
    from brian2.devices.device import auto_target

    return prefs["codegen.target"] == "auto" and "Numpy" in auto_target().__name__


def _say_when_slow() -> None:
    if auto_target_is_numpy():
        _use_plain_exprel()
        warnings.warn(
            "no working C++ compiler: Brian2 runs on numpy, 4 to 100 times slower than "
            "compiled code; install g++ or clang, or pip install 'cleo_like[compiler]'",
            CompilerWarning,
            stacklevel=4,
        )


def _use_plain_exprel() -> None:
    """Give Brian2's numpy target an `exprel` without checks of units.

    Brian2 wraps its own in a check that formats the whole result at every call, which makes
    Hodgkin-Huxley rates 15 times slower; units are checked before the run anyway.
    """
    from brian2.core.functions import DEFAULT_FUNCTIONS
    from scipy.special import exprel

    DEFAULT_FUNCTIONS["exprel"].implementations.add_implementation("numpy", code=exprel)


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

    def _hear(
        self, _elapsed: object, complete: float, _start: object, _duration: object
    ) -> None:
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

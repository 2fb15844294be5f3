"""Blocks of traces from a compiled standalone program of Brian2."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import UnsupportedError
from cleo_like.patch.backends.objects import BenchObjects, Block, block_seed, padded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleo_like.patch.batch import Job


def run_standalone(
    job: Job, size: int, seed: int, report: Callable[[float], None] | None
) -> Iterator[Block]:
    """Run a job as a standalone program of Brian2, compiled once for all blocks."""
    from brian2 import second

    with _standalone_device() as (device, directory):
        first = padded(job.part(0, min(size, job.n_traces)), size)
        bench = BenchObjects.build(first)
        if bench.stochastic:
            device.seed(block_seed(seed, 0))
        bench.network.run(first.n_samples / first.rate * second, namespace={})
        device.build(directory=directory, compile=True, run=False, with_output=False)
        for start in range(0, job.n_traces, size):
            part = job.part(start, min(start + size, job.n_traces))
            if bench.stochastic and start > 0:
                msg = (
                    "equations with noise terms in more than one block would repeat the same "
                    "noise in a standalone program; raise memory, or use backend='brian2'"
                )
                raise UnsupportedError(msg)
            device.run(run_args=bench.arguments(padded(part, size)), with_output=False)
            if report is not None:
                report(part.n_traces * part.n_samples / part.rate)
            yield bench.block(part, start)


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

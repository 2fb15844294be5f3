"""Blocks of traces on compiled kernels: the default."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.engine.codegen.build import build, width_of
from cleo_like.engine.codegen.network import read_network
from cleo_like.engine.codegen.source import WIDTH
from cleo_like.engine.runtime.program import Program, Recorder
from cleo_like.engine.runtime.run_lock import exclusive
from cleo_like.patch.backends.brian import check_device
from cleo_like.patch.backends.objects import (
    BEFORE,
    BenchObjects,
    Block,
    block_of,
    padded,
    refined,
    refusals,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleo_like.patch.batch import Job


def available_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare(job: Job, size: int, *, often: bool = False) -> tuple[BenchObjects, Program]:
    """Compile the time loop of a job's blocks; `often` where it is called for some steps.

    Raises
    ------
    NotCompilableError, CompilerError
        With the reason.
    """
    check_device()
    with exclusive(), refusals(job.model.name):
        objects = BenchObjects.build(padded(job.part(0, min(size, job.n_traces)), size))
        (plan,) = read_network(objects.network, {})
        width = width_of(plan) if often else WIDTH
        return objects, Program(build(plan, {}, width), plan)


def run_compiled(
    job: Job,
    prepared: tuple[BenchObjects, Program],
    *,
    seed: int,
    threads: int,
    report: Callable[[float], None] | None,
) -> Iterator[Block]:
    """Run a job on what `prepare` made of it, `threads` chunks at a time."""
    objects, program = prepared
    size = program.n_traces
    # the recorders of a program are in the order of names
    buffers = {
        name: np.empty((size, job.n_samples), dtype=np.float32) for name in sorted(job.recorded)
    }
    recorders = [Recorder(out=buffer.T) for buffer in buffers.values()]
    n_steps = round(job.n_samples / job.rate / job.dt)
    for start in range(0, job.n_traces, size):
        part = job.part(start, min(start + size, job.n_traces))
        objects.set_values(padded(part, size))
        with exclusive():
            outcome = program.run(
                0, n_steps, recorders, seed=seed, offset=start,
                threads=threads, report=_in_seconds(report, part, size),
            )  # fmt: skip
        lost = outcome.lost
        if lost is not None and lost.trace < part.n_traces:
            lost = attrs.evolve(lost, trace=start + lost.trace)
            advice = f"try a smaller dt (now {job.dt * 1e3:g} ms) or less current"
            raise InputError(lost.describe(job.model.name, job.dt, advice))
        (spikes,) = outcome.spikes
        times = refined(
            part, spikes.trace, spikes.step * job.dt,
            spikes.variables[job.model.voltage], spikes.variables[BEFORE],
        )  # fmt: skip
        yield block_of(part, start, buffers, spikes.trace, times)


def _in_seconds(
    report: Callable[[float], None] | None, part: Job, size: int
) -> Callable[[int], None] | None:
    """Turn trace-steps of a filled-up block into trace-seconds of its own traces."""
    if report is None:
        return None
    share, lock = part.n_traces / size * part.dt, threading.Lock()

    def tell(steps: int) -> None:
        with lock:
            report(steps * share)

    return tell

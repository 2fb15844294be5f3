"""Run a job block by block, on compiled kernels or on Brian2."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import attrs
import numpy as np

from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.engine.codegen.network import NotCompilableError
from cleo_like.engine.codegen.source import WIDTH
from cleo_like.engine.device import FallbackWarning
from cleo_like.engine.toolchain import CompilerError
from cleo_like.patch.backends.brian import run_brian2
from cleo_like.patch.backends.compiled import available_cores, prepare, run_compiled
from cleo_like.patch.backends.standalone import run_standalone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleo_like.patch.backends.objects import Block
    from cleo_like.patch.batch import Job

Backend: TypeAlias = Literal["auto", "compiled", "brian2", "cpp_standalone"]
"""What may be asked to run a job."""
BACKENDS: tuple[Backend, ...] = get_args(Backend)
_BYTES_PER_SAMPLE = {"compiled": 4, "brian2": 24, "cpp_standalone": 24}
"""Peak bytes per recorded sample: float32, or Brian2's float64 that grows by doubling."""
_TRACES = 8 * WIDTH
"""Largest block of compiled traces: more would only cost memory."""


@attrs.frozen
class Simulation:
    """A job that runs as its blocks are asked for.

    Attributes
    ----------
    backend : str
        What runs it.
    block_size : int
        Traces per block.
    blocks : iterator of Block
        In order, covering all traces.
    """

    backend: str
    block_size: int
    blocks: Iterator[Block]


def simulate(
    job: Job,
    *,
    backend: Backend = "auto",
    memory: float = 512e6,
    seed: int = 0,
    threads: int | None = None,
    report: Callable[[float], None] | None = None,
) -> Simulation:
    """Run all traces of a job.

    Parameters
    ----------
    job : Job
        Traces of one model.
    backend : str
        "compiled", "brian2" or "cpp_standalone"; "auto" is "compiled" where that is possible.
    memory : float
        Bound on the recording buffer (bytes); traces run in blocks that fit.
    seed : int
        Seed of noise terms (``xi``) in the equations.
    threads : int, optional
        Threads of the compiled loop (default: one per core); results do not depend on it.
    report : callable, optional
        Told the simulated trace-seconds as they pass.

    Returns
    -------
    Simulation
        The blocks, to be iterated once.

    Warns
    -----
    FallbackWarning
        "auto", and the job cannot be compiled: says why.

    Raises
    ------
    UnsupportedError
        "compiled", and the job cannot be.
    """
    if backend not in BACKENDS:
        msg = f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}"
        raise InputError(msg)
    if backend in {"auto", "compiled"}:
        size = block_size(job, memory, "compiled")
        try:
            prepared = prepare(job, size)
        except (NotCompilableError, CompilerError) as error:
            _refuse_or_warn(job, backend, error)
            backend = "brian2"
        else:
            cores = available_cores() if threads is None else threads
            blocks = run_compiled(job, prepared, seed=seed, threads=cores, report=report)
            return Simulation("compiled", size, blocks)
    size = block_size(job, memory, backend)
    run = run_standalone if backend == "cpp_standalone" else run_brian2
    return Simulation(backend, size, run(job, size, seed, report))


def _refuse_or_warn(job: Job, backend: str, error: Exception) -> None:
    if backend == "compiled":
        msg = f"{job.model.name!r} cannot run compiled: {error}; use backend='brian2'"
        raise UnsupportedError(msg) from error
    warnings.warn(
        f"Brian2's own loop runs {job.model.name!r}: {error}", FallbackWarning, stacklevel=4
    )


def block_size(job: Job, memory: float, backend: str) -> int:
    """Give the number of traces per block: as many as fit, all blocks about equal.

    Raises
    ------
    InputError
        Not even one trace fits.
    """
    per_trace = _BYTES_PER_SAMPLE[backend] * job.n_samples * len(job.recorded)
    fit = int(memory // max(per_trace, 1))
    if fit < 1:
        msg = (
            f"one trace of {job.n_samples} samples needs {per_trace / 1e6:.0f} MB but "
            f"memory={memory / 1e6:.0f} MB; raise memory or shorten the sweep"
        )
        raise InputError(msg)
    if backend == "compiled":
        return min(fit, job.n_traces, _TRACES)
    blocks = int(np.ceil(job.n_traces / fit))
    return int(np.ceil(job.n_traces / blocks))

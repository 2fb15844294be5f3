"""97 one-second sweeps of an HH (RS) cell: one run, sweep after sweep, and the limit in C.

All rows integrate the same equations with RK4 at 0.02 ms and keep v at 10 kHz; CPU time of
the simulation itself (compilation excluded, minimum of the repeats), measured in one run.
The sweep-after-sweep row is a plain Brian2 script (stock rk4, TimedArray in the equations,
one `run` per sweep); unless --full it runs 3 of the 97 sweeps and is scaled.

    python benchmarks/bench_record.py [--full] [--repeats N]
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import tempfile
import time
from pathlib import Path

import attrs
import numpy as np

from cleo_like.cells import Dynamics, get_cell
from cleo_like.core import Protocol
from cleo_like.patch.backends.choose import simulate
from cleo_like.patch.batch import Specimen, make_job, rest_and_answers

RATE, SWEEPS, SECONDS, DT = 10_000.0, 97, 1.0, 20e-6


def cpu() -> float:
    """CPU time of this process and its finished children (s)."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def protocol(n_sweeps: int) -> Protocol:
    """Smooth random currents that make the cell fire now and then."""
    rng = np.random.default_rng(0)
    knots = rng.uniform(0, 800e-12, (n_sweeps, 64))
    x = np.linspace(0, 63, int(RATE * SECONDS))
    waveforms = np.stack([np.interp(x, np.arange(64), row) for row in knots])
    return Protocol(waveforms=waveforms, rate=RATE, family="arbitrary")


def make(n_sweeps: int):
    cell = get_cell("rs")
    specimen = Specimen(id="rs", model=cell, parameters=cell.parameters)
    rest, _, _ = rest_and_answers([specimen], 0.0)
    return make_job([specimen], protocol(n_sweeps), sequential=False, dt=DT, rest=rest), rest


def one_run(backend: str, repeats: int) -> tuple[float, np.ndarray, int]:
    """CPU of one run of all sweeps, compilation excluded.

    The same traces run once per block; the first block, which compiles, is not counted.
    """
    job, _ = make(SWEEPS)
    index = np.tile(np.arange(SWEEPS), repeats + 1)
    job = attrs.evolve(
        job,
        parameters={k: v[index] for k, v in job.parameters.items()},
        sweep=job.sweep[index],
        initial=job.initial[:, index],
    )
    bytes_per_sample = 4 if backend == "compiled" else 24
    memory = bytes_per_sample * job.n_samples * SWEEPS  # exactly one block
    blocks = simulate(job, backend=backend, memory=memory, threads=1).blocks
    next(blocks)
    best = np.inf
    for _ in range(repeats):
        start = cpu()
        block = next(blocks)
        best = min(best, cpu() - start)
    return best, block.samples[job.model.voltage], sum(map(len, block.spike_times))


def sweep_after_sweep(n_sweeps: int) -> float:
    """A plain Brian2 script: one run per sweep."""
    import brian2 as b2

    job, rest = make(n_sweeps)
    cell = get_cell("rs")
    stimulus = b2.TimedArray(job.waveforms.T * b2.amp, dt=b2.second / RATE)
    group = b2.NeuronGroup(
        1,
        cell.equations + "\nI = stimulus(t - t0, which) : amp\nwhich : integer\nt0 : second",
        threshold="v > -20*mV",
        refractory="v > -20*mV",
        method="rk4",
        dt=DT * b2.second,
        namespace={"stimulus": stimulus},
        name="sequential",
    )
    monitor = b2.StateMonitor(group, "v", record=True, dt=b2.second / RATE)
    spikes = b2.SpikeMonitor(group)
    network = b2.Network(group, monitor, spikes)
    group.set_states({k: v[:1] for k, v in job.parameters.items()}, units=False)
    states = dict(zip(Dynamics(cell).states, rest, strict=True))

    def begin(k: int) -> None:
        group.set_states(states, units=False)
        group.which, group.t0 = k, network.t

    begin(0)
    network.run(1 * b2.ms)
    start = cpu()
    for k in range(n_sweeps):
        begin(k)
        network.run(SECONDS * b2.second)
    return (cpu() - start) * SWEEPS / n_sweeps


def limit(repeats: int) -> tuple[float, np.ndarray]:
    """The same equations as a C loop."""
    job, rest = make(SWEEPS)
    source = Path(__file__).with_name("rs_limit.c")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "limit.so"
        subprocess.run(
            ["gcc", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", source, "-o",
             library, "-lm"],
            check=True,
        )  # fmt: skip
        run = ctypes.CDLL(str(library)).run
    order = [Dynamics(get_cell("rs")).states.index(s) for s in "vmhnp"]
    command = np.ascontiguousarray(job.waveforms.T)
    best = np.inf
    pointer = np.ctypeslib.ndpointer(dtype=float, flags="C")
    run.argtypes = [*[ctypes.c_int] * 3, ctypes.c_double, pointer, pointer, pointer]
    for _ in range(repeats):
        state = np.zeros((5, 128))
        state[:, :SWEEPS] = rest[order]
        out = np.empty_like(command)
        start = time.process_time()
        run(SWEEPS, job.n_samples, round(1 / RATE / DT), DT, state, command, out)
        best = min(best, time.process_time() - start)
    return best, out.T


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="run all 97 sweeps one by one")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    c_time, c_voltage = limit(options.repeats)
    rows = [("C loop, -O3 -march=native -ffast-math (limit)", c_time)]
    for backend, label in (
        ("cpp_standalone", "one run, standalone"),
        ("brian2", "one run, Brian2's runtime (Cython)"),
        ("compiled", "one run, compiled loop"),
    ):
        seconds, voltage, spikes = one_run(backend, options.repeats)
        early = np.abs(voltage - c_voltage)[:, : int(0.1 * RATE)].max()
        print(
            f"{label}: {spikes} spikes; differs from the C loop by {early * 1e3:.1e} mV in 0.1 s"
        )
        rows.append((label, seconds))
    sequential = sweep_after_sweep(SWEEPS if options.full else 3)
    scaled = "" if options.full else " (3 sweeps, scaled)"
    rows.append((f"Brian2, sweep after sweep{scaled}", sequential))
    print(f"\n{'':48s}{'CPU s':>9s}{'x limit':>9s}{'sequential/this':>17s}")
    for label, seconds in rows:
        print(f"{label:48s}{seconds:9.3f}{seconds / c_time:9.1f}{sequential / seconds:17.1f}")


if __name__ == "__main__":
    main()

"""The compiled engine against hand-written C loops and stock Brian2, on the same input.

CPU time of one thread, minimum of several repeats; compilation apart. Every pair is checked for
the same spikes before its ratio is printed.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import brian2 as b2
import numpy as np

from cleo_like.cells import Population, get_cell
from cleo_like.engine.codegen.build import build
from cleo_like.engine.codegen.network import read_network
from cleo_like.engine.device import register as register_device
from cleo_like.engine.integrators import register as register_method
from cleo_like.engine.runtime.program import Program, Recorder

RATE, SWEEPS = 10_000.0, 97


def cpu() -> float:
    """CPU time of this process and its finished children (s)."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def best(function, repeats: int) -> tuple[float, object]:
    """Minimum of the CPU times, and the last result."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return min(times), result


def picture(samples: int) -> np.ndarray:
    """Rows of a picture-like current, shape (samples, 97), in ampere: smooth with edges."""
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, samples)
    rows = []
    for _ in range(SWEEPS):
        knots = rng.uniform(0, 900e-12, 40)
        row = np.interp(x, np.linspace(0, 1, 40), knots)
        start, length = rng.uniform(0.1, 0.8), rng.uniform(0.02, 0.2)
        row[(x > start) & (x < start + length)] *= rng.uniform(0, 1)
        rows.append(row)
    return np.ascontiguousarray(np.stack(rows, axis=1))


def library():
    """The C loops, compiled here."""
    folder = tempfile.mkdtemp()
    target = Path(folder) / "limit.so"
    source = Path(__file__).with_name("engine_limit.c")
    command = [
        "gcc",
        "-O3",
        "-march=native",
        "-ffast-math",
        "-c",
        "-fPIC",
        source,
        "-o",
        folder + "/l.o",
    ]
    subprocess.run(command, check=True)
    # linked without -ffast-math: it would switch denormal numbers off in the whole process
    subprocess.run(
        ["gcc", "-shared", folder + "/l.o", "-o", target, "-lmvec", "-lm"], check=True
    )
    return ctypes.CDLL(str(target))


def pointer(array: np.ndarray):
    return ctypes.c_void_p(array.ctypes.data)


HH_STATES = {"v": -0.070, "m": 0.02, "h": 0.99, "n": 0.03, "p": 0.03}


def hh_c(lib, command, column, parameters, *, substeps, dt, staggered, kind):
    """Run the C loop of the HH cell; give v at the samples (float32: trace by trace)."""
    n, samples = len(column), len(command)
    state = np.ascontiguousarray(np.repeat([[x] for x in HH_STATES.values()], n, axis=1))
    out = np.empty((samples, n) if kind is np.float64 else (n, samples), dtype=kind)
    run = lib.hh_double if kind is np.float64 else lib.hh_single
    run(n, samples, substeps, ctypes.c_double(dt), int(staggered), pointer(state), pointer(parameters),
        pointer(command), command.shape[1], pointer(column), pointer(out))  # fmt: skip
    return out


def crossings(v: np.ndarray) -> int:
    """Upward crossings of -20 mV along the first axis."""
    return int(((v[1:] > -0.02) & (v[:-1] <= -0.02)).sum())


def hh_group(n: int, method: str, dt: float, command: np.ndarray, rate: float = RATE):
    """The same cell in Brian2, command by sample-and-hold."""
    cell = get_cell("rs")
    stim = b2.TimedArray(command * b2.amp, dt=b2.second / rate)
    group = b2.NeuronGroup(
        n, cell.equations + "\nI : amp\ncolumn : integer (constant)", method=method, dt=dt * b2.second,
        namespace={"stim": stim}, name=f"hh{n}",
    )  # fmt: skip
    group.run_regularly("I = stim(t, column)", dt=b2.second / rate, when="start")
    group.set_states(
        {k: np.full(n, v) for k, v in (HH_STATES | dict(cell.parameters)).items()}, units=False
    )
    return group


def program_of(network) -> Program:
    (plan,) = read_network(network, {})
    return Program(build(plan, {}), plan)


ROWS: list[tuple[str, str]] = []


def line(name: str, value: str, asked: str = "") -> None:
    ROWS.append((name, value))
    print(f"{name:70s} {value:>24s}   {asked}", flush=True)


def image_protocol(lib, repeats: int) -> None:
    """97 sweeps of 1 s, HH, dt 25 us, v at 10 kHz."""
    dt, steps = 25e-6, 40_000
    command = picture(int(RATE))
    column = np.arange(SWEEPS, dtype=np.int32)
    cell = get_cell("rs")
    parameters = np.array(
        [[cell.parameters[k]] * SWEEPS for k in ("C", "gL", "gNa", "gK", "gM", "VT")]
    )
    for method in ("rush_larsen", "staggered"):
        staggered = method == "staggered"
        limit, reference = best(
            lambda s=staggered: hh_c(
                lib,
                command,
                column,
                parameters,
                substeps=4,
                dt=dt,
                staggered=s,
                kind=np.float64,
            ),
            repeats,
        )
        group = hh_group(SWEEPS, register_method(method), dt, command)
        group.column = np.arange(SWEEPS)
        monitor = b2.StateMonitor(
            group, "v", record=True, dt=b2.second / RATE, when="start", order=-1
        )
        network = b2.Network(group, monitor)
        initial = {k: np.full(SWEEPS, v) for k, v in HH_STATES.items()}
        program = program_of(network)
        out = np.empty((int(RATE), SWEEPS))

        def once(group=group, initial=initial, program=program, out=out):
            group.set_states(initial, units=False)
            program.run(0, steps, [Recorder(out=out)])
            return out

        seconds, v = best(once, repeats)
        assert crossings(v) == crossings(reference), (crossings(v), crossings(reference))
        line(f"image protocol, HH, {method}: C limit", f"{limit:.4f} s")
        line(
            f"image protocol, HH, {method}: kernel / limit",
            f"{seconds / limit:.2f}",
            "asked <= 1.5",
        )


SCRIPT = """
    from brian2 import *
    from cleo_like.cells import get_cell
    cell = get_cell("{cell}")
    stim = TimedArray(command * amp, dt=0.1*ms)
    G = NeuronGroup(97, cell.equations + "\\nI = stim(t, i) : amp", threshold={threshold!r},
                    reset={reset!r}, refractory={refractory}, method={method!r}, dt={dt}*us)
    G.set_states(dict(cell.parameters), units=False)
    G.set_states(initial, units=False)
    M = StateMonitor(G, "v", record=True, dt=0.1*ms)
    S = SpikeMonitor(G)
    net = Network(G, M, S)
"""
HH_SCRIPT = {
    "cell": "rs",
    "threshold": "v > -20*mV",
    "reset": "",
    "refractory": '"v > -20*mV"',
    "method": "exponential_euler",
    "dt": 25,
}
ADEX_SCRIPT = {
    "cell": "adex_adapting",
    "threshold": "v > Vcut",
    "reset": "v = Vr; w += b",
    "refractory": False,
    "method": "euler",
    "dt": 50,
}


def script(
    options: dict, command: np.ndarray, device: str, repeats: int
) -> tuple[float, int, np.ndarray]:
    """CPU of `run(1 s)` of an ordinary script (after a first short run), spikes, v."""
    initial = HH_STATES if options["cell"] == "rs" else {"v": -0.070, "w": 0.0}
    b2.set_device(device)
    try:
        names = {
            "command": command,
            "initial": {k: np.full(SWEEPS, x) for k, x in initial.items()},
        }
        exec(textwrap.dedent(SCRIPT).format(**options), names)
        net, group = names["net"], names["G"]
        net.store()
        net.run(0.2 * b2.ms, namespace=names)
        times = []
        for _ in range(repeats):
            net.restore()
            start = time.process_time()
            net.run(1 * b2.second, namespace=names)
            times.append(time.process_time() - start)
        del group
        return min(times), int(names["S"].num_spikes), np.array(names["M"].v_)
    finally:
        b2.device.reinit()
        b2.device.activate()
        b2.set_device("runtime")


def unmodified_scripts(lib, repeats: int) -> None:
    """An ordinary script, stock cython against the sweep device."""
    b2.prefs.codegen.target = "cython"
    device = register_device()
    for label, options, asked in (
        ("HH", HH_SCRIPT, "asked >= 12"),
        ("AdEx", ADEX_SCRIPT, "reference 30"),
    ):
        command = picture(int(RATE)) * (1 if label == "HH" else 0.9)
        stock, n_stock, v_stock = script(options, command, "runtime", min(repeats, 3))
        ours, n_ours, v_ours = script(options, command, device, repeats)
        assert n_stock == n_ours, (label, n_stock, n_ours)
        line(f"unmodified {label} script: stock cython", f"{stock:.3f} s, {n_stock} spikes")
        line(f"unmodified {label} script: stock / device", f"{stock / ours:.1f}", asked)
        line(
            f"unmodified {label} script: largest difference of v",
            f"{np.abs(v_stock - v_ours).max():.1e} V",
            "",
        )
        if label == "AdEx":
            state = np.ascontiguousarray(np.repeat([[-0.07], [0.0]], SWEEPS, axis=1))
            out = np.empty((int(RATE), SWEEPS))

            def limit(state=state, out=out, command=command):
                s = state.copy()
                return lib.adex(
                    SWEEPS,
                    int(RATE),
                    2,
                    ctypes.c_double(50e-6),
                    pointer(s),
                    pointer(command),
                    pointer(out),
                )

            c_time, c_spikes = best(limit, repeats)
            line(
                f"AdEx: device / C limit ({c_spikes} and {n_ours} spikes)",
                f"{ours / c_time:.2f}",
            )
            kernel = adex_kernel(command, repeats)
            line(
                "AdEx: kernel into warm memory / C limit",
                f"{kernel / c_time:.2f}",
                "asked <= 2",
            )


def adex_kernel(command: np.ndarray, repeats: int) -> float:
    """CPU of the same loop with its arrays at hand, as the C loop has them."""
    initial = {"v": np.full(SWEEPS, -0.070), "w": np.zeros(SWEEPS)}
    names = {"command": command, "initial": initial}
    exec(textwrap.dedent(SCRIPT).format(**ADEX_SCRIPT), names)
    (plan,) = read_network(names["net"], names)
    program = Program(build(plan, names), plan)
    out = np.empty((int(RATE), SWEEPS))

    def once() -> None:
        names["G"].set_states(initial, units=False)
        program.run(0, 20_000, [Recorder(out=out)])

    return best(once, repeats)[0]


def population(lib, repeats: int, *, full: bool) -> None:
    """Heterogeneous HH cells x 20 long squares, command at 20 kHz, staggered, 50 us."""
    rate = 20_000.0
    dt, n_cells, n_sweeps = 50e-6, 1000 if full else 100, 20
    seconds = 1.5 if full else 0.6
    samples = int(seconds * rate)
    n = n_cells * n_sweeps
    cells = Population.draw(
        get_cell("rs"), n_cells, {"gNa": 0.1, "gK": 0.1, "gL": 0.2, "gM": 0.2, "C": 0.2}, seed=0
    )
    thresholds = np.random.default_rng(1).normal(-0.055, 0.001, n_cells)
    command = np.zeros((samples, n_sweeps))
    command[int(0.1 * samples) : int(0.8 * samples)] = np.linspace(-100e-12, 850e-12, n_sweeps)
    names = ("C", "gL", "gNa", "gK", "gM")
    values = {k: np.repeat(cells.parameters[k], n_sweeps) for k in names} | {
        "VT": np.repeat(thresholds, n_sweeps)
    }
    column = np.tile(np.arange(n_sweeps, dtype=np.int32), n_cells)
    block = 1024
    parameters = np.ascontiguousarray(np.stack([values[k] for k in (*names, "VT")]))

    def by_hand() -> int:
        for first in range(0, n, block):
            part = slice(first, first + block)
            hh_c(lib, command, np.ascontiguousarray(column[part]),
                 np.ascontiguousarray(parameters[:, part]), substeps=1, dt=dt, staggered=True,
                 kind=np.float32)  # fmt: skip
        return n

    repeats = 1 if full else repeats
    limit, _ = best(by_hand, repeats)
    group = hh_group(block, register_method("staggered"), dt, command, rate)
    monitor = b2.StateMonitor(
        group, "v", record=True, dt=b2.second / rate, when="start", order=-1
    )
    program = program_of(b2.Network(group, monitor))
    out = np.empty((block, samples), dtype=np.float32)

    def job(threads: int = 1) -> tuple[int, float, float]:
        """Spikes, CPU of the kernel, and CPU of all but the counting of spikes."""
        total, kernel, whole = 0, 0.0, 0.0
        for first in range(0, n, block):
            start = time.process_time()
            index = np.minimum(np.arange(first, first + block), n - 1)
            group.set_states({k: v[index] for k, v in values.items()} | {"column": column[index]}
                             | {k: np.full(block, x) for k, x in HH_STATES.items()}, units=False)  # fmt: skip
            begin = time.process_time()
            program.run(0, samples, [Recorder(out=out.T)], threads=threads)
            kernel += time.process_time() - begin
            whole += time.process_time() - start
            total += crossings(out[: min(block, n - first)].T)
        return total, kernel, whole

    padded = range(-(-n // block) * block)  # the last block is filled up
    runs = [job() for _ in range(repeats)]
    total, kernel, whole = runs[0][0], min(r[1] for r in runs), min(r[2] for r in runs)
    steps = n * samples
    what = f"{n_cells} x {n_sweeps} HH cells x sweeps of {seconds} s"
    line(f"{what}: C limit", f"{limit:.2f} s, {limit / steps * 1e9:.1f} ns/step")
    line(f"{what}: kernel / limit", f"{kernel / limit * n / len(padded):.2f}", "asked <= 1.25")
    line(
        f"{what}: whole job",
        f"{whole:.1f} s CPU, {total} spikes",
        "asked <= 25 s" if full else "",
    )
    line(
        f"{what}: peak memory",
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB",
        "asked <= 1 GB" if full else "",
    )
    if not full:
        walls = {}
        for threads in (1, 2):
            walls[threads] = min(_wall(lambda t=threads: job(t)) for _ in range(repeats))
        line(f"{what}: two threads / one (wall)", f"{walls[2] / walls[1]:.2f}", "asked <= 0.6")


def _wall(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


COLD = """
import sys
import numpy as np
from brian2 import *
from cleo_like.engine.device import register
set_device(register())
from cleo_like.cells import get_cell
cell = get_cell("rs")
G = NeuronGroup(1, cell.equations + "\\nI : amp", threshold="v > -20*mV", refractory="v > -20*mV", method="exponential_euler", dt=25*us)
G.set_states(dict(cell.parameters), units=False)
G.v = -70*mV
G.I = 400*pA
M = StateMonitor(G, "v", record=True, dt=0.1*ms)
S = SpikeMonitor(G)
Network(G, M, S).run(1*second)
"""
STOCK = COLD.replace("set_device(register())", "prefs.codegen.target = 'cython'")


def whole_process(text: str, folder: str) -> float:
    """CPU of a fresh Python that runs a script with its caches in `folder`."""
    environment = os.environ | {"CLEO_LIKE_CACHE": folder, "HOME": folder}
    start = cpu()
    subprocess.run(
        [sys.executable, "-c", text], check=True, env=environment, stdout=subprocess.DEVNULL
    )
    return cpu() - start


def start_up(repeats: int, *, stock: bool) -> None:
    """Compilation, generation from the cache, and the first sweep of a process."""
    colds, warms = [], []
    for _ in range(min(repeats, 3)):
        with tempfile.TemporaryDirectory() as folder:
            colds.append(whole_process(COLD, folder))
            warms.append(whole_process(COLD, folder))
    line("first sweep of a process, empty caches", f"{min(colds):.2f} s CPU", "asked <= 3.5")
    line("first sweep of a process, warm", f"{min(warms):.2f} s CPU")
    if stock:
        with tempfile.TemporaryDirectory() as folder:
            line(
                "first sweep of a process, stock cython, empty caches",
                f"{whole_process(STOCK, folder):.1f} s CPU",
                "22-25 expected",
            )
    from cleo_like.engine import toolchain
    from cleo_like.engine.codegen.build import generate

    group = hh_group(8, "exponential_euler", 25e-6, picture(100))
    network = b2.Network(group, b2.StateMonitor(group, "v", record=True))
    (plan,) = read_network(network, {})
    _, source = generate(plan, {})
    compiler = toolchain.find_compiler()
    compiles = []
    with tempfile.TemporaryDirectory() as folder:
        for k in range(min(repeats, 3)):
            start = cpu()
            toolchain._compile(compiler, source, Path(folder) / f"{k}.so")  # noqa: SLF001
            compiles.append(cpu() - start)
    line("cold compile of the HH kernel", f"{min(compiles):.2f} s CPU", "asked <= 1.5")
    build(plan, {})
    warm, _ = best(lambda: build(read_network(network, {})[0], {}), repeats)
    line("warm generation (source and library cached)", f"{warm:.3f} s CPU", "asked <= 0.1")


def stepping(repeats: int) -> None:
    """Closed loop: read the mean potential and write a current every simulated ms."""
    from cleo_like.engine.stepper import Stepper

    for n in (100, 1000, 10_000):
        group = b2.NeuronGroup(
            n, "dv/dt = (-v + I)/(10*ms) : volt\nI : volt", threshold="v > 20*mV", reset="v = 0*mV",
            method="exact", dt=0.1 * b2.ms, name=f"lif{n}",
        )  # fmt: skip
        group.v = np.random.default_rng(0).uniform(0, 0.02, n) * b2.volt
        stepper = Stepper(b2.Network(group))
        v, current = stepper["v"], stepper["I"]

        def loop(stepper=stepper, v=v, current=current):
            for _ in range(1000):
                current[:] = 0.025 - v.mean()
                stepper.advance(10)

        seconds, _ = best(loop, repeats)
        line(
            f"stepping, {n} LIF neurons, per simulated ms",
            f"{seconds * 1e3:.1f} us",
            "asked <= 20" if n == 100 else "",
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--full",
        action="store_true",
        help="the 1,000 x 20 x 1.5 s job, and stock Brian2's cold start",
    )
    parser.add_argument(
        "--only", choices=["image", "script", "population", "start", "stepping"]
    )
    parser.add_argument("--table", type=Path, help="also write the table here, in Markdown")
    options = parser.parse_args()
    lib = library()
    lib.adex.restype = ctypes.c_long
    parts = {
        "image": lambda: image_protocol(lib, options.repeats),
        "script": lambda: unmodified_scripts(lib, options.repeats),
        "population": lambda: population(lib, options.repeats, full=options.full),
        "start": lambda: start_up(options.repeats, stock=options.full),
        "stepping": lambda: stepping(options.repeats),
    }
    for name, run in parts.items():
        if options.only in {None, name}:
            run()
    if options.table:
        rows = "\n".join(f"| {name} | {value} |" for name, value in ROWS)
        options.table.write_text(f"| what | measured |\n|---|---|\n{rows}\n")


if __name__ == "__main__":
    main()

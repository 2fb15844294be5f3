"""Design, check, dynamic clamp and served cell: the numbers of the guide.

python benchmarks/bench_design.py [design|population|check|clamp|serve ...]
"""

import sys
import time

import brian2 as b2
import numpy as np

import cleo_like as cl
from cleo_like.patch.clamp import DynamicClamp, Leak, largest_conductance
from cleo_like.patch.clamp.target import stepper_at_rest

NOISY = cl.IdealElectrode(noise="0.1 mV", lowpass="2 kHz")
PEAKS = {"passive": 22, "rs": 14, "narrow_fs": 12, "sag": 10}


def photograph(duration="1 s", rows=24):
    from matplotlib.cbook import get_sample_data

    path = get_sample_data("grace_hopper.jpg", asfileobj=False)
    return cl.from_image(path, duration, "10 kHz", rows=rows, columns=64)


def design():
    print("cell, limit (pA), rows: direct r/SSIM -> designed r/SSIM, method, CPU s")
    for duration in ("1 s", "0.25 s"):
        target = photograph(duration)
        for cell, peak in PEAKS.items():
            start = time.process_time()
            made = cl.design(target, cell, cl.Limits(peak=f"{peak} pA"), electrode=NOISY)
            found = made.parameters["design"]
            row = [
                found["recorded"][k][s][0]
                for k in ("direct", "designed")
                for s in ("correlation", "ssim")
            ]
            print(
                f"{cell:10s} {peak:3d} {duration:7s} {row[0]:.4f}/{row[1]:.4f} -> {row[2]:.4f}/{row[3]:.4f} "
                f"{found['method']:10s} {time.process_time() - start:.1f}"
            )
    wrong = cl.design(
        photograph(), "narrow_fs", cl.Limits(peak="22 pA"), electrode=NOISY, tau="20 ms"
    )
    print(
        "tau wrong by 4.7:",
        wrong.parameters["design"]["method"],
        wrong.parameters["design"]["notes"],
    )


def population():
    rng = np.random.default_rng(0)
    resistance = 150e6 * np.exp(0.5 * rng.standard_normal(200))
    tau = 18e-3 * np.exp(0.35 * rng.standard_normal(200))
    cells = cl.Population(
        model=cl.get_cell("passive"),
        parameters={"gL": b2.siemens / resistance, "C": b2.farad * tau / resistance},
    )
    made = cl.design(photograph(), cells, cl.Limits(peak="23 pA"), electrode=NOISY)
    r = cl.record(
        cells, made, electrode=NOISY, seed=5, consume=lambda x: cl.relief(x).correlation
    )
    print(
        "200 cells, one stimulus of 23 pA: r 5/50/95 %", np.percentile(r, [5, 50, 95]).round(4)
    )


def check():
    target = photograph(rows=97)
    for cells in ("rs", ["rs", "passive"]):
        start = time.process_time()
        report = cl.check(target, cells, NOISY)
        print(
            f"check of 97 sweeps, {cells}: {report!r}, {time.process_time() - start:.1f} CPU s"
        )


def clamp():
    for delay in (0, 1, 2):
        limit = largest_conductance("200 Mohm", "100 pF", latency=f"{50 * delay} us")
        print(f"delay {delay}: theory {limit * 1e9:.1f} nS, measured {_measured(delay):.1f} nS")
    stepper = stepper_at_rest(cl.get_cell("rs"), 50e-6, 25e-6)
    print(
        f"stepper alone {_cpu(lambda: [stepper.advance(2) for _ in range(20000)]) / 20000 * 1e6:.1f} us per tick"
    )
    steps = {"Leak": Leak("5 nS", "-70 mV"), "plain function": _leak}
    try:
        import numba

        steps["numba"] = numba.njit(_leak)
    except ImportError:
        pass
    for name, step in steps.items():
        board = DynamicClamp(step)
        board.run(stepper, "50 ms")
        print(
            f"{name}: {_cpu(lambda board=board: board.run(stepper, '1 s')) / 20000 * 1e6:.1f} us per tick"
        )


def _leak(_, v):
    return 5e-9 * (-0.07 - v)


def _measured(delay):
    low, high = 500.0, 6000.0
    kick = np.r_[1e-12, np.zeros(7999)]
    while high - low > 0.5:
        middle = (low + high) / 2
        board = DynamicClamp(Leak(f"{middle} nS", "-70 mV"), latency=f"{50 * delay} us")
        try:
            v = np.abs(board.run("passive", "400 ms", command=kick).voltage + 0.07)
            grows = v[-400:].max() > v[:400].max()
        except cl.core.errors.CleoLikeError:
            grows = True
        low, high = (low, middle) if grows else (middle, high)
    return low


def _cpu(run, repeats=5):
    found = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return np.median(found)


def serve():
    from cleo_like.remote import CellServer, RemoteCell

    live = cl.LiveCell("rs", "multiclamp_700b", "20 kHz")
    block = np.full(20, 1e-10)
    alone = _cpu(lambda: [live.play(block) for _ in range(1000)]) / 1000
    print(f"LiveCell.play, 1 ms at 20 kHz, full rig: {alone * 1e6:.0f} us CPU")
    with CellServer(live) as server, RemoteCell(server.endpoint) as cell:
        cell.start(200_000)
        times = []
        start = time.process_time()
        for _ in range(4000):
            began = time.perf_counter()
            cell.play(block)
            times.append(time.perf_counter() - began)
        cpu = (time.process_time() - start) / 4000
    spread = np.percentile(times, [1, 50, 95]) * 1e6
    print(f"round trip, us: 1/50/95 % {spread.round()}, CPU of both sides {cpu * 1e6:.0f}")


if __name__ == "__main__":
    for name in sys.argv[1:] or ("design", "population", "check", "clamp", "serve"):
        globals()[name]()

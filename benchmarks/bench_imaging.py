"""Cost of imaging: a population in a network against Cleo, and many ROIs from spikes alone.

1,000 LIF neurons (about 5 Hz), gcamp6f, a frame every 33 ms (Cleo cannot sample at 30 Hz),
dt 0.1 ms; CPU of the run, less the fixed cost of a run.

    python benchmarks/bench_imaging.py [--seconds 10] [--target cython]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from cleo_pair import have_cleo, run

from cleo_like.imaging import dff_of_spikes, gcamp6f

SCRIPT = """
def measure(imaged):
    group = network(1000)
    sim = cleo.CLSimulator(b2.Network(group))
    if imaged:
        scope = cleo.imaging.Scope(cleo.imaging.gcamp6f(), img_width=500*um, focus_depth=100*um)
        sim.inject(scope, group)
        scope.inject_sensor_for_targets()
        sim.set_io_processor(cleo.ioproc.RecordOnlyProcessor(sample_period=33*ms))
    return timed(sim, arguments["seconds"]*second)

result = {"bare": measure(False), "imaged": measure(True)}
result["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(result))
"""


def in_network(seconds: float, target: str) -> None:
    arguments = {"seconds": seconds}
    rows = {"cleo_like": run(SCRIPT, ours=True, target=target, arguments=arguments)}
    if have_cleo():
        rows["Cleo"] = run(SCRIPT, ours=False, target=target, arguments=arguments)
    print(f"1,000 neurons, {seconds:g} s: {'bare':>8}{'imaged':>9}{'net':>8}{'peak MB':>9}")
    for name, row in rows.items():
        net = row["imaged"] - row["bare"]
        print(f"{name:23}{row['bare']:8.2f}{row['imaged']:9.2f}{net:8.2f}{row['MB']:9.0f}")
    if len(rows) == 2:
        mine, theirs = (r["imaged"] - r["bare"] for r in rows.values())
        print(f"net of the bare network, Cleo / cleo_like: {theirs / mine:.1f}")


def from_spikes(n: int, seconds: float) -> None:
    rng = np.random.default_rng(0)
    kinetics = gcamp6f().kinetics()
    frames = np.arange(0, seconds, 1 / 30)
    for rate in (1, 5):
        count = int(rate * n * seconds)
        cells, times = rng.integers(0, n, count), rng.uniform(0, seconds, count)
        start = time.process_time()
        dff_of_spikes(kinetics, cells, times, frames, n)
        used = time.process_time() - start
        print(
            f"{n:,} ROIs, {seconds:g} s at 30 Hz from spikes at {rate} Hz: {used:.2f} CPU s, "
            f"{used / n / seconds * 1e6:.1f} us per ROI and second"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--target", default="cython", choices=["cython", "numpy"])
    options = parser.parse_args()
    in_network(options.seconds, options.target)  # first: a child inherits the peak memory
    from_spikes(10_000, 60.0)


if __name__ == "__main__":
    main()

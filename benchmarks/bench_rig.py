"""Cost of a real rig beside the ideal electrode: CPU of whole `record` calls, and ratios.

Calls are interleaved, so that a loaded machine slows all of them alike; the ratio of a row is
the median of the ratios of its repeats.

    python benchmarks/bench_rig.py [--cells N] [--sweeps N] [--seconds S] [--repeats N]
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

import numpy as np

import cleo_like as cl
from cleo_like import CurrentClamp, Digitiser, Electrode, IdealElectrode, PatchPipette

if TYPE_CHECKING:
    from collections.abc import Callable

RATE = 40_000.0


def cpu() -> float:
    """CPU time of this process and its finished children (s)."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def protocols(sweeps: int, seconds: float) -> tuple[cl.Protocol, cl.Protocol]:
    """Current steps, and potential steps, of the same size."""
    n = round(seconds * RATE)
    on = slice(n // 5, 4 * n // 5)
    current, potential = np.zeros((sweeps, n)), np.full((sweeps, n), -0.07)
    current[:, on] = np.linspace(-100e-12, 600e-12, sweeps)[:, np.newaxis]
    potential[:, on] += np.linspace(-0.02, 0.06, sweeps)[:, np.newaxis]
    shared = {"rate": RATE, "family": "arbitrary"}
    return (
        cl.Protocol(waveforms=current, **shared),
        cl.Protocol(waveforms=potential, mode="voltage_clamp", holding=-0.07, **shared),
    )


def rows(options: argparse.Namespace) -> dict[str, Callable[[], object]]:
    """What is measured; the first is what the others are compared with."""
    cells = cl.Population.draw(
        cl.get_cell("rs"), options.cells, seed=1, spread={"C": 0.2, "gL": 0.2}
    )
    current, potential = protocols(options.sweeps, options.seconds)

    def call(electrode: object, protocol: cl.Protocol = current) -> Callable[[], object]:
        return lambda: cl.record(
            cells, protocol, electrode=electrode, seed=1, progress=False, threads=1,
            dt="25 us", consume=lambda recording: recording.n_sweeps,
        )  # fmt: skip

    quiet = Electrode(johnson_noise=False)
    wide = CurrentClamp(lowpass=None)
    return {
        "IdealElectrode(noise, lowpass)": call(
            IdealElectrode(noise="0.05 mV", lowpass="10 kHz")
        ),
        "IdealElectrode()": call(IdealElectrode()),
        "current clamp, states alone": call(PatchPipette(electrode=quiet, amplifier=wide)),
        "current clamp, filter": call(PatchPipette(electrode=quiet)),
        "current clamp, filter and noise": call(PatchPipette()),
        "current clamp, filter, noise, digitiser": call(PatchPipette(digitiser=Digitiser())),
        "multiclamp_700b, current clamp": call("multiclamp_700b"),
        "multiclamp_700b, voltage clamp": call("multiclamp_700b", potential),
    }


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--sweeps", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    measured = rows(options)
    times = {name: [] for name in measured}
    for repeat in range(options.repeats + 1):
        for name, run in measured.items():
            start = cpu()
            run()
            if repeat:  # the first compiles
                times[name].append(cpu() - start)
    base = np.array(next(iter(times.values())))
    print(f"{options.cells} cells x {options.sweeps} sweeps x {options.seconds:g} s, rs, 25 us")
    print(f"{'':42s}{'CPU s (median)':>15s}{'ratio':>8s}{'min':>7s}{'max':>7s}")
    for name, found in times.items():
        ratio = np.array(found) / base
        print(
            f"{name:42s}{np.median(found):15.2f}{np.median(ratio):8.2f}"
            f"{ratio.min():7.2f}{ratio.max():7.2f}"
        )


if __name__ == "__main__":
    main()

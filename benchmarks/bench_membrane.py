"""Resistance, time constant, capacitance and sag of simulated cells: errors, and how they are stated.

Linear cells of which every value is known exactly (an RC circuit, or one with a slow gate), with
steps as people record them: a pulse before the step that touches it or ends shortly before,
holding that changes from sweep to sweep, transients of the amplifier at the edges, filters that
nobody declared, white and 1/f noise::

    python benchmarks/bench_membrane.py [--cells 500] [--seed 1]

For each value: median and 95th percentile of the error in percent (sag: absolute), part of the
95 % intervals that hold the truth, part of the cells beyond 3 stated errors, part without a value.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

import attrs
import numpy as np
from scipy import signal

from cleo_like.core.window import Window
from cleo_like.features.long_square import analyse
from cleo_like.features.parameters import DEFAULT, IPFX, ExtractionParameters
from cleo_like.features.stack import SweepStack

FINE = 8  # steps of the simulation per sample
VALUES = ("input_resistance", "steady_state_input_resistance", "tau", "capacitance", "sag")


@dataclass
class Cell:
    """C dV/dt = -V / R - w + I, gate_tau dw/dt = gate V - w (mV, MOhm, s, pA)."""

    resistance: float
    tau: float
    gate: float = 0.0  # gate conductance over that of the membrane
    gate_tau: float = 0.05

    def truth(self, duration: float) -> dict[str, float]:
        """Values of a long step, but sag by the last 30 ms of this one."""
        steady = self.resistance / (1 + self.gate)
        peak, end = steady, steady
        if self.gate:
            t = np.linspace(0, duration, 20001)
            course = self.step(t)
            peak, end = float(course.max()), float(course[t > duration - 0.03].mean())
        return {
            "input_resistance": peak, "steady_state_input_resistance": steady,
            "tau": self.tau, "capacitance": 1e6 * self.tau / self.resistance,
            "sag": 1 - end / peak,
        }  # fmt: skip

    def system(self) -> signal.StateSpace:
        g = 1 / self.resistance
        c = self.tau * g
        a = [[-g / c, -1 / c], [self.gate * g / self.gate_tau, -1 / self.gate_tau]]
        return signal.StateSpace(a, [[1 / c], [0.0]], [[1.0, 0.0]], [[0.0]])

    def step(self, t: np.ndarray) -> np.ndarray:
        """Response (MOhm) to a step of unit current."""
        return signal.step(self.system(), T=t)[1]

    def answer(self, current: np.ndarray, dt: float) -> np.ndarray:
        """Potential (mV) that a current (pA) held over each step of dt makes."""
        discrete = self.system().to_discrete(dt)
        b, a = signal.ss2tf(discrete.A, discrete.B, discrete.C, discrete.D)
        return 1e-3 * signal.lfilter(b[0], a, current, axis=-1)


@dataclass
class Rig:
    """How the cell is recorded."""

    rate: float = 20e3
    corner: float | None = None  # Hz
    noise: float = 0.1  # mV rms
    slow_noise: float = 0.0  # mV rms of 1/f noise, and SD of the level of each sweep
    transient: float = 0.0  # mV per 100 pA
    transient_tau: float = 1e-4  # s


def family(
    cell: Cell, rig: Rig, amplitudes: np.ndarray, rng: np.random.Generator, *,
    pulse: float = 0.0, gap: float = 0.0, holding: np.ndarray | float = 0.0, duration: float = 0.6,
    start: float = 0.5,
) -> tuple[SweepStack, Window]:  # fmt: skip
    """Record steps of a cell, with a pulse of 0.25 s before them."""
    n = round((start + duration + 0.1) * rig.rate)
    t = np.arange(n) / rig.rate
    on = (t >= start - 1e-9) & (t < start + duration - 1e-9)
    before = (t >= start - gap - 0.25 - 1e-9) & (t < start - gap - 1e-9)
    steps = np.multiply.outer(amplitudes, on.astype(float)) + pulse * before
    fine = np.repeat(steps, FINE, axis=1)
    v = cell.answer(fine, 1 / rig.rate / FINE)
    if rig.transient:
        k = np.exp(-1 / (FINE * rig.rate * rig.transient_tau))
        jump = np.diff(fine, axis=1, prepend=0.0) * rig.transient / 100
        v += signal.lfilter([1.0], [1.0, -k], jump, axis=-1)
    sos = None
    if rig.corner is not None:
        sos = signal.bessel(4, rig.corner, fs=FINE * rig.rate, output="sos", norm="mag")
        v = signal.sosfilt(sos, v, axis=-1)
    v = v[:, ::FINE]
    white = rng.normal(size=v.shape)
    if rig.corner is not None and rig.corner < 0.4 * rig.rate:
        white = signal.sosfilt(
            signal.bessel(4, rig.corner, fs=rig.rate, output="sos", norm="mag"), white
        )
    v = v + rig.noise * white / white.std()
    if rig.slow_noise:
        f = np.fft.rfftfreq(n, 1 / rig.rate)
        f[0] = f[1]
        pink = np.fft.irfft(np.fft.rfft(rng.normal(size=v.shape)) / np.sqrt(f), n)
        v += rig.slow_noise * pink / pink.std() + rig.slow_noise * rng.normal(size=(len(v), 1))
    held = np.broadcast_to(holding, amplitudes.shape)[:, None]
    steady = cell.resistance / (1 + cell.gate)
    stack = SweepStack(
        voltage_mv=-70 + v + 1e-3 * steady * held, current_pa=steps + held, rate=rig.rate
    )
    return stack, Window(start=start, end=start + duration)


def random_case(rng: np.random.Generator) -> tuple[Cell, SweepStack, Window, str]:
    """Draw a cell, a rig and a protocol."""
    tau = 10 ** rng.uniform(-2.5, -1.2)
    cell = Cell(
        resistance=10 ** rng.uniform(1.7, 2.9), tau=tau,
        gate=rng.choice([0.0, 10 ** rng.uniform(-1.3, 0)], p=[0.6, 0.4]),
        gate_tau=max(2 * tau, 10 ** rng.uniform(-1.5, -0.8)),  # slow, as that of I_h
    )  # fmt: skip
    rate = float(rng.choice([10e3, 20e3, 50e3]))
    rig = Rig(
        rate=rate,
        corner=rng.choice([None, rate / 5]),
        noise=float(rng.choice([0.05, 0.1, 0.3, 1.0])),
        slow_noise=float(rng.choice([0.0, 0.0, 0.3])),
        transient=float(rng.choice([0.0, 0.0, 5.0, 20.0])),
        transient_tau=float(rng.uniform(5e-5, 1.2e-4)),
    )
    deepest = -min(100.0, 40.0 / cell.resistance * 1e3)
    amplitudes = np.round(
        np.linspace(deepest, 0, int(rng.integers(3, 8)))[: int(rng.integers(2, 8))], 1
    )
    pulse = float(rng.choice([0.0, 0.3, 0.5])) * deepest
    gap = float(rng.choice([0.0, 0.005, 0.02]))
    holding = rng.choice([0.0, 1.0]) * deepest / 5 * np.arange(amplitudes.size)
    stack, window = family(
        cell, rig, amplitudes, rng, pulse=pulse, gap=gap, holding=holding,
        duration=float(rng.choice([0.3, 0.6, 1.0])),
    )  # fmt: skip
    said = f"{cell} {rig} {amplitudes.tolist()} pulse {pulse:.3g} gap {gap:g} {window.duration:g} s"
    return cell, stack, window, said


def study(
    cells: int, seed: int, *, show: bool = False, limits: ExtractionParameters = DEFAULT
) -> dict[str, dict[str, float]]:
    """Measure many random cells and compare with the truth."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in VALUES}
    missing = dict.fromkeys(VALUES, 0)
    for k in range(cells):
        cell, stack, window, said = random_case(np.random.default_rng([seed, k]))
        measured, truth = analyse(stack, window, limits), cell.truth(window.duration)
        for name in VALUES:
            value, error = (
                measured.values.get(name, np.nan),
                measured.uncertainty.get(name, np.nan),
            )
            if not np.isfinite(value):
                missing[name] += 1
                continue
            found[name].append((value, truth[name], error))
            if show and abs(value - truth[name]) > 3 * error:
                print(
                    f"{seed},{k} {name} {value:.5g} for {truth[name]:.5g} +- {error:.2g}: {said} {measured.notes}"
                )
    out = {}
    for name, rows in found.items():
        if not rows:
            continue
        value, truth, error = np.array(rows).T
        scale = 1.0 if name == "sag" else 0.01 * truth
        z = (value - truth) / error
        out[name] = {
            "median": float(np.median((value - truth) / scale)),
            "p95": float(np.quantile(np.abs(value - truth) / scale, 0.95)),
            "worst": float(np.max(np.abs(value - truth) / scale)),
            "held": float(np.mean(np.abs(z) < 1.96)),
            "beyond 3": float(np.mean(np.abs(z) > 3)),
            "missing": missing[name] / cells,
        }
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="cells beyond 3 stated errors")
    parser.add_argument("--ipfx", action="store_true", help="the values of compat='ipfx'")
    options = parser.parse_args()
    begin = time.process_time()
    limits = attrs.evolve(IPFX, subthresh_min_amp=-101.0) if options.ipfx else DEFAULT
    table = study(options.cells, options.seed, show=options.show, limits=limits)
    print(f"{options.cells} cells, {time.process_time() - begin:.0f} s CPU")
    columns = next(iter(table.values()))
    print(f"{'':32s}" + "".join(f"{c:>10s}" for c in columns))
    for name, row in table.items():
        print(f"{name:32s}" + "".join(f"{x:10.3g}" for x in row.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

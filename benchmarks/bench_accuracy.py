"""How true the integrators are: spike counts and spike times against a 1 us reference.

For each library cell, steps of current at a few levels (all as neurons of one group) are
integrated by each method at each step; the reference is shared_rk4 at 1 us, and staggered at
1 us shows what the reference itself is worth. Columns:

count   sum over levels of |spikes - spikes of the reference|, in percent of the reference's
drift   shift of the last common spike in ms per second of the sweep, the largest of all levels
cost    evaluations of exp and exprel per simulated ms of one neuron

    python benchmarks/bench_accuracy.py [--cells rs lts ...] [--json results.json]
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import brian2 as b2
import numpy as np
from tqdm import tqdm

from cleo_like.cells import Dynamics, cell_names, get_cell
from cleo_like.engine.device import register as register_device
from cleo_like.engine.integrators import METHODS, register

METHODS_COMPARED = ("staggered", "rush_larsen", "shared_rk4", "exponential_euler")
STEPS_US = (5, 10, 20, 25, 100 / 3, 50, 100)
REFERENCE_US = 1
LARGEST_COUNT_ERROR, LARGEST_DRIFT = 0.5, 0.1  # percent, ms/s

# seconds, and levels in pA: from just above rheobase to about three times that
SWEEPS: dict[str, tuple[float, tuple[float, ...]]] = {
    "rs": (1, (320, 350, 400, 450, 500, 600, 700, 900)),
    "broad_rs": (1, (320, 350, 400, 450, 500, 600, 700, 900)),
    "narrow_fs": (1, (145, 150, 170, 200, 250, 300, 400, 500)),
    "long_latency": (2, (157, 158, 160, 165, 180, 200, 250, 400)),
    "stuttering": (1, (185, 200, 215, 230, 240, 260, 300, 400)),
    "sag": (1, (210, 250, 300, 350, 400, 500, 600, 800)),
    "lts": (1, (40, 55, 70, 100, 130, 170, 220, 300)),
    "wang_buzsaki": (1, (12, 15, 20, 30, 40, 60, 80, 100)),
}
ADEX_FACTORS = (0.9, 1.0, 1.2, 1.5, 2.0)


def sweeps_of(name: str) -> tuple[float, np.ndarray]:
    """Duration (s) and levels (A)."""
    if name.startswith("adex"):
        from cleo_like.cells import landmark_step

        return 1.0, landmark_step(name) * np.array(ADEX_FACTORS)
    seconds, levels = SWEEPS[name]
    return float(seconds), np.array(levels) * 1e-12


def spike_times(name: str, method: str, dt_us: float) -> list[np.ndarray] | None:
    """Refined spike times of each level; None where a potential is lost to inf or NaN."""
    cell = get_cell(name)
    seconds, levels = sweeps_of(name)
    group = _group(cell, method, dt_us, levels)
    spikes = b2.SpikeMonitor(group, variables=[cell.voltage, "before"])
    network = b2.Network(group, spikes)
    if method not in METHODS:
        network.add(group.run_regularly(f"before = {cell.voltage}", when="start"))
    try:
        network.run(seconds * b2.second, namespace={})
    except b2.BrianObjectException as error:
        if not isinstance(error.__cause__, ArithmeticError):
            raise
        return None
    if not np.isfinite(np.asarray(getattr(group, cell.voltage))).all():
        return None
    return _refined(spikes, cell, dt_us * 1e-6, len(levels))


def _group(cell, method: str, dt_us: float, levels: np.ndarray):
    dynamics, n = Dynamics(cell), len(levels)
    equations = cell.brian_equations() + b2.Equations(
        f"before : volt\n{cell.current} : amp (constant)"
    )
    level = (
        cell.spike_level if isinstance(cell.spike_level, str) else f"({cell.spike_level}*volt)"
    )
    v = cell.voltage
    crossing = f"{v} > {level} and before <= {level}"
    options = {"method_options": {"previous": {"before": v}}} if method in METHODS else {}
    group = b2.NeuronGroup(
        n,
        equations,
        dt=dt_us * b2.us,
        method=register(method) if method in METHODS else method,
        threshold=cell.threshold if cell.threshold is not None else crossing,
        reset=cell.reset,
        **options,
    )
    rest = dynamics.rest()[:, 0]
    start = rest if np.isfinite(rest).all() else dynamics.start(cell.parameters, 1)[:, 0]
    values = dict(cell.parameters) | dict(zip(dynamics.states, start, strict=True))
    values |= {cell.current: levels, "before": values[v]}
    group.set_states({k: np.broadcast_to(x, n) for k, x in values.items()}, units=False)
    return group


def _refined(spikes, cell, dt: float, n: int) -> list[np.ndarray]:
    index, t = np.asarray(spikes.i), np.asarray(spikes.t)
    after = np.asarray(getattr(spikes, cell.voltage))
    before = np.asarray(spikes.before)
    level = cell.level(cell.parameters)
    times = t + dt * np.clip((level - before) / (after - before), 0, 1)
    return [times[index == k] for k in range(n)]


def compared(
    found: list[np.ndarray] | None, reference: list[np.ndarray], seconds: float
) -> tuple[float, float]:
    """Count error (percent) and drift (ms per second of sweep)."""
    if found is None:
        return float("nan"), float("nan")
    pairs = list(zip(found, reference, strict=True))
    wrong = sum(abs(len(f) - len(r)) for f, r in pairs)
    common = [min(len(f), len(r)) for f, r in pairs]
    drifts = [abs(f[k - 1] - r[k - 1]) for (f, r), k in zip(pairs, common, strict=True) if k]
    total = max(sum(len(r) for r in reference), 1)
    return 100 * wrong / total, 1e3 * max(drifts, default=0.0) / seconds


def exponentials(name: str, method: str) -> int:
    """Count evaluations of exp and exprel of one step."""
    from brian2.stateupdaters.base import StateUpdateMethod

    if method in METHODS:
        register(method)
    code = StateUpdateMethod.stateupdaters[method](get_cell(name).brian_equations())
    return len(re.findall(r"\bexp(?:rel)?\(", str(code)))


def one_cell(name: str) -> dict:
    seconds, _ = sweeps_of(name)
    reference = spike_times(name, "shared_rk4", REFERENCE_US)
    other = spike_times(name, "staggered", REFERENCE_US)
    rows = []
    for method in METHODS_COMPARED:
        cost = exponentials(name, method)
        for dt in STEPS_US:
            count, drift = compared(spike_times(name, method, dt), reference, seconds)
            rows.append(
                {
                    "method": method,
                    "dt": dt,
                    "count": count,
                    "drift": drift,
                    "cost": cost * 1e3 / dt,
                }
            )
    return {
        "cell": name,
        "spikes": sum(map(len, reference)),
        "reference": compared(other, reference, seconds),
        "rows": rows,
    }


def meets(row: dict) -> bool:
    return row["count"] <= LARGEST_COUNT_ERROR and row["drift"] <= LARGEST_DRIFT


def table(results: list[dict], method: str) -> str:
    """Markdown: one line per cell, one column per step, "count % / drift ms/s"."""
    lines = [
        f"| {method} | " + " | ".join(f"{dt:.3g} us" for dt in STEPS_US) + " |",
        "|---|" + "---|" * len(STEPS_US),
    ]
    for result in results:
        rows = [r for r in result["rows"] if r["method"] == method]
        lines.append(f"| {result['cell']} | " + " | ".join(_entry(r) for r in rows) + " |")
    return "\n".join(lines)


def _entry(row: dict) -> str:
    text = f"{row['count']:.2g} % / {row['drift']:.2g}"
    return f"**{text}**" if meets(row) else text


def recommended(result: dict) -> str:
    good = sorted((r for r in result["rows"] if meets(r)), key=lambda r: r["cost"])
    if not good:
        return f"| {result['cell']} | none | | | | |"
    r = good[0]
    return (
        f"| {result['cell']} | {r['method']} | {r['dt']:.3g} us | {r['count']:.2g} % | "
        f"{r['drift']:.2g} ms/s | {r['cost']:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cells", nargs="*", default=[n for n in cell_names() if n != "passive"]
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    b2.set_device(register_device())  # compiled time loops; Brian2's own run takes hours
    results = []
    for name in tqdm(options.cells):
        results.append(one_cell(name))
        if options.json:
            options.json.write_text(json.dumps(results))
    show(results)


def show(results: list[dict]) -> None:
    print(
        "| cell | method | step | count error | drift | exp per ms |\n|---|---|---|---|---|---|"
    )
    for result in results:
        print(recommended(result))
    print(f"\n| cell | spikes | staggered at {REFERENCE_US} us |\n|---|---|---|")
    for result in results:
        count, drift = result["reference"]
        print(f"| {result['cell']} | {result['spikes']} | {count:.2g} % / {drift:.2g} |")
    for method in METHODS_COMPARED:
        print("\n" + table(results, method))


if __name__ == "__main__":
    main()

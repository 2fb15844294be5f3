"""Feature extraction against ipfx and eFEL: same arrays, paired runs, CPU time.

Run it from the repository::

    python benchmarks/bench_features.py [--repeats 7] [--quick]

ipfx runs in its own environment (``make peers``) as a process that holds the same arrays and is
timed in turn with ours; each pair of runs gives one ratio, and the median is shown. Before
anything is timed, both must give the same answers on the timed input. The floor is what no
extractor of these definitions can avoid if it looks at every sample and filters the step once:
one scan of the differences and one forward-backward pass of the filter. All ratios are those of
``compat="ipfx"``; the times (ms) of the default, which looks at the noise of each sweep, are
shown beside them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
from scipy import signal

from cleo_like.core.errors import UnsupportedError
from cleo_like.core.window import Window
from cleo_like.features.adapters.efel import efel_features
from cleo_like.features.adapters.ipfx import peers_python
from cleo_like.features.long_square import analyse
from cleo_like.features.parameters import ExtractionParameters
from cleo_like.features.spikes.table import spikes_of
from cleo_like.features.stack import SweepStack

STEP = Window(start=0.5, end=1.5)
LENGTH = 2.0  # s
SWEEPS = 20
CASES = {"none": 0, "few": 3, "many": 40}
TARGET = {"spikes / ipfx": 20.0, "spikes / eFEL": 10.0, "cell / ipfx": 10.0}
GOAL = {"spikes / ipfx": 30.0, "spikes / eFEL": 20.0, "cell / ipfx": 20.0}
EFEL = (
    "peak_time", "AP_begin_time", "AP_begin_voltage", "AP_height", "AP_peak_upstroke",
    "AP_peak_downstroke", "AP_duration_half_width", "AHP_depth_abs",
)  # fmt: skip

WORKER = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
from ipfx.feature_extractor import SpikeFeatureExtractor, SpikeTrainFeatureExtractor
from ipfx.stimulus_protocol_analysis import LongSquareAnalysis
from ipfx.sweep import Sweep, SweepSet
out, sys.stdout = sys.stdout, sys.stderr
with np.load(sys.argv[1]) as z:
    v, i, rate = z["v"], z["i"], float(z["rate"])
    options = json.loads(str(z["options"]))
t = np.arange(v.shape[1]) / rate
window = {"start": options["start"], "end": options["end"]}
spx = SpikeFeatureExtractor(**window, filter=options["filter"])
sptx = SpikeTrainFeatureExtractor(**window)
sweeps = SweepSet([Sweep(t, x, y, "CurrentClamp", rate) for x, y in zip(v, i)])
def spikes():
    return [spx.process(t, x, y) for x, y in zip(v, i)]
def cell():
    analysis = LongSquareAnalysis(
        spx, sptx, subthresh_min_amp=-200.0, require_suprathreshold=options["fires"])
    return analysis.analyze(sweeps)
for line in sys.stdin:
    what = line.strip()
    if what == "answer":
        tables = [{c: s[c].tolist() for c in s.columns} for s in spikes()]
        values = {k: float(x) for k, x in cell().items() if isinstance(x, (int, float, np.number))}
        json.dump({"spikes": tables, "cell": values}, open(sys.argv[2], "w"))
        print("done", file=out, flush=True)
        continue
    begin = time.process_time()
    {"spikes": spikes, "cell": cell}[what]()
    print(time.process_time() - begin, file=out, flush=True)
"""


def family(rate: float, spikes: int, rng: np.random.Generator) -> SweepStack:
    """Make 20 steps: four hyperpolarising, then sweeps with `spikes` spikes each."""
    t = np.arange(round(LENGTH * rate)) / rate
    on = (t >= STEP.start) & (t < STEP.end)
    amplitudes = np.concatenate((np.arange(-100.0, -19, 20), np.arange(20.0, 20 * 16, 20)))
    rise = np.where(on, 1 - np.exp(-(t - STEP.start) / 0.02), 0.0)
    rise = np.where(t >= STEP.end, np.exp(-np.maximum(t - STEP.end, 0) / 0.02), rise)
    v = -70 + 0.1 * np.minimum(amplitudes, 100.0)[:, None] * rise
    for row, amplitude in zip(v, amplitudes, strict=True):
        if amplitude < 0 or not spikes:
            continue
        times = np.linspace(0.52, 1.47, spikes + 1)[:-1] + rng.uniform(0, 0.005, spikes)
        for s in times:
            x = np.maximum(t - s, 0) / 0.002
            row[:] += 95 * np.exp(-0.5 * ((t - s) / np.where(t < s, 2.5e-4, 4e-4)) ** 2)
            row[:] -= 12 * x * np.exp(1 - x)
    v += rng.normal(size=v.shape) * 0.05
    v = np.round(v / 0.0305) * 0.0305  # the step of a 16-bit converter
    return SweepStack(voltage_mv=v, current_pa=amplitudes[:, None] * on, rate=rate)


class Ipfx:
    """ipfx in its own process, holding the arrays."""

    def __init__(self, stack: SweepStack, limits: ExtractionParameters, *, fires: bool) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        job, self._answer = folder / "job.npz", folder / "answer.json"
        options = {
            "start": STEP.start, "end": STEP.end, "filter": limits.filter, "fires": fires
        }  # fmt: skip
        np.savez(
            job, v=stack.voltage_mv, i=stack.current_pa, rate=stack.rate,
            options=np.array(json.dumps(options)),
        )  # fmt: skip
        self._process = subprocess.Popen(
            [str(peers_python()), "-I", "-c", WORKER, str(job), str(self._answer)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def _ask(self, what: str) -> str:
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        reply = self._process.stdout.readline()
        if not reply:
            msg = "the ipfx process died"
            raise RuntimeError(msg)
        return reply

    def answer(self) -> dict:
        self._ask("answer")
        return json.loads(self._answer.read_text())

    def seconds(self, what: str) -> float:
        return float(self._ask(what))

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._folder.cleanup()


def check(theirs: dict, stack: SweepStack, limits: ExtractionParameters) -> int:
    """Compare every value of every spike and of the cell; give the number of values."""
    cell = analyse(stack, STEP, limits)
    compared = 0
    for row, columns in enumerate(theirs["spikes"]):
        ours = cell.spikes.of(row)
        for name, column in columns.items():
            if name == "isi_type":
                continue
            rtol = 1e-7 if "stroke" in name else 1e-9
            np.testing.assert_allclose(ours[name], np.array(column, float), rtol=rtol)
            compared += len(column)
        assert columns or ours["sweep"].size == 0
    for name in ("v_baseline", "input_resistance", "tau", "sag", "rheobase_i", "fi_fit_slope"):
        if name in theirs["cell"]:
            np.testing.assert_allclose(cell.values[name], theirs["cell"][name], rtol=1e-6)
            compared += 1
    return compared


def cpu(function) -> float:
    begin = time.process_time()
    function()
    return time.process_time() - begin


def floor(stack: SweepStack, limits: ExtractionParameters) -> None:
    """One scan of the differences and one pass of the filter, both ways, over the step."""
    b, a = signal.bessel(4, limits.filter * 1e3 / (stack.rate / 2), "low")
    first, stop = stack.index(STEP.start - 0.01), stack.index(STEP.end + 0.01)
    for row in stack.voltage_mv:
        v = row[first:stop]
        np.abs(np.diff(v)).max()
        signal.lfilter(b, a, signal.lfilter(b, a, v)[::-1])


def peak_memory(stack: SweepStack, limits: ExtractionParameters) -> float:
    """Largest memory of the analysis over that of the recording."""
    tracemalloc.start()
    analyse(stack, STEP, limits)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / (stack.voltage_mv.nbytes + stack.current_pa.nbytes)


def measure(rate: float, spikes: int, repeats: int) -> dict[str, float]:
    limits = ExtractionParameters(
        filter=10.0 if rate > 20e3 else 5.0, subthresh_min_amp=-200.0, compat="ipfx"
    )
    stack = family(rate, spikes, np.random.default_rng(1))
    ipfx = Ipfx(stack, limits, fires=spikes > 0)
    try:
        compared = check(ipfx.answer(), stack, limits)
        rows = []
        for _ in range(repeats):
            rows.append(
                (
                    cpu(lambda: spikes_of(stack, STEP, limits)),
                    ipfx.seconds("spikes"),
                    cpu(lambda: efel_features(stack, STEP, EFEL)),
                    cpu(lambda: analyse(stack, STEP, limits)),
                    ipfx.seconds("cell"),
                    cpu(lambda: floor(stack, limits)),
                    cpu(lambda: spikes_of(stack, STEP, ExtractionParameters())),
                    cpu(lambda: analyse(stack, STEP, ExtractionParameters())),
                )
            )
    finally:
        ipfx.close()
    ours, theirs, efel, cell, their_cell, least, noise, default = np.array(rows).T
    return {
        "values compared": compared,
        "spikes ms": 1e3 * np.median(ours),
        "ipfx ms": 1e3 * np.median(theirs),
        "eFEL ms": 1e3 * np.median(efel),
        "cell ms": 1e3 * np.median(cell),
        "ipfx cell ms": 1e3 * np.median(their_cell),
        "floor ms": 1e3 * np.median(least),
        "default spikes": 1e3 * np.median(noise),
        "default cell": 1e3 * np.median(default),
        "spikes / ipfx": float(np.median(theirs / ours)),
        "spikes / eFEL": float(np.median(efel / ours)),
        "cell / ipfx": float(np.median(their_cell / cell)),
        "of the floor": float(np.median(ours / least)),
        "memory": peak_memory(stack, limits),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one rate, few repeats")
    options = parser.parse_args()
    try:
        peers_python()
    except UnsupportedError as error:
        print(error)
        return 1
    rates = (50e3,) if options.quick else (20e3, 50e3)
    repeats = 3 if options.quick else options.repeats
    missed = []
    print(f"{SWEEPS} sweeps of {LENGTH:g} s, step of {STEP.duration:g} s; CPU time, medians of "
          f"{repeats} pairs")  # fmt: skip
    for rate in rates:
        for name, spikes in CASES.items():
            found = measure(rate, spikes, repeats)
            print(f"\n{rate / 1e3:g} kHz, {name} ({spikes} per sweep):")
            for key, value in found.items():
                goal = (
                    f"   (at least {TARGET[key]:g}, goal {GOAL[key]:g})"
                    if key in TARGET
                    else ""
                )
                print(f"  {key:16s} {value:10.3g}{goal}")
                if key in TARGET and value < TARGET[key]:
                    missed.append(f"{key} {value:.3g} at {rate / 1e3:g} kHz, {name}")
            if found["memory"] > 3:
                missed.append(f"memory {found['memory']:.2g} times the recording")
    print("\nmissed: " + "; ".join(missed) if missed else "\nall targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

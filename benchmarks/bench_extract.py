"""From NWB files to a table of cells, against ipfx through h5py: same files, CPU time.

Run it from the repository::

    python benchmarks/bench_extract.py [--files 3] [--sweeps 30] [--repeats 7] [--real FOLDER]

ipfx runs in its own environment (``make peers``) as one process that reads each file with h5py
(data times conversion, acquisition beside stimulus by name, as the published atlas did) and
analyses its long squares; ours reads, checks, finds the steps, measures, and makes the table, in one
call. The step is told to ipfx; ours finds it. Both must agree on the resistance of every cell.
All files are measured by ipfx, then by ours, several times in turn, after each has met the first
file once; the ratio is the median over the repeats. Decompression alone (`h5py`, in both) takes
a good part of our time, so it is printed too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from cleo_like.cells import get_cell
from cleo_like.features import extract
from cleo_like.features.adapters.ipfx import peers_python
from cleo_like.io import read, write
from cleo_like.patch import record
from cleo_like.stimuli import parse_protocol

GOAL = 5.0
WORKER = """
import json, sys, time, warnings
import h5py, numpy as np
warnings.simplefilter("ignore")
from ipfx.feature_extractor import SpikeFeatureExtractor, SpikeTrainFeatureExtractor
from ipfx.stimulus_protocol_analysis import LongSquareAnalysis
from ipfx.sweep import Sweep, SweepSet
out, sys.stdout = sys.stdout, sys.stderr
def cell(path, start, end):
    sweeps = []
    with h5py.File(path) as f:
        groups = [[f[g][k] for k in sorted(f[g])] for g in ("acquisition", "stimulus/presentation")]
        for a, s in zip(*groups):
            if not a.attrs["neurodata_type"].startswith("CurrentClamp"):
                continue
            v, i = (g["data"][:] * g["data"].attrs.get("conversion", 1.0) for g in (a, s))
            rate = float(a["starting_time"].attrs["rate"])
            n = min(len(v), len(i))
            sweeps.append(Sweep(np.arange(n) / rate, v[:n] * 1e3, i[:n] * 1e12, "CurrentClamp", rate))
    window = {"start": start, "end": end}
    khz = min(10.0, sweeps[0].sampling_rate / 2e3 * 0.95)
    analysis = LongSquareAnalysis(
        SpikeFeatureExtractor(filter=khz, **window), SpikeTrainFeatureExtractor(**window),
        subthresh_min_amp=-200.0)
    return analysis.analyze(SweepSet(sweeps))
for line in sys.stdin:
    path, start, end = json.loads(line)
    begin = time.process_time()
    try:
        value, why = float(cell(path, start, end)["input_resistance"]), ""
    except Exception as error:
        value, why = None, f"{type(error).__name__}: {error}"
    print(json.dumps([time.process_time() - begin, value, why]), file=out, flush=True)
"""


def main() -> None:
    """Write files, time both, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=3)
    parser.add_argument("--sweeps", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--real", type=Path, help="a folder with NWB files of long squares")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = simulated(Path(folder), told.files, told.sweeps)
        compare("simulated", [(path, 0.2, 1.2) for path in made], told.repeats)
        if told.real:
            real = [(p, *step_of(p)) for p in sorted(told.real.glob("*.nwb"))]
            compare("real", real, told.repeats)


def simulated(folder: Path, files: int, sweeps: int) -> list[Path]:
    """Record library cells: 1 s steps of 20 pA at 50 kHz."""
    top = -100 + 20 * (sweeps - 1)
    ladder = parse_protocol(
        f"long_square amplitudes=-100:{top}:20pA duration=1s before=0.2s after=0.2s rate=50kHz"
    )
    kinds = ("rs", "sag", "narrow_fs")
    return [
        write(record(get_cell(kinds[k % 3]), ladder, seed=k)[0], folder / f"cell-{k}.nwb")
        for k in range(files)
    ]


def step_of(path: Path) -> tuple[float, float]:
    """Find the step of a file, for ipfx."""
    sweep = read(path).sweeps[0]
    on = np.flatnonzero(np.abs(np.diff(np.asarray(sweep.command))) > 1e-12)
    return (on[0] + 1) / sweep.rate, (on[-1] + 1) / sweep.rate


class Ipfx:
    """ipfx in a process of its own, which tells its CPU time."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [str(peers_python()), "-I", "-c", WORKER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def measure(self, file: tuple[Path, float, float]) -> tuple[float, float | None, str]:
        """CPU time (s), resistance (MOhm) or None, and why."""
        path, start, end = file
        self.process.stdin.write(json.dumps([str(path), start, end]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def ours(paths: list[Path]) -> tuple[float, np.ndarray]:
    """CPU time (s) and resistances (MOhm)."""
    begin = time.process_time()
    table = extract(paths, progress=False)
    return time.process_time() - begin, table["input_resistance"]


def decompressed(paths: list[Path]) -> float:
    """CPU time (s) of reading the samples alone."""
    begin = time.process_time()
    for path in paths:
        with h5py.File(path) as file:
            for place in ("acquisition", "stimulus/presentation"):
                for series in file[place].values():
                    series["data"][:]
    return time.process_time() - begin


def compare(name: str, files: list[tuple[Path, float, float]], repeats: int) -> None:
    """Time both on all files, in turn."""
    ipfx, known = Ipfx(), {}
    for file in files:
        _, resistance, why = ipfx.measure(file)
        if resistance is None:
            print(f"  {file[0].name}: ipfx fails ({why[:60]})")
        else:
            known[file] = resistance
    if known:
        paths = [path for path, *_ in known]
        ours(paths)
        rows = []
        for _ in range(repeats):
            theirs = sum(ipfx.measure(file)[0] for file in known)
            seconds, resistances = ours(paths)
            assert np.allclose(resistances, list(known.values()), rtol=0.05)
            rows.append((theirs / seconds, seconds, decompressed(paths)))
        ratio, seconds, reading = np.median(rows, axis=0)
        lowest, highest = min(rows)[0], max(rows)[0]
        print(
            f"{name}: {len(known) / seconds:.1f} files per second per core, {ratio:.1f} times ipfx "
            f"({lowest:.1f} to {highest:.1f} in {repeats} repeats of {len(known)} files; asked "
            f"{GOAL:g}: {'met' if ratio >= GOAL else 'not met'}); decompression alone is "
            f"{reading / seconds:.0%} of our time"
        )
    ipfx.process.stdin.close()
    ipfx.process.wait(10)


if __name__ == "__main__":
    main()

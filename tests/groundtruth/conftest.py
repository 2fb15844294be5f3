"""One small study of hand-made recordings: no simulation, every answer known."""

import numpy as np
import pytest

from cleo_like.core.window import Window
from cleo_like.features.stack import SweepStack
from cleo_like.groundtruth.cases import parse_cases
from cleo_like.groundtruth.results import bare_recording
from cleo_like.groundtruth.store import Store
from cleo_like.groundtruth.truth.exact import FINEST, RATE, Truth

STEP = Window(start=0.2, end=0.7)
TEXT = """
seed = 1
seeds = 2
[[block]]
name = "noise"
[block.factors]
cell = ["passive", "rs"]
noise = [1]
"""


def spikes_at(times):
    """Columns of true spikes in the last of three sweeps."""
    t = np.asarray(times, dtype=float)
    n = t.size
    return {
        "sweep": np.full(n, 2), "peak_t": t, "threshold_t": t - 4e-4,
        "threshold_v": np.full(n, -40.0), "peak_v": np.linspace(30, 35, n),
        "upstroke": np.linspace(200, 260, n), "downstroke": np.linspace(-90, -80, n),
        "upstroke_downstroke_ratio": np.full(n, 2.5), "width": np.full(n, 8e-4),
        "fast_trough_v": np.full(n, -55.0),
    }  # fmt: skip


def truth_with(times=(0.3, 0.35, 0.41, 0.5), scale=1.0):
    columns = spikes_at(times)
    rates = np.array([0.0, 0.0, len(times) / 0.5])
    gone = np.full(2, np.nan)
    sweeps = {
        "avg_rate": rates, "latency": np.append(gone, 0.0996),
        "first_isi": np.append(gone, 0.05), "mean_isi": np.append(gone, 0.0667),
        "isi_cv": np.append(gone, 0.25), "adapt": np.append(gone, 0.14),
    }  # fmt: skip
    cell = {
        "v_baseline": -70.0 * scale, "input_resistance": 180.0 * scale, "tau": 0.02 * scale,
        "sag": 0.15 * scale, "rheobase_i": 90.0, "fi_fit_slope": 0.2, "max_rate": 8.0,
        "capacitance": 110.0, "steady_state_input_resistance": 160.0,
        "tau_effective": 0.018, "rheobase_estimate": 80.0, "depolarization_block_i": np.nan,
    }  # fmt: skip
    return Truth(
        window=STEP, is_long_square=True,
        times={"sweep": columns["sweep"], "t": columns["peak_t"],
               "inside": np.ones(len(times), dtype=bool)},
        shapes={RATE: columns, FINEST: columns}, sweeps={RATE: sweeps, FINEST: sweeps},
        cell={RATE: cell, FINEST: cell},
    )  # fmt: skip


@pytest.fixture
def made(tmp_path):
    """A folder with recordings and truths of four cases, and its plan."""
    plan = parse_cases(TEXT)
    store = Store(tmp_path / "study")
    t = np.arange(20_000) / 20e3
    current = np.array([[-50.0], [-20.0], [100.0]]) * ((t >= 0.2) & (t < 0.7))
    stack = SweepStack(voltage_mv=np.full((3, t.size), -70.0), current_pa=current, rate=20e3)
    for k, case in enumerate(plan.cases):
        store.write_truth(case, truth_with(scale=1 + 0.01 * k))
        store.write_clean(case, stack)
        store.write_recording(case, bare_recording(stack))
    return store.folder, plan

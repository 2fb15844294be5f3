"""Pauses and bursts: trains of known structure, and ipfx's own search as the oracle."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from cleo_like.core.errors import UnsupportedError
from cleo_like.core.window import Window
from cleo_like.features.adapters.ipfx import peers_python
from cleo_like.features.long_square import analyse
from cleo_like.features.long_square.patterns import bursts, pauses
from cleo_like.features.parameters import DEFAULT, IPFX

ORACLE = """
import json, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
from ipfx.spike_train_features import detect_bursts, detect_pauses
out = []
for train in json.load(sys.stdin):
    x = {k: np.array(v) for k, v in train.items()}
    kind = np.where(x["detour"], "detour", "direct").astype(object)
    add = lambda v: np.append(v, np.nan)
    fast = np.zeros(len(kind) + 1)
    found = detect_bursts(
        x["isi"], kind, fast, fast, add(x["height"]), add(x["time"]), fast)
    out.append({
        "pauses": [int(k) for k in detect_pauses(x["isi"], kind)],
        "bursts": [[int(b[1]), int(b[2]), float(b[0])] for b in found]})
json.dump(out, sys.stdout)
"""


def tonic(n):
    return np.full(n, 0.02) * (1 + 0.02 * np.sin(np.arange(n)))


def none(n):
    return np.zeros(n, dtype=bool)


def test_regular_firing_has_neither():
    isi = tonic(20)
    assert pauses(isi, none(20)).size == 0
    nothing = np.full(20, np.nan)
    assert bursts(isi, none(20), trough_time=nothing, trough_height=nothing) == []


def test_a_pause_among_regular_intervals():
    isi = tonic(20)
    isi[[7, 13]] = 0.15
    assert pauses(isi, none(20)).tolist() == [7, 13]
    assert pauses(isi, none(20), cost=1e4).size == 0


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_short_trains(n):
    isi, nothing = tonic(n), np.full(n, np.nan)
    assert pauses(isi, none(n)).size == 0
    assert bursts(isi, none(n), trough_time=nothing, trough_height=nothing) == []


def test_three_bursts_of_three_intervals():
    """4, 12, 4 ms within the bursts, 15 ms with a deep trough between them."""
    isi = np.tile([0.004, 0.012, 0.004, 0.015], 3)
    detour = isi == 0.015
    deep = {"trough_time": np.where(detour, 0.01, np.nan),
            "trough_height": np.where(detour, -8.0, np.nan)}  # fmt: skip
    found = bursts(isi, detour, **deep)
    assert [(b.start, b.stop) for b in found] == [(0, 3), (4, 7), (8, 11)]
    np.testing.assert_allclose([b.index for b in found], (15 - 4) / (15 + 4))
    shallow = deep | {"trough_height": np.where(detour, 1.0, np.nan)}
    assert bursts(isi, detour, **shallow) == []  # all is one long burst
    still = np.where(detour, 0.3, isi)
    assert pauses(still, detour).tolist() == [3, 7, 11]
    assert bursts(still, detour, **deep) == []  # pauses are no detours within firing


def random_train(rng):
    """Intervals of two kinds and lengths, in runs, some with ties."""
    n = int(rng.integers(1, 30))
    detour = np.repeat(rng.random(n) < 0.4, rng.integers(1, 5, n))[:n]
    slow = np.where(detour, rng.choice([0.012, 0.03, 0.2]), 0.008)
    isi = slow * np.exp(rng.normal(size=n) * rng.choice([0.02, 0.4]))
    isi[rng.random(n) < 0.05] *= 12
    return {
        "isi": isi,
        "detour": detour,
        "time": np.where(detour, isi * rng.uniform(0.05, 0.9, n), np.nan),
        "height": np.where(detour, rng.uniform(-15, rng.choice([-1, 2]), n), np.nan),
    }


def test_sweeps_of_a_recording(firing):
    """No, one, two and six spikes: the silence of 150 ms among 30 ms is a pause."""
    times = [[], [0.3], [0.3, 0.4], [0.25, 0.28, 0.31, 0.46, 0.49, 0.52]]
    stack = firing(times, [10.0, 20.0, 30.0, 40.0], rate=50e3)
    cell = analyse(stack, Window(start=0.2, end=0.7), DEFAULT)
    np.testing.assert_array_equal(cell.sweeps["n_pauses"], [np.nan, np.nan, 0, 1])
    np.testing.assert_array_equal(cell.sweeps["n_bursts"], [np.nan, np.nan, 0, 0])
    assert cell.sweeps["pause_fraction"][3] == pytest.approx(0.15 / 0.5, rel=1e-3)
    assert "n_pauses" not in analyse(stack, cell.window, IPFX).sweeps


@pytest.mark.peer
def test_ipfx_finds_the_same(rng):
    """1,000 random trains: the same pauses, the same bursts, the same indices."""
    try:
        python = peers_python()
    except UnsupportedError as error:
        pytest.skip(str(error))
    trains = [random_train(rng) for _ in range(1000)]
    job = json.dumps([{k: v.tolist() for k, v in t.items()} for t in trains])
    answer = subprocess.run(
        [str(python), "-I", "-c", ORACLE], input=job, capture_output=True, text=True, check=True
    )
    counts = np.zeros(2, dtype=int)
    for train, theirs in zip(trains, json.loads(answer.stdout), strict=True):
        isi, detour = train["isi"], train["detour"]
        assert pauses(isi, detour).tolist() == theirs["pauses"]
        found = bursts(isi, detour, trough_time=train["time"], trough_height=train["height"])
        assert [[b.start, b.stop] for b in found] == [b[:2] for b in theirs["bursts"]]
        np.testing.assert_allclose(
            [b.index for b in found], [b[2] for b in theirs["bursts"]], rtol=1e-12
        )
        counts += [len(theirs["pauses"]) > 0, len(found) > 0]
    assert counts.min() > 50  # both were really there

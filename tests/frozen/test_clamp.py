"""Membrane tests, I-V curves and leak subtraction of circuits that are written down."""

import attrs
import numpy as np
import pytest
from scipy.signal import lfilter

import cleo_like as cl
from cleo_like.core.errors import CleoLikeError
from cleo_like.features.clamp import current_voltage, membrane_test
from tests.frozen.answers import agrees, plain
from tests.frozen.conftest import boxes, filtered, membrane


def through_access(volts, rate, access, resistance, capacitance):
    """Current (pA) of a cell (MOhm, pF) behind an access resistance, at held potentials (mV)."""
    tau = capacitance * access * resistance / (access + resistance) * 1e-6
    decay = np.exp(-1 / rate / tau)
    slow = lfilter([1 - decay], [1, -decay], volts)
    steady = 1e3 * volts / (access + resistance)
    return steady + (volts - slow) * 1e3 * resistance / (access * (access + resistance))


def table_of(recording, **options):
    try:
        found = membrane_test(recording, **options)
    except CleoLikeError as error:
        return str(error)
    table = found.table()
    return {"line": repr(found), **{name: plain(table[name].tolist()) for name in table}}


@pytest.mark.parametrize("seed", range(12))
def test_voltage_clamp(seed, recording_of):
    rng = np.random.default_rng((3, seed))
    rate = float(rng.choice([10e3, 20e3, 50e3]))
    t = np.arange(round(0.12 * rate)) / rate
    access, resistance, capacitance = (
        rng.uniform(4, 35),
        rng.uniform(60, 900),
        rng.uniform(15, 250),
    )
    step, hold = float(rng.choice([-10, -5, 5, 10])), float(rng.choice([-70, -60]))
    rows = []
    for k in range(3):
        volts = boxes(t, (0.02, 0.07, step))
        current = through_access(volts, rate, access * (1 + 0.1 * k), resistance, capacitance)
        current += 1e3 * (hold + 70) / resistance
        if rng.random() < 0.4:
            current = filtered(current, rate, 2.5e3)
        current += float(rng.choice([0.0, 2.0, 15.0])) * rng.normal(size=t.size)
        rows.append((1e-3 * (hold + volts), 1e-12 * np.clip(current, -400, 400)
                     if rng.random() < 0.1 else 1e-12 * current))  # fmt: skip
    sweeps = [
        cl.Sweep(response=i, command=v, rate=rate, number=k, mode="voltage_clamp")
        for k, (v, i) in enumerate(rows)
    ]
    made = attrs.evolve(recording_of([(t, t)], rate), sweeps=sweeps)
    agrees(f"clamp_voltage_{seed}", {"found": table_of(made),
           "window": table_of(made, start="20 ms", end="50 ms")})  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_current_clamp(seed, recording_of):
    rng = np.random.default_rng((4, seed))
    rate = float(rng.choice([10e3, 20e3, 50e3]))
    t = np.arange(round(0.5 * rate)) / rate
    step = float(rng.choice([-50, -20, 15]))
    cell = {"resistance": rng.uniform(60, 500), "tau": rng.uniform(0.005, 0.04),
            "sag": float(rng.choice([0, 0, 0.2]))}  # fmt: skip
    bridge, noise = float(rng.choice([0, 8, 25])), float(rng.choice([0.01, 0.1, 0.5]))
    rows = []
    for k in range(3):
        current = boxes(t, (0.1, 0.3, step)) + float(rng.choice([0, -30]))
        v = -68 + k + membrane(current, rate, **cell) + 1e-3 * bridge * current
        rows.append((v + noise * rng.normal(size=t.size), current))
    made = recording_of(rows, rate)
    agrees(f"clamp_current_{seed}", {"found": table_of(made)})


def family(rate, levels, *, kinetics, noise=0.0, leak=500.0, access=0.0, seed=0):
    """Give sweeps of a delayed rectifier (nS, mV) and a leak, from -80 mV to each level."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(0.15 * rate)) / rate
    for k, level in enumerate(levels):
        volts = -80 + boxes(t, (0.03, 0.12, level + 80))
        opened = 1 / (1 + np.exp(-(level + 20) / 8))
        since = np.clip(t - 0.03, 0, 0.09)
        n = opened * (1 - np.exp(-since / kinetics)) ** 2
        n = np.where(t >= 0.12, n[round(0.12 * rate) - 1] * np.exp(-(t - 0.12) / 0.004), n)
        current = 30 * n * (volts + 90) + 1e3 * (volts + 80) / leak
        current += noise * rng.normal(size=t.size)
        yield cl.Sweep(response=1e-12 * current, command=1e-3 * volts, rate=rate, number=k,
                       mode="voltage_clamp")  # fmt: skip


CURVES = {
    "plain": {"kinetics": 0.005},
    "noisy": {"kinetics": 0.005, "noise": 20.0},
    "slow": {"kinetics": 0.04},
    "leaky": {"kinetics": 0.003, "leak": 60.0, "noise": 2.0},
}


@pytest.mark.parametrize("name", CURVES)
def test_current_voltage(name, recording_of):
    levels = range(-100, 50, 10)
    steps = cl.stimuli.voltage_steps(
        [f"{level} mV" for level in levels], duration="90 ms", before="30 ms", after="30 ms",
        holding="-80 mV", rate="20 kHz",
    )  # fmt: skip
    sweeps = list(family(20e3, levels, **CURVES[name]))
    assert np.allclose([s.command for s in sweeps], steps.waveforms)
    made = recording_of([(np.zeros(9), np.zeros(9))], 2e4)
    made = attrs.evolve(made, sweeps=sweeps, protocol=steps)
    answer = {}
    for how, options in {"default": {}, "late": {"skip": "20 ms"}}.items():
        found = current_voltage(made, **options)
        table = found.table()
        answer[how] = {"line": repr(found), **{n: plain(table[n].tolist()) for n in table}}
        try:
            answer[f"{how}, activation"] = plain(found.activation("-90 mV"))
        except CleoLikeError as error:
            answer[f"{how}, activation"] = str(error)
    agrees(f"clamp_curve_{name}", answer)

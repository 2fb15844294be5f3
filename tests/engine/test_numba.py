"""Without a C++ compiler numba runs the same time loop."""

import attrs
import brian2 as b2
import numpy as np
import pytest
from brian2 import ms, mV, pF

from cleo_like import Protocol
from cleo_like.cells import CellModel, get_cell
from cleo_like.engine import numba_kernel, toolchain
from cleo_like.engine.build import SlowKernelWarning
from cleo_like.engine.device import FallbackWarning, register
from cleo_like.engine.stepping import Stepper
from cleo_like.patch import record

pytest.importorskip("numba")

NOISY = CellModel(
    name="noisy",
    equations="dv/dt = (EL - v)/tau + I/C + s*sqrt(2/tau)*xi : volt",
    parameters={"EL": -70 * mV, "tau": 5 * ms, "C": 100 * pF, "s": 2 * mV},
    method="heun",
)


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setattr(toolchain, "find_compiler", lambda: None)


def steps(n_samples=3000) -> Protocol:
    waveforms = np.zeros((3, n_samples))
    waveforms[:, 200:] = np.array([[1], [3], [6]]) * 1e-10
    return Protocol(waveforms=waveforms, rate=2e4, family="arbitrary")


@pytest.mark.parametrize(
    "cell",
    [get_cell("rs"), attrs.evolve(get_cell("rs"), method="staggered"),
     get_cell("adex_adapting"), NOISY],
    ids=["rk4", "staggered", "reset", "noise"],
)  # fmt: skip
def test_numba_gives_what_the_compiler_gives(cell, monkeypatch):
    """The noise too: it is a function of seed, trace and step."""
    compiled = record(cell, steps(), seed=1)[0]
    monkeypatch.setattr(toolchain, "find_compiler", lambda: None)
    with pytest.warns(SlowKernelWarning, match=r"install g\+\+ or clang"):
        other = record(cell, steps(), seed=1)[0]
    np.testing.assert_allclose(
        other.stacked().response, compiled.stacked().response, rtol=0, atol=1e-8
    )
    for a, b in zip(compiled.truth.spike_times, other.truth.spike_times, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)


SCRIPT = """
dv/dt = (stim(t) + rows(t, i % 3) - v)/(10*ms) : 1 (unless refractory)
dw/dt = -w/tau : 1
tau : second (shared)
x = clip(v, 0, 1)*sign(w) + abs(v)**1.5 + exprel(w) + int(v > 0.5)*(i // 2) : 1
n : integer (constant)
"""


def script() -> dict[str, np.ndarray]:
    """Resets, refractoriness, TimedArrays, two clocks, partial records, several runs."""
    stim = b2.TimedArray(np.sin(np.arange(60)), dt=1 * ms)
    rows = b2.TimedArray(np.random.default_rng(0).uniform(0, 4, (30, 3)), dt=2 * ms)
    group = b2.NeuronGroup(
        150, SCRIPT, threshold="v > 1.2", reset="v = 0; w += 0.1*(n + 1)", refractory=2 * ms,
        method="euler", dt=0.1 * ms, namespace={"stim": stim, "rows": rows},
    )  # fmt: skip
    group.tau = 20 * ms
    group.n = np.arange(150) % 4
    group.run_regularly("w = w*0.5", dt=5 * ms, when="end")
    state = b2.StateMonitor(group, ["v", "x"], record=[3, 149, 7], dt=0.5 * ms)
    spikes = b2.SpikeMonitor(group, variables=["w", "n"])
    network = b2.Network(group, state, spikes)
    network.run(20.05 * ms)
    network.run(30 * ms)
    kept = {"v": group.v, "w": group.w, "sv": state.v, "sx": state.x, "t": state.t}
    kept |= {"si": spikes.i, "st": spikes.t, "sw": spikes.w, "sn": spikes.n}
    return {name: np.array(value) for name, value in kept.items()}


def test_a_script_runs_on_numba_as_on_brian2(no_compiler):
    b2.prefs.codegen.target = "numpy"
    expected = script()
    b2.set_device(register())
    try:
        with pytest.warns(SlowKernelWarning):
            found = script()
    finally:
        b2.set_device("runtime")
    assert len(expected["si"]) > 100
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-12, err_msg=name)


def test_stepping_on_numba(no_compiler):
    group = b2.NeuronGroup(
        200, "dv/dt = (I - v)/(10*ms) : 1\nI : 1", threshold="v > 1", reset="v = 0",
        method="exact", dt=0.1 * ms,
    )  # fmt: skip
    with pytest.warns(SlowKernelWarning):
        stepper = Stepper(b2.Network(group, b2.SpikeMonitor(group)))
    stepper["I"][:] = np.linspace(0, 3, 200)
    counts = np.zeros(200, dtype=int)
    for _ in range(50):
        stepper.advance(10)
        np.add.at(counts, stepper.spikes()[0], 1)
    current = stepper["I"]
    period = np.full(200, np.inf)
    period[current > 1] = -np.log(1 - 1 / current[current > 1]) * 10e-3
    assert np.abs(counts - 0.05 / np.ceil(period / 1e-4 - 1e-9) / 1e-4).max() <= 1


def test_neither_compiler_nor_numba(no_compiler, monkeypatch):
    monkeypatch.setattr(numba_kernel, "numba_is_there", lambda: False)
    with pytest.warns(FallbackWarning, match="or install numba"):
        (recording,) = record("passive", steps(50))
    assert recording.provenance.parameters["backend"] == "brian2"

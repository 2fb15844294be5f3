"""A pipette on cells of a closed loop does what `record` does."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, ms, mV, nS, pA, pF, us

import cleo_like as cl
from cleo_like.cells import Dynamics, get_cell
from cleo_like.core import InputError, Protocol, UnsupportedError

RATE = 40e3
QUIET = {"johnson_noise": False, "command": None, "bits": 32, "seal": None}


def group_of(model, n=3, **options):
    group = NeuronGroup(
        n, model.brian_equations() + b2.Equations(f"{model.current} : amp"), dt=25 * us,
        method="rk4", **options,
    )  # fmt: skip
    group.set_states({k: float(x) for k, x in model.parameters.items()}, units=False)
    rest = Dynamics(model).rest()[:, 0]
    group.set_states(dict(zip(Dynamics(model).states, rest, strict=True)), units=False)
    return group


def recorded(cell, rig, before, during, n=1200):
    waveforms = np.r_[np.full(400, before), np.full(n, during)][np.newaxis]
    played = Protocol(
        waveforms=waveforms, rate=RATE, family="arbitrary", mode=rig.mode, holding=before
    )
    return cl.record(cell, played, electrode=rig, seed=1, progress=False, keep_voltage=True)[0]


@pytest.fixture(autouse=True)
def numpy_target(monkeypatch):
    monkeypatch.setitem(b2.prefs, "codegen.target", "numpy")


@pytest.mark.parametrize("target", [pytest.param("auto", marks=pytest.mark.slow), "numpy"])
def test_current_clamp_is_that_of_record(target, monkeypatch):
    monkeypatch.setitem(b2.prefs, "codegen.target", target)
    rig = cl.rig_preset("multiclamp_700b", access_resistance="15 MOhm", bridge=0, **QUIET)
    wanted = recorded("rs", rig, 0.0, 6e-10)
    group = group_of(get_cell("rs"))
    sim = cl.CLSimulator(Network(group))
    device = rig.as_device()
    sim.inject(device, group, i_targets=[0, 2])
    untouched = float(group.v[1])
    sim.run(10 * ms)
    device.update(600 * pA)
    sim.run(30 * ms)
    assert device.outputs.shape == (1600, 2)
    for k in range(2):
        found = device.outputs[:-1, k] - wanted.sweeps[0].response[1:]
        assert np.abs(found).max() < 1e-7
        assert np.abs(device.truth[:-1, k] - wanted.truth.voltage[0][1:]).max() < 1e-7
    np.testing.assert_array_equal(device.get_state(), device.outputs[-1])
    assert float(group.v[1]) == pytest.approx(untouched, abs=1e-6)
    assert device.times[0] == pytest.approx(25e-6)


def test_voltage_clamp_in_a_loop():
    rig = cl.rig_preset("multiclamp_700b", "voltage_clamp", **QUIET)
    wanted = recorded("passive", rig, -0.07, -0.06)
    group = group_of(get_cell("passive"))
    sim = cl.CLSimulator(Network(group))
    device = rig.as_device()
    sim.inject(device, group)
    device.update(-70 * mV)
    sim.run(10 * ms)
    device.update([-60e-3] * 3)
    sim.run(30 * ms)
    found = device.outputs[400:-1, 1]
    assert np.abs(found - wanted.sweeps[0].response[401:]).max() < 1e-12


def test_a_reset_and_a_current_of_its_own_stay():
    group = NeuronGroup(
        2, "dv/dt = (gL*(EL - v) + I + drive)/C : volt (unless refractory)\nI : amp\ndrive : amp",
        method="euler", dt=25 * us, threshold="v > -50*mV", reset="v = -70*mV",
        refractory=2 * ms, namespace={"gL": 5 * nS, "EL": -70 * mV, "C": 100 * pF},
    )  # fmt: skip
    group.v = -70 * mV
    group.drive = [0, 200] * pA
    spikes = b2.SpikeMonitor(group)
    sim = cl.CLSimulator(Network(group, spikes))
    device = cl.PatchPipette().as_device("tip")
    sim.inject(device, group, i_targets=[0])
    device.update(200 * pA)
    group.I = 0 * pA
    sim.run(100 * ms)
    counts = np.bincount(spikes.i, minlength=2)
    assert counts[1] > 4
    assert abs(counts[0] - counts[1]) <= 1


def test_what_cannot_take_a_pipette():
    rig = cl.PatchPipette()
    group = group_of(get_cell("passive"))
    sim = cl.CLSimulator(Network(group))
    sim.inject(rig, group, i_targets=[0])
    with pytest.raises(InputError, match="has a pipette already"):
        sim.inject(cl.PatchPipette(amplifier=cl.VoltageClamp()).as_device("b"), group)
    mute = NeuronGroup(1, "dv/dt = -v/(10*ms) : volt", method="exact")
    with pytest.raises(InputError, match="'I : amp' into its equations"):
        cl.CLSimulator(Network(mute)).inject(rig, mute)
    noisy = NeuronGroup(1, "dv/dt = I/pF + mV*xi*ms**-0.5 : volt\nI : amp", method="heun")
    with pytest.raises(UnsupportedError, match="noise terms"):
        cl.CLSimulator(Network(noisy)).inject(rig, noisy)
    other = group_of(get_cell("passive"))
    sim = cl.CLSimulator(Network(other))
    for wrong in ([3], [-1], [0, 0], [0.5], []):
        with pytest.raises(InputError, match="different whole numbers from 0 to 2"):
            sim.inject(rig, other, i_targets=wrong)
    with pytest.raises(InputError, match="takes i_targets, voltage and current"):
        sim.inject(rig, other, targets=[0])
    with pytest.raises(InputError, match="ideal electrode needs no circuit"):
        sim.inject(cl.rig_preset("ideal"), other)

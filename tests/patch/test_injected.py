"""A pipette on cells of a closed loop does what `record` does."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, ms, mV, nS, pA, pF, us

import cleo_like as cl
from cleo_like.base.loop import on_kernels
from cleo_like.cells import Dynamics, get_cell
from cleo_like.core import InputError, Protocol, UnsupportedError
from cleo_like.patch.pipette.noise import RunningNoise

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


@pytest.fixture
def compiled(monkeypatch):
    """Count the runs on kernels: Brian2's own loop gives None."""
    monkeypatch.setitem(b2.prefs, "codegen.target", "auto")
    runs = []

    def watched(*args):
        runs.append(on_kernels(*args))
        return runs[-1]

    monkeypatch.setattr("cleo_like.base.simulator.on_kernels", watched)
    return runs


class Steps(cl.LatencyIOProcessor):
    """Keeps what it sees, and commands 600 pA from 10 ms."""

    def __init__(self):
        super().__init__(sample_period=1 * ms)
        self.seen = []

    def process(self, state, t):
        self.seen.append(state["tip"].copy())
        return {"tip": 600 * pA if t >= 10 * ms else 0.0}, t


@pytest.mark.parametrize("target", ["auto", pytest.param("numpy", marks=pytest.mark.slow)])
def test_current_clamp_is_that_of_record(target, monkeypatch):
    monkeypatch.setitem(b2.prefs, "codegen.target", target)
    rig = cl.rig_preset("multiclamp_700b", access_resistance="15 MOhm", bridge=0, **QUIET)
    wanted = recorded("rs", rig, 0.0, 6e-10)
    group = group_of(get_cell("rs"))
    sim = cl.CLSimulator(Network(group))
    device = rig.as_device()
    sim.inject(device, group, i_targets=[0, 2])
    untouched = float(group.v[1])
    assert np.isnan(device.get_state()).all()  # nobody knows before the first run
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


def test_a_controller_on_the_compiled_loop(compiled):
    """Recorder and stimulator of one controller, without a step of Python in between."""
    rig = cl.rig_preset("multiclamp_700b", access_resistance="15 MOhm", bridge=0, **QUIET)
    wanted = recorded("rs", rig, 0.0, 6e-10).sweeps[0].response
    group = group_of(get_cell("rs"))
    sim = cl.CLSimulator(Network(group))
    device, controller = rig.as_device("tip"), Steps()
    sim.inject(device, group, i_targets=[0, 2])
    sim.set_io_processor(controller)
    for _ in range(2):
        sim.run(20 * ms)
    assert None not in compiled
    assert np.abs(device.outputs[:-1, 1] - wanted[1:]).max() < 1e-7
    # a sample sees the steps that are over
    seen = np.array(controller.seen)
    assert seen[0] == pytest.approx(wanted[0], abs=1e-6)
    np.testing.assert_array_equal(seen[1:], device.outputs[39:-1:40])
    assert device.commands[399:401, 0] == pytest.approx([0, 6e-10])


@pytest.mark.parametrize("mode", ["current_clamp", "voltage_clamp"])
def test_noise_mains_and_codes_are_in_what_is_recorded(mode, compiled):
    unit = "V" if mode == "current_clamp" else "A"
    rig = cl.rig_preset("multiclamp_700b", mode, pickup=f"1e-4 {unit}" if unit == "V" else "2 pA",
                        offset="5 mV", junction_potential="10 mV", seal=None)  # fmt: skip
    group = group_of(get_cell("passive"), 2)
    sim = cl.CLSimulator(Network(group))
    loud = rig.as_device("tip", seed=4)
    sim.inject(loud, group)
    loud.update("0 pA" if unit == "V" else "-55 mV")
    sim.run(1000 * ms)
    assert compiled[0] is not None
    found = loud.outputs
    codes = found / loud._readout.pipette.digitiser.lsb(loud._readout.gain)
    np.testing.assert_allclose(codes, np.rint(codes), atol=1e-6)
    quiet = found - found.mean(axis=0)
    spectrum = np.abs(np.fft.rfft(quiet, axis=0)) * 2 / len(quiet)
    assert spectrum[50] == pytest.approx(1e-4 if unit == "V" else 2e-12, rel=0.05)
    assert np.corrcoef(np.diff(found, axis=0).T)[0, 1] < 0.1  # every pipette has its own
    # as much as in a recording, 5 mV + 10 mV above the truth
    level = [-0.07] if unit == "V" else [-0.055]
    played = Protocol(waveforms=[np.full(40_000, 0.0 if unit == "V" else -0.055)], rate=RATE,
                      family="arbitrary", mode=mode, holding=0.0 if unit == "V" else level[0])  # fmt: skip
    sweep = cl.record("passive", played, electrode=rig, seed=1, progress=False)[0].sweeps[0]
    assert found.mean() == pytest.approx(
        sweep.response.mean(), abs=2e-5 if unit == "V" else 2e-13
    )
    assert np.diff(found[:, 0]).std() == pytest.approx(np.diff(sweep.response).std(), rel=0.05)
    one = loud.recording(1)
    np.testing.assert_array_equal(one.sweeps[0].response, found[:, 1].astype(np.float32))
    assert one.sweeps[0].mode == mode
    assert one.device["initial_access_resistance"] == 10e6
    np.testing.assert_allclose(one.sweeps[0].command, 0 if unit == "V" else -0.055, atol=1e-6)


def test_noise_without_an_end_has_the_spectrum_everywhere():
    noise = RunningNoise(
        lambda n: np.full((3, n // 2 + 1), 1e-10), RATE, [(1, k) for k in range(3)]
    )
    whole = noise.between(0, 40_000)
    np.testing.assert_array_equal(noise.between(16_300, 33_000), whole[:, 16_300:33_000])
    np.testing.assert_array_equal(noise.between(5, 6), whole[:, 5:6])
    sigma = np.sqrt(1e-10 * RATE / 2)
    seam = np.concatenate([whole[:, 16_384:16_448], whole[:, 32_768:32_832]], axis=1)
    assert whole.std() == pytest.approx(sigma, rel=0.02)
    assert seam.std() == pytest.approx(sigma, rel=0.12)  # 384 values: 3.6 % standard error


@pytest.mark.parametrize("target", ["auto", pytest.param("numpy", marks=pytest.mark.slow)])
def test_going_back_repeats_everything(target, monkeypatch):
    monkeypatch.setitem(b2.prefs, "codegen.target", target)
    group = group_of(get_cell("rs"))
    sim = cl.CLSimulator(Network(group))
    device, controller = cl.rig_preset("multiclamp_700b").as_device("tip"), Steps()
    sim.inject(device, group, i_targets=[1])
    sim.set_io_processor(controller)
    sim.run(12 * ms)
    sim.network.store("here")
    sim.run(8 * ms)
    first, truth = device.outputs.copy(), device.truth.copy()
    sim.network.restore("here")
    assert len(device.times) == 480
    assert len(device.values) == 12
    sim.run(8 * ms)
    np.testing.assert_array_equal(device.outputs, first)
    sim.reset()
    assert len(device.times) == len(device.values) == 0
    sim.run(20 * ms)
    np.testing.assert_array_equal(device.truth, truth)
    np.testing.assert_array_equal(device.outputs, first)


def test_several_pipettes_on_one_group(compiled):
    """Each is the one it would be alone; what cannot share a group is told."""
    small, large = (
        cl.rig_preset("multiclamp_700b", access_resistance=f"{access} MOhm", bridge=0, **QUIET)
        for access in (5, 30)
    )
    group = group_of(get_cell("rs"))
    sim = cl.CLSimulator(Network(group))
    devices = [small.as_device("small"), large.as_device("large")]
    sim.inject(devices[0], group, i_targets=[2])
    sim.inject(devices[1], group, i_targets=[0])
    for again, name in (
        (large, "third"),
        (clamp := cl.rig_preset("multiclamp_700b", "voltage_clamp"), "v"),
    ):
        with pytest.raises(
            InputError, match=r"neuron 2 .* has a pipette already, 'small' in current"
        ):
            sim.inject(again.as_device(name), group, i_targets=[1, 2])
    with pytest.raises(InputError, match="make a NeuronGroup of its own"):
        sim.inject(clamp.as_device("v"), group, i_targets=[1])
    untouched = float(group.v[1])
    sim.run(10 * ms)
    for device in devices:
        device.update(600 * pA)
    sim.run(30 * ms)
    assert None not in compiled
    for device, rig in zip(devices, (small, large), strict=True):
        wanted = recorded("rs", rig, 0.0, 6e-10).sweeps[0].response
        assert np.abs(device.outputs[:-1, 0] - wanted[1:]).max() < 1e-7
    assert float(group.v[1]) == pytest.approx(untouched, abs=1e-6)


def test_commands_that_cannot_be_played():
    device = cl.rig_preset("multiclamp_700b").as_device()
    with pytest.raises(InputError, match="not injected yet"):
        device.update(0.0)
    with pytest.raises(InputError, match="not injected yet"):
        device.outputs  # noqa: B018
    group = group_of(get_cell("passive"))
    cl.CLSimulator(Network(group)).inject(device, group, i_targets=[0, 2])
    device.update(4.0e-9)
    with pytest.raises(InputError, match="plays -4096"):
        device.update(4.2e-9)
    with pytest.raises(InputError, match="each of its 2 targets"):
        device.update([0.0, 0.0, 0.0])
    with pytest.raises(InputError, match="one finite number"):
        device.update(np.nan)
    assert device.value == pytest.approx([4e-9, 4e-9])
    fixed = cl.rig_preset("multiclamp_700b", rate="20 kHz")
    other = group_of(get_cell("passive"))
    with pytest.raises(InputError, match="samples at 20000 Hz but the protocol has 40000 Hz"):
        cl.CLSimulator(Network(other)).inject(fixed, other)
    drifting = cl.rig_preset("multiclamp_700b", access_resistance_end="20 MOhm")
    other = group_of(get_cell("passive"))
    with pytest.raises(UnsupportedError, match="leave out access_resistance_end"):
        cl.CLSimulator(Network(other)).inject(drifting, other)


def test_what_cannot_take_a_pipette():
    rig = cl.PatchPipette()
    group = group_of(get_cell("passive"))
    sim = cl.CLSimulator(Network(group))
    sim.inject(rig, group, i_targets=[0])
    with pytest.raises(InputError, match="has a pipette already"):
        sim.inject(cl.PatchPipette(amplifier=cl.VoltageClamp()).as_device("b"), group)
    with pytest.raises(InputError, match="pipettes of another simulator"):
        cl.CLSimulator(Network(group)).inject(rig, group, i_targets=[1])
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

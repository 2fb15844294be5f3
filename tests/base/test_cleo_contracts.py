"""What a Cleo script may do with recorders, stimulators and the simulator."""

import importlib
import subprocess
import sys

import brian2 as b2
import numpy as np
import pytest
from brian2 import Hz, ms

import cleo_like as cleo
from cleo_like.base import CLSimulator, Stimulator
from cleo_like.base.groups import ByGroup
from cleo_like.core import InputError, UnitError
from cleo_like.core.errors import NotHereYetError
from cleo_like.ioproc import RecordOnlyProcessor, exp_firing_rate_estimate
from cleo_like.recorders import GroundTruthSpikeRecorder, RateRecorder, VoltageRecorder
from cleo_like.stimulators import StateVariableSetter


@pytest.mark.parametrize("target", ["numpy", "auto"])
def test_the_level_of_a_run_is_counted_as_brian2_does(target):
    b2.prefs.codegen.target = target
    found_here = -5
    sims = [
        CLSimulator(b2.Network(b2.NeuronGroup(1, "v = -70 + found_here : 1"))) for _ in range(4)
    ]
    sims[0].run(0.1 * ms)
    sims[1].run(0.1 * ms, level=1)
    for sim, level in ((sims[2], 0), (sims[3], 2)):
        sim.set_io_processor(cleo.RecordOnlyProcessor(1 * ms))
        with pytest.raises(b2.BrianObjectException):
            sim.run(0.1 * ms, level=level)
    assert found_here


def test_histories_can_be_assigned():
    class Light(Stimulator):
        def connect_to_neuron_group(self, neuron_group, **kwparams):
            pass

    light = Light(name="light")
    light.t, light.values = [0, 1, 2] * ms, [1, 2, 3]
    assert light.t_ms == pytest.approx([0, 1, 2])
    assert light.values.tolist() == [1, 2, 3]
    with pytest.raises(UnitError, match="t=0 has no unit"):
        light.t = [0, 1]
    light.t = [0, 1] * ms
    with pytest.raises(InputError, match="'light' has 2 times and 3 values"):
        light.to_neo()
    with pytest.raises(InputError, match="2 times and 3 values"):
        light.update(1)
    light.reset()
    assert light.values.tolist() == [0]


def test_assigned_histories_go_on(group):
    voltage = VoltageRecorder()
    sim = CLSimulator(b2.Network(group)).inject(voltage, group)
    voltage.t, voltage.values = np.arange(300) * ms, np.ones((300, 3))
    sim.run(1 * ms)
    voltage.get_state()
    assert voltage.values.shape == (301, 3)
    assert voltage.values[-1] == pytest.approx([1, 1, 1])


def test_nothing_is_a_rate_in_any_unit():
    expected = exp_firing_rate_estimate([1], 1 * ms, [0] * Hz, 20 * ms)
    for nothing in (0, 0.0, [0], np.zeros(1)):
        assert exp_firing_rate_estimate(np.array([1]), 1 * ms, nothing, 20 * ms) == expected


def test_a_voltage_recorder_keeps_every_step_unless_it_keeps_nothing(group):
    sim = CLSimulator(b2.Network(group))
    keeps, forgets = VoltageRecorder(), VoltageRecorder(name="light", save_history=False)
    sim.inject(keeps, group).inject(forgets, group[1:])
    sim.run(2 * ms)
    assert keeps.mon.v.shape == (3, 20)
    assert np.asarray(keeps.mon.v[0]) == pytest.approx(np.arange(20) / 10)
    assert keeps.mon.t[-1] == 1.9 * ms
    assert forgets.mon is None
    assert len(forgets.get_state()) == 2


def pair(steps):
    """The recorder's monitor and Brian2's own, of the same group, after some steps."""
    group = b2.NeuronGroup(5, "dx/dt = -x/(10*ms) : 1", method="exact", dt=0.1 * ms)
    group.x = "1 + i"
    brians = b2.StateMonitor(group, "x", record=True)
    voltage = VoltageRecorder("x")
    sim = CLSimulator(b2.Network(group, brians)).inject(voltage, group)
    sim.run(steps * 0.1 * ms)
    return sim, voltage.mon, brians


@pytest.mark.parametrize("steps", [1, 511, 512, 513, 1100])
def test_the_monitor_of_a_voltage_recorder_is_a_state_monitor(steps):
    sim, ours, brians = pair(steps)
    assert isinstance(ours, b2.StateMonitor)

    def same():
        for look in (
            lambda m: m.variables["N"].get_value(), lambda m: m.t_, lambda m: m.x_,
            lambda m: m[2].x, lambda m: m[[0, 3]].x_, lambda m: m.get_states()["x"],
        ):  # fmt: skip
            np.testing.assert_array_equal(look(ours), look(brians))

    same()
    for monitor in (ours, brians):
        monitor.record_single_timestep()
    same()
    assert len(ours.t) == steps + 1
    sim.reset()
    assert len(ours.t) == 0
    sim.run(3 * 0.1 * ms)
    same()
    sim.network.store("here")
    sim.run(4 * 0.1 * ms)
    same()
    sim.network.restore("here")
    same()
    assert len(ours.t) == 3


@pytest.mark.parametrize("look", ["x", "t", "x_"])
def test_a_controller_sees_every_step_so_far_in_the_monitor(look):
    """Within a run, whatever it looks at first."""
    group = b2.NeuronGroup(2, "dx/dt = 1/ms : 1", method="euler", dt=0.1 * ms)
    voltage, seen = VoltageRecorder("x"), []

    class Reader(RecordOnlyProcessor):
        def process(self, state_dict, t_samp):
            found = getattr(voltage.mon, look)
            seen.append(np.shape(found)[-1])
            return {}, t_samp

    sim = CLSimulator(b2.Network(group)).inject(voltage, group)
    sim.set_io_processor(Reader(sample_period=0.5 * ms))
    sim.run(1.6 * ms)
    assert seen == [0, 5, 10, 15]


@pytest.mark.parametrize(
    "model", ["dx/dt = 1/ms : 1\ny = 2*x : 1", "dx/dt = 1/ms : 1\ny : integer"]
)
def test_subexpressions_and_whole_numbers_are_recorded_by_brian2_itself(model):
    group = b2.NeuronGroup(2, model, method="euler", dt=0.1 * ms)
    voltage = VoltageRecorder("y")
    CLSimulator(b2.Network(group)).inject(voltage, group).run(1 * ms)
    assert type(voltage.mon) is b2.StateMonitor
    assert voltage.mon.y.shape == (2, 10)


def test_a_signal_that_is_an_array_of_one_is_for_all(group):
    setter = StateVariableSetter(name="setter", variable_to_ctrl="I", unit=1 * b2.nA)
    CLSimulator(b2.Network(group)).inject(setter, group)
    setter.update(np.array([2.0]))
    assert np.allclose(group.I / b2.nA, 2)


@pytest.mark.parametrize("signal", [np.nan, np.float32(np.nan), [0, np.nan, 1]])
def test_a_signal_that_is_not_a_number_is_refused(group, signal):
    setter = StateVariableSetter(name="setter", variable_to_ctrl="I", unit=1 * b2.nA)
    CLSimulator(b2.Network(group)).inject(setter, group)
    with pytest.raises(InputError, match="a signal that is not a number"):
        setter.update(signal)
    assert np.asarray(group.I).tolist() == [0, 0, 0]


def test_sources_that_are_no_neurons_are_recorded_too():
    poisson = b2.PoissonGroup(4, 0 * Hz)
    given = b2.SpikeGeneratorGroup(3, [0, 1, 1], [1, 2, 3] * ms)
    sim = CLSimulator(b2.Network(poisson, given))
    silent, spikes = GroundTruthSpikeRecorder(), GroundTruthSpikeRecorder(name="with a space")
    sim.inject(silent, poisson).inject(spikes, given).inject(RateRecorder(1), poisson)
    with pytest.raises(InputError, match=r"no variable 'v'.*none of its own"):
        sim.inject(VoltageRecorder(), given)
    with pytest.raises(InputError, match="no part of a SpikeGeneratorGroup"):
        sim.inject(RateRecorder(1, name="rate"), given)
    sim.run(3.1 * ms)
    assert silent.get_state().tolist() == [0] * 4
    assert spikes.get_state().tolist() == [1, 2, 0]
    assert sim.recorders["RateRecorder"].get_state() == 0 * Hz
    read_only = StateVariableSetter(variable_to_ctrl="rates", unit=Hz)
    ruled = b2.PoissonGroup(2, "5*Hz")
    sim.network.add(ruled)
    with pytest.raises(InputError, match="no variable 'rates' that can be set"):
        sim.inject(read_only, ruled)


def test_a_mapping_answers_to_groups_and_names(group):
    found = ByGroup({group.name: 1})
    assert found[group] == found[group.name] == found.get(group) == 1
    assert group in found
    assert list(found) == [group.name]
    with pytest.raises(KeyError):
        found["other"]
    with pytest.raises(KeyError):
        found[3]


@pytest.mark.parametrize(
    "statement",
    [
        "from cleo_like.light import Light, fiber473nm",
        "import cleo_like.light as light; light.Light",
        "from cleo_like import opto; opto.chr2_4s()",
        "from cleo_like.ephys import Probe",
        "import cleo_like as cleo; cleo.ephys.Probe",
        "from cleo_like.registry import DeviceInteractionRegistry",
    ],
)
def test_parts_of_cleo_that_are_not_here_yet_say_so(statement):
    with pytest.raises((NotHereYetError, AttributeError), match="not part of cleo_like yet"):
        exec(statement, {})


def test_tools_may_look_around_in_what_is_not_here():
    for name in ("light", "opto", "ephys", "registry"):
        module = importlib.import_module(f"cleo_like.{name}")
        assert getattr(module, "pytest_plugins", None) is None
        assert not hasattr(module, "__path__")


def test_names_that_cleo_gave_up_say_what_replaces_them():
    with pytest.raises(NotHereYetError, match=r"ConstantDelay.*the time that process"):
        from cleo_like.ioproc import ConstantDelay  # noqa: F401
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = cleo.ioproc.Nothing


def test_everything_comes_with_a_star_as_in_cleos_tutorials():
    script = (
        "from cleo_like import *\n"
        "CLSimulator, ioproc.pi_ctrl, coords.assign_xyz, imaging.Scope, recorders, stimulators\n"
        "utilities.style_plots_for_docs(); viz.plot; print('all')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout == "all\n", done.stderr

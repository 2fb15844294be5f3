"""Injection, snapshots, reset, export."""

import sys

import brian2 as b2
import numpy as np
import pytest
from attrs import define, field
from brian2 import ms

from cleo_like.base import (
    CLSimulator,
    History,
    InterfaceDevice,
    Recorder,
    Stimulator,
    SynapseDevice,
    snapshot,
)
from cleo_like.core import InputError, UnsupportedError
from cleo_like.ioproc import RecordOnlyProcessor
from cleo_like.recorders import GroundTruthSpikeRecorder, RateRecorder, VoltageRecorder
from cleo_like.stimulators import StateVariableSetter
from cleo_like.utilities import set_seed


def simulator(group):
    return CLSimulator(b2.Network(group))


@define(eq=False)
class Noise(Recorder):
    """Draws one number at each sample."""

    rand_seed: int | None = None
    seen: list = field(factory=list)

    def connect_to_neuron_group(self, neuron_group, **kwparams):
        pass

    def get_state(self):
        self.seen.append(self.rng.random())

    def reset(self, **kwargs):
        self.seen.clear()


def test_injection_chains_and_names_are_those_of_the_classes(group):
    sim = simulator(group)
    voltage = VoltageRecorder()
    setter = StateVariableSetter(variable_to_ctrl="I", unit=1 * b2.nA)
    assert sim.inject(voltage, group).inject(setter, group) is sim
    assert sim.recorders == {"VoltageRecorder": voltage}
    assert sim.stimulators == {"StateVariableSetter": setter}
    assert sim.devices == {voltage, setter}
    sim._remove(voltage)
    assert sim.recorders == {}
    assert voltage.sim is None


def test_a_refused_injection_leaves_nothing_behind(group, regular):
    sim = CLSimulator(b2.Network(group, regular))
    sim.inject(GroundTruthSpikeRecorder(), regular)
    before = len(sim.network.objects)
    with pytest.raises(
        InputError, match="a device named 'GroundTruthSpikeRecorder' is already"
    ):
        sim.inject(GroundTruthSpikeRecorder(), regular)
    with pytest.raises(InputError, match="records one group"):
        sim.inject(GroundTruthSpikeRecorder(name="two"), regular, group)
    with pytest.raises(InputError, match="has no variable 'u'"):
        sim.inject(VoltageRecorder("u"), group)
    assert len(sim.network.objects) == before
    assert list(sim.recorders) == ["GroundTruthSpikeRecorder"]


def test_wrong_injections_are_refused(group):
    sim = simulator(group)
    recorder = VoltageRecorder()
    stranger = b2.NeuronGroup(1, "v : 1", name="stranger")
    with pytest.raises(InputError, match="stranger is not in the network"):
        sim.inject(recorder, stranger)
    with pytest.raises(InputError, match="at least one neuron group"):
        sim.inject(recorder)
    with pytest.raises(InputError, match="write VoltageRecorder"):
        sim.inject(VoltageRecorder, group)
    with pytest.raises(InputError, match="needs a device first"):
        sim.inject(group, recorder)
    sim.inject(recorder, group)
    with pytest.raises(InputError, match="already injected into another simulator"):
        CLSimulator(b2.Network(stranger)).inject(recorder, stranger)
    with pytest.raises(InputError, match=r"needs a brian2\.Network"):
        CLSimulator(group)
    with pytest.raises(InputError, match="is in A"):
        sim.inject(StateVariableSetter(variable_to_ctrl="I", unit=1 * b2.mV), group)


def test_voltage_is_that_of_the_present_and_of_the_named_variable():
    cells = b2.NeuronGroup(3, "dw/dt = 1/ms : 1", method="euler")
    sim = simulator(cells)
    recorder = VoltageRecorder(voltage_var_name="w")
    sim.inject(recorder, cells[1:])
    sim.set_io_processor(RecordOnlyProcessor(1 * ms))
    sim.run(3.05 * ms)
    assert np.allclose(recorder.values, np.arange(4)[:, None] * np.ones(2))
    assert recorder.t_ms == pytest.approx([0, 1, 2, 3])
    assert recorder.mon.w.shape == (2, 31)  # every step, as Cleo keeps it


def test_spikes_since_the_last_sample_also_after_reset(regular):
    sim = simulator(regular)
    recorder = GroundTruthSpikeRecorder()
    sim.inject(recorder, regular)
    sim.set_io_processor(RecordOnlyProcessor(1 * ms))
    sim.run(8 * ms)
    expected = [[0, 0, 0]] + [[0, 10, 0]] * 5 + [[0, 10, 10]] * 2
    assert recorder.values.tolist() == expected
    sim.reset()
    assert len(recorder.values) == 0
    sim.run(8 * ms)
    assert recorder.values.tolist() == expected


def test_rate_recorder_gives_the_rate_of_the_last_step(regular):
    sim = simulator(regular)
    recorder = RateRecorder(1)
    sim.inject(recorder, regular)
    assert recorder.get_state() == 0 * b2.Hz
    sim.run(1 * ms)
    assert recorder.get_state() == 10_000 * b2.Hz


def test_reset_repeats_the_run(group):
    group.v = [1, 2, 3]
    sim = simulator(group)
    noise = Noise(3)
    voltage = VoltageRecorder()
    sim.inject(noise, group).inject(voltage, group)
    sim.set_io_processor(RecordOnlyProcessor(1 * ms))
    sim.run(4 * ms)
    seen, values = list(noise.seen), voltage.values.copy()
    sim.reset()
    assert sim.network.t_ == 0
    assert np.allclose(group.v, [1, 2, 3])
    sim.run(4 * ms)
    assert noise.seen == seen
    assert np.array_equal(voltage.values, values)


def test_a_large_state_is_kept_in_a_file_not_in_memory(group, monkeypatch):
    monkeypatch.setattr(snapshot, "LARGE", 1)
    sim = simulator(group)
    sim.run(1 * ms)
    assert sim._snapshot.file.exists()
    assert not sim.network._stored_state.get(snapshot.NAME)
    sim.reset()
    assert np.allclose(group.v, 0)
    assert np.allclose(sim.network.t_, 0)


def test_injecting_stores_nothing_and_so_does_a_simulator_that_needs_no_reset(group):
    sim = CLSimulator(b2.Network(group), resettable=False)
    sim.inject(VoltageRecorder(), group)
    sim.run(1 * ms)
    assert list(sim.network._stored_state) in ([], ["default"])
    with pytest.raises(InputError, match="resettable=False"):
        sim.reset()


def test_a_seeded_network_repeats_its_noise_after_a_reset():
    def potentials(sim, group):
        sim.run(5 * ms)
        return np.array(group.v)

    def made(seed):
        group = b2.NeuronGroup(20, "dv/dt = xi/sqrt(ms) : 1", method="euler")
        return CLSimulator(b2.Network(group), seed=seed), group

    sim, group = made(5)
    first = potentials(sim, group)
    sim.reset()
    assert np.array_equal(potentials(sim, group), first)
    assert not np.array_equal(potentials(sim, group), first)  # time goes on
    assert np.array_equal(potentials(*made(5)), first)
    assert not np.array_equal(potentials(*made(6)), first)


def test_each_device_has_random_numbers_of_its_own():
    assert Noise(3).rng.random() == Noise(3).rng.random()
    assert Noise().rng.random() != Noise().rng.random()
    set_seed(5)
    first = [Noise().rng.random(), Noise().rng.random()]
    set_seed(5)
    unused = Noise()
    again = [unused.rng.random(), Noise().rng.random()]
    set_seed(None)
    assert first == again
    assert first[0] != first[1]


def test_a_stimulator_starts_at_zero_and_keeps_its_signals(group):
    class Light(Stimulator):
        def connect_to_neuron_group(self, neuron_group, **kwparams):
            pass

    light = Light()
    assert (light.value, light.values.tolist(), light.t_ms.tolist()) == (0, [0], [0])
    sim = simulator(group).inject(light, group)
    sim.run(2 * ms)
    sim.update_stimulators({"Light": 3.5})
    assert light.value == 3.5
    assert light.t[1] == 2 * ms
    sim.reset()
    assert light.values.tolist() == [0]


def test_a_setter_takes_numbers_for_each_group_once(group):
    sim = simulator(group)
    setter = StateVariableSetter(name="setter", variable_to_ctrl="I", unit=1 * b2.nA)
    sim.inject(setter, group)
    with pytest.raises(InputError, match="already injected into"):
        sim.inject(setter, group)
    for wrong in (None, [1, 2], "much", 2 * b2.nA, 2 * b2.mV):
        with pytest.raises(InputError, match="takes a number in multiples of its unit"):
            sim.update_stimulators({"setter": wrong})
    assert len(setter.values) == 1  # what was refused did not happen
    sim.update_stimulators({"setter": [1, 2, 3]})
    assert np.allclose(group.I / b2.nA, [1, 2, 3])
    sim.update_stimulators({"setter": 4})
    assert np.allclose(group.I / b2.nA, 4)


def test_export_to_neo(group):
    neo = pytest.importorskip("neo")
    setter = StateVariableSetter(variable_to_ctrl="I", unit=1 * b2.nA)
    sim = simulator(group).inject(VoltageRecorder(), group).inject(setter, group)
    sim.set_io_processor(RecordOnlyProcessor(1 * ms))
    sim.run(4 * ms)
    block = sim.to_neo()
    assert isinstance(block, neo.Block)
    (segment,) = block.segments
    (signal,) = segment.analogsignals
    assert signal.name == "VoltageRecorder"
    assert signal.shape == (4, 3)
    assert float(signal.sampling_period.rescale("ms")) == pytest.approx(1)
    assert segment.irregularlysampledsignals[0].name == "StateVariableSetter"


def test_memory_of_a_long_loop_grows_linearly():
    """Ten minutes at 1 kHz of 100 values: the arrays hold at most twice the data."""
    history = History()
    row = np.zeros(100)
    sizes = []
    for n in range(1, 40_001):
        history.append(n * 1e-3, row)
        if n in (20_000, 40_000):
            sizes.append(sys.getsizeof(history._values) / n)
    assert max(sizes) < 2.1 * row.nbytes
    assert len(history) == 40_000


def test_history_takes_what_comes():
    history = History()
    for k, value in enumerate([0, 1.5, [1, 2], 3]):
        history.append(k, value)
    assert history.values.tolist() == [[0, 0], [1.5, 1.5], [1, 2], [3, 3]]
    history.append(4, "off")
    history.append(5, np.arange(3))
    assert history.values[4] == "off"
    assert history.values[5].tolist() == [0, 1, 2]
    assert history.values[2].tolist() == [1, 2]


class Tracer(SynapseDevice):
    """Counts spikes of its cell in a variable that the neurons may have too."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.model = "dCa/dt = 0*Ca/ms : 1 (clock-driven)\nrho_rel : 1"
        self.on_pre = "Ca += 1"

    def init_syn_vars(self, syn):
        syn.Ca = 5


def test_a_synapse_device_keeps_its_variables_apart_from_the_neurons():
    cells = b2.NeuronGroup(4, "Ca : 1", threshold="i == 2", reset="")
    cells.Ca = 1
    sim = simulator(cells)
    tracer = Tracer()
    sim.inject(tracer, cells, i_targets=[0, 2], rho_rel=[1, 2])
    assert isinstance(tracer, InterfaceDevice)
    sim.run(1 * ms)
    assert tracer.view(cells.name).Ca[:].tolist() == [5, 15]
    assert tracer.synapses[cells.name].rho_rel[:].tolist() == [1, 2]
    assert cells.Ca[:].tolist() == [1, 1, 1, 1]
    sim.reset()
    assert tracer.view(cells.name).Ca[:].tolist() == [5, 5]
    with pytest.raises(InputError, match="already injected into"):
        sim.inject(tracer, cells)


def test_expression_is_a_probability(group):
    sim = simulator(group)
    for wrong in (1.5, -0.1, "some", [0.5, 2, 0.5], np.nan, [1, 1]):
        with pytest.raises(InputError, match="p_expression must be a probability"):
            sim.inject(Tracer(), group, p_expression=wrong)
    for wrong in ([3], [-1], [0.5], [1, 1]):
        with pytest.raises(InputError, match="i_targets"):
            sim.inject(Tracer(), group, i_targets=wrong)
    with pytest.raises(InputError, match="not both"):
        sim.inject(Tracer(), group, i_targets=[0], p_expression=1)
    tracer = Tracer()
    sim.inject(tracer, group, p_expression=[0, 1, 0])
    assert tracer.synapses[group.name].i[:].tolist() == [1]
    sim.inject(Tracer(name="none"), group, p_expression=0)


@pytest.fixture
def standalone(tmp_path):
    b2.set_device("cpp_standalone", directory=str(tmp_path), build_on_run=False)
    yield
    b2.device.reinit()
    b2.set_device("runtime")


def test_closed_loop_in_standalone_is_an_error_and_not_silence(standalone):
    cells = b2.NeuronGroup(3, "v : 1\nI : amp", threshold="v > 1", name="standalone_cells")
    sim = simulator(cells)
    setter = StateVariableSetter(variable_to_ctrl="I", unit=1 * b2.nA)
    sim.inject(GroundTruthSpikeRecorder(), cells).inject(setter, cells)
    with pytest.raises(UnsupportedError, match="closed loop cannot run in a standalone build"):
        sim.set_io_processor(RecordOnlyProcessor(1 * ms))
    sim.run(1 * ms)
    with pytest.raises(UnsupportedError, match=r"reset\(\) does not exist in a standalone"):
        sim.reset()

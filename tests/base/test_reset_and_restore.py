"""What a controller and its devices know goes back with the network."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms

from cleo_like.base import CLSimulator, IOProcessor
from cleo_like.core import InputError
from cleo_like.imaging import Scope, gcamp6f
from cleo_like.ioproc import LatencyIOProcessor, RecordOnlyProcessor
from cleo_like.recorders import GroundTruthSpikeRecorder, VoltageRecorder
from cleo_like.stimulators import StateVariableSetter


class OwnReset(LatencyIOProcessor):
    """Overrides reset() without calling the one above it, as Cleo's documentation shows."""

    def __init__(self, **kwargs):
        super().__init__(1 * ms, **kwargs)
        self.count, self.on = 0, True

    def process(self, state_dict, t_samp):
        self.count += 1
        return ({"setter": 5.0} if self.on else {}), t_samp + 7 * ms

    def reset(self):
        self.count = 0


class OwnBaseReset(OwnReset):
    """Clears what its constructor makes only after the one above it."""

    def __init__(self):
        super().__init__()
        self.log = []

    def process(self, state_dict, t_samp):
        self.log.append(t_samp)
        return super().process(state_dict, t_samp)

    def _base_reset(self):
        super()._base_reset()
        self.log.clear()


def controlled(group, processor):
    setter = StateVariableSetter(name="setter", variable_to_ctrl="I", unit=1 * b2.nA)
    sim = CLSimulator(b2.Network(group)).inject(setter, group)
    sim.set_io_processor(processor)
    return sim, setter


@pytest.mark.parametrize(
    ("options", "samples", "answers"),
    [({}, 30, 23), ({"processing": "serial"}, 30, 4), ({"sampling": "when idle"}, 5, 4)],
)
def test_a_second_trial_is_the_first_one_again(group, options, samples, answers):
    processor = OwnReset(**options)
    sim, setter = controlled(group, processor)
    for _ in range(2):
        sim.run(30 * ms)
        assert (processor.count, int((setter.values == 5).sum())) == (samples, answers)
        sim.reset()


def test_signals_of_a_trial_are_not_sent_in_the_next(group):
    processor = OwnReset()
    sim, setter = controlled(group, processor)
    sim.run(10 * ms)
    sim.reset()
    processor.on = False
    sim.run(30 * ms)
    assert setter.values.tolist() == [0]
    assert processor.latest_ctrl_signal == {}


def test_cleos_other_reset_hook_is_called_too(group):
    processor = OwnBaseReset()
    sim, _ = controlled(group, processor)
    sim.run(10 * ms)
    assert len(processor.log) == 10
    sim.reset()
    assert (processor.log, len(processor.out_buffer)) == ([], 0)


def test_a_controller_that_calls_no_constructor_above_its_own(group):
    class Bare(IOProcessor):
        def __init__(self):
            self.count = 0

        def is_sampling_now(self, t_now):
            return True

        def put_state(self, state_dict, t_samp):
            self.count += 1

        def get_ctrl_signals(self, t_query):
            return {"setter": 1.0}

    processor = Bare()
    sim, setter = controlled(group, processor)
    sim.run(1 * ms)
    assert processor.count == 10
    assert len(setter.values) == 11


def test_asking_whether_a_sample_is_due_changes_nothing(clockwork):
    processor = clockwork(1 * ms, sampling="when idle", latency=7 * ms, to="o")
    processor.put_state({}, 0 * ms)
    assert not processor.is_sampling_now(1 * ms)
    answers = [processor.is_sampling_now(7.3 * ms) for _ in range(3)]
    assert answers == [True, True, True]
    processor.put_state({}, 7.3 * ms)
    assert not processor.is_sampling_now(7.4 * ms)


def test_answers_are_copies_of_what_the_controller_uses_again(group):
    class Frugal(LatencyIOProcessor):
        def __init__(self):
            super().__init__(1 * ms)
            self.out = {"setter": np.zeros(3)}

        def process(self, state_dict, t_samp):
            self.out["setter"][:] = float(t_samp / ms)
            return self.out, t_samp + 2 * ms

    sim, setter = controlled(group, Frugal())
    sim.run(6 * ms)
    assert setter.values[1:, 0] == pytest.approx([0, 1, 2, 3])


def test_a_controller_takes_no_answers_into_another_simulator(make_group):
    processor = OwnReset()
    for _ in range(2):
        sim, setter = controlled(make_group(), processor)
        sim.run(9 * ms)
        assert setter.t_ms[1:] == pytest.approx([7, 8])


# -- runs that the user starts ---------------------------------------------------------------
@pytest.fixture
def spiking():
    """Cell 0 spikes every 5 ms; cell 1 never does."""
    condition = "v > 0.5 and i == 0 and int(t/dt) % 50 == 5"
    group = b2.NeuronGroup(2, "v : 1\nI : amp", threshold=condition, reset="")
    group.v = 1
    return group


def test_a_run_of_the_network_itself_can_be_reset(spiking):
    sim = CLSimulator(b2.Network(spiking))
    sensor, spikes = gcamp6f(), GroundTruthSpikeRecorder()
    sim.inject(sensor, spiking).inject(spikes, spiking)
    for _ in range(2):
        sim.network.run(20 * ms)
        assert spikes.get_state().tolist() == [4, 0]
        assert sensor.get_state()[spiking][0] > 0.1
        sim.reset()
        assert sim.network.t == 0 * ms
        assert sensor.get_state()[spiking].tolist() == [0, 0]


def test_what_cannot_go_back_says_so(make_group):
    sim = CLSimulator(b2.Network(make_group()))
    sim.network.run(1 * ms)
    with pytest.raises(InputError, match="run before anything was injected"):
        sim.reset()
    group = make_group()
    sim = CLSimulator(b2.Network(group))
    sim.run(1 * ms)
    sim.network.add(b2.StateMonitor(group, "v", record=True))
    with pytest.raises(InputError, match="objects were added to the network"):
        sim.reset()


def test_an_injection_after_a_run_is_the_new_start(make_group):
    """As in Cleo, which keeps the state at each injection."""
    group = make_group()
    sim = CLSimulator(b2.Network(group))
    sim.run(10 * ms)
    sim.inject(GroundTruthSpikeRecorder(), group)
    sim.reset()
    assert sim.network.t_ == pytest.approx(10e-3)
    sim.run(5 * ms)
    sim.reset()
    assert sim.network.t_ == pytest.approx(10e-3)
    assert np.allclose(group.v, 10)


def test_the_network_without_its_sensor_is_not_run(spiking):
    sim = CLSimulator(b2.Network(spiking))
    sim.inject(Scope(gcamp6f(), 500 * b2.um), spiking, i_targets=[0])
    with pytest.raises(b2.BrianObjectException) as caught:
        sim.network.run(1 * ms)
    assert "inject_sensor_for_targets() before network.run" in str(caught.value.__cause__)
    sim.run(1 * ms)  # does it itself


# -- Brian2's own store and restore -----------------------------------------------------------
class Follow(LatencyIOProcessor):
    """Its answer depends on what it sees, and comes out 3.5 ms later."""

    def process(self, state_dict, t_samp):
        seen = float(state_dict["spikes"].sum() + state_dict["Scope"].sum())
        return {"setter": seen + float(t_samp / ms)}, t_samp + 3.5 * ms


@pytest.mark.parametrize(
    ("evaluation", "in_file"), [("event", False), ("event", True), ("clock", False)]
)
def test_a_restored_experiment_goes_on_as_it_did(spiking, tmp_path, evaluation, in_file):
    """Oracle: the uninterrupted run."""
    sensor = gcamp6f(evaluation=evaluation, sigma_noise=0)
    scope = Scope(sensor, 500 * b2.um)
    setter = StateVariableSetter(name="setter", variable_to_ctrl="I", unit=1 * b2.nA)
    sim = CLSimulator(b2.Network(spiking))
    sim.inject(scope, spiking, i_targets=[0, 1])
    sim.inject(GroundTruthSpikeRecorder(name="spikes"), spiking).inject(setter, spiking)
    sim.set_io_processor(Follow(1 * ms, processing="serial"))
    where = {"filename": str(tmp_path / "state")} if in_file else {}
    sim.run(10.3 * ms)
    sim.network.store("here", **where)
    pending = len(sim.io_processor.out_buffer)
    assert pending > 1

    def rest():
        sim.run(15 * ms)
        return [
            np.array(x)
            for x in (setter.t_ms, setter.values, scope.dFF, scope.t_ms, spiking.I,
                      sensor.get_state()[spiking], sim.io_processor.t_samp_ms)
        ]  # fmt: skip

    expected = rest()
    sim.network.restore("here", **where)
    assert len(sim.io_processor.out_buffer) == pending
    for found, wanted in zip(rest(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)


def test_histories_go_back_as_monitors_do(make_group):
    group = make_group()
    sim = CLSimulator(b2.Network(group))
    voltage = VoltageRecorder()
    sim.inject(voltage, group)
    sim.set_io_processor(RecordOnlyProcessor(1 * ms))
    sim.run(3 * ms)
    sim.network.store("early")
    sim.run(4 * ms)
    sim.network.restore("early")
    assert voltage.t_ms == pytest.approx([0, 1, 2])
    assert voltage.mon.v.shape == (3, 30)
    sim.run(2 * ms)
    assert voltage.values[:, 0] == pytest.approx([0, 1, 2, 3, 4])

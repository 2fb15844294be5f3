"""When samples are taken and answers delivered, counted in steps."""

import brian2 as b2
import numpy as np
import pytest
from attrs import define
from brian2 import ms, second
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.base import CLSimulator, Recorder
from cleo_like.core import InputError, UnitError, UnknownNameError
from cleo_like.ioproc import LatencyIOProcessor, RecordOnlyProcessor
from cleo_like.stimulators import StateVariableSetter


class Times(Recorder):
    """Notes the time of every sample."""

    def __init__(self):
        super().__init__(name="times")
        self.seen = []

    def connect_to_neuron_group(self, neuron_group, **kwparams):
        pass

    def get_state(self):
        self.seen.append(self.now)
        return self.now


def sampled(group, processor, duration=1 * second, **kwargs):
    times = Times()
    sim = CLSimulator(b2.Network(group), resettable=False).inject(times, group)
    sim.set_io_processor(processor, **kwargs)
    sim.run(duration)
    return np.array(times.seen)


@pytest.mark.parametrize(("period", "count"), [(1 / 30, 30), (1 / 7, 7), (0.25e-3, 4000)])
def test_any_period_gives_its_rate_with_a_jitter_below_one_step(group, period, count):
    times = sampled(group, RecordOnlyProcessor(period * second))
    assert len(times) == count
    late = times - np.arange(count) * period
    assert (late > -1e-8).all()
    assert (late < 0.1e-3 - 1e-8).all()


def scheduled(period, dt, ticks):
    processor = RecordOnlyProcessor(period * second)
    processor.start(dt)
    return np.flatnonzero([processor.is_sampling_now(k * dt * second) for k in ticks])


def test_a_long_period_has_no_second_sample_one_step_early():
    first = 199_990
    found = scheduled(20.0, 1e-4, range(first, 200_011)) + first
    assert found.tolist() == [200_000]


@settings(max_examples=40)
@given(
    steps=st.integers(1, 400),
    extra=st.floats(0, 1, exclude_max=True),
    dt=st.sampled_from([1e-5, 2.5e-5, 1e-4, 1e-3]),
)
def test_no_sample_is_lost_or_doubled(steps, extra, dt):
    period = (steps + extra) * dt
    found = scheduled(period, dt, range(2000))
    nominal = np.arange(len(found)) * period
    assert (found * dt >= nominal - 1e-3 * dt).all()
    assert (found * dt < nominal + dt).all()
    assert len(found) in (int(1999 * dt / period), int(1999 * dt / period) + 1)


def test_answers_come_out_after_their_latency_to_one_step(make_group, clockwork):
    for latency in (0, 0.3, 2.25, 7.0):
        group = make_group()
        setter = StateVariableSetter(name="setter", variable_to_ctrl="I", unit=1 * b2.nA)
        sim = CLSimulator(b2.Network(group)).inject(setter, group)
        sim.set_io_processor(clockwork(1 * ms, latency=latency * ms))
        sim.run(20 * ms)
        late = setter.t_ms[1:] - setter.values[1:] - latency
        assert len(late) == len(np.arange(0, 20 - latency - 0.05, 1.0))
        assert (late > -1e-6).all()
        assert (late < 0.1 - 1e-6).all()


def test_all_answers_due_at_once_come_out_together_and_in_order(group):
    class Burst(LatencyIOProcessor):
        def process(self, state_dict, t_samp):
            return {"setter": float(t_samp / ms)}, 3 * ms if t_samp < 3 * ms else 99 * ms

    setter = StateVariableSetter(name="setter", variable_to_ctrl="I", unit=1 * b2.nA)
    sim = CLSimulator(b2.Network(group)).inject(setter, group)
    sim.set_io_processor(Burst(1 * ms))
    sim.run(5 * ms)
    assert setter.values[1:].tolist() == [0.0, 1.0, 2.0]
    assert setter.t_ms[1:] == pytest.approx([3.0, 3.0, 3.0])


@pytest.mark.parametrize(
    ("sampling", "processing", "samples", "answers"),
    [
        ("fixed", "parallel", [0, 1, 2, 3], [(1.2, 0), (2.2, 1), (3.2, 2)]),
        ("fixed", "serial", [0, 1, 2, 3], [(1.2, 0), (2.4, 1), (3.6, 2)]),
        ("when idle", "parallel", [0, 1.2, 2.4, 3.6], [(1.2, 0), (2.4, 1.2), (3.6, 2.4)]),
        ("when idle", "serial", [0, 1.2, 2.4, 3.6], [(1.2, 0), (2.4, 1.2), (3.6, 2.4)]),
    ],
)
def test_sampling_and_processing_modes(clockwork, sampling, processing, samples, answers):
    """The four tables were read off Cleo 0.20, whose rules these are."""
    processor = clockwork(
        1 * ms, sampling=sampling, processing=processing, latency=1.2 * ms, to="o"
    )
    taken, given_out = [], []
    for k in range(38):
        now = k * 0.1 * ms
        if processor.is_sampling_now(now):
            processor.put_state({}, now)
            taken.append(round(k * 0.1, 1))
        for value in processor.get_ctrl_signals(now).values():
            given_out.append((round(k * 0.1, 1), round(value, 6)))
    assert taken == samples
    assert given_out == answers
    assert np.allclose(processor.t_samp / ms, samples)


def test_a_communication_period_is_a_whole_number_of_steps(group, make_group):
    times = sampled(group, RecordOnlyProcessor(2 * ms), 10 * ms, communication_period=1 * ms)
    assert times == pytest.approx([0, 0.002, 0.004, 0.006, 0.008])
    with pytest.raises(InputError, match="whole number of time steps"):
        sampled(
            make_group(), RecordOnlyProcessor(2 * ms), 1 * ms, communication_period=0.25 * ms
        )


def test_waveforms_between_samples_are_computed_at_every_step(group):
    class Ramp(LatencyIOProcessor):
        def process(self, state_dict, t_samp):
            return {"setter": 100.0}, t_samp

        def preprocess_ctrl_signals(self, latest_ctrl_signals, t_query):
            return {"setter": latest_ctrl_signals["setter"] * float(t_query / second)}

    setter = StateVariableSetter(name="setter", variable_to_ctrl="I", unit=1 * b2.nA)
    sim = CLSimulator(b2.Network(group)).inject(setter, group)
    sim.set_io_processor(Ramp(5 * ms))
    sim.run(10 * ms)
    assert np.allclose(setter.values[1:], 100 * np.arange(100) * 1e-4)


def test_a_users_attrs_subclass_works(group):
    @define
    class Mine(LatencyIOProcessor):
        gain: float

        def __attrs_pre_init__(self):
            LatencyIOProcessor.__init__(self, 2 * ms)

        def process(self, state_dict, t_samp):
            return {}, t_samp

    assert len(sampled(group, Mine(2.0), 10 * ms)) == 5


def run_with(group, processor):
    setter = StateVariableSetter(name="setter", variable_to_ctrl="I", unit=1 * b2.nA)
    sim = CLSimulator(b2.Network(group)).inject(setter, group)
    sim.set_io_processor(processor)
    sim.run(2 * ms)


def test_wrong_processors_are_refused(make_group, clockwork):
    with pytest.raises(UnitError, match=r"sample_period=1 has no unit; did you mean 1\*ms"):
        RecordOnlyProcessor(1)
    with pytest.raises(UnitError, match="sample_period must be in ms"):
        RecordOnlyProcessor(1 * b2.um)
    with pytest.raises(InputError, match="must be positive"):
        RecordOnlyProcessor(-1 * ms)
    with pytest.raises(InputError, match="sampling must be 'fixed' or 'when idle'"):
        RecordOnlyProcessor(1 * ms, sampling="sometimes")
    with pytest.raises(InputError, match=r"shorter than the 0\.1 ms between"):
        run_with(make_group(), RecordOnlyProcessor(0.05 * ms))
    with pytest.raises(InputError, match="a latency of -1 ms; return t_samp plus"):
        run_with(make_group(), clockwork(1 * ms, latency=-1 * ms))
    with pytest.raises(UnknownNameError, match="did you mean 'setter'"):
        run_with(make_group(), clockwork(1 * ms, to="seter"))
    for answer in (None, {"setter": 1}, ([1], 1 * ms), ({}, 1 * ms, 2)):

        class Odd(LatencyIOProcessor):
            def process(self, state_dict, t_samp, answer=answer):
                return answer

        with pytest.raises(InputError, match="must return two things"):
            run_with(make_group(), Odd(1 * ms))
    with pytest.raises(UnitError, match=r"output time .* has no unit"):

        class Bare(LatencyIOProcessor):
            def process(self, state_dict, t_samp):
                return {}, 3.0

        run_with(make_group(), Bare(1 * ms))

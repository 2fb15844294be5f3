"""A closed loop on compiled kernels gives what Brian2's own loop gives."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms, mV

from cleo_like.base import CLSimulator
from cleo_like.core import InputError
from cleo_like.engine import toolchain
from cleo_like.engine.loop_run import LoopRun
from cleo_like.ioproc import LatencyIOProcessor, RecordOnlyProcessor
from cleo_like.recorders import GroundTruthSpikeRecorder, VoltageRecorder
from cleo_like.stimulators import StateVariableSetter

EQUATIONS = """
dv/dt = (drive + I - v)/tau : volt (unless refractory)
I : volt
drive : volt (constant)
tau : second (shared)
"""


class Hold(LatencyIOProcessor):
    """Holds the mean potential; answers 0.7 ms after the sample."""

    def process(self, state, t_samp):
        gap = 9.0 - 1e3 * float(np.mean(state["VoltageRecorder"]))
        return {"StateVariableSetter": 0.5 * gap}, t_samp + 0.7 * ms


def experiment(sample=1 * ms, **run):
    """Two groups, one of them controlled; counts, histories, states, and the time."""
    gain = 30 * mV
    group = b2.NeuronGroup(
        150, EQUATIONS, threshold="v > 12*mV", reset="v = 0*mV", refractory=2 * ms,
        method="exact", dt=0.1 * ms, name="controlled",
    )  # fmt: skip
    other = b2.NeuronGroup(
        3, "dv/dt = (gain*(i + 1) - v)/(20*ms) : volt", threshold="v > 20*mV",
        reset="v = 0*mV", method="exact", dt=0.1 * ms, name="other",
    )  # fmt: skip
    group.drive = np.linspace(5, 20, 150) * mV
    group.tau = 10 * ms
    spikes, others = b2.SpikeMonitor(group, variables="v"), b2.SpikeMonitor(other)
    network = b2.Network(group, other, spikes, others)
    sim = CLSimulator(network)
    voltage, counts = VoltageRecorder(), GroundTruthSpikeRecorder()
    sim.inject(voltage, group).inject(counts, group)
    sim.inject(StateVariableSetter(variable_to_ctrl="I", unit=1 * mV), group)
    sim.set_io_processor(Hold(sample_period=sample))
    sim.run(20.3 * ms, **run)
    group.tau = 5 * ms  # a shared parameter may change between runs
    sim.run(30 * ms, **run)
    assert gain  # found by the equations of `other` in this function
    values = (spikes.i, spikes.t, spikes.v, others.i, others.t, counts.get_state(), voltage.values,
              group.v, group.I, other.v, network.t)  # fmt: skip
    return [np.array(value) for value in values], sim


@pytest.fixture
def compiling():
    """Brian2's default target, which allows the compiled loop."""
    if toolchain.find_compiler() is None:
        pytest.skip("no C++ compiler")

    def start():
        b2.prefs.codegen.target = "auto"  # the folder's fixture puts it back

    return start


@pytest.fixture
def used(monkeypatch):
    """How often the compiled loop ran."""
    runs = []
    original = LoopRun.run
    monkeypatch.setattr(LoopRun, "run", lambda self, *a: (runs.append(1), original(self, *a)))
    return runs


@pytest.mark.parametrize("sample", [1 * ms, 0.35 * ms, 1000 / 300 * ms])
def test_the_compiled_loop_gives_the_same_experiment(sample, used, compiling):
    expected, _ = experiment(sample)
    assert not used  # the tests of this folder run on the numpy target
    compiling()
    found, sim = experiment(sample)
    assert len(used) == 2
    assert len(expected[0]) > 100
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-12)
    sim.reset()
    assert sim.network.t == 0 * ms


def test_state_monitors_are_filled_up_to_every_sample(used, compiling):
    """What the controller may read of them is what Brian2's own loop shows it then."""

    class Reader(RecordOnlyProcessor):
        def process(self, state_dict, t_samp):
            self.seen.append((self.monitor.x.shape, float(self.monitor.x[:, -1:].sum())))
            return {}, t_samp

    def experiment():
        group = b2.NeuronGroup(300, "dx/dt = -x/(10*ms) : 1", method="exact", dt=0.1 * ms)
        group.x = "1 + i"
        monitor = b2.StateMonitor(group, "x", record=[0, 7, 255, 299])
        rare = b2.StateMonitor(group, "x", record=True, dt=0.3 * ms)
        sim = CLSimulator(b2.Network(group, monitor, rare))
        sim.inject(VoltageRecorder("x"), group)
        processor = Reader(sample_period=0.7 * ms)
        processor.seen, processor.monitor = [], monitor
        sim.set_io_processor(processor)
        sim.run(2 * ms)
        sim.run(3.1 * ms)
        return monitor, rare, sim.recorders["VoltageRecorder"], processor.seen

    expected = experiment()
    assert not used
    compiling()
    found = experiment()
    assert len(used) == 2
    for mine, theirs in zip(found[:2], expected[:2], strict=True):
        assert mine.x.shape == theirs.x.shape
        np.testing.assert_allclose(mine.x, theirs.x, rtol=1e-12)
        np.testing.assert_allclose(mine.t_, theirs.t_, rtol=1e-12)
    np.testing.assert_allclose(found[2].mon.x, expected[2].mon.x, rtol=1e-12)
    np.testing.assert_allclose(found[2].values, expected[2].values, rtol=1e-12)
    assert [shape for shape, _ in found[3]] == [shape for shape, _ in expected[3]]
    np.testing.assert_allclose([x for _, x in found[3]], [x for _, x in expected[3]])


def test_a_state_that_is_lost_is_named(compiling):
    compiling()
    group = b2.NeuronGroup(
        2, "dx/dt = x**2/ms : 1", method="euler", dt=0.1 * ms, name="runaway"
    )
    group.x = [0, 1e3]
    sim = CLSimulator(b2.Network(group))
    sim.set_io_processor(RecordOnlyProcessor(sample_period=100 * ms))
    with pytest.raises(InputError, match="'runaway' is not finite in trace 1 between"):
        sim.run(5 * ms)

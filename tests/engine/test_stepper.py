"""The stepper is the run, cut into pieces."""

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, TimedArray, ms

from cleo_like.core import InputError, UnknownNameError, UnsupportedError
from cleo_like.engine.codegen.source import NARROW, WIDTH
from cleo_like.engine.stepper import Stepper

EQUATIONS = """dv/dt = (drive + wave(t, column) - v)/tau + noise*xi*tau**-0.5 : 1
drive : 1
tau : second (constant)
noise : 1 (constant)
column : integer (constant)
w : 1"""
NAMES = {"wave": TimedArray(np.random.default_rng(0).random((40, 3)), dt=0.7 * ms)}


def make(n=150, monitors=1):
    group = NeuronGroup(
        n, EQUATIONS, method="euler", dt=0.1 * ms, threshold="v > 1", reset="v = 0; w += 1",
        refractory=0.5 * ms,
    )  # fmt: skip
    group.tau, group.drive, group.column = "3*ms + 0.01*i*ms", "1.5 + 0.01*i", "i % 3"
    group.run_regularly("w *= 0.9", dt=0.4 * ms)
    return group, Network(group, *(SpikeMonitor(group) for _ in range(monitors)))


def advanced(pieces, noise=0.0, seed=3):
    group, network = make()
    group.noise = noise
    stepper = Stepper(network, NAMES, seed=seed)
    trains = []
    for n in pieces:
        stepper.advance(n)
        trains.append(stepper.spikes())
    assert stepper.t == pytest.approx(sum(pieces) * 1e-4)
    trace, time = (np.concatenate(x) for x in zip(*trains, strict=True))
    return stepper["v"].copy(), stepper["w"].copy(), trace, time


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_any_pieces_give_the_same_bits(noise):
    whole = advanced([200], noise)
    for pieces in ([1] * 200, [7, 64, 1, 100, 28], [128, 72]):
        for a, b in zip(whole, advanced(pieces, noise), strict=True):
            np.testing.assert_array_equal(a, b)
    assert len(whole[2]) > 150
    assert (np.diff(whole[3]) >= 0).all()


def test_it_is_the_run(device):
    v, w, trace, time = advanced([200])
    with device("sweeps"):
        group, network = make()
        network.run(20 * ms, namespace=NAMES)
        np.testing.assert_array_equal(group.v[:], v)
        np.testing.assert_array_equal(group.w[:], w)
        (monitor,) = (x for x in network.objects if isinstance(x, SpikeMonitor))
        np.testing.assert_array_equal(monitor.i[:], trace)
        np.testing.assert_array_equal(monitor.t_[:], time)


@pytest.mark.slow
def test_written_currents_act_in_the_next_step(device):
    commands = np.random.default_rng(2).normal(9, 9, (12, 150))
    group, network = make()
    stepper = Stepper(network, NAMES)
    for command in commands:
        stepper["drive"][:] = command
        stepper.advance(1)
    with device("runtime"):
        reference, network = make()
        for command in commands:
            reference.drive = command
            network.run(0.1 * ms, namespace=NAMES)
        np.testing.assert_allclose(group.v[:], reference.v[:], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(group.w[:], reference.w[:], rtol=1e-12)
        assert (group.w[:] > 0).any()


def test_a_run_goes_on_where_it_finished(device):
    with device("sweeps"):
        group, network = make()
        stepper = Stepper(network, NAMES)
        stepper.advance(77)
        stepper.finish()
        assert float(network.t_) == pytest.approx(7.7e-3)
        network.run(5 * ms, namespace=NAMES)
        again, network = make()
        network.run(12.7 * ms, namespace=NAMES)
        np.testing.assert_array_equal(group.v[:], again.v[:])


def test_a_stepper_goes_on_where_a_run_ended(device):
    with device("sweeps"):
        group, network = make()
        network.run(4 * ms, namespace=NAMES)
        stepper = Stepper(network, NAMES)
        assert stepper.t == pytest.approx(4e-3)
        stepper.advance(60)
        again, network = make()
        network.run(10 * ms, namespace=NAMES)
        np.testing.assert_array_equal(group.v[:], again.v[:])


@pytest.mark.parametrize("n", [1, 3, 4])
def test_a_narrow_kernel_gives_the_same_bits(n):
    """Four traces have a kernel of one vector; the same ones among five have the wide one."""
    wide, narrow = (Stepper(make(k)[1], NAMES, seed=3) for k in (5, n))
    for stepper in (wide, narrow):
        stepper["v"][:] = np.linspace(-0.07, -0.055, 5)[: len(stepper["v"])]
    for steps in (1, 30, 7, 200):
        wide.advance(steps)
        narrow.advance(steps)
        np.testing.assert_array_equal(narrow["v"], wide["v"][:n])
        among = wide.spikes()[0] < n
        for a, b in zip(wide.spikes(), narrow.spikes(), strict=True):
            np.testing.assert_array_equal(a[among], b)
    assert narrow._group.program.kernel.layout.width == NARROW
    assert wide._group.program.kernel.layout.width == WIDTH


def test_spikes_of_several_monitors():
    stepper = Stepper(make(monitors=2)[1], NAMES)
    stepper.advance(100)
    for a, b in zip(stepper.spikes(0), stepper.spikes(1), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(InputError, match="no such SpikeMonitor"):
        stepper.spikes(2)


def test_wrong_use_is_refused():
    stepper = Stepper(make()[1], NAMES)
    with pytest.raises(InputError, match="1 step or more, got 0"):
        stepper.advance(0)
    with pytest.raises(UnknownNameError, match="variable"):
        stepper["drve"]
    with pytest.raises(UnsupportedError, match="no StateMonitor"):
        group = make()[0]
        Stepper(Network(group, StateMonitor(group, "v", record=True)), NAMES)
    with pytest.raises(UnsupportedError, match="one NeuronGroup"):
        Stepper(Network(make()[0], make()[0]), NAMES)


def test_a_dynamic_clamp_agrees_with_the_equations(device):
    """A conductance played from Python, one step late, comes to the same rest."""
    group = NeuronGroup(
        40, "dv/dt = (I - g*v)/ms : 1\nI : 1\ng : 1 (constant)", method="exact", dt=0.01 * ms
    )
    group.g = "0.1 + 0.01*i"
    stepper = Stepper(Network(group))
    for _ in range(4000):
        stepper["I"][:] = 0.2 * (1 - stepper["v"])
        stepper.advance(1)
    g = 0.1 + 0.01 * np.arange(40)
    np.testing.assert_allclose(stepper["v"], 0.2 / (0.2 + g), rtol=1e-4)

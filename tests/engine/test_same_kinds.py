"""What a Brian2 user may write, and what once came out different or not at all."""

import warnings

import numpy as np
import pytest
from brian2 import (
    Network,
    NeuronGroup,
    SpikeMonitor,
    StateMonitor,
    TimedArray,
    ms,
    mV,
    second,
)

from cleo_like.core.errors import InputError
from cleo_like.engine.device import FallbackWarning
from cleo_like.engine.runtime import program
from cleo_like.engine.stepper import Stepper
from tests.selection import some_slow


def test_a_quotient_of_constants_is_exact(twin):
    """49/49 is 1 and not 0.9999999999999999: floor, int, == and columns see the difference."""

    def script():
        group = NeuronGroup(
            490,
            """dv/dt = stim(t, int(k/width))*Hz_ : 1
            row = floor(k/width) : 1
            whole = int(k/width == row_true) : 1
            row_true : 1 (constant)
            k : 1 (constant)
            width : 1 (constant)""",
            method="euler", dt=0.1 * ms,
        )  # fmt: skip
        group.width, group.k, group.row_true = 49, "i", np.arange(490) // 49
        monitor = StateMonitor(group, ["v", "row", "whole"], record=True)
        network = Network(group, monitor)
        stim = TimedArray(np.arange(10.0)[None, :].repeat(3, 0), dt=1 * ms)
        network.run(1 * ms, namespace={"stim": stim, "Hz_": 1 / second})
        np.testing.assert_array_equal(monitor.row[:, -1], np.arange(490) // 49)
        np.testing.assert_array_equal(monitor.whole[:, -1], np.arange(490) % 49 == 0)
        return network

    twin(script).assert_same(rtol=0, atol=0)


@pytest.mark.parametrize("n", [3, 300])
def test_sums_are_rounded_as_numpy_rounds_them(twin, n):
    """A fused multiply-add reaches a threshold one step earlier or later."""

    def script():
        group = NeuronGroup(
            n, "dv/dt = rate : 1\nrate : Hz (constant)", method="euler", dt=0.1 * ms,
            threshold="v >= 1", reset="v = 0",
        )  # fmt: skip
        group.set_states({"rate": 1000 / np.arange(1, n + 1)}, units=False)
        network = Network(group, SpikeMonitor(group))
        network.run(30 * ms)
        return network

    twin(script).assert_same(rtol=0, atol=0)


@pytest.mark.parametrize("flag", ["", " (constant over dt)"])
def test_noise_in_a_subexpression(device, flag):
    def run():
        group = NeuronGroup(
            5, f"y = rand() : 1{flag}\ndv/dt = (y-v)/ms : 1\ndw/dt = (y-w)/ms : 1",
            method="euler",
        )  # fmt: skip
        Network(group).run(2 * ms, namespace={})
        return group

    for name in ("sweeps", "runtime"):
        with device(name):
            if flag:
                group = run()
                np.testing.assert_array_equal(group.v[:], group.w[:])
                assert np.ptp(group.v[:]) > 0
            else:
                with pytest.raises(Exception) as info:  # noqa: PT011  # its cause is looked at
                    run()
                assert "stateful function" in str(info.value.__cause__ or info.value)


PERIODS = [0 * ms, 0 * second, 0.5 * ms, 500e-6 * second, 2 * ms, 1 * second, 2.5 * second,
           1.0000000001 * ms, False, "2*ms", "0*ms", "v > 0.5", "(1 + i)*ms", 2 * mV, 5, True,
           [1, 2] * ms, np.inf * ms, "2 ms", "3*mV", "i"]  # fmt: skip


@pytest.mark.parametrize("period", some_slow(PERIODS, 2), ids=str)
def test_refractory_of_any_kind(device, period):
    """The answer of Brian2, or its error."""
    found = []
    for name in ("sweeps", "runtime"):
        with device(name), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # infinity is cut to a whole number
            try:
                group = NeuronGroup(
                    3, "dv/dt = (1+i)/ms : 1 (unless refractory)", threshold="v>1",
                    reset="v=0", refractory=period, method="euler", dt=0.1 * ms,
                )  # fmt: skip
                spikes = SpikeMonitor(group)
                Network(group, spikes).run(8 * ms, namespace={})
                found.append((spikes.count[:].tolist(), group.v[:].tolist()))
            except Exception as error:  # noqa: BLE001  # compared with the other's
                found.append(type(error.__cause__ or error))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "off", ["thresholder", "resetter", "state_updater", "monitor", "spikes", "operation"]
)
@pytest.mark.parametrize("before", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_objects_that_are_switched_off(twin, off, before):
    """Compiled, and with the answer of Brian2; switched off at once or between two runs."""

    def script():
        group = NeuronGroup(
            5, "dv/dt = (1 + i)/ms : 1 (unless refractory)\nw : 1", threshold="v > 1",
            reset="v = 0", refractory=0.3 * ms, method="euler", dt=0.1 * ms,
        )  # fmt: skip
        operation = group.run_regularly("w += 1", dt=0.2 * ms)
        monitor, spikes = StateMonitor(group, "v", record=True), SpikeMonitor(group)
        network = Network(group, monitor, spikes)
        objects = {
            "thresholder": group.thresholder["spike"], "resetter": group.resetter["spike"],
            "state_updater": group.state_updater, "monitor": monitor, "spikes": spikes,
            "operation": operation,
        }  # fmt: skip
        if not before:
            network.run(1.1 * ms, namespace={})
        objects[off].active = False
        network.run(1.3 * ms, namespace={})
        return network

    twin(script).assert_same(rtol=0, atol=0)


NAMES = [
    ("I", "NULL", "M_PI"), ("errno", "y0", "pow"), ("double", "register", "NAN"),
    ("std", "linux", "this"), ("cl", "cl_a", "cl_n_v"),
]  # fmt: skip


@pytest.mark.parametrize("names", some_slow(NAMES, 2), ids=" ".join)
def test_names_of_c(twin, names):
    """Names that are macros, keywords or functions of C: compiled, as any other."""
    a, b, c = names

    def script():
        group = NeuronGroup(
            4, f"d{a}/dt = ({b} - {a})/(2*ms) + {c}*stim(t)/ms : 1\n{b} : 1\n{c} : 1 (shared)",
            threshold=f"{a} > 1", reset=f"tmp_ = {a}; {a} = 0.1*tmp_", method="euler",
        )  # fmt: skip
        group.set_states({b: [0, 1, 2, 3], c: 0.7}, units=False)
        monitor = StateMonitor(group, [a, b], record=True)
        network = Network(group, monitor, SpikeMonitor(group, variables=a))
        network.run(3 * ms, namespace={"stim": TimedArray([1.0, 2.0], dt=1 * ms)})
        return network

    twin(script).assert_same(rtol=0, atol=0)


def test_a_single_time_step_can_be_recorded_after_a_run(twin):
    def script():
        group = NeuronGroup(3, "dv/dt = rate*(1 + i) : 1\nw = 2*v : 1", method="euler")
        monitor = StateMonitor(group, ["v", "w"], record=[0, 2])
        network = Network(group, monitor)
        for _ in range(2):
            network.run(1 * ms, namespace={"rate": 1 / ms})
            monitor.record_single_timestep()
        assert len(monitor.t) == 22
        return network

    twin(script).assert_same(rtol=0, atol=0)


@pytest.mark.parametrize("n", [5, 300])
def test_spikes_of_one_stretch_are_seen_in_the_next(twin, monkeypatch, n):
    """A monitor before the threshold sees the spikes of the step before, wherever calls end."""
    monkeypatch.setattr(program, "_LANE_STEPS", 7 * n)

    def script():
        group = NeuronGroup(
            n, "dv/dt = (1 + i)/ms : 1", threshold="v > 1", reset="v = 0", method="euler",
            dt=0.1 * ms,
        )  # fmt: skip
        spikes = SpikeMonitor(group)
        spikes.when = "start"
        network = Network(group, spikes)
        network.run(4.5 * ms, namespace={})
        network.run(2 * ms, namespace={})
        return network

    both = twin(script)
    both.assert_same(rtol=0, atol=0)
    assert both.brian2["SpikeMonitor 0 N"] > 50


def test_whole_numbers_wrap_as_in_numpy(twin):
    """In every step, not only where a stretch of the compiled loop ends."""

    def script():
        group = NeuronGroup(
            7, "k : integer\nh : integer\nbig : integer", dtype={"big": np.int64}, dt=0.1 * ms
        )
        group.set_states({"k": np.arange(1, 8), "big": np.arange(1, 8)}, units=False)
        group.run_regularly("k = k*1103515245 + m; h = (k // 65536) % 1000; big = big*1103515")
        group.run_regularly("h += i*100003 + int(k < 0)", dt=0.3 * ms)
        network = Network(group, StateMonitor(group, ["k", "h", "big"], record=True))
        network.run(5 * ms, namespace={"m": 12345})
        return network

    twin(script).assert_same()


def test_remainders_and_division_by_zero(twin):
    """% of fractions is exact (1 % 0.1 is 0.0999..., not 0); whole numbers by 0 give 0."""

    def script():
        group = NeuronGroup(
            8,
            "a : 1\nb : 1\nr : 1\nq : 1\nk : integer\nj : integer\nkr : integer\nkq : integer",
        )
        group.set_states(
            {"a": [1, 0.3, -1, 7.5, -7.5, 1e17, 5, 0.1], "b": [0.1, 0.1, 0.1, -2, 2, 3, 0.7, 3],
             "k": [5, -5, 5, -5, 0, 7, 1, 2], "j": [0, 0, -1, 3, 0, -3, 2, -1]}, units=False,
        )  # fmt: skip
        group.run_regularly("r = a % b; q = a // b; kr = k % j; kq = k // j")
        network = Network(group)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            network.run(0.1 * ms)
        return network

    twin(script).assert_same(rtol=0, atol=0)


def test_a_fraction_in_a_whole_number_is_left_to_brian2(device):
    """Its targets cut it at different places."""
    found = []
    for name in ("sweeps", "runtime"):
        with device(name), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            group = NeuronGroup(3, "k : integer\nw : 1\nx : 1")
            group.x = [0.5, 1.5, 2.7]
            group.run_regularly("k = 2*x; w = k*2")
            Network(group).run(0.1 * ms)
            found.append((group.k[:].tolist(), group.w[:].tolist()))
            told = [str(w.message) for w in caught if w.category is FallbackWarning]
            assert len(told) == (name == "sweeps")
            assert all("whole number 'k'" in text for text in told)
    assert found[0] == found[1]


@pytest.mark.parametrize(("name", "bad"), [("I", np.nan), ("v", np.nan), ("I", np.inf)])
def test_what_python_wrote_is_named(name, bad):
    group = NeuronGroup(3, "dv/dt = (I - v)/(10*ms) : 1\nI : 1", method="euler", dt=0.1 * ms)
    stepper = Stepper(Network(group))
    stepper.advance(10)
    stepper[name][1] = bad
    with pytest.raises(InputError) as info:
        stepper.advance(10)
    text = str(info.value)
    assert "trace 1" in text
    assert name in text
    assert ("at the start of step 10 (1.000 ms)" in text) == np.isnan(bad)
    if not np.isnan(bad):
        assert "I = inf" in text


def test_a_column_of_a_timed_array_in_the_threshold(twin):
    def script():
        group = NeuronGroup(
            9, "dv/dt = (1 + i)/ms : 1\ncolumn : integer (constant)", method="euler",
            threshold="v > level(t, column)", reset="v -= level(t, column)", dt=0.1 * ms,
            refractory="level(t, column)*ms",
        )  # fmt: skip
        group.column = "i % 4"
        network = Network(group, SpikeMonitor(group))
        level = TimedArray(np.random.default_rng(1).uniform(0.3, 2, (10, 4)), dt=0.4 * ms)
        network.run(5 * ms, namespace={"level": level})
        return network

    twin(script).assert_same(rtol=0, atol=0)

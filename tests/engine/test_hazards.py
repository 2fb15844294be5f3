"""What cannot be compiled says why and runs on Brian2; what is wrong is refused clearly."""

import itertools
import re
import signal
import threading
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from brian2 import (
    EventMonitor,
    Function,
    Network,
    NeuronGroup,
    PoissonGroup,
    PopulationRateMonitor,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    linked_var,
    ms,
    mV,
    network_operation,
)
from brian2.core.base import BrianObjectException
from brian2.units.fundamentalunits import DimensionMismatchError

from cleo_like.core import InputError, UnsupportedError
from cleo_like.engine import device as device_module
from cleo_like.engine.device import FallbackWarning, NotFiniteWarning
from cleo_like.engine.runtime import program
from cleo_like.engine.runtime.run_lock import exclusive
from cleo_like.engine.stepper import Stepper
from tests.selection import some_slow

EQUATIONS = "dv/dt = (2 - v)/(10*ms) : 1\nw : 1"


def cell(n=4, equations=EQUATIONS, **changes):
    options = {"threshold": "v > 1", "reset": "v = 0", "method": "exact", "dt": 0.1 * ms}
    return NeuronGroup(n, equations, **(options | changes))


def with_synapses():
    group = cell()
    synapses = Synapses(group, group, on_pre="w += 1")
    synapses.connect(j="(i + 1) % N_post")
    return Network(group, synapses)


def with_network_operation():
    group = cell()

    @network_operation(dt=1 * ms)
    def kick():
        group.w = group.w + 1

    return Network(group, kick)


def with_poisson_group():
    return Network(cell(), PoissonGroup(3, 10_000 / (1000 * ms)))


def with_linked_variable():
    source = cell(name="a_source")
    equations = "dv/dt = (2*x + 1 - v)/(10*ms) : 1\nx : 1 (linked)\nw : 1"
    group = cell(4, equations, method="euler", name="b_target")
    group.x = linked_var(source, "v")
    return Network(source, group)


def with_custom_event():
    group = cell(events={"high": "v > 0.5"})
    group.run_on_event("high", "w += 1")
    return Network(group, EventMonitor(group, "high"))


def with_subgroup_monitor():
    group = cell()
    return Network(group, StateMonitor(group[1:3], "v", record=True))


def with_subgroup_operation():
    group = cell()
    group[1:3].run_regularly("w += 1")
    return Network(group)


def with_poisson_numbers():
    group = cell()
    group.run_regularly("w = poisson(0*v)")
    return Network(group)


def with_population_rate():
    group = cell()
    return Network(group, PopulationRateMonitor(group))


def with_changed_shared_variable():
    group = cell(4, EQUATIONS + "\ncommon : 1 (shared)")
    group.run_regularly("common += 1")
    return Network(group)


def with_clocks_that_do_not_fit():
    group = cell()
    return Network(group, StateMonitor(group, "v", record=True, dt=0.25 * ms))


def with_single_precision():
    return Network(cell(dtype=np.float32))


def halved(x):
    return x / 2


def with_python_function():
    group = cell()
    group.namespace["halved"] = Function(halved, arg_units=[1], return_unit=1)
    group.run_regularly("w = halved(v)")
    return Network(group)


REASONS = {
    with_synapses: "Synapses",
    with_network_operation: "network operation .* runs Python code",
    with_poisson_group: "PoissonGroup",
    with_linked_variable: "linked variable",
    with_custom_event: "custom events",
    with_subgroup_monitor: "Subgroup",
    with_subgroup_operation: "Subgroup",
    with_poisson_numbers: r"poisson\(\)",
    with_population_rate: "PopulationRateMonitor",
    with_changed_shared_variable: "shared variable 'common' changes",
    with_clocks_that_do_not_fit: "every 0.25 ms, which is not a multiple",
    with_single_precision: "32-bit",
    with_python_function: r"halved\(\)",
}


@pytest.mark.parametrize("make", some_slow(REASONS, 2), ids=lambda make: make.__name__)
def test_falls_back_with_the_reason_and_the_right_answer(device, make):
    found = []
    for name in ("sweeps", "runtime"):
        with device(name), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            network = make()
            network.run(12 * ms, namespace={})
            groups = sorted(
                (x for x in network.objects if type(x) is NeuronGroup), key=lambda g: g.name
            )
            found.append([np.array(g.get_states(["v", "w"], units=False)[k])
                          for g in groups for k in ("v", "w")])  # fmt: skip
            told = [w for w in caught if issubclass(w.category, FallbackWarning)]
            assert len(told) == (name == "sweeps")
            if told:
                assert told[0].filename == __file__  # the line of the user's run()
                assert re.search(REASONS[make], str(told[0].message))
    for ours, stock in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, stock)


def test_a_refusal_does_not_keep_later_runs_from_the_compiled_loop(twin, device):
    with device("sweeps"), pytest.warns(FallbackWarning):
        with_synapses().run(1 * ms)

    def script():
        network = Network(cell())
        network.run(5 * ms)
        return network

    twin(script).assert_same()


def test_profiling_is_left_to_brian2(device):
    with device("sweeps"):
        network = Network(cell())
        with pytest.warns(FallbackWarning, match="profile=True"):
            network.run(1 * ms, profile=True)
        assert len(network.profiling_info) >= 2


def blow_up():
    group = NeuronGroup(200, "dx/dt = x**2/ms : 1\nk : 1", method="euler", dt=0.1 * ms)
    group.x[137] = 2
    return group


def test_a_state_that_is_lost_names_trace_and_time(device):
    with device("sweeps"):
        group = blow_up()
        with pytest.warns(NotFiniteWarning, match="trace 137 between 0.000 and 3.200 ms"):
            Network(group).run(20 * ms)
        assert not np.isfinite(group.x[137])
        assert np.isfinite(group.x[:137]).all()
    with pytest.raises(InputError, match="trace 137 between"):
        Stepper(Network(blow_up())).advance(100)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_parameter_that_is_not_finite_is_found(device, bad):
    with device("sweeps"):
        group = NeuronGroup(3, "dx/dt = (p - x)/(5*ms) : 1\np : 1", method="euler", dt=0.1 * ms)
        group.p[1] = bad
        with pytest.warns(NotFiniteWarning, match="trace 1 between 0.000 and 1.0"):
            Network(group).run(1 * ms)


def errors_of_both(device, make, **names):
    """The errors that a script raises on the sweep device and on Brian2's own."""
    found = []
    for name in ("sweeps", "runtime"):
        with device(name), pytest.raises(Exception) as info:  # noqa: PT011  # compared below
            make().run(1 * ms, namespace=names)
        error = info.value
        found.append(error.__cause__ if isinstance(error, BrianObjectException) else error)
    return found


def test_wrong_units_are_the_error_of_brian2(device):
    def make():
        return Network(cell(3, "dv/dt = (top - v)/(10*ms) : 1", method="euler"))

    for error in errors_of_both(device, make, top=3 * mV):
        assert isinstance(error, DimensionMismatchError)


def test_wrong_units_in_an_operation_are_the_error_of_brian2(device):
    def make():
        group = cell()
        group.run_regularly("w = 3*mV")
        return Network(group)

    for error in errors_of_both(device, make):
        assert isinstance(error, DimensionMismatchError)


def test_an_undefined_name_is_the_error_of_brian2(device):
    def make():
        return Network(cell(3, "dv/dt = (top - v)/(10*ms) : 1", method="euler"))

    ours, stock = errors_of_both(device, make)
    assert type(ours) is type(stock) is KeyError
    assert '"top"' in str(ours)
    assert '"top"' in str(stock)


def test_a_negative_duration_is_refused(device):
    with device("sweeps"), pytest.raises(InputError, match="0 s or more, got -1"):
        Network(cell()).run(-1 * ms)


def test_equal_names_and_foreign_objects_are_refused_as_by_brian2(device):
    def twice():
        group = cell()
        return Network(
            group,
            SpikeMonitor(group, name="same"),
            StateMonitor(group, "v", record=True, name="other"),
        )

    def equal_names():
        network = twice()
        next(x for x in network.objects if x.name == "other")._name = "same"
        return network

    def used_elsewhere():
        group = cell()
        Network(group).run(0.1 * ms, namespace={})
        return Network(group)

    for make in (equal_names, used_elsewhere):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)
            ours, stock = errors_of_both(device, make)
        assert type(ours) is type(stock)
        numbered = re.compile(r"_\d+")
        assert numbered.sub("", str(ours)) == numbered.sub("", str(stock))


def test_two_threads_are_refused(device):
    with device("sweeps"):
        network = Network(cell())
        with exclusive():
            raised = []

            def other():
                try:
                    network.run(1 * ms, namespace={})
                except UnsupportedError as error:
                    raised.append(str(error))

            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        assert "not safe with threads" in raised[0]
        network.run(1 * ms, namespace={})


def long_run(n):
    group = NeuronGroup(n, "dv/dt = (2 - v)/(10*ms) : 1", threshold="v > 1", reset="v = 0",
                        method="exact", dt=0.1 * ms)  # fmt: skip
    group.v = np.linspace(0, 0.9, n)
    monitor, spikes = (
        StateMonitor(group, "v", record=[0, n - 1], dt=1 * ms),
        SpikeMonitor(group),
    )
    return group, monitor, spikes, Network(group, monitor, spikes)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, distinguishable from a real one."""


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_in_the_middle_of_a_block(device, monkeypatch, threads):
    """The run is undone as a whole: states, monitors and clocks stand where they stood."""
    monkeypatch.setattr(program, "_LANE_STEPS", 20_000)

    def interrupt(*_):
        raise Interrupted

    with device("sweeps", threads=threads):
        group, monitor, spikes, network = long_run(300)
        network.run(5 * ms, namespace={})
        before = group.v[:].copy(), monitor.v[:].copy(), monitor.t[:].copy(), spikes.t[:].copy()
        running = threading.active_count()
        previous = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            began = time.monotonic()
            with pytest.raises(Interrupted):
                network.run(200_000 * ms, namespace={})
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
        assert time.monotonic() - began < 5
        assert threading.active_count() == running
        after = group.v[:], monitor.v[:], monitor.t[:], spikes.t[:]
        for x, y in zip(before, after, strict=True):
            np.testing.assert_array_equal(x, y)
        assert float(network.t_) == pytest.approx(5e-3)
        network.run(15 * ms, namespace={})
        # copies: Brian2 2.11 gives views of memory that goes with the monitors
        answer = [np.array(x) for x in (monitor.v, monitor.t, spikes.t, group.v)]
        group, monitor, spikes, network = long_run(300)
        network.run(20 * ms, namespace={})
        for x, y in zip(answer, (monitor.v, monitor.t, spikes.t, group.v), strict=True):
            np.testing.assert_allclose(x, np.array(y), rtol=1e-14)


@pytest.mark.parametrize("n", [100, 300])
def test_stop_from_the_report_leaves_all_traces_at_one_time(device, monkeypatch, n):
    """Brian2's stop(): what is there after it is the true answer up to the network's time."""
    monkeypatch.setattr(program, "_LANE_STEPS", 20_000)
    ticks = itertools.count(0, 2)  # a clock by which every segment takes long
    monkeypatch.setattr(device_module, "time", SimpleNamespace(time=lambda: float(next(ticks))))
    with device("sweeps"):
        group, monitor, spikes, network = long_run(n)

        def report(elapsed, fraction, start, duration):
            if fraction > 0:
                network.stop()

        network.run(100_000 * ms, namespace={}, report=report)
        reached = float(network.t_)
        assert 0 < reached < 50
        stopped = (
            group.v[:].copy(),
            monitor.v[:].copy(),
            monitor.t[:].copy(),
            spikes.t[:].copy(),
        )
        again, monitor, spikes, network = long_run(n)
        network.run(reached * 1000 * ms, namespace={})
        assert float(network.t_) == pytest.approx(reached)
        for x, y in zip(
            stopped, (again.v[:], monitor.v[:], monitor.t[:], spikes.t[:]), strict=True
        ):
            np.testing.assert_array_equal(x, y)

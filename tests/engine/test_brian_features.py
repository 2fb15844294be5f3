"""What a Brian2 script may hold, one thing at a time: the sweep device against Brian2."""

import numpy as np
import pytest
from brian2 import (
    Clock,
    Equations,
    Function,
    Network,
    NeuronGroup,
    SpikeMonitor,
    StateMonitor,
    TimedArray,
    implementation,
    ms,
    mV,
    second,
)

from tests.selection import some_slow

LIF = """dv/dt = (drive - v)/(10*ms) : 1 (unless refractory)
drive : 1 (constant)
w : 1"""


def drives(n, low=0.5, high=3.0):
    return low + (high - low) * np.random.default_rng(n).random(n)


def lif(n, equations=LIF, **changes):
    options = {"threshold": "v > 1", "reset": "v = 0; w += 1", "method": "exact"} | changes
    group = NeuronGroup(n, equations, dt=0.1 * ms, **options)
    group.drive = drives(n)
    return group


@pytest.mark.parametrize("n", some_slow([1, 8, 127, 300, 128], 2))
def test_any_number_of_traces(twin, n):
    def script():
        group = lif(n, refractory=2 * ms)
        network = Network(group, StateMonitor(group, "v", record=True), SpikeMonitor(group))
        network.run(30 * ms)
        return network

    both = twin(script)
    both.assert_same()
    assert both.ours["SpikeMonitor 0 N"] > 0 or n == 1


@pytest.mark.parametrize(
    "refractory",
    some_slow([3 * ms, "ref", "v > 0.2", "3*ms + 0.2*ms*i", "ref*(1 + w/10)", False], 2),
)
def test_refractory_forms(twin, refractory):
    def script():
        group = lif(20, LIF + "\nref : second", refractory=refractory)
        group.ref = np.linspace(0, 4, 20) * ms
        spikes = SpikeMonitor(group, variables="v")
        network = Network(group, StateMonitor(group, ["v", "w"], record=True), spikes)
        network.run(60 * ms)
        return network

    both = twin(script)
    both.assert_same()
    assert both.ours["SpikeMonitor 0 N"] > 20


EVERYTHING_MONITORED = """dv/dt = (drive - v)/(10*ms) : 1
twice = 2*v + flag : 1
drive : 1 (constant)
flag : boolean
k : integer
w : 1"""


def test_monitors_of_all_kinds(twin):
    def script():
        group = lif(
            140, EVERYTHING_MONITORED, reset="v = 0; flag = not flag; k += 2; w = v + k"
        )
        monitors = [
            StateMonitor(group, ["v", "twice", "flag", "k"], record=[139, 3, 128, 5]),
            StateMonitor(group, "v", record=True, dt=0.5 * ms, when="start"),
            StateMonitor(group, ["k", "drive"], record=7, when="end", order=3),
            StateMonitor(group, "v", record=np.arange(100, 140, 7), when="after_thresholds"),
            SpikeMonitor(group),
            SpikeMonitor(group, variables=["v", "k", "flag", "twice", "drive"]),
            SpikeMonitor(group, variables="v", when="after_resets"),
            SpikeMonitor(group, record=False),
            SpikeMonitor(group, variables="w", record=False),
        ]
        network = Network(group, *monitors)
        network.run(25 * ms)
        return network

    twin(script).assert_same()


def test_times_between_steps_and_several_runs(twin):
    """Durations that are no multiples of any clock, one after another."""

    def script():
        group = lif(9, refractory="2*ms")
        slow = StateMonitor(group, "v", record=True, dt=0.7 * ms)
        network = Network(
            group, StateMonitor(group, "v", record=[2, 0]), slow, SpikeMonitor(group)
        )
        for duration in (3.33, 0.0, 0.04, 7.77, 0.1, 20.0):
            network.run(duration * ms)
        return network

    both = twin(script)
    both.assert_same()
    assert both.ours["network t"] == pytest.approx(31.24e-3)


def test_values_changed_between_runs(twin):
    def script():
        group = lif(
            9, LIF.replace("10*ms", "tau") + "\ntau : second (constant)\ngain : 1 (shared)"
        )
        group.tau, group.gain = 10 * ms, 2
        network = Network(group, StateMonitor(group, "v", record=True))
        network.run(5 * ms)
        group.tau = "5*ms + i*ms"
        group.drive *= 1.7
        network.run(5 * ms)
        return network

    twin(script).assert_same()


def test_store_and_restore(twin):
    def script():
        group = lif(9, refractory=1 * ms)
        network = Network(group, StateMonitor(group, "v", record=True), SpikeMonitor(group))
        network.run(7 * ms)
        network.store("there")
        network.run(20 * ms)
        network.restore("there")
        group.drive *= 1.1
        network.run(13 * ms)
        return network

    both = twin(script)
    both.assert_same()
    assert both.ours["network t"] == pytest.approx(20e-3)


def test_several_groups_with_clocks_of_their_own(twin):
    def script():
        first, second_ = lif(5), lif(200, refractory=1 * ms)
        third = NeuronGroup(3, "dx/dt = (1 - x)/(5*ms) : 1", method="exact", dt=0.3 * ms)
        monitors = [SpikeMonitor(first), StateMonitor(second_, "v", record=[1, 150])]
        network = Network(
            first, second_, third, *monitors, StateMonitor(third, "x", record=True)
        )
        network.run(20 * ms)
        return network

    twin(script).assert_same()


@pytest.mark.parametrize("when", ["start", "after_groups", "end"])
def test_run_regularly_at_any_place(twin, when):
    def script():
        group = lif(130, LIF + "\nx : 1\ny : 1\nz : second\nlast : second", refractory=1 * ms)
        group.run_regularly("x = v; w = w*0.9; z = t", dt=0.7 * ms, when=when, order=-1)
        group.run_regularly("y += x*dt/ms + i; last = lastspike", when=when, order=2)
        group.run_regularly("v += 0.01", clock=Clock(0.2 * ms), when=when)
        network = Network(group, StateMonitor(group, ["x", "y", "v"], record=[0, 129]))
        network.run(12 * ms)
        return network

    twin(script).assert_same()


def commands(columns, dt, rows=40):
    rng = np.random.default_rng(1)
    shape = (rows, columns) if columns else rows
    return TimedArray(2 * rng.random(shape), dt=dt * ms)


@pytest.mark.parametrize("dt", [0.1, 0.25, 0.13])
def test_timed_arrays(twin, dt):
    """1-D; 2-D by i, by a constant and by a changing column; late, and before the start."""

    def script():
        one, two = commands(0, dt), commands(6, dt)
        group = NeuronGroup(
            131,
            """dv/dt = (one(t) + two(t, column) - v)/(5*ms) : 1
            by_number = two(t, int(i) % 6) : 1
            late = one(t - 1*ms) + two(t - 0.5*ms, column) : 1
            moving = two(t, k) : 1
            column : integer (constant)
            k : integer""",
            method="euler",
            dt=0.1 * ms,
            namespace={"one": one, "two": two},
        )
        group.column, group.k = "i % 6", "i % 6"
        group.run_regularly("k = (k + 1) % 6", dt=0.3 * ms)
        names = ["v", "by_number", "late", "moving"]
        network = Network(group, StateMonitor(group, names, record=[0, 6, 77, 130]))
        network.run(9 * ms, namespace={})
        return network

    twin(script).assert_same()


def test_columns_that_a_timed_array_does_not_have(device):
    """NaN, as in Brian2's C++ and Cython targets (numpy raises, or counts from the end)."""
    group = None
    with device("sweeps"):
        group = NeuronGroup(
            8, "x = two(t, i - 1) : 1\ny = two(t, k) : 1\nk : integer", dt=0.1 * ms
        )
        group.k = "i - 1"
        monitor = StateMonitor(group, ["x", "y"], record=True)
        Network(group, monitor).run(1 * ms, namespace={"two": commands(6, 0.5)})
        for recorded in (monitor.x, monitor.y):
            np.testing.assert_array_equal(
                np.isnan(recorded).all(axis=1), np.isnan(recorded[:, 0])
            )
            assert np.isnan(recorded[:, 0]).tolist() == [True] + 6 * [False] + [True]


def test_a_timed_array_read_at_fixed_columns(twin):
    """Columns given as a number, as a name outside, and as a shared variable."""

    def script():
        group = NeuronGroup(
            10,
            """dv/dt = (two(t, 2) + two(t, outside) + two(t, inside)*i - v)/(5*ms) : 1
            inside : integer (shared, constant)""",
            method="euler",
            dt=0.1 * ms,
        )
        group.inside = 3
        network = Network(group, StateMonitor(group, "v", record=True))
        network.run(6 * ms, namespace={"two": commands(6, 0.5), "outside": 4})
        return network

    twin(script).assert_same()


def test_constants_that_an_operation_changes_all_the_same(twin):
    """Brian2 lets code write to a (constant) variable; what was kept of it must follow."""

    def script():
        two = commands(6, 0.5)
        group = NeuronGroup(
            10,
            """dv/dt = (two(t, column) - v)/tau : 1
            tau : second (constant)
            column : integer (constant)""",
            method="euler",
            dt=0.1 * ms,
            threshold="v > 0.9",
            reset="tau *= 1.3; v = v*ms/tau",
        )
        group.tau = 3 * ms
        group.run_regularly("column = (column + 1) % 6", dt=0.3 * ms)
        network = Network(group, StateMonitor(group, ["v", "tau"], record=True))
        network.run(8 * ms, namespace={"two": two})
        return network

    twin(script).assert_same()


WHOLE = """dv/dt = (drive - v)/(10*ms) : 1
drive : 1 (constant)
a : integer
b : integer
c : 1
d : 1
f : boolean
g : boolean
p : 1
q : 1
r : integer"""


def test_whole_numbers_flags_and_remainders(twin):
    def script():
        group = lif(140, WHOLE, reset="v = 0; a += 1; f = not f")
        group.a, group.c = "i - 70", "(i - 70)/7.3"
        group.run_regularly(
            """b = a % 5 + a // 3 - abs(a)
            d = c % 0.7 + c // 0.3 + a % 2.5 + 7 // 2 + (-7) % 4
            g = (f and not (v > 0.3)) or a == 3 or (c <= 0.5 and b != 2)
            p = int(g)*2.5 + int(c) + int(f) + sign(c) + abs(-3) + 5/2
            q = clip(c, -1, 2) + ceil(c) - floor(c) + a/4 + b*c + 2**3 + c**2 + abs(c)**1.5
            r = int(c*3) + timestep(t, dt) % 7 + int(abs(c))**2"""
        )
        network = Network(
            group, StateMonitor(group, ["b", "d", "g", "p", "q", "r"], record=[0, 139])
        )
        network.run(6 * ms)
        return network

    twin(script).assert_same()


FUNCTIONS = """dv/dt = -v/(10*ms) : 1
y1 = exp(v) + expm1(v) + exprel(v) + exp(v/7)*exp(-v) + 1/exprel(-v/3) : 1
y2 = log(abs(v) + 0.1) + log10(abs(v) + 2) + log1p(abs(v)) + sqrt(abs(v)) : 1
y3 = sin(v) + cos(2*v) + tan(v/5) + arcsin(v/9) + arccos(v/9) + arctan(v) : 1
y4 = sinh(v) + cosh(v) + tanh(v) : 1
y5 = v**2 + v**3 + v**-1 + abs(v)**0.5 + abs(v)**2.7 + abs(v)**k + 2**v + v**0 + v**5 : 1
k : 1 (constant)"""


def test_functions(twin):
    def script():
        group = NeuronGroup(200, FUNCTIONS, method="euler", dt=0.1 * ms)
        group.v, group.k = np.linspace(-8.5, 8.4, 200), np.linspace(-2, 3, 200)
        network = Network(
            group, StateMonitor(group, [f"y{k}" for k in range(1, 6)], record=True)
        )
        network.run(1 * ms)
        return network

    twin(script).assert_same(rtol=1e-12)


def test_outside_constants_shared_variables_and_subexpressions(twin):
    def script():
        group = NeuronGroup(
            140,
            """dv/dt = (level*unit*i/N - v + boost + slow)/tau : volt
            boost = gain*v0*sin(2*pi*t/(5*ms)) : volt (shared)
            slow = v/2 : volt (constant over dt)
            gain : 1 (shared)
            tau : second (shared, constant)""",
            method="euler",
            dt=0.1 * ms,
            threshold="v > 4*v0",
            reset="v = -v0",
        )
        group.gain, group.tau = 0.5, 4 * ms
        network = Network(
            group, StateMonitor(group, ["v", "slow"], record=[0, 139]), SpikeMonitor(group)
        )
        network.run(20 * ms, namespace={"level": 12, "unit": 1 * mV, "v0": 1 * mV})
        return network

    both = twin(script)
    both.assert_same()
    assert both.ours["SpikeMonitor 0 N"] > 0


NAMES = (
    "a",
    "b_v",
    "c",
    "first",
    "k",
    "lanes",
    "n",
    "o",
    "row",
    "s",
    "step",
    "room",
    "q",
    "r_0",
)


@pytest.mark.parametrize("names", [NAMES, tuple(reversed(NAMES))])
def test_names_that_a_kernel_might_use_itself(twin, names):
    """As states, parameters and outside constants; recorded by index, with spikes, in resets."""
    states, parameters, outside = names[:5], names[5:10], names[10:]

    def script():
        lines = [f"d{x}/dt = (drive - {x})/(10*ms) : 1" for x in states]
        lines += [f"{x} : 1" for x in parameters]
        total = " + ".join((*states, *parameters, *outside))
        lines.append(f"drive = 2 + 0.01*({total}) : 1")
        first, second_ = states[0], parameters[0]
        group = NeuronGroup(
            5, "\n".join(lines), method="euler", dt=0.1 * ms, threshold=f"{first} > 1",
            reset=f"{first} = 0; {second_} += {outside[0]}",
        )  # fmt: skip
        monitors = [
            StateMonitor(group, [*states, *parameters, "drive"], record=[3, 1]),
            SpikeMonitor(group, variables=[*states, *parameters]),
        ]
        network = Network(group, *monitors)
        network.run(15 * ms, namespace=dict.fromkeys(outside, 0.5))
        return network

    both = twin(script)
    both.assert_same()
    assert both.ours["SpikeMonitor 0 N"] > 0


def doubled(x):
    return 2 * x


def test_a_function_of_the_user_with_cpp_code(twin):
    def script():
        made = implementation("cpp", "double doubled(double x) { return 2*x; }")(
            Function(doubled, arg_units=[1], return_unit=1)
        )
        group = NeuronGroup(
            9, "dv/dt = (doubled(v) + i - 4*v)/(10*ms) : 1", method="euler", dt=0.1 * ms
        )
        network = Network(group)
        network.run(5 * ms, namespace={"doubled": made})
        return network

    twin(script).assert_same()


def test_a_group_without_a_differential_equation(twin):
    def script():
        group = NeuronGroup(
            6, "x = sin(t/ms + i) : 1\ny : 1", threshold="x > 0.99", reset="y += 1",
            refractory=1 * ms, dt=0.1 * ms,
        )  # fmt: skip
        network = Network(
            group, SpikeMonitor(group), StateMonitor(group, ["x", "y"], record=True)
        )
        network.run(20 * ms)
        return network

    twin(script).assert_same()


def test_groups_and_monitors_that_are_switched_off(twin):
    def script():
        group = lif(6)
        on, off = StateMonitor(group, "v", record=True), StateMonitor(group, "w", record=True)
        network = Network(group, on, off, SpikeMonitor(group))
        network.run(3 * ms)
        off.active = False
        network.run(3 * ms)
        off.active, on.active = True, False
        network.run(3 * ms)
        return network

    twin(script).assert_same()


def test_order_of_operations_changed_by_the_user(twin):
    """Reset before the update, spikes seen by a monitor after the reset."""

    def script():
        group = lif(12)
        group.resetter["spike"].when = "after_end"
        group.state_updater.when = "before_end"
        network = Network(group, SpikeMonitor(group, variables="v", when="end"))
        network.schedule = ["start", "groups", "thresholds", "resets", "end"]
        network.run(20 * ms)
        return network

    twin(script).assert_same()


def test_a_monitor_before_the_threshold_sees_the_spikes_of_the_step_before(twin):
    def script():
        group = lif(140)
        network = Network(group, SpikeMonitor(group, variables="v", when="start"))
        for _ in range(4):
            network.run(4.1 * ms)
        return network

    twin(script).assert_same()


def test_the_script_of_a_user_in_a_function(device):
    """Magic network, names of the calling function, report: nothing is passed explicitly."""
    from brian2 import defaultclock, run

    def script():
        tau, top = 10 * ms, 2.0
        group = NeuronGroup(3, "dv/dt = (top - v)/tau : 1", threshold="v > 1", reset="v = 0",
                            method="exact")  # fmt: skip
        spikes = SpikeMonitor(group)
        told = []
        run(50 * ms, report=lambda *x: told.append(float(x[1])))
        assert told[0] == 0.0
        assert told[-1] == 1.0
        assert tau > 0 * ms
        assert top > 0
        return np.array(spikes.t / defaultclock.dt).round()

    answers = []
    for name in ("sweeps", "runtime"):
        with device(name):
            answers.append(script())
    np.testing.assert_array_equal(*answers)
    assert len(answers[0]) == 21


def test_equations_object_and_string_give_the_same_kernel(twin):
    def script():
        equations = Equations("dv/dt = (1 - v)/T : 1", T=5 * ms)
        group = NeuronGroup(3, equations, method="exact", dt=0.1 * ms)
        network = Network(group)
        network.run(0.01 * second)
        return network

    twin(script).assert_same()

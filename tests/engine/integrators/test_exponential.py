"""rush_larsen and staggered: exactness, order, agreement of targets, refusals."""

import functools
import re
from contextlib import contextmanager

import brian2 as b2
import numpy as np
import pytest
from brian2 import Equations, Network, NeuronGroup, StateMonitor, TimedArray, ms, second
from brian2.devices.device import get_device, reset_device
from brian2.stateupdaters.base import UnsupportedEquationsException
from scipy.integrate import solve_ivp

from cleo_like.cells import Dynamics, cell_names, get_cell
from cleo_like.core import InputError, UnknownNameError, UnsupportedError
from cleo_like.engine.integrators import (
    METHODS,
    choose,
    halves_of,
    register,
    rk4_statements,
    rush_larsen_statements,
    staggered_statements,
    two_colours,
)


@pytest.fixture
def numpy_target():
    """Small problems: no compilation. The old value comes back after each test."""
    b2.prefs.codegen.target = "numpy"


def trajectory(equations, method, *, dt, duration, start=None, n=1, **options):
    """All states at all steps, shape (states, n, steps), states in sorted order."""
    equations = equations if isinstance(equations, Equations) else Equations(equations)
    states = sorted(equations.diff_eq_names)
    group = NeuronGroup(n, equations, method=method, dt=dt, **options)
    group.set_states(start or {}, units=False)
    monitor = StateMonitor(group, states, record=True, when="end")
    Network(group, monitor).run(duration, namespace={})
    return np.array([monitor.variables[s].get_value().T for s in states])


def of_cell(name, method, dt, duration, levels):
    cell = get_cell(name)
    dynamics = Dynamics(cell)
    start = dict(cell.parameters) | dict(
        zip(dynamics.states, dynamics.rest()[:, :1], strict=True)
    )
    start |= {cell.current: np.asarray(levels, dtype=float)}
    n = len(levels)
    start = {k: np.broadcast_to(x, n) for k, x in start.items()}
    equations = cell.brian_equations() + Equations(f"{cell.current} : amp (constant)")
    return trajectory(equations, method, dt=dt, duration=duration, start=start, n=n)


# --- exactness ---


@pytest.mark.usefixtures("numpy_target")
@pytest.mark.parametrize("method", ["rush_larsen", "staggered"])
@pytest.mark.parametrize("dt", [0.1 * ms, 5 * ms])
def test_passive_cell_is_exact_at_any_step(method, dt):
    levels = np.array([-100e-12, 0, 50e-12])
    found = of_cell("passive", register(method), dt, 100 * ms, levels)[0]
    t = (np.arange(found.shape[1]) + 1) * float(dt)
    expected = -0.07 + levels[:, None] * 200e6 * (1 - np.exp(-t / 20e-3))
    assert np.abs(found - expected).max() < 1e-12


@pytest.mark.usefixtures("numpy_target")
@pytest.mark.parametrize("name", ["rs", pytest.param("sag", marks=pytest.mark.slow)])
def test_rush_larsen_is_exponential_euler_where_states_are_conditionally_linear(name):
    levels = [0, 600e-12]
    ours = of_cell(name, register("rush_larsen"), 0.05 * ms, 15 * ms, levels)
    stock = of_cell(name, "exponential_euler", 0.05 * ms, 15 * ms, levels)
    assert np.abs(ours - stock).max() < 1e-10
    v = ours[Dynamics(get_cell(name)).v, 1]
    assert v.max() > 0  # through a spike


# --- order of convergence ---

# a smooth current, zero with its slope at the start: v and gates leave rest together
_PULSE = "I = 1*nA*sin(pi*t/(16*ms))**2 : amp"


_CURRENT, _PERIOD, _SECONDS = 1e-9, 16e-3, 12e-3


def potential(name, method, dt):
    """Give v of a cell at all steps of 12 ms of a smooth pulse that makes it spike."""
    cell = get_cell(name)
    dynamics = Dynamics(cell)
    equations = cell.brian_equations() + Equations(_PULSE)
    start = dict(cell.parameters) | dict(
        zip(dynamics.states, dynamics.rest()[:, 0], strict=True)
    )
    found = trajectory(
        equations, method, dt=dt * second, duration=_SECONDS * second, start=start
    )
    return found[dynamics.v, 0]


@functools.cache
def true_states(name):
    """The same by scipy's DOP853, which knows nothing of Brian2, as a function of time."""
    cell = get_cell(name)
    dynamics = Dynamics(cell)

    def rates(time, x):
        current = _CURRENT * np.sin(np.pi * time / _PERIOD) ** 2
        return dynamics.rates(x[:, None], current, cell.parameters)[:, 0]

    with np.errstate(all="ignore"):  # in steps that are tried and rejected
        solution = solve_ivp(
            rates, (0, 1.001 * _SECONDS), dynamics.rest()[:, 0], method="DOP853",
            dense_output=True, rtol=1e-11, atol=1e-13,
        )  # fmt: skip
    return solution.sol


@pytest.mark.usefixtures("numpy_target")
@pytest.mark.parametrize(
    ("name", "method", "order", "coarse"),
    [
        pytest.param("rs", "staggered", 2, 10e-6, marks=pytest.mark.slow),  # affine in v
        # instantaneous m: Rosenbrock in v
        pytest.param("narrow_fs", "staggered", 2, 5e-6, marks=pytest.mark.slow),
        pytest.param("rs", "rush_larsen", 1, 10e-6, marks=pytest.mark.slow),
        pytest.param("rs", "shared_rk4", 4, 20e-6, marks=pytest.mark.slow),
    ],
)
def test_order_of_convergence_through_a_spike(name, method, order, coarse):
    errors, v = [], Dynamics(get_cell(name)).v
    for dt in (coarse, coarse / 2):
        found = potential(name, register(method), dt)
        truth = true_states(name)(np.arange(1, len(found) + 1) * dt)[v]
        assert truth.max() > -0.01  # there is a spike
        errors.append(np.sqrt(np.mean((found - truth) ** 2)))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.2)


@pytest.mark.usefixtures("numpy_target")
@pytest.mark.parametrize("method", METHODS)
def test_explicit_time_is_integrated(method):
    errors = []
    for dt in (0.5, 0.25):
        found = trajectory(
            "dv/dt = sin(t/tau)/tau : 1\ntau : second (constant)",
            register(method), dt=dt * ms, duration=20 * ms, start={"tau": 5e-3},
        )[0, 0]  # fmt: skip
        t = (np.arange(len(found)) + 1) * dt
        errors.append(np.abs(found - (1 - np.cos(t / 5))).max())
    order = {"rush_larsen": 2, "staggered": 2}.get(method, 4)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


@pytest.mark.usefixtures("numpy_target")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("held", [1, 4])
def test_a_timed_array_plays_its_samples(method, held):
    values = np.array([1.0, -2.0, 3.0, 0.5, 7.0])
    command = TimedArray(values / second, dt=held * 0.1 * ms)
    group = NeuronGroup(
        1, "dv/dt = command(t) : 1", method=register(method), dt=0.1 * ms,
        namespace={"command": command},
    )  # fmt: skip
    stock = NeuronGroup(
        1, "dv/dt = command(t) : 1", method="rk4", dt=0.1 * ms, namespace={"command": command}
    )
    monitors = [StateMonitor(g, "v", record=0, when="end") for g in (group, stock)]
    Network(group, stock, *monitors).run(len(values) * held * 0.1 * ms)
    ours, rk4 = (m.v[0] for m in monitors)
    if method in {"shared_rk4", "exponential_rk4"}:  # whose last stage looks at t + dt
        assert np.abs(ours - rk4).max() < 1e-15
    else:
        assert np.abs(ours - np.cumsum(np.repeat(values, held)) * 1e-4).max() < 1e-15


# --- targets, refractoriness, previous values ---

_RESETTING = """
dv/dt = (-v + 3*w/(1 + exp(-v)) + drive)/(10*ms) : 1 (unless refractory)
dw/dt = (v - w)/(30*ms) : 1
drive : 1 (constant)
before : 1
"""


def resetting(method, target):
    b2.prefs.codegen.target = target
    group = NeuronGroup(
        4, _RESETTING, method=method, dt=0.1 * ms, threshold="v > 1", reset="v = 0",
        refractory=3 * ms, method_options={"previous": {"before": "v"}},
    )  # fmt: skip
    group.drive = [0, 1.2, 2, 4]
    group.w = 0.1
    monitor = StateMonitor(group, ["v", "w", "before"], record=True, when="end")
    spikes = b2.SpikeMonitor(group)
    Network(group, monitor, spikes).run(60 * ms, namespace={})
    return (
        np.array([monitor.v, monitor.w, monitor.before]),
        np.array(spikes.i),
        np.array(spikes.t),
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_targets_agree_and_refractory_cells_hold_still(method):
    values, index, times = resetting(register(method), "numpy")
    other, other_index, other_times = resetting(method, "cython")
    assert np.abs(values - other).max() < 1e-12
    assert np.array_equal(index, other_index)
    assert np.array_equal(times, other_times)
    assert len(times) > 10
    v, w, _ = values
    for k, t in zip(index[:20], times[:20], strict=True):
        step = round(t / 1e-4)
        held = slice(step, min(step + 30, v.shape[1]))  # 3 ms from the spike
        assert np.all(v[k, held] == 0)
        assert np.all(np.diff(w[k, held]) != 0)  # w goes on


@pytest.mark.slow
@pytest.mark.parametrize("method", ["rush_larsen", "staggered"])
def test_a_standalone_program_agrees(method, tmp_path):
    values, index, times = resetting(register(method), "numpy")
    b2.set_device("cpp_standalone", directory=str(tmp_path / "program"))
    try:
        other, other_index, other_times = resetting(method, "auto")
    finally:
        get_device().reinit()
        reset_device()
    assert np.abs(values - other).max() < 1e-12
    assert np.array_equal(index, other_index)
    assert np.array_equal(times, other_times)


@pytest.mark.parametrize("target", ["numpy", pytest.param("cython", marks=pytest.mark.slow)])
@pytest.mark.parametrize("method", METHODS)
def test_keeps_the_value_from_before_the_step(method, target):
    b2.prefs.codegen.target = target
    group = NeuronGroup(
        1, "dv/dt = -v/(5*ms) : 1\nbefore : 1", method=register(method), dt=1 * ms,
        method_options={"previous": {"before": "v"}},
    )  # fmt: skip
    group.v = 1
    monitor = StateMonitor(group, ["v", "before"], record=0, when="end")
    Network(group, monitor).run(5 * ms)
    assert np.abs(monitor.before[0, 1:] - monitor.v[0, :-1]).max() < 1e-15
    assert monitor.before[0, 0] == 1


@pytest.mark.usefixtures("numpy_target")
@pytest.mark.parametrize("method", ["rush_larsen", "staggered"])
def test_a_runaway_stays_bounded_until_its_reset(method):
    """The upstroke of an exponential integrate-and-fire cell at a step far too long for it."""
    truth, *_ = upstrokes(register(), 5e-6)
    spikes, v, w = upstrokes(register(method), 100e-6)
    assert truth > 20
    assert abs(spikes - truth) <= 1
    assert np.abs(v).max() < 5
    assert np.abs(w).max() < 1e-9


@functools.cache
def upstrokes(method, dt):
    """Spikes in 100 ms, and v and w before each reset."""
    cell = get_cell("adex_tonic")
    values = dict(cell.parameters) | {"v": -0.07, "w": 0.0, "I": 1e-9}
    group = NeuronGroup(
        1, cell.brian_equations() + Equations("I : amp"), method=method, dt=dt * second,
        threshold=cell.threshold, reset=cell.reset,
    )  # fmt: skip
    group.set_states(values, units=False)
    monitor = StateMonitor(group, ["v", "w"], record=0, when="after_groups")
    spikes = b2.SpikeMonitor(group)
    Network(group, monitor, spikes).run(100 * ms, namespace={})
    return spikes.num_spikes, np.asarray(monitor.v), np.asarray(monitor.w)


# --- text ---


@pytest.mark.parametrize("name", [n for n in cell_names() if n != "passive"])
def test_no_exponential_is_written_twice(name):
    equations = get_cell(name).brian_equations()
    written = str(equations)
    users = len(re.findall(r"\bexp(?:rel)?\(", written))
    states = len(equations.diff_eq_names)
    for write in (rush_larsen_statements, staggered_statements):
        code = write(equations)
        assert len(re.findall(r"\bexp(?:rel)?\(", code)) == users + states
        assert "**" not in code


def test_a_state_that_does_not_act_on_itself_takes_a_plain_step():
    assert (
        rush_larsen_statements(Equations("dx/dt = r : 1\nr : Hz"))
        == "_d_x = dt * r\nx = x + _d_x"
    )


def test_subexpressions_constant_over_a_step_and_unused_ones_are_left_alone():
    code = staggered_statements(
        Equations(
            "dx/dt = -x/s : 1\ns = 1*ms + 0*t : second (constant over dt)\nshown = x**2 : 1"
        )
    )
    assert "shown" not in code
    assert "s = " not in code


def test_halves_of_the_library():
    assert halves_of(get_cell("sag").brian_equations()) == (("v",), ("h", "m", "n", "p", "r"))
    assert halves_of(get_cell("adex_tonic").brian_equations()) == (("v",), ("w",))


def test_other_half_first():
    equations = Equations("dv/dt = -v*n/ms : 1\ndn/dt = (v - n)/ms : 1")
    lines = staggered_statements(equations, first="n").splitlines()
    assert [x for x in lines if x.startswith(("v =", "n ="))] == [
        "n = n + _d_n",
        "v = v + _d_v",
    ]


def test_chains_take_turns_and_loops_of_three_do_not():
    chain = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("cd"), "d": frozenset()}
    assert two_colours(chain, "b") == (("b", "d"), ("a", "c"))
    loop = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a")}
    with pytest.raises(UnsupportedError, match="depend on each other"):
        two_colours(loop, "a")


# --- refusals, and the choice ---

_CALCIUM = """
dv/dt = (-v - q*v - m*v)/(10*ms) : 1
dm/dt = (1/(1 + exp(-v)) - m)/ms : 1
dc/dt = (m*(1 - v) - c)/(50*ms) : 1
dq/dt = (c - q)/(5*ms) : 1
"""


@contextmanager
def refused(message):
    """Brian2 wraps what an updater raises."""
    with pytest.raises(b2.BrianObjectException) as found:
        yield
    assert isinstance(found.value.__cause__, UnsupportedEquationsException)
    assert message in str(found.value.__cause__)


@pytest.mark.usefixtures("numpy_target")
def test_states_that_cannot_take_turns_are_named():
    with refused("c and m depend on each other and both on v"):
        trajectory(_CALCIUM, register("staggered"), dt=0.1 * ms, duration=1 * ms)
    chosen = choose(Equations(_CALCIUM), aim="counts")
    assert chosen.method == "shared_rk4"
    assert "cannot be split in two halves" in chosen.reason


@pytest.mark.usefixtures("numpy_target")
def test_brian2_may_be_given_a_list_of_methods():
    methods = (register("staggered"), "shared_rk4")  # the first refuses these equations
    found = trajectory(_CALCIUM, methods, dt=0.1 * ms, duration=1 * ms)
    alone = trajectory(_CALCIUM, register("shared_rk4"), dt=0.1 * ms, duration=1 * ms)
    np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize("write", [rush_larsen_statements, staggered_statements])
def test_noise_is_refused(write):
    equations = Equations("dx/dt = -x/(10*ms) + xi*ms**-0.5 : 1")
    with pytest.raises(UnsupportedError, match="method='heun'"):
        write(equations)
    assert choose(equations).method == "heun"


@pytest.mark.parametrize(
    "write", [rk4_statements, rush_larsen_statements, staggered_statements]
)
def test_random_numbers_drawn_within_a_step_are_refused(write):
    with pytest.raises(UnsupportedError, match=r"'x' draws random numbers .randn."):
        write(Equations("dx/dt = -x*randn()/ms : 1"))
    with pytest.raises(UnsupportedError, match=r"'r' draws random numbers .rand."):
        write(Equations("dx/dt = -x*r/ms : 1\nr = rand() : 1"))
    assert "rand" not in write(
        Equations("dx/dt = -x*r/ms : 1\nr = rand() : 1 (constant over dt)")
    )


@pytest.mark.usefixtures("numpy_target")
def test_a_function_without_a_derivative_is_named():
    @b2.implementation("numpy", discard_units=True)
    @b2.check_units(x=1, result=1)
    def bump(x):
        return np.exp(-(x**2))

    def run(equations):
        group = NeuronGroup(
            1, equations, method=register("rush_larsen"), namespace={"bump": bump}
        )
        group.x = 0.5
        Network(group).run(1 * ms)
        return group.x[0]

    with refused("cannot differentiate the function 'bump' by 'x'"):
        run("dx/dt = bump(x)/ms : 1")
    # of a name that does not change with x it is as good as a parameter
    assert run("dx/dt = bump(y) / ms : 1\ny : 1") == pytest.approx(1.5)


def test_names_that_do_not_exist():
    with pytest.raises(UnknownNameError, match="did you mean 'staggered'"):
        register("stagered")
    with pytest.raises(InputError, match="the states are x"):
        staggered_statements(Equations("dx/dt = -x/ms : 1"), first="v")


def test_the_choice_for_library_cells():
    for name in cell_names():
        cell = get_cell(name)
        kind = {"conductance_based": cell.conductance_based}
        times = choose(cell.brian_equations(), **kind)
        counts = choose(cell.brian_equations(), aim="counts", **kind)
        spiking = ("shared_rk4", "staggered")
        expected = spiking if cell.conductance_based else ("rush_larsen", "rush_larsen")
        assert (times.method, counts.method) == expected
        assert times.dt <= counts.dt
        assert times.reason
        assert counts.reason
    with pytest.raises(UnknownNameError, match="did you mean 'times'"):
        choose(get_cell("rs").brian_equations(), aim="time")


def test_the_potential_is_found_by_its_unit():
    equations = Equations(
        "dx/dt = -x*y/ms : volt\ndb/dt = -y/ms : 1\ndy/dt = (x/mV - y)/ms : 1"
    )
    assert halves_of(equations)[0] == ("b", "x")

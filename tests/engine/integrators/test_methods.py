"""shared_rk4 against Brian2's rk4 and against the analytic answer."""

import numpy as np
import pytest
from brian2 import Equations, Network, NeuronGroup, ms

from cleo_like.cells import Dynamics, get_cell
from cleo_like.core import UnsupportedError
from cleo_like.engine.integrators import register, rk4_statements


def run(cell, method, duration=30 * ms, dt=0.02 * ms):
    equations = cell.brian_equations() + Equations(f"{cell.current} : amp")
    group = NeuronGroup(3, equations, method=method, dt=dt)
    values = dict(cell.parameters) | {cell.current: np.array([0.0, 300e-12, 600e-12])}
    values |= {
        s: x[0] for s, x in zip(Dynamics(cell).states, Dynamics(cell).rest(), strict=True)
    }
    group.set_states({k: np.broadcast_to(v, 3) for k, v in values.items()}, units=False)
    Network(group).run(duration, namespace={})
    return np.array([getattr(group, s + "_")[:] for s in Dynamics(cell).states])


@pytest.mark.parametrize(
    "name",
    ["rs", *(pytest.param(n, marks=pytest.mark.slow) for n in ("narrow_fs", "lts", "sag"))],
)
def test_agrees_with_brian2_through_a_spike(name):
    cell = get_cell(name)
    ours, stock = run(cell, register()), run(cell, "rk4")
    assert np.abs(ours - stock).max() < 1e-9
    assert ours[Dynamics(cell).v].max() > ours[Dynamics(cell).v].min() + 1e-3


def test_error_falls_with_the_fourth_power_of_the_step():
    errors = []
    for dt in (1 * ms, 0.5 * ms):
        group = NeuronGroup(1, "dx/dt = -x**2/(10*ms) : 1", method=register(), dt=dt)
        group.x = 1
        Network(group).run(80 * ms)
        errors.append(abs(group.x[0] - 1 / 9))
    assert 12 < errors[0] / errors[1] < 20


def test_keeps_the_value_from_before_the_step():
    group = NeuronGroup(
        1,
        "dx/dt = 1/second : 1\nbefore : 1",
        method=register(),
        method_options={"previous": {"before": "x"}},
        dt=1 * ms,
    )
    Network(group).run(3 * ms)
    assert group.x[0] - group.before[0] == pytest.approx(1e-3)


def test_noise_is_refused():
    equations = Equations("dx/dt = -x/(10*ms) + xi*ms**-0.5 : 1")
    with pytest.raises(UnsupportedError, match="method='heun'"):
        rk4_statements(equations)


def test_subexpressions_that_no_state_needs_are_left_out():
    code = rk4_statements(Equations("dx/dt = -x/second : 1\nshown = 2*x : 1"))
    assert "shown" not in code

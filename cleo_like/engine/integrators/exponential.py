r"""Exponential steps: ``rush_larsen`` and ``staggered``.

With f = dx/dt and J = df/dx at the old values, a state goes on by

    x += dt*f*exprel(J*dt),     exprel(z) = (exp(z) - 1)/z

which is the exact solution where f is affine in x (a gate; a potential with frozen gates) and
the exponential Rosenbrock-Euler step, second order in x, where it is not (a potential with an
instantaneous gate). Other states are held during the step, so taking all states from the old
values is of first order. Taking turns instead, half of the states with the other half half a
step ahead, is of second order at the same cost.

Rush & Larsen 1978, IEEE Trans Biomed Eng 25:389 (the exponential step); Hochbruck, Ostermann &
Schweitzer 2009, SIAM Journal on Numerical Analysis 47:786 (Rosenbrock); Hines 1984, Int J
Biomed Comput 15:69 (staggering).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.engine.integrators.coloring import POTENTIALS, two_colours
from cleo_like.engine.integrators.derivative import Derivative
from cleo_like.engine.integrators.equations import (
    Model,
    graph_of,
    refuse_noise,
    step_statements,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from brian2 import Equations

    from cleo_like.engine.integrators.graph import Graph

# J*dt of a state that is not affine in itself stays within these. A runaway (the exponential of
# an integrate-and-fire upstroke) would else be prolonged to absurd values before its reset.
_DECAY, _GROWTH = 1e9, 3


def rush_larsen_statements(
    equations: Equations, *, previous: Mapping[str, str] | None = None
) -> str:
    """Write one exponential step of all states, from the old values, as Brian2 abstract code.

    Parameters
    ----------
    equations : brian2.Equations
        Deterministic equations.
    previous : mapping of str to str, optional
        Variables that keep a state variable's value from before the step
        (``{"v_before": "v"}``); spike times are refined with them.

    Returns
    -------
    str
        Abstract code.

    Raises
    ------
    UnsupportedError
        The equations contain noise terms (``xi``), or a function whose derivative by the
        state variable is needed and not known.

    Examples
    --------
    >>> from brian2 import Equations
    >>> print(rush_larsen_statements(Equations("dx/dt = r - x/tau : 1")))
    _c1 = 1 / tau
    _d_x = dt * (r - x * _c1) * exprel(-(dt * _c1))
    x = x + _d_x
    """
    states = tuple(sorted(equations.diff_eq_names))
    return _statements(equations, [states], previous, "rush_larsen")


def staggered_statements(
    equations: Equations,
    *,
    previous: Mapping[str, str] | None = None,
    first: str | None = None,
) -> str:
    r"""Write one staggered step as Brian2 abstract code.

    The half of the states with the membrane potential goes first; the other half follows with
    the new values. Between steps the second half is half a step ahead of the first.

    Parameters
    ----------
    equations : brian2.Equations
        Deterministic equations.
    previous : mapping of str to str, optional
        Variables that keep a state variable's value from before the step.
    first : str, optional
        A state of the first half; default: the membrane potential (see `leading_state`).

    Returns
    -------
    str
        Abstract code.

    Raises
    ------
    UnsupportedError
        The states cannot take turns (the message names those in the way), or as for
        `rush_larsen_statements`.

    Examples
    --------
    >>> from brian2 import Equations
    >>> eqs = "dv/dt = -v*n**2/second : 1\ndn/dt = (r - n)/second : 1\nr = v+1 : 1"
    >>> print(staggered_statements(Equations(eqs)))
    _c1 = n * n
    _c2 = 1 / second
    _d_v = -(dt * (v * _c1 * _c2) * exprel(-(dt * (_c1 * _c2))))
    v = v + _d_v
    _s_r = v + 1
    _d_n = dt * ((_s_r - n) * _c2) * exprel(-(dt * _c2))
    n = n + _d_n
    """
    halves = halves_of(equations, first)
    return _statements(equations, [h for h in halves if h], previous, "staggered")


def halves_of(
    equations: Equations, first: str | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the states of equations in the two halves of a staggered step.

    Parameters
    ----------
    equations : brian2.Equations
        The model.
    first : str, optional
        A state of the first half; default: `leading_state`.

    Raises
    ------
    UnsupportedError
        The states cannot take turns.
    """
    refuse_noise(equations, "staggered")
    states = equations.diff_eq_names
    model = Model.read(equations)
    needs = {x: model.graph.names(model.rates[x]) & states for x in states}
    return two_colours(needs, first if first is not None else leading_state(equations))


def leading_state(equations: Equations) -> str:
    r"""Guess the membrane potential: a state called v, else the only one in volt.

    Where neither exists the alphabetically first state leads.

    Examples
    --------
    >>> from brian2 import Equations
    >>> leading_state(Equations("dx/dt = -x/second : 1\ndu/dt = -u/second : volt"))
    'u'
    """
    from brian2 import volt

    states = sorted(equations.diff_eq_names)
    named = [x for x in POTENTIALS if x in states]
    in_volt = [x for x in states if equations[x].dim is volt.dim]
    if named:
        return named[0]
    return in_volt[0] if len(in_volt) == 1 else states[0]


def _statements(
    equations: Equations,
    halves: Sequence[tuple[str, ...]],
    previous: Mapping[str, str] | None,
    method: str,
) -> str:
    refuse_noise(equations, method)
    graph = graph_of(equations)
    labels: dict[int, str] = {}
    phases: list[dict[str, int]] = []
    updated: set[str] = set()
    for number, half in enumerate(halves):
        model = Model.read(equations, graph, _moment(graph, number, updated))
        phases.append({x: _increment(model, x) for x in half})
        labels |= model.labels
        updated |= set(half)
    return step_statements(graph, phases, labels, previous)


def _moment(graph: Graph, phase: int, updated: Collection[str]) -> dict[str, int]:
    """Give the nodes of time (the middle of what a phase steps over) and of new values."""
    dt, t = graph.name("dt"), graph.name("t")
    middle = graph.mul(graph.number(0.5), dt) if phase == 0 else dt
    return {x: graph.name(x, version=1) for x in updated} | {"t": graph.add(t, middle)}


def _increment(model: Model, x: str) -> int:
    """dt*f*exprel(J*dt); plain dt*f where f does not depend on x."""
    graph, rate = model.graph, model.rates[x]
    dt = graph.name("dt")
    slope = Derivative(graph, x)(rate)
    euler = graph.mul(dt, rate)
    if graph.value(slope) == 0:
        return euler
    growth = graph.mul(dt, slope)
    if x in graph.names(slope):
        growth = graph.call("clip", growth, graph.number(-_DECAY), graph.number(_GROWTH))
    return graph.mul(euler, graph.call("exprel", growth))

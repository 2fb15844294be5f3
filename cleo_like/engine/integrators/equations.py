"""The equations of a model as nodes of a graph."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from cleo_like.core.errors import UnsupportedError
from cleo_like.engine.integrators.code import Program, lowered
from cleo_like.engine.integrators.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brian2 import Equations

_DRAW = re.compile(r"\b(randn?|poisson)\s*\(")


@attrs.frozen(eq=False)
class Model:
    """Rates of all states.

    Attributes
    ----------
    graph : Graph
        Where the nodes live.
    rates : dict of str to int
        Node of dx/dt for each state x.
    labels : dict of int to str
        Nodes that the user named (subexpressions).
    known : dict of str to int
        Nodes that names in the equations stand for.
    """

    graph: Graph
    rates: dict[str, int]
    labels: dict[int, str]
    known: dict[str, int]

    @classmethod
    def read(
        cls,
        equations: Equations,
        graph: Graph | None = None,
        known: Mapping[str, int] | None = None,
    ) -> Model:
        """Parse all equations.

        Parameters
        ----------
        equations : brian2.Equations
            The model.
        graph : Graph, optional
            Where to put the nodes; default: a new one.
        known : mapping of str to int, optional
            Nodes that stand for names: states at another stage, another moment of time.
        """
        graph = graph if graph is not None else graph_of(equations)
        model = cls(graph, {}, {}, dict(known or {}))
        for name, code in _per_step_subexpressions(equations):
            node = graph.parse(code, model.known)
            model.known[name] = node
            if not graph.is_leaf(node):
                model.labels.setdefault(node, name)
        for x in sorted(equations.diff_eq_names):
            model.rates[x] = graph.parse(equations[x].expr.code, model.known)
        return model


def graph_of(equations: Equations) -> Graph:
    """Make an empty graph that knows which names change during a run."""
    constant = {x for x in equations.parameter_names if "constant" in equations[x].flags}
    varying = set(equations.names) - constant
    return Graph(varying | {"t", "t_in_timesteps", "lastspike", "not_refractory"})


def _per_step_subexpressions(equations: Equations) -> list[tuple[str, str]]:
    """Give the subexpressions that a step must evaluate, in order of dependence."""
    return [
        (e.varname, e.expr.code)
        for e in equations.ordered
        if e.type == "subexpression" and "constant over dt" not in e.flags
    ]


def refuse_noise(equations: Equations, method: str) -> None:
    """Raise UnsupportedError for noise terms and for random numbers drawn inside a step."""
    if equations.is_stochastic:
        msg = (
            f"{method} integrates equations without noise terms (xi); "
            "use method='heun' for these"
        )
        raise UnsupportedError(msg)
    rates = [(x, equations[x].expr.code) for x in sorted(equations.diff_eq_names)]
    for name, code in _per_step_subexpressions(equations) + rates:
        found = _DRAW.search(code)
        if found:
            msg = (
                f"the equation of {name!r} draws random numbers ({found[1]}) each time it is "
                "evaluated; put the draw in a subexpression marked (constant over dt)"
            )
            raise UnsupportedError(msg)


def step_statements(
    graph: Graph,
    phases: Sequence[Mapping[str, int]],
    labels: Mapping[int, str],
    previous: Mapping[str, str] | None,
) -> str:
    """Write the code of a step: in each phase the increments, then the new values.

    Parameters
    ----------
    graph : Graph
        Where the nodes live.
    phases : sequence of mapping of str to int
        Increments of the states that go on together; a later phase sees their new values.
    labels : mapping of int to str
        Nodes with a name of their own.
    previous : mapping of str to str, optional
        Variables that keep a state variable's value from before the step.
    """
    new = lowered(graph, [step for phase in phases for step in phase.values()])
    named = {new[node]: label for node, label in labels.items() if node in new}
    steps = [new[step] for phase in phases for step in phase.values()]
    program = Program(graph, steps, named)
    for phase in phases:
        for x, step in phase.items():
            program.assign(f"_d_{x}", new[step])
        for x in phase:
            program.write(f"{x} = {x} + _d_{x}")
    for kept, x in (previous or {}).items():
        # not "kept = x" before the step: on the numpy target that would be the same array
        program.write(f"{kept} = {x} - _d_{x}")
    return "\n".join(program.lines)

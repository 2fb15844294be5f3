"""How fast a current moves the potential of each neuron of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.cells.dynamics import brian_names
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from brian2 import NeuronGroup


_LARGE = 1e-6
"""Current (A) beside which the cell's own are small: the difference keeps all its digits."""


def slope_of_current(group: NeuronGroup, voltage: str, current: str) -> np.ndarray:
    """Give the change of dv/dt per injected current (1/F) of every neuron.

    The right-hand side is evaluated at two currents, with the group's values as they are.

    Raises
    ------
    InputError
        The current does not charge the membrane.
    """
    low, high = (_rate(group, voltage, current, i) for i in (0.0, _LARGE))
    slope = np.broadcast_to((high - low) / _LARGE, (len(group),)).astype(float)
    if not (np.isfinite(slope) & (slope > 0)).all():
        msg = (
            f"{voltage!r} of {group.name!r} does not depend on {current!r} as on an injected "
            f"current; add {current}/C to d{voltage}/dt"
        )
        raise InputError(msg)
    return slope


def _rate(group: NeuronGroup, voltage: str, current: str, value: float) -> np.ndarray:
    from brian2.core.variables import Constant
    from brian2.parsing.rendering import NumpyNodeRenderer

    equations = group.equations
    names = brian_names(set(equations.identifiers), float(group.clock.dt_))
    for name in sorted(equations.identifiers | equations.names):
        if name in equations.subexpr_names or name in names:
            continue
        variable = group.variables.get(name)
        if variable is None and name in group.namespace:
            names[name] = np.asarray(group.namespace[name], dtype=float)
        elif variable is not None and (
            isinstance(variable, Constant) or hasattr(variable, "get_value")
        ):
            names[name] = variable.get_value()
    names[current] = value
    render = NumpyNodeRenderer(auto_vectorise={}).render_expr
    for equation in equations.ordered:
        if equation.type == "subexpression":
            code = render(equation.expr.code.strip())
            names[equation.varname] = eval(code, {"__builtins__": {}}, names)
    code = render(equations[voltage].expr.code.strip())
    with np.errstate(all="ignore"):
        return np.asarray(eval(code, {"__builtins__": {}}, names), dtype=float)

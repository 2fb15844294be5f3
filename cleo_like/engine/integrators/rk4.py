"""The classic Runge-Kutta method of order 4, as Brian2's ``rk4``.

Each subexpression of the model is evaluated once per stage instead of being pasted into every
equation that uses it. The same arithmetic then costs fewer ``exp`` calls, less code to
compile, and no rewriting of the user's formulas by the computer algebra.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cleo_like.engine.integrators.equations import refuse_noise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import Equations

# stage k evaluates the model at x + a*k_(k-1) and t + a*dt; k already contains dt
STAGES = (
    (1, "0", "t"),
    (2, "0.5", "(t + 0.5*dt)"),
    (3, "0.5", "(t + 0.5*dt)"),
    (4, "1.0", "(t + dt)"),
)
_IDENTIFIER = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


def rk4_statements(equations: Equations, *, previous: Mapping[str, str] | None = None) -> str:
    r"""Write one RK4 step of Brian2 equations as Brian2 abstract code.

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
        The equations contain noise terms (``xi``); `rk4` is for deterministic ones.

    Examples
    --------
    >>> from brian2 import Equations
    >>> print(rk4_statements(Equations("dx/dt = -r*x/second : 1\nr = 1+x : 1")))
    _s1_r = 1+x
    _k1_x = dt*(-_s1_r*x/second)
    _x2_x = x + 0.5*_k1_x
    _s2_r = 1+_x2_x
    _k2_x = dt*(-_s2_r*_x2_x/second)
    _x3_x = x + 0.5*_k2_x
    _s3_r = 1+_x3_x
    _k3_x = dt*(-_s3_r*_x3_x/second)
    _x4_x = x + 1.0*_k3_x
    _s4_r = 1+_x4_x
    _k4_x = dt*(-_s4_r*_x4_x/second)
    _d_x = (_k1_x + 2*_k2_x + 2*_k3_x + _k4_x)/6
    x = x + _d_x
    """
    refuse_noise(equations, "rk4")
    states = sorted(equations.diff_eq_names)
    needed = per_step_subexpressions(equations)
    lines: list[str] = []
    for stage, weight, time in STAGES:
        renamed = {name: f"_s{stage}_{name}" for name, _ in needed} | {"t": time}
        if stage > 1:
            renamed |= {x: f"_x{stage}_{x}" for x in states}
            lines += [f"_x{stage}_{x} = {x} + {weight}*_k{stage - 1}_{x}" for x in states]
        lines += [f"{renamed[name]} = {rename(code, renamed)}" for name, code in needed]
        for x in states:
            rate = rename(equations[x].expr.code.strip(), renamed)
            lines.append(f"_k{stage}_{x} = dt*({rate})")
    lines += [f"_d_{x} = (_k1_{x} + 2*_k2_{x} + 2*_k3_{x} + _k4_{x})/6" for x in states]
    lines += [f"{x} = {x} + _d_{x}" for x in states]
    # not "kept = x" before the step: on the numpy target that would be the same array
    lines += [f"{kept} = {x} - _d_{x}" for kept, x in (previous or {}).items()]
    return "\n".join(lines)


def per_step_subexpressions(equations: Equations) -> list[tuple[str, str]]:
    """Give the subexpressions that a step must evaluate, in order of dependence."""
    found = []
    for equation in equations.ordered:
        if equation.type != "subexpression" or "constant over dt" in equation.flags:
            continue
        found.append((equation.varname, equation.expr.code.strip()))
    used: set[str] = set()
    for x in equations.diff_eq_names:
        used |= set(identifiers(equations[x].expr.code))
    needed = []
    for name, code in reversed(found):
        if name in used:
            used |= set(identifiers(code))
            needed.append((name, code))
    return needed[::-1]


def identifiers(code: str) -> list[str]:
    """Give the names in an expression."""
    return _IDENTIFIER.findall(code)


def rename(code: str, names: Mapping[str, str]) -> str:
    """Replace names in an expression."""
    return _IDENTIFIER.sub(lambda match: names.get(match[0], match[0]), code)

"""What a model's equations say: as text, and which names they use."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Protocol

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import Equations

TIME = {"t", "t_in_timesteps"}
"""Names of Brian2's clock: a model that uses them has no rest."""
NOISE = {"rand", "randn", "poisson"}
_OWN = TIME | {"dt", "and", "or", "not", "True", "False"}
_REFRACTORY = {"lastspike", "not_refractory"}


class Texts(Protocol):
    """The texts of a model, of which `CellModel` is the one that is stored."""

    @property
    def name(self) -> str:
        """For errors."""

    @property
    def threshold(self) -> str | None:
        """When it spikes."""

    @property
    def reset(self) -> str | None:
        """What happens at a spike."""

    @property
    def refractory(self) -> Any:
        """How long it cannot spike."""

    @property
    def current(self) -> str:
        """Name of the injected current."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Numbers that the texts name."""

    def brian_equations(self) -> Any:
        """Give the equations as `brian2.Equations`."""


def equations_text(equations: Equations) -> str:
    """Give the text of equations, whether they come as text or as `brian2.Equations`.

    Raises
    ------
    InputError
        They are neither.

    Examples
    --------
    >>> from brian2 import Equations, ms
    >>> equations_text(Equations("dv/dt = -v/tau : volt", tau=10 * ms))
    'dv/dt = -v/(10. * msecond) : volt'
    """
    if isinstance(equations, str):
        return equations
    if type(equations).__name__ != "Equations" or not hasattr(equations, "diff_eq_names"):
        msg = (
            "equations must be a text (or brian2.Equations), got "
            f"{type(equations).__name__}: {equations!r}"
        )
        raise InputError(msg)
    return "\n".join(equation_line(equation) for equation in equations.values())


def unit_text(dimension: Any) -> str:
    """Write the unit of a dimension of Brian2 as equations take it.

    Examples
    --------
    >>> from brian2 import farad, metre
    >>> unit_text(farad.dim), unit_text((metre**2).dim)
    ('farad', 'metre ** 2')
    """
    from brian2 import get_unit

    if dimension.is_dimensionless:
        return "1"
    word = repr(get_unit(dimension))
    # "metre2" is a word of Brian2 that its own equations do not read; "metre ** 2" they do
    return word if not word[-1:].isdigit() or "**" in word else repr(dimension)


def equation_line(equation: Any) -> str:
    """Give one equation of Brian2 as text."""
    unit = equation.var_type
    if unit == "float":
        unit = unit_text(equation.dim)
    left = {"differential equation": f"d{equation.varname}/dt = {equation.expr}",
            "subexpression": f"{equation.varname} = {equation.expr}",
            "parameter": equation.varname}[equation.type]  # fmt: skip
    flags = f" ({', '.join(equation.flags)})" if equation.flags else ""
    return f"{left} : {unit}{flags}"


def check_texts(model: Texts, equations: Equations) -> None:
    """Refuse what a cell cannot have: names that nothing explains, unreadable expressions.

    Raises
    ------
    InputError
        Says which name, and what to do.
    """
    _check_expressions(model)
    _check_flags(model, equations)
    _check_names(model, equations)


def _check_expressions(model: Texts) -> None:
    for where in ("threshold", "refractory"):
        text = getattr(model, where)
        try:
            ast.parse(text if isinstance(text, str) else "0", mode="eval")
        except SyntaxError as error:
            msg = f"the {where} of {model.name!r} is no expression: {text!r} ({error.msg})"
            raise InputError(msg) from error


def _check_flags(model: Texts, equations: Equations) -> None:
    for name in equations.parameter_names:
        found = {"shared", "linked"} & set(equations[name].flags)
        if found:
            msg = (
                f"{name!r} of {model.name!r} is {found.pop()}; every cell has parameters of "
                "its own: declare it as (constant)"
            )
            raise InputError(msg)


def _check_names(model: Texts, equations: Equations) -> None:
    from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, DEFAULT_UNITS

    known = {*equations.names, *model.parameters, model.current, *_OWN,
             *DEFAULT_CONSTANTS, *DEFAULT_FUNCTIONS, *DEFAULT_UNITS}  # fmt: skip
    if model.refractory is not None:
        known |= _REFRACTORY
    for where, names in used_names(model, equations).items():
        unknown = sorted(n for n in names - known if not n.startswith("xi"))
        if {"i", "N"} & set(unknown):
            msg = (
                f"the {where} of {model.name!r} use i or N, Brian2's number of a neuron; "
                "here neurons are cells x sweeps, so give each cell a parameter of its own"
            )
            raise InputError(msg)
        if unknown:
            msg = (
                f"the {where} of {model.name!r} use {', '.join(unknown)}: no variable, "
                "parameter, unit or function known here. Give numbers in parameters=; what "
                "changes with time is the protocol's waveform, or a formula of t (functions "
                "of your own and TimedArrays are not part of a model)"
            )
            raise InputError(msg)


def used_names(model: Texts, equations: Equations) -> dict[str, set[str]]:
    """Give the names that the equations and the other texts of a model use."""
    from brian2.utils.stringtools import get_identifiers

    found = {"equations": set(equations.identifiers) - {model.current}}
    for where in ("threshold", "refractory"):
        text = getattr(model, where)
        found[where] = get_identifiers(text) if isinstance(text, str) else set()
    reset = model.reset or ""
    made = {line.split("=")[0].strip() for line in reset.replace(";", "\n").splitlines()}
    found["reset"] = get_identifiers(reset) - made
    return found


def uses(model: Texts, names: set[str]) -> bool:
    """Whether a model uses one of some names anywhere."""
    found = used_names(model, model.brian_equations())
    return any(used & names for used in found.values())

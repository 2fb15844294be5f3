"""Whether the equations of a model fit together with the units of its parameters.

Brian2 asks this when a group runs; a model is asked when it is made, so that a parameter
without its unit, or with another one, never gives a number.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import CleoLikeError, InputError, UnitError
from cleo_like.core.units.dimensions import PURE, Dimension
from cleo_like.core.units.table import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_AT_ONCE = 3
"""Parameters whose units are guessed together, for the hint."""
_GUESSED = ("V", "S", "F", "s", "A", "Hz", "ohm", "1")
"""Units that a parameter of a membrane has, the usual ones first."""


def check_model(model: Any) -> None:
    """Refuse a model whose equations name something unknown, or whose units do not fit.

    Parameters
    ----------
    model : CellModel
        With its parameters converted to SI (each knows its dimension).

    Raises
    ------
    InputError
        A name without a value.
    UnitError
        Units that do not fit; the message says which unit would, where it is plain.
    """
    dimensions = {name: value.dimension for name, value in model.parameters.items()}
    refractory = model.refractory if isinstance(model.refractory, str) else None
    starts = tuple((k, v) for k, v in model.initial.items() if isinstance(v, str))
    texts = (model.equations, model.threshold, model.reset, refractory, model.current, starts)
    wrong = _problem(texts, tuple(dimensions.items()))
    if wrong is None:
        return
    if isinstance(wrong, UnitError):
        raise UnitError(_advice(model, texts, dimensions, str(wrong)))
    msg = f"{model.name!r}: {wrong}"
    raise type(wrong)(msg)


def _advice(model: Any, texts: Any, dimensions: dict[str, Dimension], problem: str) -> str:
    bare = [name for name, d in dimensions.items() if d == PURE]
    tries = (
        _fits(texts, dimensions, bare, _MOST_AT_ONCE),
        _fits(texts, dimensions, list(dimensions), 1),
    )
    for fit in itertools.chain(*tries):
        said = "; ".join(
            f"{name}={model.parameters[name]:g} has no unit; did you mean "
            f"{model.parameters[name]:g}*{UNITS[unit].code}?"
            if dimensions[name] == PURE
            else f"{name} must be a pure number"
            if unit == "1"
            else f"{name} must be in {UNITS[unit].code} (or another unit of {unit})"
            for name, unit in fit.items()
        )
        return f"{said} ({model.name!r}: {problem})"
    return f"the units of {model.name!r} do not fit: {problem}"


def _fits(
    texts: Any, dimensions: dict[str, Dimension], names: list[str], most: int
) -> Iterator[dict[str, str]]:
    """Give the smallest set of units, for some of the parameters, with which all fits."""
    for count in range(1, min(len(names), most) + 1):
        if count > 1 and len(names) > _MOST_AT_ONCE:
            return  # too many ways; the problem itself is said
        for chosen in itertools.combinations(names, count):
            for units in itertools.product(_GUESSED, repeat=count):
                tried = dimensions | {
                    name: tuple(map(float, UNITS[unit].dimension))
                    for name, unit in zip(chosen, units, strict=True)
                }
                if _problem(texts, tuple(tried.items())) is None:
                    yield dict(zip(chosen, units, strict=True))
                    return


@functools.lru_cache(maxsize=512)
def _problem(
    texts: tuple[str, str | None, str, str | None, str, tuple[tuple[str, str], ...]],
    parameters: tuple[tuple[str, Dimension], ...],
) -> CleoLikeError | None:
    """Say what does not fit; None where all does."""
    from brian2 import DimensionMismatchError
    from brian2.equations.unitcheck import check_units_statements

    equations, threshold, reset, refractory, current, starts = texts
    known = _Names(equations, dict(parameters), current)
    try:
        for name, expression, dimension in known.expressions():
            known.check(expression, dimension, name)
        for state, expression in starts:
            known.check(expression, known.equations[state].dim, f"initial {state}")
        if threshold is not None:
            known.check(threshold, None, "the threshold")
        if refractory is not None:
            known.check_refractory(refractory)
        if reset:
            check_units_statements(reset, known.of(reset, "the reset", statements=True))
    except DimensionMismatchError as error:
        return UnitError(" ".join(str(error).split()))
    except CleoLikeError as error:
        return error
    except KeyError as error:  # a statement changes what there is not
        return InputError(f"the reset uses {error}, which has no value")
    except (SyntaxError, ValueError, AssertionError) as error:
        return InputError(f"Brian2 cannot read it: {error}")
    return None


class _Names:
    """What the names in the equations of a model stand for, as Brian2's variables."""

    def __init__(
        self, equations: str, parameters: Mapping[str, Dimension], current: str
    ) -> None:
        from brian2 import amp, second

        self.equations = _parsed(equations)
        self.own = {name: _variable(name, _of(d)) for name, d in parameters.items()}
        self.own |= {"t": _variable("t", second.dim), "dt": _variable("dt", second.dim)}
        self.own |= {name: _variable(name, _of(PURE)) for name in ("i", "N", "not_refractory")}
        self.own["lastspike"] = _variable("lastspike", second.dim)
        if current not in self.equations.names:
            self.own[current] = _variable(current, amp.dim)
        for name in self.equations.names:
            # what the equations declare, the parameters were checked against
            self.own[name] = _variable(name, self.equations[name].dim)

    def expressions(self) -> Iterator[tuple[str, str, Any]]:
        """Give each right-hand side with the dimension that it must have."""
        from brian2 import second

        for equation in self.equations.values():
            if equation.expr is None:
                continue
            differential = equation.type == "differential equation"
            name = f"d{equation.varname}/dt" if differential else equation.varname
            dimension = equation.dim / second.dim if differential else equation.dim
            yield name, equation.expr.code, dimension

    def check(self, expression: str, dimension: Any, what: str) -> None:
        """Compare the dimension of an expression; None only asks that it has one."""
        from brian2.equations.unitcheck import check_dimensions
        from brian2.parsing.expressions import parse_expression_dimensions

        names = self.of(expression, what)
        if dimension is None:
            parse_expression_dimensions(expression, names)
        else:
            check_dimensions(expression, dimension, names)

    def check_refractory(self, expression: str) -> None:
        """Ask for a time, or for a condition."""
        from brian2 import second
        from brian2.parsing.expressions import parse_expression_dimensions

        names = self.of(expression, "refractory")
        dimension = parse_expression_dimensions(expression, names)
        if dimension is not second.dim and not dimension.is_dimensionless:
            msg = f"refractory={expression!r} is neither a time nor a condition"
            raise UnitError(msg)

    def of(self, code: str, what: str, *, statements: bool = False) -> dict[str, Any]:
        """Look up every name in a piece of code."""
        from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, DEFAULT_UNITS
        from brian2.utils.stringtools import get_identifiers

        found = dict(self.own) if statements else {}
        for name in sorted(get_identifiers(code)):
            if name in self.own:
                found[name] = self.own[name]
            elif name == "xi" or name.startswith("xi_"):
                found[name] = _variable(name, _noise())
            elif name in DEFAULT_FUNCTIONS:
                found[name] = DEFAULT_FUNCTIONS[name]
            elif name in DEFAULT_CONSTANTS:
                found[name] = DEFAULT_CONSTANTS[name]
            elif name in DEFAULT_UNITS:
                found[name] = _variable(name, DEFAULT_UNITS[name].dim)
            elif name not in _WORDS and not statements:
                msg = f"{what} uses {name!r}, which has no value: give it in parameters"
                raise InputError(msg)
        return found


_WORDS = ("and", "or", "not", "True", "False")


@functools.lru_cache(maxsize=64)
def _parsed(equations: str) -> Any:
    from brian2 import Equations

    return Equations(equations)


@functools.cache
def _of(dimension: Dimension) -> Any:
    from brian2.units.fundamentalunits import get_or_create_dimension

    return get_or_create_dimension(tuple(np.asarray(dimension, dtype=float)))


@functools.cache
def _noise() -> Any:
    from brian2 import second

    return (second**-0.5).dim


def _variable(name: str, dimension: Any) -> Any:
    from brian2.core.variables import Variable

    return Variable(name=name, dimensions=dimension, scalar=False)

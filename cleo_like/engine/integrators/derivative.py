"""Derivatives of expressions, forward through the graph, by the chain rule.

The derivative of a node refers to the node's own value wherever it can: exp(u)' = exp(u)*u'
takes no second exponential, (a/b)' = (a' - (a/b)*b')/b no second a.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.core.errors import UnsupportedError
from cleo_like.engine.integrators.graph import COMPARE, Graph

if TYPE_CHECKING:
    from collections.abc import Callable

_FLAT = frozenset({*COMPARE.values(), "and", "or", "not", "//"})
"""Operations whose value is constant between jumps."""
_FLAT_CALLS = frozenset({"int", "floor", "ceil", "sign", "timestep"})
_LN10 = 2.302585092994046
_NEAR_ZERO = 1e-5
"""Below it exprel' comes from its series (error 1e-11); above, rounding costs 2e-11."""


class Derivative:
    """Differentiate nodes of a graph by one name.

    Parameters
    ----------
    graph : Graph
        Where the nodes live and the derivatives are built.
    by : str
        Name of the variable.

    Examples
    --------
    >>> from cleo_like.engine.integrators.code import text
    >>> g = Graph(varying={"x"})
    >>> text(g, Derivative(g, "x")(g.parse("r*(1 - x) + sin(2*x)")))
    'cos(2 * x) * 2 - r'
    """

    def __init__(self, graph: Graph, by: str) -> None:
        self.graph, self.by = graph, by
        self._done: dict[int, int] = {}

    def __call__(self, node: int) -> int:
        """Give the node of the derivative (the number 0 where there is none).

        Raises
        ------
        UnsupportedError
            A function whose derivative is not known, applied to the variable.
        """
        if self.by not in self.graph.names(node):
            return self.graph.number(0)
        if node not in self._done:
            self._done[node] = self._rule(node)
        return self._done[node]

    def _rule(self, node: int) -> int:
        g = self.graph
        op, *args = g[node]
        if op == "name":
            return g.number(1)
        if op in _FLAT:
            return g.number(0)
        if op == "call":
            return self._of_call(node, *args)
        if op == "neg":
            return g.neg(self(args[0]))
        return _OPERATORS[op](self, node, *args)

    def _sum(self, _node: int, a: int, b: int) -> int:
        return self.graph.add(self(a), self(b))

    def _difference(self, _node: int, a: int, b: int) -> int:
        return self.graph.sub(self(a), self(b))

    def _product(self, _node: int, a: int, b: int) -> int:
        g = self.graph
        return g.add(g.mul(self(a), b), g.mul(a, self(b)))

    def _quotient(self, node: int, a: int, b: int) -> int:
        g, db = self.graph, self(b)
        if self.by in g.names(a):
            return g.div(g.sub(self(a), g.mul(node, db)), b)
        if g.is_constant(a):  # no second division by b
            return g.neg(g.mul(g.div(g.mul(node, node), a), db))
        return g.neg(g.div(g.mul(node, db), b))

    def _power(self, node: int, a: int, b: int) -> int:
        g = self.graph
        one_less = g.power(a, g.sub(b, g.number(1)))
        by_base = g.mul(g.mul(b, one_less), self(a))
        if self.by not in g.names(b):
            return by_base
        return g.add(by_base, g.mul(g.mul(node, g.call("log", a)), self(b)))

    def _modulo(self, _node: int, a: int, b: int) -> int:
        if self.by in self.graph.names(b):
            msg = f"cannot differentiate a % whose right side depends on {self.by!r}"
            raise UnsupportedError(msg)
        return self(a)

    def _of_call(self, node: int, function: str, *args: int) -> int:
        if function in _FLAT_CALLS:
            return self.graph.number(0)
        if function == "clip":
            return self._clip(*args)
        if function not in _CALLS or len(args) != 1:
            msg = (
                f"cannot differentiate the function {function!r} by {self.by!r}; "
                "use method='rk4', or write the function out"
            )
            raise UnsupportedError(msg)
        return self.graph.mul(_CALLS[function](self.graph, node, args[0]), self(args[0]))

    def _clip(self, a: int, low: int, high: int) -> int:
        g = self.graph
        below, above = g.binary("<=", a, low), g.binary(">=", a, high)
        inside = g.logic("and", g.binary(">", a, low), g.binary("<", a, high))
        parts = zip((inside, below, above), (a, low, high), strict=True)
        total = g.number(0)
        for where, value in parts:
            total = g.add(total, g.mul(g.call("int", where), self(value)))
        return total


_OPERATORS: dict[str, Callable[..., int]] = {
    "+": Derivative._sum,  # noqa: SLF001
    "-": Derivative._difference,  # noqa: SLF001
    "*": Derivative._product,  # noqa: SLF001
    "/": Derivative._quotient,  # noqa: SLF001
    "**": Derivative._power,  # noqa: SLF001
    "%": Derivative._modulo,  # noqa: SLF001
}


# --- outer derivatives of functions of one argument: (graph, value of the call, argument) ---


def _exprel(g: Graph, e: int, u: int) -> int:
    """Differentiate E = (exp(u) - 1)/u as E + (1 - E)/u; at 0 by its series."""
    near = g.call("int", g.binary("<", g.call("abs", u), g.number(_NEAR_ZERO)))
    far = g.add(e, g.div(g.sub(g.number(1), e), g.add(u, near)))
    series = g.add(g.number(0.5), g.mul(u, g.number(1 / 3)))
    return g.add(far, g.mul(near, g.sub(series, far)))


def _reciprocal(g: Graph, u: int) -> int:
    return g.div(g.number(1), u)


def _one_minus_square(g: Graph, a: int) -> int:
    return g.sub(g.number(1), g.mul(a, a))


def _one_plus_square(g: Graph, a: int) -> int:
    return g.add(g.number(1), g.mul(a, a))


_CALLS: dict[str, Callable[[Graph, int, int], int]] = {
    "exp": lambda _g, e, _u: e,
    "expm1": lambda g, e, _u: g.add(e, g.number(1)),
    "exprel": _exprel,
    "log": lambda g, _e, u: _reciprocal(g, u),
    "log1p": lambda g, _e, u: _reciprocal(g, g.add(u, g.number(1))),
    "log10": lambda g, _e, u: _reciprocal(g, g.mul(u, g.number(_LN10))),
    "sqrt": lambda g, e, _u: g.div(g.number(0.5), e),
    "abs": lambda g, _e, u: g.call("sign", u),
    "sin": lambda g, _e, u: g.call("cos", u),
    "cos": lambda g, _e, u: g.neg(g.call("sin", u)),
    "tan": lambda g, e, _u: _one_plus_square(g, e),
    "sinh": lambda g, _e, u: g.call("cosh", u),
    "cosh": lambda g, _e, u: g.call("sinh", u),
    "tanh": lambda g, e, _u: _one_minus_square(g, e),
    "arcsin": lambda g, _e, u: _reciprocal(g, g.call("sqrt", _one_minus_square(g, u))),
    "arccos": lambda g, _e, u: g.neg(_reciprocal(g, g.call("sqrt", _one_minus_square(g, u)))),
    "arctan": lambda g, _e, u: _reciprocal(g, _one_plus_square(g, u)),
}

"""Expressions as one shared graph: equal subexpressions exist once, whoever wrote them.

A node is an integer. Building a node folds zeros, ones and signs (exactly) and turns a
division by something that does not change during a run into a multiplication, so that the
text written from the graph asks for no superfluous work.
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Number = float  # and int: the literals of the user's text keep their kind

BINARY: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
    ast.Mod: "%", ast.FloorDiv: "//",
}  # fmt: skip
COMPARE: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


class Graph:
    """Nodes of expressions.

    Parameters
    ----------
    varying : collection of str
        Names whose value changes during a run; all other names are constant.

    Examples
    --------
    >>> g = Graph(varying={"x"})
    >>> a, b = g.parse("(x + 1)/(2*x)"), g.parse("0*x + (1 + x)/(x*2)")
    >>> a == b
    True
    """

    def __init__(self, varying: Collection[str] = ()) -> None:
        self.varying = frozenset(varying)
        self._nodes: list[tuple[Any, ...]] = []
        self._names: list[frozenset[str]] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def __getitem__(self, node: int) -> tuple[Any, ...]:
        """Give the operation of a node and its arguments."""
        return self._nodes[node]

    def names(self, node: int) -> frozenset[str]:
        """Give all names that the value of a node depends on."""
        return self._names[node]

    def is_constant(self, node: int) -> bool:
        """Whether the value of a node stays the same during a run."""
        return not self._names[node] & self.varying

    def value(self, node: int) -> Number | None:
        """Give the number that a node is, None for anything else."""
        op, *args = self._nodes[node]
        return args[0] if op == "number" else None

    # --- leaves and calls ---

    def number(self, value: Number) -> int:
        """Make a literal."""
        if not isinstance(value, bool) and value < 0:
            return self._new("neg", self.number(-value))
        return self._new("number", value)

    def name(self, name: str, version: int = 0) -> int:
        """Make a variable; a version tells values before and after an update apart."""
        return self._new("name", name, version)

    def call(self, function: str, *args: int) -> int:
        """Make a function call."""
        return self._new("call", function, *args)

    def _new(self, op: str, *args: Any) -> int:
        key: tuple[Any, ...] = (op, *args)
        if op in ("+", "*"):
            key = (op, *sorted(args))
        elif op == "number":
            key = (op, repr(args[0]))
        if key not in self._known:
            self._known[key] = len(self._nodes)
            self._nodes.append((op, *args))
            self._names.append(self._names_of(op, args))
        return self._known[key]

    def _names_of(self, op: str, args: tuple[Any, ...]) -> frozenset[str]:
        if op == "number":
            return frozenset()
        if op == "name":
            return frozenset({args[0]})
        return frozenset().union(*(self._names[a] for a in children((op, *args))))

    # --- arithmetic ---

    def add(self, a: int, b: int) -> int:
        """Add."""
        if self.value(a) == 0:
            return b
        if self.value(b) == 0:
            return a
        if self._is_neg(b):
            return self.sub(a, self._nodes[b][1])
        if self._is_neg(a):
            return self.sub(b, self._nodes[a][1])
        return self._folded("+", a, b)

    def sub(self, a: int, b: int) -> int:
        """Subtract."""
        if self.value(b) == 0:
            return a
        if self.value(a) == 0:
            return self.neg(b)
        if self._is_neg(b):
            return self.add(a, self._nodes[b][1])
        if self._is_neg(a):
            return self.neg(self.add(self._nodes[a][1], b))
        return self._folded("-", a, b)

    def neg(self, a: int) -> int:
        """Change the sign."""
        if self.value(a) == 0 or self._is_neg(a):
            return a if self.value(a) == 0 else self._nodes[a][1]
        if self._nodes[a][0] == "-":
            return self._new("-", self._nodes[a][2], self._nodes[a][1])
        return self._new("neg", a)

    def mul(self, a: int, b: int) -> int:
        """Multiply."""
        if 0 in (self.value(a), self.value(b)):
            return self.number(0)
        if self.value(a) == 1:
            return b
        if self.value(b) == 1:
            return a
        if self._is_neg(a):
            return self.neg(self.mul(self._nodes[a][1], b))
        if self._is_neg(b):
            return self.neg(self.mul(a, self._nodes[b][1]))
        return self._folded("*", a, b)

    def div(self, a: int, b: int) -> int:
        """Divide: a*(1/b) where only b is constant, a*(c/d) where b is d/c."""
        if self.value(a) == 0 or self.value(b) == 1:
            return a
        if self._is_neg(a):
            return self.neg(self.div(self._nodes[a][1], b))
        if self._is_neg(b):
            return self.neg(self.div(a, self._nodes[b][1]))
        if self.is_constant(a) or self.value(b) == 0:
            if self._nodes[b][0] == "/" and not self.is_constant(b):
                return self._of_reciprocal(a, b)
            return self._folded("/", a, b)
        if self.is_constant(b):
            return self.mul(a, self.div(self.number(1), b))
        return self._of_reciprocal(a, b) if self._nodes[b][0] == "/" else self._new("/", a, b)

    def _of_reciprocal(self, a: int, b: int) -> int:
        _, top, bottom = self._nodes[b]
        return self.mul(a, self.div(bottom, top))

    def power(self, a: int, b: int) -> int:
        """Raise to a power."""
        if self.value(b) in (0, 1):
            return a if self.value(b) == 1 else self.number(1)
        if self._is_neg(b) and self.value(self._nodes[b][1]) is not None:
            return self.div(self.number(1), self.power(a, self._nodes[b][1]))
        return self._new("**", a, b)

    def product(self, a: int, times: int) -> int:
        """a*a*...*a, by squares."""
        if times < 2:
            return a if times else self.number(1)
        half = self.product(a, times // 2)
        square = self.mul(half, half)
        return self.mul(square, a) if times % 2 else square

    def binary(self, symbol: str, a: int, b: int) -> int:
        """Apply a binary operator or a comparison."""
        rule = {
            "+": self.add, "-": self.sub, "*": self.mul, "/": self.div, "**": self.power,
        }.get(symbol)  # fmt: skip
        return rule(a, b) if rule is not None else self._new(symbol, a, b)

    def is_leaf(self, node: int) -> bool:
        """Whether a node is a name or a (possibly negative) number."""
        op, *args = self._nodes[node]
        return op in ("number", "name") or (op == "neg" and self.value(args[0]) is not None)

    def logic(self, symbol: str, *args: int) -> int:
        """Apply and, or, not."""
        return self._new(symbol, *args)

    def _is_neg(self, a: int) -> bool:
        return bool(self._nodes[a][0] == "neg")

    def _folded(self, symbol: str, a: int, b: int) -> int:
        left, right = self.value(a), self.value(b)
        if left is None or right is None or (symbol == "/" and right == 0):
            return self._new(symbol, a, b)
        return self.number(_ARITHMETIC[symbol](left, right))

    # --- from text ---

    def parse(self, code: str, known: Mapping[str, int] | None = None) -> int:
        """Read a Brian2 expression.

        Parameters
        ----------
        code : str
            The expression.
        known : mapping of str to int
            Nodes of names (subexpressions, moments of time) used in it.

        Raises
        ------
        UnsupportedError
            Syntax that Brian2 expressions do not have.
        """
        return self._read(ast.parse(code.strip(), mode="eval").body, known or {})

    def _read(self, tree: ast.expr, known: Mapping[str, int]) -> int:
        match tree:
            case ast.Constant(value=int() | float() as value):
                return self.number(value)
            case ast.Name(id=name):
                return known[name] if name in known else self.name(name)
            case ast.UnaryOp(op=op, operand=operand):
                return self._read_unary(op, self._read(operand, known))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                a, b = self._read(left, known), self._read(right, known)
                return self.binary(BINARY[type(op)], a, b)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARE:
                a, b = self._read(left, known), self._read(right, known)
                return self.binary(COMPARE[type(op)], a, b)
            case ast.BoolOp(op=op, values=values):
                symbol = "and" if isinstance(op, ast.And) else "or"
                return self.logic(symbol, *(self._read(v, known) for v in values))
            case ast.Call(func=ast.Name(id=function), args=args, keywords=[]):
                return self.call(function, *(self._read(a, known) for a in args))
        msg = f"cannot read {ast.unparse(tree)!r} in an equation"
        raise UnsupportedError(msg)

    def _read_unary(self, op: ast.unaryop, a: int) -> int:
        if isinstance(op, ast.USub):
            return self.neg(a)
        return self.logic("not", a) if isinstance(op, ast.Not) else a


def children(node: tuple[Any, ...]) -> tuple[int, ...]:
    """Give the nodes that an operation is made of."""
    op, *args = node
    if op in ("number", "name"):
        return ()
    return tuple(args[1:] if op == "call" else args)

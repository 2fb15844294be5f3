"""From nodes of a graph to Brian2 abstract code, each shared value computed once."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from cleo_like.engine.integrators.graph import BINARY, COMPARE, Graph, children

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_BINARY = {symbol: kind for kind, symbol in BINARY.items()}
_COMPARE = {symbol: kind for kind, symbol in COMPARE.items()}


def text(graph: Graph, node: int, names: Mapping[int, str] | None = None) -> str:
    """Write a node as a Brian2 expression.

    Parameters
    ----------
    graph : Graph
        Where the node lives.
    node : int
        The expression.
    names : mapping of int to str
        Nodes that have a name by now.
    """
    return ast.unparse(_tree(graph, node, names or {}))


def _tree(graph: Graph, node: int, names: Mapping[int, str]) -> ast.expr:
    if node in names:
        return ast.Name(names[node])
    op, *args = graph[node]
    if op == "number":
        return ast.Constant(args[0])
    if op == "name":
        return ast.Name(args[0])
    parts = [_tree(graph, a, names) for a in children(graph[node])]
    if op == "call":
        return ast.Call(ast.Name(args[0]), parts, [])
    if op in ("neg", "not"):
        return ast.UnaryOp(ast.USub() if op == "neg" else ast.Not(), parts[0])
    if op in ("and", "or"):
        return ast.BoolOp(ast.And() if op == "and" else ast.Or(), parts)
    if op in _COMPARE:
        return ast.Compare(parts[0], [_COMPARE[op]()], [parts[1]])  # type: ignore[list-item]
    return ast.BinOp(parts[0], _BINARY[op](), parts[1])  # type: ignore[arg-type]


_LARGEST_PRODUCT = 16


class Program:
    """Write statements, naming a value when it is needed for the second time.

    Parameters
    ----------
    graph : Graph
        Where the expressions live.
    roots : sequence of int
        All expressions that the program will assign.
    labels : mapping of int to str
        Nodes that the user named (subexpressions); they keep statements of their own.
    """

    def __init__(self, graph: Graph, roots: Sequence[int], labels: Mapping[int, str]) -> None:
        self.graph, self.labels = graph, labels
        self.lines: list[str] = []
        self._uses = _count_uses(graph, roots)
        self._names: dict[int, str] = {}
        self._taken: Counter[str | None] = Counter()

    def assign(self, target: str, node: int) -> None:
        """Write ``target = node`` and, before it, whatever that needs."""
        for part in _inner_first(self.graph, [node], self._names):
            shared = self._uses[part] > 1 or part in self.labels
            if shared and not self.graph.is_leaf(part) and part != node:
                self._give_name(part)
        self.lines.append(f"{target} = {text(self.graph, node, self._names)}")
        if not self.graph.is_leaf(node):
            self._names.setdefault(node, target)

    def write(self, line: str) -> None:
        """Write a statement as it is."""
        self.lines.append(line)

    def _give_name(self, node: int) -> None:
        label = self.labels.get(node)
        self._taken[label] += 1
        number = self._taken[label]
        name = f"_c{number}" if label is None else f"_s_{label}" + f"_{number}" * (number > 1)
        self.lines.append(f"{name} = {text(self.graph, node, self._names)}")
        self._names[node] = name


def _inner_first(graph: Graph, roots: Iterable[int], skip: Mapping[int, str]) -> list[int]:
    """List all nodes below (and with) the roots, each after the nodes that it is made of."""
    order: dict[int, None] = {}
    waiting = list(reversed(list(roots)))
    while waiting:  # a stack of its own: equations may nest deeper than Python's
        node = waiting[-1]
        missing = [c for c in children(graph[node]) if c not in order and c not in skip]
        if node in order or node in skip or not missing:
            waiting.pop()
            if node not in skip:
                order.setdefault(node)
        else:
            waiting += reversed(missing)
    return list(order)


def _count_uses(graph: Graph, roots: Sequence[int]) -> Counter[int]:
    uses = Counter(roots)
    for node in _inner_first(graph, roots, {}):
        uses.update(children(graph[node]))
    return uses


def lowered(graph: Graph, roots: Sequence[int]) -> dict[int, int]:
    """Write powers as products, and divide once by what several numerators are divided by.

    Parameters
    ----------
    graph : Graph
        Where the expressions live.
    roots : sequence of int
        Expressions.

    Returns
    -------
    dict of int to int
        For every node of the expressions one of the same value, with a*a*a for a**3 (whole
        powers up to 16) and a*(1/b) for a/b wherever b divides more than one a.
    """
    order = _inner_first(graph, roots, {})
    divisions = Counter(graph[n][2] for n in order if graph[n][0] == "/")
    new: dict[int, int] = {}
    for node in order:
        op, *args = graph[node]
        if op == "/" and divisions[args[1]] > 1:
            one_over = graph.div(graph.number(1), new[args[1]])
            new[node] = graph.mul(new[args[0]], one_over)
        else:
            new[node] = _rebuilt(graph, node, new)
    return new


def _rebuilt(graph: Graph, node: int, new: Mapping[int, int]) -> int:
    op, *args = graph[node]
    parts = [new[a] for a in children(graph[node])]
    if op in ("number", "name"):
        return node
    if op == "call":
        return graph.call(args[0], *parts)
    if op == "neg":
        return graph.neg(*parts)
    if op in ("and", "or", "not"):
        return graph.logic(op, *parts)
    if op == "**" and _is_small_whole(graph.value(parts[1])):
        return graph.product(parts[0], int(graph.value(parts[1]) or 0))
    return graph.binary(op, *parts)


def _is_small_whole(exponent: float | None) -> bool:
    if exponent is None:
        return False
    return float(exponent).is_integer() and exponent <= _LARGEST_PRODUCT

"""Derivatives and rewriting of expressions against multiple-precision numerical answers."""

import re

import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cleo_like.core import UnsupportedError
from cleo_like.engine.integrators.code import Program, lowered, text
from cleo_like.engine.integrators.derivative import Derivative
from cleo_like.engine.integrators.graph import Graph

mpmath.mp.dps = 60

SMOOTH = (
    "exp", "exprel", "expm1", "log", "log1p", "log10", "sqrt", "sin", "cos", "tan", "sinh",
    "cosh", "tanh", "arcsin", "arccos", "arctan",
)  # fmt: skip


def exprel(z):
    return mpmath.expm1(z) / z if z != 0 else mpmath.mpf(1)


def clip(x, low, high):
    return low if x <= low else high if x >= high else x


SCOPE = {name: getattr(mpmath, name) for name in SMOOTH if hasattr(mpmath, name)} | {
    "exprel": exprel,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan": mpmath.atan,
    "abs": abs,
    "sign": mpmath.sign,
    "int": lambda x: mpmath.mpf(int(x)),
    "floor": mpmath.floor,
    "clip": clip,
}
_FLOAT = re.compile(r"(?<![\w.])(\d+\.?\d*(?:e[+-]?\d+)?)")


def value(code: str, scope: dict):
    """Evaluate with 60 digits (literals too)."""
    exact = _FLOAT.sub(r"mpf('\1')", code)
    return eval(exact, {"__builtins__": {}, "mpf": mpmath.mpf}, SCOPE | scope)


def run(lines: list[str], scope: dict) -> dict:
    scope = dict(scope)
    for line in lines:
        name, _, code = line.partition(" = ")
        scope[name] = value(code, scope)
    return scope


def emitted(code: str, *, by: str | None) -> list[str]:
    """Statements that compute an expression, or its derivative."""
    graph = Graph(varying={"x"})
    node = graph.parse(code)
    root = Derivative(graph, by)(node) if by is not None else node
    root = lowered(graph, [root])[root]
    program = Program(graph, [root], {})
    program.assign("answer", root)
    return program.lines


numbers = st.sampled_from(["0", "1", "2", "3", "0.5", "0.7", "1.3", "-1", "-2", "-0.4"])
leaves = st.one_of(st.just("x"), st.just("x"), st.just("y"), numbers)


def larger(inner):
    pair = st.tuples(inner, st.sampled_from("+-*/"), inner)
    return st.one_of(
        pair.map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(st.sampled_from(SMOOTH), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(
            inner, st.sampled_from(["2", "3", "4", "-1", "-2", "0.5", "1.5", "y", "x"])
        ).map(lambda p: f"({p[0]})**({p[1]})"),
        inner.map(lambda a: f"-({a})"),
    )


expressions = st.recursive(leaves, larger, max_leaves=7)
# steps of a thousandth: the complex step needs a power at x = 1e-300 no more than we do
points = st.tuples(
    st.integers(-2000, 2000).map(lambda k: k / 1000),
    st.integers(100, 2000).map(lambda k: k / 1000),
)


def moderate(z) -> bool:
    return mpmath.isfinite(z) and abs(z) < 1e6


@settings(max_examples=400)
@given(expressions, points)
@example("1/(1 + exp(-(x + 2)/0.3))", (0.1, 1.0))
@example("1.3/exprel(-(x + 0.5)/0.7)", (-0.5, 1.0))  # in the hole of x/(exp(x) - 1)
@example("1.3/exprel(-(x + 0.5)/0.7)", (-0.500003, 1.0))
@example("(2 - x)**3*y*(x - 1)", (0.1, 1.0))
def test_derivative_equals_the_complex_step(code, point):
    assume(point[0] != 0 or "**" not in code)  # 0 is the branch point of a power: 0 / 0
    x, y = mpmath.mpf(point[0]), mpmath.mpf(point[1])
    h = mpmath.mpf(10) ** -25
    try:
        there = value(code, {"x": x + 1j * h, "y": y})
        expected = mpmath.im(there) / h
        # on the real axis, away from poles and branch cuts
        assume(moderate(there) and moderate(expected) and abs(mpmath.im(there)) < 1e-12)
        near = value(code, {"x": x * (1 + mpmath.mpf(10) ** -9), "y": y})
        assume(abs(near - there) < 1e-3)
        got = run(emitted(code, by="x"), {"x": x, "y": y})["answer"]
    except (ZeroDivisionError, OverflowError, ValueError):
        assume(False)
    assume(mpmath.im(got) == 0)
    # 1e-8: exprel' within 1e-5 of 0 is two terms of its series
    assert abs(got - expected) <= 1e-8 * (1 + abs(expected)), emitted(code, by="x")


@settings(max_examples=300)
@given(expressions, points)
def test_rewriting_keeps_the_value(code, point):
    scope = {"x": mpmath.mpf(point[0]), "y": mpmath.mpf(point[1])}
    try:
        expected = value(code, scope)
        got = run(emitted(code, by=None), scope)["answer"]
    except (ZeroDivisionError, OverflowError, ValueError):
        assume(False)
    assume(moderate(expected) and moderate(got))
    # literals that were folded carry the rounding of a float
    assert abs(got - expected) <= 1e-9 * (1 + abs(expected))


@pytest.mark.parametrize("function", SMOOTH)
@pytest.mark.parametrize("inner", ["0.6 + 0.3*x*y", "1/(1 + x**2)"])
def test_derivative_of_every_function(function, inner):
    scope = {"x": mpmath.mpf("0.7"), "y": mpmath.mpf("0.5")}
    code = f"y*{function}({inner})"
    step = mpmath.mpf(10) ** -25
    expected = mpmath.im(value(code, scope | {"x": scope["x"] + 1j * step})) / step
    got = run(emitted(code, by="x"), scope)["answer"]
    assert abs(got - expected) < 1e-14  # literals that were folded are floats


@pytest.mark.parametrize(
    ("code", "x", "expected"),
    [
        ("clip(x*x, 1, 9)", 2.0, 4.0),
        ("clip(x*x, 1, 9)", 0.5, 0.0),
        ("clip(x*x, 1, 9)", 3.5, 0.0),
        ("clip(2, x, 9)", 3.0, 1.0),
        ("clip(20, 1, x*x)", 3.0, 6.0),
        ("abs(x)*3", -2.0, -3.0),
        ("int(x > 1)*x", 2.0, 1.0),
        ("int(x > 1)*x", 0.5, 0.0),
        ("floor(x) + x % 2", 5.5, 1.0),
        ("int(x > 1 and not (x > 3))*x**2", 2.0, 4.0),
        ("y**3", 2.0, 0.0),
    ],
)
def test_functions_with_corners(code, x, expected):
    scope = {"x": mpmath.mpf(x), "y": mpmath.mpf(1)}
    assert float(run(emitted(code, by="x"), scope)["answer"]) == pytest.approx(
        expected, abs=1e-12
    )


def test_exprel_and_its_derivative_have_no_hole():
    for x in (0.0, 1e-12, -1e-7, 9.99e-6, 1.001e-5, 1e-3):
        lines = emitted("exprel(x)", by="x")
        got = float(run(lines, {"x": mpmath.mpf(x)})["answer"])
        assert got == pytest.approx(0.5 + x / 3 + x**2 / 8, abs=3e-10)


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("0*x + 1*y", "y"),
        ("x - 0", "x"),
        ("x + (-y)", "x - y"),
        ("-(-x)", "x"),
        ("-(x - y)", "y - x"),
        ("x/1", "x"),
        ("x/4", "x * 0.25"),
        ("(-x)*y", "-(x * y)"),
        ("x/(y*3)", "x * (1 / (y * 3))"),
        ("y/(2/x)", "y * (x * 0.5)"),
        ("x**1 + x**0", "x + 1"),
        ("2*3 - 7", "-1"),
    ],
)
def test_zeros_ones_and_signs_are_folded(code, written):
    graph = Graph(varying={"x"})
    assert text(graph, graph.parse(code)) == written


def test_a_shared_value_is_computed_once():
    lines = emitted("exp(x)*3 + 1/(1 + exp(x)) + x/(1 + exp(x))", by="x")
    assert "\n".join(lines).count("exp(") == 1
    assert "\n".join(lines).count("/") == 1


def test_a_long_chain_of_sharing_does_not_grow():
    graph = Graph(varying={"x"})
    known = {}
    for _ in range(60):  # pasted, this would be 2**60 terms
        before = known.get("a", graph.name("x"))
        known["a"] = graph.parse("exp(a*0.1)/(1 + a)", {"a": before})
    node = Derivative(graph, "x")(known["a"])
    root = lowered(graph, [node])[node]
    program = Program(graph, [root], {})
    program.assign("answer", root)
    assert len("\n".join(program.lines)) < 20_000


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("rate(x)", "cannot differentiate the function 'rate' by 'x'"),
        ("2 % x", "right side depends on 'x'"),
    ],
)
def test_what_cannot_be_differentiated_is_named(code, message):
    with pytest.raises(UnsupportedError, match=message):
        emitted(code, by="x")


def test_an_unknown_function_of_other_names_is_left_alone():
    assert emitted("x*rate(y)", by="x") == ["answer = rate(y)"]


@pytest.mark.parametrize("code", ["x if y else 2", "x.a", "f(x, k=2)", "1 < x < 2"])
def test_syntax_that_equations_do_not_have(code):
    with pytest.raises(UnsupportedError, match="cannot read"):
        Graph().parse(code)


def test_numbers_keep_their_kind():
    graph = Graph()
    assert np.array_equal(
        [graph.value(graph.parse(c)) for c in ("2", "2.5", "1e-5")], [2, 2.5, 1e-5]
    )
    assert text(graph, graph.parse("a//2")) == "a // 2"

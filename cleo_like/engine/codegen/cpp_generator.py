"""Brian2's C++ generator, with statements on local buffers that a compiler can vectorise.

Imported only when something is generated: Brian2 takes a second to import.
"""

# methods that take the place of Brian2's; imported inside functions

# ruff: noqa: D102, TID253  # methods that take the place of Brian2's; imported inside functions

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from brian2.codegen.codeobject import CodeObject
from brian2.codegen.generators.cpp_generator import CPPCodeGenerator, c_data_type
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.core.variables import ArrayVariable, AuxiliaryVariable, Constant
from brian2.input.timedarray import TimedArray
from brian2.parsing.bast import brian_ast
from brian2.parsing.rendering import CPPNodeRenderer

from cleo_like.engine.codegen.cpp_names import cpp_name
from cleo_like.engine.codegen.functions import EXACT, IN_C, NOISE, is_wide
from cleo_like.engine.codegen.network import NotCompilableError
from cleo_like.engine.codegen.step import Part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from brian2.codegen.statements import Statement
    from brian2.core.variables import Variable

_LARGEST_POWER = 16
_LOCAL_TYPES = {
    "double": "double",
    "char": "cl::flag",
    "int32_t": "int32_t",
    "int64_t": "int64_t",
}
_JUMPS = {"floor", "ceil", "int", "sign", "timestep"}
"""Functions that jump: one last place in their argument can change them by one."""


class Renderer(CPPNodeRenderer):
    """Expressions in C++ that a compiler can vectorise.

    Sums, products and quotients are rounded as numpy rounds them. `exp` and its relatives are
    the kernel's own (true to 1 part in 10^16) but where their value is compared or cut to a
    whole number: there they are those of the C library, as Brian2's are.
    """

    def __init__(self, generator: Generator) -> None:
        super().__init__(auto_vectorise=set())
        self.generator = generator
        self.exact = not generator.vector  # what is computed once for all neurons costs nothing

    @contextmanager
    def _exactly(self) -> Iterator[None]:
        before, self.exact = self.exact, True
        yield
        self.exact = before

    def render_Name(self, node: Any) -> str:  # noqa: N802
        """Write a variable's name as it is in the kernel."""
        return cpp_name(node.id)

    def render_Compare(self, node: ast.AST) -> str:  # noqa: N802
        """Write a comparison without shortcuts, which would move its border."""
        with self._exactly():
            return str(super().render_Compare(node))

    def render_BinOp(self, node: Any) -> str:  # noqa: N802
        """Write an operation of two; powers, remainders and divisions as Python has them."""
        kind = type(node.op).__name__
        left, right = node.left, node.right
        if kind == "Pow":
            return self._power(left, right)
        if kind in {"Mod", "FloorDiv"}:
            name = "cl::mod_" if kind == "Mod" else "cl::floordiv_"
            with self._exactly():
                return f"{name}({self.render_node(left)}, {self.render_node(right)})"
        if kind == "Div":
            over = self.render_element_parentheses(left)
            if type(right).__name__ == "Call" and right.func.id == "exprel" and not self.exact:
                return f"{over}*cl::over_exprel({self.render_node(right.args[0])})"
            return f"(double){over}/{self.render_element_parentheses(right)}"
        return str(super().render_BinOp(node))

    def _power(self, base: Any, exponent: Any) -> str:
        x = self.render_node(base)
        value = _number(exponent)
        if value == 0.5 and self.generator.vector:
            return f"sqrt({x})"
        if self.generator.vector and value in {-1.0, 0.0, 1.0, 2.0}:
            whole = f"cl::power_<{abs(int(value))}>({x})"
            return whole if value >= 0 else f"(1.0/{whole})"
        if value is None or self.exact:
            return f"pow({x}, {self.render_node(exponent)})"
        if value == int(value) and abs(value) <= _LARGEST_POWER:
            whole = f"cl::power_<{abs(int(value))}>({x})"
            return whole if value >= 0 else f"(1.0/{whole})"
        if type(base).__name__ == "Call" and base.func.id == "exp":
            # what is left of exp(v/(18*mV)) after sympy: exp(v/mV)**0.0556
            return f"cl::exp_({value!r}*({self.render_node(base.args[0])}))"
        return f"cl::pow_({x}, {value!r})"

    def render_Call(self, node: Any) -> str:  # noqa: N802
        """Write a call: noise and TimedArrays are looked up, functions called in C++."""
        name = node.func.id
        function = self.generator.variables[name]
        if name in NOISE and function is DEFAULT_FUNCTIONS[name]:
            return f"cl_noise_{self.generator.noise_site(name)}[_idx]"
        if isinstance(function, TimedArray):
            return self._timed(name, node)
        known = function is DEFAULT_FUNCTIONS.get(name)
        if known and name in _JUMPS:
            with self._exactly():
                arguments = [self.render_node(a) for a in node.args]
        else:
            arguments = [self.render_node(a) for a in node.args]
        if not known:
            return f"{self.generator.user_function(name)}({', '.join(arguments)})"
        names = EXACT if self.exact and name in EXACT else IN_C
        return f"{names[name]}({', '.join(arguments)})"

    def _timed(self, name: str, node: Any) -> str:
        with self._exactly():
            arguments = [self.render_node(a) for a in node.args]
        self.generator.timed[name] = len(arguments)
        first = node.args[0]
        if type(first).__name__ != "Name" or first.id != "t":
            return f"{cpp_name(name)}({', '.join(arguments)})"
        if len(arguments) == 1:
            return f"{cpp_name(name)}.now()"
        return self.generator.column(name, node.args[1], arguments[1])


class Generator(CPPCodeGenerator):
    """Brian2's C++ statements over local buffers; notes what they touch."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arrays: dict[str, str] = {}
        self.written: set[str] = set()
        self.constants: dict[str, str] = {}
        self.timed: dict[str, int] = {}
        self.noise: list[str] = []
        self.functions: set[str] = set()
        self.vector = False
        self.changed: set[str] = set()
        self.held: list[tuple[str, str, list[str]]] = []
        self.temporary: dict[str, Any] = {}

    @staticmethod
    def _type(dtype: Any) -> str:
        name = c_data_type(dtype)
        if name not in _LOCAL_TYPES:
            bits = "32-bit state variables" if name == "float" else f"variables of {name}"
            msg = f"{bits} are not compiled"
            raise NotCompilableError(msg)
        return _LOCAL_TYPES[name]

    def noise_site(self, name: str) -> int:
        """Count one more place that draws noise, and give its number."""
        self.noise.append(NOISE[name])
        return len(self.noise) - 1

    def column(self, name: str, node: ast.AST, index: str) -> str:
        """Look a 2-D TimedArray up; held between its samples if the index is constant."""
        calls = any(isinstance(n, ast.Call) for n in ast.walk(node))
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        found = [self.variables.get(n) for n in names]
        arrays = all(
            isinstance(v, ArrayVariable) and v.constant and not v.scalar for v in found
        )
        if calls or not (arrays and self.vector) or names & self.changed:
            return f"{cpp_name(name)}.at({index})"
        self.held.append((name, index, sorted(names)))
        for n in names:
            self._note(n)
        return f"cl_held_{len(self.held) - 1}[_idx]"

    def user_function(self, name: str) -> str:
        """Note that a function is used, and give its C++ name."""
        self.functions.add(name)
        return str(self.func_name_replacements.get(name, name))

    def translate_expression(self, expr: str) -> str:
        """Write an expression of Brian2 as C++."""
        return str(Renderer(self).render_expr(expr)).strip()

    def translate_statement(self, statement: Statement) -> str:
        """Write an assignment of Brian2 as C++."""
        self.vector = not statement.scalar
        value, kind = self.translate_expression(statement.expr), ""
        dtype = self._type(statement.dtype)
        if dtype == "cl::flag":
            value = f"({value}) != 0"
        elif dtype != "double":
            self._refuse_cut(statement)
        if statement.op == ":=":
            self.temporary[statement.var] = AuxiliaryVariable(
                statement.var, dtype=statement.dtype, scalar=statement.scalar
            )
            # whole numbers have the width of what they are made of, as in numpy
            kind = ("const " if statement.constant else "") + (
                dtype if dtype in {"double", "cl::flag"} else "auto"
            )
        op = "=" if statement.op == ":=" else statement.op
        return f"{kind} {cpp_name(statement.var)} {op} {value};".strip()

    def _refuse_cut(self, statement: Statement) -> None:
        """Brian2's targets cut to a whole number at different places: leave it to them."""
        known = dict(self.variables) | self.temporary
        if brian_ast(statement.expr, known).dtype == "float":
            msg = (
                f"the whole number {statement.var!r} is set to a number with a fraction "
                f"({statement.expr}); write int(...)"
            )
            raise NotCompilableError(msg)

    def translate_to_statements(self, statements: Any, conditional: Any) -> list[str]:
        """Write assignments in their order, each under its condition."""
        # Brian2 lets code write to a (constant) variable
        self.changed = {statement.var for statement in statements}
        lines = []
        for statement in statements:
            line = self.translate_statement(statement)
            if statement.var in conditional:
                line = f"if({cpp_name(conditional[statement.var])}) {line}"
            lines.append(line)
        return lines

    def _note(self, name: str) -> None:
        if self.variable_indices[name] != "_idx":
            msg = f"{name!r} is indexed by {self.variable_indices[name]!r}"
            raise NotCompilableError(msg)
        self.arrays[name] = c_data_type(self.variables[name].dtype)

    def translate_to_read_arrays(
        self, read: Collection[str], write: Collection[str], indices: Collection[str]
    ) -> list[str]:
        """Write what reads the arrays into variables of the loop."""
        lines = []
        for name in sorted(set(read) | set(indices)):
            var = self.variables[name]
            if var.scalar:
                continue  # a local of the same name
            self._note(name)
            const = "" if name in write else "const "
            kind = self._type(var.dtype)
            lines.append(f"{const}{kind} {cpp_name(name)} = cl_b_{name}[_idx];")
        return lines

    def translate_to_declarations(
        self, read: Collection[str], write: Collection[str], indices: Collection[str]
    ) -> list[str]:
        """Declare the variables that are written and not read."""
        names = sorted(set(write) - set(read) - set(indices))
        return [f"{self._type(self.variables[n].dtype)} {cpp_name(n)};" for n in names]

    def translate_to_write_arrays(self, write: Collection[str]) -> list[str]:
        """Write what puts changed values back into the arrays."""
        lines = []
        for name in sorted(write):
            if self.variables[name].scalar:
                msg = f"the shared variable {name!r} changes during the run"
                raise NotCompilableError(msg)
            self._note(name)
            self.written.add(name)
            lines.append(f"cl_b_{name}[_idx] = {cpp_name(name)};")
        return lines

    def determine_keywords(self) -> dict[str, Any]:
        """Note the constants; what Brian2 hands to its template is this generator."""
        for name, var in self.variables.items():
            if isinstance(var, Constant) or (isinstance(var, ArrayVariable) and var.scalar):
                self.constants[name] = self._constant_type(var)
        return {"generator": self}

    def _constant_type(self, var: Variable) -> str:
        """Type of a value of the namespace: a whole number does not widen others."""
        if isinstance(var, Constant) and is_wide(var.get_value()) is False:
            return "int32_t"
        return self._type(var.dtype)

    def support(self) -> str:
        """Text of the user's own C++ functions."""
        support: list[str] = []
        for name in sorted(self.functions):
            function = self.variables[name]
            found = function.implementations[self.codeobj_class]
            if found.get_namespace(self.owner):
                msg = f"the function {name}() reads arrays of its own"
                raise NotCompilableError(msg)
            _, _, code, _ = self._add_user_function(name, function, set())
            support += code
        return "\n".join(support)


class Template:
    """Takes the place of Brian2's text templates: keeps the pieces apart."""

    variables: frozenset[str] = frozenset()
    template_source = ""
    allows_scalar_write = True
    iterate_all = frozenset({"_idx"})

    def __call__(self, scalar: Any, vector: Any, **kwargs: Any) -> Part:
        made = kwargs["generator"]
        return Part(
            kind="", every=1, scalar=_text(scalar), vector=_text(vector),
            arrays=made.arrays, written=made.written, constants=made.constants,
            timed=made.timed, noise=made.noise, held=made.held, support=made.support(),
        )  # fmt: skip


class Templates:
    """All templates are the same one."""

    def __getattr__(self, name: str) -> Template:
        if name.startswith("__"):
            raise AttributeError(name)
        return Template()


class KernelCodeObject(CodeObject):
    """Holds a `Part`; never runs by itself."""

    class_name = "cleo_like_kernel"
    generator_class = Generator
    templater = Templates()

    def compile(self) -> None:
        """Nothing to do: the whole group is compiled in one piece."""

    def compile_block(self, block: str) -> None:
        """Nothing to do."""

    def run_block(self, block: str) -> None:
        """Nothing to do: never run by itself."""


for _name in NOISE:
    DEFAULT_FUNCTIONS[_name].implementations.add_implementation(KernelCodeObject, code=None)


def _text(code: Mapping[Any, Any]) -> str:
    found = code[None]
    return found if isinstance(found, str) else "\n".join(found)


def _number(node: Any) -> float | None:
    kind = type(node).__name__
    if kind == "UnaryOp" and type(node.op).__name__ == "USub":
        inner = _number(node.operand)
        return None if inner is None else -inner
    value = getattr(node, "value", None)
    if kind == "Constant" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return None

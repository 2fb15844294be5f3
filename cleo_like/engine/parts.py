"""Translate what happens in a step into C++ statements, with Brian2's own C++ generator."""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.engine.plan import NotCompilableError, recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cleo_like.engine.plan import GroupPlan, Step

# Brian2's function names in kernel.h or in C
_IN_C = {
    "exp": "cl::exp_", "expm1": "cl::expm1_", "exprel": "cl::exprel_", "tanh": "cl::tanh_",
    "sinh": "cl::sinh_", "cosh": "cl::cosh_", "abs": "cl::abs_", "sign": "cl::sign_",
    "clip": "cl::clip_", "timestep": "cl::timestep_", "int": "cl::int_", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "sin": "sin", "cos": "cos", "tan": "tan",
    "sqrt": "sqrt", "log": "cl::ln_", "log10": "log10", "log1p": "log1p", "ceil": "ceil",
    "floor": "floor",
}  # fmt: skip
_NOISE = {"rand": "uniform", "randn": "normal"}
_LARGEST_POWER = 16


@attrs.define(eq=False)
class Part:
    """One step in C++: statements on locals, and the arrays behind them.

    `held` are look-ups in 2-D TimedArrays whose column does not change: (TimedArray, index,
    arrays of the index).
    """

    kind: str
    every: int
    scalar: str
    vector: str
    arrays: dict[str, str]
    written: set[str]
    constants: dict[str, str]
    timed: dict[str, int]
    noise: list[str]
    held: list[tuple[str, str, list[str]]]
    support: str
    outputs: list[str] = attrs.field(factory=list)
    refractory: bool = False


def translate(
    plan: GroupPlan, step: Step, namespace: Mapping[str, Any], code_object: Any = None
) -> Part:
    """Translate one step, into C++ or into the language of another `code_object` class.

    Raises
    ------
    NotCompilableError
        The code uses something that has no C++ form here.
    """
    from brian2.codegen.codeobject import create_runner_codeobj

    runner, group = step.runner, plan.group
    outputs: list[str] = []
    if step.kind in {"record", "spikes"}:
        outputs = recorded(step)
        code = "\n".join(f"cl_out_{name} = {name}" for name in outputs)
        needed, user_code, additional = list(outputs), None, None
    else:
        runner.update_abstract_code(run_namespace=namespace)
        if runner.codeobj_class is not None:  # gsl makes one
            msg = f"{runner.name!r} brings generated code of its own"
            raise NotCompilableError(msg)
        code, user_code = runner.abstract_code, runner.user_code
        additional = getattr(runner, "variables", None)
        needed = [n for n in runner.needed_variables if not n.endswith("space")]
    built = create_runner_codeobj(
        group=group,
        code=code,
        user_code=user_code,
        template_name=step.kind,
        run_namespace=namespace,
        check_units=False if outputs else runner.check_units,
        needed_variables=needed,
        additional_variables=additional,
        override_conditional_write=getattr(runner, "override_conditional_write", None),
        codeobj_class=code_object if code_object is not None else brian2_classes().code_object,
    )
    part: Part = built.code
    part.kind, part.every, part.outputs = step.kind, step.every, outputs
    part.refractory = step.kind == "threshold" and group._refractory is not False  # noqa: SLF001
    return part


def all_parts(plan: GroupPlan, make: Callable[[Step], Part]) -> list[Part]:
    """Translate all steps that do something."""
    try:
        return [make(step) for step in plan.steps if _has_code(step)]
    except NotImplementedError as error:  # Brian2: a function without a C++ form
        raise NotCompilableError(str(error)) from error


def _has_code(step: Step) -> bool:
    """Whether there is anything to do; a state updater without equations has nothing."""
    runner = step.runner
    if type(runner).__name__ == "StateUpdater":
        group = runner.group
        return bool(group.equations.diff_eq_names) or group._refractory is not False  # noqa: SLF001
    return step.kind != "reset" or bool(runner.group.event_codes["spike"].strip())


@attrs.frozen
class Classes:
    """Subclasses of Brian2's own classes."""

    code_object: Any
    generator: Any


@functools.cache
def brian2_classes() -> Classes:  # noqa: C901  # classes made lazily: Brian2 is heavy
    """Make the classes on first use: importing Brian2 takes a second."""
    from brian2.codegen.codeobject import CodeObject
    from brian2.codegen.generators.cpp_generator import CPPCodeGenerator, c_data_type
    from brian2.core.functions import DEFAULT_FUNCTIONS
    from brian2.core.variables import ArrayVariable, Constant
    from brian2.input.timedarray import TimedArray
    from brian2.parsing.rendering import CPPNodeRenderer

    class Renderer(CPPNodeRenderer):
        """Expressions in C++ that a compiler can vectorise."""

        def __init__(self, generator: Any) -> None:
            super().__init__(auto_vectorise=set())
            self.generator = generator

        def render_BinOp(self, node: Any) -> str:  # noqa: N802
            kind = type(node.op).__name__
            left, right = node.left, node.right
            if kind == "Pow":
                return self._power(left, right)
            if kind in {"Mod", "FloorDiv"}:
                name = "cl::mod_" if kind == "Mod" else "cl::floordiv_"
                return f"{name}({self.render_node(left)}, {self.render_node(right)})"
            if kind == "Div":
                over = self.render_element_parentheses(left)
                if type(right).__name__ == "Call" and right.func.id == "exprel":
                    return f"{over}*cl::over_exprel({self.render_node(right.args[0])})"
                under = self.render_element_parentheses(right)
                if self.generator.is_fixed(right):
                    return f"{over}*{self.generator.reciprocal(under)}"
                return f"(double){over}/{under}"
            return str(super().render_BinOp(node))

        def _power(self, base: Any, exponent: Any) -> str:
            x = self.render_node(base)
            value = _number(exponent)
            if value is not None and value == int(value) and abs(value) <= _LARGEST_POWER:
                whole = f"cl::power_<{abs(int(value))}>({x})"
                return whole if value >= 0 else f"(1.0/{whole})"
            if value == 0.5:
                return f"sqrt({x})"
            if value is None:
                return f"pow({x}, {self.render_node(exponent)})"
            if type(base).__name__ == "Call" and base.func.id == "exp":
                # what is left of exp(v/(18*mV)) after sympy: exp(v/mV)**0.0556
                return f"cl::exp_({value!r}*({self.render_node(base.args[0])}))"
            return f"cl::pow_({x}, {value!r})"

        def render_Call(self, node: Any) -> str:  # noqa: N802
            name = node.func.id
            function = self.generator.variables[name]
            if name in _NOISE and function is DEFAULT_FUNCTIONS[name]:
                return f"cl_noise_{self.generator.noise_site(name)}[_idx]"
            arguments = [self.render_node(a) for a in node.args]
            if isinstance(function, TimedArray):
                return self._timed(name, node, arguments)
            if function is DEFAULT_FUNCTIONS.get(name):
                return f"{_IN_C[name]}({', '.join(arguments)})"
            return f"{self.generator.user_function(name)}({', '.join(arguments)})"

        def _timed(self, name: str, node: Any, arguments: list[str]) -> str:
            self.generator.timed[name] = len(arguments)
            first = node.args[0]
            if type(first).__name__ != "Name" or first.id != "t":
                return f"{name}({', '.join(arguments)})"
            if len(arguments) == 1:
                return f"{name}.now()"
            return self.generator.column(name, arguments[1])

    class Generator(CPPCodeGenerator):
        """Brian2's C++ statements over local buffers; notes what they touch."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.c_data_type = self._type
            self.arrays: dict[str, str] = {}
            self.written: set[str] = set()
            self.constants: dict[str, str] = {}
            self.timed: dict[str, int] = {}
            self.noise: list[str] = []
            self.functions: set[str] = set()
            self.reciprocals: dict[str, str] = {}
            self.vector = False
            self.changed: set[str] = set()
            self.held: list[tuple[str, str, list[str]]] = []

        @staticmethod
        def _type(dtype: Any) -> str:
            name = c_data_type(dtype)
            if name == "float":
                msg = "32-bit state variables are not compiled"
                raise NotCompilableError(msg)
            if name == "char":
                return "cl::flag"
            return "double" if name == "double" else "int64_t"

        def noise_site(self, name: str) -> int:
            self.noise.append(_NOISE[name])
            return len(self.noise) - 1

        def column(self, name: str, index: str) -> str:
            """Look a 2-D TimedArray up; held between its samples if the index is constant."""
            names = set(re.findall(r"(?<![\w.:])[A-Za-z_]\w*(?!\w|\(|::)", index))
            found = [self.variables.get(n) for n in names]
            arrays = all(
                isinstance(v, ArrayVariable) and v.constant and not v.scalar for v in found
            )
            if not (arrays and self.vector) or names & self.changed:
                return f"{name}.at({index})"
            self.held.append((name, index, sorted(names)))
            for n in names:
                self._note(n)
            return f"cl_held_{len(self.held) - 1}[_idx]"

        def is_fixed(self, node: Any) -> bool:
            """Whether a divisor is the same in every step (its inverse is then made once)."""
            names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
            variables = [self.variables.get(n.id) for n in names]
            return (
                self.vector
                and bool(names)
                and not any(isinstance(n, ast.Call) for n in ast.walk(node))
                and all(v is not None and (v.scalar or v.constant) for v in variables)
                and not any(n.id in {"t", "t_in_timesteps"} | self.changed for n in names)
            )

        def reciprocal(self, text: str) -> str:
            return self.reciprocals.setdefault(text, f"cl_inverse_{len(self.reciprocals)}")

        def translate_statement(self, statement: Any) -> str:
            self.vector = not statement.scalar
            return str(super().translate_statement(statement))

        def translate_to_statements(self, statements: Any, conditional: Any) -> list[str]:
            before = len(self.reciprocals)
            # Brian2 lets code write to a (constant) variable
            self.changed = {statement.var for statement in statements}
            lines = super().translate_to_statements(statements, conditional)
            new = list(self.reciprocals.items())[before:]
            return [*(f"const double {name} = 1.0/{text};" for text, name in new), *lines]

        def user_function(self, name: str) -> str:
            self.functions.add(name)
            return str(self.func_name_replacements.get(name, name))

        def translate_expression(self, expr: str) -> str:
            return str(Renderer(self).render_expr(expr)).strip()

        def _note(self, name: str) -> None:
            if self.variable_indices[name] != "_idx":
                msg = f"{name!r} is indexed by {self.variable_indices[name]!r}"
                raise NotCompilableError(msg)
            self.arrays[name] = c_data_type(self.variables[name].dtype)

        def translate_to_read_arrays(self, read: Any, write: Any, indices: Any) -> list[str]:
            lines = []
            for name in sorted(set(read) | set(indices)):
                var = self.variables[name]
                if var.scalar:
                    continue  # a local of the same name
                self._note(name)
                const = "" if name in write else "const "
                lines.append(f"{const}{self._type(var.dtype)} {name} = cl_b_{name}[_idx];")
            return lines

        def translate_to_write_arrays(self, write: Any) -> list[str]:
            lines = []
            for name in sorted(write):
                if self.variables[name].scalar:
                    msg = f"the shared variable {name!r} changes during the run"
                    raise NotCompilableError(msg)
                self._note(name)
                self.written.add(name)
                lines.append(f"cl_b_{name}[_idx] = {name};")
            return lines

        def determine_keywords(self) -> dict[str, Any]:
            for name, var in self.variables.items():
                if isinstance(var, Constant) or (isinstance(var, ArrayVariable) and var.scalar):
                    self.constants[name] = self._type(var.dtype)
            return {"generator": self}

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

    for name in _NOISE:
        DEFAULT_FUNCTIONS[name].implementations.add_implementation(KernelCodeObject, code=None)
    return Classes(KernelCodeObject, Generator)


def check_function(name: str, function: Any) -> None:
    """Refuse a function without a C++ form.

    Raises
    ------
    NotCompilableError
        Names it.
    """
    from brian2 import TimedArray
    from brian2.core.functions import DEFAULT_FUNCTIONS

    if isinstance(function, TimedArray):
        return
    if function is DEFAULT_FUNCTIONS.get(name):
        served = name in _IN_C or name in _NOISE
    else:
        served = bool(cpp_code(function))
    if not served:
        msg = f"the function {name}() has no compiled form"
        raise NotCompilableError(msg)


def cpp_code(function: Any) -> list[str]:
    """Give the C++ text of a user's function, [] without one."""
    return [
        str(found.get_code(None))
        for target, found in function.implementations.items()
        if str(getattr(target, "class_name", target)) == "cpp"
    ]


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

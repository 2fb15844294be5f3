"""From the plan of a group to its compiled kernel, generated once and then cached."""

from __future__ import annotations

import functools
import json
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import numpy as np

from cleo_like.engine import toolchain
from cleo_like.engine.brian2_internals import refractory_of
from cleo_like.engine.codegen.functions import check_function, cpp_code, is_wide
from cleo_like.engine.codegen.network import code_of
from cleo_like.engine.codegen.source import NARROW, WIDTH, Layout, layout_of, write
from cleo_like.engine.codegen.statements import all_parts
from cleo_like.engine.integrators.registry import METHODS

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable, Mapping

    from brian2 import NeuronGroup
    from brian2.groups.group import CodeRunner

    from cleo_like.engine.codegen.network import GroupPlan


class Tables(Protocol):
    """Tables of addresses and numbers that a kernel reads, as arrays."""

    @property
    def head(self) -> np.ndarray:
        """Numbers and addresses, in the order of the layout."""

    @property
    def constants(self) -> np.ndarray:
        """Addresses of what stays constant during a run."""

    @property
    def results(self) -> np.ndarray:
        """Where counts and spikes are written."""


@attrs.frozen(eq=False)
class Kernel:
    """A compiled time loop and the meaning of its arguments."""

    library: ctypes.CDLL
    layout: Layout
    source: str

    def bind(self, arguments: Tables) -> Callable[[], None]:
        """Give a function that runs one chunk of traces."""
        a = arguments
        return partial(
            self.library.cleo_kernel, a.head.ctypes.data, a.constants.ctypes.data,
            a.results.ctypes.data,
        )  # fmt: skip

    def bind_all(self, arguments: Tables, n_traces: int) -> Callable[[], None]:
        """Give a function that runs all traces, one chunk after the other."""
        a = arguments
        return partial(
            self.library.cleo_kernel_chunks, a.head.ctypes.data, a.constants.ctypes.data,
            a.results.ctypes.data, n_traces,
        )  # fmt: skip


def build(plan: GroupPlan, namespace: Mapping[str, Any], width: int = WIDTH) -> Kernel:
    """Compile the time loop of a group.

    Parameters
    ----------
    plan : GroupPlan
        What happens in each step.
    namespace : mapping
        Names that the equations may use.
    width : int
        Lanes of a chunk: `WIDTH`, or `NARROW` for a group that is called often (`width_of`).

    Returns
    -------
    Kernel
        To be bound to arrays.

    Raises
    ------
    NotCompilableError
        The code has no compiled form.
    toolchain.CompilerError
        There is no working C++ compiler.
    """
    from brian2.core.functions import Function

    for name, value in plan.externals.items():
        if isinstance(value, Function):
            check_function(name, value)
    name = toolchain.digest(f"{width}\n{_signature(plan, namespace)}", _generator()) + ".json"
    key = (name, toolchain.find_compiler(), toolchain.cache_folder())
    if key not in _built:
        layout, source = _kept(name) or _generated(name, plan, namespace, width)
        library = toolchain.load(toolchain.compile_source(source))
        _built[key] = _kernel(library, layout, source)
    return _built[key]


_built: dict[Any, Kernel] = {}
"""Kernels of this process, by source, compiler and cache."""


def _kept(name: str) -> tuple[Layout, str] | None:
    """Give a cached source; one that cannot be read is as good as none."""
    text = toolchain.kept_text(name)
    if text is None:
        return None
    try:
        found = json.loads(text)
        return Layout(**found["layout"]), found["source"]
    except (ValueError, KeyError, TypeError):
        return None


def width_of(plan: GroupPlan) -> int:
    """Give the lanes of a kernel that is called again and again for some steps of a group."""
    return NARROW if len(plan.group) <= NARROW else WIDTH


def _generated(
    name: str, plan: GroupPlan, namespace: Mapping[str, Any], width: int
) -> tuple[Layout, str]:
    layout, source = generate(plan, namespace, width)
    toolchain.keep_text(name, json.dumps({"source": source, "layout": attrs.asdict(layout)}))
    return layout, source


def generate(
    plan: GroupPlan, namespace: Mapping[str, Any], width: int = WIDTH
) -> tuple[Layout, str]:
    """Write the C++ source of a group's time loop, and say what its arguments are."""
    _check_as_brian2(plan.group, namespace)
    parts = all_parts(plan, namespace)
    layout = layout_of(parts, sorted(plan.group.equations.diff_eq_names), width)
    return layout, write(parts, layout)


def _check_as_brian2(group: NeuronGroup, namespace: Mapping[str, Any]) -> None:
    """Do the checks of Brian2's own run: units, and noise in subexpressions."""
    from brian2.equations.equations import check_subexpressions

    group.equations.check_units(group, run_namespace=namespace)
    check_subexpressions(group, group.equations, namespace)


def _kernel(library: ctypes.CDLL, layout: Layout, source: str) -> Kernel:
    import ctypes

    one, every = library.cleo_kernel, library.cleo_kernel_chunks
    one.argtypes = [ctypes.c_void_p] * 3
    every.argtypes = [*one.argtypes, ctypes.c_int64]
    one.restype = every.restype = None
    return Kernel(library, layout, source)


@functools.cache
def _generator() -> str:
    """Hash of everything that generates: a cached source is as old as its generator."""
    from importlib.metadata import version
    from pathlib import Path

    engine = Path(__file__).parents[1]
    files = sorted(engine.rglob("*.py"))
    return toolchain.digest(version("brian2"), *(f.read_text() for f in files))


def _signature(plan: GroupPlan, namespace: Mapping[str, Any]) -> str:
    """Everything that the source depends on; values of parameters are not part of it."""
    from brian2 import prefs

    group = plan.group
    used = (
        prefs.codegen.loop_invariant_optimisations,
        prefs.core.default_float_dtype,
        prefs.legacy.refractory_timing,
    )
    lines = [str(used)]
    for equation in sorted(group.equations.values(), key=lambda e: e.varname):
        kind = f"{equation.type} {equation.var_type} {equation.dim!r} {equation.flags}"
        lines.append(f"{equation.varname} = {equation.expr} : {kind}")
    for name, variable in sorted(group.variables.items()):
        lines.append(f"{name} {getattr(variable, 'dtype', '')} {variable.scalar}")
    for step in plan.steps:
        runner = step.runner
        extra = ""
        if type(runner).__name__ == "StateUpdater":
            extra = f"{_method(runner, namespace)} {_refractory(runner.group)}"
        elif step.kind in {"update", "reset"}:
            extra = str(getattr(runner, "override_conditional_write", None))
        lines.append(
            f"{step.kind} {step.every} {type(runner).__name__} {extra}\n{code_of(step)}"
        )
    lines += [f"{name}: {_kind(value)}" for name, value in sorted(plan.externals.items())]
    return "\n".join(lines)


def _refractory(group: NeuronGroup) -> str:
    """Describe refractoriness with all digits: its value is part of the source."""
    period = refractory_of(group)
    return f"{period!r} {np.asarray(period).tolist()!r} {getattr(period, 'dim', None)!r}"


_STOCK = {"linear", "exact", "independent", "exponential_euler", "euler", "rk2", "rk4",
          "milstein", "heun"}  # fmt: skip


def _method(runner: CodeRunner, namespace: Mapping[str, Any]) -> str:
    """Describe an integration method; one that is not known here by what it writes."""
    choice = runner.method_choice
    names = [choice] if isinstance(choice, str) else choice
    listed = names is None or isinstance(names, (list, tuple))
    if listed and all(x in _STOCK or x in METHODS for x in names or ()):
        return f"{choice} {runner.method_options}"
    runner.update_abstract_code(run_namespace=namespace)
    return str(runner.abstract_code)


def _kind(value: Any) -> str:
    """Describe a name of the namespace without its value."""
    from brian2 import TimedArray
    from brian2.core.functions import DEFAULT_FUNCTIONS, Function

    if isinstance(value, TimedArray):
        return f"TimedArray {value.values.ndim} {value.dim!r}"
    if isinstance(value, Function):
        if any(value is known for known in DEFAULT_FUNCTIONS.values()):
            return "function"
        return f"user function {value.stateless} {cpp_code(value)}"
    wide = is_wide(value.get_value())
    return f"{type(value).__name__} {value.dim!r} {value.dtype} {value.scalar} {wide}"

"""From the plan of a group to its compiled kernel, generated once and then cached."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.engine import toolchain
from cleo_like.engine.parts import check_function, cpp_code, translate
from cleo_like.engine.plan import NotCompilableError, code_of
from cleo_like.engine.source import Layout, layout_of, write

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Mapping

    from cleo_like.engine.plan import GroupPlan, Step


@attrs.frozen(eq=False)
class Kernel:
    """A compiled time loop and the meaning of its arguments.

    `function` runs one chunk of traces, `all_chunks` one chunk after the other.
    """

    function: Any
    all_chunks: Any
    layout: Layout
    source: str


def build(plan: GroupPlan, namespace: Mapping[str, Any]) -> Kernel:
    """Compile the time loop of a group.

    Parameters
    ----------
    plan : GroupPlan
        What happens in each step.
    namespace : mapping
        Names that the equations may use.

    Raises
    ------
    NotCompilableError
        The code has no compiled form.
    toolchain.CompilerError
        No compiler, or it failed.
    """
    from brian2.core.functions import Function

    for name, value in plan.externals.items():
        if isinstance(value, Function):
            check_function(name, value)
    name = toolchain.digest(_signature(plan), _generator_text()) + ".json"
    kept = toolchain.kept_text(name)
    if kept is not None:
        found = json.loads(kept)
        layout, source = Layout(**found["layout"]), found["source"]
    else:
        layout, source = generate(plan, namespace)
        text = json.dumps({"source": source, "layout": attrs.asdict(layout)})
        toolchain.keep_text(name, text)
    library = toolchain.load(toolchain.compile_source(source))
    return _kernel(library, layout, source)


def generate(plan: GroupPlan, namespace: Mapping[str, Any]) -> tuple[Layout, str]:
    """Write the C++ source of a group's time loop, and say what its arguments are."""
    plan.group.equations.check_units(plan.group, run_namespace=namespace)
    try:
        parts = [translate(plan, step, namespace) for step in plan.steps if _has_code(step)]
    except NotImplementedError as error:  # Brian2: a function without a C++ form
        raise NotCompilableError(str(error)) from error
    layout = layout_of(parts)
    states = sorted(plan.group.equations.diff_eq_names)
    return layout, write(parts, layout, states)


def _has_code(step: Step) -> bool:
    """Whether there is anything to do; a state updater without equations has nothing."""
    runner = step.runner
    if type(runner).__name__ == "StateUpdater":
        group = runner.group
        return bool(group.equations.diff_eq_names) or group._refractory is not False  # noqa: SLF001
    return step.kind != "reset" or bool(runner.group.event_codes["spike"].strip())


def _kernel(library: ctypes.CDLL, layout: Layout, source: str) -> Kernel:
    import ctypes

    one, every = library.cleo_kernel, library.cleo_kernel_chunks
    one.argtypes = [ctypes.c_void_p] * 3
    every.argtypes = [*one.argtypes, ctypes.c_int64]
    one.restype = every.restype = None
    return Kernel(one, every, layout, source)


@functools.cache
def _generator_text() -> str:
    """Text of everything that generates: a cached source is as old as its generator."""
    from importlib.metadata import version
    from pathlib import Path

    folder = Path(__file__).parent
    files = sorted([*folder.glob("*.py"), *folder.glob("updaters/*.py")])
    return "\0".join([version("brian2"), *(f.read_text() for f in files)])


def _signature(plan: GroupPlan) -> str:
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
    for step in plan.steps:
        runner = step.runner
        extra = ""
        if type(runner).__name__ == "StateUpdater":
            extra = f"{runner.method_choice} {runner.method_options}"
        elif step.kind in {"update", "reset"}:
            extra = str(getattr(runner, "override_conditional_write", None))
        lines.append(
            f"{step.kind} {step.every} {type(runner).__name__} {extra}\n{code_of(step)}"
        )
    lines += [f"{name}: {_kind(value)}" for name, value in sorted(plan.externals.items())]
    return "\n".join(lines)


def _kind(value: Any) -> str:
    """Describe a name of the namespace without its value."""
    from brian2 import TimedArray
    from brian2.core.functions import DEFAULT_FUNCTIONS, Function

    if isinstance(value, TimedArray):
        return f"TimedArray {value.values.ndim} {value.dim!r}"
    if isinstance(value, Function):
        if any(value is known for known in DEFAULT_FUNCTIONS.values()):
            return "function"
        return f"user function {cpp_code(value)}"
    return f"{type(value).__name__} {value.dim!r} {value.dtype} {value.scalar}"

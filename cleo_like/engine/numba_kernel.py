"""Compiled time loops without a C++ compiler: the same parts, rendered for numba."""

from __future__ import annotations

import functools
import importlib.util
import sys
import textwrap
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.engine import toolchain
from cleo_like.engine.parts import Part, all_parts, brian2_classes, translate
from cleo_like.engine.plan import NotCompilableError
from cleo_like.engine.source import CHECK_EVERY, Layout, layout_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cleo_like.engine.plan import GroupPlan
    from cleo_like.engine.program import Arguments

_SUPPORT = "from cleo_like.engine.numba_support import *"


@attrs.frozen(eq=False)
class NumbaKernel:
    """A time loop compiled by numba; stands in for `build.Kernel`."""

    function: Any
    layout: Layout
    source: str

    def bind(self, arguments: Arguments) -> Callable[[], None]:
        """Give a function that runs one chunk of traces."""
        a = arguments
        recorders = [array for recorder in a.recorders for array in recorder]
        buffers = [buffer for monitor in a.buffers for buffer in monitor]
        return partial(
            self.function, a.head, a.constants, a.results, *a.arrays, *a.timed, *recorders,
            *buffers,
        )  # fmt: skip

    def bind_all(self, arguments: Arguments, n_traces: int) -> Callable[[], None]:
        """Give a function that runs all traces; here a chunk may have any size."""
        arguments.head[:2] = 0, n_traces
        return self.bind(arguments)


def numba_is_there() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def build_with_numba(plan: GroupPlan, namespace: Mapping[str, Any]) -> NumbaKernel:
    """Compile the time loop of a group with numba.

    Raises
    ------
    NotCompilableError
        The code has no compiled form.
    """
    parts = all_parts(
        plan, lambda step: translate(plan, step, namespace, _python_code_object())
    )
    layout = layout_of(parts)
    source = write_python(parts, layout, sorted(plan.group.equations.diff_eq_names))
    return NumbaKernel(_compiled(source), layout, source)


@functools.cache
def _compiled(source: str) -> Any:
    """Import the source as a module, so that numba can cache what it compiles."""
    path = toolchain.writable_cache() / f"kernel_{toolchain.digest(source)}.py"
    if not path.exists():
        toolchain.keep_text(path.name, source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        msg = f"the generated module {path} cannot be imported"
        raise NotCompilableError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # numba's cache looks the module up by name
    spec.loader.exec_module(module)
    return module.kernel


@functools.cache
def _python_code_object() -> Any:  # noqa: C901  # classes made lazily: Brian2 is heavy
    from brian2.core.functions import DEFAULT_FUNCTIONS
    from brian2.input.timedarray import TimedArray
    from brian2.parsing.rendering import NodeRenderer

    base = brian2_classes()

    class Renderer(NodeRenderer):
        def __init__(self, generator: Any) -> None:
            super().__init__(auto_vectorise=set())
            self.generator = generator

        def render_Call(self, node: Any) -> str:  # noqa: N802
            name = node.func.id
            function = self.generator.variables[name]
            arguments = [self.render_node(a) for a in node.args]
            if isinstance(function, TimedArray):
                self.generator.timed[name] = len(arguments)
                inner = ", ".join([f"cl_timed_{name}", f"cl_scale_{name}", *arguments])
                return f"cl_timed_{len(arguments)}({inner})"
            if function is not DEFAULT_FUNCTIONS.get(name):
                msg = f"the C++ function {name}() needs a C++ compiler"
                raise NotCompilableError(msg)
            if name in {"rand", "randn"}:
                site = self.generator.noise_site(name)
                return f"cl_{name}(cl_seed, cl_traces + cl_j, cl_step, SITE + {site})"
            return f"brian_{name}({', '.join(arguments)})"

    class Generator(base.generator):  # type: ignore[name-defined]
        def translate_expression(self, expr: str) -> str:
            return str(Renderer(self).render_expr(expr)).strip()

        def translate_statement(self, statement: Any) -> str:
            op = "=" if statement.op == ":=" else statement.op
            return f"{statement.var} {op} {self.translate_expression(statement.expr)}"

        def translate_to_statements(self, statements: Any, conditional: Any) -> list[str]:
            return [
                f"if {conditional[s.var]}: {line}" if s.var in conditional else line
                for s in statements
                for line in [self.translate_statement(s)]
            ]

        def translate_to_read_arrays(self, read: Any, write: Any, indices: Any) -> list[str]:
            super().translate_to_read_arrays(read, write, indices)
            names = sorted(set(read) | set(indices))
            return [f"{n} = cl_g_{n}[cl_q]" for n in names if not self.variables[n].scalar]

        def translate_to_write_arrays(self, write: Any) -> list[str]:
            super().translate_to_write_arrays(write)
            return [f"cl_g_{n}[cl_q] = {n}" for n in sorted(write)]

        def translate_to_declarations(self, read: Any, write: Any, indices: Any) -> list[str]:
            del read, write, indices
            return []

    class NumbaCodeObject(base.code_object):  # type: ignore[name-defined]
        class_name = "cleo_like_numba"
        generator_class = Generator

    return NumbaCodeObject


def write_python(parts: list[Part], layout: Layout, states: list[str]) -> str:
    """Write the Python source of the time loop; see `source.write`."""
    arguments = ["cl_a", "cl_c", "cl_o", *(f"cl_g_{n}" for n, _ in layout.arrays)]
    arguments += [f"cl_timed_{n}" for n, _ in layout.timed]
    for k in range(len(layout.recorders)):
        arguments += [f"cl_to_{k}", f"cl_lane_{k}", f"cl_column_{k}"]
    for k, variables in enumerate(layout.spikes):
        arguments += [
            f"cl_trace_{k}",
            f"cl_at_{k}",
            *(f"cl_with_{k}_{n}" for n, _ in variables),
        ]
    writer = _Writer(layout)
    body = "\n".join([writer.part(part) for part in parts])
    full = " or ".join(f"cl_count_{k} + cl_n > cl_room" for k in range(len(layout.spikes)))
    return f"""{_SUPPORT}

@njit(nogil=True, error_model="numpy", cache=True)
def kernel({", ".join(arguments)}):
    cl_first, cl_n, cl_stop, cl_seed = cl_a[0], cl_a[1], cl_a[3], cl_a[4]
    cl_traces, cl_room = cl_a[5] + cl_a[0], cl_a[6]
{_indented(_values(layout))}
    cl_spiking, cl_spikes = np.zeros(cl_n, np.int64), 0
    cl_step = cl_a[2]
    while cl_step < cl_stop:
        if {full or "False"}:
            break
        t, t_in_timesteps = cl_step*dt, cl_step
{_indented(body, 2)}
{_indented(_check(states, layout), 2)}
        cl_step += 1
{_indented(_results(layout))}
    cl_o[0] = cl_step
"""


def _values(layout: Layout) -> str:
    lines = []
    for k, (name, kind) in enumerate(layout.constants):
        lines.append(f"{name} = cl_c[{k}]" if kind == "double" else f"{name} = int(cl_c[{k}])")
    for k, (name, _) in enumerate(layout.timed):
        at = len(layout.constants) + 2 * k
        lines.append(f"cl_scale_{name} = (cl_c[{at}], cl_c[{at + 1}])")
    lines += [f"cl_row_{k} = cl_o[{3 + k}]" for k in range(len(layout.recorders))]
    at = 3 + len(layout.recorders)
    return "\n".join(
        [*lines, *(f"cl_count_{k} = cl_o[{at + k}]" for k in range(len(layout.spikes)))]
    )


def _results(layout: Layout) -> str:
    at = 3 + len(layout.recorders)
    lines = [f"cl_o[{3 + k}] = cl_row_{k}" for k in range(len(layout.recorders))]
    return "\n".join(
        [*lines, *(f"cl_o[{at + k}] = cl_count_{k}" for k in range(len(layout.spikes)))]
    )


def _check(states: list[str], layout: Layout) -> str:
    known = [name for name, kind in layout.arrays if kind == "double" and name in states]
    if not known:
        return ""
    fine = " and ".join(f"abs(cl_g_{n}[cl_q]) <= 1e50" for n in known)
    due = f"cl_step % {CHECK_EVERY} == {CHECK_EVERY - 1} or cl_step + 1 == cl_stop"
    return f"""if cl_o[1] < 0 and ({due}):
    for cl_q in range(cl_first, cl_first + cl_n):
        if not ({fine}):
            cl_o[1], cl_o[2] = cl_q, cl_step
            break"""


@attrs.define
class _Writer:
    layout: Layout
    recorders: int = 0
    monitors: int = 0
    sites: int = 0

    def part(self, part: Part) -> str:
        vector = part.vector.replace("SITE", str(self.sites))
        self.sites += len(part.noise)
        inner = getattr(self, part.kind)(part, vector)
        return (
            f"if cl_step % {part.every} == 0:\n{_indented(inner)}" if part.every > 1 else inner
        )

    def update(self, part: Part, vector: str) -> str:
        return f"{part.scalar}\n{_EACH_TRACE}\n{_indented(vector)}"

    def threshold(self, part: Part, vector: str) -> str:
        hold = (
            ["cl_g_not_refractory[cl_q] = False", "cl_g_lastspike[cl_q] = t"]
            if part.refractory
            else []
        )
        spike = "\n".join(["cl_spiking[cl_spikes] = cl_j", "cl_spikes += 1", *hold])
        return (
            f"{part.scalar}\ncl_spikes = 0\n{_EACH_TRACE}\n"
            f"{_indented(vector)}\n    if _cond:\n{_indented(spike, 2)}"
        )

    def reset(self, part: Part, vector: str) -> str:
        return f"{part.scalar}\n{_EACH_SPIKE}\n{_indented(vector)}"

    def record(self, part: Part, vector: str) -> str:
        blocks = [part.scalar]
        for name in part.outputs:
            k = self.recorders
            self.recorders += 1
            blocks.append(
                f"for cl_s in range(len(cl_lane_{k})):\n    cl_j = cl_lane_{k}[cl_s]\n"
                f"    cl_q = cl_first + cl_j\n{_indented(vector)}\n"
                f"    cl_to_{k}[cl_row_{k}, cl_column_{k}[cl_s]] = cl_out_{name}\n"
                f"cl_row_{k} += 1"
            )
        return "\n".join(blocks)

    def spikes(self, part: Part, vector: str) -> str:
        k = self.monitors
        self.monitors += 1
        lines = [f"cl_trace_{k}[cl_count_{k}] = cl_q", f"cl_at_{k}[cl_count_{k}] = cl_step"]
        lines += [
            f"cl_with_{k}_{n}[cl_count_{k}] = cl_out_{n}" for n, _ in self.layout.spikes[k]
        ]
        keep = "\n".join([vector, *lines, f"cl_count_{k} += 1"])
        return f"{part.scalar}\n{_EACH_SPIKE}\n{_indented(keep)}"


_EACH_TRACE = "for cl_j in range(cl_n):\n    cl_q = cl_first + cl_j"
_EACH_SPIKE = (
    "for cl_s in range(cl_spikes):\n    cl_j = cl_spiking[cl_s]\n    cl_q = cl_first + cl_j"
)


def _indented(text: str, by: int = 1) -> str:
    return textwrap.indent(text.strip("\n"), "    " * by)

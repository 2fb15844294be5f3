"""Put the parts of a group's step into one C++ function with the time loop inside.

``cleo_kernel`` runs one chunk of neighbouring traces (lanes) over many steps, with the chunk's
variables in local buffers: they stay in the first-level cache, and the compiler sees that
they do not overlap. ``cleo_kernel_chunks`` does this for all chunks in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cleo_like.engine.codegen.cpp_names import cpp_name, names_in
from cleo_like.engine.codegen.invariants import fixed_lines, hoist

if TYPE_CHECKING:
    from cleo_like.engine.codegen.step import Part

WIDTH = 128
"""Lanes of a chunk."""
NARROW = 4
"""Lanes of a chunk of a kernel for so few traces: one vector, and buffers beside each other
(those of `WIDTH` lanes lie 1 KB apart, where they push each other out of the cache)."""
CHECK_EVERY = 32
"""Steps between two looks for values that are not finite."""
HEAD = 9
"""Leading arguments: first, n, start, stop, seed, offset of traces, room for spikes, who fired
last, whether to look for NaN at the start."""
OUTPUTS = 4
"""Leading results: next step, and trace, step and variable of what is not finite."""
RECORDER = 8
TIMED = 3


@attrs.frozen(kw_only=True)
class Layout:
    """What the arguments of a compiled kernel mean, by name.

    Attributes
    ----------
    arrays : list of (name, C type)
        Variables of the group.
    constants : list of (name, C type)
        Values passed by value; ``dt`` is always the first.
    timed : list of (name, dimensions)
        TimedArrays.
    recorders : list of str
        One per recorded variable of each StateMonitor, in the plan's order.
    spikes : list of (list of (name, C type))
        Recorded variables of each SpikeMonitor, in the plan's order.
    written : list of str
        Arrays that change.
    checked : list of str
        Arrays of numbers that must stay finite: the states first, then the others.
    n_states : int
        How many of them are states.
    width : int
        Lanes of a chunk.
    """

    arrays: list[list[str]]
    constants: list[list[str]]
    timed: list[list]
    recorders: list[str]
    spikes: list[list[list[str]]]
    written: list[str]
    checked: list[str]
    n_states: int
    width: int = WIDTH

    @property
    def timed_at(self) -> int:
        """Index of the first TimedArray argument."""
        return HEAD + len(self.arrays)

    @property
    def recorders_at(self) -> int:
        """Index of the first recorder argument."""
        return self.timed_at + TIMED * len(self.timed)

    @property
    def spikes_at(self) -> int:
        """Index of the first argument about spikes."""
        return self.recorders_at + RECORDER * len(self.recorders)

    @property
    def n_arguments(self) -> int:
        """Length of the argument array."""
        return self.spikes_at + sum(2 + len(variables) for variables in self.spikes)

    @property
    def n_outputs(self) -> int:
        """Length of the result array: the leading results, and the counters."""
        return OUTPUTS + len(self.recorders) + len(self.spikes)


def out_name(name: str) -> str:
    """Name of a recorded value in abstract code: Brian2 keeps leading underscores to itself."""
    return f"_out_{name}"


def layout_of(parts: list[Part], states: list[str], width: int = WIDTH) -> Layout:
    """Collect what all parts of a group need; `states` must stay finite."""
    arrays: dict[str, str] = {}
    timed: dict[str, int] = {}
    constants: dict[str, str] = {"dt": "double"}
    written: set[str] = set()
    for part in parts:
        arrays |= part.arrays
        timed |= part.timed
        written |= part.written
        used = names_in(part.scalar + "\n" + part.vector)
        constants |= {k: v for k, v in part.constants.items() if k in used and k not in _CLOCK}
        if part.refractory:
            arrays |= {"not_refractory": "char", "lastspike": "double"}
            written |= {"not_refractory", "lastspike"}
    kept = [name for name in states if arrays.get(name) == "double"]
    return Layout(
        arrays=[list(x) for x in sorted(arrays.items())],
        constants=[list(x) for x in constants.items()],
        timed=[list(x) for x in sorted(timed.items())],
        recorders=[name for p in parts if p.kind == "record" for name in p.outputs],
        spikes=[
            [[n, _output_type(p, n)] for n in p.outputs] for p in parts if p.kind == "spikes"
        ],
        written=sorted(written),
        checked=[
            *kept,
            *sorted(n for n, k in arrays.items() if k == "double" and n not in kept),
        ],
        n_states=len(kept),
        width=width,
    )


_CLOCK = {"t", "dt", "t_in_timesteps"}


def _output_type(part: Part, name: str) -> str:
    return part.arrays.get(name, "double")


def write(parts: list[Part], layout: Layout) -> str:
    """Write the C++ source.

    Parameters
    ----------
    parts : list of Part
        In the order in which they happen.
    layout : Layout
        Of the same parts.
    """
    writer = _Writer(layout)
    body = "\n".join(writer.all(parts))
    width = layout.width
    start = "\n".join(writer.start)
    support = "\n".join(dict.fromkeys(p.support for p in parts if p.support))
    return f"""#include "kernel.h"
{support}
extern "C" void cleo_kernel(const int64_t* cl_a, const double* cl_c, int64_t* cl_o) {{
const int64_t cl_first = cl_a[0], cl_n = cl_a[1], cl_stop = cl_a[3];
const int64_t cl_seed = cl_a[4], cl_traces = cl_a[5] + cl_first, cl_room = cl_a[6];
{_lanes(layout)}
int64_t cl_step = cl_a[2];
(void)cl_seed; (void)cl_traces; (void)cl_room;
{_declarations(layout, parts)}
{_fired(parts, "take")}
{_check_start(layout)}
{start}
for (; cl_step < cl_stop; ++cl_step) {{
{_room(layout)}
const double {_T} = (double)cl_step*{cpp_name("dt")};
const int64_t {_N_T} = cl_step;
(void){_T}; (void){_N_T};
{body}
{_check(layout)}
}}
{_stores(layout)}
{_fired(parts, "keep")}
cl_o[0] = cl_step;
}}
extern "C" void cleo_kernel_chunks(int64_t* a, const double* c, int64_t* o, int64_t total) {{
for (int64_t first = 0; first < total; first += {width}) {{
a[0] = first; a[1] = total - first < {width} ? total - first : {width};
cleo_kernel(a, c, o);
}}
}}
"""


_T, _N_T = cpp_name("t"), cpp_name("t_in_timesteps")
LANES = "CL_LANES for (int64_t _idx = 0; _idx < cl_lanes; ++_idx)"


def _lanes(layout: Layout) -> str:
    """Say how many lanes are computed: whole vectors; free lanes repeat the last."""
    if layout.width == NARROW:
        return f"constexpr int64_t cl_lanes = {NARROW};"
    return "const int64_t cl_lanes = 8*((cl_n + 7)/8);"


def _declarations(layout: Layout, parts: list[Part]) -> str:
    lines = []
    for k, (name, kind) in enumerate(layout.constants):
        lines.append(f"const {kind} {cpp_name(name)} = ({kind})cl_c[{k}];")
        lines.append(f"(void){cpp_name(name)};")
    for k, (name, kind) in enumerate(layout.arrays):
        local = _local(kind)
        lines.append(f"{kind}* cl_g_{name} = ({kind}*)cl_a[{HEAD + k}] + cl_first;")
        lines.append(f"alignas(64) {local} cl_b_{name}[{layout.width}];")
        lines.append(f"cl::load(cl_g_{name}, cl_b_{name}, cl_n, cl_lanes);")
    at = layout.timed_at
    for k, (name, _) in enumerate(layout.timed):
        q, w = at + TIMED * k, len(layout.constants) + 2 * k
        lines.append(
            f"cl::Timed {cpp_name(name)} = {{(const double*)cl_a[{q}], cl_a[{q + 1}], "
            f"cl_a[{q + 2}], cl_c[{w}], cl_c[{w + 1}], nullptr}};"
        )
    for k in range(len(layout.recorders)):
        lines.append(
            f"static thread_local cl::Recorder<{layout.width}> cl_r_{k}; "
            f"cl_r_{k}.open(cl_a + {layout.recorders_at + RECORDER * k}, cl_o[{OUTPUTS + k}]);"
        )
    for k in range(len(layout.spikes)):
        lines.append(f"int64_t cl_count_{k} = cl_o[{OUTPUTS + len(layout.recorders) + k}];")
    if any(p.kind in _SPIKING for p in parts):
        lines.append(f"alignas(64) cl::flag cl_above[{layout.width}];")
        lines.append(f"int64_t cl_spiking[{layout.width}], cl_spikes = 0;")
    sites = max((len(p.noise) for p in parts), default=0)
    lines += [f"alignas(64) double cl_noise_{k}[{layout.width}];" for k in range(sites)]
    return "\n".join(lines)


def _local(kind: str) -> str:
    return "cl::flag" if kind == "char" else kind


def _room(layout: Layout) -> str:
    """Stop before a step whose spikes might not fit; the caller empties the buffer."""
    if not layout.spikes:
        return ""
    full = " || ".join(f"cl_count_{k} + cl_n > cl_room" for k in range(len(layout.spikes)))
    return f"if ({full}) break;"


_SPIKING = {"threshold", "reset", "spikes"}


def _fired(parts: list[Part], what: str) -> str:
    """Take who fired in the step before the first one, and keep who fired in the last."""
    if not any(p.kind in _SPIKING for p in parts):
        return ""
    if what == "keep":
        return "cl::keep_fired(cl_fired, cl_n, cl_spiking, cl_spikes);"
    return (
        "int8_t* const cl_fired = (int8_t*)cl_a[7] + cl_first;\n"
        "cl_spikes = cl::take_fired(cl_fired, cl_n, cl_spiking);"
    )


def _look(layout: Layout, number: int, test: str) -> str:
    name = layout.checked[number]
    return (
        f"if (cl_o[1] < 0) {{ const int64_t lane = cl::{test}(cl_b_{name}, cl_n); "
        f"if (lane < cl_n) {{ cl_o[1] = cl_first + lane; cl_o[2] = cl_step; "
        f"cl_o[3] = {number}; }} }}"
    )


def _check_start(layout: Layout) -> str:
    """Look for NaN in what may have been written from outside."""
    looks = "\n".join(_look(layout, k, "first_nan") for k in range(len(layout.checked)))
    return f"if (cl_a[8]) {{\n{looks}\n}}" if looks else ""


def _check(layout: Layout) -> str:
    if not layout.n_states:
        return ""
    looks = "\n".join(_look(layout, k, "first_lost") for k in range(layout.n_states))
    due = f"cl_step % {CHECK_EVERY} == {CHECK_EVERY - 1} || cl_step + 1 == cl_stop"
    return f"if ({due}) {{\n{looks}\n}}"


def _stores(layout: Layout) -> str:
    lines = [f"cl::store(cl_b_{name}, cl_g_{name}, cl_n);" for name in layout.written]
    for k in range(len(layout.recorders)):
        lines.append(f"cl_r_{k}.flush(); cl_o[{OUTPUTS + k}] = cl_r_{k}.written;")
    for k in range(len(layout.spikes)):
        lines.append(f"cl_o[{OUTPUTS + len(layout.recorders) + k}] = cl_count_{k};")
    return "\n".join(lines)


@attrs.define
class _Writer:
    """Writes parts in order; counts recorders, spike monitors and noise sites."""

    layout: Layout
    recorders: int = 0
    monitors: int = 0
    sites: int = 0
    moved: int = 0
    holds: int = 0
    start: list[str] = attrs.field(factory=list)

    def all(self, parts: list[Part]) -> list[str]:
        """Write parts in order; a threshold shares the loop of the update before it."""
        written, k = [], 0
        while k < len(parts):
            pair = parts[k : k + 2]
            if [p.kind for p in pair] == ["update", "threshold"] and _one_loop(*pair):
                written.append(
                    f"{{ // update, threshold\n{self.update_and_threshold(*pair)}\n}}"
                )
                k += 2
            else:
                written.append(self.part(parts[k]))
                k += 1
        return written

    def part(self, part: Part) -> str:
        inner = getattr(self, part.kind)(part)
        when = "" if part.every == 1 else f"if (cl_step % {part.every} == 0) "
        return f"{when}{{ // {part.kind}\n{inner}\n}}"

    def _before(self, part: Part) -> str:
        """TimedArrays looked up and noise drawn, once for all lanes."""
        lines = [f"{cpp_name(name)}.seek({_T});" for name in sorted(part.timed)]
        lines += [self._hold(k, part, *held) for k, held in enumerate(part.held)]
        for k, kind in enumerate(part.noise):
            lines.append(
                f"cl::fill_{kind}(cl_noise_{k}, cl_lanes, (uint64_t)cl_seed, cl_traces, "
                f"cl_step, {self.sites});"
            )
            self.sites += 1
        return "\n".join([*lines, part.scalar])

    def _hold(self, site: int, part: Part, name: str, index: str, arrays: list[str]) -> str:
        """Look a column up again when the TimedArray has come to another sample."""
        buffer = f"cl_hold_{self.holds}"
        self.holds += 1
        self.start.append(
            f"alignas(64) double {buffer}[{self.layout.width}]; "
            f"const double* {buffer}_row = nullptr;"
        )
        part.vector = part.vector.replace(f"cl_held_{site}[_idx]", f"{buffer}[_idx]")
        reads = " ".join(f"const auto {cpp_name(n)} = cl_b_{n}[_idx];" for n in arrays)
        array = cpp_name(name)
        if set(arrays) & set(self.layout.written):  # the column may change: look it up anew
            return f"{LANES} {{ {reads} {buffer}[_idx] = {array}.at({index}); }}"
        self.start.append(
            f"alignas(64) int64_t {buffer}_at[{self.layout.width}]; int64_t {buffer}_out = 0;\n"
            f"{LANES} {{ {reads} const int64_t cl_i = {index}; "
            f"{buffer}_at[_idx] = {array}.column(cl_i); "
            f"{buffer}_out |= {buffer}_at[_idx] != cl_i; }}"
        )
        return (
            f"if ({buffer}_row != {array}.row) {{ {buffer}_row = {array}.row;\n"
            f"{LANES} {buffer}[_idx] = {array}.row[{buffer}_at[_idx]];\n"
            f"if ({buffer}_out) {LANES} {{ {reads} {buffer}[_idx] = {array}.at({index}); }} }}"
        )

    def update(self, part: Part) -> str:
        before, vector = self._update(part)
        return f"{before}\n{LANES} {{\n{vector}\n}}"

    def _update(self, part: Part) -> tuple[str, str]:
        constants = {name for name, _ in self.layout.constants}
        arrays = {name for name, _ in self.layout.arrays} - set(self.layout.written)
        before = self._before(part)
        scalar, fixed = fixed_lines(part.scalar, constants)
        vector, moved = hoist(part.vector, fixed, arrays, self.moved)
        names = [line.split("[")[0] for line in moved if line.startswith("cl_kept_")]
        self.moved += len(names)
        if names:
            self.start += [f"alignas(64) double {name}[{self.layout.width}];" for name in names]
            self.start.append("{\n" + "\n".join([*scalar, LANES, "{", *moved, "}\n}"]))
        return before, vector

    def threshold(self, part: Part) -> str:
        before = self._before(part)  # first: it says where look-ups are held
        return _thresholded(before, f"{part.vector}\n{_ABOVE}", part)

    def update_and_threshold(self, update: Part, threshold: Part) -> str:
        before, vector = self._update(update)
        inner = f"{{\n{vector}\n}}\n{{\n{threshold.scalar}\n{threshold.vector}\n{_ABOVE}\n}}"
        return _thresholded(before, inner, threshold)

    def reset(self, part: Part) -> str:
        return f"""if (cl_spikes) {{
{self._before(part)}
for (int64_t cl_s = 0; cl_s < cl_spikes; ++cl_s) {{ const int64_t _idx = cl_spiking[cl_s];
{part.vector}
}}
}}"""

    def record(self, part: Part) -> str:
        blocks = [self._before(part)]
        for name in part.outputs:
            k = self.recorders
            self.recorders += 1
            value = cpp_name(out_name(name))
            # whole numbers of 64 bits leave as they are: a double holds 53 of them
            wide = part.arrays.get(name) == "int64_t"
            value = f"cl::from_bits({value})" if wide else f"(double){value}"
            blocks.append(f"""{{ double* cl_row = cl_r_{k}.next();
if (cl_r_{k}.all) {LANES} {{
{part.vector}
cl_row[_idx] = {value};
}} else for (int64_t cl_s = 0; cl_s < cl_r_{k}.n; ++cl_s) {{
const int64_t _idx = cl_r_{k}.lane[cl_s];
{part.vector}
cl_row[cl_s] = {value};
}} }}""")
        return "\n".join(blocks)

    def spikes(self, part: Part) -> str:
        k = self.monitors
        self.monitors += 1
        at = self.layout.spikes_at + sum(2 + len(v) for v in self.layout.spikes[:k])
        lines = [
            f"((int32_t*)cl_a[{at}])[cl_count_{k}] = (int32_t)(cl_first + _idx);",
            f"((int64_t*)cl_a[{at + 1}])[cl_count_{k}] = cl_step;",
        ]
        lines += [
            f"(({kind}*)cl_a[{at + 2 + v}])[cl_count_{k}] = ({kind}){cpp_name(out_name(name))};"
            for v, (name, kind) in enumerate(self.layout.spikes[k])
        ]
        write_out = "\n".join([*lines, f"++cl_count_{k};"])
        return f"""if (cl_spikes) {{
{self._before(part)}
for (int64_t cl_s = 0; cl_s < cl_spikes; ++cl_s) {{ const int64_t _idx = cl_spiking[cl_s];
{part.vector}
{write_out}
}}
}}"""


_COND = cpp_name("_cond")
_ABOVE = f"cl_above[_idx] = {_COND}; cl_any |= {_COND};"


def _one_loop(update: Part, threshold: Part) -> bool:
    """Whether a threshold can be looked at in the loop that updates the state."""
    own = threshold.timed or threshold.noise or threshold.held
    return update.every == threshold.every == 1 and not own


def _thresholded(before: str, inner: str, part: Part) -> str:
    hold = (
        f"cl_b_not_refractory[cl_q] = 0; cl_b_lastspike[cl_q] = {_T};"
        if part.refractory
        else ""
    )
    return f"""{before}
int64_t cl_any = 0; cl_spikes = 0;
{LANES} {{
{inner}
}}
if (cl_any) for (int64_t cl_q = 0; cl_q < cl_n; ++cl_q)
if (cl_above[cl_q]) {{ cl_spiking[cl_spikes++] = cl_q; {hold} }}"""

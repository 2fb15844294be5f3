"""Move out of the time loop what depends on a trace's constants only (``1/C``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cleo_like.engine.codegen.cpp_names import cpp_name, names_in
from cleo_like.engine.codegen.functions import EXACT, IN_C

if TYPE_CHECKING:
    from collections.abc import Collection

_DECLARED = re.compile(r"const (double|int32_t|int64_t|auto) cl_n_(\w+) = (.*);")
_CALLED = re.compile(r"([A-Za-z_][\w:.]*)(?:<\d+>)?\(")
_PURE = {*IN_C.values(), *EXACT.values(), "pow", "cl::power_", "cl::pow_", "cl::mod_",
         "cl::floordiv_", "cl::over_exprel"}  # fmt: skip


def fixed_lines(scalar: str, constants: Collection[str]) -> tuple[list[str], set[str]]:
    r"""Give the scalar statements that never change, and all names that never do.

    Examples
    --------
    >>> text = "const double cl_n_a = 2*cl_n_tau;\nconst double cl_n_b = cl_n_a*cl_n_t;"
    >>> lines, names = fixed_lines(text, {"tau"})
    >>> lines, sorted(names)
    (['const double cl_n_a = 2*cl_n_tau;'], ['a', 'tau'])
    """
    lines, fixed = [], set(constants)
    for line in scalar.splitlines():
        found = _DECLARED.fullmatch(line.strip())
        if found and _depends_on(found[3], fixed):
            fixed.add(found[2])
            lines.append(line)
    return lines, fixed


def hoist(
    vector: str, fixed: Collection[str], arrays: Collection[str], first: int = 0
) -> tuple[str, list[str]]:
    r"""Split vector statements into those of every step and those of the start.

    Parameters
    ----------
    vector : str
        C++ statements of one lane.
    fixed : collection of str
        Scalars that never change.
    arrays : collection of str
        Arrays that no part writes.
    first : int
        Number of the first moved expression.

    Returns
    -------
    str
        The statements, with ``cl_kept_0[_idx]``, ``cl_kept_1[_idx]`` for moved expressions.
    list of str
        The statements of the start: declarations of arrays, and of what was moved.

    Examples
    --------
    >>> text = "const double cl_n_C = cl_b_C[_idx];\nconst double cl_n_r = 1.0/cl_n_C;\nx;"
    >>> print(*hoist(text, set(), {"C"}), sep=chr(10))
    const double cl_n_C = cl_b_C[_idx];
    const double cl_n_r = cl_kept_0[_idx];
    x;
    ['const double cl_n_C = cl_b_C[_idx];', 'const double cl_n_r = 1.0/cl_n_C;', 'cl_kept_0[_idx] = cl_n_r;']
    """  # noqa: E501
    known, kept, moved, number = set(fixed), [], [], first
    for line in vector.splitlines():
        found = _DECLARED.fullmatch(line.strip())
        if found is None:
            kept.append(line)
            continue
        kind, name, text = found.groups()
        if name in arrays and text == f"cl_b_{name}[_idx]":
            known.add(name)
            kept.append(line)
            moved.append(line)
        elif kind == "double" and _depends_on(text, known) and ("/" in text or "(" in text):
            known.add(name)
            moved += [line, f"cl_kept_{number}[_idx] = {cpp_name(name)};"]
            kept.append(f"const double {cpp_name(name)} = cl_kept_{number}[_idx];")
            number += 1
        else:
            kept.append(line)
    return "\n".join(kept), moved if number > first else []


def _depends_on(expression: str, names: Collection[str]) -> bool:
    """Whether an expression is made of `names` only, without noise or functions of the user."""
    return (
        names_in(expression) <= set(names)
        and "[_idx]" not in expression
        and set(_CALLED.findall(expression)) <= _PURE
    )

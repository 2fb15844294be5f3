"""Move out of the time loop what depends on a trace's constants only (``1/C``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_DECLARED = re.compile(r"const double (\w+) = (.*);")
_NAME = re.compile(r"(?<![\w.:])[A-Za-z_]\w*(?!\w|\()(?!::)")
_CALLABLE = {"cl", "double", "sqrt", "pow", "sin", "cos", "tan", "log", "log10", "log1p"}


def fixed_lines(scalar: str, constants: Collection[str]) -> tuple[list[str], set[str]]:
    r"""Give the scalar statements that never change, and all names that never do.

    Examples
    --------
    >>> lines, names = fixed_lines("const double a = 2*tau;\nconst double b = a*t;", {"tau"})
    >>> lines, sorted(names)
    (['const double a = 2*tau;'], ['a', 'tau'])
    """
    lines, fixed = [], set(constants)
    for line in scalar.splitlines():
        found = _DECLARED.fullmatch(line.strip())
        if found and _names(found[2]) <= fixed:
            fixed.add(found[1])
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
    >>> text = "const double C = cl_b_C[_idx];\nconst double r = 1.0/C;\nv += r*I;"
    >>> print(*hoist(text, set(), {"C"}), sep=chr(10))
    const double C = cl_b_C[_idx];
    const double r = cl_kept_0[_idx];
    v += r*I;
    ['const double C = cl_b_C[_idx];', 'const double r = 1.0/C;', 'cl_kept_0[_idx] = r;']
    """
    known, kept, moved, number = set(fixed), [], [], first
    for line in vector.splitlines():
        found = _DECLARED.fullmatch(line.strip())
        if found is None:
            kept.append(line)
        elif found[1] in arrays and found[2] == f"cl_b_{found[1]}[_idx]":
            known.add(found[1])
            kept.append(line)
            moved.append(line)
        elif _names(found[2]) <= known and ("/" in found[2] or "(" in found[2]):
            known.add(found[1])
            moved += [line, f"cl_kept_{number}[_idx] = {found[1]};"]
            kept.append(f"const double {found[1]} = cl_kept_{number}[_idx];")
            number += 1
        else:
            kept.append(line)
    return "\n".join(kept), moved if number > first else []


def _names(expression: str) -> set[str]:
    return set(_NAME.findall(expression)) - _CALLABLE

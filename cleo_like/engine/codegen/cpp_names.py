"""Names of Brian2 in generated C++.

Every name of a model gets a prefix: a variable may be called `I`, `NULL`, `int`, `errno`, `pow`
or `M_PI`, which are macros, keywords or functions of C.
"""

from __future__ import annotations

import re

_PREFIX = "cl_n_"
_PREFIXED = re.compile(rf"\b{_PREFIX}(\w+)")


def cpp_name(name: str) -> str:
    """Name of a variable in C++.

    Examples
    --------
    >>> cpp_name("NULL")
    'cl_n_NULL'
    """
    return _PREFIX + name


def names_in(text: str) -> set[str]:
    """Names of the model that a C++ text uses.

    Examples
    --------
    >>> sorted(names_in("const double cl_n_a = 2*cl_n_tau + cl::exp_(cl_b_x[_idx]);"))
    ['a', 'tau']
    """
    return set(_PREFIXED.findall(text))

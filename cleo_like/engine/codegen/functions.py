"""Which functions the compiled loop knows, and what they are called in C++."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.engine.codegen.network import NotCompilableError

if TYPE_CHECKING:
    from brian2.core.functions import Function

IN_C = {
    "exp": "cl::exp_", "expm1": "cl::expm1_", "exprel": "cl::exprel_", "tanh": "cl::tanh_",
    "sinh": "cl::sinh_", "cosh": "cl::cosh_", "abs": "cl::abs_", "sign": "cl::sign_",
    "clip": "cl::clip_", "timestep": "cl::timestep_", "int": "cl::int_", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "sin": "sin", "cos": "cos", "tan": "tan",
    "sqrt": "sqrt", "log": "cl::ln_", "log10": "log10", "log1p": "log1p", "ceil": "ceil",
    "floor": "floor",
}  # fmt: skip
"""Brian2's functions in kernel.h or in C."""
EXACT = {name: name for name in ("exp", "expm1", "tanh", "sinh", "cosh", "log")}
"""Those of C, where one last place matters more than speed."""
NOISE = {"rand": "uniform", "randn": "normal"}


def check_function(name: str, function: Function) -> None:
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
        served = name in IN_C or name in NOISE
    else:
        served = bool(cpp_code(function)) and not name.startswith("cl_")
    if not served:
        msg = f"the function {name}() has no compiled form"
        raise NotCompilableError(msg)


def cpp_code(function: Function) -> list[str]:
    """Give the C++ text of a user's function, [] without one."""
    return [
        str(found.get_code(None))
        for target, found in function.implementations.items()
        if str(getattr(target, "class_name", target)) == "cpp"
    ]


def is_wide(value: object) -> bool | None:
    """Whether a whole number needs 64 bits; None for what is no whole number.

    Examples
    --------
    >>> is_wide(7), is_wide(2**31), is_wide(0.5)
    (False, True, None)
    """
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return not -(2**31) <= value < 2**31

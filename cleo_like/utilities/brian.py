"""Names and variables of Brian2 groups."""

from __future__ import annotations

import re
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import InputError, UnsupportedError

if TYPE_CHECKING:
    from brian2 import NeuronGroup


def import_brian2() -> None:
    """Import Brian2 in any thread.

    Brian2 takes over Ctrl-C when it is imported, which Python grants to the main thread only;
    the workers of Dask run their tasks in others. There it stays with whoever has it.
    """
    if "brian2" in sys.modules or threading.current_thread() is threading.main_thread():
        import brian2

        return
    own = signal.signal
    signal.signal = lambda *_: None
    try:
        import brian2  # noqa: F401
    finally:
        signal.signal = own


def brian_safe_name(name: str) -> str:
    """Make a name that Brian2 accepts.

    Examples
    --------
    >>> brian_safe_name("left eye, 920 nm")
    'left_eye__920_nm'
    """
    return re.sub(r"\W", "_", name)


def modify_model_with_eqs(neuron_group: NeuronGroup, eqs_to_add: Any) -> None:
    """Add parameters and subexpressions to a group that exists.

    Parameters
    ----------
    neuron_group : brian2.NeuronGroup
        The group.
    eqs_to_add : str or brian2.Equations
        Such as ``"w : volt"`` or ``"twice = 2*v : volt"``. A variable that is there already,
        of the same unit, stays as it is.

    Raises
    ------
    UnsupportedError
        A differential equation: Brian2 has made the group's integration by then.
    InputError
        A variable of that name has another unit.

    Examples
    --------
    >>> from brian2 import NeuronGroup, mV
    >>> cells = NeuronGroup(2, "v : volt")
    >>> modify_model_with_eqs(cells, "w : volt")
    >>> cells.w = 3 * mV
    >>> cells.w[:]
    array([3., 3.]) * mvolt
    """
    from brian2 import Equations

    equations = eqs_to_add if isinstance(eqs_to_add, Equations) else Equations(eqs_to_add)
    for name, equation in equations.items():
        known = neuron_group.variables.get(name)
        if known is not None:
            if known.dim is not equation.dim:
                msg = f"{neuron_group.name} has a variable {name!r} in {known.unit} already"
                raise InputError(msg)
            continue
        _add(neuron_group, name, equation)


def _add(group: NeuronGroup, name: str, equation: Any) -> None:
    shared = "shared" in equation.flags
    if equation.type == "parameter":
        group.variables.add_array(
            name,
            size=1 if shared else len(group),
            dimensions=equation.dim,
            dtype=bool if equation.var_type == "boolean" else None,
            constant="constant" in equation.flags,
            scalar=shared,
            index="0" if shared else None,
        )
    elif equation.type == "subexpression":
        group.variables.add_subexpression(
            name, dimensions=equation.dim, expr=equation.expr.code, scalar=shared,
            index="0" if shared else None,
        )  # fmt: skip
    else:
        msg = (
            f"{name!r} is a differential equation, which cannot be added to {group.name}: it "
            f"would not be integrated; write it in the model"
        )
        raise UnsupportedError(msg)

"""Which updater suits given equations, and why."""

from __future__ import annotations

from typing import Any

import attrs

from cleo_like.core.errors import UnsupportedError
from cleo_like.engine.updaters.exponential import halves_of, staggered_statements


@attrs.frozen(kw_only=True)
class Choice:
    """A method of integration and the reason for it.

    Attributes
    ----------
    method : str
        Name for ``NeuronGroup(method=...)``; `register` makes the package's own ones known.
    reason : str
        One sentence.
    """

    method: str
    reason: str


def choose(equations: Any, *, conductance_based: bool = True) -> Choice:
    r"""Choose the method that reaches a given accuracy at the least cost.

    Parameters
    ----------
    equations : brian2.Equations
        The model.
    conductance_based : bool
        Whether spikes come from the equations; False for a threshold with a reset.

    Returns
    -------
    Choice
        staggered where the states can take turns, else shared_rk4; heun with noise terms.

    Examples
    --------
    >>> from brian2 import Equations
    >>> choose(Equations("dv/dt = -v/ms : 1\ndw/dt = (v - w)/ms : 1"))
    Choice(method='staggered', reason='v takes turns with w: second order')
    >>> choose(Equations("dv/dt = -v/ms + xi*ms**-0.5 : 1")).method
    'heun'
    """
    if equations.is_stochastic:
        return Choice(method="heun", reason="the equations have noise terms (xi)")
    if not conductance_based:
        return Choice(
            method="shared_rk4",
            reason="a reset moves states that would be half a step apart",
        )
    try:
        first, second = halves_of(equations)
        staggered_statements(equations)
    except UnsupportedError as error:
        return Choice(method="shared_rk4", reason=str(error))
    if not second:
        reason = f"{', '.join(first)}: one exponential step each"
    else:
        reason = f"{', '.join(first)} takes turns with {', '.join(second)}: second order"
    return Choice(method="staggered", reason=reason)

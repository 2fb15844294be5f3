"""Which updater suits given equations, at which step, and why.

The rules come from the tables of the guide (benchmarks/bench_accuracy.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cleo_like.core.errors import UnsupportedError, unknown_name
from cleo_like.engine.integrators.exponential import halves_of, staggered_statements

if TYPE_CHECKING:
    from brian2 import Equations

AIMS = ("times", "counts")


@attrs.frozen(kw_only=True)
class Choice:
    """A method of integration, its longest step, and the reason.

    Attributes
    ----------
    method : str
        Name for ``NeuronGroup(method=...)``; `register` makes the package's own ones known.
    dt : float
        Longest step (s) at which the library's cells of this kind reach the aim.
    reason : str
        One sentence.
    """

    method: str
    dt: float
    reason: str


def choose(
    equations: Equations, *, conductance_based: bool = True, aim: str = "times"
) -> Choice:
    r"""Choose the method that reaches a given accuracy at the least cost.

    Parameters
    ----------
    equations : brian2.Equations
        The model.
    conductance_based : bool
        Whether spikes come from the equations; False for a threshold with a reset.
    aim : str
        "times": spike times true to 0.1 ms per second; "counts": numbers of spikes true to
        about half a percent, at a quarter of the cost, where the states can take turns.

    Returns
    -------
    Choice
        Method, longest step and the reason.

    Raises
    ------
    UnknownNameError
        There is no such aim.

    Examples
    --------
    >>> from brian2 import Equations
    >>> equations = Equations("dv/dt = -v*n/ms : 1\ndn/dt = (v - n)/ms : 1")
    >>> choose(equations).method
    'shared_rk4'
    >>> choose(equations, aim="counts")
    Choice(method='staggered', dt=5e-05, reason='v takes turns with n: second order')
    >>> choose(Equations("dv/dt = -v/ms + xi*ms**-0.5 : 1")).method
    'heun'
    """
    if aim not in AIMS:
        raise unknown_name("aim", aim, AIMS)
    if equations.is_stochastic:
        return Choice(method="heun", dt=10e-6, reason="the equations have noise terms (xi)")
    if not conductance_based:
        reason = "a reset on the grid of steps limits every method: the cheapest robust one"
        return Choice(method="rush_larsen", dt=10e-6, reason=reason)
    if aim == "times":
        reason = "fourth order: spike times need it"
        return Choice(method="shared_rk4", dt=25e-6, reason=reason)
    try:
        first, second = halves_of(equations)
        staggered_statements(equations)
    except UnsupportedError as error:
        return Choice(method="shared_rk4", dt=50e-6, reason=str(error))
    reason = f"{', '.join(first)}: an exponential step each"
    if second:
        reason = f"{', '.join(first)} takes turns with {', '.join(second)}: second order"
    return Choice(method="staggered", dt=50e-6, reason=reason)

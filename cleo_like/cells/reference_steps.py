"""Known answers to long steps: sag at a stated potential, onset of depolarisation block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells.dynamics import Dynamics
from cleo_like.cells.library import as_model
from cleo_like.cells.reference_properties import rheobase
from cleo_like.core.arrays import with_unit
from cleo_like.core.errors import InputError
from cleo_like.core.units import si

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.cells.model import CellModel
    from cleo_like.core.units import Quantity

_FINAL = 0.06  # of the step: its end, over which the final potential is averaged
_POINTS = 4000
_CLOSE = 1e-14  # A
_TRIES = 60
_GROWTH = 1.25  # of the current from trial to trial, until the cell is blocked


@attrs.frozen(kw_only=True)
class Sag:
    """Answer of a cell to a hyperpolarising step (SI).

    Parameters
    ----------
    current : float
        Step (A) that reaches the potential.
    peak, steady, rest : float
        Lowest potential of the step, mean of its end, and potential before it (V).
    """

    current: float = attrs.field(converter=with_unit("A"))
    peak: float = attrs.field(converter=with_unit("V"))
    steady: float = attrs.field(converter=with_unit("V"))
    rest: float = attrs.field(converter=with_unit("V"))

    @property
    def ratio(self) -> float:
        """(peak - steady) / (peak - rest): 0 without sag, 1 when all is lost."""
        return (self.peak - self.steady) / (self.peak - self.rest)


def sag_at(
    model: CellModel | str,
    potential: Quantity,
    duration: Quantity = "1 s",
    *,
    parameters: Mapping[str, Any] | None = None,
) -> Sag:
    """Find the sag of a step from rest whose lowest potential is a stated one.

    The equations are integrated with LSODA (relative tolerance 1e-8); the current is found by
    Brent's method to 0.01 pA.

    Parameters
    ----------
    model : CellModel or str
        The neuron, or the name of a library cell.
    potential : quantity
        Lowest potential of the step, below rest.
    duration : quantity
        Length of the step (default 1 s).
    parameters : mapping, optional
        Values that replace those of the model.

    Returns
    -------
    Sag
        Current, potentials and ratio.

    Raises
    ------
    InputError
        No stable rest, a potential that is not below it, or one that no current reaches.

    Examples
    --------
    >>> from cleo_like.cells import get_cell
    >>> abs(round(sag_at(get_cell("passive"), "-90 mV").ratio, 3))
    0.0
    """
    from scipy.optimize import brentq

    model = as_model(model)
    goal, seconds = si(potential, "V", "potential"), si(duration, "s", "duration")
    dynamics, values, start = _at_rest(model, parameters)
    rest = float(start[dynamics.v])
    if not goal < rest:
        msg = (
            f"potential must be below the rest of {model.name} at {rest * 1e3:.1f} mV, got "
            f"{goal * 1e3:.1f} mV"
        )
        raise InputError(msg)

    def above(current: float) -> float:
        return float(_course(dynamics, start, current, seconds, values).min()) - goal

    strongest = -1e-12
    for _ in range(_TRIES):
        if above(strongest) <= 0:
            break
        strongest *= 2
    else:
        msg = f"no current brings {model.name} to {goal * 1e3:.1f} mV"
        raise InputError(msg)
    current = float(brentq(above, strongest, 0.0, xtol=_CLOSE))
    v = _course(dynamics, start, current, seconds, values)
    steady = float(v[-round(_FINAL * v.size) :].mean())
    return Sag(current=current, peak=float(v.min()), steady=steady, rest=rest)


def block_onset(
    model: CellModel | str,
    duration: Quantity = "1 s",
    *,
    maximum: Quantity = "5 nA",
    resolution: Quantity = "5 pA",
    parameters: Mapping[str, Any] | None = None,
) -> float:
    """Find the least current above rheobase at which a cell falls silent during the step.

    Blocked is a cell that crosses its spike level no more in the last half of the step,
    though it did so at a lower current. Where firing stops and comes back with current, it
    is the first stop that a search in steps of a quarter meets.

    Parameters
    ----------
    model : CellModel or str
        The neuron, or the name of a library cell.
    duration : quantity
        Length of the step (default 1 s).
    maximum : quantity
        Where the search ends.
    resolution : quantity
        Width of the last interval; its upper end is returned.
    parameters : mapping, optional
        Values that replace those of the model.

    Returns
    -------
    float
        Current (A), which carries its unit; NaN where the cell does not fire, or is not blocked
        up to `maximum`.

    Examples
    --------
    >>> from cleo_like.cells import get_cell
    >>> bool(np.isnan(block_onset(get_cell("passive"), "20 ms", maximum="10 pA")))
    True
    """
    model, ampere = as_model(model), with_unit("A")
    most, width = si(maximum, "A", "maximum"), si(resolution, "A", "resolution")
    if width <= 0 or most <= 0:
        msg = f"maximum and resolution must be positive, got {most} A and {width} A"
        raise InputError(msg)
    seconds = si(duration, "s", "duration")
    first = rheobase(
        model, duration, maximum=maximum, resolution=resolution, parameters=parameters
    )
    if np.isnan(first):
        return ampere(np.nan)
    dynamics, values, start = _at_rest(model, parameters)
    level = float(model.level(values))

    def lasts(current: float) -> bool:
        v = _course(dynamics, start, current, seconds, values)
        late = v[v.size // 2 :]
        return bool(((late[:-1] < level) & (late[1:] >= level)).any())

    low, high, fired = first, max(first, width), False
    while high <= most:
        if lasts(high):
            low, fired = high, True
        elif fired:
            break
        high *= _GROWTH
    else:
        return ampere(np.nan)
    while high - low > width:
        middle = (low + high) / 2
        low, high = (middle, high) if lasts(middle) else (low, middle)
    return ampere(high)


def _at_rest(
    model: CellModel, parameters: Mapping[str, Any] | None
) -> tuple[Dynamics, Mapping[str, Any], np.ndarray]:
    dynamics = Dynamics(model)
    values = model.values(parameters)
    rest = dynamics.rest(0.0, values)[:, 0]
    if np.isnan(rest).any():
        msg = f"{model.name} has no stable rest to step from"
        raise InputError(msg)
    return dynamics, values, rest


def _course(
    dynamics: Dynamics,
    start: np.ndarray,
    current: float,
    duration: float,
    parameters: Mapping[str, Any],
) -> np.ndarray:
    """Potential (V) at equally spaced times of a step; spikes are not reset."""
    from scipy.integrate import solve_ivp

    def rates(_time: float, x: np.ndarray) -> np.ndarray:
        return dynamics.rates(x[:, np.newaxis], current, parameters)[:, 0]

    count = max(_POINTS, round(duration / 1e-4))  # a spike lasts a millisecond
    times = np.linspace(0.0, duration, count)
    found = solve_ivp(
        rates, (0.0, duration), start, method="LSODA", t_eval=times, rtol=1e-8, atol=1e-9
    )
    return np.asarray(found.y[dynamics.v])

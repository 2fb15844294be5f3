"""Known answers of a model, computed from its equations and never typed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells.dynamics import Dynamics, solve_each
from cleo_like.cells.library import as_model
from cleo_like.core.arrays import with_unit
from cleo_like.core.errors import InputError
from cleo_like.core.units import si

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

    from cleo_like.cells.model import CellModel
    from cleo_like.core.units import Quantity


@attrs.frozen(kw_only=True)
class KnownAnswers:
    """What a perfect measurement of a cell would give: numbers in SI that carry their unit.

    Parameters
    ----------
    resting_potential : float
        Potential at rest without current (V); NaN where the cell fires by itself.
    input_resistance : float
        Slope of the steady V-I curve at rest (ohm): the impedance at 0 Hz. With an Ih or
        an adaptation conductance it is below `membrane_resistance`.
    membrane_resistance : float
        Inverse of the slope conductance at rest with all slower states held (ohm).
    capacitance : float
        Current divided by the initial slope of the potential (F); NaN, as membrane resistance
        and time constant, where the current enters another compartment than the recorded one.
    time_constant : float
        capacitance * membrane_resistance (s): what an exponential fitted to the first
        part of a small step converges to.
    """

    resting_potential: float = attrs.field(converter=with_unit("V"))
    input_resistance: float = attrs.field(converter=with_unit("ohm"))
    membrane_resistance: float = attrs.field(converter=with_unit("ohm"))
    capacitance: float = attrs.field(converter=with_unit("F"))
    time_constant: float = attrs.field(converter=with_unit("s"))

    def __repr__(self) -> str:
        """One line in mV, MOhm, pF and ms."""
        return (
            f"KnownAnswers(rest {self.resting_potential * 1e3:.2f} mV, "
            f"input resistance {self.input_resistance / 1e6:.1f} MOhm, "
            f"membrane resistance {self.membrane_resistance / 1e6:.1f} MOhm, "
            f"capacitance {self.capacitance * 1e12:.1f} pF, "
            f"time constant {self.time_constant * 1e3:.2f} ms)"
        )


def known_answers(
    model: CellModel | str, parameters: Mapping[str, Any] | None = None
) -> KnownAnswers:
    """Compute rest and small-signal answers from the linearised equations.

    Parameters
    ----------
    model : CellModel or str
        The neuron, or the name of a library cell.
    parameters : mapping, optional
        Values that replace those of the model: quantities, or numbers in SI.

    Returns
    -------
    KnownAnswers
        All NaN where the cell has no stable rest.

    Examples
    --------
    >>> from cleo_like.cells import get_cell
    >>> known_answers(get_cell("passive"))  # doctest: +NORMALIZE_WHITESPACE
    KnownAnswers(rest -70.00 mV, input resistance 200.0 MOhm, membrane resistance 200.0 MOhm,
    capacitance 100.0 pF, time constant 20.00 ms)
    """
    model = as_model(model)
    dynamics = Dynamics(model)
    values = model.values(parameters)
    found = answers_at_rest(dynamics, dynamics.rest(0.0, values), values)
    return KnownAnswers(**{name: float(value[0]) for name, value in found.items()})


def answers_at_rest(
    dynamics: Dynamics, rest: Float[np.ndarray, "states cells"], parameters: Mapping[str, Any]
) -> dict[str, Float[np.ndarray, "cells"]]:
    """Give the fields of `KnownAnswers` for many cells at once.

    Parameters
    ----------
    dynamics : Dynamics
        Compiled equations.
    rest : array, shape (states, cells)
        State at rest without current; NaN columns give NaN answers.
    parameters : mapping
        Values or arrays of shape (cells,) (SI).
    """
    v, step = dynamics.v, 1e-12
    up, down = (dynamics.rates(rest, sign * step, parameters) for sign in (1, -1))
    drive = (up - down) / (2 * step)
    jacobian = dynamics.jacobian(rest, 0.0, parameters)
    # a current that enters elsewhere (a pipette) charges no membrane at the recorded place
    charged = np.where(drive[v] == 0, np.nan, drive[v])
    capacitance, decay = 1 / charged, -jacobian[:, v, v]
    return {
        "resting_potential": rest[v],
        "input_resistance": solve_each(-jacobian, drive)[v],
        "membrane_resistance": 1 / (decay * capacitance),
        "capacitance": capacitance,
        "time_constant": np.where(np.isnan(capacitance), np.nan, 1 / decay),
    }


def rheobase(
    model: CellModel | str,
    duration: Quantity = "1 s",
    *,
    maximum: Quantity = "2 nA",
    resolution: Quantity = "0.1 pA",
    parameters: Mapping[str, Any] | None = None,
) -> float:
    """Find the smallest current step from rest that evokes a spike, by bisection.

    Each trial integrates the equations with LSODA (relative tolerance 1e-8) until the
    spike level is crossed or the step ends, so the answer owes nothing to the integrator
    that recordings are made with.

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
        Values that replace those of the model: quantities, or numbers in SI.

    Returns
    -------
    float
        Rheobase (A), which carries its unit: ``long_square([rheobase("rs")])`` takes it. NaN
        when no step up to `maximum` evokes a spike, 0 when the cell fires within `duration`
        without any. A cell without a stable rest starts from the model's initial values.

    Examples
    --------
    >>> from cleo_like.cells import get_cell
    >>> bool(np.isnan(rheobase(get_cell("passive"), maximum="20 pA", duration="50 ms")))
    True
    """
    model, ampere = as_model(model), with_unit("A")
    seconds = si(duration, "s", "duration")
    high, width = si(maximum, "A", "maximum"), si(resolution, "A", "resolution")
    if width <= 0 or high <= 0:
        msg = f"maximum and resolution must be positive, got {high} A and {width} A"
        raise InputError(msg)
    dynamics = Dynamics(model)
    values = model.values(parameters)
    x = dynamics.rest(0.0, values)
    if np.isnan(x).any():
        x = dynamics.start(values, 1)
        if _spikes(dynamics, x[:, 0], 0.0, seconds, values):
            return ampere(0.0)
    if not _spikes(dynamics, x[:, 0], high, seconds, values):
        return ampere(np.nan)
    low = 0.0
    while high - low > width:
        middle = (low + high) / 2
        if _spikes(dynamics, x[:, 0], middle, seconds, values):
            high = middle
        else:
            low = middle
    return ampere(high)


def _spikes(
    dynamics: Dynamics,
    start: np.ndarray,
    current: float,
    duration: float,
    parameters: Mapping[str, Any],
) -> bool:
    from scipy.integrate import solve_ivp

    level = float(dynamics.model.level(parameters))

    def rates(_time: float, x: np.ndarray) -> np.ndarray:
        return dynamics.rates(x[:, np.newaxis], current, parameters)[:, 0]

    def crossing(_time: float, x: np.ndarray) -> float:
        return float(x[dynamics.v] - level)

    crossing.terminal = True  # type: ignore[attr-defined]
    crossing.direction = 1  # type: ignore[attr-defined]
    scale = np.where(np.arange(len(start)) == dynamics.v, 1e-7, 1e-9)
    scale = np.where(np.abs(start) < 1e-8, np.minimum(scale, 1e-16), scale)
    solution = solve_ivp(
        rates, (0.0, duration), start, method="LSODA", events=crossing, rtol=1e-8, atol=scale
    )
    return bool(solution.status == 1)  # ended by the event

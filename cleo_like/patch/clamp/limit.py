"""How large a conductance a dynamic clamp can add before its own delay makes it ring."""

from __future__ import annotations

from math import exp, floor
from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.units import si

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity


def largest_conductance(
    resistance: Quantity,
    capacitance: Quantity,
    *,
    period: Quantity = "50 us",
    latency: Quantity = "0 s",
) -> float:
    """Find the largest leak that a dynamic clamp can add to a passive cell and stay stable.

    The loop samples V every `period` T and holds -gV from a latency later on. With the
    latency d ticks and a part f of one, and a = exp(-T/tau),

        V[k+1] = a V[k] - g R (w1 V[k-d-1] + w2 V[k-d]),

    w2 = 1 - exp(-(1-f)T/tau), w1 = 1 - a - w2; it is stable while all roots of its
    polynomial are inside the unit circle. For T << tau and d = 0, 1, 2 this is close to
    2 C/T, C/T and 0.62 C/T.

    Parameters
    ----------
    resistance, capacitance : quantity or str
        Of the cell.
    period : quantity or str
        Time between two samples of the board.
    latency : quantity or str
        From a sample to the current computed from it; any multiple or part of the period.

    Returns
    -------
    float
        Conductance (S).

    Raises
    ------
    InputError
        Something is not above 0 (the latency: below 0).

    Examples
    --------
    >>> limits = [largest_conductance("200 Mohm", "100 pF", latency=f"{d} us")
    ...           for d in (0, 50, 100)]
    >>> [round(limit * 1e9) for limit in limits]  # nS
    [4000, 2003, 1239]
    """
    ohm, farad = si(resistance, "ohm", "resistance"), si(capacitance, "F", "capacitance")
    tick, delay = si(period, "s", "period"), si(latency, "s", "latency")
    if not (ohm > 0 and farad > 0 and tick > 0 and delay >= 0):
        msg = (
            "resistance, capacitance and period must be above 0 and latency 0 or more, got "
            f"{ohm:g} ohm, {farad:g} F, {tick:g} s and {delay:g} s"
        )
        raise InputError(msg)
    whole = floor(delay / tick + 1e-9)
    part, tau = max(delay / tick - whole, 0.0), ohm * farad
    a = exp(-tick / tau)
    late = -np.expm1(-(1 - part) * tick / tau)
    early = max(1 - a - late, 0.0)

    def unstable(conductance: float) -> bool:
        # z^(d+2) - a z^(d+1) + g R (w2 z + w1)
        polynomial = np.zeros(whole + 3)
        polynomial[0], polynomial[1] = 1.0, -a
        polynomial[-2] += conductance * ohm * late
        polynomial[-1] += conductance * ohm * early
        return bool(np.abs(np.roots(polynomial)).max() > 1)

    low, high = 0.0, 4 * farad / tick + 4 / ohm  # above the limit without any delay
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if unstable(middle) else (middle, high)
    return low

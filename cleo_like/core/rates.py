"""When two sampling rates are one: decided here, once, for the whole package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cleo_like.core.sweep import Sweep

RATE_TOLERANCE = 1e-6
"""Relative. A digitiser's crystal is true to 1e-5 at best, so a smaller difference is rounding
(time stamps, 1 / interval) and no other clock; over 10 s at 50 kHz it is half a sample."""

SLOWEST_RATE = 200.0
"""Hz: below it no step response of a cell can be followed (membranes take 5 to 50 ms), and
the number is rather one of kHz."""


def same_rate(left: float, right: float) -> bool:
    """Whether two rates (Hz) differ by no more than rounding.

    Examples
    --------
    >>> same_rate(20_000.0, 19_999.999999999996), same_rate(20_000.0, 20_001.0)
    (True, False)
    """
    return abs(left - right) <= RATE_TOLERANCE * max(abs(left), abs(right))


def with_common_rates(sweeps: Iterable[Sweep]) -> tuple[Sweep, ...]:
    """Give sweeps whose rates differ by rounding one rate, a whole number where there is one.

    Parameters
    ----------
    sweeps : iterable of Sweep
        Of one recording.

    Returns
    -------
    tuple of Sweep
        The same objects where nothing is to be done.
    """
    sweeps = tuple(sweeps)
    rates = dict.fromkeys(sweep.rate for sweep in sweeps)
    if len(rates) < 2:
        return sweeps
    shared: list[float] = []
    for rate in sorted(rates, key=lambda rate: (rate != round(rate), list(rates).index(rate))):
        if not any(same_rate(rate, other) for other in shared):
            shared.append(rate)
    common = {rate: next(r for r in shared if same_rate(rate, r)) for rate in rates}
    return tuple(
        sweep
        if sweep.rate == common[sweep.rate]
        else attrs.evolve(sweep, rate=common[sweep.rate])
        for sweep in sweeps
    )

"""Values with an error such that value +- 1.96 errors is the 95 % interval."""

from __future__ import annotations

from functools import lru_cache

import attrs
import numpy as np

_NORMAL = 1.959963984540054  # the normal's 97.5 % quantile
MODEL = 2e-4  # of a value: no model of a membrane is known better


@attrs.frozen(kw_only=True)
class Estimate:
    """A value with its standard error, or NaN with the reason why there is none."""

    value: float = np.nan
    error: float = np.nan
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return bool(np.isfinite(self.value))


@lru_cache(maxsize=256)
def widening(freedom: int) -> float:
    """Student's 97.5 % quantile over the normal one: an error of few sweeps is wider.

    Examples
    --------
    >>> round(widening(4), 3)
    1.417
    """
    from scipy import special

    return float(special.stdtrit(freedom, 0.975)) / _NORMAL if freedom > 0 else 1.0


def stated(value: float, floor: float, scatter: float, freedom: int) -> Estimate:
    """State the larger of what noise explains and what differs between the sweeps.

    Parameters
    ----------
    value : float
        Any unit.
    floor : float
        Standard error that the noise within the sweeps explains.
    scatter : float
        Standard error from the differences between the sweeps.
    freedom : int
        Degrees of freedom of the scatter.
    """
    return Estimate(value=value, error=stated_error(floor, scatter, freedom))


def stated_error(floor: float, scatter: float, freedom: int) -> float:
    """Give the larger of what noise explains and of the scatter, widened for few sweeps."""
    return float(max(floor, scatter * widening(freedom)))

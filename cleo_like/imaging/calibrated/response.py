"""From the calcium-like variable to dF/F: two shapes of saturation, both 0 at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@attrs.frozen(kw_only=True)
class HillResponse:
    r"""Cooperative and saturating, above a resting level.

    .. math:: \Delta F/F_0 = a\,\frac{H(c + c_0) - H(c_0)}{H(1 + c_0) - H(c_0)}, \quad
              H(x) = \frac{x^n}{x^n + K^n}

    Parameters
    ----------
    single_spike : float
        a, the dF/F at c = 1: the peak after one spike.
    exponent : float
        n; above 1, spikes together give more than their sum.
    half_saturation : float
        K, in units of one spike's peak.
    rest : float
        c_0, in the same units; the larger, the more alike are the first few spikes.
    reach : float
        Largest c of the recordings that the curve was fitted to; beyond, it is extrapolated.
    ceiling : float
        The range of the indicator, from elsewhere: dF/F at saturation is not above it.

    Raises
    ------
    InputError
        A value that is not positive (the rest may be 0), or saturation above the ceiling.

    Examples
    --------
    >>> response = HillResponse(single_spike=0.2, exponent=2, half_saturation=10)
    >>> response([0.0, 1.0]).round(6).tolist()
    [0.0, 0.2]
    """

    single_spike: float = attrs.field(converter=float)
    exponent: float = attrs.field(converter=float)
    half_saturation: float = attrs.field(converter=float)
    rest: float = attrs.field(default=0.0, converter=float)
    reach: float = attrs.field(default=np.inf, converter=float)
    ceiling: float = attrs.field(default=np.inf, converter=float)

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        for name in ("single_spike", "exponent", "half_saturation"):
            value = getattr(self, name)
            if not 0 < value < np.inf:
                raise InputError(f"{name} must be above 0 and finite, got {value}")
        if not 0 <= self.rest < np.inf:
            raise InputError(f"rest must not be negative, got {self.rest}")
        if not self.reach > 0 or not self.ceiling > 0:
            msg = f"reach and ceiling must be above 0, got {self.reach} and {self.ceiling}"
            raise InputError(msg)
        if self.maximum > self.ceiling:
            msg = (
                f"dF/F at saturation is {self.maximum:.4g}, above the ceiling {self.ceiling}: "
                f"lower half_saturation or single_spike"
            )
            raise InputError(msg)

    @property
    def maximum(self) -> float:
        """dF/F at saturation."""
        return float(self._scale * (1.0 - self._saturation(self.rest)))

    @property
    def _scale(self) -> Any:
        risen = self._saturation(1.0 + self.rest) - self._saturation(self.rest)
        return self.single_spike / risen

    def __call__(self, calcium: ArrayLike) -> np.ndarray:
        """Give (F - F0)/F0; at rest, and by rounding below it, exactly 0."""
        risen = np.asarray(calcium) > 0
        above = np.maximum(calcium, 0.0) + self.rest
        bottom = self._saturation(self.rest)
        # powers of an array and of a number may round differently, so rest is not left to them
        return np.asarray(self._scale * (self._saturation(above) - bottom) * risen)

    def _saturation(self, x: Any) -> Any:
        power = (x / self.half_saturation) ** self.exponent
        return power / (1.0 + power)


@attrs.frozen(kw_only=True)
class SigmoidResponse:
    r"""The logistic curve of the spike-to-fluorescence model, with its value at 0 removed.

    .. math:: \Delta F/F_0 = F_m \left[\frac{1}{1 + e^{-\beta (c - c_{1/2})}} -
              \frac{1}{1 + e^{\beta c_{1/2}}}\right]

    Parameters
    ----------
    maximum, midpoint, slope : float
        F_m, c_half and beta.

    Notes
    -----
    Source: Wei et al. 2020 (PLoS Comput. Biol. 16:e1008198); Zhang et al. 2023.

    Examples
    --------
    >>> round(float(SigmoidResponse(maximum=4, midpoint=0, slope=1)(30.0)), 6)
    2.0
    """

    maximum: float = attrs.field(converter=float)
    midpoint: float = attrs.field(converter=float)
    slope: float = attrs.field(converter=float)

    def __call__(self, calcium: ArrayLike) -> np.ndarray:
        """Give (F - F0)/F0."""
        from scipy.special import expit

        rest = expit(-self.slope * self.midpoint)
        rising = expit(self.slope * (np.asarray(calcium, dtype=float) - self.midpoint))
        return self.maximum * (rising - rest)

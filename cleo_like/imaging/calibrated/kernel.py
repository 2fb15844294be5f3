"""Calcium-like response to one spike: one rise, and a sum of exponential decays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_required
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float
    from numpy.typing import ArrayLike


def _time_constants(values: Any) -> tuple[float, ...]:
    return tuple(si_required("s", "decays")(value) for value in values)


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


@attrs.frozen(kw_only=True)
class Kernel:
    r"""Response to a spike at 0, scaled to a peak of 1 (or as its weights say).

    .. math:: h(t) \propto (1 - e^{-t/\tau_{rise}}) \sum_i w_i e^{-t/\tau_i}

    Parameters
    ----------
    rise : quantity
        Time constant of the rise (s).
    decays : sequence of quantity
        Time constants of the decays (s).
    weights : sequence of float
        Weight of each decay, not negative.
    unit_peak : bool
        Scale to a peak of 1, so that only the ratios of the weights count (default).

    Raises
    ------
    InputError
        No decay, unequal numbers of decays and weights, or values that are not positive.

    Notes
    -----
    Source: the form of Zhang et al. 2023 (Nature 615:884), with any number of decays.

    Examples
    --------
    >>> kernel = Kernel(rise="10 ms", decays=["100 ms"], weights=[1])
    >>> round(kernel.peak_time * 1e3, 2)  # rise * ln(1 + decay/rise)
    23.98
    """

    rise: float = attrs.field(converter=si_required("s", "rise"))
    decays: tuple[float, ...] = attrs.field(converter=_time_constants)
    weights: tuple[float, ...] = attrs.field(converter=_floats)
    unit_peak: bool = True

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        if not self.decays or len(self.decays) != len(self.weights):
            msg = (
                "a kernel needs one weight for each decay, and at least one decay; got "
                f"{len(self.decays)} decays and {len(self.weights)} weights"
            )
            raise InputError(msg)
        if min(self.rise, *self.decays) <= 0 or min(self.weights) < 0 or not sum(self.weights):
            msg = (
                "time constants must be positive and weights not negative with a positive "
                f"sum; got rise {self.rise} s, decays {self.decays} s, weights {self.weights}"
            )
            raise InputError(msg)

    @property
    def rates(self) -> Float[np.ndarray, " modes"]:
        """Rates of the exponentials that make the kernel (1/s), decays first."""
        slow = 1.0 / np.array(self.decays)
        return np.concatenate([slow, slow + 1.0 / self.rise])

    @property
    def mode_weights(self) -> Float[np.ndarray, " modes"]:
        """Their weights."""
        raw = self._raw_weights
        if not self.unit_peak:
            return raw
        return raw / (raw @ np.exp(-self.rates * self.peak_time))

    @property
    def _raw_weights(self) -> np.ndarray:
        weights = np.array(self.weights)
        return np.concatenate([weights, -weights])

    @property
    def peak_time(self) -> float:
        """Time from the spike to the peak (s)."""
        from scipy.optimize import brentq

        slope = self._raw_weights * self.rates
        # the peak of a sum lies between those of its parts
        peaks = [self.rise * np.log1p(decay / self.rise) for decay in self.decays]
        low, high = min(peaks), max(peaks)
        if high - low < 1e-12 * high:
            return float(high)

        def rising(t: float) -> float:
            return -float(slope @ np.exp(-self.rates * t))

        return float(brentq(rising, low, high, xtol=1e-15, rtol=1e-14))

    def __call__(self, times: ArrayLike) -> Float[np.ndarray, "..."]:
        """Give the kernel at times after the spike (s); 0 before it."""
        t = np.asarray(times, dtype=float)[..., None]
        values = np.exp(-self.rates * np.maximum(t, 0.0)) @ self.mode_weights
        return np.where(t[..., 0] >= 0, values, 0.0)

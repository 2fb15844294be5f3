"""Parameters of an indicator that spikes need, and its Hill function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@attrs.frozen(kw_only=True)
class Kinetics:
    """Parameters of an indicator in SI floats (mol/m^3, s): all that spikes need.

    Parameters
    ----------
    rest, K_d, B_T, influx : float
        Concentrations (mol/m^3, which is mM).
    gamma, kappa_S : float
        Extrusion (1/s), binding ratio of the cell's buffers.
    n_H, dFF_max, gain : float
        Hill coefficient, scale, and further factor (excitation).
    A, tau_on, tau_off : float, optional
        Binding kernel (1/s, s, s); None for instantaneous binding.
    """

    rest: float
    K_d: float
    B_T: float
    influx: float
    gamma: float
    kappa_S: float  # noqa: N815
    n_H: float  # noqa: N815
    dFF_max: float  # noqa: N815
    gain: float = 1.0
    A: float | None = None
    tau_on: float | None = None
    tau_off: float | None = None

    @property
    def rates(self) -> np.ndarray:
        """Rates of the two exponentials of the binding kernel (1/s); none without a kernel."""
        if self.tau_on is None or self.tau_off is None:
            return np.zeros(0)
        return np.array([1 / self.tau_off, 1 / self.tau_off + 1 / self.tau_on])

    def slowing(self, x: Any) -> Any:
        """Give 1 + kappa_S + kappa_B for calcium above rest."""
        bound = self.K_d + self.rest
        return 1 + self.kappa_S + self.B_T * self.K_d / (x + bound) ** 2

    def hill(self, bound: ArrayLike) -> Any:
        """Saturation of the indicator (0 to 1) for an effective concentration."""
        return hill(bound, self.K_d, self.n_H)

    def dff(self, bound: ArrayLike) -> Any:
        """Give dF/F, 0 at rest, for an effective concentration."""
        return self.gain * self.dFF_max * (self.hill(bound) - self.hill(self.rest))


def hill(bound: ArrayLike, k_d: float, n_h: float) -> Any:
    """Hill function; negative concentrations (none is physical) count as 0."""
    power = np.maximum(bound, 0.0)
    power /= k_d
    if n_h != 1:
        power = power**n_h
    return power / (1.0 + power)

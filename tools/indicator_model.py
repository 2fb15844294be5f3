"""The model as a fit sees it: vectors of logarithms, and the cells' own factors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
from isolated_events import GRID

from cleo_like.imaging.calibrated import HillResponse, Kernel

if TYPE_CHECKING:
    from paired_recordings import PairedCell

PRIOR = 0.25
"""Strength of the pull of a cell's factor to 1, in residuals per unit of logarithm."""
ALIKE = 0.15
"""Strength of the pull of a cell's gain to the others', in residuals per unit of logarithm."""
BEYOND = 10.0
"""Weight of a range beyond the indicator's own, in residuals per unit of logarithm."""

_BOUNDS = {
    2: ([5e-4, 0.01, 0.3], [0.25, 2.5, 5.0]),
    3: ([5e-4, 0.01, 0.1, 1.0], [0.25, 0.4, 1.5, 5.0]),
}
_START = {2: [0.015, 0.2, 2.0], 3: [0.01, 0.06, 0.4, 2.5]}
_LOGITS = {2: [1.5], 3: [2.0, 1.0]}
_SHAPE = ([0.7, 2.0, 0.001], [4.0, 1000.0, 100.0], [1.6, 20.0, 0.3])


@attrs.define
class Theta:
    """Shape parameters of the median cell as one vector (logarithms, and logits of weights)."""

    x: np.ndarray
    decays: int

    @property
    def kernel(self) -> Kernel:
        """The kernel."""
        k = self.decays
        times = np.exp(self.x[: k + 1])
        weights = np.exp(np.append(self.x[k + 1 : 2 * k], 0.0))
        return Kernel(
            rise=f"{times[0]} s",
            decays=[f"{t} s" for t in times[1:]],
            weights=weights / weights.sum(),
        )

    @property
    def response(self) -> HillResponse:
        """The response with a gain of 1."""
        exponent, half, rest = np.exp(self.x[-3:])
        return HillResponse(
            single_spike=1.0, exponent=exponent, half_saturation=half, rest=rest
        )


def start_and_bounds(decays: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start of a fit, lower and upper bounds."""
    low, high = _BOUNDS[decays]
    n = decays - 1
    return (
        np.r_[np.log(_START[decays]), _LOGITS[decays], np.log(_SHAPE[2])],
        np.r_[np.log(low), [-4.0] * n, np.log(_SHAPE[0])],
        np.r_[np.log(high), [6.0] * n, np.log(_SHAPE[1])],
    )


def samples(cell: PairedCell, theta: Theta, own: float = 0.0) -> list[np.ndarray]:
    """Model of each recording at 15 Hz with gain 1; `own` is the log of the duration factor."""
    kernel, response = theta.kernel, theta.response
    rates, weights = kernel.rates * np.exp(-own), kernel.mode_weights
    return [t.sampled(response(t.exponential_sum(rates, weights))) for t in cell.traces]


def averages(cell: PairedCell, theta: Theta, own: float = 0.0) -> dict[int, np.ndarray]:
    """Averages of the cell's events with gain 1, each from rest, at the times of `GRID`."""
    kernel, found = theta.kernel, {}
    for count, one in cell.events.items():
        ages = (GRID - one.lags[:, None]) * np.exp(-own)
        found[count] = theta.response(kernel(ages).sum(axis=0))
    return found


def residual(cell: PairedCell, theta: Theta, own: float = 0.0) -> tuple[np.ndarray, float]:
    """Scaled residual of a cell, and its gain."""
    return cell.residual(samples(cell, theta, own), averages(cell, theta, own))


def fit(cells: list[PairedCell], decays: int, ceiling: float, evaluations: int = 25) -> Theta:
    """Fit the parameters that all cells share, by least squares on all cells at once.

    The median cell's dF/F at saturation is kept below `ceiling`.
    """
    from scipy.optimize import least_squares

    start, low, high = start_and_bounds(decays)

    def residuals(x: np.ndarray) -> np.ndarray:
        theta = Theta(x, decays)
        parts, gains = zip(*(residual(c, theta) for c in cells), strict=True)
        logs = np.log(gains)
        over = max(0.0, logs.mean() + np.log(theta.response.maximum / ceiling))
        return np.concatenate([*parts, ALIKE * (logs - logs.mean()), [BEYOND * over]])

    found = least_squares(
        residuals, start, bounds=(low, high), diff_step=[1e-3], max_nfev=evaluations, ftol=1e-4,
        xtol=1e-4,
    )  # fmt: skip
    return Theta(found.x, decays)


def fit_own(cells: list[PairedCell], theta: Theta) -> np.ndarray:
    """Fit each cell's duration factor; (n_cells,) logarithms with median 0."""
    from scipy.optimize import minimize_scalar

    own = []
    for cell in cells:

        def error(x: float, cell: PairedCell = cell) -> float:
            left, _ = residual(cell, theta, x)
            return float(left @ left) + (PRIOR * x) ** 2

        found = minimize_scalar(
            error, bounds=(-1.2, 1.2), method="bounded", options={"xatol": 0.01}
        )
        own.append(found.x)
    return np.array(own) - np.median(own)

"""Response of one exponential of unit resistance to a command, and its derivatives.

V = I_k + (x_k - I_k) exp(-(t - t_k - delay) / tau) between edge k and the next, x_k the
response at the edge: the sum over all edges e of dI_e (1 - exp(-(t - t_e - delay) / tau)), at
the price of one exponential per bin. Means over the samples of a bin are geometric series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.features.passive.joint.bins import Bins
    from cleo_like.features.passive.joint.command import Command


@attrs.frozen(kw_only=True)
class Response:
    """What one exponential of 1 GOhm answers (mV), and its derivatives, (n_sweeps, n_bins)."""

    value: np.ndarray
    by_log_tau: np.ndarray
    by_delay: np.ndarray  # per s


@attrs.frozen(kw_only=True)
class Geometry:
    """Bins and currents relative to the first level of each sweep."""

    rate: float
    currents: np.ndarray  # (n_sweeps, n_edges + 1)
    lengths: np.ndarray  # (n_edges - 1,): samples between the edges
    part: np.ndarray
    since: np.ndarray
    widths: np.ndarray

    @classmethod
    def of(cls, bins: Bins, command: Command, rate: float) -> Geometry:
        """Take what is needed from bins and command."""
        return cls(
            rate=rate,
            currents=command.levels - command.levels[:, :1],
            lengths=np.diff(command.edges).astype(float),
            part=bins.part,
            since=bins.since,
            widths=(bins.stops - bins.starts).astype(float),
        )

    def take(self, rows: np.ndarray) -> Geometry:
        """Give some of the sweeps."""
        return attrs.evolve(self, currents=self.currents[rows])

    def before(self, part: int) -> Geometry:
        """Give the same as if the current went back to its first level at this plateau."""
        currents = self.currents.copy()
        currents[:, part:] = 0.0
        return attrs.evolve(self, currents=currents)

    def step_alone(self) -> Geometry:
        """Give a step of 1 pA in one sweep, without what was before it."""
        currents = np.zeros((1, self.currents.shape[1]))
        currents[:, -1] = 1.0
        return attrs.evolve(self, currents=currents)

    def response(self, tau: complex | np.ndarray, delay: float) -> Response:
        """Compute the response of one exponential.

        Parameters
        ----------
        tau : complex or array, shape (..., n_sweeps or 1, 1)
            Time constant (s), one for all sweeps or one for each; more axes are kept.
        delay : float
            Time (s) by which the recording is late.
        """
        samples = self.rate * tau
        left, left_slope = self._missing(samples)
        z, one = self.widths / samples, 1.0 / samples
        decay = np.exp((delay * self.rate - self.since) / samples)
        decay = decay * np.expm1(-z) / (self.widths * np.expm1(-one))
        with np.errstate(over="ignore"):  # z / exp(z) is 0 for a bin far longer than tau
            slope = (self.since - delay * self.rate) / samples - z / np.expm1(z)
        slope += one / np.expm1(one)
        missing, missing_slope = left[..., self.part], left_slope[..., self.part]
        part = missing * decay
        return Response(
            value=self.currents[:, self.part] + part,
            by_log_tau=missing_slope * decay + part * slope,
            by_delay=part / tau,
        )

    def _missing(self, samples: complex | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Response less its end, at each edge, and its derivative by log tau."""
        jumps = np.diff(self.currents, axis=1)
        kind, shape = np.result_type(jumps, samples), np.shape(samples)
        shape = (*shape[:-2], *self.currents.shape)
        missing, slope = np.zeros(shape, dtype=kind), np.zeros(shape, dtype=kind)
        for k in range(jumps.shape[1]):
            if k:
                x = self.lengths[k - 1] / samples
                x = x[..., 0] if np.ndim(x) else x
                decay = np.exp(-x)
                missing[..., k + 1] = missing[..., k] * decay
                slope[..., k + 1] = (slope[..., k] + missing[..., k] * x) * decay
            missing[..., k + 1] -= jumps[:, k]
        return missing, slope

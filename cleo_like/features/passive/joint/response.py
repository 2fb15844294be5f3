"""Response of one exponential of unit resistance to a command, and its derivatives.

V = I_k + (x_k - I_k) exp(-(t - t_k - delay) / tau) between edge k and the next, x_k the
response at the edge: the sum over all edges e of dI_e (1 - exp(-(t - t_e - delay) / tau)), at
the price of one exponential per bin. Means over the samples of a bin are geometric series.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.features.passive.joint.bins import Bins
    from cleo_like.features.passive.joint.command import Command


@attrs.frozen(kw_only=True, eq=False)
class Response:
    """What one exponential of 1 GOhm answers (mV), and its derivatives, (n_sweeps, n_bins)."""

    value: np.ndarray
    by_log_tau: np.ndarray
    by_delay: np.ndarray  # per s


@attrs.frozen(kw_only=True, eq=False)
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

    def each_alone(self) -> Geometry:
        """Give each sweep an axis of its own, for time constants that differ between them."""
        return attrs.evolve(self, currents=self.currents[:, None])

    @cached_property
    def _level(self) -> np.ndarray:
        """Current (pA) in each bin."""
        return self.currents.take(self.part, axis=-1)

    @cached_property
    def _falls(self) -> np.ndarray:
        """By how much (pA) the current falls at each edge."""
        return self.currents[..., :-1] - self.currents[..., 1:]

    @cached_property
    def _gaps(self) -> tuple[np.ndarray, np.ndarray]:
        """Samples from each edge to the start of each plateau, and whether it is later."""
        edges = np.concatenate(([0.0], np.cumsum(self.lengths)))[: self._falls.shape[-1]]
        gaps = np.concatenate(([0.0], edges)) - edges[:, None]
        later = np.arange(gaps.shape[1]) > np.arange(gaps.shape[0])[:, None]
        return np.where(later, gaps, 0.0), later

    def value(self, tau: complex, delay: float) -> np.ndarray:
        """Give the `value` of `response` alone, (n_sweeps, n_bins)."""
        samples = self.rate * np.asarray(tau)
        gaps, later = self._gaps
        missing = (self._falls @ (later * np.exp(-gaps / samples))).take(self.part, axis=-1)
        since = (self.since - delay * self.rate) / samples
        far, near = np.expm1(-self.widths / samples), np.expm1(-1.0 / samples)
        found: np.ndarray = self._level + missing * (
            np.exp(-since) * (far / (self.widths * near))
        )
        return found

    def response(self, tau: complex | np.ndarray, delay: float) -> Response:
        """Compute the response of one exponential.

        Parameters
        ----------
        tau : complex or array, shape (..., 1, 1)
            Time constant (s), or several, whose axes come before those of the sweeps.
        delay : float
            Time (s) by which the recording is late.
        """
        samples = self.rate * np.asarray(tau)
        # what is missing of the end of the response, at the start of each plateau, is what
        # each earlier jump has left
        gaps, later = self._gaps
        x = gaps / samples
        left = later * np.exp(-x)
        missing = (self._falls @ left).take(self.part, axis=-1)
        missing_slope = (self._falls @ (left * x)).take(self.part, axis=-1)  # by log tau
        # means over a bin are geometric series
        z, one = self.widths / samples, 1.0 / samples
        since = (self.since - delay * self.rate) / samples
        far, near = np.expm1(-z), np.expm1(-one)
        decay = np.exp(-since) * (far / (self.widths * near))
        slope = since + z / far + z - (one / near + one)
        part = missing * decay
        return Response(
            value=self._level + part,
            by_log_tau=missing_slope * decay + part * slope,
            by_delay=part / tau,
        )

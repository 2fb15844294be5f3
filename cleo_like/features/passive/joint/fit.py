"""All sweeps at once: levels, resistances, time constants and one delay by least squares.

Levels and resistances are linear and are solved for (variable projection, Golub & Pereyra 1973,
doi:10.1137/0710036); only the shape of the response and the delay are searched.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.estimate import stated_error
from cleo_like.features.passive.joint.basis import (
    LONGEST,
    SHORTEST,
    basis,
    bounded,
    exponentials,
    shape_of,
)
from cleo_like.features.passive.joint.normal import inflation, inverse_of, solved, unshrunk
from cleo_like.features.passive.joint.rows import Rows

if TYPE_CHECKING:
    from cleo_like.features.passive.joint.bins import Bins
    from cleo_like.features.passive.joint.response import Geometry

_GRID = np.geomspace(2e-4, 0.6, 15)  # s
_STEPS = 40
_SINGLE = 4  # steps of the search for each sweep, which begins near its end
_CONVERGED = 1e-7  # of log tau
_LAST = (
    1e-6,
    1e-7,
)  # of log tau, s of delay: a step that small needs no look at where it leads
_SLOW = 0.3  # of the step before: so large a step is one of many that shrink alike
_USELESS = 1e-4  # of the variance: a smaller gain is no reason to go on
_STILL = 1e-3  # of log tau: a useless step that small is the last
_TOO_FAR = 1.5  # largest change of log tau in one step


@attrs.frozen(kw_only=True)
class Delay:
    """What is known of the delay of the recording (s) before it is fitted.

    One exponential may begin earlier than any recording does: it stands for a jump, too.
    """

    expected: float
    error: float
    most: float
    earliest: float


@attrs.frozen(kw_only=True, eq=False)
class Fit:
    """One or two exponentials and what they leave.

    Parameters
    ----------
    shape : array, shape (n,)
        What was searched for, see `basis`.
    delay : float
        Delay of the recording (s).
    weights : array, shape (n,)
        Weight (MOhm) of each function of the basis.
    levels : array, shape (n_sweeps,)
        Level (mV) of each sweep.
    residual : array, shape (n_sweeps, n_bins)
        What is left (mV), also in bins that are not used.
    squares : float
        Its weighted sum of squares.
    n : float
        Bins.
    freedom : int
        Sweeps less one.
    settled : bool
        Whether the search came to its end.
    at : _Point
        The derivatives there.
    """

    shape: np.ndarray
    delay: float
    weights: np.ndarray
    levels: np.ndarray
    residual: np.ndarray
    squares: float
    n: float
    freedom: int
    settled: bool
    at: _Point

    @cached_property
    def _correlated(self) -> float:
        return inflation(self.at.residual)

    @property
    def effective(self) -> float:
        """Number of independent bins."""
        return self.n / self._correlated

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of shape, delay and weights (2, 2 n + 1, 2 n + 1).

        From independent residuals, and from the differences between the sweeps.
        """
        freedom = max(self.n - 2 * self.at.weights.size, 1.0)
        return self.at.covariance(self._correlated, freedom)

    @property
    def order(self) -> int:
        """Number of exponentials."""
        return self.shape.size

    @property
    def variance(self) -> float:
        """Variance (mV^2) of an independent sample, as the residual has it."""
        return self.squares / max(self.n - 2 * self.order, 1.0) * self.n / self.effective

    def exponentials(self) -> tuple[np.ndarray, np.ndarray]:
        """Time constants (s), the faster first, and resistances (MOhm); may be complex."""
        return exponentials(self.shape, self.weights)

    def error(self, gradient: np.ndarray) -> float:
        """Give the error of a value with this gradient, see `stated_error`."""
        return self.errors(gradient[None])[0]

    def errors(self, gradients: np.ndarray) -> list[float]:
        """Give the errors of values with these gradients (n_values, 2 n + 1)."""
        variance = ((gradients @ self.covariance) * gradients).sum(axis=-1)
        noise, scatter = np.sqrt(np.maximum(variance, 0.0)).tolist()
        return [stated_error(*both, self.freedom) for both in zip(noise, scatter, strict=True)]


class Problem:
    """Sweeps of one family, ready for fits of any order."""

    def __init__(self, bins: Bins, geometry: Geometry, delay: Delay) -> None:
        self.bins, self.geometry, self.delay = bins, geometry, delay
        self.sweeps = Rows.of(geometry, bins.mean, bins.weight)
        used = bins.weight > 0
        self.n = float(used.sum() - used.any(axis=1).sum())

    @cached_property
    def few(self) -> Rows:
        """As few rows as tell the same, for the search."""
        return self.sweeps.fewer()

    @cached_property
    def _grid(self) -> np.ndarray:
        """Responses of a grid of time constants, (n_grid, n_rows * n_bins)."""
        x = self.few.geometry.response(_GRID[:, None, None], self.delay.expected).value
        return self.few.centred(x).reshape(_GRID.size, -1)

    def gain(self, fit: Fit) -> float:
        """How much, about, a further exponential would take off the sum of squares."""
        at = _Point(self, self.few, np.array([*fit.shape, fit.delay]))
        explained = solved(at.normal, at.jacobian @ self._grid.T)
        rest = self._grid - explained.T @ at.jacobian
        own = (rest**2).sum(axis=1)
        new = own > 1e-10 * (self._grid**2).sum(axis=1)
        toward = rest @ at.residual.ravel()
        return float((toward[new] ** 2 / own[new]).max(initial=0.0))

    def starts(self) -> tuple[list[float], list[float]]:
        """Best one and best two time constants of a grid."""
        columns = self._grid
        gram, toward = columns @ columns.T, columns @ self.few.y.ravel()
        own = np.diag(gram)
        with np.errstate(divide="ignore", invalid="ignore"):
            one = int(np.nan_to_num(toward**2 / own).argmax())
            determinant = np.multiply.outer(own, own) - gram**2
            explained = (
                np.multiply.outer(toward**2, own) + np.multiply.outer(own, toward**2)
                - 2 * gram * np.multiply.outer(toward, toward)
            ) / determinant  # fmt: skip
        apart = np.subtract.outer(np.arange(_GRID.size), np.arange(_GRID.size)) < -1
        best = np.nan_to_num(np.where(apart, explained, -np.inf), nan=-np.inf).argmax()
        i, j = np.unravel_index(best, explained.shape)
        return [float(_GRID[one])], [float(_GRID[i]), float(_GRID[j])]

    def solve(
        self, taus: list[float] | np.ndarray, delay: float | None = None, *, steps: int = _STEPS
    ) -> Fit:
        """Search from some time constants (Levenberg-Marquardt), `steps` at most."""
        start = self.delay.expected if delay is None else delay
        here = _Point(self, self.few, np.array([*shape_of(taus), start]))
        damping, useless, settled = 1e-4, 0, True
        before: tuple[np.ndarray, np.ndarray] | None = None
        for _ in range(steps):
            step = here.step(damping)
            if np.abs(step[:-1]).max() < _LAST[0] and abs(step[-1]) < _LAST[1]:
                here.p = self._bounded(here.p + step)
                break
            there = self._there(
                here, step if before is None else _faster(here.p, step, *before)
            )
            if before is not None and there.cost > here.cost:
                there = self._there(here, step)
            if there.cost <= here.cost * (1 + 1e-14):
                moved = np.abs(there.p[:-1] - here.p[:-1]).max()
                useless += here.cost - there.cost < _USELESS * there.cost / max(self.n, 1.0)
                before = here.p, step
                here, damping = _Point.again(there), damping / 10
                if moved < _CONVERGED or useless > 1 or (useless and moved < _STILL):
                    break
            elif damping > 1e6 or np.abs(step[:-1]).max() < _CONVERGED:
                break
            else:
                damping, before = 10 * damping, None
        else:
            settled = False
        return self._finished(_Point(self, self.sweeps, here.p), settled=settled)

    def _there(self, here: _Point, step: np.ndarray) -> _Point:
        return _Point(self, self.few, self._bounded(here.p + step), strength=here.strength)

    def nearby(self, fit: Fit) -> tuple[np.ndarray, np.ndarray, Fit]:
        """Give shape and weights one Newton step from a fit, and the fit with its errors."""
        at = _Point(self, self.sweeps, np.array([*fit.shape, fit.delay]))
        step, n = at.full_step(0.0), fit.order
        return (
            fit.shape + step[:n],
            at.weights + step[n + 1 :],
            self._finished(at, settled=True),
        )

    def single_taus(self, tau: float, delay: float) -> tuple[np.ndarray, np.ndarray]:
        """Time constant (s) of each sweep by itself, and its error relative to it."""
        log_tau = np.full(len(self.sweeps.y), np.log(tau))
        limits, y = (np.log(SHORTEST), np.log(LONGEST)), self.sweeps.y
        alone = self.geometry.each_alone()
        for _ in range(_SINGLE):
            found = alone.response(np.exp(log_tau)[:, None, None], delay)
            both = np.concatenate((found.value, found.by_log_tau), axis=1)
            x, slope = self.sweeps.centred(both.swapaxes(0, 1))
            xx, xs, ss = (
                np.einsum("sb,sb->s", a, b) for a, b in ((x, x), (x, slope), (slope, slope))
            )
            xy, sy = (np.einsum("sb,sb->s", a, y) for a in (x, slope))
            with np.errstate(divide="ignore", invalid="ignore"):
                determinant = xx * ss - xs**2
                r = xy / xx
                left = sy - r * xs  # slope times the residual at the best resistance
                step = np.nan_to_num(left * xx / determinant / r)
            log_tau = np.clip(log_tau + np.clip(step, -_TOO_FAR, _TOO_FAR), *limits)
        squares = np.einsum("sb,sb->s", y, y) - r * xy
        bins = np.maximum((self.bins.weight > 0).sum(axis=1) - 3, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.sqrt(np.maximum(squares, 0) / bins * xx / determinant) / np.abs(r)
        return np.exp(log_tau), error

    def _bounded(self, p: np.ndarray) -> np.ndarray:
        out = p.copy()
        out[:-1] = bounded(p[:-1])
        out[-1] = min(max(float(p[-1]), -self.delay.earliest), self.delay.most)
        return out

    def _finished(self, at: _Point, *, settled: bool) -> Fit:
        model = np.tensordot(at.weights * 1e-3, at.values, axes=1)
        levels = ((self.bins.mean - model) * self.sweeps.share).sum(axis=1)
        return Fit(
            shape=at.p[:-1],
            delay=float(at.p[-1]),
            weights=at.weights,
            levels=levels,
            residual=self.bins.mean - model - levels[:, None],
            squares=at.squares,
            n=self.n,
            freedom=len(self.sweeps.y) - 1,
            settled=settled,
            at=at,
        )


class _Point:
    """Sums of squares and their derivatives at some shape and delay."""

    def __init__(
        self, problem: Problem, rows: Rows, p: np.ndarray, strength: float | None = None
    ) -> None:
        self.problem, self.p = problem, p
        found = basis(rows.geometry, p[:-1], float(p[-1]))
        self.values, n = found.values, found.n
        columns = rows.centred(found.columns * 1e-3).reshape(len(found.columns), -1)
        x, y = columns[:n], rows.y.ravel()
        self.weights = solved(x @ x.T, x @ y)
        by_shape = self.weights @ columns[n:-n].reshape(n, n, -1)
        self.jacobian = np.concatenate([by_shape, (self.weights @ columns[-n:])[None], x])
        residual = y - self.weights @ x
        self.residual = residual.reshape(rows.y.shape)
        self.squares = float(residual @ residual) + rows.unexplained
        self.normal = self.jacobian @ self.jacobian.T
        self._weigh(strength)

    def _weigh(self, strength: float | None) -> None:
        """Weigh what is known of the delay against the data, by the noise of the residual."""
        known = self.problem.delay
        variance = self.squares / max(self.problem.n, 1.0)
        self.strength = variance / known.error**2 if strength is None else strength
        self.away = known.expected - self.p[-1]
        self.cost = self.squares + self.strength * self.away**2

    @classmethod
    def again(cls, point: _Point) -> _Point:
        """Give the same point with the weight that its own residual asks for."""
        point._weigh(None)
        return point

    def step(self, damping: float) -> np.ndarray:
        """Give the change of shape and delay to try next."""
        step = self.full_step(damping)[: self.p.size]
        return step * min(1.0, _TOO_FAR / max(np.abs(step[:-1]).max(), 1e-300))

    def full_step(self, damping: float) -> np.ndarray:
        """Give the change of shape, delay and weights."""
        n = self.weights.size
        normal = self.normal.copy()
        gradient = self.jacobian @ self.residual.ravel()
        normal[n, n] += self.strength
        gradient[n] += self.strength * self.away
        own = np.einsum("ii->i", normal)  # a view
        own[:] = own * (1 + damping) + 1e-12 * own.max()
        return solved(normal, gradient)

    def covariance(self, inflation: float, freedom: float) -> np.ndarray:
        """Covariance of all parameters, from the residual and from the sweeps."""
        n = self.weights.size
        normal = self.normal.copy()
        normal[n, n] += self.strength
        scale = np.multiply.outer(*2 * [np.sqrt(np.maximum(np.diag(normal), 1e-300))])
        inverse = inverse_of(normal / scale) / scale
        one = self.squares / freedom * inflation * inverse
        sweeps = self.residual.shape[0]
        if sweeps < 2:
            return np.stack((one, one))
        by_sweep = self.jacobian.reshape(-1, *self.residual.shape) * self.residual
        scores = unshrunk(by_sweep.sum(axis=2), self._by_sweep(), normal)
        meat = scores @ scores.T
        meat[n, n] += self.strength**2 * self.problem.delay.error**2
        return np.stack((one, inverse @ meat @ inverse))

    def _by_sweep(self) -> np.ndarray:
        """Give the normal equations of each sweep (n_sweeps, n, n)."""
        j = self.jacobian.reshape(len(self.jacobian), *self.residual.shape)
        return np.einsum("psb,qsb->spq", j, j)


def _faster(p: np.ndarray, step: np.ndarray, p0: np.ndarray, step0: np.ndarray) -> np.ndarray:
    """Give the step that leads to where steps that go on to shrink alike will end.

    With a model that does not fit, each is a good part of the one before (Anderson 1965, J. ACM
    12:547, with a memory of one).
    """
    if np.abs(step[:-1]).max() < _SLOW * np.abs(step0[:-1]).max():
        return step
    change = step - step0
    part = float(change[:-1] @ step[:-1]) / max(float(change[:-1] @ change[:-1]), 1e-300)
    faster: np.ndarray = step - part * (p - p0 + change)
    return faster if np.abs(faster[:-1]).max() <= _TOO_FAR else step

"""One exponential by least squares, at the price of a few passes over the samples.

The search is MINPACK's (Moré 1978, doi:10.1007/BFb0067700) as long as its trust region does not
bind: Gauss-Newton steps, ended by its two tests of convergence. It then stops at the same
place, but sees the samples only through nine sums. Where the region binds, MINPACK itself is
asked.
"""

from __future__ import annotations

import attrs
import numpy as np

TOLERANCE = 1.49012e-8  # of the sum of squares and of the parameters, as scipy's leastsq has it
_STEPS = 50
_BLOCK = 4096  # samples per product: so few go to one thread, and the sum is the same on any
_FACTOR = 100.0  # first radius over the size of the guess
_SLACK = 1.1  # a step may exceed the radius by this
_POOR, _USELESS = 0.25, 1e-4  # gain over that of the linear model
_SETTLED = 5e-7  # of the rate
_DEPENDENT = 1e-3  # pivot of the scaled normal equations below which they cannot be trusted


@attrs.frozen(kw_only=True)
class Fit:
    """``offset + amplitude * exp(-rate * x)`` with the sum of squares that is left."""

    amplitude: float
    rate: float
    offset: float
    squares: float
    rate_variance: float  # for residuals of variance 1; NaN where not defined


@attrs.define(eq=False)
class _Point:
    """Parameters and what the search needs to know there."""

    p: np.ndarray
    normal: np.ndarray  # (3, 3): J'J
    gradient: np.ndarray  # (3,): J'f
    squares: float


class _Model:
    """Sums over the samples at any parameters (amplitude, rate, offset)."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self._x, self._y = x, y
        self._rows = np.ones((4, x.size))  # exp(-k x), x exp(-k x), 1, residual

    def at(self, p: np.ndarray) -> _Point:
        amplitude, rate, offset = p.tolist()
        decay, slope, _, residual = rows = self._rows
        np.multiply(self._x, -rate, out=decay)
        np.exp(decay, out=decay)
        np.multiply(self._x, decay, out=slope)
        np.multiply(decay, amplitude, out=residual)
        residual += offset
        residual -= self._y
        sums = np.zeros((4, 4))
        for first in range(0, rows.shape[1], _BLOCK):
            part = rows[:, first : first + _BLOCK]
            sums[:3] += part[:3] @ part.T
            sums[3, 3] += float(part[3] @ part[3])
        scale = np.array([1.0, -amplitude, 1.0])
        normal = sums[:3, :3] * scale * scale[:, None]
        gradient = sums[:3, 3] * scale
        return _Point(p=p, normal=normal, gradient=gradient, squares=float(sums[3, 3]))


def fit(x: np.ndarray, y: np.ndarray, guess: np.ndarray) -> Fit | None:
    """Fit an exponential.

    Parameters
    ----------
    x, y : arrays, shape (n_samples,)
        At least four samples.
    guess : array, shape (3,)
        Amplitude, rate and offset to start from.

    Returns
    -------
    Fit or None
        None where the search does not converge.

    Examples
    --------
    >>> x = np.arange(100) / 1e3
    >>> found = fit(x, 5 * np.exp(-x * 40.0) - 70, np.array([4.0, 50.0, -69.0]))
    >>> round(found.amplitude, 6), round(found.rate, 6), round(found.offset, 6)
    (5.0, 40.0, -70.0)
    """
    with np.errstate(over="ignore", invalid="ignore"):
        found = _gauss_newton(_Model(x, y), guess)
        return found if found is not None else _minpack(x, y, guess)


def _gauss_newton(model: _Model, guess: np.ndarray) -> Fit | None:
    """Search without a bound; None where MINPACK would have bounded or refused a step."""
    here = model.at(guess)
    weight = np.sqrt(np.diag(here.normal))
    radius = _FACTOR * _norm(weight * here.p)
    for count in range(_STEPS):
        solved = _solve(here)
        if solved is None:
            return None
        step, variance = solved
        weight = np.maximum(weight, np.sqrt(np.diag(here.normal)))
        length = _norm(weight * step)
        if not length <= _SLACK * radius:
            return None
        if count == 0:
            radius = min(radius, length)
        there = model.at(here.p + step)
        expected = float(step @ here.normal @ step) / here.squares
        gain = 1 - there.squares / here.squares
        converged = abs(gain) <= TOLERANCE and expected <= TOLERANCE and gain <= 2 * expected
        if not (gain > _POOR * expected or converged):
            return None
        radius = 2 * length
        if gain >= _USELESS * expected:
            here = there
        if converged or radius <= TOLERANCE * _norm(weight * here.p):
            return _settled(here, variance)
    return None


def _norm(x: np.ndarray) -> float:
    return float(np.sqrt(x @ x))


def _solve(here: _Point) -> tuple[np.ndarray, float] | None:
    """Give the Gauss-Newton step and the variance of the rate; None near singularity."""
    size = np.sqrt(np.diag(here.normal))
    if not (here.squares > 0 and np.isfinite(here.squares) and (size > 0).all()):
        return None
    (_, a, b), (_, _, c), _ = (here.normal / size / size[:, None]).tolist()
    # the inverse of a correlation matrix, written out
    u, v, w = 1 - c * c, 1 - b * b, 1 - a * a
    determinant = 1 + 2 * a * b * c - a * a - b * b - c * c
    if not determinant > _DEPENDENT:
        return None
    d, e, f = b * c - a, a * c - b, a * b - c
    inverse = np.array([[u, d, e], [d, v, f], [e, f, w]]) / determinant
    step = -(inverse @ (here.gradient / size)) / size
    return step, v / determinant / float(size[1]) ** 2


def _settled(point: _Point, variance: float) -> Fit | None:
    """Give the answer if a further step would not change it; else the path matters."""
    amplitude, rate, offset = point.p.tolist()
    further = _solve(point)
    if further is None or not abs(further[0][1]) <= _SETTLED * abs(rate):
        return None
    return Fit(
        amplitude=amplitude, rate=rate, offset=offset, squares=point.squares,
        rate_variance=variance,
    )  # fmt: skip


def _minpack(x: np.ndarray, y: np.ndarray, guess: np.ndarray) -> Fit | None:
    """Ask MINPACK, trust region and all."""
    from scipy import optimize

    def residual(p: np.ndarray) -> np.ndarray:
        out = np.multiply(x, -p[1])
        np.exp(out, out=out)
        out *= p[0]
        out += p[2]
        out -= y
        return out

    p, covariance, found, _, status = optimize.leastsq(residual, guess, full_output=True)
    if status not in (1, 2, 3, 4):
        return None
    squares = float((found["fvec"] ** 2).sum())
    variance = np.nan if covariance is None else float(covariance[1, 1])  # type: ignore[redundant-expr]
    return Fit(
        amplitude=float(p[0]), rate=float(p[1]), offset=float(p[2]), squares=squares,
        rate_variance=variance,
    )  # fmt: skip

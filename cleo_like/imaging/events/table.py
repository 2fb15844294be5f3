r"""What depends on an indicator's parameters only, computed once and looked up.

Between spikes, calcium above rest x obeys an autonomous equation whose solution is implicit,
:math:`G(x(t)) = G(x_0) - \gamma t` with
:math:`G(x) = (1+\kappa_S)\ln x + B_T K_d [\ln(x/(x+a))/a^2 + 1/(a(x+a))]` and
:math:`a = K_d + Ca_{rest}`. The binding kernel is a sum of linear filters, whose integral over
a step is exact for an x that is a cubic in time (its values and slopes at both ends).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from cleo_like.imaging.events.kinetics import Kinetics

KNOTS = 2**16
FLOOR = 1e-7
"""Calcium above rest, relative to rest, that counts as none."""


class Interpolated:
    """Functions of one number, tabulated at 0, 1, 2, ... and linear between.

    Parameters
    ----------
    values : array, shape (n_functions, n_knots)
        At the knots. Below the first the functions stay as they are there; arguments at
        the last knot or above it are the caller's error.
    """

    def __init__(self, values: np.ndarray) -> None:
        self._n = len(values)
        rises = np.diff(values, axis=1, append=values[:, -1:])
        self._table = np.concatenate([values, rises])  # one gather finds both

    def __call__(self, place: np.ndarray) -> np.ndarray:
        """Give all functions, shape (n_functions, n)."""
        within = np.maximum(place, 0.0)
        knot = within.astype(np.intp)
        within -= knot
        found = self._table.take(knot, axis=1)
        result, rises = found[: self._n], found[self._n :]
        rises *= within
        result += rises
        return result


class CalciumTable:
    """Calcium above rest by place: G on a uniform grid, which time walks down.

    Parameters
    ----------
    kinetics : Kinetics
        The indicator.

    Attributes
    ----------
    fall : float
        How far a place falls in a second; below 0 there is no calcium left.
    most : float
        Calcium above rest at the last knot (mol/m^3).
    calcium : Interpolated
        At a place: calcium above rest (mol/m^3) and its slope (per second).
    spike : Interpolated
        The same two; then both after the influx of one spike, and the place after it.
    """

    def __init__(self, kinetics: Kinetics) -> None:
        self.kinetics = k = kinetics
        low = np.log(FLOOR * max(k.rest, 1e-3 * k.K_d))
        high = np.log(max(1e4 * k.influx, 1e3 * k.K_d))
        fine = np.exp(np.linspace(low, high, 4 * KNOTS))
        g = self.g(fine)
        self._lowest = float(g[0])
        self._step = float(g[-1] - g[0]) / (KNOTS - 1)
        self.fall = k.gamma / self._step
        grid = self._lowest + self._step * np.arange(KNOTS)
        x = np.exp(np.interp(grid, g, np.log(fine)))
        for _ in range(2):  # Newton: the table is exact at its knots
            x *= np.exp((grid - self.g(x)) / k.slowing(x))
        x[0] = 0.0
        self.most = float(x[-1])
        after = x + k.influx / k.slowing(x)
        here, there = ((y, -k.gamma * y / k.slowing(y)) for y in (x, after))
        self.calcium = Interpolated(np.stack(here))
        self.spike = Interpolated(np.stack([*here, *there, self.place(after)]))

    def g(self, x: Any) -> Any:
        """Give G of calcium above rest."""
        k = self.kinetics
        a = k.K_d + k.rest
        buffered = np.log(x / (x + a)) / a**2 + 1 / (a * (x + a))
        return (1 + k.kappa_S) * np.log(x) + k.B_T * k.K_d * buffered

    def place(self, x: ArrayLike) -> Any:
        """Give the place of calcium above rest (at most that of the last knot)."""
        return np.minimum((self.g(x) - self._lowest) / self._step, KNOTS - 1.0)


_TERMS = 16
_SERIES = np.array(
    [
        [(-1.0) ** m * np.prod(np.arange(1, n + 1)) / np.prod(np.arange(1.0, m + n + 2))
         for n in range(4)]
        for m in range(_TERMS)
    ]
)  # fmt: skip


def _moments(z: np.ndarray) -> np.ndarray:
    """Integrals of exp(-z (1 - s)) s^n for s from 0 to 1, n = 0..3, shape (..., 4)."""
    small = np.minimum(z, 1.0)[..., None] ** np.arange(_TERMS) @ _SERIES
    if z.max(initial=0.0) <= 1:
        return np.asarray(small)
    big = np.maximum(z, 1.0)
    rows = [(1 - np.exp(-big)) / big]
    for n in (1, 2, 3):
        rows.append((1 - n * rows[-1]) / big)
    return np.where(z[..., None] <= 1, small, np.stack(rows, axis=-1))


def filter_weights(rates: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Weights of x and its slope, at both ends of a step, in the integral of each filter.

    Parameters
    ----------
    rates : array, shape (n_filters,)
        Of decay (1/s).
    h : array, shape (n_steps,)
        Lengths of steps (s).

    Returns
    -------
    array, shape (n_filters, 4, n_steps)
        For x and slope at the start, x and slope at the end.
    """
    m = _moments(rates[:, None] * h)
    m0, m1, m2, m3 = m[..., 0], m[..., 1], m[..., 2], m[..., 3]
    start = (h * (m0 - 3 * m2 + 2 * m3), h * h * (m1 - 2 * m2 + m3))
    return np.stack([*start, h * (3 * m2 - 2 * m3), h * h * (m3 - m2)], axis=1)

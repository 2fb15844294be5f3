"""Responses of first and second order, in parameters without a singular place.

The first order is one exponential, its shape log tau. The second has two poles p of sum S and
product P; its shape is (log S, log P), and it is a sum of X1 + X2 and (X1 - X2) / (p1 - p2), X
the responses of the single poles. So two equal time constants are no special place, and beyond
it the poles are a conjugate pair: a damped resonance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.features.passive.joint.response import Geometry, Response

SHORTEST, LONGEST = 2e-5, 1.0  # s: bounds of a time constant; electrodes answer at once
_EQUAL = 1e-4  # square of the relative distance of poles, below which they are held apart
_RINGING = 25.0  # its largest negative value: no membrane rings more


@attrs.frozen(kw_only=True)
class Basis:
    """Responses to the command (mV per GOhm), the weights of which are linear.

    Parameters
    ----------
    values : array, shape (n, n_sweeps, n_bins)
        The responses.
    by_shape : array, shape (n, n, n_sweeps, n_bins)
        Their derivatives by each parameter of the shape (first axis).
    by_delay : array, shape (n, n_sweeps, n_bins)
        Their derivatives by the delay (per s).
    """

    values: np.ndarray
    by_shape: np.ndarray
    by_delay: np.ndarray


def shape_of(taus: Sequence[float] | np.ndarray) -> np.ndarray:
    """Shape of one or two time constants (s)."""
    p = 1 / np.asarray(taus)
    return np.log(1 / p) if p.size == 1 else np.log([p.sum(), p.prod()])


def _apart(shape: np.ndarray) -> float:
    """((p1 - p2) / (p1 + p2))^2, negative for a conjugate pair, never quite 0."""
    square = 1 - 4 * np.exp(shape[1] - 2 * shape[0])
    return float(square) if abs(square) > _EQUAL else _EQUAL


def exponentials(shape: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Time constants (s), the faster first, and resistances (MOhm); perhaps conjugate pairs.

    Examples
    --------
    >>> taus, resistances = exponentials(shape_of([0.01, 0.05]), np.array([200.0, -100.0]))
    >>> taus.round(6).tolist(), resistances.round(6).tolist()
    ([0.01, 0.05], [25.0, 175.0])
    """
    if shape.size == 1:
        return np.exp(shape), weights
    root = np.emath.sqrt(_apart(shape))
    p = np.exp(shape[0]) / 2 * np.array([1 + root, 1 - root])
    half = weights[1] / (2 * root)
    return 1 / p, np.array([weights[0] / 2 + half, weights[0] / 2 - half])


def bounded(shape: np.ndarray) -> np.ndarray:
    """Give the nearest allowed shape."""
    if shape.size == 1:
        return np.clip(shape, np.log(SHORTEST), np.log(LONGEST))
    total = float(np.clip(shape[0], np.log(2 / LONGEST), np.log(1 / SHORTEST)))
    least = np.log((np.exp(total) - 1 / LONGEST) / LONGEST)
    return np.array([total, np.clip(shape[1], least, 2 * total + np.log((1 + _RINGING) / 4))])


def basis(geometry: Geometry, shape: np.ndarray, delay: float) -> Basis:
    """Compute the responses of a shape."""
    if shape.size == 1:
        found = geometry.response(float(np.exp(shape[0])), delay)
        return Basis(
            values=found.value[None],
            by_shape=found.by_log_tau[None, None],
            by_delay=found.by_delay[None],
        )
    return _second(geometry, shape, delay)


def _second(geometry: Geometry, shape: np.ndarray, delay: float) -> Basis:
    apart = _apart(shape)
    root = np.emath.sqrt(apart)
    half = np.exp(shape[0]) / 2
    first = geometry.response(1 / (half * (1 + root)), delay)
    second = (
        geometry.response(1 / (half * (1 - root)), delay) if apart > 0 else _conjugate(first)
    )

    def both(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.stack((((a + b) / 2).real, ((a - b) / (2 * root)).real))

    values = both(first.value, second.value)
    up, down = -first.by_log_tau, -second.by_log_tau  # by log p
    by_scale = both(up, down)
    up, down = up / (2 * root * (1 + root)), -down / (2 * root * (1 - root))
    by_apart = both(up, down)
    by_apart[1] -= values[1] / (2 * apart)
    return Basis(
        values=values,
        by_shape=np.stack((by_scale + 2 * (1 - apart) * by_apart, (apart - 1) * by_apart)),
        by_delay=both(first.by_delay, second.by_delay),
    )


def _conjugate(of: Response) -> Response:
    return attrs.evolve(
        of,
        value=of.value.conj(),
        by_log_tau=of.by_log_tau.conj(),
        by_delay=of.by_delay.conj(),
    )

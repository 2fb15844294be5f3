"""Responses of first and second order, in parameters without a singular place.

The first order is one exponential, its shape log tau. The second has two poles p of sum S and
product P; its shape is (log S, log P), and it is a sum of X1 + X2 and (X1 - X2) / (p1 - p2), X
the responses of the single poles. So two equal time constants are no special place, and beyond
it the poles are a conjugate pair: a damped resonance.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.features.passive.joint.response import Geometry

SHORTEST, LONGEST = 2e-5, 1.0  # s: bounds of a time constant; electrodes answer at once
_EQUAL = 1e-4  # square of the relative distance of poles, below which they are held apart
_RINGING = 25.0  # its largest negative value: no membrane rings more


@attrs.frozen(kw_only=True, eq=False)
class Basis:
    """Responses to the command (mV per GOhm), the weights of which are linear.

    Parameters
    ----------
    n : int
        How many there are.
    columns : array, shape (2 n + n^2, n_sweeps, n_bins)
        `values`, `by_shape` and `by_delay`, one after the other.
    """

    n: int
    columns: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """The responses, (n, n_sweeps, n_bins)."""
        return self.columns[: self.n]

    @property
    def by_shape(self) -> np.ndarray:
        """Their derivatives by each parameter of the shape (first axis), (n, n, ...)."""
        return self.columns[self.n : -self.n].reshape(self.n, self.n, *self.columns.shape[1:])

    @property
    def by_delay(self) -> np.ndarray:
        """Their derivatives by the delay (per s), (n, ...)."""
        return self.columns[-self.n :]


def shape_of(taus: Sequence[float] | np.ndarray) -> np.ndarray:
    """Shape of one or two time constants (s)."""
    p = 1 / np.asarray(taus)
    return np.log(1 / p) if p.size == 1 else np.log([p.sum(), p.prod()])


def _apart(shape: np.ndarray) -> float:
    """((p1 - p2) / (p1 + p2))^2, negative for a conjugate pair, never quite 0."""
    square = 1 - 4 * exp(shape[1] - 2 * shape[0])
    return square if abs(square) > _EQUAL else _EQUAL


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
    apart = _apart(shape)
    root = sqrt(apart) if apart > 0 else 1j * sqrt(-apart)
    mean, (one, other) = exp(-shape[0]) * 2, weights.tolist()
    half = other / (2 * root)
    return np.array([mean / (1 + root), mean / (1 - root)]), np.array(
        [one / 2 + half, one / 2 - half]
    )


def bounded(shape: np.ndarray) -> np.ndarray:
    """Give the nearest allowed shape."""
    if shape.size == 1:
        return np.clip(shape, np.log(SHORTEST), np.log(LONGEST))
    total = min(max(float(shape[0]), log(2 / LONGEST)), log(1 / SHORTEST))
    least, most = log((exp(total) - 1 / LONGEST) / LONGEST), 2 * total + log((1 + _RINGING) / 4)
    return np.array([total, min(max(float(shape[1]), least), most)])


def basis(geometry: Geometry, shape: np.ndarray, delay: float) -> Basis:
    """Compute the responses of a shape."""
    if shape.size == 1:
        found = geometry.response(float(np.exp(shape[0])), delay)
        columns = np.stack((found.value, found.by_log_tau, found.by_delay))
        return Basis(n=1, columns=columns)
    return _second(geometry, shape, delay)


def _second(geometry: Geometry, shape: np.ndarray, delay: float) -> Basis:
    apart = _apart(shape)
    root = sqrt(apart) if apart > 0 else 1j * sqrt(-apart)
    # the other of a conjugate pair would only double the real part
    signs, times = ((1, -1), 1) if apart > 0 else ((1,), 2)
    taus = np.array([2 * exp(-shape[0]) / (1 + sign * root) for sign in signs])
    found = geometry.response(taus[:, None, None], delay)
    parts = np.concatenate((found.value, found.by_log_tau, found.by_delay))
    mixed = times * np.array(_mixed(apart, root, signs))
    columns = mixed @ parts.reshape(len(parts), -1)
    return Basis(n=2, columns=columns.real.reshape(-1, *parts.shape[1:]))


def _mixed(apart: float, root: complex, signs: Sequence[int]) -> list[list[complex]]:
    """Weights of the responses of the poles, and of their two derivatives, in each column."""
    none: list[complex] = [0.0 for _ in signs]
    mean: list[complex] = [0.5 for _ in signs]
    gap = [sign / (2 * root) for sign in signs]
    # d log p / d apart of each pole, and that of the gap itself
    turn = [-sign / (2 * root * (1 + sign * root)) for sign in signs]
    mean_turn, gap_turn = ([a * b for a, b in zip(of, turn, strict=True)] for of in (mean, gap))
    shrink = [-x / (2 * apart) for x in gap]
    total, product = 2 * (1 - apart), apart - 1  # d apart by log S and by log P
    return [
        mean + none + none,
        gap + none + none,
        none + [total * b - a for a, b in zip(mean, mean_turn, strict=True)] + none,
        [total * x for x in shrink]
        + [total * b - a for a, b in zip(gap, gap_turn, strict=True)]
        + none,
        none + [product * x for x in mean_turn] + none,
        [product * x for x in shrink] + [product * x for x in gap_turn] + none,
        none + none + mean,
        none + none + gap,
    ]

"""The test pulse: its whole circuit fitted, since no part need be slow.

With a correction the membrane charges nearly as fast as amplifier and filter answer, so that
no single exponential is left; in current clamp a pipette that is not neutralised delays the
jump and takes a part of the current. The circuit is linear and all but the cell is known:
access resistance, capacitance and input resistance are what makes its step response the
recorded one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.features.clamp.chain import CLAMP_TIME, OUTPUT_TIME, filter_poles

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.features.clamp.chain import Chain

_UNIT = 1e-4
"""Unit of time (s) of the polynomials: keeps their coefficients near 1."""
_FAR = 1e3
"""Misfit of values with which the circuit runs away."""
_STRAY = 0.2e-12
"""Start of the search for what is left of the pipette's capacitance (F)."""
_LEAST_ACCESS = 1e4
"""Least access resistance (ohm) of the search."""
_SINGLE, _GROWTH = 64, 0.02
"""Samples that are fitted one by one, and the part of its time over which a later mean goes."""


def step_response(
    t: np.ndarray, values: tuple[float, float, float, float], chain: Chain
) -> np.ndarray:
    """Give the recorded current per volt of a step (S) at times after it (s).

    Parameters
    ----------
    t : array, shape (n,)
        Times.
    values : tuple of float
        Access resistance (ohm), capacitance (F), input resistance (ohm), and what is left of
        the pipette's capacitance (F): the correction feeds back its current too.
    chain : Chain
        Amplifier and filter.
    """
    poly = np.polynomial.polynomial
    lag = poly.polymul([1, chain.sum_time / _UNIT], [1, CLAMP_TIME / _UNIT])
    loop = poly.polymul(lag, [1, OUTPUT_TIME / _UNIT])
    through, flowing = _impedance(values)
    clamp = poly.polysub(poly.polymul(loop, through), chain.corrected * flowing)
    poles = np.concatenate([poly.polyroots(clamp), filter_poles(chain.filtering) * _UNIT])
    gain = 1 / (values[0] + values[2] - chain.corrected)
    return gain * _unfolded(t, poles, flowing)


def potential_response(
    t: np.ndarray, values: tuple[float, float, float, float], chain: Chain
) -> np.ndarray:
    """Give the recorded potential per ampere of a step (ohm) at times after it (s).

    Parameters
    ----------
    t : array, shape (n,)
        Times.
    values : tuple of float
        As for `step_response`; of the pipette's capacitance what neutralisation leaves.
    chain : Chain
        Filter and bridge (0 where it is not known).
    """
    through, flowing = _impedance(values)
    filtering = filter_poles(chain.filtering) * _UNIT
    poles = np.concatenate([np.polynomial.polynomial.polyroots(flowing), filtering])
    total = values[0] + values[2]
    bridge = chain.bridge or 0.0
    return total * _unfolded(t, poles, through / total) - bridge * _unfolded(t, filtering, [1])


def _impedance(values: tuple[float, float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Give numerator and denominator of the impedance at the pipette, powers of s * _UNIT."""
    access, capacitance, resistance, stray = values
    poly = np.polynomial.polynomial
    membrane = np.array([1, resistance * capacitance / _UNIT])
    through = poly.polyadd(access * membrane, [resistance])
    return through, poly.polyadd(membrane, poly.polymul([0, stray / _UNIT], through))


def _unfolded(t: np.ndarray, poles: np.ndarray, numerator: Any) -> np.ndarray:
    """Give the step response of numerator over poles, 1 at the end, as exponentials."""
    found = np.ones(len(t))
    for k, pole in enumerate(poles):
        residue = np.prod(-poles) / pole / np.prod(pole - np.delete(poles, k))
        residue = residue * np.polynomial.polynomial.polyval(pole, numerator)
        found = found + (residue * np.exp(pole * t / _UNIT)).real
    return found


def fit_circuit(
    current: np.ndarray,
    dt: float,
    size: float,
    guess: tuple[float, float, float],
    chain: Chain,
) -> tuple[float, float, float, float] | None:
    """Fit access resistance (ohm), capacitance (F), input resistance (ohm) and stray (F).

    Parameters
    ----------
    current : array, shape (n,)
        During the pulse, less what flowed before (A).
    dt : float
        Sampling interval (s).
    size : float
        Height of the pulse (V).
    guess : tuple of float
        Where to begin.
    chain : Chain
        Amplifier and filter.

    Returns
    -------
    tuple of float or None
        None where nothing fits.
    """
    t, scale = np.arange(len(current)) * dt, np.abs(current).max()

    def misfit(values: tuple[float, float, float, float]) -> np.ndarray:
        return (size * step_response(t, values, chain) - current) / scale

    # with no more access resistance than is corrected the clamp would be unstable
    return _fitted(misfit, (*guess, _STRAY), max(chain.corrected * 1.001, _LEAST_ACCESS))


def fit_potential(
    potential: np.ndarray,
    dt: float,
    size: float,
    guess: tuple[float, float, float],
    chain: Chain,
    *,
    length: int,
) -> tuple[float, float, float, float] | None:
    """Fit the same to a pulse of current clamp, and to what comes after it.

    Parameters
    ----------
    potential : array, shape (n,)
        From the pulse's start on, less what was before (V).
    dt : float
        Sampling interval (s).
    size : float
        Height of the pulse (A).
    guess : tuple of float
        Where to begin.
    chain : Chain
        Filter, and a bridge that is known.
    length : int
        Samples of the pulse; at most n.

    Returns
    -------
    tuple of float or None
        None where nothing fits.
    """
    on_t, on, on_weight = _thinned(potential[:length], dt)
    off_t, off, off_weight = _thinned(potential[length:], dt)
    every = np.concatenate([on_t, off_t + length * dt, off_t])
    scale = np.abs(on).max()
    weight, data = np.r_[on_weight, off_weight] / scale, np.r_[on, off]

    def misfit(values: tuple[float, float, float, float]) -> np.ndarray:
        found = size * potential_response(every, values, chain)
        model = found[: len(data)].copy()
        model[len(on) :] -= found[len(data) :]
        return weight * (model - data)

    return _fitted(misfit, (*guess, _STRAY), _LEAST_ACCESS)


def _thinned(y: np.ndarray, dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give times, values and weights: single samples at first, means where it is slow."""
    n = len(y)
    first = min(n, _SINGLE)
    parts = 1 + int(np.log(max(n / _SINGLE, 1)) / _GROWTH)
    later = np.geomspace(_SINGLE, max(n, _SINGLE), parts).astype(int)
    edges = np.unique(np.r_[np.arange(first), later])
    edges = edges[edges < n]
    count = np.diff(np.r_[edges, n])
    means = np.add.reduceat(y, edges) / count if n else y
    return (edges + (count - 1) / 2) * dt, means, np.sqrt(count)


def _fitted(
    misfit: Callable[[tuple[float, float, float, float]], np.ndarray],
    guess: tuple[float, float, float, float],
    least_access: float,
) -> tuple[float, float, float, float] | None:
    """Search the logarithms of the four values."""
    from scipy.optimize import least_squares

    def off(logs: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            found = misfit(tuple(np.exp(logs)))
        return np.clip(np.nan_to_num(found, nan=_FAR), -_FAR, _FAR)

    low = np.log([least_access, 1e-13, 1e5, 1e-15])
    high = np.log([1e9, 1e-8, 1e12, 2e-11])
    start = np.clip(np.log(guess), low + 1e-3, high - 1e-3)
    found = least_squares(off, start, bounds=(low, high))
    if not found.success:
        return None
    access, capacitance, resistance, stray = np.exp(found.x)
    return float(access), float(capacitance), float(resistance), float(stray)

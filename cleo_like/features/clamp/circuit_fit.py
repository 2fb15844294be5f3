"""The pulse of a voltage clamp: its whole circuit fitted, since no part need be slow.

With a correction the membrane charges nearly as fast as amplifier and filter answer, so that
no single exponential is left. The circuit is linear and all but the cell is known: access
resistance, capacitance and input resistance are what makes its step response the recorded
one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.features.clamp.chain import CLAMP_TIME, OUTPUT_TIME, filter_poles

if TYPE_CHECKING:
    from cleo_like.features.clamp.chain import Chain

_UNIT = 1e-4
"""Unit of time (s) of the polynomials: keeps their coefficients near 1."""
_FAR = 1e3
"""Misfit of values with which the circuit runs away."""
_STRAY = 0.2e-12
"""Start of the search for what is left of the pipette's capacitance (F)."""


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
    access, capacitance, resistance, stray = values
    poly = np.polynomial.polynomial
    lag = poly.polymul([1, chain.sum_time / _UNIT], [1, CLAMP_TIME / _UNIT])
    loop = poly.polymul(lag, [1, OUTPUT_TIME / _UNIT])
    membrane = np.array([1, resistance * capacitance / _UNIT])
    through = poly.polyadd(access * membrane, [resistance])
    flowing = poly.polyadd(membrane, poly.polymul([0, stray / _UNIT], through))
    clamp = poly.polysub(poly.polymul(loop, through), chain.corrected * flowing)
    poles = np.concatenate([poly.polyroots(clamp), filter_poles(chain.filtering) * _UNIT])
    # N(s)/D(s) as a gain over poles: at 0 it is 1 over the whole resistance
    gain = 1 / (access + resistance - chain.corrected)
    found = np.full(len(t), gain)
    for k, pole in enumerate(poles):
        others = np.delete(poles, k)
        residue = np.prod(-poles) / pole / np.prod(pole - others)
        residue = residue * poly.polyval(pole, flowing)
        found = found + (gain * residue * np.exp(pole * t / _UNIT)).real
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
    from scipy.optimize import least_squares

    t, scale = np.arange(len(current)) * dt, np.abs(current).max()

    def misfit(logs: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            model = size * step_response(t, tuple(np.exp(logs)), chain)
            off = (model - current) / scale
        return np.clip(np.nan_to_num(off, nan=_FAR), -_FAR, _FAR)

    # with no more access resistance than is corrected the clamp would be unstable
    low = np.log([max(chain.corrected * 1.001, 1e4), 1e-13, 1e5, 1e-15])
    start = np.maximum(np.log([*guess, _STRAY]), low + 1e-3)
    found = least_squares(misfit, start, bounds=(low, np.log([1e9, 1e-8, 1e12, 2e-11])))
    if not found.success:
        return None
    access, capacitance, resistance, stray = np.exp(found.x)
    return float(access), float(capacitance), float(resistance), float(stray)

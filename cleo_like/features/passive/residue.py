"""What a pulse shortly before the step leaves of the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.features.estimate import Estimate
    from cleo_like.features.stack import SweepStack

_MODEL = 0.1  # of the residue: sag and electrode, which one exponential does not have
_TIMES = 3.0  # how a relative error of tau grows in what is left 3 tau after a pulse
_NOTHING = 1e-3  # mV
_SHORTEST = 1e-3  # s: what is shorter is noise of a recorded command, not a pulse
_RECOVERED = 0.25  # s after a pulse: five time constants of all but the slowest cells


@attrs.frozen(kw_only=True, eq=False)
class Residue:
    """What is left of an earlier pulse, mean over the baseline.

    Parameters
    ----------
    values : array, shape (n_sweeps,)
        Of each sweep (mV).
    error : float
        Standard error (mV) that they share.
    reason : str
        Why it is not known; "" where it is.
    """

    values: np.ndarray
    error: float = 0.0
    reason: str = ""


def residue_of(
    stack: SweepStack,
    baseline: tuple[int, int],
    away: np.ndarray,
    *,
    resistance: Estimate,
    tau: Estimate,
) -> Residue:
    """Tell how far the membrane still is from rest in the baseline.

    Parameters
    ----------
    stack : SweepStack
        All sweeps.
    baseline : tuple of int
        Samples, half-open.
    away : array of bool
        Which samples before its end are, in any sweep, not at the first level of the current.
    resistance : Estimate
        Input resistance (MOhm).
    tau : Estimate
        Membrane time constant (s).

    Returns
    -------
    Residue
        Zero where the current was at its first level all the time before.
    """
    first, stop = baseline
    nothing = Residue(values=np.zeros(stack.n_sweeps))
    if not away[:first].any():
        return nothing
    from scipy.ndimage import binary_opening
    from scipy.signal import lfilter

    away = binary_opening(away, np.ones(round(_SHORTEST * stack.rate) or 1, dtype=bool))
    pulses = np.flatnonzero(away[:first])
    if stop <= first or pulses.size == 0:
        return nothing
    if not (resistance.known and tau.known):
        if first - pulses[-1] >= _RECOVERED * stack.rate:
            return nothing
        return attrs.evolve(
            nothing, reason="a pulse precedes, and how fast the cell recovers is not known"
        )
    kept = np.exp(-1 / (stack.rate * tau.value))
    volts = (
        1e-3
        * resistance.value
        * np.where(away, stack.current_pa[:, :stop] - stack.first_level(stop), 0.0)
    )
    left = lfilter([0.0, 1 - kept], [1.0, -kept], volts, axis=1)[:, first:].mean(axis=1)
    if np.abs(left).max() < _NOTHING:
        return nothing
    relative = [_MODEL] + [
        factor * one.error / one.value
        for factor, one in ((1.0, resistance), (_TIMES, tau))
        if np.isfinite(one.error)
    ]
    error = float(np.abs(left.mean()) * np.sqrt(np.square(relative).sum()))
    return Residue(values=left, error=error)

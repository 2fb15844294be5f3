"""Resistance across sweeps, where no sweep has a level before its step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.features.estimate import Estimate, widening
from cleo_like.features.passive.family import NO_STEP, steps_down

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.core.window import Window
    from cleo_like.features.stack import SweepStack

_LAST = 0.2  # of the step: taken for the steady state
_SETTLED = 0.02  # of the resistance: change from the part before, at most
_LEAST = 3  # sweeps: a line through fewer has no error


def across_sweeps(
    stack: SweepStack, step: Window, sweeps: Mapping[str, np.ndarray], lowest: float
) -> Estimate:
    """Slope (MOhm) of the potentials at the end of the steps on the currents.

    It needs no level before the step, but takes drift from sweep to sweep for an answer; the
    scatter about the line is its error.

    Examples
    --------
    >>> from cleo_like.core.window import Window
    >>> from cleo_like.features.stack import SweepStack
    >>> i = np.repeat([[-60.0], [-40.0], [-20.0]], 1000, axis=1)
    >>> stack = SweepStack(voltage_mv=-70 + 0.2 * i, current_pa=i, rate=1e4)
    >>> known = {"stim_amp": i[:, 0], "avg_rate": np.zeros(3)}
    >>> round(across_sweeps(stack, Window(start=0, end=0.1), known, -100.0).value, 6)
    200.0
    """
    quiet, amplitude = sweeps["avg_rate"] == 0, sweeps["stim_amp"]
    rows = np.union1d(
        steps_down(amplitude, quiet, lowest),
        np.flatnonzero(quiet & (np.abs(amplitude) <= NO_STEP)),
    )
    current = amplitude[rows]
    if np.unique(current.round(1)).size < _LEAST:
        return Estimate(reason=f"fewer than {_LEAST} currents for a line across sweeps")
    start, stop = stack.bounds(step)
    part = max(round(_LAST * (stop - start)), 1)
    ends = stack.voltage_mv[rows, stop - part : stop].mean(axis=1)
    before = stack.voltage_mv[rows, stop - 2 * part : stop - part].mean(axis=1)
    value, error = _line(current, ends)
    earlier, _ = _line(current, before)
    if abs(value - earlier) > max(_SETTLED * abs(value), error):
        return Estimate(reason="the potential has not settled at the end of the steps")
    if not value > 2 * 1.96 * error:
        return Estimate(reason="the potential does not answer the current")
    return Estimate(value=value, error=error)


def _line(current: np.ndarray, potential: np.ndarray) -> tuple[float, float]:
    """Slope (MOhm) and its error."""
    x = current - current.mean()
    slope = float(x @ potential) / float(x @ x)
    left = potential - potential.mean() - slope * x
    freedom = current.size - 2
    error = float(np.sqrt(left @ left / freedom / (x @ x))) * widening(freedom)
    return 1e3 * slope, 1e3 * error

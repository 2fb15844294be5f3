"""Vectors of the slow response: steps of one sign, and responses of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.features.vectors.waveforms import subsample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.features.long_square.cell import CellFeatures

EXTEND = 0.2
"""Time (s) before and after the step."""

SUBSAMPLE = 0.010
"""Length (s) of the means that make the vectors."""

_NORM_TARGET = -101.0  # pA
_STEADY = 0.1  # s


def _response(cell: CellFeatures, row: int, extend: float) -> np.ndarray:
    """Potential of a sweep from before to after the step, in 10 ms means."""
    stack, step = cell.stack, cell.window
    if step.start < extend or (step.end + extend) * stack.rate > stack.n_samples - 1:
        msg = f"the sweep has less than {extend * 1e3:g} ms on both sides of the step"
        raise InputError(msg)
    v = stack.voltage_mv[row, stack.index(step.start - extend) : stack.index(step.end + extend)]
    return subsample(v, round(SUBSAMPLE * stack.rate))


def _quiet(cell: CellFeatures, *, positive: bool) -> dict[float, int]:
    """Map current to sweep for subthreshold steps of one sign (the last of equal ones)."""
    amplitude = cell.sweeps["stim_amp"]
    sign = amplitude > 0 if positive else amplitude < 0
    rows = np.flatnonzero((cell.sweeps["avg_rate"] == 0) & sign)
    if rows.size == 0:
        kind = "depolarising" if positive else "hyperpolarising"
        msg = f"no subthreshold {kind} sweep"
        raise InputError(msg)
    return {float(amplitude[row]): int(row) for row in rows}


def step_vector(
    cell: CellFeatures,
    targets: Sequence[float],
    *,
    extend: float = EXTEND,
    tolerance: float = 0.0,
) -> np.ndarray:
    """Responses (mV) to hyperpolarising steps, one after the other, in 10 ms means.

    A missing step is estimated from its neighbours in current.
    """
    there = _quiet(cell, positive=False)
    parts = []
    for target in targets:
        near = [a for a in there if abs(a - target) <= tolerance + 1e-6]
        if near:
            parts.append(_response(cell, there[near[0]], extend))
        else:
            parts.append(_filled(cell, there, target, extend))
    return np.concatenate(parts)


def _filled(
    cell: CellFeatures, there: dict[float, int], target: float, extend: float
) -> np.ndarray:
    """Estimate a missing response: the mean of its neighbours, scaled to its current.

    Between two neighbours the step alone is scaled; beyond the last one all from its start.
    """
    amplitudes = np.array(sorted(there))
    below, above = amplitudes[amplitudes < target], amplitudes[amplitudes > target]
    nearest = [float(a) for a in (*below[-1:], *above[:1])]
    mean = np.mean([_response(cell, there[a], extend) for a in nearest], axis=0)
    first = round(extend / SUBSAMPLE)
    last = first + round(cell.window.duration / SUBSAMPLE) if len(nearest) == 2 else None
    base = mean[:first].mean()
    mean[first:last] = (mean[first:last] - base) * target / np.mean(nearest) + base
    return mean


def hyperpolarised_norm(cell: CellFeatures, *, extend: float = EXTEND) -> np.ndarray:
    """Response to the step nearest to -101 pA: baseline 0, peak deflection -1."""
    there = _quiet(cell, positive=False)
    amplitudes = np.array(list(there))
    row = there[float(amplitudes[np.abs(amplitudes - _NORM_TARGET).argmin()])]
    base, peak = cell.sweeps["v_baseline"][row], cell.sweeps["peak_deflect_v"][row]
    return (_response(cell, row, extend) - base) / (base - peak)


def depolarised_norm(cell: CellFeatures, *, extend: float = EXTEND) -> np.ndarray:
    """Response to the largest step without a spike: baseline 0, steady state 1."""
    there = _quiet(cell, positive=True)
    row = there[max(there)]
    base = cell.sweeps["v_baseline"][row]
    stack, end = cell.stack, cell.window.end
    steady = stack.voltage_mv[row, stack.index(end - _STEADY) : stack.index(end)].mean()
    return (_response(cell, row, extend) - base) / (steady - base)

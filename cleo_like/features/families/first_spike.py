"""The first spike of sweeps: where a ramp or a brief pulse makes the cell fire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.arrays import read_only
from cleo_like.features.long_square.atlas_row import mean_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.features.spikes.table import SpikeTable
    from cleo_like.features.stack import SweepStack

COLUMNS = (
    "threshold_i", "threshold_v", "peak_v", "upstroke", "downstroke",
    "upstroke_downstroke_ratio", "width", "fast_trough_v",
)  # fmt: skip
"""What is told of the first spike, beside its latency; names as of `SpikeTable`."""
_AT_END = 1e-3  # s: a peak so near to the end of a pulse may be that of its charging, and noise
_JUMP = 0.3e-3  # s after the onset in which the bridge's error and the filter are seen
_STEEPER = 2.0  # a membrane charges ever slower; what grows twice as steep makes a spike
_PARTS, _FEWEST = 4, 4  # parts of the rise, and samples that one needs at least
LATENCY, AMPLITUDE = "latency", "stimulus_amplitude"
ERRORS = ("error", "shared_error")


@attrs.frozen(kw_only=True)
class Measured:
    """Values of one family.

    Parameters
    ----------
    values, errors : mapping of str to float
        By column; errors as far as the noise or several sweeps tell them.
    reasons : mapping of str to str
        Why a value is missing.
    used : tuple of int
        Numbers of the sweeps that were measured.
    notes : tuple of str
        What is to be known.
    """

    values: Mapping[str, float]
    errors: Mapping[str, float] = attrs.field(factory=dict)
    reasons: Mapping[str, str] = attrs.field(factory=dict)
    used: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def first_spikes(table: SpikeTable, start: float) -> dict[str, np.ndarray]:
    """Give the features of the first spike of each sweep that fires.

    Parameters
    ----------
    table : SpikeTable
        All spikes.
    start : float
        Of the stimulus (s).

    Returns
    -------
    dict of str to array, shape (n_firing,)
        `COLUMNS`, the latency, their ``_error`` and ``_shared_error`` where the noise of the
        cell tells them, and ``row`` (of the stack).
    """
    firing = np.flatnonzero(table.counts)
    at = table.bounds[firing]
    out = {name: np.asarray(table[name], dtype=float)[at] for name in COLUMNS}
    out[LATENCY] = np.asarray(table["threshold_t"], dtype=float)[at] - start
    for name in (*COLUMNS, LATENCY):
        of_table = "threshold_t" if name == LATENCY else name
        for kind in ERRORS:
            if f"{of_table}_{kind}" in table.columns:
                out[f"{name}_{kind}"] = np.asarray(table[f"{of_table}_{kind}"])[at]
    return out | {"row": firing}


def without_charging(
    table: SpikeTable, stack: SweepStack, start: float, end: float
) -> SpikeTable:
    """Leave out peaks that a brief pulse makes by charging the membrane.

    A passive membrane rises ever slower from the onset and turns at the end of the pulse; a
    spike grows steeper on its way.

    Parameters
    ----------
    table : SpikeTable
        All that was taken for spikes.
    stack : SweepStack
        The sweeps that were searched.
    start, end : float
        Of the pulse (s).
    """
    peaks = np.asarray(table["peak_t"], dtype=float)
    keep = np.ones(len(table), dtype=bool)
    for k in np.flatnonzero(np.abs(peaks - end) <= _AT_END):
        keep[k] = _grows(stack, int(table["sweep"][k]), start, peaks[k])
    columns = {name: read_only(column[keep]) for name, column in table.columns.items()}
    return attrs.evolve(table, columns=columns)


def _grows(stack: SweepStack, row: int, start: float, peak: float) -> bool:
    """Whether the potential rises ever steeper between the onset and the peak.

    Slopes are fitted to four parts of that time, so that noise does not make them.
    """
    a, b = stack.index(start) + round(_JUMP * stack.rate), stack.index(peak) + 1
    width = (b - a) // _PARTS
    if width < _FEWEST:  # a peak at once: nothing charges so fast
        return True
    parts = stack.voltage_mv[row, b - _PARTS * width : b].reshape(_PARTS, width)
    ramp = np.arange(width) - (width - 1) / 2
    slopes = parts @ ramp / (ramp @ ramp)
    return bool(slopes.max() >= _STEEPER * max(slopes[0], 0.0))


def mean_over_sweeps(
    family: str, columns: Mapping[str, np.ndarray]
) -> tuple[dict[str, float], dict[str, float], dict[str, str]]:
    """Average over sweeps: values, standard errors, reasons.

    The error is what the noise makes of these spikes, or what the sweeps differ by, whichever
    is larger: two sweeps may agree by chance.
    """
    values, errors, reasons = {}, {}, {}
    for name, column in columns.items():
        if name.endswith(ERRORS):
            continue
        good = np.isfinite(column)
        label, known = f"{name}_{family}", column[good]
        values[label] = float(known.mean()) if known.size else np.nan
        if not known.size:
            reasons[label] = "not defined for the first spike of any sweep"
        found = [float(known.std(ddof=1) / np.sqrt(known.size))] if known.size > 1 else []
        own = [columns.get(f"{name}_{kind}") for kind in ERRORS]
        if own[0] is not None and own[1] is not None:
            found.append(mean_error(own[0][good], own[1][good]))
        found = [error for error in found if np.isfinite(error)]
        if found:
            errors[label] = max(found)
    return values, errors, reasons

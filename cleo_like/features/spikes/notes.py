"""What is to be said of the spikes of a recording: artefacts, saturation, slow events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.features.spikes.resampling.windows import flat_tops

if TYPE_CHECKING:
    from cleo_like.core.window import Window
    from cleo_like.features.spikes.table import SpikeTable
    from cleo_like.features.stack import SweepStack

_SLOW_BIN = 2e-3  # s: one sample in each is looked at
_SLOW_HEIGHT = 15.0  # mV on both sides
_SLOW_REACH = 0.1  # s on either side
_SLOW_EDGE = 0.02  # s from the step's edges, and from spikes


def spike_notes(stack: SweepStack, step: Window, table: SpikeTable) -> tuple[str, ...]:
    """Say what was not taken for a spike, and which spikes are cut off by the amplifier."""
    notes = []
    if table.artefacts is not None and table.artefacts.any():
        which = _listed(stack, np.flatnonzero(table.artefacts))
        notes.append(
            f"{int(table.artefacts.sum())} event(s) too brief or too near to the start of the "
            f"step for spikes, in sweep(s) {which}"
        )
    level = _saturation(stack, table)
    if np.isfinite(level):
        notes.append(
            f"spikes are cut off flat at {level:.4g} mV: peak_v is a lower bound, width and "
            "slopes are not those of the cell"
        )
    slow = _slow_events(stack, step, table)
    if slow.any():
        notes.append(
            f"{int(slow.sum())} slow event(s) of {_SLOW_HEIGHT:g} mV or more without a spike, "
            f"as calcium spikes make, in sweep(s) {_listed(stack, np.flatnonzero(slow))}: they "
            "are not counted"
        )
    return tuple(notes)


def resampling_notes(table: SpikeTable) -> tuple[str, ...]:
    """Say what was undone, and which upstrokes are lower bounds only."""
    how = table.resampling
    if how is None or not len(table):
        return ()
    if how.reason:
        return (f"shapes of spikes are those of the samples, without errors: {how.reason}",)
    filtered = how.filtered
    if filtered is None:
        notes = [
            "the amplifier's filter is not stated: spikes are those of the recorded potential"
        ]
    else:
        notes = [] if filtered.is_none else [f"{filtered.text()} undone in spikes"]
    if how.bounds:
        typical = float(np.nanmedian(table["time_bandwidth"]))
        loss = "unknown" if abs(how.lost) > 1 else f"{100 * how.lost:.2g} %"
        notes.append(
            f"the upstroke of {how.bounds} of {how.count} spikes is a lower bound: they are "
            f"faster than rate, filter or noise let see (seen up to "
            f"{how.bandwidth / 1e3:.3g} kHz, times the upstroke's time {typical:.2f}; 0.9 and "
            f"a loss below 3.5 % are needed, here {loss})"
        )
    return tuple(notes)


def _listed(stack: SweepStack, rows: np.ndarray) -> str:
    return ", ".join(str(stack.numbers[row]) for row in rows.tolist())


def _saturation(stack: SweepStack, table: SpikeTable) -> float:
    """Level (mV) at which half of the spikes or more are cut off flat; NaN if there is none."""
    if len(table) < 2:
        return np.nan
    sweep, peak = table["sweep"], table["peak_index"].astype(int)
    flat = flat_tops(stack, sweep, peak)
    levels, counts = np.unique(stack.voltage_mv[sweep, peak][flat], return_counts=True)
    if counts.size and counts.max() >= max(2, len(table) / 2):
        return float(levels[counts.argmax()])
    return np.nan


def _slow_events(stack: SweepStack, step: Window, table: SpikeTable) -> np.ndarray:
    """Count the broad maxima of each sweep that hold no spike."""
    from scipy.signal import find_peaks

    out = np.zeros(stack.n_sweeps, dtype=int)
    width = max(1, round(_SLOW_BIN * stack.rate))
    start, end = stack.bounds(step)
    edge = round(_SLOW_EDGE * stack.rate)
    begin, count = start + edge, (end - start - 2 * edge) // width
    if count < 3:
        return out
    reach = 2 * round(_SLOW_REACH / _SLOW_BIN) + 1
    some = stack.voltage_mv[:, begin : begin + count * width : width]
    bounds, peaks = table.bounds, table["peak_index"]
    for row in np.flatnonzero(np.ptp(some, axis=1) >= _SLOW_HEIGHT).tolist():
        top, _ = find_peaks(some[row], prominence=_SLOW_HEIGHT, wlen=reach)
        spikes = peaks[bounds[row] : bounds[row + 1]]
        at = begin + top * width
        near = np.searchsorted(spikes, at + edge) > np.searchsorted(spikes, at - edge)
        out[row] = (~near).sum()
    return out

"""Shapes of the true spikes, between samples, by the definitions of the native extractor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.features.spikes.resampling.bootstrap import rebuilt
from cleo_like.features.spikes.resampling.points import Hints, points
from cleo_like.features.spikes.resampling.windows import AFTER, Grid, cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.core.window import Window
    from cleo_like.features.stack import SweepStack

_FALL = 0.6e-3  # s after the steepest sample
_ROOM = 0.5e-3  # s at the end of the window
_FRACTION = 0.05  # of the mean upstroke: the threshold


def between_samples(
    stack: SweepStack, step: Window, columns: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Measure spikes on a clean trace, interpolated as its samples determine it.

    Parameters
    ----------
    stack : SweepStack
        Noise-free and unfiltered.
    step : Window
        The step.
    columns : mapping of str to array, shape (n_spikes,)
        The spikes as samples.

    Returns
    -------
    dict of str to array
        The same columns; times, potentials, slopes and widths are no longer those of
        samples, but for the troughs.
    """
    from scipy.fft import rfft

    out = dict(columns)
    if not columns["sweep"].size:
        return out
    grid, sweep = Grid.of(stack.rate), columns["sweep"].astype(int)
    peak, threshold = (columns[f"{k}_index"].astype(int) for k in ("peak", "threshold"))
    windows = cut(stack, sweep, peak, grid)
    course = rebuilt(rfft(windows.x, axis=1), np.ones(grid.frequencies.size), grid)
    last = np.append(sweep[1:] != sweep[:-1], True)
    end = np.where(last, stack.bounds(step)[1], np.append(threshold[1:], 0)) - peak
    nothing, fall = np.zeros(peak.size), columns["downstroke_t"] - columns["peak_t"] + _FALL
    hints = Hints(
        threshold=(threshold - peak) / grid.rate, peak=nothing, target=nothing, level=nothing,
        following=np.minimum(end / grid.rate, AFTER - _ROOM),
        fall=np.where(np.isfinite(fall), fall, AFTER),
        trough=columns["fast_trough_v"] - windows.level,
    )  # fmt: skip
    found: dict[str, np.ndarray] = {}
    for name in ("upstroke", "downstroke", "peak_v"):
        found |= points(name, course, hints)
    mean = np.bincount(sweep, found["upstroke"]) / np.maximum(np.bincount(sweep), 1)
    hints = hints.having(target=_FRACTION * mean[sweep])
    found |= points("threshold_v", course, hints)
    found |= points("width", course, hints.having(level=found["threshold_v"]))
    for name in ("peak", "threshold"):
        found[f"{name}_v"] += windows.level
        found[f"{name}_t"] = np.maximum(found[f"{name}_t"] + peak / grid.rate, step.start)
    found["upstroke_downstroke_ratio"] = found["upstroke"] / -found["downstroke"]
    for name in ("upstroke_t", "downstroke_t"):
        found[name] = found[name] + peak / grid.rate
    for name, values in found.items():
        known = np.isfinite(values) & np.isfinite(columns[name])
        out[name] = np.where(known, values, columns[name])
    return out

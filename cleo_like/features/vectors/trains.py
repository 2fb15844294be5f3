"""Vectors of spike trains: rates and spike features in bins of equal width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.features.parameters import in_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core.units import Quantity
    from cleo_like.features.long_square.cell import CellFeatures

PSTH_WIDTH = 0.050
"""Width (s) of the bins in which spikes are counted."""

WIDTH = 0.020
"""Width (s) of the bins of rates and of spike features."""


def spiking_rows(
    cell: CellFeatures, above: Sequence[float], tolerance: float = 0.0
) -> list[int | None]:
    """Sweep at each current above rheobase, None where there is none."""
    rheobase = cell.values["rheobase_i"]
    amplitude, rate = cell.sweeps["stim_amp"], cell.sweeps["avg_rate"]
    spiking = np.flatnonzero(rate > 0)
    out: list[int | None] = []
    for target in above:
        off = np.abs(amplitude[spiking] - rheobase - target)
        hit = np.flatnonzero(off <= tolerance + 1e-6)
        out.append(int(spiking[hit[0]]) if hit.size else None)
    return out


def _seconds(width: Quantity) -> float:
    """Width (s) of bins from a quantity, or a number in s."""
    found = in_unit("s", "width")(width)
    if not found > 0:
        msg = f"width must be above 0 s, got {width}"
        raise InputError(msg)
    return found


def bins(duration: float, width: float) -> int:
    """Count the whole bins of a width (s) in a duration (s)."""
    return int(np.floor(duration / width + 1e-6))


def psth(
    cell: CellFeatures, rows: Sequence[int | None], *, width: Quantity = PSTH_WIDTH
) -> np.ndarray:
    """Count spikes in bins of `width` (a quantity, or s); rates (Hz), sweep after sweep."""
    width = _seconds(width)
    count = bins(cell.window.duration, width)

    def one(t: np.ndarray) -> np.ndarray:
        k = np.floor((t - cell.window.start) / width).astype(int)
        return np.bincount(k[(k >= 0) & (k < count)], minlength=count) / width

    return _joined([None if r is None else one(_times(cell, r)) for r in rows])


def instantaneous_rate(
    cell: CellFeatures, rows: Sequence[int | None], *, width: Quantity = WIDTH
) -> np.ndarray:
    """Instantaneous rate (Hz) in bins of `width` (s), sweep after sweep.

    At the start it is one over the latency, at a spike one over the mean of the intervals
    on both sides, at the end one over the last interval or, if that is longer, over the
    time since the last spike.
    """
    step, width = cell.window, _seconds(width)
    count = bins(step.duration, width)

    def one(t: np.ndarray) -> np.ndarray:
        times, rates = _rates(t, step.start, step.end)
        return _binned(times - step.start, rates, width, count)

    return _joined([None if r is None else one(_times(cell, r)) for r in rows])


def _rates(t: np.ndarray, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    gaps = np.diff(np.concatenate(([start], t)))
    rest = end - t[-1]
    last = gaps[-1] if t.size > 1 and rest < gaps[-1] else rest
    after = np.append(gaps[1:], last)
    at_spikes = 2.0 / (gaps + after)
    if t.size > 1 and rest < gaps[-1]:
        at_spikes[-1] = 1.0 / gaps[-1]
    # the end belongs to the last bin
    times = np.concatenate(([start], t, [np.nextafter(end, start) - 1e-9]))
    return times, np.concatenate(([1.0 / gaps[0]], at_spikes, [1.0 / last]))


def spike_vector(
    cell: CellFeatures, rows: Sequence[int | None], name: str, *, width: Quantity = WIDTH
) -> np.ndarray:
    """Mean of a spike feature in bins of `width` (s), empty bins interpolated."""
    width = _seconds(width)
    count = bins(cell.window.duration, width)

    def one(row: int) -> np.ndarray:
        spikes = cell.spikes.of(row)
        good = np.isfinite(spikes[name]) & ~spikes["clipped"]
        t = spikes["threshold_t"] - cell.window.start
        return _binned(t[good], spikes[name][good], width, count)

    return _joined([None if r is None else one(r) for r in rows])


def _binned(t: np.ndarray, values: np.ndarray, width: float, count: int) -> np.ndarray:
    """Mean of the values in each bin; empty bins are interpolated."""
    k = np.floor(t / width).astype(int)
    inside = (k >= 0) & (k < count)
    if not inside.any():
        return np.full(count, np.nan)
    n = np.bincount(k[inside], minlength=count)
    total = np.bincount(k[inside], values[inside], minlength=count)
    full = np.flatnonzero(n)
    return np.interp(np.arange(count), full, total[full] / n[full])


def _times(cell: CellFeatures, row: int) -> np.ndarray:
    return cell.spikes.of(row)["threshold_t"]


def _joined(parts: Sequence[np.ndarray | None]) -> np.ndarray:
    """Lay sweeps end to end; a missing one is the mean of its nearest neighbours."""
    found = {k: part for k, part in enumerate(parts) if part is not None}
    there = list(found)
    if not there:
        msg = "no spiking sweep at any of the currents above rheobase"
        raise InputError(msg)
    out = []
    for k in range(len(parts)):
        below = [j for j in there if j <= k] or there[:1]
        above = [j for j in there if j >= k] or there[-1:]
        out.append(np.mean([found[below[-1]], found[above[0]]], axis=0))
    return np.concatenate(out)

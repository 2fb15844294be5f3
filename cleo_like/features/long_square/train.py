"""The spike train of each sweep: rate, latency, intervals, adaptation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.features.spikes import ragged

if TYPE_CHECKING:
    from cleo_like.core.window import Window
    from cleo_like.features.spikes.table import SpikeTable

NAMES = (
    "n_spikes", "avg_rate", "latency", "first_isi", "mean_isi", "median_isi", "isi_cv", "adapt",
)  # fmt: skip


def train_features(table: SpikeTable, step: Window) -> dict[str, np.ndarray]:
    """Describe the train of every sweep.

    Parameters
    ----------
    table : SpikeTable
        Spikes of the sweeps.
    step : Window
        The step: rate and latency refer to it.

    Returns
    -------
    dict of str to array, shape (n_sweeps,)
        ``n_spikes``; ``avg_rate`` (Hz); ``latency``, ``first_isi``, ``mean_isi``,
        ``median_isi`` (s); ``isi_cv`` (population SD / mean); ``adapt``, the mean of
        (next - this) / (next + this) over successive intervals. NaN where there are too
        few spikes.
    """
    sweep, t = table["sweep"], table["threshold_t"]
    n = table.n_sweeps
    counts = table.counts
    inside = (t >= step.start) & (t <= step.end)
    out = {
        "n_spikes": counts,
        "avg_rate": np.bincount(sweep[inside], minlength=n) / step.duration,
        "latency": np.full(n, np.nan),
    }
    spiking = counts > 0
    out["latency"][spiking] = t[table.bounds[:-1][spiking]] - step.start
    same = ~ragged.group_ends(sweep)[:-1] if sweep.size else np.zeros(0, dtype=bool)
    return out | _intervals(sweep[:-1][same], np.diff(t)[same], n)


def _intervals(sweep: np.ndarray, isi: np.ndarray, n: int) -> dict[str, np.ndarray]:
    count = np.bincount(sweep, minlength=n)
    some = count > 0
    per = np.where(some, count, np.nan)
    mean = np.bincount(sweep, isi, minlength=n) / per
    spread = np.bincount(sweep, (isi - mean[sweep]) ** 2, minlength=n) / per
    start = np.searchsorted(sweep, np.arange(n))
    first, median = np.full(n, np.nan), np.full(n, np.nan)
    first[some] = isi[start[some]]
    ordered = isi[np.lexsort((isi, sweep))]
    low, high = start + (count - 1) // 2, start + count // 2
    median[some] = (ordered[low[some]] + ordered[high[some]]) / 2
    pair = ~ragged.group_ends(sweep)[:-1] if sweep.size else np.zeros(0, dtype=bool)
    change = ((isi[1:] - isi[:-1]) / (isi[1:] + isi[:-1]))[pair]
    pairs = np.bincount(sweep[:-1][pair], minlength=n)
    adapt = np.bincount(sweep[:-1][pair], change, minlength=n) / np.where(
        pairs > 0, pairs, np.nan
    )
    return {
        "first_isi": first,
        "mean_isi": mean,
        "median_isi": median,
        "isi_cv": np.sqrt(spread) / mean,
        "adapt": adapt,
    }

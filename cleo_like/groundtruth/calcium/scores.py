"""Scores of one method on one recording, each cell by itself.

* ``corr_25`` ... ``corr_1000``: correlation of true and inferred rate, both smoothed by a
  Gaussian of that SD (ms);
* ``f1``: events that are each other's nearest within 0.1 s (or a frame); spikes nearer than
  that are one event;
* ``rate_bias``: inferred over true mean rate, minus 1, for methods that give spikes/s;
* ``noise_ratio``: stated over true SD of the noise of a frame, where both are known;
* ``lag``: frames by which the answer is late; ``events_per_event``, ``false_per_minute``.

An answer that is missing or constant counts as a correlation and an F1 of 0: NaN is never
right. Cells without a spike have no correlation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.groundtruth.scores.spikes import paired

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.groundtruth.calcium.chain import Imaged

BANDWIDTHS = (25, 50, 100, 200, 1000)
"""SDs of the Gaussian (ms)."""
CORRELATIONS = tuple(f"corr_{ms}" for ms in BANDWIDTHS)
TOLERANCE = 0.1
"""Seconds between a true event and one that counts as it, and between events that are one."""
SILENCE = 3.0
"""Seconds after the last spike from which on an event is false (6 s for GCaMP6s)."""
_LAGS = 5
_REACH = 4.0  # SDs of the Gaussian
_SLOW = ("gcamp6s",)

Columns = dict[str, np.ndarray]


def cell_scores(arrays: Mapping[str, np.ndarray], truth: Imaged) -> Columns:
    """Score every cell.

    Parameters
    ----------
    arrays : mapping of str to array
        Answer of a method (see `calcium.methods`).
    truth : Imaged
        Its recording.

    Returns
    -------
    dict of str to array, shape (n_cells,)
        Scores, and what they are made of; NaN where a score makes no sense for a cell.
    """
    seen = np.isfinite(truth.dff)
    n = len(truth.dff)
    trace = arrays.get("rate", arrays.get("trace", np.full(truth.dff.shape, np.nan)))
    true = np.where(seen, truth.counts, 0.0)
    missing = (~np.isfinite(trace) & seen).any(axis=1)
    given = np.where(seen & ~missing[:, None], trace, 0.0)
    fires = true.sum(axis=1) > 0
    constant = ~missing & (_spread(given, seen) <= 1e-12 * np.abs(given).max(axis=1, initial=0))
    out: Columns = {
        "spikes": true.sum(axis=1), "missing": missing.astype(float),
        "constant": constant.astype(float),
    }  # fmt: skip
    for ms, name in zip(BANDWIDTHS, CORRELATIONS, strict=True):
        sd = ms * 1e-3 * truth.frame_rate
        r = correlation(smoothed(true, seen, sd), smoothed(given, seen, sd), seen)
        r = np.where(missing | constant | ~np.isfinite(r), 0.0, r)
        out[name] = np.where(fires, r, np.nan)
    answered = fires & ~missing & ~constant
    out["lag"] = np.where(answered, lag(true, given, seen), np.nan)
    out["rate_bias"] = np.full(n, np.nan)
    if "rate" in arrays:
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = given.sum(axis=1) / truth.frame_rate
            bias = mean / true.sum(axis=1) - 1
        out["rate_bias"] = np.where(fires & ~missing, bias, np.nan)
    noise = arrays.get("noise", np.full(n, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = noise / truth.noise_sd
    out["noise_ratio"] = np.where(np.isfinite(ratio), ratio, np.nan)
    return out | event_scores(arrays.get("events"), truth)


def _spread(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    high = np.where(seen, values, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(seen, values, np.inf).min(axis=1, initial=np.inf)
    return np.asarray(np.maximum(high - low, 0.0))


def smoothed(values: np.ndarray, seen: np.ndarray, sd: float) -> np.ndarray:
    """Smooth rows by a Gaussian (SD in frames) over the frames that there are.

    Parameters
    ----------
    values : array, shape (n_cells, n_frames)
        0 where there is no frame.
    seen : array of bool, same shape
        Where there is one.
    sd : float
        Frames.
    """
    from scipy.ndimage import gaussian_filter1d

    def smooth(rows: np.ndarray) -> np.ndarray:
        return gaussian_filter1d(rows, sd, axis=1, mode="constant", truncate=_REACH)

    weight = smooth(seen.astype(float))
    return np.divide(smooth(values), weight, out=np.zeros_like(weight), where=weight > 1e-9)


def correlation(one: np.ndarray, other: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Correlate rows over the frames that there are; NaN where one is constant."""
    total = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    a = np.where(seen, one - (one * seen).sum(axis=1, keepdims=True) / total, 0.0)
    b = np.where(seen, other - (other * seen).sum(axis=1, keepdims=True) / total, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))


def lag(true: np.ndarray, given: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Give by how many frames an answer is late: where its correlation is largest."""
    found = []
    for late in range(-_LAGS, _LAGS + 1):
        moved = np.zeros_like(true)
        if late >= 0:
            moved[:, late:] = true[:, : true.shape[1] - late]
        else:
            moved[:, :late] = true[:, -late:]
        found.append(np.nan_to_num(correlation(moved, given, seen), nan=-1.0))
    order = np.argsort(np.abs(np.arange(-_LAGS, _LAGS + 1)), kind="stable")
    best = np.array(found)[order].argmax(axis=0)  # of two that are equal, the nearer to 0
    return (order[best] - _LAGS).astype(float)


def event_scores(events: np.ndarray | None, truth: Imaged) -> Columns:
    """Count events of every cell: found, false and missed ones.

    Parameters
    ----------
    events : array, shape (n_cells, n_frames), optional
        Sizes; None where the method gives none, and all scores are NaN.
    truth : Imaged
        Its recording.
    """
    n = len(truth.dff)
    names = ("hits", "false", "missed", "f1", "events_per_event", "false_per_minute")
    if events is None:
        return {name: np.full(n, np.nan) for name in names}
    seen = np.isfinite(truth.dff)
    rate = truth.frame_rate
    gone = (~np.isfinite(events) & seen).any(axis=1)
    there = (np.nan_to_num(events) > 0) & seen & ~gone[:, None]
    gap = TOLERANCE * rate
    true_row, true_frame = _groups((truth.counts > 0) & seen, gap)
    row, frame = _groups(there, gap)
    a, _ = paired(true_row, true_frame / rate, row, frame / rate, _within(rate))
    hits = np.bincount(true_row[a], minlength=n).astype(float)
    false = np.bincount(row, minlength=n) - hits
    missed = np.bincount(true_row, minlength=n) - hits
    quiet = silent(truth) & seen
    minutes = quiet.sum(axis=1) / rate / 60
    in_silence = np.bincount(row[quiet[row, frame]], minlength=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        f1 = 2 * hits / (2 * hits + false + missed)
        per_event = (hits + false) / (hits + missed)
        per_minute = in_silence / minutes
    return {
        "hits": hits, "false": false, "missed": missed,
        "f1": np.where(gone & (hits + missed > 0), 0.0, f1),
        "events_per_event": np.where(np.isfinite(per_event) & ~gone, per_event, np.nan),
        "false_per_minute": np.where((minutes > 0) & ~gone, per_minute, np.nan),
    }  # fmt: skip


def _within(rate: float) -> float:
    """Give the tolerance; frames are not told apart by the rounding of their times."""
    return max(TOLERANCE, 1 / rate) + 1e-6


def silent(truth: Imaged) -> np.ndarray:
    """Say which frames have had no spike for so long that its response is over."""
    gap = SILENCE * (2 if truth.indicator.startswith(_SLOW) else 1) * truth.frame_rate
    place = np.where(truth.counts > 0, np.arange(truth.counts.shape[1]), 0)
    last = np.maximum.accumulate(place, axis=1)  # spikes before the first frame are not known
    return np.arange(truth.counts.shape[1]) - last > gap


def _groups(there: np.ndarray, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Give row and first frame of every event; frames within `gap` of the last are of it."""
    row, frame = np.nonzero(there)
    if row.size == 0:
        return row, frame
    first = np.r_[True, (np.diff(row) > 0) | (np.diff(frame) > gap + 1e-9)]
    return row[first], frame[first]

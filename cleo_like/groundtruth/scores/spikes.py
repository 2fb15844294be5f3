"""Scores of detected spikes, and of the matcher."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.matching import match

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.core import Recording
    from cleo_like.core.window import Window
    from cleo_like.groundtruth.truth.exact import Truth

WIDE, NARROW = 1e-3, 0.2e-3
"""Seconds between a true spike and one that counts as it."""
COINCIDENCE = 2e-3
"""Seconds of the coincidence factor (Kistler, Gerstner & van Hemmen 1997; 2 ms as in Jolivet
et al. 2008, J Neurosci Methods 169:417)."""
_APART = 1e4  # s between sweeps when they are laid one after another


def paired(
    true_sweep: np.ndarray,
    true_time: np.ndarray,
    sweep: np.ndarray,
    time: np.ndarray,
    within: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Pair spikes that are each other's nearest and not further apart than `within`.

    Parameters
    ----------
    true_sweep, true_time : array, shape (n_true,)
        True spikes (s).
    sweep, time : array, shape (n_found,)
        Found spikes (s).
    within : float
        Seconds.

    Returns
    -------
    tuple of two arrays of int
        Places among the true ones and among the found ones; each occurs once.

    Examples
    --------
    >>> one = np.zeros(2)
    >>> paired(one, np.array([0.1, 0.2]), one, np.array([0.1004, 0.3]), 1e-3)
    (array([0]), array([0]))
    """
    a, b = true_sweep * _APART + true_time, sweep * _APART + time
    known = np.flatnonzero(np.isfinite(b))
    order_a, order_b = np.argsort(a, kind="stable"), known[np.argsort(b[known], kind="stable")]
    if a.size == 0 or order_b.size == 0:
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    left, right = a[order_a], b[order_b]
    to_right, to_left = _nearest(left, right), _nearest(right, left)
    mutual = to_left[to_right] == np.arange(left.size)
    # differences from the times themselves: the offset of the sweep costs digits
    first, second = order_a[mutual], order_b[to_right[mutual]]
    near = (true_sweep[first] == sweep[second]) & (
        np.abs(true_time[first] - time[second]) <= within
    )
    return first[near], second[near]


def _nearest(of: np.ndarray, among: np.ndarray) -> np.ndarray:
    after = np.clip(np.searchsorted(among, of), 1, max(among.size - 1, 1))
    if among.size == 1:
        return np.zeros(of.size, dtype=int)
    earlier = np.abs(of - among[after - 1]) <= np.abs(of - among[after])
    return after - earlier


def spike_scores(
    truth: Truth, spikes: Mapping[str, np.ndarray], n_sweeps: int
) -> dict[str, float]:
    """Score the detected spikes of a recording.

    Those that the cell fires outside the step are neither right nor wrong.

    Parameters
    ----------
    truth : Truth
        Times of all spikes.
    spikes : mapping of str to array
        ``sweep`` and ``peak_t`` (or ``threshold_t``).
    n_sweeps : int
        Of the recording.
    """
    true = truth.times
    sweep = np.asarray(spikes.get("sweep", ()), dtype=float)
    time = spikes.get("peak_t", spikes.get("threshold_t"))
    time = np.full(sweep.size, np.nan) if time is None else np.asarray(time, dtype=float)
    inside = true["inside"].astype(bool)
    out: dict[str, float] = {"true": float(inside.sum())}
    errors = np.zeros(0)
    for label, within in (("1ms", WIDE), ("0.2ms", NARROW)):
        a, b = paired(true["sweep"], true["t"], sweep, time, within)
        hit = inside[a]
        right = int(hit.sum())
        out[f"hits_{label}"] = right
        out[f"false_{label}"] = int(sweep.size - hit.size)
        out[f"missed_{label}"] = int(inside.sum()) - right
        if label == "1ms":
            errors = time[b[hit]] - true["t"][a[hit]]
    out["found"] = out["hits_1ms"] + out["false_1ms"]
    out["time_error"] = float(np.median(errors)) if errors.size else np.nan
    out["coincidence"] = _coincidence(truth, sweep, time, n_sweeps)
    return out


def shifted_hits(
    truth: Truth, spikes: Mapping[str, np.ndarray], shift: float
) -> tuple[int, int]:
    """Count the true spikes that are met within 1 ms by times, and by times that are later.

    Parameters
    ----------
    truth : Truth
        Times of all spikes.
    spikes : mapping of str to array
        ``sweep`` and ``peak_t``.
    shift : float
        By how much later (s).
    """
    true, time = truth.times, np.asarray(spikes["peak_t"], dtype=float)
    found = [
        paired(true["sweep"], true["t"], spikes["sweep"], time + by, WIDE)[0].size
        for by in (0.0, shift)
    ]
    return found[0], found[1]


def ratios(hits: float, false: float, missed: float) -> tuple[float, float, float]:
    """Give precision, recall and F1; NaN where there is nothing to find or found.

    Examples
    --------
    >>> ratios(9, 1, 0)
    (0.9, 1.0, 0.9473684210526315)
    """
    precision = hits / (hits + false) if hits + false else np.nan
    recall = hits / (hits + missed) if hits + missed else np.nan
    total = 2 * hits + false + missed
    return precision, recall, 2 * hits / total if total else np.nan


def _coincidence(truth: Truth, sweep: np.ndarray, time: np.ndarray, n_sweeps: int) -> float:
    """Mean over the sweeps that fire of the coincidence factor: 1 exact, 0 as by chance."""
    true, length = truth.times, truth.window.duration
    inside = true["inside"].astype(bool)
    within = (time >= truth.window.start) & (time < truth.window.end + COINCIDENCE)
    a, _ = paired(
        true["sweep"][inside], true["t"][inside], sweep[within], time[within], COINCIDENCE
    )
    n_true = np.bincount(true["sweep"][inside].astype(int), minlength=n_sweeps)
    n_found = np.bincount(sweep[within].astype(int), minlength=n_sweeps)
    n_both = np.bincount(true["sweep"][inside][a].astype(int), minlength=n_sweeps)
    chance = 2 * (n_found / length) * COINCIDENCE
    fires = (n_true > 0) & (chance < 1)
    if not fires.any():
        return float("nan")
    expected = chance * n_true
    with np.errstate(invalid="ignore"):
        factor = (n_both - expected) / (0.5 * (n_true + n_found)) / (1 - chance)
    return float(factor[fires].mean())


def matcher_scores(
    recording: Recording, window: Window, *, is_long_square: bool
) -> dict[str, float]:
    """Score the protocol matcher on one recording.

    Parameters
    ----------
    recording : Recording
        Without a description of its protocol.
    window : Window
        The true step.
    is_long_square : bool
        Whether its sweeps are long squares.

    Returns
    -------
    dict
        ``hits``, ``false`` and ``missed`` sweeps; errors of both edges (s).
    """
    found = match(recording)
    n, took = recording.n_sweeps, len(found.long_square_sweeps)
    out = {
        "hits": float(took if is_long_square else 0),
        "false": float(0 if is_long_square else took),
        "missed": float(n - took if is_long_square else 0),
        "start_error": np.nan, "end_error": np.nan,
    }  # fmt: skip
    if is_long_square and found.window is not None and took:
        out["start_error"] = found.window[0] - window.start
        out["end_error"] = found.window[1] - window.end
    return out

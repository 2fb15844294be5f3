"""Pauses and bursts in a train, from the lengths and the kinds of its intervals.

The definitions are those that ipfx 2.1.2 has (its extractor cannot reach them any more). An
interval is "direct" or a "detour" by the way the potential takes to the next spike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cleo_like.core.window import Window
    from cleo_like.features.spikes.table import SpikeTable

_LONG = 3.0  # times the median direct interval: so long a direct one may be a pause
_TOLERANCE = 0.5  # mV: a detour that stays this near to the threshold is within a burst
_LENGTH_COST = 0.1  # of each further interval of a burst
_EDGE_COST = 0.01  # of an interval beside a burst, times its length over that of its trough
_ALL = -1e12  # score where nothing is outside the bursts
_DIRECT, _DETOUR, _WITHIN, _PAUSE = range(4)


@attrs.frozen(kw_only=True)
class Burst:
    """Intervals [start, stop) and how much faster they are than those beside them."""

    start: int
    stop: int
    index: float


def pauses(isi: np.ndarray, detour: np.ndarray, *, cost: float = 1.0) -> np.ndarray:
    """Find the intervals that are pauses in ongoing firing.

    Candidates are the detours, then direct intervals longer than 3 times the median of the
    direct ones. They are set aside one after the other as long as that makes the others
    more regular: the coefficient of variation must fall by more than `cost` times the sum
    of SD / |mean - candidate|, mean and SD those of the others.

    Parameters
    ----------
    isi : array, shape (n,)
        Intervals (s).
    detour : array of bool, shape (n,)
        Whether each is a detour.
    cost : float
        Higher values give fewer pauses.

    Returns
    -------
    array of int
        Places of the pauses, in order.

    Examples
    --------
    >>> pauses(np.array([0.02, 0.021, 0.2, 0.019, 0.02]), np.zeros(5, dtype=bool))
    array([2])
    """
    none = np.zeros(0, dtype=int)
    direct = ~detour
    if not direct.any():
        return none
    long = direct & (isi > _LONG * np.median(isi[direct]))
    order = np.concatenate((np.flatnonzero(detour), np.flatnonzero(long)))
    order = order[: max(isi.size - 2, 0)]  # two must be left
    if order.size == 0:
        return none
    place = np.full(isi.size, order.size)
    place[order] = np.arange(order.size)
    net = _net_gain(isi, place, order, cost)
    best = np.fmax(np.fmax.accumulate(net), 0.0)
    worse = np.flatnonzero((net[1:] > 0) & (net[1:] < best[:-1]))
    taken = int(worse[0]) + 1 if worse.size else order.size
    return np.sort(order[:taken]) if best[taken - 1] > 0 else none


def _net_gain(isi: np.ndarray, place: np.ndarray, order: np.ndarray, cost: float) -> np.ndarray:
    """Regularity won, less the cost, when the first 1, 2 ... candidates are set aside."""
    left = place > np.arange(order.size)[:, None]
    count = left.sum(axis=1)
    mean = np.where(left, isi, 0.0).sum(axis=1) / count
    away = np.where(left, isi - mean[:, None], 0.0)
    spread = np.sqrt((away**2).sum(axis=1) / count)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = spread[:, None] / np.abs(mean[:, None] - isi[order])
    set_aside = np.tri(order.size, dtype=bool)
    total = np.where(set_aside, each, 0.0).sum(axis=1)
    return isi.std() / isi.mean() - spread / mean - cost * total


def bursts(
    isi: np.ndarray,
    detour: np.ndarray,
    *,
    trough_time: np.ndarray,
    trough_height: np.ndarray,
    apart: np.ndarray | None = None,
) -> list[Burst]:
    """Find the bursts of a train.

    A burst begins with a direct interval after a detour (or at the start) and ends before
    the next detour; one that a pause ends is none. Of these the set is kept whose mean
    score does not rise when the worst is left out. The score compares the shortest
    interval in the burst with the shortest outside, less a cost for length and for troughs
    that are short compared with their interval.

    Parameters
    ----------
    isi : array, shape (n,)
        Intervals (s).
    detour : array of bool, shape (n,)
        Whether each is a detour.
    trough_time : array, shape (n,)
        From fast to slow trough (s); NaN in direct intervals.
    trough_height : array, shape (n,)
        Slow trough above the threshold before (mV): a detour that stays near it is
        within a burst.
    apart : array of int, optional
        Places of the pauses, if they are known already.

    Returns
    -------
    list of Burst
        In order; empty where there is none.

    Examples
    --------
    >>> isi = np.array([0.004, 0.012, 0.015, 0.004, 0.012, 0.015])
    >>> slow = isi > 0.013
    >>> found = bursts(isi, slow, trough_time=np.where(slow, 0.01, np.nan),
    ...                trough_height=np.where(slow, -9.0, np.nan))
    >>> [(b.start, b.stop) for b in found], round(found[0].index, 3)
    ([(0, 2), (3, 5)], 0.579)
    """
    if isi.size < 2:
        return []
    kind = np.where(detour, _DETOUR, _DIRECT)
    kind[pauses(isi, detour) if apart is None else apart] = _PAUSE
    if not ((kind == _DIRECT).any() and (kind == _DETOUR).any()):
        return []
    kind[(kind == _DETOUR) & (trough_height > -_TOLERANCE)] = _WITHIN
    spans = _best(_spans(kind), isi, trough_time)
    out = []
    for k, (start, stop) in enumerate(spans):
        before = spans[k - 1][1] if k else 0
        after = spans[k + 1][0] if k + 1 < len(spans) else isi.size
        beside = isi[stop:after] if after > stop else isi[before:start]
        out.append(Burst(start=start, stop=stop, index=_contrast(isi[start:stop], beside)))
    return out


def _spans(kind: np.ndarray) -> list[tuple[int, int]]:
    """Intervals from each beginning of direct firing to the next detour."""
    begins = 1 + np.flatnonzero((kind[1:] == _DIRECT) & (kind[:-1] == _DETOUR))
    if kind[0] == _DIRECT:
        begins = np.append(0, begins)
    ends = np.append(begins, kind.size)[1:]
    out = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        tail = kind[begin + 1 : end]
        stops = np.flatnonzero((tail == _DETOUR) | (tail == _PAUSE))
        if stops.size == 0:
            out.append((begin, end))
        elif tail[stops[0]] == _DETOUR:
            out.append((begin, begin + 1 + int(stops[0])))
    return out


def _best(
    spans: list[tuple[int, int]], isi: np.ndarray, trough_time: np.ndarray
) -> list[tuple[int, int]]:
    """Leave out the worst as long as the mean score rises; none where it is below 0."""
    if not spans:
        return []
    # only the shortest interval outside depends on which spans are left
    fastest = np.array([1.0 / isi[start:stop].min() for start, stop in spans])
    cost = np.array([_cost(span, isi, trough_time) for span in spans])
    left = list(range(len(spans)))
    scores = _scores(spans, isi, fastest, cost)
    while len(left) > 1:
        worst = int(np.argmin(scores))
        fewer = left[:worst] + left[worst + 1 :]
        others = _scores([spans[k] for k in fewer], isi, fastest[fewer], cost[fewer])
        if not others.mean() > scores.mean():
            break
        left, scores = fewer, others
    return [] if scores.mean() < 0 else [spans[k] for k in left]


def _cost(span: tuple[int, int], isi: np.ndarray, trough_time: np.ndarray) -> float:
    """Give what the length of a burst and the troughs beside it take off its score."""
    start, stop = span
    beside = [k for k in (start - 1, stop) if 0 <= k < isi.size]
    edges = sum(_EDGE_COST * isi[k] / trough_time[k] for k in beside)
    return float(edges + _LENGTH_COST * (stop - start - 1))


def _scores(
    spans: Sequence[tuple[int, int]], isi: np.ndarray, fastest: np.ndarray, cost: np.ndarray
) -> np.ndarray:
    outside = np.ones(isi.size, dtype=bool)
    for start, stop in spans:
        outside[start:stop] = False
    if not outside.any():
        return np.full(len(spans), _ALL)
    slow = 1.0 / isi[outside].min()
    return (fastest - slow) / (fastest + slow) - cost


def _contrast(inside: np.ndarray, outside: np.ndarray) -> float:
    """Highest rate inside against outside: from -1 to 1."""
    fast, slow = 1.0 / inside.min(), 1.0 / outside.min()
    return float((fast - slow) / (fast + slow))


def pattern_features(table: SpikeTable, step: Window) -> dict[str, np.ndarray]:
    """Count pauses and bursts in every sweep.

    Parameters
    ----------
    table : SpikeTable
        Spikes of the sweeps.
    step : Window
        The step.

    Returns
    -------
    dict of str to array, shape (n_sweeps,)
        ``n_pauses``, ``pause_fraction`` (of the step), ``n_bursts`` and ``burst_index``
        (the largest; 0 without a burst); NaN without an interval.
    """
    names = ("n_pauses", "pause_fraction", "n_bursts", "burst_index")
    out = {name: np.full(table.n_sweeps, np.nan) for name in names}
    bounds = table.bounds
    direct = table["isi_type"] == "direct"
    for row in np.flatnonzero(np.diff(bounds) > 1).tolist():
        values: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
        if direct[bounds[row] : bounds[row + 1] - 1].any():
            values = _of_train(table.of(row), step.duration)
        for name, value in zip(names, values, strict=True):
            out[name][row] = value
    return out


def _of_train(spikes: Mapping[str, np.ndarray], duration: float) -> tuple[float, ...]:
    isi = np.diff(spikes["threshold_t"])
    detour = spikes["isi_type"][:-1] == "detour"
    still = pauses(isi, detour)
    found = bursts(
        isi,
        detour,
        trough_time=(spikes["slow_trough_t"] - spikes["fast_trough_t"])[:-1],
        trough_height=(spikes["slow_trough_v"] - spikes["threshold_v"])[:-1],
        apart=still,
    )
    index = max((burst.index for burst in found), default=0.0)
    return float(still.size), float(isi[still].sum() / duration), float(len(found)), index

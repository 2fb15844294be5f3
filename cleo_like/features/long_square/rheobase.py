"""Rheobase between the currents that were tried, from what fires and how late."""

from __future__ import annotations

import attrs
import numpy as np

from cleo_like.features.estimate import Estimate

_SAME = 0.5  # pA: currents that differ by less are one (a measured command is noisy)
_SD = 0.22  # of the bracket: error of the estimate, 147 ladders of five simulated cells
_UNIFORM = 12**-0.5  # of the bracket: error of its middle


@attrs.frozen(kw_only=True)
class Bracket:
    """Estimate (pA) with the currents below and above which the answer is certain."""

    estimate: Estimate
    low: float = np.nan  # highest current below which no sweep fired
    high: float = np.nan  # lowest current from which on every sweep fired
    reason: str = ""


def levels(amplitude: np.ndarray) -> np.ndarray:
    """Give to each sweep the mean current of those with (nearly) the same one."""
    order = np.argsort(amplitude, kind="stable")
    group = np.cumsum(np.diff(amplitude[order], prepend=amplitude[order][:1]) > _SAME)
    mean = np.bincount(group, amplitude[order]) / np.maximum(np.bincount(group), 1)
    out = np.empty(amplitude.size)
    out[order] = mean[group]
    return out


def fires_already(lowest: float) -> str:
    """Say why there is no least current that makes a cell fire."""
    return f"the cell fires at {lowest:.4g} pA already"


def rheobase(
    amplitude: np.ndarray, rate: np.ndarray, latency: np.ndarray, duration: float
) -> Bracket:
    """Estimate the least current that makes the cell fire within the step.

    The mean of two values: the middle between the highest silent and the lowest firing
    current, and the current at which the line of 1 / latency^2 through the two lowest firing
    currents reaches 1 / duration^2, kept within the bracket. Its standard error is 0.22 of
    the bracket (147 ladders of simulated cells; the middle alone: 0.29, the lowest firing
    current: 0.62). Where one current is silent and fires in turn, a probit line is fitted.

    Parameters
    ----------
    amplitude, rate, latency : arrays, shape (n_sweeps,)
        Current (pA), firing rate (Hz) and latency (s) of every sweep.
    duration : float
        Length (s) of the step.

    Returns
    -------
    Bracket
        Without an estimate there is a reason.

    Examples
    --------
    >>> found = rheobase(np.array([0.0, 20.0, 40.0]), np.array([0.0, 0.0, 4.0]),
    ...                  np.array([np.nan, np.nan, 0.05]), 0.5)
    >>> found.low, found.high, found.estimate.value
    (20.0, 40.0, 30.0)
    """
    level = levels(amplitude)
    fires = rate > 0
    if not (fires & (level > _SAME)).any():
        return _none("no sweep with a depolarising step fired")
    lowest = float(level[fires].min())
    if lowest <= _SAME:
        return _none(fires_already(lowest))
    below = level[~fires & (level < lowest)]
    if below.size == 0:
        return _none(f"no silent sweep below {lowest:.4g} pA, the lowest current")
    # silent again at more current than that of the largest rate: block, not threshold
    top = float(level[rate == rate.max()].min())
    silent = level[~fires & (level <= top)]
    low = max(float(below.max()), 0.0)
    sure = level[fires & (level > silent.max())]
    if sure.size == 0:
        return _none("no current fires the cell every time")
    high = float(sure.min())
    if silent.max() < lowest:
        late = _late(level[fires], latency[fires], duration)
        return Bracket(estimate=_between(late, low, high), low=low, high=high)
    some = level <= top
    return Bracket(estimate=_probit(level[some], fires[some], low, high), low=low, high=high)


def _none(why: str) -> Bracket:
    return Bracket(estimate=Estimate(reason=why), reason=why)


def _late(level: np.ndarray, latency: np.ndarray, duration: float) -> float:
    """Give the current (pA) at which the latency is as long as the step; NaN if unknown."""
    currents = np.unique(level)
    if currents.size < 2:
        return np.nan
    first, second = (float(np.mean(latency[level == c] ** -2)) for c in currents[:2])
    if not second > first:
        return np.nan
    return float(
        currents[0] - (first - duration**-2) / (second - first) * (currents[1] - currents[0])
    )


def _between(late: float, low: float, high: float) -> Estimate:
    """Give the middle of the bracket, drawn to where the latency would be the whole step."""
    middle, width = (low + high) / 2, high - low
    if np.isnan(late):
        return Estimate(value=middle, error=_UNIFORM * width)
    value = (middle + float(np.clip(late, low, high))) / 2
    return Estimate(value=value, error=_SD * width)


def _probit(level: np.ndarray, fires: np.ndarray, low: float, high: float) -> Estimate:
    """Find the current that fires every other time, where repeats disagree.

    Mean and SD over all probit lines whose middle is in the bracket and whose SD is from a
    fiftieth of the bracket to all of it, each weighted by how likely it makes the sweeps.
    """
    from scipy.special import log_ndtr

    width = high - low
    middle = np.linspace(low, high, 101)[:, None, None]
    spread = width * np.geomspace(0.02, 1.0, 31)[:, None]
    likely = log_ndtr(np.where(fires, 1.0, -1.0) * (level - middle) / spread).sum(axis=2)
    weight = np.exp(likely - likely.max()).sum(axis=1)
    middle = middle.reshape(-1)
    value = float(weight @ middle / weight.sum())
    return Estimate(
        value=value, error=float(np.sqrt(weight @ (middle - value) ** 2 / weight.sum()))
    )

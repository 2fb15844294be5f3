"""What the rests of a sweep, before and after its step, say of its quality (SI)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.qc.signal import window_noise

if TYPE_CHECKING:
    from cleo_like.core.sweep import Sweep
    from cleo_like.matching import SweepVerdict
    from cleo_like.qc.signal import Span
    from cleo_like.qc.verdicts import Criteria

SETTLING = 0.1
"""Time (s) that a cell is given to settle after a pulse, or half of a shorter rest."""
LEAST_REST = 0.1
"""Shortest rest (s) in which slow noise and drift are judged."""
_STEEP = 0.1e-3
"""Time (s) over which the noise of dV/dt is taken, whatever the rate."""
_MAD = 1.4826


@attrs.frozen(kw_only=True)
class Rests:
    """Measures of one sweep; NaN where its rests are too short for one.

    Parameters
    ----------
    number : int
        Number of the sweep.
    holding : float
        Command in the rests (A).
    before, after : float
        Length of the two rests (s), without the time that the cell needs to settle.
    pre_noise, post_noise : float
        Noise in short windows of the two rests (V).
    slow_noise : float
        Standard deviation over the rest before the step (V); NaN where that is shorter
        than 0.1 s.
    spread : float
        The same whatever the length.
    steepness : float
        Noise of dV/dt (V/s).
    baseline : float
        Mean potential of the rest before the step (V).
    drift : float
        Mean potential of the rest after the step less baseline (V).
    baseline_trend, tail_trend : float
        Mean of the second half of a rest less that of the first (V).
    """

    number: int
    holding: float = np.nan
    before: float = 0.0
    after: float = 0.0
    pre_noise: float = np.nan
    post_noise: float = np.nan
    slow_noise: float = np.nan
    spread: float = np.nan
    steepness: float = np.nan
    baseline: float = np.nan
    drift: float = np.nan
    baseline_trend: float = np.nan
    tail_trend: float = np.nan


def rests_of(sweep: Sweep, verdict: SweepVerdict, limits: Criteria) -> Rests:
    """Measure the rests of a sweep whose step is known."""
    if verdict.step is None:
        return Rests(number=sweep.number)
    rests = [(e.start, e.stop) for e in verdict.epochs if e.name == "holding"]
    before = [(a, b) for a, b in rests if b <= verdict.step.start]
    after = [(a, b) for a, b in rests if a >= verdict.step.stop]
    reach = round(limits.slow_window * sweep.rate)
    pre, post = _settled(before, reach, sweep.rate), _settled(after, reach, sweep.rate)
    first, last = _samples(sweep, pre), _samples(sweep, post)
    width = round(limits.noise_window * sweep.rate)
    least = LEAST_REST * sweep.rate
    known = pre[1] - pre[0] >= least
    both = known and bool(after) and after[-1][1] - after[-1][0] >= least
    return Rests(
        number=sweep.number, holding=verdict.holding,
        before=first.size / sweep.rate, after=last.size / sweep.rate,
        pre_noise=window_noise(sweep.response, [pre], width),
        post_noise=window_noise(sweep.response, [post], width),
        slow_noise=float(first.std()) if known else np.nan,
        spread=float(first.std()) if first.size else np.nan,
        steepness=_steepness(first, sweep.rate),
        baseline=float(first.mean()) if first.size else np.nan,
        drift=float(last.mean() - first.mean()) if both else np.nan,
        baseline_trend=_trend(first) if known else np.nan,
        tail_trend=_trend(last) if both else np.nan,
    )  # fmt: skip


def _samples(sweep: Sweep, span: Span) -> np.ndarray:
    return sweep.response[slice(*span)].astype(float)


def _trend(rest: np.ndarray) -> float:
    half = rest.size // 2
    return float(rest[half:].mean() - rest[:half].mean())


def _steepness(rest: np.ndarray, rate: float) -> float:
    """Spread of differences over 0.1 ms, spikes in the rest not counted."""
    lag = max(1, round(_STEEP * rate))
    if rest.size <= 2 * lag:
        return np.nan
    change = (rest[lag:] - rest[:-lag]) * rate / lag
    return float(_MAD * np.median(np.abs(change - np.median(change))))


def _settled(rests: list[Span], reach: int, rate: float) -> Span:
    """End of the last of some rests, its start left out where it follows a pulse."""
    if not rests:
        return 0, 0
    start, stop = rests[-1]
    if start > 0:
        start += min(round(SETTLING * rate), (stop - start) // 2)
    return max(start, stop - reach), stop

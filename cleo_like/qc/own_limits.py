"""Limits that a recording sets itself, and what its noise leaves safe to measure.

A rig with 0.3 mV of noise is no bad rig: its spikes are as good as any, its time constants
are not. So a sweep is judged against the other sweeps of its recording, within bounds that
no recording may leave, and the cell is told what its noise allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.qc.verdicts import Check, Criteria

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.qc.rests import Rests

_FEW = 3
"""Fewer sweeps are no recording to compare with."""
_TIMES, _TIMES_SLOW = 2.0, 3.0
"""A sweep this many times noisier than its recording is disturbed; slow noise (synaptic
events, up and down states) differs more from sweep to sweep."""
_NOISE, _SLOW, _DRIFT = (0.07e-3, 2e-3), (0.5e-3, 3e-3), (2e-3, 5e-3)
"""No limit is below the first or above the second number (V). Noise and slow noise have those
of the Allen Institute as the first: what passes there passes here. Noise of 2 mV is a tenth
of the lowest spike that is looked for (20 mV); slow noise of 3 mV hides deflections of 10 mV;
drift of 2 mV is a tenth, of 5 mV a quarter of the way from rest to threshold."""
_BASELINE = 10e-3
"""Largest difference (V) from the usual baseline: half of the way from rest to threshold."""
_LEAK = 100e-12
"""Holding current (A) that is never too much; more may be as much as the largest step."""
_SPIKE = 20e-3
"""Height (V) of the lowest spikes that are to be found for sure."""
_STEEP = 5.0
"""Noise of dV/dt (V/s) that leaves 20 V/s, where spikes are looked for, four times above."""
_TAU = 20.0
"""Deflection over noise that an exponential needs: the limit of ipfx's fit."""
_RESISTANCE = 0.05
"""Part of a deflection that may be noise for a resistance that is called safe."""


@attrs.frozen(kw_only=True)
class Limit:
    """Largest absolute value of a measure (SI), and why it is that."""

    high: float
    why: str = ""


@attrs.frozen(kw_only=True)
class Limits:
    """Limits of one recording."""

    noise: Limit
    slow_noise: Limit
    drift: Limit
    leak: Limit
    baseline: Limit


def limits_of(rests: Sequence[Rests], steps: np.ndarray, criteria: Criteria) -> Limits:
    """Take the limits that are given, and find the others in the recording itself.

    Parameters
    ----------
    rests : sequence of Rests
        Measures of its long squares.
    steps : array
        Their amplitudes (A).
    criteria : Criteria
        None among its limits is found here.
    """
    noise, slow = _typical(rests, "pre_noise"), _typical(rests, "slow_noise")
    largest = float(np.max(np.abs(steps), initial=0.0))
    leak = Limit(high=max(_LEAK, largest), why="the largest step, or 100 pA")
    return Limits(
        noise=_chosen(criteria.noise, _own(noise, _TIMES, _NOISE, "noise")),
        slow_noise=_chosen(criteria.slow_noise, _own(slow, _TIMES_SLOW, _SLOW, "slow noise")),
        drift=_chosen(criteria.drift, _own(slow, _TIMES_SLOW, _DRIFT, "slow noise")),
        leak=_chosen(criteria.leak, leak),
        baseline=_chosen(criteria.baseline, Limit(high=_BASELINE)),
    )


def _chosen(given: float | None, own: Limit) -> Limit:
    return own if given is None else Limit(high=given)


def _own(typical: float, times: float, bounds: tuple[float, float], what: str) -> Limit:
    low, high = bounds
    if not np.isfinite(typical):
        return Limit(high=high, why=f"fewer than {_FEW} sweeps to compare with")
    text = f"{times:g} times the {what} of this recording, {typical * 1e3:.2g} mV"
    if times * typical < low:
        return Limit(high=low)
    if times * typical > high:
        return Limit(high=high, why="no recording may have more")
    return Limit(high=times * typical, why=text)


def _typical(rests: Sequence[Rests], name: str) -> float:
    values = np.array([getattr(r, name) for r in rests], dtype=float)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size >= _FEW else np.nan


def usual_baseline(rests: Sequence[Rests], number: int) -> float:
    """Median baseline (V) of the sweeps that are held like one; NaN for fewer than 3."""
    (own,) = [r for r in rests if r.number == number][:1]
    like = [
        r.baseline
        for r in rests
        if abs(r.holding - own.holding) <= _LEAK / 10 and np.isfinite(r.baseline)
    ]
    return float(np.median(like)) if len(like) >= _FEW else np.nan


def what_is_safe(
    rests: Sequence[Rests], steps: np.ndarray, deflections: np.ndarray
) -> tuple[Check, ...]:
    """Tell what can be measured in the noise of this recording.

    Parameters
    ----------
    rests : sequence of Rests
        Measures of its long squares.
    steps, deflections : array, shape (n_sweeps,)
        Their amplitudes (A) and the deflections (V) that they evoke.

    Returns
    -------
    tuple of Check
        ``safe_spikes``, ``safe_thresholds``, ``safe_resistance`` and ``safe_tau``. They
        pass, or are unknown and say why; only spikes that drown in the noise fail.
    """
    noise, spread, steep = (
        _median([getattr(r, n) for r in rests]) for n in ("pre_noise", "spread", "steepness")
    )
    down = (steps < 0) & np.isfinite(deflections) & (deflections < 0)
    deepest = float(-deflections[down].min()) if down.any() else np.nan
    part = spread / deepest / np.sqrt(max(int(down.sum()), 1))
    return (
        _safe(
            "spikes", noise, _SPIKE / 10, 1e3, "mV", f"noise {noise * 1e3:.2g} mV", fails=True
        ),
        _safe("thresholds", steep, _STEEP, 1.0, "V/s", f"noise of dV/dt {steep:.2g} V/s"),
        _safe(
            "resistance", part, _RESISTANCE, 100.0, "%",
            f"noise is {part * 100:.2g} % of the largest deflection, {deepest * 1e3:.2g} mV",
        ),
        _safe(
            "tau", spread / deepest, 1 / _TAU, 1.0, "1",
            f"the largest deflection is {deepest / max(spread, 1e-12):.2g} times the noise",
        ),
    )  # fmt: skip


def _median(values: Sequence[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.median(known)) if known else np.nan


def _safe(  # noqa: PLR0917 (a row of a table)
    what: str, value: float, high: float, scale: float, unit: str, text: str,
    *, fails: bool = False,
) -> Check:  # fmt: skip
    if not np.isfinite(value):
        why = "no rest" if what in ("spikes", "thresholds") else "no hyperpolarising step"
        why = f"{why} in a sweep that passes"
        return Check(name=f"safe_{what}", passed=None, reason=f"{why} to judge by", unit=unit)
    good = value <= high
    passed = True if good else (False if fails else None)
    verb = "safe" if good else "not safe"
    return Check(
        name=f"safe_{what}", passed=passed, value=value * scale, high=high * scale, unit=unit,
        reason=f"{what} {'is' if what in ('resistance', 'tau') else 'are'} {verb}: {text}",
    )  # fmt: skip

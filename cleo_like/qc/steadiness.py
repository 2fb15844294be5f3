"""Noise, drift and baseline of a sweep against the limits of its recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.qc.own_limits import usual_baseline
from cleo_like.qc.rests import LEAST_REST
from cleo_like.qc.verdicts import Check, limited, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.qc.own_limits import Limit, Limits
    from cleo_like.qc.rests import Rests

_RETURNING = 0.1
"""A tail that still moves by this fraction of its distance towards the baseline returns."""


def because(check: Check, limit: Limit) -> Check:
    """Say where a limit comes from."""
    if check.passed is None or not limit.why:
        return check
    return attrs.evolve(check, reason=f"{check.reason} ({limit.why})")


def rest_checks(own: Rests, rests: Sequence[Rests], limits: Limits) -> list[Check]:
    """Judge noise before and after the step, slow noise, and the baseline."""
    return [
        _noise("pre_noise", own.pre_noise, limits.noise, own.before),
        _noise("post_noise", own.post_noise, limits.noise, own.after),
        _slow(own, limits.slow_noise),
        _baseline(own, rests, limits.baseline),
    ]


def _noise(name: str, value: float, limit: Limit, length: float) -> Check:
    if not np.isfinite(value):
        return unknown(name, f"a rest of {length * 1e3:.3g} ms is too short")
    return because(limited(name, value, (-np.inf, limit.high), "mV", 1e3), limit)


def _slow(own: Rests, limit: Limit) -> Check:
    if not np.isfinite(own.slow_noise):
        return unknown("slow_noise", _short("before", own.before))
    return because(
        limited("slow_noise", own.slow_noise, (-np.inf, limit.high), "mV", 1e3), limit
    )


def _short(where: str, length: float) -> str:
    return f"the rest {where} the step lasts {length * 1e3:.4g} ms"


def _baseline(own: Rests, rests: Sequence[Rests], limit: Limit) -> Check:
    """Whether the cell is where it is in the other sweeps with the same holding."""
    usual = usual_baseline(rests, own.number)
    if not np.isfinite(own.baseline):
        return unknown("baseline", "no rest before the step")
    if not np.isfinite(usual):
        return unknown("baseline", "fewer than three sweeps with this holding to compare with")
    off = own.baseline - usual
    found = limited("baseline", off, (-limit.high, limit.high), "mV", 1e3)
    text = f"{own.baseline * 1e3:.4g} mV, usually {usual * 1e3:.4g} mV: off by {found.reason}"
    return attrs.evolve(found, reason=text)


def drift_checks(rests: Sequence[Rests], limits: Limits, *, strict: bool) -> list[list[Check]]:
    """Judge drift over the step, and within the two rests.

    Parameters
    ----------
    rests : sequence of Rests
        Sweeps of one recording in order.
    limits : Limits
        Its limits.
    strict : bool
        Whether every difference is a drift: an afterpotential that returns, or has
        returned by the next sweep, is none otherwise.
    """
    nexts = [*[r.baseline for r in rests[1:]], np.nan]
    return [
        [
            _drift(own, later, limits.drift, strict=strict),
            _trend("baseline_trend", own.baseline_trend, own.before, limits.drift),
            _tail(own, limits.drift, strict=strict),
        ]
        for own, later in zip(rests, nexts[: len(rests)], strict=True)
    ]


def _drift(own: Rests, later: float, limit: Limit, *, strict: bool) -> Check:
    if not np.isfinite(own.drift):
        return unknown("drift", _why_unknown(own))
    found = because(limited("drift", own.drift, (-limit.high, limit.high), "mV", 1e3), limit)
    if strict or found.passed:
        return found
    if own.tail_trend * own.drift < 0 and abs(own.tail_trend) > _RETURNING * abs(own.drift):
        return _doubted(found, "the potential is still on its way back when the sweep ends")
    if not np.isfinite(later):
        return _doubted(found, "no later sweep tells whether the potential comes back")
    if abs(later - own.baseline) <= limit.high:
        text = f"{found.reason}; back at {later * 1e3:.4g} mV before the next step"
        return attrs.evolve(found, passed=True, reason=text)
    return found


def _doubted(check: Check, why: str) -> Check:
    return attrs.evolve(check, passed=None, reason=f"{check.reason}; {why}")


def _why_unknown(own: Rests) -> str:
    if own.before < LEAST_REST:
        return _short("before", own.before)
    return f"{_short('after', own.after)} once the cell has settled"


def _trend(name: str, value: float, length: float, limit: Limit) -> Check:
    if not np.isfinite(value):
        return unknown(name, _short("before", length))
    return because(limited(name, value, (-limit.high, limit.high), "mV", 1e3), limit)


def _tail(own: Rests, limit: Limit, *, strict: bool) -> Check:
    """Whether the potential still moves at the end of the sweep."""
    if not np.isfinite(own.tail_trend):
        return unknown("tail_trend", _why_unknown(own))
    found = _trend("tail_trend", own.tail_trend, own.after, limit)
    returning = own.tail_trend * own.drift <= 0
    if found.passed is False and returning and not strict:
        return _doubted(found, "the potential is still on its way back when the sweep ends")
    return found

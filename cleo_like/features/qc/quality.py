"""`quality`: every criterion for every sweep of a recording and for the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.features.catalogue import CATALOGUE
from cleo_like.features.qc.ranges import range_checks
from cleo_like.features.qc.rig import rig_checks
from cleo_like.features.qc.signal import expected_deflections, longest_flat, window_noise
from cleo_like.features.qc.verdicts import CellQC, Check, Criteria, SweepQC, limited, unknown
from cleo_like.matching import Match, match

if TYPE_CHECKING:
    from cleo_like.core.recording import Recording
    from cleo_like.core.sweep import Sweep
    from cleo_like.features.long_square.cell import CellFeatures
    from cleo_like.features.qc.signal import Span
    from cleo_like.matching import SweepVerdict

_SETTLING = 0.1
"""Time (s) that a cell is given to settle after a pulse."""
_LEAST_REST = 0.1
"""Shortest rest (s) in which slow noise and drift are judged."""


def quality(
    recording: Recording,
    *,
    criteria: Criteria | None = None,
    found: Match | None = None,
    features: CellFeatures | None = None,
) -> CellQC:
    """Judge every sweep and the cell.

    Parameters
    ----------
    recording : Recording
        All its sweeps are judged; those of other protocols only for saturation and leak.
    criteria : Criteria, optional
        Limits; ipfx's when not given.
    found : Match, optional
        The matched recording, if it is there already.
    features : CellFeatures, optional
        Measured features: adds clipped spikes, the catalogue's ranges, and the input
        resistance that the series resistance is compared with.

    Returns
    -------
    CellQC
        A verdict with a reason for every check.

    Examples
    --------
    >>> from cleo_like import Cell, Provenance, Recording, Sweep
    >>> sweep = Sweep(response=np.full(20000, -0.07), command=np.zeros(20000), rate=2e4)
    >>> cell = quality(
    ...     Recording(sweeps=[sweep], cell=Cell(id="c1"), provenance=Provenance(source="x"))
    ... )
    >>> cell.passed, cell.sweeps[0].checks[0].reason
    (False, 'none: the command is constant')
    """
    limits = criteria if criteria is not None else Criteria()
    matched = found if found is not None else match(recording)
    responses = _response_checks(recording, matched, limits)
    sweeps = []
    for k, (sweep, verdict) in enumerate(zip(recording.sweeps, matched.sweeps, strict=True)):
        checks = [_family(verdict), _saturation(sweep), _leak(sweep, verdict, limits)]
        if verdict.is_long_square:
            checks += [*_rest_checks(sweep, verdict, limits), responses[k]]
            checks += _sweep_features(sweep.number, features, limits)
        sweeps.append(SweepQC(number=sweep.number, family=verdict.family, checks=tuple(checks)))
    values = dict(features.values) if features is not None else {}
    own = rig_checks(recording, values.get("input_resistance", np.nan) * 1e6, limits)
    checks_of_cell = (*own, *range_checks(values))
    return CellQC(cell_id=recording.cell.id, checks=checks_of_cell, sweeps=tuple(sweeps))


def _family(verdict: SweepVerdict) -> Check:
    """Whether the sweep can be used at all: not a failure, but said."""
    passed = True if verdict.is_long_square else None
    return Check(
        name="long_square", passed=passed, reason=f"{verdict.family}: {verdict.reason}"
    )


def _saturation(sweep: Sweep) -> Check:
    if not np.all(np.isfinite(sweep.response)):
        bad = int(np.count_nonzero(~np.isfinite(sweep.response)))
        why = f"{bad} samples of the response are not finite"
        return Check(name="saturation", passed=False, reason=why)
    if sweep.n_samples > 1 and np.ptp(sweep.response) == 0:
        why = f"the response is constant at {float(sweep.response[0]):.4g} (SI)"
        return Check(name="saturation", passed=False, reason=why)
    length, level = longest_flat(sweep.response, sweep.rate)
    if length == 0:
        return Check(
            name="saturation", passed=True, value=0.0, high=0.0, unit="ms",
            reason="the extremes are not flat",
        )  # fmt: skip
    return Check(
        name="saturation", passed=False, value=length / sweep.rate * 1e3, high=0.0, unit="ms",
        reason=f"flat for {length} samples at its extreme of {level:.4g} (SI)",
    )  # fmt: skip


def _leak(sweep: Sweep, verdict: SweepVerdict, limits: Criteria) -> Check:
    bias = sweep.settings.get("bias_current")
    value = float(bias) if bias is not None else verdict.holding
    return limited("leak", value, (-limits.leak, limits.leak), "pA", 1e12)


def _rest_checks(sweep: Sweep, verdict: SweepVerdict, limits: Criteria) -> list[Check]:
    """Noise before and after the step, slow noise, drift."""
    if verdict.step is None:
        return []
    rests = [(e.start, e.stop) for e in verdict.epochs if e.name == "holding"]
    reach = round(limits.slow_window * sweep.rate)
    before = [(a, b) for a, b in rests if b <= verdict.step.start]
    after = [(a, b) for a, b in rests if a >= verdict.step.stop]
    pre = _settled(before, reach, sweep.rate)
    post = _settled(after, reach, sweep.rate)
    checks = [
        _noise("pre_noise", sweep, pre, limits),
        _noise("post_noise", sweep, post, limits),
    ]
    for where, span in (("before", pre), ("after", post)):
        if span[1] - span[0] < _LEAST_REST * sweep.rate:
            lasting = (span[1] - span[0]) / sweep.rate * 1e3
            why = f"the rest {where} the step lasts {lasting:.4g} ms"
            slow = (
                unknown("slow_noise", why) if where == "before" else _slow(sweep, pre, limits)
            )
            return [*checks, slow, unknown("drift", why)]
    drift = float(_mean(sweep, post) - _mean(sweep, pre))
    within = (-limits.drift, limits.drift)
    return [*checks, _slow(sweep, pre, limits), limited("drift", drift, within, "mV", 1e3)]


def _noise(name: str, sweep: Sweep, span: Span, limits: Criteria) -> Check:
    width = round(limits.noise_window * sweep.rate)
    noise = window_noise(sweep.response, [span], width)
    return limited(name, noise, (-np.inf, limits.noise), "mV", 1e3)


def _slow(sweep: Sweep, span: Span, limits: Criteria) -> Check:
    spread = float(sweep.response[slice(*span)].astype(float).std())
    return limited("slow_noise", spread, (-np.inf, limits.slow_noise), "mV", 1e3)


def _mean(sweep: Sweep, span: Span) -> float:
    return float(sweep.response[slice(*span)].astype(float).mean())


def _settled(rests: list[Span], reach: int, rate: float) -> Span:
    """End of the last of some rests, its start left out where it follows a pulse."""
    if not rests:
        return 0, 0
    start, stop = rests[-1]
    if start > 0 and stop - start > 2 * _SETTLING * rate:
        start += round(_SETTLING * rate)
    return max(start, stop - reach), stop


def _response_checks(recording: Recording, found: Match, limits: Criteria) -> dict[int, Check]:
    """Whether each long square moves the potential as the other sweeps let expect."""
    measured = {
        v.index: _deflection(recording.sweeps[v.index], v)
        for v in found.sweeps
        if v.is_long_square and v.step is not None
    }
    positions = list(measured)
    amplitudes = np.array([found.sweeps[k].amplitude for k in positions])
    deflections = np.array([measured[k][0] for k in positions])
    expected = expected_deflections(amplitudes, deflections, cap=20e-3)
    checks = {
        k: unknown("response", "no step found")
        for k in range(len(found.sweeps))
        if found.sweeps[k].is_long_square
    }
    for k, got, want in zip(positions, deflections.tolist(), expected.tolist(), strict=True):
        checks[k] = _response(got, want, measured[k][1], limits)
    return checks


def _deflection(sweep: Sweep, verdict: SweepVerdict) -> tuple[float, float]:
    """Mean potential in the second half of the step less the rest before; SD of that rest."""
    if verdict.step is None:
        return np.nan, np.nan
    start, stop = verdict.step.start, verdict.step.stop
    rests = [(e.start, e.stop) for e in verdict.epochs if e.name == "holding"]
    before = [(a, b) for a, b in rests if b <= start]
    if not before:
        return np.nan, np.nan
    rest = sweep.response[before[-1][0] : before[-1][1]].astype(float)
    late = sweep.response[(start + stop) // 2 : stop].astype(float)
    return float(late.mean() - np.median(rest)), float(rest.std())


def _response(got: float, want: float, noise: float, limits: Criteria) -> Check:
    if not (np.isfinite(want) and np.isfinite(got)):
        return unknown("response", "fewer than three other steps of this sign to compare with")
    if abs(want) < max(3e-3, 5 * noise):
        why = f"the expected deflection of {want * 1e3:.3g} mV is too small to judge"
        return unknown("response", why)
    ratio = got / want
    passed = bool(ratio >= limits.response)
    text = f"{got * 1e3:.4g} mV where the other steps let expect {want * 1e3:.4g} mV"
    return Check(name="response", passed=passed, value=ratio, low=limits.response, reason=text)


def _sweep_features(
    number: int, features: CellFeatures | None, limits: Criteria
) -> list[Check]:
    """Clipped spikes, and the sweep's features against the catalogue."""
    if features is None:
        return [unknown("clipped_spikes", "no features were given")]
    numbers = list(features.stack.numbers)
    if number not in numbers:
        why = features.excluded.get(number, "the sweep was not analysed")
        return [unknown("clipped_spikes", why)]
    row = numbers.index(number)
    cut = np.asarray(features.spikes["clipped"])[features.spikes["sweep"] == row]
    fraction = float(np.mean(cut.astype(float))) if cut.size else 0.0
    clipped = limited("clipped_spikes", fraction, (-np.inf, limits.clipped), "1")
    values = {n: float(v[row]) for n, v in features.sweeps.items() if _level(n) == "sweep"}
    return [clipped, *range_checks(values)]


def _level(name: str) -> str | None:
    return CATALOGUE[name].level if name in CATALOGUE else None

"""`quality`: every criterion for every sweep of a recording and for the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.recording import check_recording
from cleo_like.core.sweep import ClampMode
from cleo_like.features.catalogue import CATALOGUE
from cleo_like.features.saturation import longest_flat
from cleo_like.io.findings.plausibility import unit_findings
from cleo_like.matching import Match, match
from cleo_like.qc.electrode import rig_checks, said_number
from cleo_like.qc.own_limits import limits_of, what_is_safe
from cleo_like.qc.ranges import range_checks
from cleo_like.qc.rests import rests_of
from cleo_like.qc.signal import expected_deflections
from cleo_like.qc.steadiness import because, drift_checks, rest_checks
from cleo_like.qc.verdicts import (
    PRESETS,
    CellQC,
    Check,
    Criteria,
    Preset,
    SweepQC,
    limited,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core.recording import Recording
    from cleo_like.core.sweep import Sweep
    from cleo_like.features.long_square.cell import CellFeatures
    from cleo_like.matching import SweepVerdict
    from cleo_like.qc.own_limits import Limits

_ZERO = 0.01
"""Steps below this fraction of the largest one are 0 pA: no converter is 1 % off."""
_DOUBT = 5.0
"""So are those within this many standard errors of their recorded level."""
_RESISTANCES = (1e6, 20e9)
"""Deflection over step (ohm) of any cell: the smallest of those in the catalogue, and more than
that of a cell with one ion channel open (50 pS)."""
_SEEN = 3e-3
"""Deflections (V) that are expected to be smaller are not judged, nor those below 5 times the
noise."""


def quality(
    recording: Recording,
    *,
    criteria: Criteria | Preset | None = None,
    found: Match | None = None,
    features: CellFeatures | None = None,
) -> CellQC:
    """Judge every sweep and the cell.

    Parameters
    ----------
    recording : Recording
        All its sweeps are judged; those of other protocols only for saturation, plausible
        values and leak.
    criteria : Criteria or str, optional
        Limits, or the name of a preset: "own" (the default) judges a sweep against its own
        recording and the noise of the rig, "allen" by the limits of the Allen Institute.
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
    check_recording(recording)
    chosen = _criteria(criteria)
    matched = found if found is not None else match(recording)
    pairs = list(zip(recording.sweeps, matched.sweeps, strict=True))
    squares = {k: (s, v) for k, (s, v) in enumerate(pairs) if v.is_long_square}
    rests = {k: rests_of(s, v, chosen) for k, (s, v) in squares.items()}
    steps = np.array([v.amplitude for _, v in squares.values()])
    measured = np.array([_deflection(s, v) for s, v in squares.values()]).reshape(-1, 2)
    limits = limits_of(list(rests.values()), steps, chosen)
    responses = _response_checks(list(squares.values()), measured, chosen)
    drifts = drift_checks(list(rests.values()), limits, strict=chosen.drift is not None)
    about = "" if recording.truth is not None else " ".join(map(str, recording.device.values()))
    sweeps = []
    for k, (sweep, verdict) in enumerate(pairs):
        checks = [_family(verdict), _saturation(sweep)]
        checks += [_plausible(recording, sweep, about), _leak(sweep, verdict, limits)]
        if k in squares:
            row = list(squares).index(k)
            checks += rest_checks(rests[k], list(rests.values()), limits)
            checks += [*drifts[row], responses[row]]
            checks += _sweep_features(sweep.number, features, chosen)
        sweeps.append(SweepQC(number=sweep.number, family=verdict.family, checks=tuple(checks)))
    values = dict(features.values) if features is not None else {}
    own = rig_checks(recording, values.get("input_resistance", np.nan) * 1e6, chosen)
    good = np.array([sweeps[k].passed for k in squares], dtype=bool)
    kept = [r for r, g in zip(rests.values(), good, strict=True) if g]
    safe = what_is_safe(kept, steps[good], measured[good, 0]) if squares else ()
    scale = (_scale(steps, measured),) if squares else ()
    checks_of_cell = (*_noticed(recording), *safe, *scale, *own, *range_checks(values))
    return CellQC(cell_id=recording.cell.id, checks=checks_of_cell, sweeps=tuple(sweeps))


def _criteria(given: Criteria | str | None) -> Criteria:
    if isinstance(given, str):
        if given not in PRESETS:
            raise unknown_name("preset of criteria", given, PRESETS)
        return PRESETS[given]
    if given is not None and not isinstance(given, Criteria):
        names = ", ".join(map(repr, PRESETS))
        msg = f"criteria must be Criteria or one of {names}, got {type(given).__name__}"
        raise InputError(msg)
    return given if given is not None else Criteria()


def _noticed(recording: Recording) -> tuple[Check, ...]:
    """Say what the reader noticed about the file; what it means for the cell is not judged."""
    return (unknown("file", "; ".join(recording.findings)),) if recording.findings else ()


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


def _plausible(recording: Recording, sweep: Sweep, about: str) -> Check:
    """Whether the numbers can be what their unit says."""
    if recording.truth is not None:
        why = "simulated: its units are known"
        return Check(name="plausible", passed=True, reason=why)
    if sweep.mode is ClampMode.UNKNOWN:
        return unknown("plausible", "the clamp mode is unknown, so the units are, too")
    doubts = unit_findings([sweep], about=about)
    if doubts:
        return Check(name="plausible", passed=False, reason="; ".join(doubts))
    return Check(name="plausible", passed=True, reason="the values are those of a cell")


def _leak(sweep: Sweep, verdict: SweepVerdict, limits: Limits) -> Check:
    bias = sweep.settings.get("bias_current")
    value = verdict.holding
    if bias is not None:
        value, why = said_number(bias, "bias_current", "A")
        if why:
            return unknown("leak", why)
    high = limits.leak.high
    return because(limited("leak", value, (-high, high), "pA", 1e12), limits.leak)


def _response_checks(
    squares: Sequence[tuple[Sweep, SweepVerdict]], measured: np.ndarray, limits: Criteria
) -> list[Check]:
    """Whether each long square moves the potential as the other sweeps let expect."""
    steps = np.array([v.amplitude for _, v in squares])
    zero = np.abs(steps) <= _zero_steps(squares, steps)
    sized = np.where(zero, 0.0, steps)
    expected = expected_deflections(sized, measured[:, 0], cap=20e-3)
    return [
        _zero_response(*m) if z else _response(m[0], want, m[1], limits)
        for m, want, z in zip(measured.tolist(), expected.tolist(), zero.tolist(), strict=True)
    ]


def _scale(steps: np.ndarray, measured: np.ndarray) -> Check:
    """Whether deflections and steps together are those of a cell: a unit may be wrong."""
    seen = np.abs(measured[:, 0]) > np.fmax(_SEEN, 5 * measured[:, 1])
    seen &= np.abs(steps) > _ZERO * float(np.nanmax(np.abs(steps), initial=0.0))
    if not seen.any():
        return unknown("scale", "no step moves the potential enough to tell")
    found = limited(
        "scale", float(np.median(measured[seen, 0] / steps[seen])), _RESISTANCES, "MOhm", 1e-6
    )
    if found.passed is not False:
        return found
    hint = "is the unit of the command (pA or nA), or its sign, right?"
    return attrs.evolve(found, reason=f"{found.reason} over the steps; {hint}")


def _zero_steps(squares: Sequence[tuple[Sweep, SweepVerdict]], steps: np.ndarray) -> np.ndarray:
    """Size (A) up to which a recorded step may be one of 0 pA."""
    largest = float(np.nanmax(np.abs(steps), initial=0.0))
    lengths = [1 if v.step is None else v.step.stop - v.step.start for _, v in squares]
    noise = np.nan_to_num([v.noise for _, v in squares])
    return np.maximum(_ZERO * largest, _DOUBT * noise / np.sqrt(lengths))


def _zero_response(got: float, noise: float) -> Check:
    """Judge a step of 0 pA, which moves nothing; spontaneous spikes may."""
    if not np.isfinite(got):
        return unknown("response", "no rest before the step to compare with")
    text = f"{got * 1e3:.3g} mV during a step of 0 pA"
    if abs(got) <= max(_SEEN, 5 * noise):
        return Check(name="response", passed=True, reason=text)
    return unknown("response", f"{text}: the cell is active, or the command is not known")


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
    if not np.isfinite(got):
        return unknown("response", "no rest before the step to compare with")
    if not np.isfinite(want):
        return unknown("response", "fewer than three other steps of this sign to compare with")
    if abs(want) < max(_SEEN, 5 * noise):
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

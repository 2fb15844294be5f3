"""Errors of the features of one recording, each against the truth of its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.groundtruth.extractors.definitions import differs, meaning
from cleo_like.groundtruth.scores.spikes import WIDE, paired
from cleo_like.groundtruth.truth.exact import FINEST, SPIKE_SHAPES
from cleo_like.groundtruth.truth.threshold_equation import EQUATION, VALUES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.groundtruth.extractors.method import Method
    from cleo_like.groundtruth.extractors.outcome import Outcome
    from cleo_like.groundtruth.truth.exact import Truth

SPIKE = SPIKE_SHAPES
SWEEP = ("avg_rate", "latency", "first_isi", "mean_isi", "isi_cv", "adapt")
CELL = (
    "v_baseline", "input_resistance", "steady_state_input_resistance", "tau", "tau_effective",
    "capacitance", "sag", "rheobase_i", "rheobase_estimate", "fi_fit_slope", "max_rate",
    "depolarization_block_i",
)  # fmt: skip
FEATURES = (*SPIKE, *SWEEP, *CELL)

BETWEEN_CELLS: Mapping[str, float] = {
    "input_resistance": 114.0, "steady_state_input_resistance": 114.0, "tau": 0.00996,
    "tau_effective": 0.00996, "v_baseline": 8.05, "sag": 0.0936, "threshold_v": 6.15,
    "peak_v": 13.4, "upstroke": 91.8, "width": 0.000334, "fast_trough_v": 8.13,
    "avg_rate": 2.22, "latency": 0.0862, "downstroke": 63.5, "upstroke_downstroke_ratio": 0.41,
    "rheobase_i": 59.3, "rheobase_estimate": 59.3, "isi_cv": 0.1165,
    "depolarization_block_i": 59.3, "adapt": 0.075, "capacitance": 36.5, "max_rate": 34.6,
    "fi_fit_slope": 0.52,
}  # fmt: skip
"""Robust SD (interquartile range / 1.349) between real cells, in the unit of the catalogue: 119
cells of 17 dandisets in the published intracellular map (capacitance: tau over resistance);
downstroke, ratio and f-I slope of 27 of them; rheobase, CV, adaptation (mean ratio r of
successive intervals, as (r - 1) / (r + 1)) and largest rate (in 0.6 s) of 1,328 mouse M1 cells
(Scala et al. 2021, Nature 598:144)."""
_SHARE = 0.1
_UNITS = (3, 6, 9, 12)  # powers of ten that a wrong prefix makes
_LIKE = 0.3  # of a power of ten


def between_cells(feature: str, truth: float) -> float:
    """Give the between-cell spread; a tenth of the true value where no table has it."""
    known = BETWEEN_CELLS.get(feature)
    return known if known is not None else _SHARE * abs(truth)


def typical_spread(feature: str, truths: np.ndarray) -> float:
    """Give the between-cell spread for some true values; NaN without any."""
    if not truths.size:
        return float("nan")
    return between_cells(feature, float(np.median(np.abs(truths))))


def feature_errors(
    truth: Truth, outcome: Outcome, method: Method, own: Outcome | None
) -> list[dict[str, Any]]:
    """Give one row a feature and reference: error, and how many values are missing.

    Parameters
    ----------
    truth : Truth
        Of the recording.
    outcome : Outcome
        Of the extractor.
    method : Method
        Its definitions.
    own : Outcome, optional
        The same definitions on the noise-free trace; None where that cannot be computed.
    """
    rows = []
    for feature in FEATURES:
        if differs(method.definitions, feature):
            rows.append(_row(feature, "own definition", _other(feature, truth, outcome, own)))
            rows[-1]["definition"] = meaning(method.definitions, feature)
            continue
        for reference in truth.cell:
            found = _against(feature, truth, reference, outcome)
            rows.append(_row(feature, reference, found) | {"definition": ""})
    return [row for row in rows if row["n"]]


def threshold_differences(truth: Truth, outcome: Outcome) -> list[dict[str, Any]]:
    """Compare thresholds with the threshold equation, which no extractor claims to give.

    Parameters
    ----------
    truth : Truth
        Of the recording; cells without gates have no such thresholds.
    outcome : Outcome
        Of the extractor.
    """
    if EQUATION not in truth.shapes:
        return []
    own = truth.shapes[EQUATION]
    rows = [_row(name, EQUATION, _spikes(name, own, outcome.spikes)) for name in VALUES]
    return [row | {"definition": "", "stated": 0} for row in rows if row["n"]]


Compared = tuple[np.ndarray, np.ndarray, np.ndarray]
"""True values (all finite), found values (NaN: missing), stated errors."""


def _against(feature: str, truth: Truth, reference: str, outcome: Outcome) -> Compared:
    if feature in SPIKE:
        return _spikes(feature, truth.shapes[reference], outcome.spikes)
    if feature in SWEEP:
        return _columns(truth.sweeps[reference].get(feature), outcome.sweeps.get(feature))
    return _cell(feature, truth.cell[reference].get(feature), outcome)


def _other(feature: str, truth: Truth, outcome: Outcome, own: Outcome | None) -> Compared:
    if own is None or own.status != "ok":
        return _nothing(1)
    if feature in SPIKE:
        if FINEST in truth.shapes and "peak_v" not in truth.shapes[FINEST]:
            return _nothing(0)  # the cell has no shape
        return _spikes(feature, own.spikes, outcome.spikes)
    if feature in SWEEP:
        return _columns(own.sweeps.get(feature), outcome.sweeps.get(feature))
    return _cell(feature, own.values.get(feature), outcome)


def _nothing(n: int) -> Compared:
    return np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)


def _spikes(
    feature: str, true: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]
) -> Compared:
    if feature not in true or "peak_t" not in found:
        return _nothing(0)
    a, b = paired(true["sweep"], true["peak_t"], found["sweep"], found["peak_t"], WIDE)
    answer = np.asarray(true[feature], dtype=float)[a]
    known = np.isfinite(answer)
    nothing = np.full(np.asarray(found["sweep"]).size, np.nan)
    given = np.asarray(found.get(feature, nothing), dtype=float)[b]
    error = np.asarray(found.get(f"{feature}_error", nothing), dtype=float)[b]
    return answer[known], given[known], error[known]


def _columns(true: np.ndarray | None, found: np.ndarray | None) -> Compared:
    if true is None:
        return _nothing(0)
    true = np.asarray(true, dtype=float)
    given = np.full(true.size, np.nan) if found is None else np.asarray(found, dtype=float)
    known = np.isfinite(true)
    return true[known], given[known], np.full(int(known.sum()), np.nan)


def _cell(feature: str, true: float | None, outcome: Outcome) -> Compared:
    if true is None or not np.isfinite(true):
        return _nothing(0)
    given = outcome.values.get(feature, np.nan)
    error = outcome.uncertainty.get(feature, np.nan)
    return np.array([true]), np.array([given]), np.array([error])


def _row(feature: str, reference: str, compared: Compared) -> dict[str, Any]:
    true, given, stated = compared
    undefined = true.size > 0 and not np.isfinite(true).any()
    there = np.isfinite(given) & np.isfinite(true)
    error = given[there] - true[there]
    told = np.isfinite(stated[there])
    return {
        "feature": feature,
        "reference": reference,
        "n": true.size,
        "undefined": undefined,
        "missing": 0 if undefined else int(true.size - there.sum()),
        "error": float(np.median(error)) if error.size else np.nan,
        "true": float(np.median(true[there])) if error.size else np.nan,
        "value": float(np.median(given[there])) if error.size else np.nan,
        "stated": int(told.sum()),
        "covered": int((np.abs(error[told]) <= 1.96 * stated[there][told]).sum()),
        "unit": wrong_unit(true[there], given[there]),
    }


def wrong_unit(true: np.ndarray, given: np.ndarray) -> str:
    """Say by what power of ten the values are off, when all of them are.

    Examples
    --------
    >>> wrong_unit(np.array([-70.0, -65.0]), np.array([-0.071, -0.064]))
    '1e-3 of the unit of the catalogue'
    >>> wrong_unit(np.array([-70.0]), np.array([-60.0]))
    ''
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.log10(given / true)
    power = power[np.isfinite(power)]
    if power.size == 0 or np.isnan(power).any():
        return ""
    nearest = int(np.rint(np.median(power)))
    if abs(nearest) in _UNITS and (np.abs(power - nearest) < _LIKE).all():
        return f"1e{nearest} of the unit of the catalogue"
    return ""

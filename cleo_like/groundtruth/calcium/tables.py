"""From scores of single cells to those of methods by condition, and what is wrong with each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.groundtruth.calcium.scores import CORRELATIONS
from cleo_like.groundtruth.extractors.method import PERFECT
from cleo_like.groundtruth.scores.bootstrap import median_interval, ratio_interval
from cleo_like.groundtruth.scores.features import wrong_unit
from cleo_like.groundtruth.scores.tables import each, groups, who

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.groundtruth.cases.plan import Plan

MEANS = (*CORRELATIONS, "f1")
"""Scores between 0 and 1, averaged over cells."""
MEDIANS = ("rate_bias", "noise_ratio", "lag", "events_per_event", "false_per_minute")
SCORES = (*MEANS, *MEDIANS)
BEST = {**dict.fromkeys(MEANS, 1.0), "rate_bias": 0.0, "noise_ratio": 1.0, "lag": 0.0,
        "events_per_event": 1.0, "false_per_minute": 0.0}  # fmt: skip
"""What a perfect method has."""
TIED = 0.02
"""Differences of correlation or F1 that are none."""
NOISE_OFF = 0.2
"""A stated noise that is off by more than a fifth is not calibrated."""


def score_table(plan: Plan, cells: pd.DataFrame) -> pd.DataFrame:
    """Score every method by block and condition, with 95 % intervals over cells and seeds.

    Parameters
    ----------
    plan : Plan
        Blocks and conditions.
    cells : DataFrame
        One row a recording, cell and method.

    Returns
    -------
    DataFrame
        One row a score: ``value`` (mean of `MEANS`, F1 of all events together; median of
        `MEDIANS`), ``low``, ``high``; ``cells`` that have it; ``missing``, the share of cells
        without an answer.
    """
    import pandas as pd

    rows = []
    for (block, condition, extractor), part in groups(plan, cells, ["extractor"]):
        for score in SCORES:
            known = part[np.isfinite(part[score])]
            if known.empty:
                value, low, high = np.nan, np.nan, np.nan
            elif score == "f1":
                whole = 2 * known["hits"] + known["false"] + known["missed"]
                value, low, high = ratio_interval(
                    2 * known["hits"].to_numpy(), whole.to_numpy(), *who(known)
                )
            elif score in MEANS:
                value, low, high = ratio_interval(
                    known[score].to_numpy(), np.ones(len(known)), *who(known)
                )
            else:
                value, low, high = median_interval(known[score].to_numpy(), *who(known))
            rows.append({
                "block": block, "condition": condition, "extractor": extractor,
                "score": score, "value": value, "low": low, "high": high,
                "cells": known["cell"].nunique(), "seeds": known["seed"].nunique(),
                "missing": float(part["missing"].mean()),
            })  # fmt: skip
    return pd.DataFrame(rows)


def effect_rows(cells: pd.DataFrame) -> pd.DataFrame:
    """Give the mean of each recording and score, as `scores.tables.effect_table` takes it."""
    if cells.empty:
        return cells
    mean = cells.groupby(["key", "extractor"], sort=False)[list(MEANS)].mean().reset_index()
    long = mean.melt(["key", "extractor"], var_name="feature", value_name="error")
    return long.assign(reference="")


def findings(plan: Plan, cells: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """List what is wrong with each method, each fault in its own column.

    Parameters
    ----------
    plan : Plan
        Blocks and conditions.
    cells : DataFrame
        One row a recording, cell and method.
    outcomes : DataFrame
        Of `scores.tables.outcome_table`.

    Returns
    -------
    DataFrame
        ``extractor``, ``column`` (missing, constant, lag, unit, noise, false events, missed
        events, failed, timeout, crashed, printed), ``where``, ``size``.
    """
    import pandas as pd

    from cleo_like.groundtruth.scores.compare import failures

    rows = []
    for (block, condition, extractor), part in groups(plan, cells, ["extractor"]):
        rows += [
            {"extractor": extractor, "column": column, "where": f"{block}: {condition}",
             "size": size}
            for column, size in _faults(part).items()
            if size
        ]  # fmt: skip
    for one in each(outcomes):
        rows += [
            {"extractor": one.extractor, "column": column,
             "where": f"{one.block}: {one.condition}", "size": size}
            for column, _, size in failures(one)
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["extractor", "column", "where", "size"])


def _faults(part: pd.DataFrame) -> dict[str, Any]:
    """Give what is wrong in one condition; 0 or "" is nothing.

    What follows from a fault is not one of its own: no lag or rate of what is missing or
    constant, no missed events where nothing was answered.
    """
    fires = part[(part["spikes"] > 0) & (part["missing"] == 0) & (part["constant"] == 0)]
    late = float(fires["lag"].median()) if len(fires) else 0.0
    noise = float(part["noise_ratio"].median())
    false, missed = fires["false"].sum(), fires["missed"].sum()
    whole = fires["hits"].sum() + missed
    mean = 1 + fires["rate_bias"].dropna().to_numpy()
    return {
        "missing": float(part["missing"].mean()),
        "constant": float(part["constant"].mean()),
        "lag": late if np.isfinite(late) else 0.0,
        "unit": wrong_unit(np.ones(mean.size), mean),
        "noise": noise if abs(noise - 1) > NOISE_OFF else 0.0,
        "false events": float(false / whole) if whole and np.isfinite(false) else 0.0,
        "missed events": float(missed / whole) if whole and np.isfinite(missed) else 0.0,
    }


def recommendations(scores: pd.DataFrame) -> pd.DataFrame:
    """Give, for each condition and score, the best method and those that are not worse.

    Not worse: within `TIED` of it, or with an interval that holds its value.
    """
    import pandas as pd

    if scores.empty:
        return pd.DataFrame()
    rows = []
    some = scores[scores["score"].isin(["corr_100", "f1"]) & (scores["extractor"] != PERFECT)]
    for (block, condition, score), part in some.groupby(
        ["block", "condition", "score"], sort=False
    ):
        known = part[np.isfinite(part["value"])]
        if known.empty:
            continue
        best = known.loc[known["value"].idxmax()]
        tied = known[
            (known["value"] >= best["value"] - TIED) | (known["high"] >= best["value"])
        ]
        others = [str(n) for n in tied["extractor"] if n != best["extractor"]]
        rows.append({
            "block": block, "condition": condition, "score": score,
            "best": best["extractor"], "value": best["value"], "low": best["low"],
            "high": best["high"], "not worse": ", ".join(others),
        })  # fmt: skip
    return pd.DataFrame(rows)

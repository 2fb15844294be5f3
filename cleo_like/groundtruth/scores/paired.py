"""Is one extractor best or equal: compared on the recordings that both answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.groundtruth.extractors.method import PERFECT
from cleo_like.groundtruth.scores.bootstrap import (
    f1_difference,
    median_difference,
    median_interval,
)
from cleo_like.groundtruth.scores.features import typical_spread
from cleo_like.groundtruth.scores.spikes import ratios
from cleo_like.groundtruth.scores.tables import SAME_SHARE, columns_of, groups_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from cleo_like.groundtruth.cases.plan import Plan
    from cleo_like.groundtruth.scores.tables import Groups

WORSE_SHARE = 0.1
"""Share of the between-cell spread by which the default is never to be worse."""
F1 = "F1"
"""Name of the rows that compare the detection of spikes (within 1 ms)."""
_COUNTS = ("hits_1ms", "false_1ms", "missed_1ms")


def comparison(
    plan: Plan | Groups, errors: pd.DataFrame, spikes: pd.DataFrame, name: str = "native"
) -> pd.DataFrame:
    """Compare one extractor with each other one, where both have the same definition.

    Both are scored on the recordings that both answered; what only one of them answered is
    counted apart. Equal: the 95 % interval of the difference of the absolute biases (cells
    and seeds drawn again, alike for both) holds 0, or the difference is below 2 % of the
    between-cell spread.

    Parameters
    ----------
    plan : Plan or Groups
        Blocks and conditions.
    errors : DataFrame
        One row a recording, extractor, feature and reference.
    spikes : DataFrame
        One row a recording and extractor: counts of spikes (`spikes.spike_scores`).
    name : str
        The extractor that is judged.

    Returns
    -------
    DataFrame
        One row a block, condition, feature, reference and other extractor. ``verdict`` is
        "better", "equal", "worse", "missing" (only the other gives values) or "apart" (no
        recording that both answered); ``worse_by`` is the difference in between-cell spreads,
        of ``F1`` in F1; ``overlap``: whether the 95 % intervals of the two biases overlap;
        ``recordings``, ``both``, ``only_other`` and ``only_own`` count recordings.
    """
    import pandas as pd

    rows = [*_of_features(plan, errors, name), *_of_spikes(plan, spikes, name)]
    return pd.DataFrame(rows)


def _of_features(plan: Plan | Groups, errors: pd.DataFrame, name: str) -> Iterator[Any]:
    if errors.empty:
        return
    shared = errors[(errors["definition"] == "") & (errors["extractor"] != PERFECT)]
    for (block, condition, feature, reference), part in columns_of(
        plan, shared, ["feature", "reference"]
    ):
        keys, first, row = np.unique(part["key"], return_index=True, return_inverse=True)
        names = list(dict.fromkeys(part["extractor"]))
        if name not in names:
            continue
        column = np.array([names.index(e) for e in part["extractor"]])
        table = np.full((len(names), keys.size), np.nan)
        table[column, row] = part["error"]
        truth = np.full(table.shape, np.nan)
        truth[column, row] = part["true"]
        who = part["cell"][first], part["seed"][first]
        own = table[names.index(name)]
        for other, theirs, there in zip(names, table, truth, strict=True):
            if other != name and np.isfinite(theirs).any():
                yield {
                    "block": block, "condition": condition, "feature": feature,
                    "reference": reference, "other": other,
                    **_compared(feature, own, theirs, there, who),
                }  # fmt: skip


def _compared(
    feature: str, own: np.ndarray, theirs: np.ndarray, truth: np.ndarray, who: Any
) -> dict[str, Any]:
    """Compare the errors of two extractors, recording by recording."""
    here, there = np.isfinite(own), np.isfinite(theirs)
    both = here & there
    out = {
        "verdict": "apart" if here.any() else "missing", "worse_by": np.nan, "bias": np.nan,
        "other_bias": np.nan, "low": np.nan, "high": np.nan, "overlap": False,
        "recordings": own.size, "both": int(both.sum()),
        "only_own": int((here & ~there).sum()), "only_other": int((there & ~here).sum()),
    }  # fmt: skip
    if not both.any():
        return out
    cells, seeds = (x[both] for x in who)
    mine = median_interval(own[both], cells, seeds)
    other = median_interval(theirs[both], cells, seeds)
    more, low, high = median_difference(own[both], theirs[both], cells, seeds)
    size = typical_spread(feature, truth[both])
    share = more / size if size else (0.0 if more == 0 else np.inf * np.sign(more))
    equal = low <= 0 <= high or abs(share) <= SAME_SHARE
    overlap = mine[1] <= other[2] and other[1] <= mine[2]
    return out | {
        "verdict": _verdict(more, equal=equal), "worse_by": float(share), "bias": mine[0],
        "other_bias": other[0], "low": low, "high": high,
        "overlap": bool(overlap or abs(share) <= SAME_SHARE),
    }  # fmt: skip


def _verdict(more: float, *, equal: bool) -> str:
    if equal:
        return "equal"
    return "worse" if more > 0 else "better"


def _of_spikes(plan: Plan | Groups, spikes: pd.DataFrame, name: str) -> Iterator[Any]:
    """Compare F1, over the recordings in which both were asked for spikes."""
    if spikes.empty:
        return
    real = spikes[spikes["extractor"] != PERFECT]
    for block, condition, keys_here in plan if isinstance(plan, list) else groups_of(plan):
        part = real[real["key"].isin(keys_here)]
        table = {e: rows.set_index("key") for e, rows in part.groupby("extractor", sort=False)}
        if name not in table:
            continue
        own = table.pop(name)
        asked = part["key"].nunique()
        for other, theirs in table.items():
            keys = own.index.intersection(theirs.index)
            if not len(keys):
                continue
            mine, others = own.loc[keys], theirs.loc[keys]
            counts = [x[list(_COUNTS)].to_numpy(float) for x in (mine, others)]
            found = [ratios(*x.sum(axis=0))[2] for x in counts]
            if not np.isfinite(found).all():  # nothing fires, and nothing was found
                continue
            who = mine["cell"].to_numpy(), mine["seed"].to_numpy()
            low, high = f1_difference(counts[0], counts[1], *who)
            less = found[1] - found[0]
            equal = low <= 0 <= high
            yield {
                "block": block, "condition": condition, "feature": F1, "reference": "",
                "other": other, "verdict": _verdict(less, equal=equal), "worse_by": less,
                "bias": found[0], "other_bias": found[1], "low": low, "high": high,
                "overlap": equal, "recordings": asked, "both": len(keys),
                "only_own": len(own) - len(keys), "only_other": len(theirs) - len(keys),
            }  # fmt: skip


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Count a comparison.

    Parameters
    ----------
    table : DataFrame
        Of `comparison`.

    Returns
    -------
    dict
        ``cells``, ``best_or_equal`` (a share), ``overlapping`` (the same, where equal means
        that the intervals of the two biases overlap), ``much_worse`` (worse by more than a
        tenth of the spread), ``missing`` (no value where the other gives one) and
        ``partly_missing`` (in some of the recordings): counts.
    """
    counted = table[table["verdict"] != "apart"] if len(table) else table
    if counted.empty:
        return {
            "cells": 0, "best_or_equal": np.nan, "overlapping": np.nan, "much_worse": 0,
            "missing": 0, "partly_missing": 0,
        }  # fmt: skip
    verdict = counted["verdict"]
    missing = verdict == "missing"
    return {
        "cells": len(counted),
        "best_or_equal": float(verdict.isin(["better", "equal"]).mean()),
        "overlapping": float(((verdict == "better") | counted["overlap"]).mean()),
        "much_worse": int(((verdict == "worse") & (counted["worse_by"] > WORSE_SHARE)).sum()),
        "missing": int(missing.sum()),
        "partly_missing": int(((counted["only_other"] > 0) & ~missing).sum()),
    }

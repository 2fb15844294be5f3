"""Is one extractor best or equal, and what is wrong with each: conclusions from the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.groundtruth.extractors.method import PERFECT
from cleo_like.groundtruth.scores.tables import SAME_SHARE, each

if TYPE_CHECKING:
    import pandas as pd

WORSE_SHARE = 0.1
"""Share of the between-cell spread by which the default is never to be worse."""


def comparison(scores: pd.DataFrame, name: str = "native") -> pd.DataFrame:
    """Compare one extractor with each other one, where both have the same definition.

    Equal: the 95 % intervals of the bias overlap, or the absolute biases differ by less than
    2 % of the between-cell spread. A value that only the other gives is "missing".

    Parameters
    ----------
    scores : DataFrame
        Of `tables.feature_scores`.
    name : str
        The extractor that is judged.

    Returns
    -------
    DataFrame
        One row a block, condition, feature, reference and other extractor; ``verdict`` is
        "better", "equal", "worse" or "missing",
        ``worse_by`` the difference in between-cell spreads.
    """
    import pandas as pd

    if scores.empty:
        return pd.DataFrame()
    place = ["block", "condition", "feature", "reference"]
    shared = scores[(scores["definition"] == "") & (scores["extractor"] != PERFECT)]
    mine: Any = shared[shared["extractor"] == name].set_index(place)
    others = shared[shared["extractor"] != name]
    rows = []
    for other in each(others):
        key = (other.block, other.condition, other.feature, other.reference)
        if key not in mine.index or not np.isfinite(other.bias):
            continue
        own = mine.loc[key]
        verdict, by = _verdict(own, other)
        rows.append({
            **dict(zip(place, key, strict=True)), "other": other.extractor, "verdict": verdict,
            "worse_by": by, "bias": own["bias"], "other_bias": other.bias,
            "missing": own["missing"], "other_missing": other.missing,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _verdict(own: Any, other: Any) -> tuple[str, float]:
    if not np.isfinite(own["bias"]):
        return "missing", np.nan
    more = abs(own["bias"]) - abs(other.bias)
    size = own["between_cells"]
    share = more / size if size else (0.0 if more == 0 else np.inf * np.sign(more))
    overlap = own["bias_low"] <= other.bias_high and other.bias_low <= own["bias_high"]
    if overlap or abs(share) <= SAME_SHARE:
        return "equal", float(share)
    return ("worse" if more > 0 else "better"), float(share)


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Count a comparison: cells, share best or equal, worse by more than a tenth of the spread.

    Parameters
    ----------
    table : DataFrame
        Of `comparison`.

    Returns
    -------
    dict
        ``cells``, ``best_or_equal`` (a share) and ``much_worse`` (a count).
    """
    if table.empty:
        return {"cells": 0, "best_or_equal": np.nan, "much_worse": 0}
    return {
        "cells": len(table),
        "best_or_equal": float(table["verdict"].isin(["better", "equal"]).mean()),
        "much_worse": int(
            ((table["verdict"] == "worse") & (table["worse_by"] > WORSE_SHARE)).sum()
        ),
    }


def findings(
    scores: pd.DataFrame, spikes: pd.DataFrame, outcomes: pd.DataFrame
) -> pd.DataFrame:
    """List what is wrong with each extractor, each fault in its own column.

    Parameters
    ----------
    scores, spikes, outcomes : DataFrame
        Of `tables.feature_scores`, `spike_table` and `outcome_table`.

    Returns
    -------
    DataFrame
        ``extractor``, ``column`` (bias, missing, wrong, unit, false spikes, missed spikes,
        failed, timeout, crashed, printed), ``feature``, ``where``, ``size``.
    """
    import pandas as pd

    rows = [
        {
            "extractor": one.extractor, "column": column, "feature": feature,
            "where": f"{one.block}: {one.condition}", "size": size,
        }
        for table, faults in (
            (scores, _feature_faults), (spikes, _spike_faults), (outcomes, failures),
        )
        for one in each(table)
        for column, feature, size in faults(one)
    ]  # fmt: skip
    columns = ["extractor", "column", "feature", "where", "size"]
    return pd.DataFrame(rows, columns=columns)


def _feature_faults(one: Any) -> list[tuple[str, str, Any]]:
    """Give column, feature and size of what is wrong in a row of `tables.feature_scores`."""
    if one.reference == "400 kHz":  # the chain is not the extractor's fault
        return []
    sure = one.bias_low > 0 or one.bias_high < 0
    faults = {
        "bias": one.bias if sure and abs(one.relative_bias) > SAME_SHARE else 0,
        "missing": one.missing,
        "wrong": one.wrong,
        "unit": one.unit,
    }
    return [
        (column, one.feature, size)
        for column, size in faults.items()
        if size and size == size  # noqa: PLR0124  (NaN is none)
    ]


def _spike_faults(one: Any) -> list[tuple[str, str, Any]]:
    extra, lost = one.false_1ms, 1 - one.recall_1ms
    faults = [("false spikes", "spikes", extra)] if extra else []
    return faults + ([("missed spikes", "spikes", lost)] if lost > 0 else [])


def failures(one: Any) -> list[tuple[str, str, Any]]:
    """Give column, feature and size of what went wrong in a row of `tables.outcome_table`."""
    return [
        (column, "all", f"{getattr(one, column)} of {one.recordings}")
        for column in ("failed", "timeout", "crashed", "printed")
        if getattr(one, column)
    ]


def recommendations(scores: pd.DataFrame) -> pd.DataFrame:
    """Give, for each condition and feature, the extractor with the least total error.

    The total is hypot(bias, spread); extractors that miss more than 5 % or have another
    definition are not recommended.
    """
    import pandas as pd

    if scores.empty:
        return pd.DataFrame()
    from cleo_like.groundtruth.truth.exact import FINEST

    usable = scores[
        (scores["definition"] == "") & (scores["extractor"] != PERFECT)
        & (scores["missing"] <= 0.05) & np.isfinite(scores["bias"])
        & (scores["reference"] == FINEST)
    ].copy()  # fmt: skip
    usable["total"] = np.hypot(usable["bias"], usable["spread"])
    usable["share"] = usable["total"] / usable["between_cells"]
    order = usable.sort_values("total", kind="stable")
    best = order.groupby(["block", "condition", "feature"], sort=False).head(1)
    names = ["block", "condition", "feature", "extractor", "bias", "spread", "total", "share"]
    found = best.sort_index()[names].reset_index(drop=True)
    found["trust"] = [trust(x) for x in found["share"]]
    return found


def trust(share: float) -> str:
    """Say how far a value can be trusted whose error is this share of the between-cell spread.

    Examples
    --------
    >>> trust(0.05), trust(0.2), trust(2.0)
    ('trust', 'with care', 'do not compare cells by it')
    """
    if not np.isfinite(share):
        return "unknown"
    if share <= WORSE_SHARE:
        return "trust"
    return "with care" if share <= 0.5 else "do not compare cells by it"

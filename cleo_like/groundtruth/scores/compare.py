"""What is wrong with each extractor, and whom to take where: conclusions from the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.groundtruth.extractors.method import PERFECT
from cleo_like.groundtruth.scores.paired import WORSE_SHARE
from cleo_like.groundtruth.scores.tables import SAME_SHARE, each
from cleo_like.groundtruth.truth.exact import FINEST

if TYPE_CHECKING:
    import pandas as pd

_ANSWERED = 0.95
"""Share of the values that an extractor must give to be recommended."""


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
    if one.reference == FINEST:  # the chain is not the extractor's fault
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

    The total is hypot(bias, spread); extractors that miss more than 5 % (recordings on which
    they failed count) or have another definition are not recommended.
    """
    import pandas as pd

    if scores.empty:
        return pd.DataFrame()
    place = ["block", "condition", "feature"]
    asked = scores.groupby(place)["recordings"].transform("max")
    answered = scores["recordings"] / asked * (1 - scores["missing"].fillna(0))
    usable = scores[
        (scores["definition"] == "") & (scores["extractor"] != PERFECT)
        & (answered >= _ANSWERED) & np.isfinite(scores["bias"])
        & (scores["reference"] == FINEST)
    ].copy()  # fmt: skip
    usable["total"] = np.hypot(usable["bias"], usable["spread"])
    usable["share"] = usable["total"] / usable["between_cells"]
    order = usable.sort_values("total", kind="stable")
    best = order.groupby(place, sort=False).head(1)
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

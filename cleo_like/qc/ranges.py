"""Features against the plausible ranges of the catalogue."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.features.catalogue import CATALOGUE, feature
from cleo_like.qc.verdicts import Check, limited

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

_LOG = logging.getLogger(__name__)


def range_checks(values: Mapping[str, float]) -> tuple[Check, ...]:
    """Check values against the plausible ranges of the catalogue.

    Parameters
    ----------
    values : mapping of str to float
        Feature values by name, in the catalogue's units; names that it does not have are
        left out.

    Returns
    -------
    tuple of Check
        A missing value is "unknown".

    Examples
    --------
    >>> [c.verdict for c in range_checks({"tau": 0.02, "sag": 1.5, "latency": float("nan")})]
    ['pass', 'fail', 'unknown']
    """
    checks = []
    for name, value in values.items():
        limits = _range(name)
        if limits is not None:
            low, high, unit = limits
            checks.append(limited(name, float(value), (low, high), unit))
    return tuple(checks)


def _range(name: str) -> tuple[float, float, str] | None:
    """Range and unit of a column: the one place that asks the catalogue."""
    try:
        known = feature(name)
    except UnknownNameError:
        return None
    return None if known.unit == "text" else (known.low, known.high, known.unit)


def range_table(df: pd.DataFrame, qc_features: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Judge every value of a feature table.

    Parameters
    ----------
    df : DataFrame
        One row per cell, features as columns in the catalogue's units.
    qc_features : mapping of str to (low, high), optional
        Ranges, limits included; those of the catalogue for all columns it knows when not
        given.

    Returns
    -------
    DataFrame
        One row per cell and feature: row (label of `df`), feature, value, low, high,
        verdict ("pass", "fail", "unknown") and reason.

    Examples
    --------
    >>> import pandas as pd
    >>> range_table(pd.DataFrame({"tau": [0.02, 5.0, float("nan")]}))["verdict"].tolist()
    ['pass', 'fail', 'unknown']
    """
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    for name, (low, high, unit) in _ranges(df.columns, qc_features).items():
        for label, value in zip(df.index, df[name].astype(float), strict=True):
            c = limited(name, float(value), (low, high), unit)
            rows.append((label, name, c.value, low, high, c.verdict, c.reason))
    columns = ["row", "feature", "value", "low", "high", "verdict", "reason"]
    return pd.DataFrame(rows, columns=columns)


def _ranges(
    columns: Iterable[str], given: Mapping[str, Any] | None
) -> dict[str, tuple[float, float, str]]:
    if given is None:
        known = {name: _range(str(name)) for name in columns}
        return {name: limits for name, limits in known.items() if limits is not None}
    present = set(columns)
    ranges = {}
    for name, limits in given.items():
        if len(limits) != 2 or not limits[0] <= limits[1]:
            msg = f"the range of {name} must be (low, high) with low <= high, got {limits!r}"
            raise InputError(msg)
        if name in present:
            unit = CATALOGUE[name].unit if name in CATALOGUE else "1"
            ranges[name] = (float(limits[0]), float(limits[1]), unit)
    return ranges


def quick_qc(df: pd.DataFrame, qc_features: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Keep the cells whose features lie within their ranges.

    A view of `range_table`: a cell leaves only when a value that is there lies outside its
    range. A missing value (NaN) never removes a cell; which cells left, and why, is logged
    and kept in ``attrs["qc_dropped"]`` of the answer.

    Parameters
    ----------
    df : DataFrame
        One row per cell.
    qc_features : mapping of str to (low, high), optional
        Ranges, limits included; those of the catalogue when not given. Names that are no
        column are ignored.

    Returns
    -------
    DataFrame
        The rows that pass, in order, with their index. ``attrs["qc_dropped"]`` is a list of
        texts, ``attrs["qc_missing"]`` the number of values that could not be judged.

    Examples
    --------
    >>> import pandas as pd
    >>> kept = quick_qc(pd.DataFrame({"tau": [0.02, 5.0, float("nan")]}), {"tau": [1e-5, 0.6]})
    >>> kept.index.tolist(), kept.attrs["qc_dropped"]
    ([0, 2], ['1: tau 5 s, not 1e-05 to 0.6'])
    """
    verdicts = range_table(df, qc_features)
    failed = verdicts[verdicts["verdict"] == "fail"]
    for name, group in failed.groupby("feature", sort=False):
        _LOG.warning("%d cells fail %s, e.g. %s", len(group), name, group["reason"].iloc[0])
    kept = df[~df.index.isin(failed["row"])].copy()
    kept.attrs["qc_dropped"] = [
        f"{row}: {name} {reason}"
        for row, name, reason in failed[["row", "feature", "reason"]].itertuples(index=False)
    ]
    kept.attrs["qc_missing"] = int((verdicts["verdict"] == "unknown").sum())
    return kept

"""From errors of single recordings to the scores of extractors by condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.groundtruth.extractors.method import PERFECT
from cleo_like.groundtruth.scores.bootstrap import median_interval, ratio_interval
from cleo_like.groundtruth.scores.features import BETWEEN_CELLS, typical_spread
from cleo_like.groundtruth.scores.spikes import ratios

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from cleo_like.groundtruth.cases.plan import Block, Plan

STATUS = ("ok", "failed", "timeout", "crashed")
WRONG_TIMES, WRONG_SHARE = 3.0, 0.1
"""Wrong: beyond three times the median absolute error of the best extractor there, and beyond
a tenth of the between-cell spread."""
SAME_SHARE = 0.02
"""Differences below this share of the between-cell spread are none."""


def each(table: pd.DataFrame) -> Iterable[Any]:
    """Give the rows of a table as named tuples."""
    return table.itertuples()


def conditions(block: Block) -> list[tuple[str, set[str]]]:
    """Give the conditions of a block and the cases (keys) of each.

    Combinations of the factors that the block names; else each level of each varied factor by
    itself, averaged over all others.
    """
    out: dict[str, set[str]] = {}
    for case in block.cases:
        if block.conditions:
            names = [", ".join(f"{n} {_shown(case.factors[n])}" for n in block.conditions)]
        else:
            names = [f"{n} {_shown(case.factors[n])}" for n in block.varied]
        for name in names:
            out.setdefault(name, set()).add(case.key)
    return list(out.items())


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


Columns = dict[str, np.ndarray]
Groups = list[tuple[str, str, set[str]]]
"""Recordings (keys) that are reported together: block, condition, keys."""


def groups_of(plan: Plan) -> Groups:
    """Give what a plan reports together."""
    return [(block.name, *one) for block in plan.blocks for one in conditions(block)]


def groups(
    plan: Plan | Groups, table: pd.DataFrame, by: list[str]
) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Give the rows of each block, condition and combination of `by`."""
    if table.empty:
        return
    for block, condition, keys in plan if isinstance(plan, list) else groups_of(plan):
        rows = table[table["key"].isin(keys)]
        for names, part in rows.groupby(by, sort=False):
            yield (block, condition, *names), part


def columns_of(
    plan: Plan | Groups, table: pd.DataFrame, by: list[str]
) -> Iterator[tuple[Any, Columns]]:
    """Do the same as `groups`, with arrays: frames take longer than what is done with them."""
    if table.empty:
        return
    whole = {str(name): table[name].to_numpy() for name in table}
    for block, condition, keys in plan if isinstance(plan, list) else groups_of(plan):
        here = np.flatnonzero(table["key"].isin(keys))
        for names, rows in table.iloc[here].groupby(by, sort=False).indices.items():
            at = here[rows]
            yield (block, condition, *names), {name: x[at] for name, x in whole.items()}


def feature_scores(plan: Plan | Groups, errors: pd.DataFrame) -> pd.DataFrame:
    """Score every feature by block, condition and extractor.

    Parameters
    ----------
    plan : Plan or Groups
        Blocks and conditions.
    errors : DataFrame
        One row a recording, extractor, feature and reference.

    Returns
    -------
    DataFrame
        ``bias`` (median error) with its interval, ``spread`` (robust SD of the error),
        ``error`` (median absolute error), all in the unit of the catalogue;
        ``relative_bias`` in between-cell spreads; ``missing`` and ``wrong`` as shares;
        ``coverage`` of the stated 95 % intervals.
    """
    import pandas as pd

    rows, found = [], []
    for names, part in columns_of(plan, errors, ["extractor", "feature", "reference"]):
        rows.append(_scored(names, part))
        found.append(part["error"])
    table = pd.DataFrame(rows)
    return table if table.empty else _with_wrong(table, found)


def _scored(names: tuple[str, ...], part: Columns) -> dict[str, Any]:
    """Score one extractor by one feature in one condition."""
    feature, known = names[3], np.isfinite(part["error"])
    e, stated = part["error"][known], part["stated"].sum()
    bias, low, high = median_interval(e, part["cell"][known], part["seed"][known])
    spread = np.subtract(*np.quantile(e, [0.75, 0.25])) / 1.349 if e.size else np.nan
    size = typical_spread(feature, part["true"][known])
    missing = part["missing"].sum() / max(part["n"].sum(), 1)
    return {
        **dict(zip(("block", "condition", "extractor", "feature", "reference"), names,
                   strict=True)),
        "definition": part["definition"][0], "recordings": known.size,
        "cells": len(set(part["cell"])), "seeds": len(set(part["seed"])), "bias": bias,
        "bias_low": low, "bias_high": high, "spread": float(spread),
        "error": float(np.median(np.abs(e))) if e.size else np.nan,
        "relative_bias": bias / size if size else np.nan, "between_cells": size,
        "missing": np.nan if part["undefined"].all() else float(missing),
        "coverage": part["covered"].sum() / stated if stated else np.nan,
        "unit": next((u for u in part["unit"] if u), ""),
    }  # fmt: skip


def threshold_table(plan: Plan | Groups, differences: pd.DataFrame) -> pd.DataFrame:
    """Give by how much thresholds lie beyond those of the threshold equation.

    Parameters
    ----------
    plan : Plan or Groups
        Blocks and conditions.
    differences : DataFrame
        One row a recording, extractor and value (`features.threshold_differences`).

    Returns
    -------
    DataFrame
        ``difference`` (median) with its 95 % interval and ``spread``, mV and s; ``missing``.
    """
    table = feature_scores(plan, differences)
    if table.empty:
        return table
    names = ["block", "condition", "extractor", "feature", "recordings", "cells", "bias",
             "bias_low", "bias_high", "spread", "missing"]  # fmt: skip
    return table[names].rename(columns={
        "bias": "difference", "bias_low": "low", "bias_high": "high",
    })  # fmt: skip


def who(part: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Give cells and seeds of rows, for intervals."""
    return part["cell"].to_numpy(), part["seed"].to_numpy()


def _with_wrong(table: pd.DataFrame, errors: list[np.ndarray]) -> pd.DataFrame:
    """Add the share of recordings with a wrong value and no flag; errors are those of rows."""
    place = ["block", "condition", "feature", "reference", "definition"]
    real = table["error"].where(table["extractor"] != PERFECT)
    best = real.groupby([table[name] for name in place]).transform("min")
    spreads = table["between_cells"].to_numpy()
    limits = np.fmax(WRONG_TIMES * best.to_numpy(), WRONG_SHARE * spreads)
    wrong = []
    for e, limit in zip(errors, limits, strict=True):
        given = np.abs(e[np.isfinite(e)])
        wrong.append(float((given > limit).mean()) if given.size else np.nan)
    return table.assign(limit=limits, wrong=wrong)


def spike_table(plan: Plan | Groups, spikes: pd.DataFrame) -> pd.DataFrame:
    """Score spike detection by block, condition and extractor, with intervals of F1."""
    import pandas as pd

    rows = []
    for (block, condition, extractor), part in groups(plan, spikes, ["extractor"]):
        row: dict[str, Any] = {
            "block": block, "condition": condition, "extractor": extractor,
            "recordings": len(part), "true": int(part["true"].sum()),
        }  # fmt: skip
        for label in ("1ms", "0.2ms"):
            sums = [part[f"{k}_{label}"].to_numpy(float) for k in ("hits", "false", "missed")]
            found = ratios(*(float(x.sum()) for x in sums))
            row |= dict(
                zip(
                    (f"precision_{label}", f"recall_{label}", f"f1_{label}"), found, strict=True
                )
            )
            row[f"false_{label}"] = int(sums[1].sum())
            hits, whole = 2 * sums[0], 2 * sums[0] + sums[1] + sums[2]
            _, row[f"f1_{label}_low"], row[f"f1_{label}_high"] = ratio_interval(
                hits, whole, *who(part)
            )
        late = part[np.isfinite(part["time_error"])]
        row["time_error"], row["time_low"], row["time_high"] = median_interval(
            late["time_error"].to_numpy(), *who(late)
        )
        known = part["coincidence"].dropna()
        row["coincidence"] = float(known.mean()) if len(known) else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def outcome_table(plan: Plan | Groups, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Count failures, hangs, crashes and printing by block, condition and extractor."""
    import pandas as pd

    rows = []
    for (block, condition, extractor), part in groups(plan, outcomes, ["extractor"]):
        bad = part[part["status"] != "ok"]
        rows.append({
            "block": block, "condition": condition, "extractor": extractor,
            "recordings": len(part), **{s: int((part["status"] == s).sum()) for s in STATUS},
            "printed": int((part["printed"] != "").sum()),
            "cpu": float(part["seconds"].median()),
            "why": bad["why"].value_counts().index[0] if len(bad) else "",
        })  # fmt: skip
    return pd.DataFrame(rows)


def matcher_table(plan: Plan, rows: pd.DataFrame) -> pd.DataFrame:
    """Score the matcher by block and condition."""
    import pandas as pd

    out = []
    for (block, condition, _), part in groups(
        plan, rows.assign(extractor="matcher"), ["extractor"]
    ):
        precision, recall, _f1 = ratios(
            *(float(part[k].sum()) for k in ("hits", "false", "missed"))
        )
        edges = {f"{k}_error": float(part[f"{k}_error"].abs().max()) for k in ("start", "end")}
        out.append({
            "block": block, "condition": condition, "sweeps": int(part["sweeps"].sum()),
            "precision": precision, "recall": recall, **edges,
        })  # fmt: skip
    return pd.DataFrame(out)


def rank_table(plan: Plan, errors: pd.DataFrame) -> pd.DataFrame:
    """Correlate the order of cells with the true order, where a block has a population."""
    import pandas as pd
    from scipy.stats import spearmanr

    blocks = [b for b in plan.blocks if "member" in b.varied]
    rows: list[dict[str, Any]] = []
    if errors.empty:
        return pd.DataFrame(rows)
    for block in blocks:
        for condition, keys in conditions(block):
            part = errors[errors["key"].isin(keys) & np.isfinite(errors["error"])]
            kind = part["cell"].str.rsplit("-", n=1).str[0]
            by = [part["extractor"], part["feature"], part["reference"], kind]
            for (extractor, feature, reference, name), group in part.groupby(by, sort=False):
                cells = group.groupby("cell")[["true", "value"]].mean()
                if len(cells) < 4 or cells["true"].nunique() < 3:
                    continue
                rho = np.nan
                if cells["value"].nunique() > 1:
                    rho = float(spearmanr(cells["true"], cells["value"]).statistic)
                rows.append({
                    "block": block.name, "condition": condition, "extractor": extractor,
                    "feature": feature, "reference": reference, "cell": name,
                    "cells": len(cells), "rho": rho,
                })  # fmt: skip
    return pd.DataFrame(rows)


def effect_table(plan: Plan, errors: pd.DataFrame) -> pd.DataFrame:
    """Estimate what each factor of a screening block does to each error.

    Least squares on all main effects. ``effect`` is the difference between the mean of a
    level and that of all runs, in between-cell spreads where a table has them (else in the
    unit); ``standard_error`` is that of the fit.
    """
    import pandas as pd

    rows = []
    for block in plan.blocks:
        if block.conditions or not len(block.varied):
            continue
        cases = {case.key: case for case in block.cases}
        part = errors[errors["key"].isin(cases) & np.isfinite(errors["error"])]
        for names, group in part.groupby(["extractor", "feature", "reference"], sort=False):
            size = BETWEEN_CELLS.get(names[1], 1.0)
            chosen = [cases[k] for k in group["key"]]
            found = _effects(block, chosen, group["error"].to_numpy() / size)
            rows += [
                {"block": block.name, "extractor": names[0], "feature": names[1],
                 "reference": names[2], **one}
                for one in found
            ]  # fmt: skip
    return pd.DataFrame(rows)


def _effects(block: Block, cases: Iterable[Any], error: np.ndarray) -> list[dict[str, Any]]:
    columns, labels = [np.ones(error.size)], []
    for name, levels in block.varied.items():
        codes = np.array([levels.index(c.factors[name]) for c in cases])
        used = [k for k in range(len(levels)) if (codes == k).any()]
        if len(used) < 2:
            continue
        last = used[-1]
        for k in used[:-1]:
            columns.append((codes == k).astype(float) - (codes == last))
            labels.append((name, levels[k]))
    x = np.stack(columns, axis=1)
    if len(x) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        return []
    solved, *_ = np.linalg.lstsq(x, error, rcond=None)
    left = error - x @ solved
    variance = left @ left / (len(x) - x.shape[1]) * np.linalg.inv(x.T @ x)
    return [
        {"factor": name, "level": _shown(level), "effect": float(solved[k + 1]),
         "standard_error": float(np.sqrt(variance[k + 1, k + 1]))}
        for k, (name, level) in enumerate(labels)
    ]  # fmt: skip


def strong_effects(effects: pd.DataFrame) -> pd.DataFrame:
    """Give the effects beyond three standard errors, the largest first."""
    if not len(effects):
        return effects
    strong = effects[effects["effect"].abs() > 3 * effects["standard_error"]]
    return strong.reindex(strong["effect"].abs().sort_values(ascending=False).index)

"""How well a simulated ranking of methods agrees with the real one, and how well it could."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    import pandas as pd

DIFFERENT = 0.02
"""Differences between two methods whose sign is to be predicted."""
NEAR = 0.03
"""How near a simulated score is to come to the real one."""
SPLITS, DRAWS = 200, 200
SEED = 7
POOLED = "all sets"
REAL = "real"


@attrs.frozen(kw_only=True, eq=False)
class Values:
    """Scores of every cell by every method: real, or simulated.

    Parameters
    ----------
    values : array, shape (n_cells, n_methods)
        One score.
    sets : array of str, shape (n_cells,)
        Data set of each cell.
    methods : tuple of str
        Names.
    """

    values: np.ndarray
    sets: np.ndarray
    methods: tuple[str, ...]

    def means(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Give the mean of each method: of the means of the sets, so that each counts alike.

        Parameters
        ----------
        weights : array, shape (..., n_cells), optional
            How often each cell counts.

        Returns
        -------
        array, shape (..., n_methods)
        """
        w = np.ones(len(self.values)) if weights is None else np.asarray(weights, dtype=float)
        total: Any = 0.0
        count: Any = 0.0
        for name in np.unique(self.sets):
            own = self.sets == name
            part = w[..., own]
            size = part.sum(axis=-1, keepdims=True)
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = part @ self.values[own] / size
            there = size > 0
            total = total + np.where(there, mean, 0.0)
            count = count + there
        return np.asarray(total / np.where(count > 0, count, np.nan))


def ranks_agree(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Give Spearman's rank correlation along the last axis.

    Examples
    --------
    >>> float(ranks_agree(np.array([1.0, 2, 3]), np.array([1.0, 3, 2])))
    0.5
    """
    from scipy.stats import rankdata

    a, b = (rankdata(x, axis=-1) for x in (one, other))
    a, b = (x - x.mean(axis=-1, keepdims=True) for x in (a, b))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (a * b).sum(axis=-1) / np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return np.asarray(found)


def signs(real: np.ndarray, predicted: np.ndarray) -> tuple[int, int]:
    """Count pairs of methods that differ by more than `DIFFERENT`, and those ordered alike.

    Parameters
    ----------
    real, predicted : array, shape (..., n_methods)
        Scores.

    Returns
    -------
    tuple of int
        Right ones, and all.

    Examples
    --------
    >>> signs(np.array([0.5, 0.6, 0.605]), np.array([0.4, 0.7, 0.6]))
    (2, 2)
    """
    i, j = np.triu_indices(np.shape(real)[-1], 1)
    truth = np.asarray(real)[..., i] - np.asarray(real)[..., j]
    found = np.asarray(predicted)[..., i] - np.asarray(predicted)[..., j]
    clear = np.abs(truth) > DIFFERENT
    return int((clear & (truth * found > 0)).sum()), int(clear.sum())


def halves(sets: np.ndarray, rng: np.random.Generator, n: int = SPLITS) -> np.ndarray:
    """Draw halves of the cells of every set, shape (n, n_cells), 1 for the first half.

    The odd cell of a set goes to either half.
    """
    out = np.zeros((n, sets.size))
    for name in np.unique(sets):
        own = np.flatnonzero(sets == name)
        order = rng.random((n, own.size)).argsort(axis=1).argsort(axis=1)
        size = own.size // 2 + (rng.random((n, 1)) < 0.5) * (own.size % 2)
        out[:, own] = order < size
    return out


def reliability(real: Values) -> tuple[float, float]:
    """Give how well half of the cells predict the other half: rank rho, and share of signs."""
    rng = np.random.default_rng(SEED)
    first = halves(real.sets, rng)
    one, other = real.means(first), real.means(1 - first)
    right, total = signs(one, other)
    rho = ranks_agree(one, other)
    rho = rho[np.isfinite(rho)]  # none where half of a single cell is nobody
    mean = float(rho.mean()) if rho.size else float("nan")
    return mean, right / total if total else float("nan")


def compare(real: Values, simulated: Values) -> dict[str, float]:
    """Compare two sets of scores of the same cells by the same methods.

    Returns
    -------
    dict
        ``rho`` with its 95 % interval over cells (`DRAWS` bootstrap samples in each set),
        ``reliability`` (split-half) and ``reliability_full`` (of all cells, by Spearman and
        Brown), ``signs`` (share of pairs), ``pairs``, ``signs_possible`` (between halves),
        ``error`` (mean absolute difference of the methods' scores), ``largest``, ``bias``.
    """
    a, b = real.means(), simulated.means()
    right, total = signs(a, b)
    half, possible = reliability(real)
    rng = np.random.default_rng(SEED)
    weights = np.zeros((DRAWS, real.sets.size))
    for name in np.unique(real.sets):
        own = np.flatnonzero(real.sets == name)
        weights[:, own] = rng.multinomial(own.size, np.full(own.size, 1 / own.size), DRAWS)
    drawn = ranks_agree(real.means(weights), simulated.means(weights))
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn.size else (np.nan, np.nan)
    return {
        "rho": float(ranks_agree(a, b)), "rho_low": float(low), "rho_high": float(high),
        "reliability": half, "reliability_full": 2 * half / (1 + half),
        "signs": right / total if total else float("nan"), "pairs": total,
        "signs_possible": possible, "error": float(np.mean(np.abs(a - b))),
        "largest": float(np.max(np.abs(a - b))), "bias": float(np.mean(b - a)),
        "cells": len(real.values),
    }  # fmt: skip


def values_of(table: pd.DataFrame, stage: str, score: str) -> pd.DataFrame:
    """Give one score as a table, cells (set, cell) by methods; repeats are averaged."""
    part = table[table["stage"] == stage]
    return part.pivot_table(
        index=["set", "cell"], columns="extractor", values=score, aggfunc="mean", sort=True,
        dropna=False,
    )  # fmt: skip


def agreement(table: pd.DataFrame, scores: tuple[str, ...]) -> pd.DataFrame:
    """Compare every stage with the real recordings, pooled and set by set.

    Parameters
    ----------
    table : DataFrame
        One row a cell, stage, repeat and method.
    scores : tuple of str
        Columns.

    Returns
    -------
    DataFrame
        One row a score, stage and scope: columns of `compare`. Methods that must not be
        scored on a set narrow the pool to the sets that all methods have; those that never
        have a score have no rank by it.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    stages = [s for s in dict.fromkeys(table["stage"]) if s != REAL]
    for score in scores:
        real = values_of(table, REAL, score).dropna(axis=1, how="all").dropna()
        for stage in stages:
            simulated = values_of(table, stage, score)
            simulated = simulated.reindex(index=real.index, columns=real.columns).dropna()
            common = real.loc[simulated.index, simulated.columns]
            names = np.asarray(common.index.get_level_values("set"))
            scopes = [(POOLED, np.ones(names.size, dtype=bool))]
            scopes += [(n, names == n) for n in dict.fromkeys(names)]
            for scope, own in scopes:
                if not own.any():
                    continue
                pair = [
                    Values(values=t.to_numpy()[own], sets=names[own], methods=tuple(t.columns))
                    for t in (common, simulated)
                ]
                rows.append(
                    {"score": score, "stage": stage, "scope": str(scope)} | compare(*pair)
                )
    return pd.DataFrame(rows)


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Give pooled agreement beside that of single sets, one row a score and stage.

    ``set_signs`` is the share of right signs over the pairs of all sets, ``set_error`` and
    ``set_rho`` the mean over sets.
    """
    import pandas as pd

    rows = []
    for (score, stage), part in found.groupby(["score", "stage"], sort=False):
        pooled = part[part["scope"] == POOLED].iloc[0]
        single = part[part["scope"] != POOLED]
        pairs = single["pairs"].sum()
        right = (single["signs"].fillna(0) * single["pairs"]).sum()
        rows.append({
            "score": score, "stage": stage, **pooled.drop(["score", "stage", "scope"]),
            "sets": len(single), "set_rho": single["rho"].mean(),
            "set_reliability": single["reliability"].mean(),
            "set_signs": right / pairs if pairs else np.nan, "set_pairs": int(pairs),
            "set_error": single["error"].mean(),
        })  # fmt: skip
    return pd.DataFrame(rows)

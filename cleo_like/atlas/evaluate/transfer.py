"""Labels carried from one lab to another, scored honestly."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.atlas.calibration import cross_fitted
from cleo_like.atlas.columns import (
    DONOR,
    as_frame,
    column_named,
    feature_columns,
    labs_of,
    texts_of,
    values_of,
)
from cleo_like.atlas.copies import keys_of
from cleo_like.atlas.evaluate.scores import Score, score
from cleo_like.atlas.frozen.adapt import adapt
from cleo_like.atlas.frozen.build import build
from cleo_like.atlas.frozen.place import place
from cleo_like.atlas.frozen.votes import left_out_shares
from cleo_like.atlas.harmonise.comparable import Comparison, compare
from cleo_like.atlas.neighbours import MANY, some_of
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cleo_like.atlas.frozen.model import Atlas
    from cleo_like.features import FeatureTable


@attrs.frozen(kw_only=True, eq=False)
class Transfer:
    """What came of carrying labels from a source to a target.

    Parameters
    ----------
    score : Score
        Of the target's cells.
    by_donor : Score
        The source's own cells, each named without its donor: the ceiling.
    random : Score
        The same with the donor's other cells left in: too good, shown beside it.
    recall : dict of str to float
        Share of each kind that was named rightly.
    features : tuple of str
        On which the two were compared.
    comparison : Comparison
        Which features could be compared, and why not the others.
    copies : int
        Cells of the source that stand in the target too (the same values) and were left out.
    shared_donors : int
        Donors in both; their cells were left out of the source.
    table : DataFrame
        cell_id, truth, label, share and more, per cell of the target.
    atlas : Atlas
        The map of the source, with the scale of the target.
    """

    score: Score
    by_donor: Score
    random: Score
    recall: dict[str, float]
    features: tuple[str, ...]
    comparison: Comparison
    shared_donors: int
    copies: int
    table: pd.DataFrame
    atlas: Atlas

    def __str__(self) -> str:
        """Say the numbers, and what to mind."""
        recall = ", ".join(f"{k} {v:.2f}" for k, v in self.recall.items())
        return (
            f"label transfer, {len(self.features)} features: {self.score}\n"
            f"  by kind: {recall}\n"
            f"  within the source, by donor: {self.by_donor}\n"
            f"  within the source, random: {self.random}\n"
            "    (warning: a random split lets cells of one donor name each other)\n"
            f"  donors in both, left out of the source: {self.shared_donors}\n"
            f"  cells in both, left out of the source: {self.copies}"
        )


def label_transfer(
    source: FeatureTable | pd.DataFrame,
    target: FeatureTable | pd.DataFrame,
    *,
    label: str,
    features: Sequence[str] | None = None,
    harmonise: str = "robust",
    metric: str | None = None,
    lab: str | None = None,
    donor: str | None = None,
    seed: int = 0,
) -> Transfer:
    """Build a map of one lab, place the cells of another, and score the labels.

    Only kinds that both have are used. The labels of the target say which of its cells are of
    known kind (its scale rests on them) and score the answer; nothing else sees them.

    Parameters
    ----------
    source, target : FeatureTable or DataFrame
        The lab with labels, and the other.
    label : str
        Column with the kinds, in both.
    features : sequence of str, optional
        Those that `compare` finds comparable when not given.
    harmonise, metric : str
        As for `build`.
    lab, donor : str, optional
        Columns.
    seed : int
        Of the metric and the bootstrap.

    Returns
    -------
    Transfer
        Scores of the labels, and the cells with what they were taken for.

    Raises
    ------
    InputError
        Fewer than two shared kinds, or no comparable feature.
    """
    one, two = _labelled(as_frame(source), label), _labelled(as_frame(target), label)
    kinds = sorted(set(one[label]) & set(two[label]))
    if len(kinds) < 2:
        msg = (
            f"source and target share {len(kinds)} kinds of {label!r}; at least two are needed"
        )
        raise InputError(msg)
    one, two = (f[f[label].isin(kinds)].reset_index(drop=True) for f in (one, two))
    two = two.assign(lab=_apart(labs_of(one, lab), labs_of(two, lab)))
    comparison = compare(one, two, features)
    chosen = tuple(features) if features is not None else _chosen(one, two, comparison)
    one, shared = _without_donors_of(one, two, donor)
    one, copies = _without_copies_of(one, two, chosen)
    atlas = build(
        one, features=chosen, label=label, lab=lab, donor=donor, harmonise=harmonise,
        embedding="pca", metric=metric, seed=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        atlas = adapt(atlas, two, label=label, lab="lab")
        placed = place(atlas, two, lab="lab").table
    truth = list(two[label])
    table = placed.assign(truth=truth)
    by_donor, random = _within(atlas, seed)
    right = table["truth"] == table["label"]
    return Transfer(
        score=score(truth, list(placed["label"]), _donors(two, donor), seed=seed),
        by_donor=by_donor,
        random=random,
        recall={k: float(right[table["truth"] == k].mean()) for k in kinds},
        features=chosen,
        comparison=comparison,
        shared_donors=shared,
        copies=copies,
        table=table,
        atlas=atlas,
    )


def _labelled(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    column_named(frame, label, ())
    texts = texts_of(frame, label)
    return frame.assign(**{label: texts})[[bool(t) for t in texts]].reset_index(drop=True)


def _apart(first: list[str], second: list[str]) -> list[str]:
    """Name the target's labs so that they are not taken for the source's."""
    return [f"{name} (target)" if name in first else name for name in second]


def _chosen(one: pd.DataFrame, two: pd.DataFrame, comparison: Comparison) -> tuple[str, ...]:
    usual = [f for f in feature_columns(one) if f in comparison.features]
    there = tuple(f for f in usual if two[f].notna().mean() >= 0.5)
    if not there:
        msg = f"no feature of the two tables can be compared:\n{comparison}"
        raise InputError(msg)
    return there


def _donors(frame: pd.DataFrame, donor: str | None) -> list[str]:
    return texts_of(frame, column_named(frame, donor, DONOR))


def _without_donors_of(
    one: pd.DataFrame, two: pd.DataFrame, donor: str | None
) -> tuple[pd.DataFrame, int]:
    shared = (set(_donors(one, donor)) & set(_donors(two, donor))) - {""}
    keep = [d not in shared for d in _donors(one, donor)]
    return one[keep].reset_index(drop=True), len(shared)


def _without_copies_of(
    one: pd.DataFrame, two: pd.DataFrame, features: Sequence[str]
) -> tuple[pd.DataFrame, int]:
    """Leave out cells that stand in the other table too, under whatever name."""
    there = set(keys_of(values_of(two, features))) - {None}
    keep = np.array([key not in there for key in keys_of(values_of(one, features))], bool)
    return one.loc[keep].reset_index(drop=True), int((~keep).sum())


def _within(atlas: Atlas, seed: int) -> tuple[Score, Score]:
    """Score the cells of the map by their neighbours: without their donor, and with it."""
    cells, kinds = atlas.labelled
    names = np.array(atlas.classes, dtype=object)
    known = np.flatnonzero(atlas.label_codes >= 0)
    rows = some_of(len(known), MANY)
    donors = list(atlas.cells["donor"].iloc[known[rows]])
    out = []
    for groups in (atlas.donor_codes[known], np.full(len(known), -1)):
        shares = left_out_shares(cells, kinds, groups, len(names), rows)
        shares = cross_fitted(shares, kinds[rows], atlas.donor_codes[known[rows]])
        told = names[np.nan_to_num(shares).argmax(axis=1)]
        out.append(score(list(names[kinds[rows]]), list(told), donors, seed=seed))
    return out[0], out[1]

"""The honest panel: how much of the lab, and of the donor, is left in the map."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.atlas.evaluate.scores import Score, score
from cleo_like.atlas.evaluate.transfer import _within, _without_copies_of
from cleo_like.atlas.frozen.adapt import adapt
from cleo_like.atlas.frozen.build import build
from cleo_like.atlas.frozen.place import place
from cleo_like.atlas.harmonise.scale import LEAST_CELLS, POOLED
from cleo_like.atlas.neighbours import MANY, NEIGHBOURS, Neighbours, codes_of, some_of

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.atlas.frozen.model import Atlas


@attrs.frozen(kw_only=True, eq=False)
class BatchPanel:
    """What of a map is lab and donor, not cell.

    Parameters
    ----------
    lab_before, lab_after : float
        How many times as often as by chance a neighbour is of the same lab, before and after
        harmonising (1: fully mixed).
    donor : float
        The same for donors, after; NaN where no donor has two cells.
    by_donor, random : Score or None
        Labels by neighbours without, and with, the cell's own donor.
    left_out : dict of str to Score
        Labels of each lab by a map of the others.
    scales : dict of str to str
        What the scale of each lab rests on.
    """

    lab_before: float
    lab_after: float
    donor: float
    by_donor: Score | None
    random: Score | None
    left_out: dict[str, Score]
    scales: dict[str, str]

    def __str__(self) -> str:
        """Say the numbers, one line each."""
        lines = [
            f"same-lab neighbours: {self.lab_before:.2f} times chance before, "
            f"{self.lab_after:.2f} after harmonising",
            f"same-donor neighbours: {self.donor:.2f} times chance",
        ]
        if self.by_donor is not None:
            lines.append(f"labels by neighbours, by donor: {self.by_donor}")
            lines.append(f"labels by neighbours, random split: {self.random}")
            lines.append("  warning: a random split lets cells of one donor name each other")
        lines += [f"lab {name} left out: {found}" for name, found in self.left_out.items()]
        lines += [f"scale of {name}: {basis}" for name, basis in self.scales.items()]
        return "\n".join(lines)


def batch_panel(atlas: Atlas) -> BatchPanel:
    """Measure how far a map shows labs and donors instead of cells.

    Parameters
    ----------
    atlas : Atlas
        The map.

    Returns
    -------
    BatchPanel
        Enrichment of labs and donors among neighbours, and scores by donor.
    """
    labs, donors = codes_of(list(atlas.cells["lab"])), atlas.donor_codes
    common = np.nan_to_num(atlas.labs[POOLED].apply(_transformed(atlas)))
    by_donor, random = _within(atlas, 0) if len(atlas.classes) > 1 else (None, None)
    return BatchPanel(
        lab_before=enrichment(Neighbours(common), labs),
        lab_after=enrichment(atlas.neighbours, labs),
        donor=enrichment(atlas.neighbours, donors),
        by_donor=by_donor,
        random=random,
        left_out=_left_out(atlas) if atlas.classes else {},
        scales={name: s.basis for name, s in atlas.labs.items() if name != POOLED},
    )


def _transformed(atlas: Atlas) -> np.ndarray:
    from cleo_like.atlas.columns import transformed

    return transformed(atlas.values, atlas.transforms)


def enrichment(cells: Neighbours, groups: np.ndarray) -> float:
    """How many times as often as by chance a neighbour is of the same group.

    Parameters
    ----------
    cells : Neighbours
        All cells.
    groups : ndarray of int
        Lab or donor of each; -1 unknown.

    Examples
    --------
    >>> points = np.repeat([[0.0], [9.0]], 20, axis=0) + np.arange(40)[:, None] * 1e-3
    >>> round(enrichment(Neighbours(points), np.repeat([0, 1], 20)), 2)
    2.05
    """
    known = np.flatnonzero(groups >= 0)
    if not known.size:
        return float("nan")
    rows = known[some_of(len(known), MANY)]
    alone = np.full(len(groups), -1)
    k = min(NEIGHBOURS, len(groups) - 1)
    _, index = cells.nearest_others(rows, k, alone)
    same = (groups[index] == groups[rows][:, None]).mean()
    count = np.bincount(groups[known])
    chance = (count * (count - 1)).sum() / (len(known) * (len(groups) - 1))
    return float(same / chance) if chance > 0 else float("nan")


def _left_out(atlas: Atlas) -> dict[str, Score]:
    """Name the cells of each lab by a map of the others; donors of that lab stay out too."""
    frame = _table(atlas)
    out = {}
    for name in dict.fromkeys(frame["lab"]):
        inside = frame["lab"] == name
        donors = set(frame.loc[inside, "donor"]) - {""}
        others = frame[~inside & ~frame["donor"].isin(donors)].reset_index(drop=True)
        others, _ = _without_copies_of(others, frame[inside], atlas.features)
        mine = frame[inside & frame["label"].isin(set(others["label"]) - {""})]
        mine = mine.reset_index(drop=True)
        if len(mine) < LEAST_CELLS or others["label"].nunique() < 2:
            continue
        there = [f for f in atlas.features if others[f].notna().any()]
        made = build(
            others, features=there, label="label", embedding="pca",
            harmonise=atlas.about["harmonise"], metric=atlas.about["metric"],
            seed=atlas.about["seed"],
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            told = place(adapt(made, mine, label="label"), mine).table["label"]
        out[name] = score(list(mine["label"]), list(told), list(mine["donor"]))
    return out


def _table(atlas: Atlas) -> pd.DataFrame:
    import pandas as pd

    values = pd.DataFrame(atlas.values, columns=list(atlas.features))
    return pd.concat([atlas.cells[["cell_id", "lab", "donor", "label"]], values], axis=1)

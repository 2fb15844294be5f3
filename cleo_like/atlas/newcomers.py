"""Cells that come to a finished map: scales for their labs, a score, their landmarks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.atlas.columns import (
    DONOR,
    as_frame,
    column_named,
    ids_of,
    labs_of,
    texts_of,
    transformed,
    values_of,
)
from cleo_like.atlas.evaluate.scores import Score, score
from cleo_like.atlas.frozen.adapt import adapt
from cleo_like.atlas.harmonise.scale import LEAST_CELLS, moments

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.atlas.frozen.model import Atlas
    from cleo_like.atlas.frozen.place import Placement

_FAR = 1.0  # spreads by which the cells of one lab's two tables seldom differ on average
_WIDE = 2.0  # and the factor of their spreads
_TOGETHER = "small labs together"


def adapted(
    atlas: Atlas, table: pd.DataFrame, *, lab: str | None = None, label: str | None = None
) -> Atlas:
    """Give the labs of a table that a map does not know their own scales.

    Labs with fewer than 20 cells share one scale, if together they have as many. Of a lab that
    the map knows the scale stays; that its new cells lie elsewhere is warned of.

    Parameters
    ----------
    atlas : Atlas
        The map.
    table : DataFrame
        Cells.
    lab, label : str, optional
        Columns, as for `adapt`.

    Returns
    -------
    Atlas
        The same map with more scales.
    """
    frame = as_frame(table)
    labs = np.array(labs_of(frame, lab))
    small = np.zeros(len(frame), dtype=bool)
    for name in map(str, dict.fromkeys(labs)):
        mine = labs == name
        if atlas.scale_for(name) is not None:
            _warn_of_another_lab(atlas, frame[mine], name)
        elif mine.sum() < LEAST_CELLS:
            small |= mine
        else:
            one = frame[mine].assign(lab=name).reset_index(drop=True)
            atlas = adapt(atlas, one, lab="lab", label=label)
    if small.sum() < LEAST_CELLS:
        return atlas
    together = frame[small].assign(lab=_TOGETHER).reset_index(drop=True)
    atlas = adapt(atlas, together, lab="lab", label=label)
    scales = dict(atlas.labs)
    shared = scales.pop(_TOGETHER)
    shared = attrs.evolve(shared, basis=f"{shared.basis}, of several small labs")
    usual = {name: of for name, of in atlas.usual.items() if name != _TOGETHER}
    return attrs.evolve(
        atlas, labs=scales | dict.fromkeys(set(labs[small]), shared), usual=usual
    )


def _warn_of_another_lab(atlas: Atlas, cells: pd.DataFrame, name: str) -> None:
    """Warn where cells that are said to be of a lab of the map do not lie as its cells do."""
    new = ~np.isin(ids_of(cells), atlas.cells["cell_id"])
    mine = atlas.cells["lab"].to_numpy() == name
    if new.sum() < LEAST_CELLS or mine.sum() < LEAST_CELLS:
        return
    scale = atlas.labs[name]
    here = scale.apply(transformed(values_of(cells, atlas.features)[new], atlas.transforms))
    (mean, spread), (mean2, spread2) = moments(atlas.scaled[mine]), moments(here)
    off = np.abs(mean2 - mean) / spread > _FAR
    off |= np.abs(np.log(spread2 / spread)) > np.log(_WIDE)
    off &= np.isfinite(here).sum(axis=0) >= LEAST_CELLS
    if off.any():
        names = ", ".join(f for f, o in zip(atlas.features, off, strict=True) if o)
        warnings.warn(
            f"the map has a scale for lab {name!r}, and it was used, but these cells lie "
            f"elsewhere in {names}: if they are of another lab, name it (a column lab, or "
            "import --lab)",
            UserWarning,
            stacklevel=3,
        )


def placed_score(
    atlas: Atlas, table: pd.DataFrame, placed: Placement, label: str | None = None
) -> Score | None:
    """Score the kinds that cells were taken for against those that their table tells.

    Parameters
    ----------
    atlas : Atlas
        The map.
    table : DataFrame
        The cells that were placed.
    placed : Placement
        Of `place`.
    label : str, optional
        Column with the kinds; that of the map when not given.

    Returns
    -------
    Score or None
        Over the cells of kinds that the map has; None where the table tells fewer than two.
    """
    frame = as_frame(table)
    column = label if label is not None else atlas.about.get("label")
    if column is None or column not in frame.columns:
        return None
    truth = texts_of(frame, column)
    rows = [k for k, t in enumerate(truth) if t in atlas.classes]
    if len({truth[k] for k in rows}) < 2:
        return None
    donors = texts_of(frame, column_named(frame, None, DONOR))
    told = list(placed.table["label"])
    return score([truth[k] for k in rows], [told[k] for k in rows], [donors[k] for k in rows])


def landmark_shares(placed: Placement, table: pd.DataFrame) -> pd.DataFrame:
    """Tell how often the neighbours of cells carry the landmark that the cells carry.

    Parameters
    ----------
    placed : Placement
        Of `place`.
    table : DataFrame
        The cells that were placed, with the features of the rules.

    Returns
    -------
    DataFrame
        One row per landmark: cells of the table that carry it, share of their nearest cells
        that do, members, the share of these among all (chance), and the share that the members
        find among their own neighbours (what a cell can reach at best on this map).
    """
    import pandas as pd

    atlas, table = placed.atlas, as_frame(table)
    ids = atlas.cells["cell_id"].to_numpy()
    alone = np.full(len(ids), -1)
    rows = []
    for mark in atlas.landmarks:
        member = np.isin(ids, mark.members)
        mine = np.flatnonzero(mark.holds(table)[0] & (placed.index[:, 0] >= 0))
        inside = float("nan")
        if member.any():
            k = min(placed.index.shape[1], len(ids) - 1)
            _, near = atlas.neighbours.nearest_others(np.flatnonzero(member), k, alone)
            inside = float(member[near].mean())
        share = float(member[placed.index[mine]].mean()) if mine.size else float("nan")
        count, chance = int(member.sum()), float(member.mean())
        rows.append((mark.name, mine.size, share, count, chance, inside))
    columns = ["landmark", "cells", "share", "members", "chance", "among_members"]
    return pd.DataFrame(rows, columns=columns)

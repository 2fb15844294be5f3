"""`place`: where a cell belongs, by exact nearest neighbours in feature space."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.atlas.columns import as_frame, ids_of, labs_of, transformed, values_of
from cleo_like.atlas.frozen.outside import LIMIT, percentiles
from cleo_like.atlas.frozen.votes import shares_of, voters
from cleo_like.atlas.harmonise.scale import POOLED
from cleo_like.atlas.missing import filled
from cleo_like.atlas.neighbours import NEIGHBOURS, row_means
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.atlas.frozen.model import Atlas
    from cleo_like.features import FeatureTable

_TOO_MANY_MISSING = 0.5
_NEAREST = 1e-9


@attrs.frozen(kw_only=True, eq=False)
class Placement:
    """Where cells lie on a map.

    Parameters
    ----------
    table : DataFrame
        One row per cell: cell_id, lab, x, y, label, share (of the calibrated vote), distance
        (mean to the nearest 15, in spreads), strangeness (see `frozen.outside`), percentile
        (share of known cells of the lab that are less strange),
        outside, filled (features that were missing) and note (why not placed, what to mind).
    shares : DataFrame
        Calibrated share of each kind.
    index, distances : ndarray
        (cells x 15): rows of the atlas, nearest first, and how far; -1 where not placed.
    scaled : ndarray
        (cells x features) on the common scale, filled where missing.
    atlas : Atlas
        The map they lie on.
    """

    table: pd.DataFrame
    shares: pd.DataFrame
    index: np.ndarray
    distances: np.ndarray
    scaled: np.ndarray
    atlas: Atlas

    def __len__(self) -> int:
        """Count the cells."""
        return len(self.table)

    def __repr__(self) -> str:
        """One line: how many were placed, how many lie outside."""
        placed = int(self.table["x"].notna().sum())
        outside = int((self.table["outside"] == True).sum())  # noqa: E712  (None is neither)
        return f"Placement of {placed} of {len(self)} cells, {outside} outside the atlas"

    def neighbours(self, row: int = 0) -> pd.DataFrame:
        """Give the nearest cells of the atlas to one placed cell, nearest first."""
        rows = self.index[row][self.index[row] >= 0]
        near = self.atlas.cells.iloc[rows].reset_index(drop=True)
        near.insert(0, "distance", self.distances[row][: len(rows)])
        return near


def place(
    atlas: Atlas, table: FeatureTable | pd.DataFrame, *, lab: str | None = None
) -> Placement:
    """Place cells on a map: coordinates, neighbours, kind, and whether they belong at all.

    Every cell is placed by itself: alone or in a batch it comes out the same, bit for bit.
    A lab that the map does not know is placed on the common scale of the map, with a warning;
    `adapt` first, with all its cells, to give it its own.

    Parameters
    ----------
    atlas : Atlas
        The map.
    table : FeatureTable or DataFrame
        Features in the catalogue's units, one row per cell.
    lab : str, optional
        Column with the lab of each cell; "lab" or "dandiset" where not given.

    Returns
    -------
    Placement
        Rows in the order of the measured rows of the table.

    Raises
    ------
    InputError
        The table has none of the map's features.
    """
    frame = as_frame(table)
    present = [f for f in atlas.features if f in frame.columns]
    if not present:
        msg = f"the table has none of the map's features ({', '.join(atlas.features)})"
        raise InputError(msg)
    labs = labs_of(frame, lab)
    ids = ids_of(frame)
    values = transformed(values_of(frame, atlas.features), atlas.transforms)
    scaled, notes = _scaled(atlas, values, labs)
    missing = np.isnan(scaled)
    enough = missing.mean(axis=1) <= _TOO_MANY_MISSING
    full = np.zeros_like(scaled)
    full[enough], _, possible = filled(atlas.scaled, scaled[enough], NEIGHBOURS)
    good = enough.copy()
    good[enough] = possible
    return _placement(atlas, full, good, missing, labs=labs, ids=ids, notes=notes)


def _scaled(atlas: Atlas, values: np.ndarray, labs: list[str]) -> tuple[np.ndarray, list[str]]:
    """Scale every row by its lab; say where the map has no scale for it."""
    scaled = np.full_like(values, np.nan)
    notes = [""] * len(labs)
    unknown = []
    for name in dict.fromkeys(labs):
        rows = np.flatnonzero(np.array(labs) == name)
        scale = atlas.scale_for(name)
        if scale is None:
            unknown.append(name)
            scale = atlas.labs[POOLED]
            for k in rows:
                notes[k] = "lab not known to the map: placed on its common scale"
        scaled[rows] = scale.apply(values[rows])
    strange = [name for name in unknown if name not in ("all", "unknown")]
    if strange:
        warnings.warn(
            f"the map has no scale for {', '.join(map(repr, strange))}: these cells are placed "
            "on its common scale, and differences between labs may look like differences "
            "between cells; adapt(atlas, table) gives a lab its own scale",
            UserWarning,
            stacklevel=3,
        )
    return scaled, notes


def _placement(
    atlas: Atlas,
    full: np.ndarray,
    good: np.ndarray,
    missing: np.ndarray,
    *,
    labs: list[str],
    ids: list[str],
    notes: list[str],
) -> Placement:
    import pandas as pd

    n = len(full)
    space = atlas.in_space(full[good])
    k = min(NEIGHBOURS, len(atlas))
    distance, index = np.full((n, k), np.nan), np.full((n, k), -1)
    everyone_votes = bool((atlas.label_codes >= 0).all())
    asked = max(k, voters(len(atlas))) if everyone_votes else k
    near = atlas.neighbours.nearest(space, asked)
    distance[good], index[good] = near[0][:, :k], near[1][:, :k]
    mean = row_means(distance)
    xy = np.full((n, 2), np.nan)
    xy[good] = _coordinates(atlas.xy, distance[good], index[good])
    shares = np.full((n, len(atlas.classes)), np.nan)
    shares[good] = shares_of(atlas, space, near)
    rank = np.full(n, np.nan)
    strange = atlas.strangeness.of(full[good])
    rank[good] = percentiles(atlas.usual, strange, [labs[j] for j in np.flatnonzero(good)])
    strangeness = np.full(n, np.nan)
    strangeness[good] = strange
    names, best = _winners(atlas, shares)
    table = pd.DataFrame(
        {
            "cell_id": ids,
            "lab": labs,
            "x": xy[:, 0],
            "y": xy[:, 1],
            "label": names,
            "share": best,
            "distance": mean,
            "strangeness": strangeness,
            "percentile": rank,
            "outside": [None if np.isnan(p) else bool(p > LIMIT) for p in rank],
            "filled": [
                ", ".join(f for f, m in zip(atlas.features, row, strict=True) if m)
                for row in missing
            ],
            "note": [
                note if ok else "not placed: more than half of the features are missing"
                for note, ok in zip(notes, good, strict=True)
            ],
        }
    )
    full = np.where(good[:, None], full, np.nan)
    return Placement(
        table=table,
        shares=pd.DataFrame(shares, columns=list(atlas.classes)),
        index=index,
        distances=distance,
        scaled=full,
        atlas=atlas,
    )


def _coordinates(xy: np.ndarray, distance: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Weighted mean of the neighbours' coordinates: a cell of the map lands on itself.

    The square of the distance keeps a cell near its nearest, not between two islands.
    """
    weight = 1.0 / np.maximum(distance, _NEAREST) ** 2
    total, out = np.zeros(len(distance)), np.zeros((len(distance), 2))
    for k in range(distance.shape[1]):
        total = total + weight[:, k]
        out = out + weight[:, k : k + 1] * xy[index[:, k]]
    return out / total[:, None]


def _winners(atlas: Atlas, shares: np.ndarray) -> tuple[list[str | None], np.ndarray]:
    """Kind with the largest share, and that share; None where nobody voted."""
    if not atlas.classes:
        return [None] * len(shares), np.full(len(shares), np.nan)
    known = np.isfinite(shares).all(axis=1)
    best = np.where(known, np.nan_to_num(shares).argmax(axis=1), -1)
    names = [atlas.classes[k] if k >= 0 else None for k in best]
    top = np.where(known, shares[np.arange(len(shares)), np.maximum(best, 0)], np.nan)
    return names, top

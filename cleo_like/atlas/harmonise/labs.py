"""The scales of all labs of a table: a reference, and the others brought onto it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.atlas.harmonise.comparable import doubtful_units
from cleo_like.atlas.harmonise.scale import (
    LEAST_CELLS,
    POOLED,
    LabScale,
    matched_scale,
    own_scale,
    pooled,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def _weighted(scale: LabScale, weights: np.ndarray) -> LabScale:
    return attrs.evolve(scale, matrix=scale.matrix * weights, offset=scale.offset * weights)


def harmonised(
    values: np.ndarray, cells: pd.DataFrame, method: str, weights: np.ndarray
) -> tuple[dict[str, LabScale], np.ndarray]:
    """Give the scale of every lab, and all cells on the common scale.

    Parameters
    ----------
    values : ndarray
        Transformed features (cells x features).
    cells : DataFrame
        lab and label of each.
    method : str
        As for `build`.
    weights : ndarray
        Of the features.
    """
    labs = cells["lab"].to_numpy()
    names = list(dict.fromkeys(labs))
    reference, base, basis = _reference(cells)
    common = _weighted(pooled(values[base], method, basis), weights)
    scales = {POOLED: common}
    scaled = common.apply(values)
    if method == "none" or len(names) == 1:
        scales |= dict.fromkeys(names, common)
        return scales, scaled
    for name in names:
        rows = np.flatnonzero(labs == name)
        scales[name] = (
            common
            if name == reference
            else _lab_scale(
                values, scaled, cells, rows, base, method=method, weights=weights, common=common
            )
        )
    for name in names:
        rows = labs == name
        scaled[rows] = scales[name].apply(values[rows])
    return scales, scaled


def _reference(cells: pd.DataFrame) -> tuple[str | None, np.ndarray, str]:
    """Which cells the common scale rests on: the largest labelled lab, or all."""
    labelled = cells[cells["label"] != ""]
    if not len(labelled):
        return None, np.arange(len(cells)), f"all {len(cells)} cells"
    name = str(labelled["lab"].value_counts().index[0])
    rows = labelled.index[labelled["lab"] == name].to_numpy()
    return name, rows, f"{len(rows)} cells of known kind of lab {name!r}"


def doubtful_labs(raw: np.ndarray, cells: pd.DataFrame, features: Sequence[str]) -> list[str]:
    """Say which lab seems to have a feature in another unit than the reference."""
    reference, base, _ = _reference(cells)
    labs = cells["lab"].to_numpy()
    out = []
    for name in dict.fromkeys(labs):
        if name == reference or len(set(labs)) == 1:
            continue
        others = base if reference is not None else np.flatnonzero(labs != name)
        found = doubtful_units(features, raw[others], raw[labs == name])
        out += [f"lab {name!r}: {feature}: {why}" for feature, why in found.items()]
    return out


def _lab_scale(
    values: np.ndarray,
    scaled: np.ndarray,
    cells: pd.DataFrame,
    rows: np.ndarray,
    base: np.ndarray,
    *,
    method: str,
    weights: np.ndarray,
    common: LabScale,
) -> LabScale:
    """Scale one lab: on shared kinds, else on all its cells, else (too few) as all."""
    kinds = cells["label"].to_numpy()
    shared = set(kinds[base]) - {""}
    known = rows[np.isin(kinds[rows], sorted(shared))] if shared else rows[:0]
    if len(known) >= LEAST_CELLS:
        names = sorted(shared)
        codes = {k: n for n, k in enumerate(names)}
        told = np.array([codes[k] for k in kinds[known]])
        return matched_scale(
            values[known],
            np.nan_to_num(scaled[base]),
            np.array([codes[k] for k in kinds[base]]),
            lambda _: told,
            method=method,
            basis=f"{len(known)} cells of shared kinds",
        )
    if len(rows) < LEAST_CELLS:
        why = f"common: {len(rows)} cells are too few for a scale of their own"
        return attrs.evolve(common, cells=len(rows), basis=why)
    basis = f"all its {len(rows)} cells"
    return _weighted(own_scale(values[rows], scaled, method, basis), weights)

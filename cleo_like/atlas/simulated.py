"""Simulated cells beside real ones: which are nearest, and how far in each feature."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from cleo_like.atlas.columns import as_frame, definition, ids_of, transformed, values_of
from cleo_like.atlas.frozen.build import build
from cleo_like.atlas.frozen.place import place
from cleo_like.atlas.harmonise.scale import LEAST_CELLS, moments

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.atlas.frozen.embed import Embedding
    from cleo_like.atlas.frozen.model import Atlas
    from cleo_like.features import FeatureTable

_WARM = {  # factor from 25 to 34 C: medians of mouse motor cortex, Scala et al. 2021
    "width": 0.62, "input_resistance": 0.65,
}  # fmt: skip
_SAMPLING = {  # what 20 kHz changes, against 50 kHz (measured on conductance-based cells)
    "upstroke": "-8.5 %", "threshold": "-1.4 mV", "width": "steps of 0.05 ms",
}  # fmt: skip


def against_real(
    atlas: Atlas, table: FeatureTable | pd.DataFrame, *, temperature: float | None = None
) -> pd.DataFrame:
    """Tell how far cells lie from the real cells that are nearest, feature by feature.

    Parameters
    ----------
    atlas : Atlas
        A map of real cells.
    table : FeatureTable or DataFrame
        Simulated (or any) cells, measured by the same `extract`.
    temperature : float, optional
        Of the simulation in degrees Celsius; with it, the shift to 34 C is stated where it is
        known.

    Returns
    -------
    DataFrame
        One row per cell and feature: value, median of the 15 nearest real cells, distance in
        units of the spread within a type (the kinds of the map where labels exist, else the
        spread of the neighbours at large), nearest cells, and a note on what another
        temperature or sampling would change.
    """
    import pandas as pd

    frame = as_frame(table)
    placed = place(atlas, frame)
    values = transformed(values_of(frame, atlas.features), atlas.transforms)
    real = transformed(atlas.values, atlas.transforms)
    spread = _spread_within(atlas, real)
    rows = []
    for k, cell in enumerate(ids_of(frame)):
        near = placed.index[k][placed.index[k] >= 0]
        if not near.size:
            continue
        with np.errstate(invalid="ignore"):
            middle = np.array([_median(real[near, j]) for j in range(real.shape[1])])
        names = ", ".join(atlas.cells["cell_id"].iloc[near[:3]])
        for j, feature in enumerate(atlas.features):
            log = atlas.transforms[j] == "log10"
            shown = [float(10**v) if log else float(v) for v in (values[k, j], middle[j])]
            rows.append(
                {
                    "cell_id": cell,
                    "feature": feature,
                    "value": shown[0],
                    "nearest_real": shown[1],
                    "distance": float((values[k, j] - middle[j]) / spread[j]),
                    "unit": _unit(feature),
                    "nearest_cells": names,
                    "note": _note(feature, temperature),
                }
            )
    return pd.DataFrame(rows)


def _unit(feature: str) -> str:
    known = definition(feature)
    return known.unit if known is not None else "1"


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _spread_within(atlas: Atlas, real: np.ndarray) -> np.ndarray:
    """Spread of each feature within kinds (mean of the kinds' variances), or at large."""
    variances = [
        moments(real[atlas.label_codes == code])[1] ** 2
        for code in range(len(atlas.classes))
        if (atlas.label_codes == code).sum() >= LEAST_CELLS
    ]
    if variances:
        return np.sqrt(np.mean(variances, axis=0))
    return moments(real)[1]


def _note(feature: str, temperature: float | None) -> str:
    notes = []
    for part, factor in _WARM.items():
        if part in feature and temperature is not None and temperature < 30:
            notes.append(f"at 34 C about {factor:g} times")
    notes += [f"at 20 kHz {change}" for part, change in _SAMPLING.items() if part in feature]
    return "; ".join(notes)


def simulated_atlas(*, embedding: Embedding = "pca", seed: int = 0) -> Atlas:
    """Build the small map of simulated populations that the package has.

    Six kinds of library cells with parameters that vary, made by
    ``tools/simulated_populations.py``; for a map of real cells see `cleo-like atlas fetch`.

    Parameters
    ----------
    embedding : str
        As for `build`.
    seed : int
        Same seed: same map, bit for bit.

    Returns
    -------
    Atlas
        With the kind of cell as label.

    Examples
    --------
    >>> atlas = simulated_atlas()
    >>> atlas.classes
    ('broad_rs', 'long_latency', 'narrow_fs', 'rs', 'sag', 'stuttering')
    """
    import pandas as pd

    path = resources.files("cleo_like.atlas") / "simulated.csv"
    with path.open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    return build(
        table, label="kind", lab="lab", embedding=embedding, name="simulated", seed=seed
    )

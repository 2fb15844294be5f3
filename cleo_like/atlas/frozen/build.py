"""`build`: from a table of cells to a frozen map."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.atlas.calibration import Calibration, fitted
from cleo_like.atlas.columns import (
    DONOR,
    as_frame,
    column_named,
    feature_columns,
    ids_of,
    is_nothing,
    labs_of,
    same_measure,
    texts_of,
    transform_of,
    transformed,
    values_of,
)
from cleo_like.atlas.frozen.embed import Embedding, check_embedding, embed
from cleo_like.atlas.frozen.landmarks import Landmark, read_landmarks
from cleo_like.atlas.frozen.metric import supervised_metric
from cleo_like.atlas.frozen.model import Atlas
from cleo_like.atlas.frozen.outside import LEAST
from cleo_like.atlas.frozen.votes import left_out_shares
from cleo_like.atlas.harmonise.labs import doubtful_labs, harmonised
from cleo_like.atlas.harmonise.scale import METHODS, POOLED
from cleo_like.atlas.missing import filled
from cleo_like.atlas.neighbours import MANY, NEIGHBOURS, some_of
from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.provenance import versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from cleo_like.features import FeatureTable

_MOST_MISSING = 0.5
_KEPT = (
    "species", "taxon", "region", "region_acronym", "dandiset", "licence", "citation", "source",
    "asset_path", "asset_id", "content_hash", "age", "sex", "temperature", "contributor",
    "brain_region", "layer", "url",
)  # fmt: skip
"""Columns about a cell that a map carries along, with all other texts."""
_NOT_KEPT = ("notes", "settings", "status", "extractor", "family")


def build(
    table: FeatureTable | pd.DataFrame,
    *,
    features: Sequence[str] | None = None,
    lab: str | None = None,
    label: str | None = None,
    donor: str | None = None,
    harmonise: str = "robust",
    embedding: Embedding = "umap",
    options: Mapping[str, Any] | None = None,
    metric: str | None = None,
    landmarks: Sequence[Landmark] | None = None,
    name: str = "atlas",
    seed: int = 0,
) -> Atlas:
    """Make a map of a table of cells, and freeze it.

    Parameters
    ----------
    table : FeatureTable or DataFrame
        One row per cell, in the catalogue's units.
    features : sequence of str, optional
        Columns that span the map; `feature_columns` chooses when not given. Columns that
        measure the same thing (first spike, mean over spikes) share one weight.
    lab, label, donor : str, optional
        Columns with the lab ("lab" or "dandiset" where not given), the kind of cell (none
        where not given) and the donor.
    harmonise : str
        "none", "robust" (per-lab z without outliers) or "transport" (linear, closed form).
    embedding : str
        "umap", "published" (UMAP as the published map of DANDI), "opentsne" or "pca".
    options : mapping, optional
        Of the embedding, instead of its preset.
    metric : str, optional
        "supervised": distances by neighbourhood components analysis of the labels.
    landmarks : sequence of Landmark, optional
        Those of the package when not given.
    name : str
        Name of the map.
    seed : int
        Same table and seed: same map, bit for bit.

    Returns
    -------
    Atlas
        The frozen map.

    Raises
    ------
    InputError
        No features, or too few cells.
    UnknownNameError
        No such way to harmonise or embed.
    UnsupportedError
        A package that is not installed (extra ``atlas``).

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> cells = pd.DataFrame({"tau": rng.lognormal(-4, 0.3, 60),
    ...     "v_baseline": rng.normal(-70, 4, 60), "subclass": ["Sst", "Pvalb"] * 30})
    >>> atlas = build(cells, label="subclass", embedding="pca")
    >>> len(atlas), atlas.features, atlas.classes
    (60, ('tau', 'v_baseline'), ('Pvalb', 'Sst'))
    """
    if harmonise not in METHODS:
        raise unknown_name("way to harmonise", harmonise, METHODS)
    if metric not in (None, "supervised"):
        raise unknown_name("metric", str(metric), ["supervised"])
    check_embedding(embedding)
    if not 0 <= seed < 2**32:
        msg = f"seed must be a whole number from 0 to 2**32 - 1, got {seed}"
        raise InputError(msg)
    frame = as_frame(table)
    chosen = _checked(frame, features)
    raw = values_of(frame, chosen)
    kept = np.isnan(raw).mean(axis=1) <= _MOST_MISSING
    ids = ids_of(frame)
    dropped = [ids[k] for k in np.flatnonzero(~kept)]
    frame, raw = frame[kept].reset_index(drop=True), raw[kept]
    if len(frame) < 4:
        msg = f"only {len(frame)} cells have half of the features ({', '.join(chosen)})"
        raise InputError(msg)
    cells = _cells(frame, lab, label, donor)
    transforms = tuple(transform_of(f) for f in chosen)
    values = transformed(raw, transforms)
    _check_known(values, chosen, transforms)
    weights = _weights(chosen)
    doubts = doubtful_labs(raw, cells, chosen)
    for one in doubts:
        warnings.warn(one, UserWarning, stacklevel=2)
    scales, scaled = harmonised(values, cells, harmonise, weights)
    full, missing, _ = filled(scaled, scaled, NEIGHBOURS)
    atlas = Atlas(
        name=name,
        features=chosen,
        transforms=transforms,
        values=raw,
        scaled=full,
        imputed=missing,
        xy=np.zeros((len(full), 2)),
        cells=cells,
        labs=scales,
        usual={POOLED: np.zeros(0)},
        about={
            "harmonise": harmonise,
            "embedding": embedding,
            "metric": metric,
            "label": label,
            "seed": seed,
            "dropped": dropped,
            "doubts": doubts,
            "not_used": _not_used(frame, chosen),
            "shared_weights": [f for f, w in zip(chosen, weights, strict=True) if w < 1],
            "versions": versions(("scipy", "scikit-learn", "umap-learn", "openTSNE")),
        },
    )
    marks = read_landmarks() if landmarks is None else tuple(landmarks)
    found = tuple(m.with_members(frame, list(cells["cell_id"])) for m in marks)
    return _finished(attrs.evolve(atlas, landmarks=found), embedding, options, metric, seed)


def _checked(frame: pd.DataFrame, features: Sequence[str] | None) -> tuple[str, ...]:
    if features is None:
        chosen = feature_columns(frame)
        if not chosen:
            msg = (
                "no column is a feature that is known and measured in 90 % of the cells; "
                f"give features=; the table has {', '.join(map(str, frame.columns[:30]))}"
            )
            raise InputError(msg)
        return chosen
    for one in features:
        column_named(frame, one, ())
    if len(set(features)) != len(features):
        msg = "features names a column twice"
        raise InputError(msg)
    return tuple(features)


def _check_known(
    values: np.ndarray, features: Sequence[str], transforms: Sequence[str]
) -> None:
    """Refuse features without any value: there is nothing to fill them from."""
    for name, transform, known in zip(
        features, transforms, (~np.isnan(values)).any(axis=0), strict=True
    ):
        if not known:
            of = "no value" if transform == "linear" else "no positive value"
            msg = f"{name} has {of} in all {len(values)} cells; leave it out of features="
            raise InputError(msg)


def _not_used(frame: pd.DataFrame, chosen: Sequence[str]) -> list[str]:
    from cleo_like.atlas.columns import PUBLISHED

    return [c for c in PUBLISHED if c in frame.columns and c not in chosen]


def _cells(
    frame: pd.DataFrame,
    lab: str | None,
    label: str | None,
    donor: str | None,
) -> pd.DataFrame:
    import pandas as pd

    kinds = column_named(frame, label, ())
    donors = column_named(frame, donor, DONOR)
    told = {
        "cell_id": ids_of(frame),
        "lab": labs_of(frame, lab),
        "donor": texts_of(frame, donors),
        "label": texts_of(frame, kinds),
    }
    for column in (c for c in frame.columns if _is_told(frame, c) and c not in told):
        told[column] = [_told(v) for v in frame[column]]
    return pd.DataFrame(told)


def _told(value: Any) -> Any:
    """Give what a file can hold: numbers and text; dates and lists become text."""
    if not isinstance(value, (str, bool, int, float, np.generic)) and not is_nothing(value):
        return str(value)
    return None if is_nothing(value) else value


def _is_told(frame: pd.DataFrame, column: str) -> bool:
    import pandas as pd

    is_text = not pd.api.types.is_numeric_dtype(frame[column])
    return column in _KEPT or (is_text and column not in _NOT_KEPT)


def _weights(features: Sequence[str]) -> np.ndarray:
    """Columns of one measure share a weight of 1 in the squared distance."""
    measures = [same_measure(f) for f in features]
    return np.array([1 / np.sqrt(measures.count(m)) for m in measures])


def _finished(
    atlas: Atlas,
    embedding: str,
    options: Mapping[str, Any] | None,
    metric: str | None,
    seed: int,
) -> Atlas:
    """Learn the metric, lay out, and measure what is usual."""
    if metric is not None:
        atlas = attrs.evolve(
            atlas, metric=supervised_metric(atlas.scaled, atlas.label_codes, seed)
        )
    xy, used = embed(atlas.in_space(atlas.scaled), embedding, seed, options)
    atlas = attrs.evolve(atlas, xy=xy, about={**atlas.about, "options": used})
    atlas = attrs.evolve(atlas, spacing=atlas.strangeness.spacing)
    known = atlas.strangeness.of_known(atlas.donor_codes)
    labs = atlas.cells["lab"].to_numpy()[atlas.strangeness.rows]
    usual = {POOLED: np.sort(known)}
    for name in dict.fromkeys(labs):
        if (labs == name).sum() >= LEAST:
            usual[name] = np.sort(known[labs == name])
    return attrs.evolve(atlas, usual=usual, calibration=_calibration(atlas))


def _calibration(atlas: Atlas) -> Calibration:
    if not atlas.classes:
        return Calibration()
    cells, kinds = atlas.labelled
    donors = atlas.donor_codes[atlas.label_codes >= 0]
    rows = some_of(len(kinds), MANY)
    shares = left_out_shares(cells, kinds, donors, len(atlas.classes), rows)
    return fitted(shares, kinds[rows])

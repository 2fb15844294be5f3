"""Two dimensions of many cells: t-SNE, UMAP and PCA of responses, for looking only."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.plugins import needed

View = Literal["tsne", "umap", "pca"]

_DIMENSIONS = 50  # principal components that t-SNE and UMAP see
_PERPLEXITY = 30.0
_NEIGHBOURS = 15


def embed(
    responses: np.ndarray, method: View = "tsne", *, seed: int = 0, **options: Any
) -> np.ndarray:
    """Place each row of a table of responses in the plane.

    Parameters
    ----------
    responses : array, shape (n_points, n_features)
        Trials by cells, or cells by (mean) responses. Columns are standardised first;
        constant ones are left out.
    method : str
        "tsne", "umap" or "pca".
    seed : int
        Same seed, same picture.
    **options
        Of scikit-learn's ``TSNE``, of ``UMAP`` or of ``PCA``.

    Returns
    -------
    array, shape (n_points, 2)
        NaN for rows in which a value is missing. Distances between far points mean nothing
        in t-SNE and UMAP.

    Raises
    ------
    InputError
        Fewer than three complete rows, or nothing that varies.
    UnsupportedError
        A package is missing.
    """
    if method not in get_args(View):
        raise unknown_name("view", str(method), get_args(View))
    x = np.asarray(responses, dtype=float)
    if x.ndim != 2:
        msg = f"responses must be (n_points, n_features), got shape {x.shape}"
        raise InputError(msg)
    known = np.isfinite(x).all(axis=1)
    y = x[known]
    spread = y.std(axis=0) if len(y) else np.zeros(x.shape[1])
    if len(y) < 3 or not (spread > 0).any():
        msg = f"a view needs three complete rows that differ, got {len(y)} of {len(x)}"
        raise InputError(msg)
    y = (y - y.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    found = np.full((len(x), 2), np.nan)
    found[known] = {"tsne": _tsne, "umap": _umap, "pca": _pca}[method](y, seed, options)
    return found


def _pca(y: np.ndarray, seed: int, options: dict[str, Any]) -> np.ndarray:
    maker = needed("sklearn.decomposition", "atlas", "this view").PCA
    most = min(2, *y.shape)
    places = maker(most, random_state=seed, **options).fit_transform(y)
    return np.pad(places, ((0, 0), (0, 2 - most)))


def _tsne(y: np.ndarray, seed: int, options: dict[str, Any]) -> np.ndarray:
    maker = needed("sklearn.manifold", "atlas", "this view").TSNE
    given = {"perplexity": min(_PERPLEXITY, (len(y) - 1) / 3), "init": "pca"} | options
    if y.shape[1] < 2:
        given["init"] = "random"
    return maker(2, random_state=seed, **given).fit_transform(_fewer(y, seed))


def _umap(y: np.ndarray, seed: int, options: dict[str, Any]) -> np.ndarray:
    import warnings

    maker = needed("umap", "atlas", "this view").UMAP
    given = {"n_neighbors": min(_NEIGHBOURS, len(y) - 1), "n_jobs": 1} | options
    with warnings.catch_warnings():
        # of the packages below it; n_jobs is 1 already, as a seed asks
        warnings.simplefilter("ignore")
        return maker(n_components=2, random_state=seed, **given).fit_transform(_fewer(y, seed))


def _fewer(y: np.ndarray, seed: int) -> np.ndarray:
    if min(y.shape) <= _DIMENSIONS:
        return y
    maker = needed("sklearn.decomposition", "atlas", "this view").PCA
    return maker(_DIMENSIONS, random_state=seed).fit_transform(y)

"""Two dimensions to look at. Labels and neighbours never come from here."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from cleo_like.core.errors import InputError, UnsupportedError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

Embedding: TypeAlias = Literal["umap", "published", "opentsne", "pca"]
PRESETS: dict[str, dict[str, Any]] = {
    "umap": {"n_neighbors": 15, "min_dist": 0.1, "metric": "euclidean"},
    "published": {
        "n_neighbors": 150, "min_dist": 0.1, "spread": 2.0, "repulsion_strength": 5.0,
        "metric": "cosine",
    },
    "opentsne": {"perplexity": 30, "n_iter": 500},
    "pca": {},
}  # fmt: skip
"""Ways to embed; "published" has the parameters of the published map of DANDI, and a seed."""


def embed(
    points: np.ndarray, method: str, seed: int, options: Mapping[str, Any] | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Lay points out in the plane.

    Parameters
    ----------
    points : ndarray
        (cells x dimensions) without NaN.
    method : str
        One of `PRESETS`.
    seed : int
        The same seed gives the same bits on one machine.
    options : mapping, optional
        Instead of those of the preset.

    Returns
    -------
    xy, used : ndarray, dict
        (cells x 2), and the options used.

    Raises
    ------
    UnknownNameError
        No such method.
    UnsupportedError
        Its package is not installed.
    """
    if method not in PRESETS:
        raise unknown_name("embedding", method, PRESETS)
    if len(points) < 4:
        msg = f"a map needs at least 4 cells, got {len(points)}"
        raise InputError(msg)
    used = dict(PRESETS[method] | dict(options or {}))
    makers = {"umap": _umap, "published": _umap, "opentsne": _opentsne, "pca": _pca}
    xy = makers[method](points, seed, used)
    return np.ascontiguousarray(xy, dtype=float), used


def check_embedding(method: str) -> None:
    """Refuse, before any work, an embedding that is unknown or not installed."""
    from importlib.util import find_spec

    if method not in PRESETS:
        raise unknown_name("embedding", method, PRESETS)
    package = {"umap": "umap", "published": "umap", "opentsne": "openTSNE"}.get(method)
    if package is not None and find_spec(package) is None:
        msg = (
            f"the embedding {method!r} needs {package}: pip install 'cleo_like[atlas]', "
            "or take embedding='pca'"
        )
        raise UnsupportedError(msg)


def _umap(points: np.ndarray, seed: int, used: dict[str, Any]) -> np.ndarray:
    check_embedding("umap")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies, about threads and versions
        from umap import UMAP

        used["n_neighbors"] = min(used["n_neighbors"], len(points) - 1)
        init = "spectral" if len(points) > 30 else "random"
        model = UMAP(random_state=seed, n_jobs=1, init=used.get("init", init), **used)
        return model.fit_transform(points)


def _opentsne(points: np.ndarray, seed: int, used: dict[str, Any]) -> np.ndarray:
    check_embedding("opentsne")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from openTSNE import TSNE

        used["perplexity"] = min(used["perplexity"], (len(points) - 1) / 3)
        return np.asarray(TSNE(random_state=seed, n_jobs=1, **used).fit(points))


def _pca(points: np.ndarray, seed: int, used: dict[str, Any]) -> np.ndarray:
    """Project on the first two axes; the sign makes the largest loading positive."""
    del seed, used
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    out = centred @ axes.T
    return out if out.shape[1] == 2 else np.column_stack([out, np.zeros(len(out))])

"""From grey values to the rows and columns that are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float

_ROWS = 48
"""Default number of rows: 48 sweeps of 1 s take about a minute."""


def rotated(
    values: Float[np.ndarray, "height width"], degrees: float, background: float
) -> Float[np.ndarray, "new_height new_width"]:
    """Turn a picture counterclockwise, making room for its corners.

    Parameters
    ----------
    values : array, shape (height, width)
        Grey values.
    degrees : float
        Angle; multiples of 90 move pixels without changing them.
    background : float
        Grey of the new corners.

    Examples
    --------
    >>> rotated(np.array([[1.0, 2.0, 3.0]]), 90, 0.0)
    array([[3.],
           [2.],
           [1.]])
    """
    if not np.isfinite(degrees):
        msg = f"rotate must be a finite angle in degrees, got {degrees}"
        raise InputError(msg)
    if degrees % 90 == 0:
        return np.rot90(values, int(degrees // 90) % 4)
    from PIL import Image

    turned = Image.fromarray(values.astype(np.float32)).rotate(
        degrees, resample=Image.Resampling.BILINEAR, expand=True, fillcolor=background
    )
    return np.asarray(turned, dtype=np.float64)


def area_average(
    values: Float[np.ndarray, "height width"], count: int, axis: int
) -> Float[np.ndarray, "new_height new_width"]:
    """Average along one axis over `count` equal, adjoining stretches.

    A pixel that two stretches share counts for each by its share.

    Examples
    --------
    >>> area_average(np.array([[0.0, 1.0, 5.0]]), 2, axis=1)
    array([[0.33333333, 3.66666667]])
    """
    moved = np.moveaxis(values, axis, -1)
    size = moved.shape[-1]
    total = np.zeros((*moved.shape[:-1], size + 1))
    np.cumsum(moved, axis=-1, out=total[..., 1:])
    edges = np.arange(count + 1) * (size / count)
    below = np.minimum(edges.astype(int), size - 1)
    at_edges = total[..., below] + moved[..., below] * (edges - below)
    return np.moveaxis(np.diff(at_edges, axis=-1) * (count / size), -1, axis)


def subsampled(
    values: Float[np.ndarray, "height width"], count: int
) -> Float[np.ndarray, "count width"]:
    """Take `count` rows at equal distances (the middle one of each stretch)."""
    height = values.shape[0]
    rows = ((np.arange(count) + 0.5) * height / count).astype(int)
    return values[rows]


def reduced(
    values: Float[np.ndarray, "height width"],
    rows: int | None,
    columns: int | None,
    *,
    most_columns: int,
    subsample: bool = False,
) -> Float[np.ndarray, "rows columns"]:
    """Average a picture down to rows and columns.

    Parameters
    ----------
    values : array, shape (height, width)
        Grey values.
    rows : int, optional
        None is the height, at most 48.
    columns : int, optional
        None keeps the proportions of the picture as far as its width allows.
    most_columns : int
        Upper limit (the samples of a row).
    subsample : bool
        Take rows instead of averaging over them.

    Raises
    ------
    InputError
        More rows or columns than the picture or the sweep has.
    """
    height, width = values.shape
    n_rows = rows if rows is not None else min(height, _ROWS)
    _check_count("rows", n_rows, height, "the height of the picture")
    if columns is None:
        n_columns = min(max(1, round(n_rows * width / height)), width, most_columns)
    else:
        n_columns = columns
    _check_count("columns", n_columns, width, "the width of the picture")
    _check_count("columns", n_columns, most_columns, "the samples of a row")
    fewer = subsampled(values, n_rows) if subsample else area_average(values, n_rows, axis=0)
    return area_average(fewer, n_columns, axis=1)


def _check_count(name: str, count: int, most: int, what: str) -> None:
    if not 1 <= count <= most:
        msg = f"{name} must be 1 to {most} ({what}, after rotation), got {count}"
        raise InputError(msg)


def toned(
    values: Float[np.ndarray, "rows columns"],
    percentiles: tuple[float, float],
    gamma: float,
    polarity: str,
) -> Float[np.ndarray, "rows columns"]:
    """Scale grey values to 0..1 between two percentiles, bend and perhaps invert them.

    Raises
    ------
    InputError
        All values are equal (nothing to draw), or the arguments make no sense.

    Examples
    --------
    >>> toned(np.array([[10.0, 20.0, 30.0]]), (0, 100), 2.0, "inverted")
    array([[1.  , 0.75, 0.  ]])
    """
    low_part, high_part = percentiles
    if not 0 <= low_part < high_part <= 100:
        msg = f"percentiles must be two rising numbers from 0 to 100, got {percentiles}"
        raise InputError(msg)
    if not (np.isfinite(gamma) and gamma > 0):
        msg = f"gamma must be above 0, got {gamma}"
        raise InputError(msg)
    if polarity not in ("normal", "inverted"):
        msg = f"polarity must be 'normal' or 'inverted', got {polarity!r}"
        raise InputError(msg)
    low, high = np.percentile(values, [low_part, high_part])
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        raise _nothing_to_draw(values, percentiles)
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0) ** gamma
    return np.asarray(1.0 - scaled if polarity == "inverted" else scaled)


def _nothing_to_draw(values: np.ndarray, percentiles: tuple[float, float]) -> InputError:
    low, high = values.min(), values.max()
    shape = f"{values.shape[0]} rows x {values.shape[1]} columns"
    if high - low > 1e-9 * max(abs(low), abs(high)):
        msg = (
            f"the picture ({shape}) is one grey between its percentiles {percentiles}, though "
            f"it has values from {low:.4g} to {high:.4g}; use percentiles=(0, 100)"
        )
    else:
        msg = f"the picture is constant: every one of {shape} is {low:.4g}; nothing to draw"
    return InputError(msg)


def across(
    picture: Float[np.ndarray, "rows columns"], count: int, interpolation: str
) -> Float[np.ndarray, "rows count"]:
    """Spread the columns of each row over `count` samples.

    Sample k is at column (k + 1/2) columns / count, so every column takes an equal share
    of the time; "linear" joins the middles of columns and holds the outermost halves.

    Examples
    --------
    >>> across(np.array([[0.0, 1.0]]), 4, "linear")
    array([[0.  , 0.25, 0.75, 1.  ]])
    """
    n_columns = picture.shape[1]
    at = (np.arange(count) + 0.5) * (n_columns / count)
    if interpolation == "hold":
        return picture[:, np.minimum(at.astype(int), n_columns - 1)]
    if interpolation != "linear":
        msg = f"interpolation must be 'linear' or 'hold', got {interpolation!r}"
        raise InputError(msg)
    at = np.clip(at - 0.5, 0, n_columns - 1)
    left = np.minimum(at.astype(int), max(n_columns - 2, 0))
    right = np.minimum(left + 1, n_columns - 1)
    share = at - left
    return picture[:, left] * (1 - share) + picture[:, right] * share

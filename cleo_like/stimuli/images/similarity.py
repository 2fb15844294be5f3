"""How alike two pictures are: correlation and structural similarity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float


def correlation(
    first: Float[np.ndarray, "rows columns"], second: Float[np.ndarray, "rows columns"]
) -> float:
    """Pearson correlation over all pixels; NaN where one of the two is constant.

    Examples
    --------
    >>> correlation(np.array([[0.0, 1.0, 2.0]]), np.array([[5.0, 3.0, 1.0]]))
    -1.0
    """
    if _is_constant(first) or _is_constant(second):
        return float("nan")
    a, b = first - first.mean(), second - second.mean()
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def _is_constant(values: np.ndarray) -> bool:
    """Whether values differ by no more than the rounding of their averages."""
    return bool(np.ptp(values) <= 1e-13 * np.abs(values).max())


def ssim(
    picture: Float[np.ndarray, "rows columns"],
    other: Float[np.ndarray, "rows columns"],
    *,
    data_range: float = 1.0,
) -> float:
    """Give the mean structural similarity of two pictures (1 is identity).

    Local means, variances and covariance are taken with a Gaussian window of 11 x 11
    pixels and a standard deviation of 1.5; K1 = 0.01, K2 = 0.03. The mean is over the whole
    picture: windows that reach beyond its edge see it mirrored. (The original takes only
    the windows that fit, which in a picture of 48 rows leaves out a third of the pixels,
    among them the left edge where a membrane errs most.)

    Parameters
    ----------
    picture, other : array, shape (rows, columns)
        Grey values on the same scale.
    data_range : float
        Black to white.

    Returns
    -------
    float
        -1..1.

    Notes
    -----
    Source: Wang, Bovik, Sheikh & Simoncelli 2004, IEEE Trans Image Process 13:600.

    Examples
    --------
    >>> card = np.eye(8)
    >>> round(ssim(card, card), 12), ssim(card, 1 - card) < 0
    (1.0, True)
    """
    from scipy.ndimage import gaussian_filter

    if picture.shape != other.shape or picture.ndim != 2:
        msg = (
            f"pictures must have one shape (rows, columns), got {picture.shape}, {other.shape}"
        )
        raise InputError(msg)

    def local(values: np.ndarray) -> np.ndarray:
        return np.asarray(gaussian_filter(values, 1.5, truncate=3.5, mode="reflect"))

    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean_a, mean_b = local(picture), local(other)
    variance_a = local(picture**2) - mean_a**2
    variance_b = local(other**2) - mean_b**2
    covariance = local(picture * other) - mean_a * mean_b
    numerator = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    denominator = (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return float((numerator / denominator).mean())


def linear_fit(
    values: Float[np.ndarray, "rows columns"], target: Float[np.ndarray, "rows columns"]
) -> Float[np.ndarray, "rows columns"]:
    """Scale and shift values to be closest to a target (least squares over all pixels).

    Constant values become the mean of the target.

    Examples
    --------
    >>> linear_fit(np.array([[-70.0, -60.0]]), np.array([[0.0, 1.0]]))
    array([[0., 1.]])
    """
    centred = values - values.mean()
    power = float((centred**2).sum())
    slope = float((centred * (target - target.mean())).sum()) / power if power > 0 else 0.0
    return np.asarray(target.mean() + slope * centred)


def reliability(pictures: Float[np.ndarray, "repeats rows columns"]) -> tuple[float, float]:
    """Give the mean correlation between repeats, and the reliability of their mean.

    The reliability of the mean of m repeats follows from the mean correlation r of single
    ones by the Spearman-Brown formula, m r / (1 + (m - 1) r). Its square root is the
    highest correlation that anything free of noise can have with that mean.

    Parameters
    ----------
    pictures : array, shape (repeats, rows, columns)
        At least two.

    Returns
    -------
    tuple of float
        r, and the reliability of the mean (NaN where r is not above 0).

    Notes
    -----
    Source: Spearman 1910, Br J Psychol 3:271; Brown 1910, Br J Psychol 3:296; as a ceiling
    for responses: Hsu, Borst & Theunissen 2004, Network 15:91.
    """
    count = len(pictures)
    if count < 2:
        msg = f"reliability needs at least two repeats, got {count}"
        raise InputError(msg)
    table = np.corrcoef(pictures.reshape(count, -1))
    single = float(table[np.triu_indices(count, k=1)].mean())
    if not single > 0:
        return single, float("nan")
    return single, count * single / (1 + (count - 1) * single)

"""Light of one object on the pixels of a canvas: somata with a nucleus, lines, blobs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LATERAL_SIGMA = 0.3e-6
"""Of the point spread function (m): 0.7 um at half height, as of most microscopes."""
SPREAD = 0.35
"""Growth of the lateral point spread with the distance from the focus: the slope of the cone
of light behind an objective of numerical aperture .8 that is not filled."""
LEAST = 0.01
"""Light below which a pixel does not count, in that of a pixel of a cell in focus."""


class Patch(NamedTuple):
    """A picture of one object, and where its first pixel is on the canvas.

    Parameters
    ----------
    light : array, shape (h, w)
        1 is a cell in focus that fills the depth of the focus.
    occupied : array, shape (h, w)
        Share of the focus that the object takes from the neuropil.
    row, column : int
        Place of the first pixel.
    """

    light: np.ndarray
    occupied: np.ndarray
    row: int
    column: int


def soma(
    place: tuple[float, float, float],
    radius: float,
    *,
    nucleus: float,
    nuclear_level: float,
    shape: tuple[float, float],
    pixel_size: float,
    axial_sigma: float,
) -> Patch:
    """Draw a sphere with a nucleus, seen through a Gaussian focus (exact in depth).

    Parameters
    ----------
    place : tuple of float
        Row and column of the middle (pixels), height above the focus (m).
    radius : float
        Of the soma (m).
    nucleus : float
        Radius of the nucleus, in that of the soma.
    nuclear_level : float
        Light of the nucleus, in that of the cytoplasm: 0.1 for GCaMP, 1 for a filled cell.
    shape : tuple of float
        Ratio of the axes in the plane, and the angle of the longer one (rad).
    pixel_size, axial_sigma : float
        Edge of a pixel, and sd of the axial point spread (m).
    """
    row, column, z = place
    blur = lateral_sigma(z) / pixel_size
    half = int(np.ceil(radius * shape[0] ** 0.5 / pixel_size + 3 * blur)) + 1
    y, x, first = _around(row, column, half)
    y, x = y * pixel_size, x * pixel_size
    c, s = np.cos(shape[1]), np.sin(shape[1])
    along, across = c * x + s * y, c * y - s * x
    distance2 = along**2 / shape[0] + across**2 * shape[0]
    occupied = _chord(distance2, radius, z, axial_sigma)
    light = occupied - (1 - nuclear_level) * _chord(distance2, nucleus * radius, z, axial_sigma)
    return Patch(_blurred(light, blur), _blurred(occupied, blur), *first)


def line(
    points: np.ndarray, z: float, width: float, *, pixel_size: float, axial_sigma: float
) -> Patch:
    """Draw a dendrite: a curve with a Gaussian profile.

    Parameters
    ----------
    points : array, shape (n, 2)
        Rows and columns (pixels), close together.
    z, width : float
        Height above the focus and width at half height (m).
    pixel_size, axial_sigma : float
        Edge of a pixel, and sd of the axial point spread (m).
    """
    sigma = np.hypot(width / 2.355, lateral_sigma(z)) / pixel_size
    low = np.floor(points.min(axis=0) - 3 * sigma - 1).astype(int)
    high = np.ceil(points.max(axis=0) + 3 * sigma + 1).astype(int)
    y, x = np.mgrid[low[0] : high[0] + 1, low[1] : high[1] + 1]
    distance2 = np.full(y.shape, np.inf)
    for row, column in points:
        np.minimum(distance2, (y - row) ** 2 + (x - column) ** 2, out=distance2)
    light = np.exp(-0.5 * distance2 / sigma**2)
    light *= thin(z, width, axial_sigma) * (width / 2.355 / pixel_size / sigma)
    return Patch(light, np.zeros_like(light), int(low[0]), int(low[1]))


def blob(
    row: float, column: float, z: float, width: float, *, pixel_size: float, axial_sigma: float
) -> Patch:
    """Draw a round piece of a process: a Gaussian of some width at half height (m)."""
    sigma = np.hypot(width / 2.355, lateral_sigma(z)) / pixel_size
    y, x, first = _around(row, column, int(np.ceil(3 * sigma)) + 1)
    light = np.exp(-0.5 * (y**2 + x**2) / sigma**2)
    light *= thin(z, width, axial_sigma) * (width / 2.355 / pixel_size / sigma) ** 2
    return Patch(light, np.zeros_like(light), *first)


def thin(z: float, width: float, axial_sigma: float) -> float:
    """Share of the depth of the focus that something of a width fills, at a height."""
    return float(_chord(np.zeros(1), width / 2, z, axial_sigma)[0])


def lateral_sigma(z: float) -> float:
    """Give the sd of the lateral point spread (m) at a height."""
    return float(np.hypot(LATERAL_SIGMA, SPREAD * z))


def _around(row: float, column: float, half: int) -> tuple[np.ndarray, np.ndarray, tuple]:
    """Distances from a middle of the pixels around it, and the first of them."""
    top, left = round(row) - half, round(column) - half
    n = np.arange(2 * half + 1)
    return (top + n - row)[:, None], (left + n - column)[None, :], (top, left)


def _chord(distance2: np.ndarray, radius: float, z: float, sigma: float) -> np.ndarray:
    """Weight of the focus inside a sphere, along the axis at a distance from its middle."""
    from scipy.special import ndtr

    half = np.sqrt(np.maximum(radius**2 - distance2, 0))
    return np.asarray(ndtr((z + half) / sigma) - ndtr((z - half) / sigma))


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(image, sigma, mode="constant"))

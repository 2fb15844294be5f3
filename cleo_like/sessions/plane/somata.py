"""Where the somata of a plane lie, their masks, and what a mean picture shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.ophys.masks import RoiMasks

if TYPE_CHECKING:
    from jaxtyping import Float

    from cleo_like.sessions.plane.optical_plane import OpticalPlane

_TRIALS = 400
_NUCLEUS = 0.6
"""Radius of the nucleus in radii of the soma; indicators stay out of it."""


def place_somata(
    plane: OpticalPlane, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "n 2"], RoiMasks]:
    """Draw the somata of a plane: they do not overlap.

    Parameters
    ----------
    plane : OpticalPlane
        How many, how large, and in what field.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    centres : array, shape (n, 2)
        Row and column of each (pixels).
    masks : RoiMasks

    Raises
    ------
    InputError
        So many cells do not fit.
    """
    radius = plane.soma_radius / plane.pixel
    centres = _apart(plane, 2.3 * radius, rng)
    sizes = radius * np.exp(0.1 * rng.standard_normal((plane.n_cells, 2)))
    turns = rng.uniform(0, np.pi, plane.n_cells)
    pixels = [
        _ellipse(plane.shape, centre, size, turn)
        for centre, size, turn in zip(centres, sizes, turns, strict=True)
    ]
    return centres, RoiMasks.from_pixels(plane.shape, pixels)


def _apart(plane: OpticalPlane, least: float, rng: np.random.Generator) -> np.ndarray:
    """Draw places at least `least` pixels apart, one after the other."""
    shape = np.array(plane.shape)
    border = min(1.2 * least, shape.min() / 2 - 1)
    found = np.empty((plane.n_cells, 2))
    for n in range(plane.n_cells):
        tried = rng.uniform(border, shape - 1 - border, (_TRIALS, 2))
        gaps = ((tried[:, None] - found[None, :n]) ** 2).sum(-1)
        free = np.flatnonzero((gaps > least**2).all(axis=1))
        if free.size == 0:
            msg = (
                f"{plane.n_cells} somata of radius {plane.soma_radius * 1e6:g} um do not fit "
                f"into the field of {plane.field * 1e6:g} um: {n} did; lower n_cells or "
                "soma_radius, or widen the field"
            )
            raise InputError(msg)
        found[n] = tried[free[0]]
    return found


def _ellipse(
    shape: tuple[int, int], centre: np.ndarray, size: np.ndarray, turn: float
) -> tuple[np.ndarray, np.ndarray]:
    """Give the pixels of a turned ellipse; the pixel of its centre is always one."""
    reach = int(np.ceil(size.max())) + 1
    low = np.maximum(np.round(centre).astype(int) - reach, 0)
    high = np.minimum(np.round(centre).astype(int) + reach + 1, shape)
    y, x = np.mgrid[low[0] : high[0], low[1] : high[1]]
    dy, dx = y - centre[0], x - centre[1]
    along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    inside = (along / size[0]) ** 2 + (across / size[1]) ** 2 <= 1
    inside |= (np.abs(dy) <= 0.5) & (np.abs(dx) <= 0.5)
    return y[inside], x[inside]


def projection(
    plane: OpticalPlane,
    centres: Float[np.ndarray, "n 2"],
    masks: RoiMasks,
    level: Float[np.ndarray, " n"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "rows columns"]:
    """Draw a mean picture: somata with dark nuclei on textured neuropil, blurred.

    It is computed from the fluorescence of the somata, not from frames; a session with a
    movie has that of its movie.

    Parameters
    ----------
    plane : OpticalPlane
        The plane.
    centres, masks
        As `place_somata` gives them.
    level : array, shape (n,)
        Fluorescence of each soma.
    rng : numpy.random.Generator
        Of the texture.
    """
    from scipy.ndimage import gaussian_filter

    background = plane.neuropil * plane.brightness
    grain = gaussian_filter(rng.standard_normal(plane.shape), 1.5)
    coarse = gaussian_filter(rng.standard_normal(plane.shape), 12.0)
    texture = 0.15 * grain / grain.std() + 0.2 * coarse / coarse.std()
    picture = background * np.maximum(1 + texture, 0.1)
    roi = np.repeat(np.arange(len(masks)), masks.counts)
    away = np.hypot(masks.y - centres[roi, 0], masks.x - centres[roi, 1])
    nucleus = away < _NUCLEUS * plane.soma_radius / plane.pixel
    np.add.at(picture, (masks.y, masks.x), np.where(nucleus, 0.25, 1.15) * level[roi])
    return gaussian_filter(picture, 0.8).astype(np.float32)

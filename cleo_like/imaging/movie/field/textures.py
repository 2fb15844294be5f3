"""Pictures and slow signals of the neuropil; shading by the optics and by vessels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cleo_like.imaging.movie.kernels.tables import stream
from cleo_like.imaging.movie.motion import wander

if TYPE_CHECKING:
    from jaxtyping import Float

    from cleo_like.imaging.movie.parts import Illumination, Neuropil


class Nodes(NamedTuple):
    """A coarse grid over the canvas; between nodes everything is interpolated linearly.

    Parameters
    ----------
    rows, columns : tuple of array
        Node before each row (column) of the canvas, and part of the way to the next.
    places : array, shape (nodes, 2)
        Row and column of each node (pixels).
    shape : tuple of int
        Rows and columns of nodes.
    """

    rows: tuple[np.ndarray, np.ndarray]
    columns: tuple[np.ndarray, np.ndarray]
    places: np.ndarray
    shape: tuple[int, int]


def nodes_over(shape: tuple[int, int], spacing: float) -> Nodes:
    """Put nodes about `spacing` pixels apart over a canvas."""
    axes, parts = [], []
    for n in shape:
        count = max(int(np.ceil((n - 1) / spacing)), 1) + 1
        axes.append(np.linspace(0, n - 1, count))
        parts.append(between(np.arange(n), axes[-1]))
    y, x = np.meshgrid(*axes, indexing="ij")
    places = np.column_stack([y.ravel(), x.ravel()])
    return Nodes(parts[0], parts[1], places, (len(axes[0]), len(axes[1])))


def between(at: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Node before each place, and the part of the way to the next (float32)."""
    before = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, len(nodes) - 2)
    part = (at - nodes[before]) / (nodes[before + 1] - nodes[before])
    return before, part.astype(np.float32)


def neuropil_picture(
    neuropil: Neuropil, shape: tuple[int, int], pixel_size: float, seed: int
) -> Float[np.ndarray, "h w"]:
    """Draw the neuropil at rest: median 1, log-normal at two scales."""
    rng = stream(seed, "neuropil")
    log = np.zeros(shape)
    for sd, size in (
        (neuropil.texture, neuropil.texture_size),
        (neuropil.patches, neuropil.patches_size),
    ):
        log += sd * _smooth(rng.standard_normal(shape), size / pixel_size)
    return np.exp(log)


def _smooth(noise: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth white noise, to variance 1 on average over fields (not in each of them)."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(noise, sigma, mode="wrap")
    one = np.zeros_like(noise)
    one[0, 0] = 1
    kernel = gaussian_filter(one, sigma, mode="wrap")
    return np.asarray(smooth / np.sqrt((kernel**2).sum()))


def neuropil_signals(
    neuropil: Neuropil,
    nodes: Nodes,
    cells: np.ndarray,
    dff: np.ndarray,
    *,
    dt: float,
    pixel_size: float,
    seed: int,
) -> Float[np.ndarray, "n_frames nodes"]:
    """Give the factor of each node in each frame: 1 at rest.

    Parameters
    ----------
    neuropil : Neuropil
        Strengths and times.
    nodes : Nodes
        The grid.
    cells : array, shape (n, 2)
        Rows and columns of the cells (pixels).
    dff : array, shape (n_frames, n)
        Their activity.
    dt, pixel_size : float
        Frame period (s), edge of a pixel (m).
    seed : int
        Of the movie.
    """
    rng = stream(seed, "neuropil signals")
    n = len(dff)
    unseen = wander(n, dt, neuropil.unseen_time, len(nodes.places), rng)
    shared = wander(n, dt, neuropil.shared_time, 1, rng)
    mix = _alike(nodes, neuropil.reach / pixel_size)
    factor = 1 + neuropil.unseen * (unseen @ mix.T) + neuropil.shared * shared
    if neuropil.activity > 0 and dff.shape[1]:
        gap = nodes.places[:, None, :] - cells[None, :, :]
        distance2 = (gap**2).sum(axis=2) * (pixel_size / neuropil.reach) ** 2
        distance2 -= distance2.min(axis=1, keepdims=True)  # a node far from all cells
        near = np.exp(-0.5 * distance2)
        near /= near.sum(axis=1, keepdims=True)
        factor += neuropil.activity * (dff @ near.T.astype(dff.dtype))
    return np.maximum(factor, 0).astype(np.float32)


def _alike(nodes: Nodes, reach: float) -> np.ndarray:
    """Mix independent signals so that nodes within reach are alike; variance stays 1."""
    gap = nodes.places[:, None, :] - nodes.places[None, :, :]
    mix = np.exp(-0.5 * (gap**2).sum(axis=2) / reach**2)
    return np.asarray(mix / np.sqrt((mix**2).sum(axis=1, keepdims=True)))


def transmission(
    light: Illumination, shape: tuple[int, int], pixel_size: float, seed: int
) -> Float[np.ndarray, "h w"]:
    """Draw the share of light of each place: vignetting and vessels."""
    height, width = shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    shares = 1 - light.vignetting * (y**2 + x**2) / 2
    rng = stream(seed, "illumination")
    for _ in range(light.vessels):
        shares *= 1 - light.shade * _vessel(light, shape, pixel_size, rng)
    return np.asarray(shares)


def _vessel(
    light: Illumination, shape: tuple[int, int], pixel_size: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw a bent band across the field: 1 in its middle."""
    y, x = np.indices(shape, dtype=float)
    angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.4, 0.4) * max(shape)
    bend, phase = rng.uniform(0.02, 0.08) * max(shape), rng.uniform(0, 2 * np.pi)
    sigma = light.vessel_diameter * np.exp(0.3 * rng.standard_normal()) / pixel_size / 2.355
    y, x = y - shape[0] / 2, x - shape[1] / 2
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    middle = offset + bend * np.sin(2 * np.pi * along / max(shape) + phase)
    return np.asarray(np.exp(-0.5 * ((across - middle) / sigma) ** 2))


def common_factor(
    light: Illumination, n_frames: int, dt: float, seed: int
) -> Float[np.ndarray, "n_frames"]:
    """Draw the factor that all light of a frame has in common: blood volume and laser."""
    rng = stream(seed, "flicker")
    slow = wander(n_frames, dt, light.haemodynamic_time, 1, rng)[:, 0]
    fast = rng.standard_normal(n_frames)
    factor = 1 + light.haemodynamics * slow + light.flicker * fast
    return np.asarray(np.maximum(factor, 0.05))

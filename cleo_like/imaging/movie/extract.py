"""Fluorescence of masks in any movie, and of the neuropil around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float
    from scipy.sparse import csr_array

    from cleo_like.core.ophys.frames import FrameSource
    from cleo_like.core.ophys.masks import RoiMasks

_AT_ONCE = 64
_GROWTH = 40  # pixels at most


def extract_fluorescence(
    movie: FrameSource,
    masks: RoiMasks,
    *,
    inner: int = 2,
    pixels: int = 350,
    apart_from: RoiMasks | None = None,
) -> tuple[Float[np.ndarray, "n n_frames"], Float[np.ndarray, "n n_frames"]]:
    """Average a movie over masks and over the neuropil around each, some frames at a time.

    Parameters
    ----------
    movie : FrameSource
        Frames; motion is not corrected here.
    masks : RoiMasks
        Regions; pixels count by their weights.
    inner : int
        Pixels around every mask that are neither it nor neuropil.
    pixels : int
        Size of the neuropil of a region: the nearest pixels.
    apart_from : RoiMasks, optional
        Regions that the neuropil leaves out; the masks by default.

    Returns
    -------
    tuple of array, shape (n, n_frames)
        F and Fneu, in stored units. NaN where a mask has no pixels, or no room around it.

    Raises
    ------
    InputError
        Frames and masks differ in size.
    """
    if masks.shape != movie.shape[1:]:
        msg = f"masks are for frames of {masks.shape}, the movie has {movie.shape[1:]}"
        raise InputError(msg)
    taken = masks if apart_from is None else apart_from
    around = surroundings(masks, taken, inner=whole_number("inner", 0)(inner), pixels=pixels)
    own, total = masks.to_matrix(), np.asarray(masks.to_matrix().sum(axis=1))
    n = movie.shape[0]
    found = np.full((2, len(masks), n), np.nan)
    for start in range(0, n, _AT_ONCE):
        frames = movie[start : start + _AT_ONCE]
        flat = frames.reshape(len(frames), -1).T.astype(np.float32)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[0, :, start : start + len(frames)] = (own @ flat) / total[:, None]
            found[1, :, start : start + len(frames)] = around @ flat
    found[1, np.asarray(around.sum(axis=1)) == 0] = np.nan
    return found[0], found[1]


def surroundings(
    masks: RoiMasks, taken: RoiMasks, *, inner: int = 2, pixels: int = 350
) -> csr_array:
    """Give the neuropil of each mask: the nearest pixels that belong to no mask.

    Parameters
    ----------
    masks, taken : RoiMasks
        Regions, and those whose pixels are no neuropil.
    inner, pixels : int
        Distance that is left out, and number of pixels (fewer within 40 pixels of a mask
        in a crowd).

    Returns
    -------
    csr_array, shape (n, pixels of a frame)
        Weights; those of a region sum to 1, or to 0 without any neuropil.
    """
    from scipy.ndimage import distance_transform_edt
    from scipy.sparse import csr_array

    height, width = masks.shape
    free = np.ones(masks.shape, bool)
    free[taken.y, taken.x] = False
    reach = inner + _GROWTH
    rows, columns, values = [], [], []
    for i in range(len(masks)):
        y, x, _ = masks[i]
        if not len(y):
            continue
        top, left = max(y.min() - reach, 0), max(x.min() - reach, 0)
        window = (slice(top, y.max() + reach + 1), slice(left, x.max() + reach + 1))
        away = np.ones(free[window].shape, bool)
        away[y - top, x - left] = False
        distance = distance_transform_edt(away)
        r, c = np.nonzero((distance > inner) & (distance <= reach) & free[window])
        nearest = np.argsort(distance[r, c], kind="stable")[:pixels]
        rows.append(np.full(len(nearest), i))
        columns.append((r[nearest] + top) * width + c[nearest] + left)
        values.append(np.full(len(nearest), 1 / max(len(nearest), 1)))
    joined = [np.concatenate(v) if v else np.zeros(0, int) for v in (rows, columns, values)]
    return csr_array((joined[2], (joined[0], joined[1])), shape=(len(masks), height * width))

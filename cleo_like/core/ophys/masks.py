"""Pixels of regions of interest, sparse: a mask of a soma is a thousandth of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jaxtyping import Float, Int, Shaped
    from scipy.sparse import csr_array

_BLOCK = 64
"""Dense masks looked at together: 64 of 512 x 512 pixels are 17 MB as bytes."""
_COORDINATES = ("z", "y", "x")


def _whole(value: Any) -> Int[np.ndarray, "n"]:
    array = np.atleast_1d(np.asarray(value))
    if array.size == 0:
        array = array.astype(int)
    if array.ndim != 1 or not np.array_equal(array, array.astype(np.int32)):
        msg = f"pixels and counts of masks must be lists of whole numbers, got {value!r}"
        raise InputError(msg)
    return array.astype(np.int32)


def _size(value: Any) -> tuple[int, ...]:
    size = tuple(int(n) for n in np.atleast_1d(value))
    if len(size) not in {2, 3} or min(size) < 1 or size != tuple(np.atleast_1d(value)):
        msg = f"shape must be (height, width) or (planes, height, width), got {value!r}"
        raise InputError(msg)
    return size


def _weights(value: Any) -> Float[np.ndarray, "n"]:
    return np.atleast_1d(np.asarray(value, dtype=np.float32))


@attrs.frozen(kw_only=True)
class RoiMasks:
    """Which pixels belong to each ROI, and with what weight.

    Pixels are kept ROI by ROI, sorted by plane, row and column; a weight of 0 is no pixel.
    Most callers use `from_pixels` or `from_images`.

    Parameters
    ----------
    shape : tuple of int
        Size of a frame: (height, width), or of a volume: (planes, height, width).
    counts : array of int, shape (n_rois,)
        Number of pixels of each ROI.
    y, x : array of int, shape (n_pixels,)
        Row and column of each pixel, those of the first ROI first.
    weight : array, shape (n_pixels,)
        Weight of each pixel (float32); 1 in masks that are yes or no.
    z : array of int, shape (n_pixels,), optional
        Plane of each pixel; needed for a volume.

    Raises
    ------
    InputError
        A pixel outside the frame, or twice in one ROI, or a weight that is not finite.

    Examples
    --------
    >>> masks = RoiMasks.from_pixels((32, 48), [([3, 3], [7, 8]), ([9], [1], [0.5])])
    >>> masks
    RoiMasks: 2 ROIs, 3 pixels in frames of 32 x 48 (height x width)
    >>> masks.area.tolist(), masks.centroids.tolist()
    ([2, 1], [[3.0, 7.5], [9.0, 1.0]])
    >>> masks.to_images().shape
    (2, 32, 48)
    """

    shape: tuple[int, ...] = attrs.field(converter=_size)
    counts: Int[np.ndarray, "n_rois"] = attrs.field(converter=_whole, eq=array_eq)
    y: Int[np.ndarray, "n_pixels"] = attrs.field(converter=_whole, eq=array_eq)
    x: Int[np.ndarray, "n_pixels"] = attrs.field(converter=_whole, eq=array_eq)
    weight: Float[np.ndarray, "n_pixels"] = attrs.field(converter=_weights, eq=array_eq)
    z: Int[np.ndarray, "n_pixels"] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_whole), eq=array_eq
    )

    def __attrs_post_init__(self) -> None:
        """Check the pixels, and put them in order."""
        self._check_sizes()
        roi = np.repeat(np.arange(len(self.counts)), self.counts)
        self._check_places(roi)
        flat = self._flat()
        order = np.lexsort((flat, roi))
        order = order[self.weight[order] != 0]
        roi, flat = roi[order], flat[order]
        twice = np.flatnonzero((np.diff(roi) == 0) & (np.diff(flat) == 0))
        if len(twice):
            n = order[twice[0]]
            msg = f"the mask of ROI {roi[twice[0]]} has {self._where(n)} twice"
            raise InputError(msg)
        counts = np.bincount(roi, minlength=len(self.counts)).astype(np.int32)
        object.__setattr__(self, "counts", read_only(counts))
        for name in ("y", "x", "weight", "z"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, read_only(value[order]))

    @classmethod
    def from_pixels(cls, shape: Sequence[int], rois: Iterable[Sequence[Any]]) -> RoiMasks:
        """Make masks from lists of pixels.

        Parameters
        ----------
        shape : sequence of int
            (height, width), or (planes, height, width).
        rois : iterable of tuple
            Of each ROI (y, x) or (y, x, weight); in a volume (z, y, x) or (z, y, x, weight).

        Returns
        -------
        RoiMasks
            One mask per tuple; weights are 1 where none are given.
        """
        size = _size(shape)
        n = len(size)
        columns: list[list[np.ndarray]] = [[] for _ in range(n + 1)]
        counts = []
        for i, given in enumerate(rois):
            parts = [np.atleast_1d(np.asarray(part)) for part in given]
            if len(parts) == n:
                parts.append(np.ones(len(parts[0]), np.float32))
            if len(parts) != n + 1 or len({part.shape for part in parts}) != 1:
                names = ", ".join(_COORDINATES[-n:])
                msg = f"ROI {i} must be ({names}) or ({names}, weight) of one length each"
                raise InputError(msg)
            counts.append(len(parts[0]))
            for column, part in zip(columns, parts, strict=True):
                column.append(part)
        joined = [np.concatenate(column) if column else np.zeros(0) for column in columns]
        places = dict(zip(_COORDINATES[-n:], joined[:-1], strict=True))
        return cls(shape=size, counts=counts, weight=joined[-1], **places)

    @classmethod
    def from_images(cls, images: Shaped[np.ndarray, "n_rois *shape"]) -> RoiMasks:
        """Make masks from one picture per ROI.

        Parameters
        ----------
        images : array, shape (n_rois, height, width) or (n_rois, planes, height, width)
            Weights, or truth values. A data set of a file is read some ROIs at a time.

        Returns
        -------
        RoiMasks
            The pixels that are not 0.
        """
        if not hasattr(images, "shape"):
            images = np.asarray(images)
        if len(images.shape) not in {3, 4}:
            msg = f"images must be (n_rois, height, width), got shape {tuple(images.shape)}"
            raise InputError(msg)
        counts, places, weights = [], [], []
        for start in range(0, images.shape[0], _BLOCK):
            block = np.asarray(images[start : start + _BLOCK])
            found = np.nonzero(block)
            counts.append(np.bincount(found[0], minlength=len(block)))
            places.append(np.array(found[1:]))
            weights.append(block[found])
        size = _size(images.shape[1:])
        n = len(size)
        joined = np.concatenate([np.zeros((n, 0), int), *places], axis=1)
        return cls(
            shape=size,
            counts=np.concatenate([np.zeros(0, int), *counts]),
            weight=np.concatenate([np.zeros(0, np.float32), *weights]),
            **dict(zip(_COORDINATES[-n:], joined, strict=True)),
        )

    def __len__(self) -> int:
        """Count the ROIs."""
        return len(self.counts)

    def __getitem__(self, roi: int) -> tuple[np.ndarray, ...]:
        """Give (y, x, weight) of one ROI; (z, y, x, weight) in a volume."""
        if not -len(self) <= roi < len(self):
            msg = f"there are {len(self)} ROIs, so none has the number {roi}"
            raise InputError(msg)
        start, stop = self.offsets[roi % len(self)], self.offsets[roi % len(self) + 1]
        columns = (*self._places(), self.weight)
        return tuple(column[start:stop] for column in columns)

    def select(self, rois: Any) -> RoiMasks:
        """Give the masks of some ROIs.

        Parameters
        ----------
        rois : array of int or bool
            Numbers of ROIs, or one truth value for each.

        Returns
        -------
        RoiMasks
            In the order asked for.
        """
        return self.from_pixels(self.shape, [self[int(i)] for i in np.arange(len(self))[rois]])

    @property
    def offsets(self) -> Int[np.ndarray, "n_rois+1"]:
        """Where the pixels of each ROI begin, and where the last end."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def area(self) -> Int[np.ndarray, "n_rois"]:
        """Number of pixels of each ROI."""
        return self.counts

    @property
    def centroids(self) -> Float[np.ndarray, "n_rois 2"]:
        """Weighted mean place of each ROI (pixels): (y, x), or (z, y, x); NaN if empty."""
        matrix = abs(self.to_matrix())
        total = np.asarray(matrix.sum(axis=1), dtype=float)
        places = np.indices(self.shape).reshape(len(self.shape), -1).T
        with np.errstate(invalid="ignore"):
            return (matrix @ places.astype(float)) / total[:, None]

    @property
    def boxes(self) -> Int[np.ndarray, "n_rois 4"]:
        """Bounding box of each ROI: first row, first column, height, width; 0 if empty."""
        boxes = np.zeros((len(self), 4), int)
        full = np.flatnonzero(self.counts)
        if len(full):
            starts = self.offsets[full]
            low = [np.minimum.reduceat(v, starts) for v in (self.y, self.x)]
            high = [np.maximum.reduceat(v, starts) for v in (self.y, self.x)]
            sizes = [h - v + 1 for h, v in zip(high, low, strict=True)]
            boxes[full] = np.stack([*low, *sizes], axis=1)
        return boxes

    def to_images(self) -> Float[np.ndarray, "n_rois *shape"]:
        """Give one picture per ROI.

        Returns
        -------
        array, shape (n_rois, height, width) or (n_rois, planes, height, width)
            Weights (float32); 0 outside.
        """
        images = np.zeros((len(self), *self.shape), np.float32)
        roi = np.repeat(np.arange(len(self)), self.counts)
        images[(roi, *self._places())] = self.weight
        return images

    def to_matrix(self) -> csr_array:
        """Give the weights as a sparse matrix, to be multiplied by frames.

        Returns
        -------
        scipy.sparse.csr_array, shape (n_rois, number of pixels of a frame)
            Pixels in the order of `frame.ravel()`.
        """
        from scipy.sparse import csr_array

        size = (len(self), int(np.prod(self.shape)))
        return csr_array((self.weight, self._flat(), self.offsets), shape=size)

    def __repr__(self) -> str:
        """One line: ROIs, pixels, size of a frame."""
        axes = "planes x height x width" if len(self.shape) == 3 else "height x width"
        size = " x ".join(map(str, self.shape))
        pixels = int(self.counts.sum())
        return f"RoiMasks: {len(self)} ROIs, {pixels} pixels in frames of {size} ({axes})"

    def _places(self) -> tuple[np.ndarray, ...]:
        return (self.y, self.x) if self.z is None else (self.z, self.y, self.x)

    def _flat(self) -> np.ndarray:
        return np.ravel_multi_index(self._places(), self.shape)

    def _where(self, pixel: int) -> str:
        names = _COORDINATES[-len(self.shape) :]
        at = ", ".join(f"{n}={v[pixel]}" for n, v in zip(names, self._places(), strict=True))
        return f"the pixel ({at})"

    def _check_sizes(self) -> None:
        if (self.counts < 0).any():
            msg = "counts of pixels must be 0 or more"
            raise InputError(msg)
        if (self.z is None) != (len(self.shape) == 2):
            msg = f"planes of pixels (z) belong to a volume; the shape is {self.shape}"
            raise InputError(msg)
        lengths = {len(column) for column in (*self._places(), self.weight)}
        if lengths != {int(self.counts.sum())}:
            msg = (
                f"counts add to {self.counts.sum()} pixels, got "
                f"{sorted(lengths)} rows, columns and weights"
            )
            raise InputError(msg)

    def _check_places(self, roi: np.ndarray) -> None:
        if not np.isfinite(self.weight).all():
            bad = roi[~np.isfinite(self.weight)][0]
            msg = f"the mask of ROI {bad} has a weight that is not finite"
            raise InputError(msg)
        outside = np.zeros(len(roi), bool)
        for places, size in zip(self._places(), self.shape, strict=True):
            outside |= (places < 0) | (places >= size)
        if outside.any():
            n = int(np.flatnonzero(outside)[0])
            frame = " x ".join(map(str, self.shape))
            msg = (
                f"the mask of ROI {roi[n]} has {self._where(n)} outside the frame of {frame} "
                f"pixels ({'height x width' if len(self.shape) == 2 else 'planes first'})"
            )
            raise InputError(msg)

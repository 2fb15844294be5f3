"""Frames and masks handed to HDF5 a few at a time, so that memory stays flat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.core.ophys.frames import FrameSource
    from cleo_like.core.ophys.masks import RoiMasks

CHUNK = (30, 128, 128)
"""Frames, columns and rows of a chunk: the course of a few pixels is read as fast as frames
are (one-frame chunks: 15-30x slower), at the size of gzip-4 and twice its speed."""
_BUFFER = 1 << 25
"""Bytes of frames that are held at once: 32 MB, 60 frames of 512 x 512 in 16 bits."""
_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def movie_chunks(source: FrameSource) -> Any:
    """Give a movie as NWB stores it, (frames, x, y), to be streamed into the file."""
    n, height, width = source.shape
    shape = (n, width, height)
    return _streamed(shape, source.dtype, CHUNK, lambda a, b: source[a:b].transpose(0, 2, 1))


def mask_chunks(masks: RoiMasks) -> Any:
    """Give masks as NWB stores them, (ROIs, x, y) or (ROIs, x, y, z)."""
    whole = bool((masks.weight == 1).all())
    dtype = np.dtype(np.uint8 if whole else np.float32)
    shape = (len(masks), *masks.shape[::-1])

    def some(start: int, stop: int) -> np.ndarray:
        images = masks.select(slice(start, stop)).to_images()
        return images.transpose(0, *range(images.ndim - 1, 0, -1)).astype(dtype)

    return _streamed(shape, dtype, (1, *shape[1:]), some)


def packed(array: np.ndarray) -> Any:
    """Compress an array that is in memory."""
    from hdmf.backends.hdf5 import H5DataIO

    return H5DataIO(array, **_PACKED) if array.size and array.ndim else array


def _streamed(
    shape: tuple[int, ...],
    dtype: np.dtype,
    chunk: tuple[int, ...],
    get: Callable[[int, int], np.ndarray],
) -> Any:
    from hdmf.backends.hdf5 import H5DataIO
    from hdmf.data_utils import GenericDataChunkIterator

    if 0 in shape:
        return np.zeros(shape, dtype)

    class Chunks(GenericDataChunkIterator):
        def _get_data(self, selection: tuple[slice, ...]) -> np.ndarray:
            first = selection[0].indices(shape[0])
            return get(first[0], first[1])[(slice(None), *selection[1:])]

        def _get_maxshape(self) -> tuple[int, ...]:
            return shape

        def _get_dtype(self) -> np.dtype:
            return np.dtype(dtype)

        def __len__(self) -> int:
            return shape[0]

    step = tuple(min(c, n) for c, n in zip(chunk, shape, strict=True))
    frame = int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
    held = min(shape[0], max(1, _BUFFER // (frame * step[0])) * step[0])
    chunks = Chunks(chunk_shape=step, buffer_shape=(held, *shape[1:]))
    return H5DataIO(chunks, **_PACKED)

"""A simulated movie: frames that are made when they are asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.ophys.frames import Frames, frames_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float, Shaped

    from cleo_like.core.provenance import Provenance
    from cleo_like.imaging.movie.render.frame import FrameMaker
    from cleo_like.imaging.movie.render.truth import MovieTruth


class _Frames(Frames):
    """Frames by number or slice, each made on its own."""

    def __init__(
        self,
        make: Callable[[int, np.ndarray], Any],
        *,
        shape: tuple[int, int, int],
        dtype: Any,
        times: np.ndarray,
        pixel_size: tuple[float, float],
        threads: int,
    ) -> None:
        self._make, self._threads = make, threads
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.times, self.pixel_size = times, pixel_size

    def some(self, frames: slice) -> Shaped[np.ndarray, "n height width"]:
        """Make the frames of a slice."""
        numbers = range(*frames.indices(len(self)))
        out = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        if self._threads > 1 and len(numbers) > 1:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(self._make, numbers, out))
        else:
            for number, frame in zip(numbers, out, strict=True):
                self._make(number, frame)
        return out

    def __repr__(self) -> str:
        """One line: frames, size, type, rate."""
        return f"{type(self).__name__.lstrip('_')}: {frames_text(self)}"


class Movie(_Frames):
    """A movie of a simulated microscope; `movie[start:stop]` makes those frames.

    A frame depends on the seed and its number only: any order, slices and number of threads
    give the same bits. `simulate_movie` makes one.

    Parameters
    ----------
    maker : FrameMaker
        Makes frames.
    dtype, times, pixel_size, truth, provenance, notes
        As the attributes; `pixel_size` is one edge (m).
    threads : int
        Threads that make frames.

    Attributes
    ----------
    shape : tuple of int
        Frames, rows and columns.
    dtype : numpy.dtype
        Type of a stored pixel.
    times : array, shape (n_frames,)
        When each frame begins (s).
    pixel_size : tuple of float
        Height and width of a pixel (m).
    photons : FrameSource
        Expected photons (with dark counts) instead of stored values, float32.
    truth : MovieTruth
        What is known of every stage.
    clipped : array, shape (n_frames,)
        Pixels of each frame that were clipped; NaN where the frame was not made yet.
    provenance : Provenance
        Parameters and seed.
    notes : tuple of str
        What was assumed.
    """

    def __init__(
        self,
        maker: FrameMaker,
        dtype: Any,
        times: Float[np.ndarray, "n_frames"],
        pixel_size: float,
        *,
        truth: MovieTruth,
        provenance: Provenance,
        notes: tuple[str, ...] = (),
        threads: int = 1,
    ) -> None:
        size = (len(times), *maker.shape)
        pixel = (float(pixel_size), float(pixel_size))
        shared: Any = {"shape": size, "times": times, "pixel_size": pixel, "threads": threads}
        super().__init__(self._store, dtype=dtype, **shared)
        self._maker = maker
        self.photons = _Photons(maker.expected, dtype=np.float32, **shared)
        self.truth, self.provenance, self.notes = truth, provenance, notes
        self.clipped = np.full(len(times), np.nan)

    def _store(self, frame: int, out: np.ndarray) -> None:
        self.clipped[frame] = self._maker.stored(frame, out)


class _Photons(_Frames):
    """Expected photons of a movie."""

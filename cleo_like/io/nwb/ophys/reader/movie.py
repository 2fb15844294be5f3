"""Movies that stay in their file: of NWB, or TIFFs beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.core.ophys.frames import Frames, frames_text
from cleo_like.io.nwb.source.hdf5 import READ_ERRORS, said_by
from cleo_like.io.tiff.read import opened

if TYPE_CHECKING:
    from jaxtyping import Float, Shaped


@attrs.frozen(kw_only=True, eq=False)
class NwbFrames(Frames):
    """A movie inside an NWB file; the file is opened for each slice, and closed again.

    Parameters
    ----------
    path : str
        The file.
    dataset : str
        Where the frames are in it.
    size : tuple of int
        Frames, height, width.
    stored : numpy.dtype
        Type of a pixel in the file.
    times : array, shape (n_frames,)
        Time of each frame (s).
    pixel_size : tuple of float, optional
        Height and width of a pixel (m).
    transposed : bool
        Whether frames are stored as (x, y), as the standard has it.
    scale, offset : float
        A pixel is stored * scale + offset.
    """

    path: str
    dataset: str
    size: tuple[int, int, int]
    stored: np.dtype
    times: Float[np.ndarray, "n_frames"]
    pixel_size: tuple[float, float] | None = None
    transposed: bool = True
    scale: float = 1.0
    offset: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width."""
        return self.size

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""
        return self.stored if self._plain else np.dtype(float)

    @property
    def _plain(self) -> bool:
        return self.scale == 1 and self.offset == 0

    def some(self, frames: slice) -> Shaped[np.ndarray, "n height width"]:
        """Read the frames of a slice.

        Raises
        ------
        FileFormatError
            They cannot be read.
        """
        import h5py

        try:
            with h5py.File(self.path, "r") as file:
                found = _rows(file[self.dataset], frames, self.size[0])
        except READ_ERRORS as error:
            name = Path(self.path).name
            msg = f"the frames {self.dataset} of {name} cannot be read ({said_by(error)})"
            raise FileFormatError(msg) from error
        if self.transposed:
            found = found.transpose(0, 2, 1)
        return found if self._plain else found * self.scale + self.offset

    def __repr__(self) -> str:
        """One line: frames, size, type, rate."""
        return f"NwbFrames: {frames_text(self)}"


def _rows(dataset: np.ndarray, frames: slice, count: int) -> np.ndarray:
    """Read a slice of rows; HDF5 itself takes no negative steps."""
    start, stop, step = frames.indices(count)
    if step > 0:
        return np.asarray(dataset[start:stop:step])
    numbers = range(start, stop, step)
    if not numbers:
        return np.asarray(dataset[0:0])
    return np.asarray(dataset[numbers[-1] : start + 1 : -step])[::-1]


@attrs.frozen(kw_only=True, eq=False)
class TiffFrames(Frames):
    """A movie in one or several TIFF files; only the pages that are asked for are read.

    Parameters
    ----------
    files : tuple of (str, int)
        Files and the number of frames of each.
    size : tuple of int
        Height and width.
    times : array, shape (n_frames,)
        Time of each frame (s).
    pixel_size : tuple of float, optional
        Height and width of a pixel (m).
    """

    files: tuple[tuple[str, int], ...]
    size: tuple[int, int]
    times: Float[np.ndarray, "n_frames"]
    pixel_size: tuple[float, float] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width."""
        return (sum(n for _, n in self.files), *self.size)

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""
        return self[0:1].dtype

    def some(self, frames: slice) -> Shaped[np.ndarray, "n height width"]:
        """Read the frames of a slice.

        Raises
        ------
        FileFormatError
            A file is missing or damaged.
        """
        wanted = np.arange(self.shape[0])[frames]
        parts, begin = [np.zeros((0, *self.size), np.uint8)], 0
        ends = np.cumsum([n for _, n in self.files])
        order = []
        for (name, _), end in zip(self.files, ends, strict=True):
            here = np.flatnonzero((wanted >= begin) & (wanted < end))
            if len(here):
                parts.append(_pages(Path(name), wanted[here] - begin, self.size))
                order.append(here)
            begin = int(end)
        if not order:
            return parts[0]
        found = np.concatenate(parts[1:])
        return found[np.argsort(np.concatenate(order), kind="stable")]

    def __repr__(self) -> str:
        """One line: frames, size, type, rate."""
        return f"TiffFrames: {frames_text(self)}"


def _pages(file: Path, pages: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    try:
        with opened(file) as tiff:
            found = tiff.asarray(key=pages.tolist())
    except (IndexError, ValueError) as error:
        msg = f"the movie is in the file {file}, which cannot be read ({error})"
        raise FileFormatError(msg) from error
    return np.asarray(found).reshape(-1, *size)


def frames_in(file: Path) -> tuple[int, int, int]:
    """Give frames, height and width of a TIFF.

    Raises
    ------
    FileFormatError
        It is no TIFF.
    InputError
        It has more than single-channel frames of one size.
    """
    with opened(file) as tiff:
        shape = tiff.series[0].shape if tiff.series else ()
    if len(shape) not in {2, 3}:
        msg = f"expected frames of one channel in {file.name}, got an array of shape {shape}"
        raise InputError(msg)
    sizes = [int(size) for size in shape]
    return (sizes[0] if len(sizes) == 3 else 1, sizes[-2], sizes[-1])

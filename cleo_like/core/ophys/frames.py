"""A movie as the rest of the package sees it: its shape, its times, and a slice of frames."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs
import numpy as np

from cleo_like.core.arrays import read_only, si_samples
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float, Shaped


@runtime_checkable
class FrameSource(Protocol):
    """A movie whose frames are made, or read, when they are asked for.

    `source[start:stop]` gives an array (n, height, width) of type `dtype`.
    """

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width: (n_frames, height, width)."""

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""

    @property
    def times(self) -> Float[np.ndarray, "n_frames"]:
        """Time of each frame (s), rising."""

    @property
    def pixel_size(self) -> tuple[float, float] | None:
        """Height and width of a pixel (m); None is unknown."""

    def __getitem__(self, frames: slice) -> Shaped[np.ndarray, "*n height width"]:
        """Give the frames of a slice, in order."""


class Frames:
    """What every movie does alike: `len`, one frame by number, some by slice.

    A class of movies has `shape`, and `some(frames)`, which gives those of a slice.
    """

    __slots__ = ()
    shape: Any
    some: Callable[[slice], np.ndarray]

    def __len__(self) -> int:
        """Count the frames."""
        return int(self.shape[0])

    def __getitem__(self, frames: Any) -> Shaped[np.ndarray, "*n height width"]:
        """Give the frames of a slice (n, height, width), or one frame (height, width)."""
        if isinstance(frames, slice):
            return self.some(frames)
        if not hasattr(frames, "__index__"):
            msg = f"frames are taken by number or slice, got {frames!r}: movie[10:20][..., 3]"
            raise InputError(msg)
        number = int(frames) + (len(self) if int(frames) < 0 else 0)
        if not 0 <= number < len(self):  # IndexError also ends `for frame in movie`
            msg = f"the movie has {len(self)} frames, so none has the number {frames}"
            raise IndexError(msg)
        return self.some(slice(number, number + 1))[0]


def pixel_size_of(value: Any) -> tuple[float, float] | None:
    """Convert the size of a pixel to (y, x) in metres; None stays None.

    Raises
    ------
    InputError
        Not two lengths above zero.
    """
    if value is None:
        return None
    size = si_samples("m", name="pixel_size")(value)
    if size.shape != (2,) or not (np.isfinite(size) & (size > 0)).all():
        msg = f"pixel_size must be (y, x), two lengths above zero, got {value!r}"
        raise InputError(msg)
    return float(size[0]), float(size[1])


def _frames(value: Any) -> Any:
    """Take an array as it is (a memmap stays one), read-only."""
    if isinstance(value, np.ndarray):
        return read_only(value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return value  # of a file: read when it is asked for
    return read_only(np.asarray(value))


@attrs.frozen(kw_only=True, eq=False)
class ArrayFrames(Frames):
    """Frames that are an array already: in memory, a memmap, or a data set of a file.

    Parameters
    ----------
    frames : array, shape (n_frames, height, width)
        Anything that numpy slices; it is not copied.
    times : array, shape (n_frames,)
        Time of each frame (s).
    pixel_size : tuple of float, optional
        Height and width of a pixel (m).

    Examples
    --------
    >>> movie = ArrayFrames(frames=np.zeros((30, 16, 24), "uint16"), times=np.arange(30) / 30)
    >>> movie
    ArrayFrames: 30 frames of 16 x 24 pixels (height x width), uint16, at 30 Hz
    >>> movie[3:7].shape
    (4, 16, 24)
    """

    frames: Shaped[np.ndarray, "n_frames height width"] = attrs.field(converter=_frames)
    times: Float[np.ndarray, "n_frames"] = attrs.field(converter=si_samples("s", name="times"))
    pixel_size: tuple[float, float] | None = attrs.field(default=None, converter=pixel_size_of)

    def __attrs_post_init__(self) -> None:
        """Check shapes against one another."""
        if len(self.frames.shape) != 3 or self.times.shape != self.frames.shape[:1]:
            msg = (
                "frames must be (n_frames, height, width) with one time per frame, got "
                f"{tuple(self.frames.shape)} and {len(self.times)} times"
            )
            raise InputError(msg)
        check_times(self.times)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width."""
        n, height, width = self.frames.shape
        return int(n), int(height), int(width)

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""
        return np.dtype(self.frames.dtype)

    def some(self, frames: slice) -> Shaped[np.ndarray, "n height width"]:
        """Give the frames of a slice."""
        return np.asarray(self.frames[frames])

    def __repr__(self) -> str:
        """One line: frames, size, type, rate."""
        return f"ArrayFrames: {frames_text(self)}"


def check_times(times: np.ndarray) -> None:
    """Refuse times of frames that do not rise."""
    if not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        msg = "times of frames must rise, and be finite"
        raise InputError(msg)


def frames_text(source: FrameSource) -> str:
    """Describe a movie: "30 frames of 16 x 24 pixels (height x width), uint16, at 30 Hz"."""
    n, height, width = source.shape
    times = source.times
    rate = f", at {(n - 1) / (times[-1] - times[0]):.4g} Hz" if n > 1 else ""
    return f"{n} frames of {height} x {width} pixels (height x width), {source.dtype}{rate}"


class ShortMovieWarning(UserWarning):
    """Data with fewer frames than their longest side; the message says who objects."""


def warn_of_orientation(what: str, shape: tuple[int, ...]) -> None:
    """Warn of data that the archive's inspector will think transposed."""
    if shape[0] and shape[0] < max(shape[1:], default=0):
        text = (
            f"the {what} has {shape[0]} frames and is {' x '.join(map(str, shape[1:]))}: in an "
            "NWB file the inspector of the DANDI archive takes the longest axis for time and "
            "calls this critical (check_data_orientation); more frames than the longest side "
            "avoid it"
        )
        warnings.warn(text, ShortMovieWarning, stacklevel=3)

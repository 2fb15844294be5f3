"""Read a movie from TIFF, lazily: frames come from the disk when they are asked for."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only
from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.core.ophys.frames import Frames, frames_text, pixel_size_of
from cleo_like.core.units import si

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Float, Int, Shaped

    from cleo_like.core.units import Quantity

_MICRO = {"µm": 1e-6, "um": 1e-6, "micron": 1e-6, "nm": 1e-9, "mm": 1e-3, "m": 1.0, "cm": 1e-2}
_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "min": 60.0}


@attrs.frozen(kw_only=True)
class TiffMovie(Frames):
    """Frames of a TIFF; `movie[start:stop]` reads those.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        Frames, rows and columns.
    dtype : numpy.dtype
        Type of a pixel.
    times : array, shape (n_frames,)
        Of the frames (s); NaN where the file does not tell.
    pixel_size : tuple of float, optional
        Height and width of a pixel (m).
    first, step : int
        Page of the first frame, and from one frame to the next (channels, planes).
    offset : int, optional
        Byte at which frames begin that lie one after the other, uncompressed.
    notes : tuple of str
        What the file does not tell, or what was chosen.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    times: Float[np.ndarray, "n_frames"] = attrs.field(converter=read_only, eq=array_eq)
    pixel_size: tuple[float, float] | None = None
    first: int = 0
    step: int = 1
    offset: int | None = None
    notes: tuple[str, ...] = ()

    def some(self, frames: slice) -> Shaped[np.ndarray, "n height width"]:
        """Read the frames of a slice."""
        numbers = range(*frames.indices(self.shape[0]))
        if self.offset is not None:
            return np.array(self._mapped(self.offset)[frames])
        out = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        with opened(self.path) as file:
            for number, frame in zip(numbers, out, strict=True):
                frame[:] = _page(file, self.first + number * self.step, self.path)
        return out

    def _mapped(self, offset: int) -> np.ndarray:
        pages = (self.first + (self.shape[0] - 1) * self.step + 1, *self.shape[1:])
        try:
            mapped = np.memmap(self.path, self.dtype, "r", offset, pages)
        except (OSError, ValueError) as error:
            msg = f"{self.path.name} ends before its last frame ({error}): it was cut off"
            raise FileFormatError(msg) from error
        return mapped[self.first :: self.step]

    def __repr__(self) -> str:
        """One line: name, frames, size, type, rate."""
        return f"{self.path.name}: {frames_text(self)}"


def read_tiff(
    path: str | Path,
    *,
    frame_rate: Quantity | None = None,
    pixel_size: Quantity | None = None,
    channel: int = 0,
) -> TiffMovie:
    """Open a movie in a TIFF, OME-TIFF, ImageJ or ScanImage file; frames are read later.

    Parameters
    ----------
    path : str or Path
        The file.
    frame_rate : quantity, optional
        Where the file does not tell it, or tells it wrongly.
    pixel_size : quantity, shape (2,), optional
        Height and width of a pixel, in the same case.
    channel : int
        Which of several channels or planes in turn.

    Returns
    -------
    TiffMovie
        A `FrameSource`.

    Raises
    ------
    FileFormatError
        No TIFF, damaged, or not a stack of frames.
    InputError
        No such channel.
    """
    file = Path(path)
    with opened(file) as tiff:
        stack = _stack(tiff, file)
        others = stack.pages.shape[1]
        if not 0 <= channel < others:
            msg = (
                f"{file.name} has {others} channel(s) or planes, so none has the number "
                f"{channel}"
            )
            raise InputError(msg)
        pages = stack.pages[:, channel]
        told = _told(tiff, n := len(pages))
    notes = list(told.notes)
    if others > 1:
        notes.append(f"channel {channel} of {others}")
    times = told.times
    if frame_rate is not None:
        rate = si(frame_rate, "Hz", "frame_rate")
        if not rate > 0:
            msg = f"frame_rate must be above 0, got {frame_rate}"
            raise InputError(msg)
        times = np.arange(n) / rate
    elif times is None:
        notes.append("the file does not tell the frame rate: times are unknown (NaN)")
    return TiffMovie(
        path=file,
        shape=(n, *stack.size),
        dtype=stack.dtype,
        times=np.full(n, np.nan) if times is None else times,
        pixel_size=told.pixel_size if pixel_size is None else pixel_size_of(pixel_size),
        first=int(pages[0]),
        step=int(pages[1] - pages[0]) if n > 1 else 1,
        offset=stack.offset,
        notes=tuple(notes),
    )


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a TIFF; what is wrong with it is an error of this package."""
    import struct

    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            yield file
    except (tifffile.TiffFileError, struct.error, OSError, EOFError) as error:
        msg = f"{path.name} cannot be read as TIFF ({error}); expected a stack of frames"
        raise FileFormatError(msg) from error


def _page(file: Any, number: int, path: Path) -> np.ndarray:
    try:
        return file.pages[number].asarray()
    except (IndexError, ValueError, TypeError, KeyError) as error:
        msg = f"page {number} of {path.name} cannot be read ({error}): the file is damaged"
        raise FileFormatError(msg) from error


@attrs.frozen(eq=False)
class _Stack:
    pages: Int[np.ndarray, "n_frames n_channels"]  # number of each in the file
    size: tuple[int, int]
    dtype: np.dtype
    offset: int | None  # where they begin, if they lie one after the other


def _stack(tiff: Any, path: Path) -> _Stack:
    """Find the pages of each frame and channel."""
    first = tiff.pages.first if len(tiff.pages) else None
    if first is None or len(first.shape) != 2 or first.dtype is None:
        found = "no page" if first is None else f"pages of shape {first.shape}"
        msg = f"{path.name} has {found}; expected frames of one channel (rows, columns)"
        raise FileFormatError(msg)
    series = tiff.series[0]
    said = int(np.prod(series.shape[:-2], dtype=int))
    pages, offset = len(tiff.pages), series.dataoffset
    if said > pages or offset is not None:  # what the file says of itself; pages need not be
        pages = said
    whole = offset is None or offset + pages * first.nbytes <= path.stat().st_size
    if not whole or (offset is None and pages > len(tiff.pages)):
        msg = (
            f"{path.name} says that it has {pages} pages, and ends before the last of them: it "
            "was cut off"
        )
        raise FileFormatError(msg)
    numbers = _by_channel(tiff, pages)
    if numbers.size != pages or (offset is None and tiff.pages[pages - 1].shape != first.shape):
        msg = (
            f"{path.name} has pages of several sizes, or channels that end at different frames"
        )
        raise FileFormatError(msg)
    rows, columns = first.shape
    dtype = np.dtype(first.dtype).newbyteorder(tiff.byteorder)
    return _Stack(numbers, (int(rows), int(columns)), dtype, offset)


@attrs.frozen(eq=False)
class _Told:
    times: np.ndarray | None = None
    pixel_size: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


def _by_channel(tiff: Any, pages: int) -> np.ndarray:
    """Give the number of each page, frames x channels (and planes)."""
    series = tiff.series[0]
    axes, sizes = series.axes[:-2], series.shape[:-2]
    other = [axis in "CZS" for axis in axes]
    n_other = int(np.prod([n for n, so in zip(sizes, other, strict=True) if so], dtype=int))
    numbers = np.arange(pages)
    if np.prod(sizes, dtype=int) == pages and 1 < n_other < pages:
        order = np.argsort(other, kind="stable")  # axes of time, then the others
        return numbers.reshape(sizes).transpose(order).reshape(-1, n_other)
    turns = len(_channels_of_scanimage(tiff)) if tiff.is_scanimage else 1
    return numbers[: pages - pages % turns].reshape(-1, turns)


def _told(tiff: Any, n: int) -> _Told:
    """Read what the metadata of the file say of times and pixels."""
    if tiff.is_ome:
        return _told_by_ome(tiff.ome_metadata, n)
    if tiff.is_shaped and tiff.shaped_metadata:
        return _told_by_us(tiff.shaped_metadata[0], n)
    if tiff.is_imagej:
        return _told_by_imagej(tiff, n)
    if tiff.is_scanimage:
        return _told_by_scanimage(tiff, n)
    return _Told()


def _told_by_us(known: dict[str, Any], n: int) -> _Told:
    times = known.get("times_s")
    if times is None and "frame_rate_Hz" in known:
        times = known.get("start_s", 0.0) + np.arange(n) / known["frame_rate_Hz"]
    edges = known.get("pixel_size_um")
    size = None if edges is None else (edges[0] * 1e-6, edges[1] * 1e-6)
    return _Told(None if times is None else np.asarray(times, float), size)


def _told_by_ome(xml: str, n: int) -> _Told:
    from xml.etree import ElementTree as ET

    try:
        root = ET.fromstring(xml)
    except ET.ParseError as error:
        return _Told(notes=(f"its OME metadata cannot be read ({error})",))
    pixels = next((e for e in root.iter() if e.tag.endswith("}Pixels")), None)
    if pixels is None:
        return _Told()
    planes = [e for e in pixels if e.tag.endswith("}Plane")]
    deltas = [float(e.get("DeltaT", "nan")) * _unit(e, "DeltaTUnit") for e in planes]
    times = np.array(deltas) if len(deltas) == n and np.isfinite(deltas).all() else None
    increment = pixels.get("TimeIncrement")
    if times is None and increment is not None:
        times = np.arange(n) * float(increment) * _unit(pixels, "TimeIncrementUnit")
    edges = [
        float(pixels.get(f"PhysicalSize{axis}", "nan"))
        * _MICRO.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"), np.nan)
        for axis in "YX"
    ]
    return _Told(times, (edges[0], edges[1]) if np.isfinite(edges).all() else None)


def _unit(element: Any, name: str) -> float:
    return _SECONDS.get(element.get(name, "s"), np.nan)


def _told_by_imagej(tiff: Any, n: int) -> _Told:
    known = tiff.imagej_metadata or {}
    times = None
    if known.get("finterval"):
        times = np.arange(n) * float(known["finterval"])
    elif known.get("fps"):
        times = np.arange(n) / float(known["fps"])
    scale = _MICRO.get(str(known.get("unit", "")).replace("\\u00B5", "µ"))
    size = None
    tags = tiff.pages.first.tags
    if scale is not None and "XResolution" in tags and "YResolution" in tags:
        per = [tags[f"{axis}Resolution"].value for axis in "YX"]
        if all(top > 0 for top, _ in per):
            size = (scale * per[0][1] / per[0][0], scale * per[1][1] / per[1][0])
    return _Told(times, size)


def _text_of_scanimage(tiff: Any) -> str:
    """All that ScanImage says of a file; newer versions do so in the tag Software."""
    page = tiff.pages.first
    header = (tiff.scanimage_metadata or {}).get("FrameData", "")
    return f"{page.software}\n{header}\n{page.description}"


def _channels_of_scanimage(tiff: Any) -> list[str]:
    """Numbers of the channels that were saved; their frames take turns."""
    found = re.search(r"channelSave'?\s*[:=]\s*\[?([\d;, ]+)", _text_of_scanimage(tiff))
    return re.findall(r"\d+", found[1] if found else "") or ["1"]


def _told_by_scanimage(tiff: Any, n: int) -> _Told:
    found = re.search(
        r"(?:scanFrameRate|state\.acq\.frameRate)'?\s*[:=]\s*([\d.eE+-]+)",
        _text_of_scanimage(tiff),
    )
    if found is None or not float(found[1]) > 0:
        return _Told(notes=("ScanImage metadata without a frame rate",))
    note = "frame rate of the scanner, from ScanImage: divide by the planes of a volume"
    return _Told(np.arange(n) / float(found[1]), None, (note,))

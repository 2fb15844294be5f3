"""Write a movie page by page: memory stays flat however long it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.files import atomic_path
from cleo_like.core.ophys.frames import warn_of_orientation
from cleo_like.io.targets import TIFF_SOFTWARE, check_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cleo_like.core.ophys.frames import FrameSource

_AT_ONCE = 32
_CLASSIC = 2**32 - 2**25
"""Bytes that a TIFF with offsets of 32 bits can hold, with room for its pages' headers."""
_TYPES = ("uint8", "int16", "uint16", "float32")


def write_tiff(thing: FrameSource, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a movie as TIFF, or as OME-TIFF where the name ends in ``.ome.tif``.

    Uncompressed: suite2p reads a compressed TIFF as wrong numbers, without a word. Files above
    4 GB are BigTIFF. A plain TIFF has frame rate and pixel size in its first description, an
    OME-TIFF in the terms of OME, which Fiji and others read.

    Parameters
    ----------
    thing : FrameSource
        Movie of any kind: of `simulate_movie`, an array with times, another file.
    path : str or Path
        Ends in .tif or .tiff. It appears whole or not at all.
    overwrite : bool
        Whether a movie that this package wrote may be replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileFormatError
        Pixels of a type that microscopes do not store.
    ExistingFileError, OutputError
        The file exists, or cannot be written.

    Warns
    -----
    ShortMovieWarning
        Fewer frames than rows or columns.
    """
    final = check_target(path, overwrite=overwrite)
    _check(thing)
    metadata = _ome(thing) if _is_ome(final) else _plain(thing)
    size = int(np.prod(thing.shape)) * thing.dtype.itemsize
    with atomic_path(final, overwrite=overwrite) as temporary:
        _write_pages(thing, temporary, metadata, ome=_is_ome(final), big=size > _CLASSIC)
    return final


def _write_pages(
    movie: FrameSource, path: Path, metadata: dict[str, Any], *, ome: bool, big: bool
) -> None:
    import tifffile

    with tifffile.TiffWriter(path, bigtiff=big, ome=ome) as file:
        file.write(
            _pages(movie),
            shape=movie.shape,
            dtype=movie.dtype,
            photometric="minisblack",
            compression=None,
            software=TIFF_SOFTWARE.rstrip(b"\0").decode(),
            metadata=metadata,
            **_resolution(movie),
        )


def _pages(movie: FrameSource) -> Iterator[np.ndarray]:
    for start in range(0, movie.shape[0], _AT_ONCE):
        yield from np.ascontiguousarray(movie[start : start + _AT_ONCE])


def _is_ome(path: Path) -> bool:
    return path.name.lower().endswith((".ome.tif", ".ome.tiff"))


def _check(movie: FrameSource) -> None:
    if movie.dtype.name not in _TYPES:
        msg = (
            f"pixels of a TIFF are {', '.join(_TYPES)}, those of this movie {movie.dtype}: "
            "convert them first"
        )
        raise FileFormatError(msg)
    if movie.shape[0] == 0:
        msg = "the movie has no frame; a TIFF needs one"
        raise FileFormatError(msg)
    warn_of_orientation("movie", movie.shape)


def _clock(movie: FrameSource) -> tuple[float | None, bool]:
    """Frame period (s), and whether all are alike; None for one frame or unknown times."""
    times = np.asarray(movie.times)
    if len(times) < 2 or not np.isfinite(times).all():
        return None, True
    period = float(times[-1] - times[0]) / (len(times) - 1)
    regular = np.allclose(np.diff(times), period, rtol=1e-3, atol=1e-6)
    return period, bool(regular)


def _plain(movie: FrameSource) -> dict[str, Any]:
    period, regular = _clock(movie)
    found: dict[str, Any] = {"axes": "TYX"}
    if period is not None:
        found |= {"frame_rate_Hz": 1 / period, "start_s": float(movie.times[0])}
    if not regular:
        found["times_s"] = [round(float(t), 7) for t in movie.times]
    if movie.pixel_size is not None:
        found["pixel_size_um"] = [1e6 * edge for edge in movie.pixel_size]
    return found


def _ome(movie: FrameSource) -> dict[str, Any]:
    period, regular = _clock(movie)
    found: dict[str, Any] = {"axes": "TYX"}
    if period is not None:
        found |= {"TimeIncrement": period, "TimeIncrementUnit": "s"}
        if not regular or movie.times[0] != 0:
            times = [float(t) for t in movie.times]
            found["Plane"] = {"DeltaT": times, "DeltaTUnit": ["s"] * len(times)}
    if movie.pixel_size is not None:
        height, width = movie.pixel_size
        found |= {
            "PhysicalSizeX": width * 1e6, "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": height * 1e6, "PhysicalSizeYUnit": "µm",
        }  # fmt: skip
    return found


def _resolution(movie: FrameSource) -> dict[str, Any]:
    if movie.pixel_size is None:
        return {}
    height, width = movie.pixel_size
    return {"resolution": (0.01 / width, 0.01 / height), "resolutionunit": "CENTIMETER"}

"""Open a picture of any kind as grey values, upright, on a stated background."""

from __future__ import annotations

import struct
import warnings
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.core.provenance import hash_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Float
    from PIL import Image

LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue. Source: Recommendation ITU-R BT.601."""

_SCALES = {"L;2": 85, "L;4": 17}
"""What Pillow multiplies greys of 2 and 4 bits by."""

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError)
"""What Pillow raises for damaged files, by format."""


@attrs.frozen(kw_only=True, eq=False)
class Grey:
    """A picture as grey values.

    Parameters
    ----------
    values : array, shape (height, width)
        0 black, 1 white (a picture of unlimited numbers keeps them).
    name : str
        File name, or "array".
    mode : str
        What it was: the mode Pillow gave it, or the shape and type of an array.
    hash : str
        SHA-256 of the file, or of the pixels.
    """

    values: Float[np.ndarray, "height width"]
    name: str
    mode: str
    hash: str


def read_grey(picture: Any, *, background: float = 1.0) -> Grey:
    """Read a file, a Pillow image or an array as grey values.

    Pixels are turned upright as their EXIF orientation says, transparent ones laid on the
    background, and colours weighted to luma in float; 16 bits stay 16 bits. Of a file with
    several frames the first is taken.

    Parameters
    ----------
    picture : path, Pillow image or array
        Arrays are (height, width) grey, or (height, width, channels) with 2 (grey, alpha),
        3 (RGB) or 4 (RGBA) channels. Integers are scaled by their largest value, floats
        are taken as they are.
    background : float
        Grey behind transparent pixels, 0 (black) to 1 (white).

    Returns
    -------
    Grey
        Values, name, mode and hash.

    Raises
    ------
    InputError
        No such file, no pixel, NaN or infinite or complex pixels, too large to be a picture.
    FileFormatError
        Not a picture, or a truncated or damaged one.

    Examples
    --------
    >>> read_grey(np.array([[0, 128, 255]], dtype=np.uint8)).values.round(3)
    array([[0.   , 0.502, 1.   ]])
    """
    if not 0 <= background <= 1:
        msg = f"background must be a grey value from 0 (black) to 1 (white), got {background}"
        raise InputError(msg)
    if isinstance(picture, (str, Path)):
        return _from_file(Path(picture), background)
    if hasattr(picture, "getexif") and hasattr(picture, "mode"):
        name = Path(getattr(picture, "filename", "") or "image").name
        with _clear_errors(name):
            values, mode = _from_pillow(picture, background, name)
            digest = hash_of(np.asarray(picture))
        return Grey(values=values, name=name, mode=mode, hash=digest)
    array = np.asarray(picture)
    values = _from_array(array, background)
    return Grey(
        values=_checked(values, "the array"),
        name="array",
        mode=f"array {array.shape} {array.dtype}",
        hash=hash_of(array),
    )


def _from_file(path: Path, background: float) -> Grey:
    from PIL import Image

    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        msg = f"cannot read the picture {path}: it {what}"
        raise InputError(msg)
    # opened as a stream: Pillow maps the pixels of a named file into memory, and up to
    # version 13 scrambles an uncompressed TIFF that is stored on its side when it does
    with _clear_errors(path.name), path.open("rb") as file, Image.open(file) as image:
        _mend_key(image)
        image.load()
        values, mode = _from_pillow(image, background, path.name)
    return Grey(values=values, name=path.name, mode=mode, hash=hash_of(path))


@contextmanager
def _clear_errors(name: str) -> Iterator[None]:
    """Turn what Pillow raises and warns of into errors that say what to do."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module="PIL")  # odd metadata
        try:
            yield
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            msg = f"{name} has more pixels than a picture should: {error}; scale it down"
            raise InputError(msg) from error
        except (InputError, FileFormatError):
            raise
        except _BROKEN as error:
            msg = (
                f"{name} is not a picture that can be read, or is damaged "
                f"({type(error).__name__}: {error})"
            )
            raise FileFormatError(msg) from error


def _from_pillow(image: Image.Image, background: float, name: str) -> tuple[np.ndarray, str]:
    from PIL import ImageOps

    mode = image.mode
    upright = ImageOps.exif_transpose(image)
    key = upright.info.get("transparency")
    if mode.startswith("I") and isinstance(key, int):  # Pillow ignores it in 16 bits
        pixels = np.asarray(upright)
        grey = _from_array(pixels, background)
        return _checked(np.where(pixels == key, background, grey), name), mode
    pixels = np.asarray(_plain(upright))
    return _checked(_from_array(pixels, background), name), mode


def _mend_key(image: Image.Image) -> None:
    """Put right the one transparent value of a PNG, which Pillow leaves in the file's bits.

    Greys of 2 and 4 bits become 8; colours of 16 bits lose half of theirs, and so the value.
    """
    key = image.info.get("transparency")
    stored = {str(tile[3]) for tile in getattr(image, "tile", ())}
    if image.mode == "L" and isinstance(key, int):
        image.info["transparency"] = key * max((_SCALES.get(s, 1) for s in stored), default=1)
    if image.mode == "RGB" and key is not None and any("16" in s for s in stored):
        msg = (
            "a picture of 16 bits per colour with one transparent colour cannot be read right; "
            "save it with an alpha channel, or with 8 bits"
        )
        raise FileFormatError(msg)


def _plain(image: Image.Image) -> Image.Image:
    """Convert to a mode whose array is grey, grey + alpha, RGB or RGBA."""
    mode = image.mode
    if mode in ("La", "LA", "RGBa", "RGBA"):
        return image.convert(mode.upper())
    if mode in ("P", "PA"):
        return image.convert("RGBA")  # its palette may hold transparent entries
    if "transparency" in image.info and mode in ("1", "L", "RGB"):
        return image.convert("RGBA")
    if mode in ("1", "L", "I", "F", "RGB") or mode.startswith("I;16"):
        return image
    return image.convert("RGB")  # CMYK, YCbCr, HSV, LAB, RGBX


def _from_array(array: np.ndarray, background: float) -> np.ndarray:
    if array.dtype.kind not in "buif":
        msg = f"pixels must be real numbers, got an array of {array.dtype}"
        raise InputError(msg)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4)):
        msg = (
            "a picture must have the shape (height, width) or (height, width, 1 to 4 "
            f"channels), got {array.shape}"
        )
        raise InputError(msg)
    if array.size == 0:
        msg = f"the picture has no pixel: shape {array.shape}"
        raise InputError(msg)
    scale = _full_scale(array.dtype)
    if array.ndim == 2:
        return np.asarray(array / scale, dtype=np.float64)
    channels = array.shape[2]
    if channels > 2:  # channel by channel: a photograph as three planes of floats is large
        grey = sum(array[..., k] * (weight / scale) for k, weight in enumerate(LUMA))
    else:
        grey = array[..., 0] / scale
    if channels in (2, 4):
        alpha = array[..., -1] / scale
        grey = grey * alpha + background * (1 - alpha)
    return np.asarray(grey, dtype=np.float64)


def _full_scale(dtype: np.dtype) -> float:
    """White of each pixel type; 32-bit integers hold 16-bit pictures (mode I)."""
    if dtype.kind in "bf":
        return 1.0
    return float(np.iinfo(dtype).max) if dtype.itemsize <= 2 else 65535.0


def _checked(values: np.ndarray, name: str) -> np.ndarray:
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        msg = (
            f"{int(bad.sum())} pixels of {name} are not finite (the first at row {row}, "
            f"column {column}); fill them before drawing"
        )
        raise InputError(msg)
    return values

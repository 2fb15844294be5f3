"""Movies as TIFF and OME-TIFF, through tifffile: uncompressed, one page per frame."""

from cleo_like.core.ophys.frames import ShortMovieWarning
from cleo_like.io.tiff.read import TiffMovie, read_tiff
from cleo_like.io.tiff.write import write_tiff

__all__ = ["ShortMovieWarning", "TiffMovie", "read_tiff", "write_tiff"]

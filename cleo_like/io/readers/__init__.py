"""Readers: how each file format is read, and which there are."""

from cleo_like.io.readers.known import (
    ENTRY_POINTS,
    is_known,
    reader_for,
    suffixes_of_recordings,
)
from cleo_like.io.readers.reader import Imaging, Reader

__all__ = [
    "ENTRY_POINTS",
    "Imaging",
    "Reader",
    "is_known",
    "reader_for",
    "suffixes_of_recordings",
]

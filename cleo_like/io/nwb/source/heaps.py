"""The heaps of an HDF5 file, checked before HDF5 walks through them.

Texts live in "global heap collections". HDF5 (2.0 and before) goes round for ever in one of
which a part was lost and is zeros now: the free space after the last object says its own
size, and a size of 0 leads to itself. A call that never returns cannot be caught, so the same
walk is made here first. (HDF5 File Format Specification 3.0, III.E.)
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIGNATURE = b"GCOL\x01\0\0\0"
_HEAD = struct.Struct("<8sQ")  # signature, version, reserved; size of the collection
_WORD = 2**64
_OBJECT = struct.Struct("<HHIQ")  # index, references, reserved; size


def endless_heap(path: Path) -> int | None:
    """Find a heap through which HDF5 would never come.

    Parameters
    ----------
    path : Path
        A file that is not empty.

    Returns
    -------
    int or None
        Its place in the file (byte); None where every heap has an end.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for place in _heaps(data):
            if _is_endless(data, place):
                return place
    return None


def _heaps(data: mmap.mmap) -> Iterator[int]:
    place = data.find(_SIGNATURE)
    while place >= 0:
        yield place
        place = data.find(_SIGNATURE, place + len(_SIGNATURE))


def _is_endless(data: mmap.mmap, place: int) -> bool:
    if place + _HEAD.size > len(data):
        return False
    end = min(place + _HEAD.unpack_from(data, place)[1], len(data))
    at = place + _HEAD.size
    while at + _OBJECT.size <= end:
        index, _, _, size = _OBJECT.unpack_from(data, at)
        step = size if index == 0 else (_OBJECT.size + (size + 7) % _WORD // 8 * 8) % _WORD
        if step == 0 or step >= _WORD // 2:  # backwards, as 64-bit arithmetic has it
            return True
        at += step
    return False

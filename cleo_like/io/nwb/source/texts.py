"""The texts of an HDF5 file, checked before HDF5 follows them.

Texts live in "global heap collections"; where one is used, its length, its heap and its number
there are stored. HDF5 (2.0 and before) believes both ends. It goes round for ever in a heap of
which a part was lost: the free space after the last object says its own size, and a size of 0
leads to itself. And it copies as many bytes as a damaged length says, from beyond its memory.
Neither a call that never returns nor a crash can be caught, so both are looked at here first.

Only what has no check sum of its own is looked at (object headers of version 1, the default
of NWB). Source: HDF5 File Format Specification 3.0, sections III.E, IV.A.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SIGNATURE = b"GCOL\x01\0\0\0"
_SUPERBLOCK = b"\x89HDF\r\n\x1a\n"
_WORD = 2**64
_HEAD = struct.Struct("<8sQ")  # signature, version, reserved; size of the collection
_OBJECT = struct.Struct("<HHIQ")  # index, references, reserved; size
_TEXT = struct.Struct("<IQI")  # length, address of the heap, index
TEXT_SIZE = _TEXT.size
"""Bytes of the place at which a text is named."""
_HEADER = struct.Struct("<BBHIII")  # version, reserved, messages, references, size, padding
_MESSAGE = struct.Struct("<HHB3x")  # type, size, flags
_CONTINUED = struct.Struct("<QQ")  # address, size
_ATTRIBUTE = struct.Struct("<BBHHH")  # version, flags, sizes of name, datatype, dataspace
_ATTRIBUTE_TYPE, _CONTINUATION_TYPE = 0x0C, 0x10
_TEXT_CLASS, _SEQUENCE_KIND, _TEXT_KIND = 9, 0, 1  # variable length: of anything; text
_MOST = 10_000  # messages of one object


class Texts:
    """Where a file keeps its texts.

    Parameters
    ----------
    path : Path
        A file that is not empty.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._heaps: dict[int, dict[int, int]] = {}
        self._objects: dict[int, int | None] = {}
        # addresses count from the superblock, which may have something before it
        self._plain = self._data[: len(_SUPERBLOCK)] == _SUPERBLOCK

    def endless_heap(self) -> int | None:
        """Find a heap through which HDF5 would never come: its place (byte), or None."""
        place = self._data.find(_SIGNATURE)
        while place >= 0:
            steps = (step for _, _, step in _objects(self._data, place))
            if any(step == 0 or step >= _WORD // 2 for step in steps):
                return place
            place = self._data.find(_SIGNATURE, place + len(_SIGNATURE))
        return None

    def overlong_attribute(self, header: int) -> int | None:
        """Find a text, of the attributes of an object, that says to be longer than it is.

        Parameters
        ----------
        header : int
            Address of the object.

        Returns
        -------
        int or None
            Its place in the file (byte).
        """
        if header not in self._objects:
            self._objects[header] = self.overlong(_texts(self._data, header))
        return self._objects[header]

    def overlong(self, places: Iterable[int]) -> int | None:
        """Find, of the texts named at these places, one that says to be longer than it is.

        Places beyond the file are no better.
        """
        if not self._plain:
            return None
        for place in places:
            if place + _TEXT.size > len(self._data):
                return place
            length, heap, index = _TEXT.unpack_from(self._data, place)
            if heap not in self._heaps:
                self._heaps[heap] = {i: size for i, size, _ in _objects(self._data, heap)}
            if length > self._heaps[heap].get(index, length):
                return place
        return None


def _objects(data: mmap.mmap, place: int) -> Iterator[tuple[int, int, int]]:
    """Give index, size and step to the next (as 64-bit arithmetic has it) of a heap."""
    if place + _HEAD.size > len(data) or data[place : place + 8] != _SIGNATURE:
        return
    end = min(place + _HEAD.unpack_from(data, place)[1], len(data))
    at = place + _HEAD.size
    while at + _OBJECT.size <= end:
        index, _, _, size = _OBJECT.unpack_from(data, at)
        step = size if index == 0 else (_OBJECT.size + (size + 7) % _WORD // 8 * 8) % _WORD
        yield index, size, step
        if step == 0 or step >= _WORD // 2:
            return
        at += step


def _texts(data: mmap.mmap, header: int) -> Iterator[int]:
    """Give the places of the texts in the attributes of an object."""
    for kind, begin, size in _messages(data, header):
        if kind != _ATTRIBUTE_TYPE or size < _ATTRIBUTE.size:
            continue
        version, _, *parts = _ATTRIBUTE.unpack_from(data, begin)
        at = begin + _ATTRIBUTE.size + (version == 3)  # which adds the encoding
        name, datatype, dataspace = (-(-p // 8) * 8 if version == 1 else p for p in parts)
        first = at + name + datatype + dataspace
        if at + name + 2 > len(data):
            continue
        kind_of_data = (data[at + name] & 0x0F, data[at + name + 1] & 0x0F)
        if kind_of_data == (_TEXT_CLASS, _TEXT_KIND):
            last = min(begin + size, len(data)) - _TEXT.size
            yield from range(first, last + 1, _TEXT.size)
        elif kind_of_data[0] == _TEXT_CLASS and kind_of_data[1] != _SEQUENCE_KIND:
            yield len(data)  # of no kind that there is, on which HDF5 crashes


def _messages(data: mmap.mmap, header: int) -> Iterator[tuple[int, int, int]]:
    """Give type, place and size of the messages of an object header of version 1."""
    if header + _HEADER.size > len(data) or data[header] != 1:
        return
    size = _HEADER.unpack_from(data, header)[4]
    blocks, seen = [(header + _HEADER.size, size)], 0
    while blocks:
        at, size = blocks.pop()
        end = min(at + size, len(data))
        while at + _MESSAGE.size <= end and seen < _MOST:
            kind, length, _ = _MESSAGE.unpack_from(data, at)
            at += _MESSAGE.size
            seen += 1
            if at + length > end:
                break
            if kind == _CONTINUATION_TYPE and length >= _CONTINUED.size:
                blocks.append(_CONTINUED.unpack_from(data, at))
            yield kind, at, length
            at += length

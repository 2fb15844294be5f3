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
    from collections.abc import Iterable, Iterator, Sequence
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
            found = self._overlong_in(header) if self._plain else None
            self._objects[header] = found
        return self._objects[header]

    def _overlong_in(self, header: int) -> int | None:
        for begin, size in _attributes(self._data, header):
            places = _texts_of(self._data, begin, size)
            if places and (lost := self.overlong(places)) is not None:
                return lost
        return None

    def overlong(self, places: Iterable[int]) -> int | None:
        """Find, of the texts named at these places, one that says to be longer than it is.

        Places beyond the file are no better.
        """
        if not self._plain:
            return None
        data, heaps, end = self._data, self._heaps, len(self._data) - _TEXT.size
        for place in places:
            if place > end:
                return place
            length, heap, index = _TEXT.unpack_from(data, place)
            sizes = heaps.get(heap)
            if sizes is None:
                sizes = heaps[heap] = {i: size for i, size, _ in _objects(data, heap)}
            if length > sizes.get(index, length):
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


def _texts_of(data: mmap.mmap, begin: int, size: int) -> Sequence[int]:
    """Give the places of the texts in an attribute."""
    if size < _ATTRIBUTE.size:
        return ()
    version, _, name, datatype, dataspace = _ATTRIBUTE.unpack_from(data, begin)
    at = begin + _ATTRIBUTE.size + (version == 3)  # which adds the encoding
    if version == 1:
        name, datatype, dataspace = (
            -(-name // 8) * 8,
            -(-datatype // 8) * 8,
            -(-dataspace // 8) * 8,
        )
    if at + name + 2 > len(data) or data[at + name] & 0x0F != _TEXT_CLASS:
        return ()
    kind = data[at + name + 1] & 0x0F
    if kind == _TEXT_KIND:
        last = min(begin + size, len(data)) - _TEXT.size
        return range(at + name + datatype + dataspace, last + 1, _TEXT.size)
    # of no kind that there is, on which HDF5 crashes
    return () if kind == _SEQUENCE_KIND else (len(data),)


def _attributes(data: mmap.mmap, header: int) -> list[tuple[int, int]]:
    """Give place and size of the attributes in an object header of version 1."""
    if header + _HEADER.size > len(data) or data[header] != 1:
        return []
    size = _HEADER.unpack_from(data, header)[4]
    blocks, found, seen = [(header + _HEADER.size, size)], [], 0
    while blocks:
        at, size = blocks.pop()
        end = min(at + size, len(data))
        while at + _MESSAGE.size <= end and seen < _MOST:
            kind, length, _ = _MESSAGE.unpack_from(data, at)
            at += _MESSAGE.size
            seen += 1
            if at + length > end:
                break
            if kind == _ATTRIBUTE_TYPE:
                found.append((at, length))
            elif kind == _CONTINUATION_TYPE and length >= _CONTINUED.size:
                blocks.append(_CONTINUED.unpack_from(data, at))
            at += length
    return found

"""The bundle of a HEKA file, and its trees: records of fixed sizes, children behind each."""

from __future__ import annotations

import struct
from typing import TypeAlias

import attrs

from cleo_like.core.errors import FileFormatError

Bytes: TypeAlias = bytes
_ITEMS = 12
_MOST = 1_000_000  # children of a record: more are damage


@attrs.frozen(eq=False)
class Node:
    """A record of a tree: its bytes, its byte order, and what lies below it."""

    data: Bytes
    start: int
    size: int
    order: str
    children: list[Node] = attrs.field(factory=list)

    def _get(self, form: str, offset: int) -> float:
        if offset + struct.calcsize(form) > self.size:
            return 0  # a field that this version has not
        return struct.unpack_from(self.order + form, self.data, self.start + offset)[0]

    def real(self, offset: int) -> float:
        """Give a LONGREAL."""
        return float(self._get("d", offset))

    def whole(self, offset: int) -> int:
        """Give an INT32."""
        return int(self._get("i", offset))

    def short(self, offset: int) -> int:
        """Give a SET16."""
        return int(self._get("H", offset))

    def byte(self, offset: int) -> int:
        """Give a BYTE."""
        return int(self._get("B", offset))

    def text(self, offset: int, length: int) -> str:
        """Give a text that ends at its first zero."""
        a = self.start + offset
        return self.data[a : a + length].split(b"\0")[0].decode("latin-1").strip()


def bundle_items(data: Bytes) -> tuple[dict[str, int], str]:
    """Give the start of each part of a bundle by its suffix, and the byte order.

    Raises
    ------
    FileFormatError
        It is no bundle; older files keep their parts in files of their own.
    """
    sign = data[:4]
    if sign != b"DAT2":
        what = "an older HEKA file, whose parts are files of their own"
        what = what if sign[:3] == b"DAT" else "no HEKA file"
        msg = f"this is {what}; PatchMaster bundles (DAT2) are read: save it as a bundle"
        raise FileFormatError(msg)
    order = "<" if data[52] else ">"
    items = {}
    for k in range(_ITEMS):
        start, length, name = struct.unpack_from(f"{order}ii8s", data, 64 + 16 * k)
        if length > 0:
            items[name.split(b"\0")[0].decode("latin-1")] = start
    return items, order


def tree_at(data: Bytes, start: int) -> Node:
    """Read a tree.

    Raises
    ------
    FileFormatError
        No tree begins there, or a record has more children than the file can hold.
    """
    order = {b"Tree": ">", b"eerT": "<"}.get(data[start : start + 4])
    if order is None:
        msg = f"no tree of a HEKA file at byte {start}: {data[start : start + 4]!r}"
        raise FileFormatError(msg)
    (levels,) = struct.unpack_from(f"{order}i", data, start + 4)
    if not 0 < levels < 10:
        msg = f"a tree of a HEKA file with {levels} levels"
        raise FileFormatError(msg)
    sizes = struct.unpack_from(f"{order}{levels}i", data, start + 8)
    node, _ = _node(data, start + 8 + 4 * levels, sizes, order)
    return node


def _node(data: Bytes, at: int, sizes: tuple[int, ...], order: str) -> tuple[Node, int]:
    """Read a record and its children; give where the next one begins."""
    (count,) = struct.unpack_from(f"{order}i", data, at + sizes[0])
    if not 0 <= count < _MOST or (count and len(sizes) == 1):
        msg = f"a record of a HEKA file with {count} children"
        raise FileFormatError(msg)
    children, after = [], at + sizes[0] + 4
    for _ in range(count):
        child, after = _node(data, after, sizes[1:], order)
        children.append(child)
    return Node(data, at, sizes[0], order, children), after

r"""The message: a header of 24 bytes, and named arrays of float64 with their units.

Everything is little-endian. A message has these frames (ZeroMQ):

0. header, 24 bytes: ``b"CLK1"``, version (uint16, 1), kind (uint16), number of the request
   (uint64, which the answer repeats), count (uint64, meaning by kind);
1. for each array two frames: a label of ASCII text, ``name unit length [length ...]``, for
   example ``command A 20``, and its samples, raw float64, row by row;
   or, of a text message (INFO, ERROR), one frame of UTF-8.

=========  ====  =================================================================
kind             request -> answer
=========  ====  =================================================================
HELLO      1     nothing -> INFO: JSON with cell, rig, rate, mode, units, limits
START      2     count = samples of the sweep (0: 10 s); optional arrays
                 ``sweep 1 1`` and ``at s 1`` -> START; the cell is at rest
PLAY       3     ``command A n`` (V in voltage clamp) -> PLAY with ``response V n``
                 (A), count = samples since START
TRUTH      4     nothing -> TRUTH: ``voltage V n`` and ``spikes s m`` of the last block
BYE        5     nothing -> BYE; the next client may come
STATE      6     named arrays of recorders, ``time s 1`` -> CONTROL
CONTROL    7     answer to STATE: named arrays of stimulators, optional ``latency s 1``
INFO       8     JSON
ERROR      9     text: what was wrong; nothing was done
=========  ====  =================================================================
"""

from __future__ import annotations

import enum
import functools
import math
import struct
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = 1
MAGIC = b"CLK1"
_HEADER = struct.Struct("<4sHHQQ")
MOST_SAMPLES = 1_000_000
"""float64 of all arrays of a message: 8 MB."""
MOST_FRAMES = 129
"""Header and 64 arrays."""
_LONGEST_LABEL = 200
_TEXT = 65_536


class MessageError(CleoLikeError, ValueError):
    """Bytes that are no message; says what was expected."""


class Kind(enum.IntEnum):
    """What a message asks or answers."""

    HELLO = 1
    START = 2
    PLAY = 3
    TRUTH = 4
    BYE = 5
    STATE = 6
    CONTROL = 7
    INFO = 8
    ERROR = 9


@attrs.frozen(kw_only=True, eq=False)
class Message:
    """One message.

    Parameters
    ----------
    kind : Kind
        What it asks or answers.
    number : int
        Of the request; the answer repeats it.
    count : int
        Meaning by kind.
    arrays : mapping of str to (str, array)
        Unit and samples (SI) by name.
    text : str
        Of INFO and ERROR.

    Examples
    --------
    >>> sent = Message(kind=Kind.PLAY, number=7, arrays={"command": ("A", np.zeros(3))})
    >>> frames = sent.frames()
    >>> frames[1], len(frames[0]), len(frames[2])
    (b'command A 3', 24, 24)
    >>> Message.parse(frames).arrays["command"][1].tolist()
    [0.0, 0.0, 0.0]
    """

    kind: Kind
    number: int = 0
    count: int = 0
    arrays: Mapping[str, tuple[str, np.ndarray]] = attrs.field(factory=dict)
    text: str = ""

    def frames(self) -> list[bytes]:
        """Give the frames to send."""
        found = [_HEADER.pack(MAGIC, VERSION, self.kind, self.number, self.count)]
        if self.kind in (Kind.INFO, Kind.ERROR):
            return [*found, self.text.encode()[:_TEXT]]
        for name, (unit, values) in self.arrays.items():
            array = np.ascontiguousarray(values, dtype="<f8")
            found += [_label_of(name, unit, array.shape), array.tobytes()]
        return found

    @classmethod
    def parse(
        cls, frames: Sequence[bytes], header: tuple[int, int, Kind] | None = None
    ) -> Message:
        """Read frames.

        Parameters
        ----------
        frames : sequence of bytes
            Header first.
        header : tuple, optional
            What `header_of` made of them, where that is known.

        Raises
        ------
        MessageError
            They are no message of this version; says what was expected.
        """
        number, count, kind = header_of(frames) if header is None else header
        if kind in (Kind.INFO, Kind.ERROR):
            return cls(kind=kind, number=number, count=count, text=_text(frames[1:]))
        if len(frames) % 2 == 0 or len(frames) > MOST_FRAMES:
            msg = (
                f"expected a header and pairs of label and samples, at most {MOST_FRAMES} "
                f"frames, got {len(frames)}"
            )
            raise MessageError(msg)
        total = sum(map(len, frames[2::2]))
        if total > 8 * MOST_SAMPLES:
            msg = f"expected at most {8 * MOST_SAMPLES} bytes of samples, got {total}"
            raise MessageError(msg)
        arrays = {}
        for label, samples in zip(frames[1::2], frames[2::2], strict=True):
            name, unit, array = _array(label, samples)
            if name in arrays:
                msg = f"expected every array once, got {name!r} twice"
                raise MessageError(msg)
            arrays[name] = unit, array
        return cls(kind=kind, number=number, count=count, arrays=arrays)


def header_of(frames: Sequence[bytes]) -> tuple[int, int, Kind]:
    """Read number, count and kind of a message."""
    if not frames or len(frames[0]) != _HEADER.size:
        size = len(frames[0]) if frames else 0
        msg = f"expected a header of {_HEADER.size} bytes, got {size}"
        raise MessageError(msg)
    magic, version, kind, number, count = _HEADER.unpack(frames[0])
    if magic != MAGIC:
        msg = f"expected a message that begins with {MAGIC!r}, got {magic!r}"
        raise MessageError(msg)
    if version != VERSION:
        msg = f"expected version {VERSION}, got {version}"
        raise MessageError(msg)
    if kind not in _KINDS:
        msg = f"expected a kind from 1 to {max(Kind)}, got {kind}"
        raise MessageError(msg)
    return number, count, _KINDS[kind]


_KINDS = {int(kind): kind for kind in Kind}


def _text(frames: Sequence[bytes]) -> str:
    if len(frames) != 1 or len(frames[0]) > _TEXT:
        msg = f"expected one frame of text, at most {_TEXT} bytes"
        raise MessageError(msg)
    return bytes(frames[0]).decode(errors="replace")


def _array(label: bytes, samples: bytes) -> tuple[str, str, np.ndarray]:
    name, unit, shape, wanted = _read_label(label)
    if len(samples) != wanted:
        msg = f"expected {wanted} bytes of float64 for {label[:40]!r}, got {len(samples)}"
        raise MessageError(msg)
    return name, unit, np.frombuffer(samples, dtype="<f8").reshape(shape)


@functools.lru_cache(maxsize=256)  # block after block has the same
def _label_of(name: str, unit: str, shape: tuple[int, ...]) -> bytes:
    return " ".join([name, unit, *map(str, shape or (1,))]).encode()


@functools.lru_cache(maxsize=256)
def _read_label(label: bytes) -> tuple[str, str, tuple[int, ...], int]:
    """Give name, unit, shape and the bytes of the samples."""
    words = label.decode("ascii", errors="replace").split(" ") if label else []
    if len(label) > _LONGEST_LABEL or len(words) < 3 or not all(words):
        shown = label[:40]
        msg = f"expected a label 'name unit length', for example 'command A 20', got {shown!r}"
        raise MessageError(msg)
    name, unit, *lengths = words
    if not all(word.isascii() and word.isdigit() and len(word) <= 8 for word in lengths):
        msg = f"expected whole lengths in the label, got {label[:40]!r}"
        raise MessageError(msg)
    shape = tuple(map(int, lengths))
    return name, unit, shape, 8 * math.prod(shape)

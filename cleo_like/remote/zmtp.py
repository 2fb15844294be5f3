"""The wire of ZeroMQ (ZMTP 3.0, rfc.zeromq.org/spec/23), as lockstep needs it.

libzmq hands every message from thread to thread, four times in a round trip: 0.1 ms on
loopback, where the kernel's own sockets need 0.02. Sockets of libzmq 4 are understood and
understand: a served cell says that it is a ROUTER (for REQ and DEALER), a client that it is a
REQ (for REP and ROUTER). There is no security mechanism: it is for the loopback.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST = 64_000_000
"""Bytes of a frame that are kept, and half of a message's; more is read and dropped."""
TOO_LARGE = b"a frame that was too large to be read"
_ENDLESS = 1_000_000_000
"""Bytes of a frame that are read at all: a larger one ends the connection."""
_FRAMES = 256
"""Frames of a message that are kept."""
_UNREAD = 64_000_000
"""Bytes of answers that a client may leave unread before its connection ends."""
_PIECE = 1 << 18
_GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
_MORE, _LONG, _COMMAND = 1, 2, 4
_SHORT_SIZE, _LONG_SIZE = struct.Struct(">BB"), struct.Struct(">BQ")


def frame(body: bytes, flags: int = 0) -> bytes:
    r"""Give the bytes of a frame.

    Examples
    --------
    >>> frame(b"abc"), frame(b"abc", 1)
    (b'\x00\x03abc', b'\x01\x03abc')
    """
    if len(body) < 256:
        return _SHORT_SIZE.pack(flags, len(body)) + body
    return _LONG_SIZE.pack(flags | _LONG, len(body)) + body


class WireError(Exception):
    """Bytes that are no ZMTP 3: the connection has to end."""


def _head(there: bytearray, at: int, end: int) -> tuple[int, int, int] | None:
    """Give flags, place and size of the frame whose head is at a place; None: not yet there."""
    if end - at < 2:
        return None
    flags = there[at]
    if flags > (_MORE | _LONG | _COMMAND):
        raise WireError
    if not flags & _LONG:
        return flags, at + 2, there[at + 1]
    if end - at < 9:
        return None
    (size,) = struct.unpack_from(">Q", there, at + 1)
    if size > _ENDLESS:
        raise WireError
    return flags, at + 9, size


class Peer:
    """A connection: bytes in, messages out, and back.

    Parameters
    ----------
    connection : socket.socket
        Connected.
    kind : bytes
        What it says to be: "ROUTER" or "REQ".
    """

    def __init__(self, connection: socket.socket, kind: bytes) -> None:
        connection.settimeout(0)
        if connection.family != getattr(socket, "AF_UNIX", None):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket, self.closed, self._kind = connection, False, kind
        self._in, self._out = bytearray(), bytearray(_GREETING)
        self._greeted = self.ready = False
        self._frames: list[bytes] = []
        self._kept = self._drop = 0
        self.flush()

    @property
    def unsent(self) -> bool:
        """Whether answers wait for room in the connection."""
        return bool(self._out)

    def close(self) -> None:
        """End the connection."""
        self.closed = True
        self.socket.close()

    def send(self, frames: Sequence[bytes]) -> None:
        """Send a message, as much as there is room for now."""
        last = len(frames) - 1
        self._out += b"".join(
            [frame(f, _MORE if k < last else 0) for k, f in enumerate(frames)]
        )
        self.flush()

    def flush(self) -> None:
        """Send what waits; a client that does not read loses its connection."""
        try:
            while self._out:
                del self._out[: self.socket.send(self._out)]
        except BlockingIOError:
            if len(self._out) > _UNREAD:
                self.close()
        except OSError:
            self.close()

    def messages(self) -> list[list[bytes]]:
        """Read what has arrived; gives whole messages, and closes at the end of the stream."""
        found: list[list[bytes]] = []
        while not self.closed and not found:
            try:
                piece = self.socket.recv(_PIECE)
            except BlockingIOError:
                break
            except OSError:
                piece = b""
            if not piece:
                self.close()
                break
            self._in += piece
            try:
                if self._greeted or self._take_greeting():
                    self._parse(found)
            except WireError:
                self.close()
            if len(piece) < _PIECE:
                break
        return found

    def _parse(self, found: list[list[bytes]]) -> None:
        """Append the messages that are complete, and keep what is left over."""
        there, at, end = self._in, 0, len(self._in)
        while True:
            if self._drop:
                dropped = min(self._drop, end - at)
                at, self._drop = at + dropped, self._drop - dropped
            head = _head(there, at, end)
            if head is None or self._drop:
                break
            flags, start, size = head
            much = size > LARGEST or self._kept + size > 2 * LARGEST
            if much or len(self._frames) > _FRAMES:
                self._drop, body, at = size, TOO_LARGE, start
            elif start + size > end:
                break
            else:
                at = start + size
                body = bytes(there[start:at])
            if flags & _COMMAND:
                self._obey(body)
                continue
            if not self.ready:
                raise WireError
            if len(self._frames) <= _FRAMES:
                self._frames.append(body)
            self._kept += len(body)
            if not flags & _MORE:
                found.append(self._frames)
                self._frames, self._kept = [], 0
        del there[:at]

    def _take_greeting(self) -> bool:
        start = bytes(self._in[:32])
        if start[:1] not in {b"", b"\xff"} or (len(start) > 10 and start[10] < 3):
            raise WireError
        if len(self._in) < len(_GREETING):
            return False
        if start[12:] != b"NULL".ljust(20, b"\0"):
            raise WireError
        del self._in[: len(_GREETING)]
        self._greeted = True
        said = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(self._kind)) + self._kind
        self._out += frame(said, _COMMAND)
        self.flush()
        return True

    def _obey(self, body: bytes) -> None:
        """Take a command: the other side is ready, or asks whether this one is alive."""
        if body.startswith(b"\x05READY"):
            self.ready = True
        elif body.startswith(b"\x04PING"):
            self._out += frame(b"\x04PONG" + body[7:], _COMMAND)
            self.flush()
        elif body.startswith(b"\x05ERROR"):
            raise WireError


def listener(host: str, port: int) -> socket.socket:
    """Open a socket that others connect to.

    Raises
    ------
    InputError
        The port is taken or no port, or the host is not this machine's.
    """
    if not 0 <= port <= 65535:
        msg = f"port must be 0 to 65535, got {port}"
        raise InputError(msg)
    try:
        found = socket.create_server(("" if host == "*" else host, port))
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {error}; choose another port (0: any)"
        raise InputError(msg) from error
    found.settimeout(0)
    return found

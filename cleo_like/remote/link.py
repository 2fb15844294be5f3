"""A connection that asks, and waits for the answer: the REQ socket of ZeroMQ."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import CleoLikeError
from cleo_like.remote.message import Kind, Message
from cleo_like.remote.zmtp import Peer

if TYPE_CHECKING:
    from collections.abc import Mapping

_AGAIN = 0.05
"""Seconds between two attempts to reach a server that is not there yet."""


class RemoteError(CleoLikeError, RuntimeError):
    """What the other side refused, or that it does not answer."""


class Link:
    """A connection that asks and waits for the answer.

    Parameters
    ----------
    endpoint : str
        "tcp://127.0.0.1:5555", or "ipc:///path/of/a/socket".
    timeout : float
        Seconds to wait for an answer.
    """

    def __init__(self, endpoint: str, timeout: float = 10.0) -> None:
        self.endpoint, self.timeout = endpoint, timeout
        self._family, self._address = _address(endpoint)
        self._peer: Peer | None = None
        self._selector = selectors.DefaultSelector()
        self._came: deque[list[bytes]] = deque()
        self._number = 0

    def ask(
        self, kind: Kind, arrays: Mapping[str, tuple[str, Any]] | None = None, count: int = 0
    ) -> Message:
        """Send a message and give the answer.

        Raises
        ------
        RemoteError
            No answer in time, or an error.
        """
        self._number += 1
        sent = Message(kind=kind, number=self._number, count=count, arrays=arrays or {})
        until = time.monotonic() + self.timeout
        peer = self._connected(until)
        peer.send([b"", *sent.frames()])
        while True:
            answer = Message.parse(self._received(peer, until))
            if answer.number == self._number:  # else of a request that was given up
                break
        if answer.kind is Kind.ERROR:
            raise RemoteError(answer.text)
        return answer

    def _received(self, peer: Peer, until: float) -> list[bytes]:
        while not self._came:
            self._wait(peer, until)
            self._came.extend(peer.messages())
        frames = self._came.popleft()
        return frames[1:] if frames[:1] == [b""] else frames

    def _connected(self, until: float) -> Peer:
        """Give the connection; a server may come later than its client."""
        peer = self._peer
        if peer is not None and not peer.closed:
            return peer
        self._forget()
        while True:
            made = socket.socket(self._family)
            made.settimeout(max(until - time.monotonic(), 1e-3))
            try:
                made.connect(self._address)
                break
            except OSError as error:
                made.close()
                if time.monotonic() + _AGAIN > until:
                    raise self._silent() from error
                time.sleep(_AGAIN)
        self._peer = peer = Peer(made, b"REQ")
        self._selector.register(made, selectors.EVENT_READ)
        while not peer.ready:
            self._wait(peer, until)
            self._came.extend(peer.messages())
        return peer

    def _wait(self, peer: Peer, until: float) -> None:
        """Wait until something has come."""
        if peer.closed:
            self._forget()
            msg = f"{self.endpoint} ended the connection"
            raise RemoteError(msg)
        if peer.unsent:  # more than the connection takes at once
            self._selector.modify(peer.socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
            peer.flush()
        elif self._selector.get_key(peer.socket).events != selectors.EVENT_READ:
            self._selector.modify(peer.socket, selectors.EVENT_READ)
        if not self._selector.select(max(until - time.monotonic(), 0.0)):
            raise self._silent()

    def _silent(self) -> RemoteError:
        return RemoteError(f"no answer from {self.endpoint} within {self.timeout:g} s")

    def _forget(self) -> None:
        self._came.clear()
        if self._peer is not None:
            self._selector.unregister(self._peer.socket)
            self._peer.close()
            self._peer = None

    def close(self) -> None:
        """Close the connection."""
        self._forget()
        self._selector.close()


def _address(endpoint: str) -> tuple[int, Any]:
    """Read "tcp://host:port" or "ipc://path"."""
    kind, _, rest = str(endpoint).partition("://")
    host, _, port = rest.rpartition(":")
    if kind == "tcp" and host and port.isascii() and port.isdigit() and int(port) <= 65535:
        bare = host.strip("[]")
        return (socket.AF_INET6 if ":" in bare else socket.AF_INET), (bare, int(port))
    if kind == "ipc" and rest and hasattr(socket, "AF_UNIX"):
        return socket.AF_UNIX, rest
    msg = f"cannot connect to {endpoint!r}; write 'tcp://127.0.0.1:5555'"
    raise RemoteError(msg)

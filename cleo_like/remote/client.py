"""The Python side of a served cell."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import CleoLikeError, InputError
from cleo_like.remote.message import Kind, Message
from cleo_like.remote.sockets import zmq_module

if TYPE_CHECKING:
    from collections.abc import Mapping


class RemoteError(CleoLikeError, RuntimeError):
    """What the other side refused, or that it does not answer."""


class Link:
    """A connection that asks and waits for the answer.

    Parameters
    ----------
    endpoint : str
        "tcp://127.0.0.1:5555".
    timeout : float
        Seconds to wait for an answer.
    """

    def __init__(self, endpoint: str, timeout: float = 10.0) -> None:
        zmq = zmq_module()
        self.endpoint, self.timeout = endpoint, timeout
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.REQ_RELAXED, 1)  # ask again when no answer came
        self._socket.setsockopt(zmq.RCVTIMEO, round(1000 * timeout))
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.close()
            msg = f"cannot connect to {endpoint!r}: {error}; write 'tcp://127.0.0.1:5555'"
            raise RemoteError(msg) from error
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
        self._socket.send_multipart(sent.frames())
        answer = self._received()
        while answer.number != self._number:  # one of a request that was given up
            answer = self._received()
        if answer.kind is Kind.ERROR:
            raise RemoteError(answer.text)
        return answer

    def _received(self) -> Message:
        try:
            return Message.parse(self._socket.recv_multipart())
        except zmq_module().Again as error:
            msg = f"no answer from {self.endpoint} within {self.timeout:g} s"
            raise RemoteError(msg) from error

    def close(self) -> None:
        """Close the connection."""
        self._socket.close(0)
        self._context.term()


class RemoteCell:
    """A served cell, as another process sees it.

    Parameters
    ----------
    endpoint : str
        What the server tells.
    timeout : float
        Seconds to wait for an answer.

    Attributes
    ----------
    info : dict
        Cell, rig, rate, mode, units and limits.
    """

    def __init__(self, endpoint: str, timeout: float = 10.0) -> None:
        self._link = Link(endpoint, timeout)
        try:
            self.info: dict[str, Any] = json.loads(self._link.ask(Kind.HELLO).text)
        except BaseException:
            self._link.close()
            raise

    def __enter__(self) -> RemoteCell:
        """Use it in a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Say goodbye."""
        self.close()

    def start(self, n_samples: int = 0, *, sweep: int = 0, at: float = 0.0) -> None:
        """Put the cell to rest and begin a sweep (`LiveCell.start`)."""
        count = whole_number("n_samples", 0)(n_samples)
        sweep = whole_number("sweep", 0)(sweep)
        numbers = {"sweep": ("1", np.array([sweep])), "at": ("s", np.array([at]))}
        self._link.ask(Kind.START, numbers, count=count)

    def play(self, command: Any) -> np.ndarray:
        """Play a block of command (A, or V in voltage clamp); gives the recorded samples."""
        unit = self.info["command_unit"]
        try:
            samples = np.asarray(command, dtype=float)
        except (TypeError, ValueError) as error:
            msg = f"command must be numbers in {unit}, one for each sample, got {command!r:.60}"
            raise InputError(msg) from error
        answer = self._link.ask(Kind.PLAY, {"command": (unit, samples)})
        return answer.arrays["response"][1]

    def truth(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the true potential (V) and the spike times (s) of the last block."""
        found = self._link.ask(Kind.TRUTH).arrays
        return found["voltage"][1], found["spikes"][1]

    def close(self) -> None:
        """Leave the cell to the next client."""
        with contextlib.suppress(RemoteError):  # the server may be gone already
            self._link.ask(Kind.BYE)
        self._link.close()

"""A model cell for other programs: blocks of command in, blocks of recording out."""

from __future__ import annotations

import selectors
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import CleoLikeError
from cleo_like.core.provenance import to_json
from cleo_like.remote.message import (
    MOST_SAMPLES,
    VERSION,
    Kind,
    Message,
    MessageError,
    header_of,
)
from cleo_like.remote.zmtp import LARGEST, TOO_LARGE, Peer, listener

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cleo_like.patch.live import LiveCell

_IDLE = 10.0
"""Seconds of silence after which another client may take the cell."""
LOOPBACK = "127.0.0.1"
_TICK = 0.2
"""Seconds between two looks at whether the server shall end."""
_MOST_PEERS = 64
"""Connections at a time; more are closed at once."""


class CellServer:
    """Serves one live cell to one client at a time, in lockstep simulated time.

    Parameters
    ----------
    cell : LiveCell
        What is served.
    host : str
        Address to listen on; anything but the loopback opens the cell to the network.
    port : int
        0 lets the system choose; `endpoint` tells.
    idle : float
        Seconds of silence after which another client may come.

    Examples
    --------
    >>> from cleo_like.patch.live import LiveCell
    >>> from cleo_like.remote import CellServer, RemoteCell
    >>> with CellServer(LiveCell("passive", "ideal", "20 kHz")) as server:
    ...     with RemoteCell(server.endpoint) as cell:
    ...         answer = cell.play(np.full(20, 10e-12))
    >>> answer.shape, round(float(answer[0]) * 1e3, 3)  # mV
    ((20,), -70.0)
    """

    def __init__(
        self, cell: LiveCell, *, host: str = LOOPBACK, port: int = 0, idle: float = _IDLE
    ) -> None:
        self.cell, self._idle = cell, idle
        self._listener = listener(host, port)
        found, number = self._listener.getsockname()[:2]
        self.endpoint = f"tcp://{found}:{number}"
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._units = cell.mode.command_unit, cell.mode.response_unit
        self._owner: Peer | None = None
        self._heard = 0.0
        self._last: tuple[int, list[bytes]] | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> CellServer:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self.serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread and close the socket."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self.close()

    def close(self) -> None:
        """Close the socket and all connections."""
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            (key.data or self._listener).close()
        self._selector.close()

    def serve(self) -> None:
        """Answer until `stop` is called."""
        while not self._stopping.is_set():
            ready = self._selector.select(_TICK)
            if len(ready) > 1:  # that the owner is gone is heard before others ask for the cell
                ready.sort(key=lambda found: found[0].data is not self._owner)
            for key, _ in ready:
                if key.data is None:
                    self._accept()
                else:
                    self._attend(key.data)

    def stop(self) -> None:
        """Let `serve` return."""
        self._stopping.set()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # it has gone already
            return
        if len(self._selector.get_map()) > _MOST_PEERS:
            connection.close()
            return
        peer = Peer(connection, b"ROUTER")
        if not peer.closed:
            self._selector.register(connection, selectors.EVENT_READ, peer)
            self._watch(peer)

    def _attend(self, peer: Peer) -> None:
        """Answer what a connection has sent, and send what waits for it."""
        if peer.unsent:
            peer.flush()
        for parts in peer.messages():
            peer.send(self._once(peer, parts))
        self._watch(peer)

    def _watch(self, peer: Peer) -> None:
        """Look for room too, where an answer waits for it; forget a connection that is over."""
        if peer.closed:
            self._selector.unregister(peer.socket)
            if peer is self._owner:
                self._owner = None
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.unsent else 0)
        if self._selector.get_key(peer.socket).events != wanted:
            self._selector.modify(peer.socket, wanted, peer)

    def _once(self, peer: Peer, frames: list[bytes]) -> list[bytes]:
        """Answer one message, whatever it is."""
        # a REQ socket puts an empty frame in front, after a number if it correlates
        own = 1 if frames[:1] == [b""] else 2 if frames[1:2] == [b""] else 0
        return [*frames[:own], *self._answer(peer, frames[own:])]

    def _answer(self, client: Peer, frames: list[bytes]) -> list[bytes]:
        number = 0
        try:
            header = header_of(frames)
            number = header[0]
            self._admit(client)
            if self._last is not None and self._last[0] == number and number:
                return self._last[1]  # asked again, because the answer was lost
            if TOO_LARGE in frames:
                msg = (
                    f"a frame is larger than {LARGEST / 1e6:g} MB, or the message than twice "
                    "that; send shorter blocks"
                )
                raise MessageError(msg)
            found = self._do(Message.parse(frames, header)).frames()
        except CleoLikeError as error:
            return Message(kind=Kind.ERROR, number=number, text=str(error)).frames()
        self._last = number, found
        return found

    def _admit(self, client: Peer) -> None:
        """Let one client at a time in; the cell of a new one is at rest."""
        now = time.monotonic()
        if self._owner is not None and self._owner is not client:
            if now - self._heard < self._idle:
                msg = (
                    "another client has the cell; it is free when that says BYE, goes away, or "
                    f"is silent for {self._idle:g} s"
                )
                raise MessageError(msg)
            self._owner = None
        if self._owner is None:
            self._owner, self._last = client, None
            self.cell.start()
        self._heard = now

    def _do(self, message: Message) -> Message:
        action = _ACTIONS.get(message.kind)
        if action is None:
            msg = f"a served cell does not answer {message.kind.name}"
            raise MessageError(msg)
        return action(self, message)

    def _hello(self, message: Message) -> Message:
        return Message(kind=Kind.INFO, number=message.number, text=self.description())

    def description(self) -> str:
        """Give cell, rig, rate, units and limits as JSON."""
        cell = self.cell
        return to_json(
            {
                "version": VERSION, "cell": cell.name, "rig": cell.pipette.description(),
                "rate": cell.rate, "mode": str(cell.mode), "holding": cell.holding,
                "command_unit": self._units[0], "response_unit": self._units[1],
                "longest_block": cell.longest, "most_samples": MOST_SAMPLES,
                "seed": cell.seed, "answers": cell.answers,
            }
        )  # fmt: skip

    def _start(self, message: Message) -> Message:
        sweep, at = (_one(message, name, unit) for name, unit in (("sweep", "1"), ("at", "s")))
        count = message.count if message.count else None
        self.cell.start(count, sweep=int(sweep), at=at)
        return Message(kind=Kind.START, number=message.number)

    def _play(self, message: Message) -> Message:
        unit, answered = self._units
        if set(message.arrays) != {"command"} or message.arrays["command"][0] != unit:
            told = ", ".join(f"{name} {u}" for name, (u, _) in message.arrays.items())
            msg = f"PLAY takes one array, 'command {unit} n', got {told or 'none'}"
            raise MessageError(msg)
        response = self.cell.play(message.arrays["command"][1])
        return Message(
            kind=Kind.PLAY, number=message.number, count=self.cell.position,
            arrays={"response": (answered, response)},
        )  # fmt: skip

    def _truth(self, message: Message) -> Message:
        cell = self.cell
        arrays = {"voltage": ("V", cell.voltage), "spikes": ("s", cell.spike_times)}
        return Message(kind=Kind.TRUTH, number=message.number, arrays=arrays)

    def _bye(self, message: Message) -> Message:
        self._owner = None
        return Message(kind=Kind.BYE, number=message.number)


_ACTIONS: dict[Kind, Callable[[CellServer, Message], Message]] = {
    Kind.HELLO: CellServer._hello,  # noqa: SLF001
    Kind.START: CellServer._start,  # noqa: SLF001
    Kind.PLAY: CellServer._play,  # noqa: SLF001
    Kind.TRUTH: CellServer._truth,  # noqa: SLF001
    Kind.BYE: CellServer._bye,  # noqa: SLF001
}


def _one(message: Message, name: str, unit: str) -> float:
    """Read one optional number of a START."""
    known: Sequence[str] = ("sweep", "at")
    strange = [n for n in message.arrays if n not in known]
    if strange:
        msg = f"START takes 'sweep 1 1' and 'at s 1', got {', '.join(strange)}"
        raise MessageError(msg)
    if name not in message.arrays:
        return 0.0
    told, values = message.arrays[name]
    if told != unit or values.size != 1 or not np.isfinite(values).all() or values.min() < 0:
        msg = f"{name!r} must be one number of {unit}, 0 or more"
        raise MessageError(msg)
    return float(values.reshape(()))

"""A model cell for other programs: blocks of command in, blocks of recording out."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import CleoLikeError, InputError
from cleo_like.core.provenance import to_json
from cleo_like.remote.message import (
    MOST_SAMPLES,
    VERSION,
    Kind,
    Message,
    MessageError,
    header_of,
)
from cleo_like.remote.sockets import LARGEST, LOOPBACK, bound, zmq_module

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cleo_like.patch.live import LiveCell

_IDLE = 10.0
"""Seconds of silence after which another client may take the cell."""
TOO_LARGE = b"a frame that was too large to be read"
_TICK = 200
"""Milliseconds between two looks at whether the server shall end."""


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
        zmq = zmq_module()
        self.cell, self._idle = cell, idle
        self._context = zmq.Context()
        try:
            self._socket = bound(self._context, zmq.ROUTER, host, port)
        except InputError:
            self._context.term()
            raise
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.endpoint = self._socket.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0")
        self._owner: tuple[bytes, int] | None = None
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
        """Close the socket."""
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(0)
        self._context.term()

    def serve(self) -> None:
        """Answer until `stop` is called."""
        zmq = zmq_module()
        self._socket.setsockopt(zmq.RCVTIMEO, _TICK)
        while not self._stopping.is_set():
            try:
                parts = self._socket.recv_multipart(copy=False)
            except zmq.Again:  # nobody asked
                continue
            self._once(parts)

    def stop(self) -> None:
        """Let `serve` return."""
        self._stopping.set()

    def _once(self, parts: list[Any]) -> None:
        """Answer one message, whatever it is."""
        client, file = parts[0].bytes, int(parts[-1].get(zmq_module().SRCFD))
        # what is too large is not copied: a short frame that is no array takes its place
        frames = [p.bytes if len(p) <= LARGEST else TOO_LARGE for p in parts[1:]]
        # a REQ socket puts an empty frame in front, after a number if it correlates
        own = 1 if frames[:1] == [b""] else 2 if frames[1:2] == [b""] else 0
        answer = self._answer((client, file), frames[own:])
        self._socket.send_multipart([client, *frames[:own], *answer])

    def _answer(self, client: tuple[bytes, int], frames: list[bytes]) -> list[bytes]:
        number = 0
        try:
            number, _, _ = header_of(frames)
            self._admit(client)
            if self._last is not None and self._last[0] == number and number:
                return self._last[1]  # asked again, because the answer was lost
            if TOO_LARGE in frames:
                msg = f"a frame is larger than {LARGEST / 1e6:g} MB; send shorter blocks"
                raise MessageError(msg)
            found = self._do(Message.parse(frames)).frames()
        except CleoLikeError as error:
            return Message(kind=Kind.ERROR, number=number, text=str(error)).frames()
        self._last = number, found
        return found

    def _admit(self, client: tuple[bytes, int]) -> None:
        """Let one client at a time in; the cell of a new one is at rest."""
        now = time.monotonic()
        if self._owner is not None and self._owner != client:
            if self._owner[1] not in self._disconnected() and now - self._heard < self._idle:
                msg = (
                    "another client has the cell; it is free when that says BYE, goes away, or "
                    f"is silent for {self._idle:g} s"
                )
                raise MessageError(msg)
            self._owner = None
        if self._owner is None:
            self._disconnected()  # a number of an old connection may be this one's now
            self._owner, self._last = client, None
            self.cell.start()
        self._heard = now

    def _disconnected(self) -> set[int]:
        """Give the connections that ended since the last time, as numbers of their files."""
        from zmq.utils.monitor import recv_monitor_message

        gone = set()
        while self._monitor.poll(0):
            gone.add(int(recv_monitor_message(self._monitor)["value"]))
        return gone

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
                "command_unit": cell.mode.command_unit,
                "response_unit": cell.mode.response_unit,
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
        unit = self.cell.mode.command_unit
        if set(message.arrays) != {"command"} or message.arrays["command"][0] != unit:
            told = ", ".join(f"{name} {u}" for name, (u, _) in message.arrays.items())
            msg = f"PLAY takes one array, 'command {unit} n', got {told or 'none'}"
            raise MessageError(msg)
        response = self.cell.play(message.arrays["command"][1])
        return Message(
            kind=Kind.PLAY, number=message.number, count=self.cell.position,
            arrays={"response": (self.cell.mode.response_unit, response)},
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

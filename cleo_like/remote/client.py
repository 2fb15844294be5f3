"""The Python side of a served cell."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.arrays import moment, samples, whole_number
from cleo_like.core.errors import InputError
from cleo_like.remote.link import Link, RemoteError
from cleo_like.remote.message import Kind

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity


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

    def start(self, n_samples: int = 0, *, sweep: int = 0, at: Quantity = 0.0) -> None:
        """Put the cell to rest and begin a sweep (`LiveCell.start`; 0 samples: 10 s)."""
        count = whole_number("n_samples", 0)(n_samples)
        sweep = whole_number("sweep", 0)(sweep)
        numbers = {"sweep": ("1", np.array([sweep])), "at": ("s", np.array([moment(at, "at")]))}
        self._link.ask(Kind.START, numbers, count=count)

    def play(self, command: Any) -> np.ndarray:
        """Play a block of command (A, or V in voltage clamp); gives the recorded samples."""
        unit = self.info["command_unit"]
        block = samples(command, unit, "command")
        if block.ndim != 1:
            msg = f"command must be a row of samples in {unit}, got the shape {block.shape}"
            raise InputError(msg)
        answer = self._link.ask(Kind.PLAY, {"command": (unit, block)})
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

"""The state to which a simulator goes back: of its network, its devices, its controller.

`network.store()` and `network.restore()` go through all objects of a network; the keeper is one
of them. It also notices a run that the user starts with `network.run`.
"""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.engine.brian2_internals import stateful_object

if TYPE_CHECKING:
    from brian2 import Network

    from cleo_like.base.simulation import Simulation

NAME = "cleo_like start"
LARGE = 16 * 2**20
"""Bytes of state above which a snapshot lies in a file, not in memory."""


class Snapshot:
    """The state of a network at one time, kept by Brian2.

    Parameters
    ----------
    network : brian2.Network
        Whose state.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.file: Path | None = None
        self._taken = False

    def take(self) -> None:
        """Keep the present state, in a temporary file when it is large."""
        self.file = self._new_file() if state_size(self.network) >= LARGE else None
        self.network.store(NAME, filename=None if self.file is None else str(self.file))
        self._taken = True

    def restore(self) -> None:
        """Go back, if there is a state to go back to.

        Raises
        ------
        InputError
            The network has other objects than it had then.
        """
        if not self._taken:
            return
        try:
            self.network.restore(NAME, filename=None if self.file is None else str(self.file))
        except KeyError as error:
            msg = (
                f"objects were added to the network, or taken out, since its first run, so it "
                f"cannot go back: {error.args[0] if error.args else error}"
            )
            raise InputError(msg) from error

    def _new_file(self) -> Path:
        if self.file is not None:
            self.file.unlink(missing_ok=True)
            return self.file
        folder = Path(tempfile.mkdtemp(prefix="cleo_like-"))
        weakref.finalize(self, _remove_folder, folder)
        return folder / "snapshot"


def state_size(network: Network) -> int:
    """Bytes of the arrays of all groups of a network."""
    size = 0
    for obj in network.objects:
        for variable in getattr(obj, "variables", {}).values():
            owner = getattr(variable, "owner", None)  # a weak proxy: compared by name
            if hasattr(variable, "size") and owner is not None and owner.name == obj.name:
                # a StateMonitor's arrays have two dimensions
                size += int(np.prod(variable.size)) * np.dtype(variable.dtype).itemsize
    return size


def _remove_folder(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def _known(sim: Simulation) -> dict[str, Any]:
    """Give what devices and controller know."""
    processor = sim.io_processor
    return {
        "devices": {device.name: device.store_state() for device in sim.devices},
        "processor": None if processor is None else type(processor).__qualname__,
        "controller": None if processor is None else processor.store_state(),
    }


def _know(sim: Simulation, state: dict[str, Any]) -> None:
    """Let them know it again; a controller that was not there then knows nothing."""
    for device in sim.devices:
        if device.name in state["devices"]:
            device.restore_state(state["devices"][device.name])
    processor = sim.io_processor
    if processor is None:
        return
    processor.forget()
    if type(processor).__qualname__ == state["processor"]:
        processor.restore_state(state["controller"])


def keeper_of(simulator: Simulation) -> Any:
    """Make the Brian2 object that keeps what a simulator knows, and notices its runs.

    Active, that is asked before a run, from a change of the network to its snapshot.
    """
    keeper = stateful_object(
        "cleo_like_keeper*",
        clock=simulator.fastest_clock,
        before_run=simulator.begin,
        store=lambda: _known(simulator),
        restore=lambda state: _know(simulator, state),
    )
    keeper.simulator = simulator  # by which others know whose it is
    return keeper

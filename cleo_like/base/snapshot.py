"""The state of a network to which a simulator goes back."""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from cleo_like.core.errors import InputError

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

    def __init__(self, network: Any) -> None:
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


def state_size(network: Any) -> int:
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

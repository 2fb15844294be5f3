"""What devices and controller know goes with the state that Brian2 stores and restores.

`network.store()` and `network.restore()` go through all objects of a network; the keeper is one
of them. It also notices a run that the user starts with `network.run`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cleo_like.base.simulator import CLSimulator


@functools.cache
def _keeper_class() -> type:
    """Make the class at first use: its base is in Brian2, which is not imported before."""
    from brian2.core.base import BrianObject

    class Keeper(BrianObject):
        """Active, that is asked before a run, from a change of the network to its snapshot."""

        add_to_magic_network = False

        def __init__(self, simulator: CLSimulator) -> None:
            super().__init__(when="start", order=-2, name="cleo_like_keeper*")
            self.simulator = simulator

        def __del__(self) -> None:
            """Say nothing: a simulator that never ran is no mistake."""

        @property
        def clock(self) -> Any:
            """Clock of the groups: one of its own would slow the run down."""
            return self.simulator.fastest_clock()

        def before_run(self, run_namespace: Any) -> None:
            super().before_run(run_namespace)
            self.simulator.begin()

        def run(self) -> None:
            """Do nothing; inactive by then."""

        def _full_state(self) -> dict[str, Any]:
            return _known(self.simulator)

        def _restore_from_full_state(self, state: dict[str, Any]) -> None:
            _know(self.simulator, state)

    return Keeper


def _known(sim: CLSimulator) -> dict[str, Any]:
    """Give what devices and controller know."""
    processor = sim.io_processor
    return {
        "devices": {device.name: device.store_state() for device in sim.devices},
        "processor": None if processor is None else type(processor).__qualname__,
        "controller": None if processor is None else processor.store_state(),
    }


def _know(sim: CLSimulator, state: dict[str, Any]) -> None:
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


def keeper_of(simulator: CLSimulator) -> Any:
    """Make the Brian2 object that keeps what a simulator knows."""
    return _keeper_class()(simulator)

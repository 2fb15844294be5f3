"""What devices, controllers and the loop see of a simulator; `CLSimulator` is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Simulation(Protocol):
    """A Brian2 network with devices in it and a controller around it."""

    @property
    def network(self) -> Any:
        """The Brian2 network."""

    @property
    def devices(self) -> set[Any]:
        """All devices in it."""

    @property
    def io_processor(self) -> Any:
        """The controller, if there is one."""

    @property
    def seed(self) -> int | None:
        """Seed of Brian2's random numbers, or None."""

    def inject(self, device: Any, *groups: Any, **kwparams: Any) -> Any:
        """Connect a device to groups."""

    def get_state(self) -> dict[str, Any]:
        """Ask all recorders."""

    def update_stimulators(self, stim_values: Mapping[str, Any]) -> None:
        """Give the stimulators their signals."""

    def fastest_clock(self) -> Any:
        """Give the clock of the groups with the smallest step."""

    def begin(self) -> None:
        """Do what comes before a run."""

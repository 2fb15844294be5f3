"""What Brian2 gives no public way to read or set: here, and nowhere else in the package.

Written against Brian2 2.9 to 2.11; a Brian2 that renames one of these breaks this file only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from brian2 import Clock, Network, NeuronGroup
    from brian2.devices.device import RuntimeDevice
    from brian2.units.fundamentalunits import Dimension


def refractory_of(group: NeuronGroup) -> Any:
    """Give the refractoriness of a group as its user wrote it; False without one."""
    return group._refractory  # noqa: SLF001


def exponents_of(dimension: Dimension) -> tuple[float, ...]:
    """Give the seven exponents of a Brian2 dimension (m, kg, s, A, K, mol, cd)."""
    return tuple(float(e) for e in dimension._dims)  # noqa: SLF001


def other_network(objects: Iterable[Any], network: Network) -> bool:
    """Whether one of some objects was run in another network before."""
    return any(x._network not in {None, network.id} for x in objects)  # noqa: SLF001


def adopt(objects: Iterable[Any], network: Network) -> None:
    """Mark objects as run in a network, as its own run does."""
    for x in objects:
        x._network = network.id  # noqa: SLF001


def default_clock() -> Any:
    """Give the clock that objects without one of their own have."""
    from brian2 import defaultclock, get_device

    is_proxy = defaultclock._is_proxy  # noqa: SLF001
    return get_device().defaultclock if is_proxy else defaultclock


def last_step(clock: Clock) -> int:
    """Give the step at which the interval of a clock ends."""
    return int(clock._i_end)  # noqa: SLF001


def forget_stop(network: Network) -> None:
    """Take back an earlier `stop`, as Brian2 does at the start of a run."""
    from brian2 import Network

    network._stopped = Network._globally_stopped = False  # noqa: SLF001


def is_stopped(network: Network) -> bool:
    """Whether `stop` was called, on this network or on all."""
    from brian2 import Network

    return bool(network._stopped or Network._globally_stopped)  # noqa: SLF001


def note_run(device: RuntimeDevice, seconds: float, fraction: float) -> None:
    """Tell a device how long its last run took (s), and which part of it was done."""
    device._last_run_time = seconds  # noqa: SLF001
    device._last_run_completed_fraction = fraction  # noqa: SLF001


def stateful_object(
    name: str,
    *,
    clock: Callable[[], Any],
    before_run: Callable[[], None],
    store: Callable[[], Any],
    restore: Callable[[Any], None],
) -> Any:
    """Make an object of a network that does nothing but be stored and restored with it.

    Parameters
    ----------
    name : str
        Its name (with "*" for a number).
    clock : callable
        Gives the clock: one of its own would slow a run down.
    before_run : callable
        Called before each run.
    store, restore : callable
        Give what `Network.store` keeps, and take it back.

    Returns
    -------
    brian2.BrianObject
    """
    from brian2.core.base import BrianObject

    class Keeper(BrianObject):
        add_to_magic_network = False

        def __init__(self) -> None:
            super().__init__(when="start", order=-2, name=name)

        def __del__(self) -> None:
            """Say nothing: one that never ran is no mistake."""

        @property
        def clock(self) -> Any:
            """Give the clock now, which may not be known when the object is made."""
            return clock()

        def before_run(self, run_namespace: Mapping[str, Any]) -> None:
            """Call what was given for the start of a run."""
            super().before_run(run_namespace)
            before_run()

        def run(self) -> None:
            """Do nothing; inactive by then."""

        def _full_state(self) -> Any:
            return store()

        def _restore_from_full_state(self, state: Any) -> None:
            restore(state)

    return Keeper()

"""Devices: what can be injected into a simulated network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from cleo_like.base.history import History, ShowsHistory, lasted
from cleo_like.base.quantities import set_times_of, times_of
from cleo_like.core.errors import InputError
from cleo_like.utilities import new_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import NeuronGroup
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from cleo_like.base.simulation import Simulation
    from cleo_like.core.units import Quantity


class NeoExportable(ABC):
    """Something whose data can be exported to Neo (the package ``neo`` is optional)."""

    @abstractmethod
    def to_neo(self) -> Any:
        """Give the data as a Neo object."""


@attrs.define(eq=False, slots=False)
class InterfaceDevice(ABC):
    """Anything that is injected into a network: recorders, stimulators, sensors.

    A device of one's own needs `connect_to_neuron_group`, which makes what Brian2 has to
    run and adds it to `brian_objects`. Subclasses may be plain classes or attrs classes.

    Parameters
    ----------
    name : str
        Identifies the device in state, signals and export (default: name of the class).
    save_history : bool
        Whether the device keeps what it measured or did.
    """

    compiled: ClassVar[bool] = False
    """Whether its simulator tries the compiled loop even without a controller."""
    brian_objects: set = attrs.field(init=False, factory=set, repr=False)
    """Brian2 objects of the device; the simulator adds them to the network."""
    sim: Simulation | None = attrs.field(init=False, default=None, repr=False)
    """The simulator the device is injected into."""
    name: str = attrs.field(kw_only=True)
    """Unique name of the device."""
    save_history: bool = attrs.field(kw_only=True, default=True)
    """Whether the device keeps its history."""
    _seed: Any = attrs.field(init=False, factory=new_seed, repr=False)
    _rng: Any = attrs.field(init=False, default=None, repr=False)

    @name.default
    def _name_of_class(self) -> str:
        return type(self).__name__

    @property
    def rng(self) -> np.random.Generator:
        """The device's own random numbers; `reset` starts them anew when a seed was given."""
        if self._rng is None:
            seed = getattr(self, "rand_seed", None)
            self._rng = np.random.default_rng(seed if seed is not None else self._seed)
        return self._rng

    @property
    def now(self) -> float:
        """Time of the network (s); 0 before the device is injected."""
        return 0.0 if self.sim is None else self.sim.network.t_

    def init_for_simulator(self, simulator: Simulation) -> None:  # noqa: B027
        """Prepare the device for a simulator; called at its first injection."""

    @abstractmethod
    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Connect the device to one neuron group.

        Parameters
        ----------
        neuron_group : brian2.NeuronGroup or brian2.Subgroup
            The group.
        **kwparams
            Injection keywords, as given to `CLSimulator.inject`.
        """

    def prepare(self) -> None:  # noqa: B027
        """Finish what needs all injections to be known; called before every run."""

    @property
    def is_prepared(self) -> bool:
        """Whether nothing is left for `prepare` to do."""
        return True

    def reset(self, **kwargs: object) -> None:  # noqa: B027
        """Return to the state before the first run."""

    def store_state(self) -> dict[str, Any]:
        """Give what `brian2.Network.store` keeps of the device: its histories, copied.

        A device with a memory beyond these and beyond its Brian2 objects overrides this
        and `restore_state`.
        """
        own = vars(self).items()
        return {name: value.copy() for name, value in own if isinstance(value, History)}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `store_state` gave."""
        for name, value in state.items():
            if isinstance(value, History):
                setattr(self, name, value.copy())

    def restart_random(self) -> None:
        """Start the random numbers anew, so that a run after `reset` repeats itself."""
        self._rng = None

    def add_self_to_plot(self, ax: Axes, axis_scale_unit: Quantity, **kwargs: Any) -> list[Any]:
        """Draw the device on 3-D axes (nothing by default).

        Parameters
        ----------
        ax : mpl_toolkits.mplot3d.Axes3D
            The axes.
        axis_scale_unit : quantity
            Unit of the axes.
        **kwargs
            Keywords of the device.

        Returns
        -------
        list of matplotlib artists
        """
        del ax, axis_scale_unit, kwargs
        return []

    def update_artists(self, artists: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Update what `add_self_to_plot` drew; gives the artists that changed."""
        del artists, args, kwargs
        return []


@attrs.define(eq=False, slots=False)
class Recorder(InterfaceDevice):
    """A device that measures.

    Parameters
    ----------
    name : str
        Name of the device (default: name of the class).
    save_history : bool
        Whether the device keeps its history.
    """

    @abstractmethod
    def get_state(self) -> Any:
        """Measure now."""


@attrs.define(eq=False, slots=False, repr=False)
class Stimulator(InterfaceDevice, ShowsHistory, NeoExportable):
    """A device that acts: override `update`, and call ``super().update(signal)`` in it.

    Parameters
    ----------
    name : str
        Name of the device (default: name of the class).
    save_history : bool
        Whether the device keeps its history.
    """

    value: Any = attrs.field(init=False, default=0)
    """The present signal."""
    history: History = attrs.field(init=False, factory=History, repr=False)
    _steps: ClassVar[bool] = True

    def __attrs_post_init__(self) -> None:
        """Start the history with one zero."""
        self.reset()

    def quantity_name(self) -> str:
        """Say what the values are."""
        return "signal"

    def __repr__(self) -> str:
        """One line: name, last signal, how much was kept."""
        value = np.asarray(self.value)
        now = f"{float(value):.4g}" if value.ndim == 0 and value.dtype.kind in "biuf" else (
            f"of shape {value.shape}"
        )  # fmt: skip
        return f"{type(self).__name__} {self.name!r}: signal {now}, {lasted(self.history)}"

    def update(self, ctrl_signal: ArrayLike) -> None:
        """Take a new signal.

        Parameters
        ----------
        ctrl_signal : float or array
            What the controller says, in the unit of the device.
        """
        self.value = ctrl_signal
        if self.save_history:
            self.history.append(self.now, ctrl_signal)

    def reset(self, **kwargs: object) -> None:
        """Forget the history and go back to 0."""
        del kwargs
        self.history.clear()
        self.update(0)

    def store_state(self) -> dict[str, Any]:
        """Give the history and the present signal."""
        return super().store_state() | {"value": self.value}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `store_state` gave."""
        super().restore_state(state)
        self.value = state["value"]

    @property
    def values(self) -> np.ndarray:
        """Signals received, shape (n, ...), starting with 0; may be assigned."""
        return self.history.values

    @values.setter
    def values(self, values: object) -> None:
        self.history.set_values(values)

    @property
    def t(self) -> Any:
        """Times of `values` (quantity, shape (n,)); may be assigned."""
        return times_of(self.history)

    @t.setter
    def t(self, times: Any) -> None:
        set_times_of(self.history, times)

    @property
    def t_ms(self) -> np.ndarray:
        """Times of `values` in ms."""
        return self.history.times * 1e3

    def to_neo(self) -> Any:
        """Give the signal as a Neo signal named after the device."""
        from cleo_like.utilities.neo import signal_to_neo

        self.history.check(self.name)
        return signal_to_neo(
            self.history.times,
            np.asarray(self.history.values, dtype=float),
            "dimensionless",
            name=self.name,
            description=f"signal of {type(self).__name__}",
        )


def check_is_device(device: object) -> None:
    """Refuse what is no device, saying what one is."""
    if isinstance(device, type) and issubclass(device, InterfaceDevice):
        msg = f"inject() needs a device, got the class; write {device.__name__}(...)"
        raise InputError(msg)
    if not isinstance(device, InterfaceDevice):
        msg = f"inject() needs a device first, got {type(device).__name__}: {device!r}"
        raise InputError(msg)

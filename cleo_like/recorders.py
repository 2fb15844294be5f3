"""Recorders of the state of neurons: rate, voltage, spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from cleo_like.base.device import NeoExportable, Recorder
from cleo_like.base.groups import every_step, present_values
from cleo_like.base.history import History, ShowsHistory, lasted
from cleo_like.base.quantities import set_times_of, times_of
from cleo_like.core.errors import InputError
from cleo_like.utilities.neo import signal_to_neo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import NeuronGroup

__all__ = ["GroundTruthSpikeRecorder", "RateRecorder", "VoltageRecorder"]


@attrs.define(eq=False, slots=False, repr=False)
class _NumberRecorder(Recorder, ShowsHistory, NeoExportable):
    """A recorder of numbers of one group, with their history."""

    history: History = attrs.field(init=False, factory=History, repr=False)
    """What `get_state` gave, and when."""
    neuron_group: Any = attrs.field(init=False, default=None, repr=False)
    """The group that is recorded."""

    def take_group(self, neuron_group: NeuronGroup) -> None:
        """Keep the one group; a second is an error."""
        if self.neuron_group is not None:
            msg = (
                f"{self.name!r} records one group, and has {self.neuron_group.name}; "
                f"make another recorder for {neuron_group.name}"
            )
            raise InputError(msg)
        self.neuron_group = neuron_group

    def remember(self, value: object) -> None:
        """Add a value to the history, if one is kept."""
        if self.save_history:
            self.history.append(self.now, value)

    @property
    def t(self) -> Any:
        """Times of the samples (quantity); may be assigned."""
        return times_of(self.history)

    @t.setter
    def t(self, times: Any) -> None:
        set_times_of(self.history, times)

    @property
    def t_ms(self) -> np.ndarray:
        """Times of the samples in ms."""
        return self.history.times * 1e3

    @property
    def values(self) -> np.ndarray:
        """Samples (SI), shape (n,) or (n, n_neurons); may be assigned."""
        return self.history.values

    @values.setter
    def values(self, values: object) -> None:
        self.history.set_values(values)

    def reset(self, **kwargs: object) -> None:
        """Forget the history."""
        del kwargs
        self.history.clear()

    def __repr__(self) -> str:
        """One line: what is recorded, and how much was kept."""
        of = "" if self.neuron_group is None else f" of {self.neuron_group.name}"
        what = self.quantity_name()
        return f"{type(self).__name__} {self.name!r}: {what}{of}, {lasted(self.history)}"

    def to_neo(self) -> Any:
        """Give the samples as a Neo signal."""
        self.history.check(self.name)
        values = np.asarray(self.history.values, dtype=float)
        return signal_to_neo(
            self.history.times, values, self.neo_unit(), name=self.name,
            description=type(self).__name__,
        )  # fmt: skip


@attrs.define(eq=False, slots=False, repr=False)
class RateRecorder(_NumberRecorder):
    """Firing rate of one neuron in the last time step (0 or 1/dt), as a quantity.

    Parameters
    ----------
    i : int
        Index of the neuron.
    """

    i: int = attrs.field(kw_only=False)
    """Index of the neuron."""
    mon: Any = attrs.field(init=False, default=None, repr=False)
    """Its rate, at every time step."""

    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Record one neuron of the group."""
        from brian2 import PopulationRateMonitor

        del kwparams
        if not 0 <= self.i < len(neuron_group):
            msg = f"i must be from 0 to {len(neuron_group) - 1}, got {self.i}"
            raise InputError(msg)
        if not hasattr(neuron_group, "__getitem__"):
            msg = (
                f"Brian2 has no part of a {type(neuron_group).__name__} ({neuron_group.name}) "
                f"to record; take a GroundTruthSpikeRecorder"
            )
            raise InputError(msg)
        self.take_group(neuron_group)
        self.mon = PopulationRateMonitor(neuron_group[self.i : self.i + 1])
        self.brian_objects.add(self.mon)

    def get_state(self) -> Any:
        """Give the rate in the last time step (quantity; 0 Hz before the first)."""
        from brian2 import Hz

        rates = self.mon.variables["rate"].get_value()
        rate = float(rates[-1]) if len(rates) else 0.0
        self.remember(rate)
        return rate * Hz

    def neo_unit(self) -> str:
        """Give the unit of `values` in Neo."""
        return "Hz"

    def quantity_name(self) -> str:
        """Say what the values are."""
        return f"rate of neuron {self.i}"


@attrs.define(eq=False, slots=False, repr=False)
class VoltageRecorder(_NumberRecorder):
    """Present value of a variable of all neurons of a group.

    Every time step is kept in `mon` too, a Brian2 StateMonitor (8 MB for 100 neurons and
    10,000 steps), unless ``save_history=False``.

    Parameters
    ----------
    voltage_var_name : str
        Name of the variable (default "v").
    """

    voltage_var_name: str = attrs.field(default="v", kw_only=False)
    """Name of the variable."""
    mon: Any = attrs.field(init=False, default=None, repr=False)
    """The variable at every time step (None with ``save_history=False``)."""

    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Record a group."""
        del kwparams
        name = self.voltage_var_name
        if name not in neuron_group.variables:
            msg = (
                f"{neuron_group.name} has no variable {name!r}; say voltage_var_name='...' "
                f"(it has {', '.join(_own_names(neuron_group)) or 'none of its own'})"
            )
            raise InputError(msg)
        self.take_group(neuron_group)
        if self.save_history:
            self.mon = every_step(neuron_group, name)
            self.brian_objects.add(self.mon)

    def get_state(self) -> Any:
        """Give the present values (quantity, shape (n_neurons,))."""
        from brian2.units.fundamentalunits import Quantity

        variable = self.neuron_group.variables[self.voltage_var_name]
        values = present_values(self.neuron_group, self.voltage_var_name).astype(float)
        self.remember(values)
        return Quantity.with_dimensions(values, variable.dim)

    def quantity_name(self) -> str:
        """Say what the values are."""
        return self.voltage_var_name

    def neo_unit(self) -> str:
        """Give the unit of `values` in Neo."""
        from brian2 import volt

        if self.neuron_group is None:
            return "dimensionless"

        variable = self.neuron_group.variables[self.voltage_var_name]
        return "V" if variable.dim is volt.dim else "dimensionless"


@attrs.define(eq=False, slots=False, repr=False)
class GroundTruthSpikeRecorder(_NumberRecorder):
    """Spikes of each neuron since the last call: array of int, shape (n_neurons,)."""

    _steps: ClassVar[bool] = True

    mon: Any = attrs.field(init=False, default=None, repr=False)
    """Counts all spikes."""
    _seen: np.ndarray | None = attrs.field(init=False, default=None, repr=False)

    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Record a group."""
        from brian2 import SpikeMonitor

        del kwparams
        self.take_group(neuron_group)
        self.mon = SpikeMonitor(neuron_group, record=False)
        self.brian_objects.add(self.mon)
        self._seen = np.zeros(len(neuron_group), dtype=int)

    def get_state(self) -> np.ndarray:
        """Give the number of spikes of each neuron since the last call."""
        total = np.array(self.mon.variables["count"].get_value(), dtype=int)
        new = total - self._seen
        self._seen = total
        self.remember(new)
        return new

    def quantity_name(self) -> str:
        """Say what the values are."""
        return "spikes since the last sample"

    def store_state(self) -> dict[str, Any]:
        """Give the history and the spikes counted so far."""
        return super().store_state() | {"seen": np.array(self._seen)}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `store_state` gave."""
        super().restore_state(state)
        self._seen = state["seen"].copy()

    def reset(self, **kwargs: object) -> None:
        """Forget the history and all spikes."""
        super().reset(**kwargs)
        if self.mon is not None:
            self._seen = np.array(self.mon.variables["count"].get_value(), dtype=int)


def _own_names(group: NeuronGroup) -> list[str]:
    """Name the variables of a group's model (a Poisson group has no equations)."""
    equations = getattr(getattr(group, "source", group), "equations", None)
    return sorted(equations.names) if equations is not None else []

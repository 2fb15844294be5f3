"""Stimulators that act on the state of neurons directly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.base.device import Stimulator
from cleo_like.base.groups import present_values
from cleo_like.core.errors import InputError
from cleo_like.core.units.dimensions import dimension_of, has_unit
from cleo_like.engine.brian2_internals import exponents_of

if TYPE_CHECKING:
    from brian2 import NeuronGroup
    from numpy.typing import ArrayLike

__all__ = ["StateVariableSetter"]


@attrs.define(eq=False, slots=False, repr=False)
class StateVariableSetter(Stimulator):
    """Sets a variable of all neurons of its groups to the signal times a unit.

    Parameters
    ----------
    variable_to_ctrl : str
        Name of the variable, a parameter of the model.
    unit : quantity
        What a signal of 1 means; it must have the variable's dimension.
    """

    variable_to_ctrl: str = attrs.field(kw_only=True)
    """Name of the variable."""
    unit: Any = attrs.field(kw_only=True)
    """What a signal of 1 means."""
    neuron_groups: list[Any] = attrs.field(init=False, factory=list, repr=False)
    """Groups that are set."""

    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Take a group and set its variable to 0."""
        from brian2 import Quantity

        del kwparams
        if any(group is neuron_group for group in self.neuron_groups):
            msg = f"{self.name!r} is already injected into {neuron_group.name}"
            raise InputError(msg)
        name = self.variable_to_ctrl
        variable = neuron_group.variables.get(name)
        settable = variable is not None and hasattr(variable, "set_value")
        if not settable or variable.read_only:
            msg = f"{neuron_group.name} has no variable {name!r} that can be set"
            raise InputError(msg)
        found = dimension_of(self.unit)
        dimension = found[0] if found is not None else (0.0,) * 7
        if not np.allclose(dimension, exponents_of(variable.dim)):
            msg = f"{name!r} of {neuron_group.name} is in {variable.unit}, got unit={self.unit}"
            raise InputError(msg)
        self.neuron_groups.append(neuron_group)
        setattr(neuron_group, name, Quantity(0.0, dim=variable.dim))

    def update(self, ctrl_signal: ArrayLike) -> None:
        """Set the variable.

        Parameters
        ----------
        ctrl_signal : float or array, shape (n_neurons,)
            In multiples of `unit`.
        """
        for group in self.neuron_groups:
            self._set(group, ctrl_signal)
        super().update(ctrl_signal)

    def quantity_name(self) -> str:
        """Say what the values are."""
        return f"{self.variable_to_ctrl} / {self.unit}"

    def _set(self, group: NeuronGroup, signal: ArrayLike) -> None:
        """Write through a view of Brian2's array: a unit-checked assignment costs 100x."""
        values = present_values(group, self.variable_to_ctrl)
        if not isinstance(signal, float) or signal != signal:  # noqa: PLR0124 - NaN
            self._check(signal, len(values), group.name)
        values[:] = np.multiply(signal, float(np.asarray(self.unit)))

    def _check(self, signal: ArrayLike, n: int, group: str) -> None:
        """Refuse a signal that is not a number, or not one for each neuron."""
        plain = not has_unit(signal) or getattr(signal, "is_dimensionless", False)
        array = np.asarray(signal)
        if plain and array.dtype.kind in "biuf" and array.shape in ((), (1,), (n,)):
            if not np.isnan(array).any():
                return
            msg = (
                f"{self.name!r} got {signal!r}: a signal that is not a number would make all "
                f"that follows in {group} NaN; send a number, or no signal for this sample"
            )
            raise InputError(msg)
        msg = (
            f"{self.name!r} takes a number in multiples of its unit {self.unit}, or one for "
            f"each of the {n} neurons of {group}; got {signal!r}"
        )
        raise InputError(msg)

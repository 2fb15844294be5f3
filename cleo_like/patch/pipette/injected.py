"""A pipette as a device: put on neurons of a group that is in a closed loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.base import InterfaceDevice
from cleo_like.cells import CellModel
from cleo_like.cells.reading import equation_line
from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.core.units import si_array
from cleo_like.engine.integrators import (
    coefficients_of,
    exponential_rk4_statements,
    linear_part,
)
from cleo_like.engine.integrators.rk4 import rename
from cleo_like.patch.group_rates import slope_of_current
from cleo_like.patch.pipette.circuit import (
    COMMAND,
    OUTPUT,
    circuit_equations,
    circuit_values,
    linear_of,
    wired,
)
from cleo_like.patch.pipette.electrode import Electrode

if TYPE_CHECKING:
    from brian2 import NeuronGroup

    from cleo_like.patch.pipette.pipette import PatchPipette

_BRIANS = ("not_refractory", "lastspike")
"""Names that Brian2 adds to a group's equations itself, and lets nobody write."""
_INNER, _TOTAL = "rig_inner", "rig_total"


@attrs.define(eq=False, slots=False)
class InjectedPipette(InterfaceDevice):
    """A `PatchPipette` on neurons of a group: recorder and stimulator at once.

    The group is integrated by `exponential_rk4` from then on, with the pipette's circuit in the
    cells that have one; the group's own current stays as it is and adds to the pipette's.

    Parameters
    ----------
    pipette : PatchPipette
        The rig.
    name : str
        Name of the device.

    Notes
    -----
    `update(command)` sets the command (A or V, holding of the amplifier besides), one for all
    or one per pipette, in the order of the targets; `get_state()` gives what the amplifier
    puts out now, after its filter and without noise. `times` and `outputs` hold what was
    recorded at every step of the group.
    """

    pipette: PatchPipette
    targets: np.ndarray = attrs.field(init=False, factory=lambda: np.zeros(0, dtype=int))
    """Neurons that have the pipette."""
    _group: Any = attrs.field(init=False, default=None, repr=False)
    _names: tuple[str, str] = attrs.field(init=False, default=("v", "I"), repr=False)
    _part: Any = attrs.field(init=False, default=None, repr=False)
    _equations: Any = attrs.field(init=False, default=None, repr=False)
    _monitor: Any = attrs.field(init=False, default=None, repr=False)
    _ready: bool = attrs.field(init=False, default=False, repr=False)

    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Put the pipette on neurons of a group.

        Parameters
        ----------
        neuron_group : brian2.NeuronGroup
            Its equations must read a current.
        **kwparams
            i_targets (list of int; default all), voltage ("v"), current ("I").
        """
        from brian2 import NeuronGroup, StateMonitor

        given = {"i_targets": None, "voltage": "v", "current": "I"} | kwparams
        if set(given) != {"i_targets", "voltage", "current"}:
            msg = f"{self.name!r} takes i_targets, voltage and current with inject()"
            raise InputError(msg)
        if self._group is not None:
            msg = f"{self.name!r} is on a group already; make another device of the pipette"
            raise InputError(msg)
        if not isinstance(neuron_group, NeuronGroup):
            msg = "a pipette goes on a whole NeuronGroup; name the cells by i_targets"
            raise InputError(msg)
        self._check(neuron_group, given["voltage"], given["current"])
        self._names = (given["voltage"], given["current"])
        n = len(neuron_group)
        index = np.arange(n) if given["i_targets"] is None else np.asarray(given["i_targets"])
        if index.ndim != 1 or index.dtype.kind not in "iu" or not (
            len(index) and 0 <= index.min() <= index.max() < n
        ) or len(set(index.tolist())) < len(index):  # fmt: skip
            msg = f"i_targets must be different whole numbers from 0 to {n - 1}, got {index}"
            raise InputError(msg)
        self.targets, self._group = index, neuron_group
        self._wire()
        self._monitor = StateMonitor(
            neuron_group, [OUTPUT, given["voltage"]], record=index, when="end",
            name=f"{self.name}_monitor*",
        )  # fmt: skip
        self.brian_objects.add(self._monitor)

    def _check(self, group: NeuronGroup, voltage: str, current: str) -> None:
        """Refuse a group that cannot take a pipette, saying what to write."""
        from brian2 import amp, volt

        if not isinstance(self.pipette.electrode, Electrode):
            msg = "an ideal electrode needs no circuit: record the group with a StateMonitor"
            raise InputError(msg)
        for name, dim, example in (
            (voltage, volt.dim, "voltage='...'"),
            (current, amp.dim, f"'{current} : amp' into its equations, or current='...'"),
        ):
            known = group.variables.get(name)
            if known is None or known.dim is not dim or not hasattr(known, "get_value"):
                have = ", ".join(sorted(group.equations.names))
                msg = (
                    f"{group.name!r} has no {name!r} for a pipette; write {example} (it has "
                    f"{have})"
                )
                raise InputError(msg)
        if group.equations.is_stochastic:
            msg = (
                f"{group.name!r} has noise terms (xi), which a real pipette cannot be "
                "integrated with; put the noise into the current"
            )
            raise UnsupportedError(msg)
        if COMMAND in group.variables:
            msg = (
                f"{group.name!r} has a pipette already; one device serves all cells of a group "
                "(i_targets=[...]), in one clamp mode"
            )
            raise InputError(msg)

    def _model(self) -> CellModel:
        """Give a passive cell with the group's names: the circuit needs no more of a cell."""
        from brian2 import farad, siemens
        from brian2 import volt as volt_unit

        v, i = self._names
        return CellModel(
            name=self._group.name,
            equations=f"d{v}/dt = (rest_g*(rest_e - {v}) + {i})/rest_c : volt",
            parameters={
                "rest_g": 0 * siemens, "rest_e": 0 * volt_unit, "rest_c": 1e-10 * farad,
            },
            voltage=v,
            current=i,
        )  # fmt: skip

    def _wire(self) -> None:
        """Give the group the circuit's variables, and an integration that knows them."""
        from brian2 import Equations

        group, (v, current) = self._group, self._names
        model = self._model()
        own = []
        for name, equation in group.equations.items():
            if name in _BRIANS:
                continue
            line = equation_line(equation)
            if name != current and equation.type != "parameter":
                left, right = line.split("=", 1)
                line = f"{left}={rename(right, {current: _TOTAL})}"
            own.append(line)
        amplifier = self.pipette.amplifier
        assert amplifier is not None  # noqa: S101
        circuit = circuit_equations(attrs.evolve(model, current=current), amplifier, _INNER)
        text = "\n".join(own) + f"\n{_TOTAL} = {current} + {_INNER} : amp\n{circuit}"
        self._equations = Equations(text)
        rig = wired(model, self.pipette)
        _, matrices, names = self._matrices(rig, np.full(len(group), 1e10))
        self._part = linear_part(self._equations, names, v, matrices, command=COMMAND)
        for name, equation in self._equations.items():
            if name not in group.variables and equation.type != "subexpression":
                group.variables.add_array(name, size=len(group), dimensions=equation.dim)
        if OUTPUT not in group.variables:
            group.variables.add_subexpression(
                OUTPUT,
                expr=str(self._equations[OUTPUT].expr),
                dimensions=self._equations[OUTPUT].dim,
            )
        for name in self._part.coefficients:
            group.variables.add_array(name, size=len(group))
        group.state_updater.method_choice = self._statements
        self.update(0.0)  # the amplifier's holding

    def _statements(self, *_: Any, **__: Any) -> str:
        return exponential_rk4_statements(self._equations, linear=self._part)

    def _matrices(
        self, rig: CellModel, slope: np.ndarray
    ) -> tuple[dict[str, np.ndarray], Any, tuple[str, ...]]:
        """Give the circuit's values of all neurons; those without a pipette are not coupled."""
        glass = self.pipette.electrode
        assert isinstance(glass, Electrode)  # noqa: S101
        n = len(self._group)
        values = circuit_values(self.pipette, np.full(n, float(glass.access_resistance)))
        values |= {
            "rest_g": np.zeros(n), "rest_e": np.zeros(n), "rest_c": 1 / slope,
        }  # fmt: skip
        without = np.setdiff1d(np.arange(n), self.targets)
        part, matrices = linear_of(rig, values, n)
        matrices.rates[without, 0] = 0.0
        for name in ("rig_access", "rig_seal"):
            values[name][without] = 0.0
        return values, matrices, part.states

    @property
    def is_prepared(self) -> bool:
        """Whether the circuit has its values."""
        return self._ready

    def prepare(self) -> None:
        """Compute the coefficients of a step for the group's parameters as they are now."""
        group, (v, current) = self._group, self._names
        slope = slope_of_current(group, v, current)
        values, matrices, _ = self._matrices(wired(self._model(), self.pipette), slope)
        found = coefficients_of(self._part, matrices, float(group.clock.dt_))
        for name, value in {**values, **found}.items():
            if name in group.variables:
                group.variables[name].set_value(value)
        if not self._ready:
            self._ready = True
            self._settle(matrices)

    def _settle(self, matrices: Any) -> None:
        """Start electrode, amplifier and filter from where they would rest at the cell's v."""
        v, *others = self._part.states
        start = self._group.variables[v].get_value()
        command = self._group.variables[COMMAND].get_value()
        inner = matrices.rates[:, 1:, 1:]
        pushed = matrices.rates[:, 1:, 0] * start[:, np.newaxis]
        pushed = pushed + matrices.drive[:, 1:] * command[:, np.newaxis]
        rest = -np.linalg.solve(inner, pushed[..., np.newaxis])[..., 0]
        for name, value in zip(others, rest.T, strict=True):
            self._group.variables[name].set_value(value.copy())

    def update(self, command: Any) -> None:
        """Set the command of all pipettes, or of each.

        Parameters
        ----------
        command : quantity, float or array, shape (n_targets,)
            A or V; plain numbers are SI.
        """
        amplifier = self.pipette.amplifier
        assert amplifier is not None  # noqa: S101
        unit = self.pipette.mode.command_unit
        plain = np.asarray(command).dtype.kind in "fiu" and not hasattr(command, "dim")
        value = np.asarray(command, float) if plain else si_array(command, unit, "command")
        added = float(amplifier.holding)
        if unit == "V":
            added -= self.pipette.electrode.error  # type: ignore[union-attr]
        self._group.variables[COMMAND].get_value()[self.targets] = value + added

    def get_state(self) -> np.ndarray:
        """Give the amplifier's output at the end of the last step (V or A), per target."""
        if len(self._monitor.t) == 0:
            return np.full(len(self.targets), np.nan)
        return np.asarray(self.outputs[-1])

    @property
    def times(self) -> np.ndarray:
        """Times of the samples (s): ends of the steps."""
        return np.asarray(self._monitor.t) + float(self._group.clock.dt_)

    @property
    def outputs(self) -> np.ndarray:
        """What the amplifier put out (V or A), shape (n_samples, n_targets)."""
        return np.asarray(getattr(self._monitor, OUTPUT)).T

    @property
    def truth(self) -> np.ndarray:
        """Potential of the membrane (V), shape (n_samples, n_targets)."""
        return np.asarray(getattr(self._monitor, self._names[0])).T

    def reset(self, **kwargs: Any) -> None:
        """Settle anew at the next run."""
        del kwargs
        self._ready = False

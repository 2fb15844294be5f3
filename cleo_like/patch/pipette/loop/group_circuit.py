"""The circuit of pipettes in a group of a closed loop: its variables and its integration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells import CellModel
from cleo_like.cells.reading import equation_line
from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.engine.integrators import (
    coefficients_of,
    exponential_rk4_statements,
    linear_part,
)
from cleo_like.engine.integrators.rk4 import rename
from cleo_like.patch.pipette.circuit import (
    COMMAND,
    OUTPUT,
    circuit_equations,
    circuit_values,
    linear_of,
    wired,
)
from cleo_like.patch.pipette.electrode import Electrode
from cleo_like.patch.pipette.loop.group_rates import slope_of_current

if TYPE_CHECKING:
    from brian2 import NeuronGroup

    from cleo_like.patch.pipette.pipette import PatchPipette

_BRIANS = ("not_refractory", "lastspike")
"""Names that Brian2 adds to a group's equations itself, and lets nobody write."""
_INNER, _TOTAL = "rig_inner", "rig_total"


class GroupCircuit:
    """Pipettes of one kind in neurons of one group.

    The group is integrated by `exponential_rk4` from then on, with the circuit in the neurons
    that have a pipette; the group's own current stays as it is and adds to the pipette's.

    Parameters
    ----------
    group : brian2.NeuronGroup
        The group.
    names : tuple of str
        Its potential, and the current that its equations read.
    pipette : PatchPipette
        The first one: it tells the clamp mode and which filters there are.

    Raises
    ------
    InputError
        The group has no such potential or current, or the pipette is ideal.
    UnsupportedError
        The group's equations have noise.
    """

    def __init__(
        self, group: NeuronGroup, names: tuple[str, str], pipette: PatchPipette
    ) -> None:
        _check(group, names, pipette)
        self.group, self.names = group, names
        self.owners: list[tuple[str, PatchPipette, np.ndarray]] = []
        self._first = pipette
        self._slope: np.ndarray | None = None
        self._settled: set[int] = set()
        self._wire()

    def join(self, name: str, pipette: PatchPipette, targets: np.ndarray) -> None:
        """Put a device's pipette into neurons.

        Raises
        ------
        InputError
            A neuron has a pipette already, or those of the group are of another kind.
        """
        for other, there, taken in self.owners:
            both = np.intersect1d(taken, targets)
            if both.size:
                msg = (
                    f"neuron {both[0]} of {self.group.name!r} has a pipette already, "
                    f"{other!r} in {there.mode}; a cell takes one: give other i_targets"
                )
                raise InputError(msg)
        if self._text(pipette) != self._text(self._first):
            other, there, _ = self.owners[0]
            msg = (
                f"the pipettes in {self.group.name!r} ({other!r}: {there.amplifier!r}) are of "
                f"another kind than {name!r} ({pipette.amplifier!r}); in one group they need "
                "the same clamp mode, filters of the same order, and whole-cell compensation "
                "in all or none: make a NeuronGroup of its own for these cells"
            )
            raise InputError(msg)
        self.owners.append((name, pipette, targets))
        self._slope = None

    def prepare(self) -> None:
        """Compute the coefficients of a step for the group's parameters as they are now."""
        slope = slope_of_current(self.group, *self.names)
        if self._slope is not None and np.allclose(slope, self._slope, rtol=1e-9, atol=0):
            return  # the last digits follow the potential
        self._slope = slope
        values, matrices, _ = self._matrices(slope)
        found = coefficients_of(self._part, matrices, float(self.group.clock.dt_))
        for name, value in {**values, **found}.items():
            if name in self.group.variables:
                self.group.variables[name].set_value(value)
        self._settle(matrices)

    def forget(self) -> None:
        """Settle anew at the next run."""
        self._slope = None
        self._settled.clear()

    def command(self, targets: np.ndarray) -> np.ndarray:
        """Give what the amplifier of each target gets (A or V)."""
        return np.asarray(self.group.variables[COMMAND].get_value()[targets])

    def set_command(self, targets: np.ndarray, value: np.ndarray) -> None:
        """Set what the amplifiers get (A or V)."""
        self.group.variables[COMMAND].get_value()[targets] = value

    def _model(self) -> CellModel:
        """Give a passive cell with the group's names: the circuit needs no more of a cell."""
        from brian2 import farad, siemens
        from brian2 import volt as volt_unit

        v, i = self.names
        return CellModel(
            name=self.group.name,
            equations=f"d{v}/dt = (rest_g*(rest_e - {v}) + {i})/rest_c : volt",
            parameters={
                "rest_g": 0 * siemens, "rest_e": 0 * volt_unit, "rest_c": 1e-10 * farad,
            },
            voltage=v,
            current=i,
        )  # fmt: skip

    def _text(self, pipette: PatchPipette) -> str:
        """Write the circuit: pipettes of one kind have the same."""
        amplifier = pipette.clamp
        model = attrs.evolve(self._model(), current=self.names[1])
        return circuit_equations(model, amplifier, _INNER)

    def _wire(self) -> None:
        """Give the group the circuit's variables, and an integration that knows them."""
        from brian2 import Equations

        group, (v, current) = self.group, self.names
        own = []
        for name, equation in group.equations.items():
            if name in _BRIANS:
                continue
            line = equation_line(equation)
            if name != current and equation.type != "parameter":
                left, right = line.split("=", 1)
                line = f"{left}={rename(right, {current: _TOTAL})}"
            own.append(line)
        total = f"{_TOTAL} = {current} + {_INNER} : amp"
        text = "\n".join([*own, total, self._text(self._first)])
        self._equations = equations = Equations(text)
        _, matrices, names = self._matrices(np.full(len(group), 1e10))
        self._part = linear_part(equations, names, v, matrices, command=COMMAND)
        for name, equation in equations.items():
            if name not in group.variables and equation.type != "subexpression":
                group.variables.add_array(name, size=len(group), dimensions=equation.dim)
        if OUTPUT not in group.variables:
            group.variables.add_subexpression(
                OUTPUT, expr=str(equations[OUTPUT].expr), dimensions=equations[OUTPUT].dim
            )
        for name in self._part.coefficients:
            group.variables.add_array(name, size=len(group))
        group.state_updater.method_choice = self._statements

    def _statements(self, *_: Any, **__: Any) -> str:
        return exponential_rk4_statements(self._equations, linear=self._part)

    def _matrices(
        self, slope: np.ndarray
    ) -> tuple[dict[str, np.ndarray], Any, tuple[str, ...]]:
        """Give the circuit's values of all neurons; those without a pipette are not coupled."""
        n = len(self.group)
        values = _values(self._first, n)
        for _, pipette, targets in self.owners:
            for name, own in _values(pipette, len(targets)).items():
                values[name][targets] = own
        values |= {
            "rest_g": np.zeros(n), "rest_e": np.zeros(n), "rest_c": 1 / slope,
        }  # fmt: skip
        rig = wired(self._model(), self._first)
        part, matrices = linear_of(rig, values, n)
        if self.owners:  # before, all neurons tell which coefficients there are
            everyone = np.concatenate([targets for _, _, targets in self.owners])
            without = np.setdiff1d(np.arange(n), everyone)
            matrices.rates[without, 0] = 0.0
            for name in ("rig_access", "rig_seal"):
                values[name][without] = 0.0
        return values, matrices, part.states

    def _settle(self, matrices: Any) -> None:
        """Start electrode, amplifier and filter from where they would rest at the cell's v.

        Only those that have not run yet: the others go on.
        """
        everyone = [t for _, _, targets in self.owners for t in targets.tolist()]
        new = np.array([t for t in everyone if t not in self._settled], dtype=int)
        self._settled.update(everyone)
        if not new.size:
            return
        v, *others = self._part.states
        variables = self.group.variables
        start, command = variables[v].get_value()[new], self.command(new)
        inner = matrices.rates[new, 1:, 1:]
        pushed = matrices.rates[new, 1:, 0] * start[:, np.newaxis]
        pushed = pushed + matrices.drive[new, 1:] * command[:, np.newaxis]
        rest = -np.linalg.solve(inner, pushed[..., np.newaxis])[..., 0]
        for name, value in zip(others, rest.T, strict=True):
            variables[name].get_value()[new] = value

    @property
    def slope(self) -> np.ndarray:
        """Change of the potential's rate per current (1/F) of every neuron."""
        return slope_of_current(self.group, *self.names) if self._slope is None else self._slope


def _values(pipette: PatchPipette, n: int) -> dict[str, np.ndarray]:
    return circuit_values(pipette, np.full(n, float(pipette.glass.access_resistance)))


def _check(group: NeuronGroup, names: tuple[str, str], pipette: PatchPipette) -> None:
    """Refuse a group that cannot take a pipette, saying what to write."""
    from brian2 import amp, volt

    voltage, current = names
    if not isinstance(pipette.electrode, Electrode):
        msg = "an ideal electrode needs no circuit: record the group with a StateMonitor"
        raise InputError(msg)
    if pipette.electrode.drifts:
        msg = (
            "the access resistance of a pipette in a loop cannot drift; leave out "
            "access_resistance_end"
        )
        raise UnsupportedError(msg)
    for name, dim, example in (
        (voltage, volt.dim, "voltage='...'"),
        (current, amp.dim, f"'{current} : amp' into its equations, or current='...'"),
    ):
        known = group.variables.get(name)
        if known is None or known.dim is not dim or not hasattr(known, "get_value"):
            have = ", ".join(sorted(group.equations.names))
            msg = (
                f"{group.name!r} has no {name!r} for a pipette; write {example} (it has {have})"
            )
            raise InputError(msg)
    if group.equations.is_stochastic:
        msg = (
            f"{group.name!r} has noise terms (xi), which a real pipette cannot be "
            "integrated with; put the noise into the current"
        )
        raise UnsupportedError(msg)
    if COMMAND in group.variables:
        msg = f"{group.name!r} has pipettes of another simulator already; make a new group"
        raise InputError(msg)

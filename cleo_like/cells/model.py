"""A neuron as Brian2 equations, with everything needed to run it and to know its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells.dimension_check import check_model
from cleo_like.cells.reading import check_texts, equations_text, unit_text
from cleo_like.core.arrays import as_mapping, frozen_mapping, si_default, si_required
from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.units import carries_unit, one_finite, si_choice
from cleo_like.core.units.dimensions import PURE, Dimension, SIFloat, dimension_of
from cleo_like.core.units.table import (
    TEXT,
    UNITS,
    ascii_text,
    code_of,
    is_number,
    si_of_text,
    text_factor,
)
from cleo_like.engine.brian2_internals import exponents_of
from cleo_like.engine.integrators import choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from brian2 import Equations

METHODS = ("auto", "rk4", "staggered", "rush_larsen", "rk2", "heun", "milstein", "euler",
           "exponential_euler", "exact")  # fmt: skip
"""Integration methods that a model may name: those of stock Brian2, and two of the engine."""


def _si_parameters(values: Mapping[str, Any], model: Any) -> Mapping[str, SIFloat]:
    """Convert parameters to SI and check them against the units that the equations declare."""
    eqs = model.written_equations()
    dimensions = {name: eqs[name].dim for name in eqs.parameter_names}
    return frozen_mapping(
        {
            name: _si_parameter(name, v, dimensions.get(name))
            for name, v in as_mapping(values, "parameters").items()
        }
    )


def _si_parameter(name: str, value: object, declared: Any) -> SIFloat:
    from brian2 import get_unit
    from brian2.units.fundamentalunits import get_or_create_dimension

    if callable(value):  # a TimedArray, a function
        msg = f"parameter {name} must be one finite value, got {value!r}"
        raise InputError(msg)
    array, exponents = si_and_dimension(name, value)
    if array.ndim or not np.isfinite(array):
        msg = f"parameter {name} must be one finite value, got {value}"
        raise InputError(msg)
    dimension = get_or_create_dimension(exponents)
    if declared is not None and dimension is not declared:
        problem = "has the wrong unit" if carries_unit(value) else "has no unit"
        code = code_of(exponents_of(declared))
        hint = f"; did you mean {value}*{code}?" if code and problem == "has no unit" else ""
        msg = f"{name}={value} {problem}; the equations declare it in {get_unit(declared)!r}"
        raise UnitError(msg + hint)
    return SIFloat.of(float(array), exponents, unit_text(dimension))


def si_and_dimension(name: str, value: Any) -> tuple[np.ndarray, Dimension]:
    """Convert one or many values of a parameter whose unit is not known beforehand."""
    if isinstance(value, str) and not is_number(value):
        unit, number = si_of_text(value, name)
        return np.asarray(number), tuple(map(float, UNITS[unit].dimension))
    try:
        found = dimension_of(value)
    except UnitError as error:
        msg = f"{name}: {error}"
        raise UnitError(msg) from error
    if found is not None:
        return found[1], found[0]
    if carries_unit(value):  # a list of quantities
        parts = [si_and_dimension(f"{name}[{k}]", v) for k, v in enumerate(value)]
        if len({dimension for _, dimension in parts}) == 1:
            return np.stack([array for array, _ in parts]), parts[0][1]
        msg = f"{name} must be in one unit, got {value}"
        raise UnitError(msg)
    return si_choice(value, ("1",), name)[1], PURE


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        msg = f"the name of a model must be text that is not empty, got {value!r}"
        raise InputError(msg)
    return value


def _level(value: object) -> float | str:
    if isinstance(value, str) and TEXT.match(ascii_text(value)) is None:
        return value
    return si_required("V", "spike_level")(value)


def _initial(values: Mapping[str, Any], model: Any) -> Mapping[str, float | str]:
    """Convert the start of each state to SI; expressions stay text."""
    eqs = model.written_equations()
    return frozen_mapping(
        {name: _start(name, v, eqs, model) for name, v in as_mapping(values, "initial").items()}
    )


def _start(name: str, value: object, eqs: Equations, model: CellModel) -> float | str:
    if name not in eqs.diff_eq_names:
        states = ", ".join(sorted(eqs.diff_eq_names))
        msg = f"initial names {name!r}, which is no state of {model.name!r}; it has {states}"
        raise InputError(msg)
    if isinstance(value, str) and TEXT.match(ascii_text(value)) is None:
        return value
    array, exponents = si_and_dimension(f"initial {name}", value)
    number = one_finite(array, ("1",), f"initial {name}")
    wanted = exponents_of(eqs[name].dim)
    if not carries_unit(value):
        if wanted == UNITS["V"].dimension and abs(number) > _VOLTS:
            msg = f"initial {name}={value} V is no potential; did you mean {value}*mV?"
            raise UnitError(msg)
    elif exponents != wanted:
        msg = f"initial {name}={value} has the wrong unit; {name} is in {eqs[name].unit}"
        raise UnitError(msg)
    return number


_VOLTS = 1.0
"""Potential (V) beyond which a bare number must have been meant in mV."""


def _refractory(value: object) -> float | str | None:
    """Convert a time ("2 ms" too) to seconds; any other text is an expression of Brian2."""
    match = TEXT.match(ascii_text(value)) if isinstance(value, str) else None
    timed = match is not None and text_factor(match[2] or "", "s") is not None
    if value is None or value is False or (isinstance(value, str) and not timed):
        return value or None
    seconds = si_required("s", "refractory")(value)
    if not 0 <= seconds < np.inf:
        msg = f"refractory must be a finite time of 0 s or more, got {seconds:g} s"
        raise InputError(msg)
    return seconds


@attrs.frozen(kw_only=True, eq=False)
class CellModel:
    r"""A point neuron in Brian2 equations.

    The equations leave the injected current undeclared (``I`` by default); the bench adds
    it. Parameters may be declared in the equations (``gL : siemens (constant)``), which
    checks their units, or left to the model, which declares the missing ones itself.

    Parameters
    ----------
    name : str
        Short name for files and figures.
    equations : str or brian2.Equations
        Brian2 equations with a membrane potential in volt. `t` in them is the time since the
        start of the sweep (`sequential`: of the first sweep).
    parameters : mapping of str to quantity
        Values of all parameters (quantities, or text such as "10 nS"; kept as SI floats).
        Their units must fit the equations.
    threshold : str, optional
        Brian2 condition that makes a reset; None for models that spike by themselves.
    reset : str
        Brian2 statements run at a threshold crossing.
    refractory : str or quantity, optional
        As in Brian2; only with a threshold.
    spike_level : quantity or str
        Potential whose upward crossing is the time of a spike (default -20 mV); the name
        of a parameter is allowed (``"Vcut"``).
    voltage, current : str
        Names of the membrane potential and of the injected current in the equations.
    method : str
        Integration method: "rk4" (default), "staggered" or "rush_larsen" (one exponential
        step per state), or another of Brian2; "auto" takes what
        `cleo_like.engine.integrators.choose` gives for the equations.
    dt : quantity
        Longest integration step (default 0.025 ms: with rk4, spike times of the library's
        conductance-based cells are then true to 0.1 ms per second).
    fine_dt : quantity, optional
        Longest step behind a rig (`PatchPipette`), which shows the shape of spikes and clamped
        currents; None (default): `dt`.
    initial : mapping
        Start of the search for rest: quantities, numbers (SI), or Brian2 expressions.
        Equations that depend on `t` have no rest: there it is the start of every sweep.
    conductance_based : bool
        Whether spikes have a shape that means something (no reset).
    source : str
        Citation of equations and parameters.
    landmark : str
        What the cell is known for, with its number.

    Examples
    --------
    >>> from brian2 import Mohm, mV, nS, pF
    >>> cell = CellModel(
    ...     name="mine",
    ...     equations="dv/dt = (gL*(EL - v) + I)/C : volt",
    ...     parameters={"gL": 5 * nS, "EL": -70 * mV, "C": 100 * pF},
    ... )
    >>> cell
    CellModel mine: 1 state, 3 parameters, rk4, dt 0.025 ms
    """

    name: str = attrs.field(converter=_name)
    equations: str = attrs.field(converter=equations_text)
    parameters: Mapping[str, SIFloat] = attrs.field(
        converter=attrs.Converter(_si_parameters, takes_self=True)
    )
    threshold: str | None = None
    reset: str = ""
    refractory: float | str | None = attrs.field(default=None, converter=_refractory)
    spike_level: float | str = attrs.field(default=si_default("-20 mV", "V"), converter=_level)
    voltage: str = "v"
    current: str = "I"
    method: str = "rk4"
    dt: float = attrs.field(default=si_default("25 us", "s"), converter=si_required("s", "dt"))
    fine_dt: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(si_required("s", "fine_dt"))
    )
    initial: Mapping[str, Any] = attrs.field(
        factory=dict, converter=attrs.Converter(_initial, takes_self=True)
    )
    conductance_based: bool = True
    source: str = "user"
    landmark: str = ""

    def __attrs_post_init__(self) -> None:
        """Check the equations once, with errors that name what is missing."""
        from brian2 import volt

        eqs = self.brian_equations()
        if self.voltage not in eqs.diff_eq_names:
            msg = (
                f"the equations of {self.name!r} have no differential equation for "
                f"{self.voltage!r}; say voltage=... (there are: "
                f"{', '.join(sorted(eqs.diff_eq_names))})"
            )
            raise InputError(msg)
        if eqs[self.voltage].dim is not volt.dim:
            msg = f"{self.voltage!r} of {self.name!r} must be in volt: it is the potential"
            raise UnitError(msg)
        if self.current not in eqs.identifiers | eqs.names:
            msg = (
                f"the equations of {self.name!r} do not use the injected current "
                f"{self.current!r}; add it, or say current=... with the name they use"
            )
            raise InputError(msg)
        known = set(self.parameters)
        missing = sorted(set(eqs.parameter_names) - known - {self.current})
        if missing:
            msg = f"parameters of {self.name!r} without a value: {', '.join(missing)}"
            raise InputError(msg)
        check_texts(self, eqs)
        if self.reset and self.threshold is None:
            msg = f"{self.name!r} has a reset but no threshold to trigger it"
            raise InputError(msg)
        if self.refractory is not None and self.threshold is None:
            msg = f"{self.name!r} has a refractory but no threshold after which it begins"
            raise InputError(msg)
        self._check_level()
        self._check_steps()
        if self.method not in METHODS:
            msg = f"method must be one of {', '.join(METHODS)}, got {self.method!r}"
            raise InputError(msg)
        check_model(self)
        if self.method == "auto":
            chosen = choose(eqs, conductance_based=self.conductance_based).method
            object.__setattr__(self, "method", chosen.removeprefix("shared_"))

    def _check_steps(self) -> None:
        for name in ("dt", "fine_dt"):
            step = getattr(self, name)
            if step is not None and not step > 0:
                msg = f"{name} must be above 0 ms, got {step * 1e3:g} ms"
                raise InputError(msg)

    def _check_level(self) -> None:
        if not isinstance(self.spike_level, str):
            return
        if self.spike_level not in self.parameters:
            msg = f"spike_level={self.spike_level!r} is not a parameter of {self.name!r}"
            raise InputError(msg)
        if self.parameters[self.spike_level].dimension != UNITS["V"].dimension:
            unit = self.parameters[self.spike_level].unit
            msg = f"spike_level={self.spike_level!r} is in {unit}, not a potential"
            raise UnitError(msg)

    def written_equations(self) -> Any:
        """Give the `brian2.Equations` object of the text of this model."""
        from brian2 import Equations
        from brian2.equations.equations import EquationError

        try:
            return Equations(self.equations)
        except EquationError as error:
            msg = f"Brian2 cannot read the equations of {self.name!r}: {error}"
            raise InputError(msg) from error

    def brian_equations(self) -> Any:
        """Give the `brian2.Equations` object with every parameter declared."""
        from brian2 import Equations

        eqs = self.written_equations()
        missing = [k for k in self.parameters if k not in eqs.names]
        lines = [f"{k} : {self.parameters[k].unit} (constant)" for k in missing]
        return eqs + Equations("\n".join(lines))

    def level(self, parameters: Mapping[str, Any]) -> Any:
        """Potential of the spike level (V) for given parameters."""
        if isinstance(self.spike_level, str):
            return parameters[self.spike_level]
        return self.spike_level

    def values(self, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Give all parameters in SI, some of them replaced.

        Parameters
        ----------
        changes : mapping, optional
            Quantities of the right dimension, or numbers in SI, one or one per cell.
        """
        merged: dict[str, Any] = dict(self.parameters)
        for name, value in as_mapping(changes, "parameters").items():
            self._check_known([name])
            array, dimension = si_and_dimension(name, value)
            if carries_unit(value) and dimension != self.parameters[name].dimension:
                unit = self.parameters[name].unit
                msg = f"{name}={value} has the wrong unit; the model has it in {unit}"
                raise UnitError(msg)
            merged[name] = array if array.ndim else float(array)
        return merged

    def _check_known(self, names: Iterable[str]) -> None:
        unknown = sorted(set(names) - set(self.parameters))
        if unknown:
            msg = (
                f"{self.name!r} has no parameter {', '.join(unknown)}; "
                f"it has {', '.join(self.parameters)}"
            )
            raise InputError(msg)

    def with_parameters(self, name: str | None = None, **values: Any) -> CellModel:
        """Give a copy with other parameter values.

        Parameters
        ----------
        name : str, optional
            Name of the copy (default: the same).
        **values : quantity
            New values of existing parameters.
        """
        self._check_known(values)
        return attrs.evolve(
            self,
            parameters=dict(self.parameters) | values,
            name=name if name is not None else self.name,
        )

    def __repr__(self) -> str:
        """One line: size, method, step."""
        n = len(self.brian_equations().diff_eq_names)
        return (
            f"CellModel {self.name}: {n} state{'s' if n != 1 else ''}, "
            f"{len(self.parameters)} parameters, {self.method}, dt {self.dt * 1e3:g} ms"
        )

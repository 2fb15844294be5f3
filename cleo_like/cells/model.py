"""A neuron as Brian2 equations, with everything needed to run it and to know its answers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells.reading import check_texts, equations_text
from cleo_like.core.arrays import SIFloat, frozen_mapping, si_required
from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.units import dimension_of
from cleo_like.engine.updaters import choose

if TYPE_CHECKING:
    from collections.abc import Mapping

METHODS = ("auto", "rk4", "staggered", "rush_larsen", "rk2", "heun", "milstein", "euler",
           "exponential_euler", "exact")  # fmt: skip
"""Integration methods that a model may name: those of stock Brian2, and two of the engine."""


def _si_parameters(values: Mapping[str, Any], model: Any) -> Mapping[str, SIFloat]:
    """Convert parameters to SI and check them against the units that the equations declare."""
    if isinstance(values, MappingProxyType):  # a model's own parameters: converted before
        return values
    eqs = model.written_equations()
    dimensions = {name: eqs[name].dim for name in eqs.parameter_names}
    return frozen_mapping(
        {name: _si_parameter(name, v, dimensions.get(name)) for name, v in values.items()}
    )


def _si_parameter(name: str, value: Any, declared: Any) -> SIFloat:
    from brian2 import get_unit
    from brian2.units.fundamentalunits import get_or_create_dimension

    try:
        found = dimension_of(value)
        exponents, si_value = found if found is not None else ((0.0,) * 7, value)
        number = np.asarray(si_value, dtype=float)
    except (TypeError, ValueError) as error:  # a TimedArray, a function, a text
        msg = f"parameter {name} must be one finite value, got {value!r}"
        raise InputError(msg) from error
    if number.ndim or not np.isfinite(number):
        msg = f"parameter {name} must be one finite value, got {value}"
        raise InputError(msg)
    dimension = get_or_create_dimension(exponents)
    if declared is not None and dimension is not declared:
        problem = "has no unit" if found is None else "has the wrong unit"
        msg = f"{name}={value} {problem}; the equations declare it in {get_unit(declared)!r}"
        raise UnitError(msg)
    result = SIFloat(number)
    result.unit = "1" if dimension.is_dimensionless else repr(get_unit(dimension))
    return result


def _level(value: Any) -> float | str:
    return value if isinstance(value, str) else si_required("V", "spike_level")(value)


def _refractory(value: Any) -> float | str | None:
    """Convert a time to seconds; a text is an expression of Brian2."""
    if value is None or value is False or isinstance(value, str):
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
        Values of all parameters (Brian2 or ``quantities`` values; kept as SI floats).
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
        `cleo_like.engine.updaters.choose` gives for the equations.
    dt : quantity
        Longest integration step (default 0.025 ms: with rk4, spike times of the library's
        conductance-based cells are then true to 0.1 ms per second).
    initial : mapping
        Start of the search for rest: numbers (SI), or Brian2 expressions. Equations that
        depend on `t` have no rest: there it is the start of every sweep.
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

    name: str = attrs.field(validator=attrs.validators.min_len(1))
    equations: str = attrs.field(converter=equations_text)
    parameters: Mapping[str, SIFloat] = attrs.field(
        converter=attrs.Converter(_si_parameters, takes_self=True)
    )
    threshold: str | None = None
    reset: str = ""
    refractory: float | str | None = attrs.field(default=None, converter=_refractory)
    spike_level: float | str = attrs.field(default=SIFloat(-0.02), converter=_level)
    voltage: str = "v"
    current: str = "I"
    method: str = "rk4"
    dt: float = attrs.field(default=SIFloat(25e-6), converter=si_required("s", "dt"))
    initial: Mapping[str, Any] = attrs.field(factory=dict, converter=frozen_mapping)
    conductance_based: bool = True
    source: str = "user"
    landmark: str = ""

    def __attrs_post_init__(self) -> None:
        """Check the equations once, with errors that name what is missing."""
        eqs = self.brian_equations()
        if self.voltage not in eqs.diff_eq_names:
            msg = (
                f"the equations of {self.name!r} have no differential equation for "
                f"{self.voltage!r}; say voltage=... (there are: "
                f"{', '.join(sorted(eqs.diff_eq_names))})"
            )
            raise InputError(msg)
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
        if isinstance(self.spike_level, str) and self.spike_level not in known:
            msg = f"spike_level={self.spike_level!r} is not a parameter of {self.name!r}"
            raise InputError(msg)
        if self.method not in METHODS:
            msg = f"method must be one of {', '.join(METHODS)}, got {self.method!r}"
            raise InputError(msg)
        if self.method == "auto":
            chosen = choose(eqs, conductance_based=self.conductance_based).method
            object.__setattr__(self, "method", chosen.removeprefix("shared_"))

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

    def with_parameters(self, name: str | None = None, **values: Any) -> CellModel:
        """Give a copy with other parameter values.

        Parameters
        ----------
        name : str, optional
            Name of the copy (default: the same).
        **values : quantity
            New values of existing parameters.
        """
        unknown = sorted(set(values) - set(self.parameters))
        if unknown:
            msg = (
                f"{self.name!r} has no parameter {', '.join(unknown)}; "
                f"it has {', '.join(self.parameters)}"
            )
            raise InputError(msg)
        merged = frozen_mapping(dict(self.parameters) | dict(_si_parameters(values, self)))
        return attrs.evolve(
            self, parameters=merged, name=name if name is not None else self.name
        )

    def __repr__(self) -> str:
        """One line: size, method, step."""
        n = len(self.brian_equations().diff_eq_names)
        return (
            f"CellModel {self.name}: {n} state{'s' if n != 1 else ''}, "
            f"{len(self.parameters)} parameters, {self.method}, dt {self.dt * 1e3:g} ms"
        )

"""Cells of one kind that differ in their parameters."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells.model import CellModel, si_and_dimension
from cleo_like.core.arrays import as_mapping, frozen_mapping, read_only, whole_number
from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.units import carries_unit, number
from cleo_like.core.units.table import UNITS, code_of, show_range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

    from cleo_like.core.units.dimensions import SIFloat


def _a_model(value: object) -> CellModel:
    if isinstance(value, CellModel):
        return value
    hint = f"; get_cell({value!r}) gives the library's" if isinstance(value, str) else ""
    msg = f"model must be a CellModel, got {value!r:.60}{hint}"
    raise InputError(msg)


def _si_arrays(values: Mapping[str, Any], population: Any) -> Mapping[str, np.ndarray]:
    """Convert the parameters that vary to SI, with the units of the model's own."""
    if isinstance(values, MappingProxyType):  # a population's own: converted before
        return values
    own = population.model.parameters
    unknown = sorted(set(values) - set(own))
    if unknown:
        msg = (
            f"{population.model.name!r} has no parameter {', '.join(map(repr, unknown))}; it "
            f"has {', '.join(own)}"
        )
        raise InputError(msg)
    return frozen_mapping({k: read_only(_si_array(k, v, own[k])) for k, v in values.items()})


def _si_array(name: str, value: object, own: SIFloat) -> np.ndarray:
    array, dimension = si_and_dimension(name, value)
    if dimension != own.dimension:
        code = code_of(own.dimension)
        if carries_unit(value):
            problem = f"has the wrong unit; the model has it in {own.unit}"
        elif code is None:
            problem = f"has no unit; multiply the array by {own.unit}"
        else:
            problem = f"has no unit; multiply the array by {code}"
        msg = f"{name} {problem}"
        raise UnitError(msg)
    return np.array(array, dtype=float)


@attrs.frozen(kw_only=True, eq=False)
class Population:
    """Cells with the equations of one model and parameters of their own.

    Parameters
    ----------
    model : CellModel
        Equations, and the values of all parameters that do not vary.
    parameters : mapping of str to array, shape (n_cells,)
        Quantities: the parameters that vary (kept as SI arrays).
    name : str
        Prefix of the cells' ids (default: the model's name).
    description : mapping
        How the parameters were drawn (for provenance).

    Examples
    --------
    >>> from cleo_like.cells import get_cell
    >>> Population.draw(get_cell("passive"), 3, {"gL": 0.5, "C": 0.35}, seed=1)
    Population of 3 passive: gL 5.9..7.54 nS, C 63.4..137 pF
    """

    model: CellModel = attrs.field(converter=_a_model)
    parameters: Mapping[str, Float[np.ndarray, "n_cells"]] = attrs.field(
        converter=attrs.Converter(_si_arrays, takes_self=True)
    )
    name: str = attrs.field()
    description: Mapping[str, Any] = attrs.field(factory=dict, converter=frozen_mapping)

    @name.default
    def _name_of_model(self) -> str:
        return self.model.name

    def __attrs_post_init__(self) -> None:
        """Check names and shapes."""
        for name, values in self.parameters.items():
            if values.ndim != 1 or not np.isfinite(values).all():
                msg = f"{name} must be finite values of shape (n_cells,), got {values.shape}"
                raise InputError(msg)
        sizes = {name: len(v) for name, v in self.parameters.items()}
        if len(set(sizes.values())) != 1:
            msg = f"parameters need one value per cell each, got {sizes}"
            raise InputError(msg)

    @classmethod
    def draw(
        cls,
        model: CellModel,
        size: int,
        spread: Mapping[str, float],
        *,
        seed: int,
        name: str | None = None,
    ) -> Population:
        """Draw log-normal parameters whose medians are the model's values.

        Parameters
        ----------
        model : CellModel
            Equations and medians.
        size : int
            Number of cells.
        spread : mapping of str to float
            Standard deviation of the natural logarithm of each parameter that varies.
        seed : int
            Seed of the draw.
        name : str, optional
            Prefix of the cells' ids.

        Returns
        -------
        Population
            The draw is in its `description`.
        """
        model = _a_model(model)
        if whole_number("size")(size) < 1:
            msg = f"a population needs at least 1 cell, got size={size}"
            raise InputError(msg)
        spread = as_mapping(spread, "spread")
        missing = sorted(set(spread) - set(model.parameters))
        if missing or not spread:
            known = ", ".join(model.parameters)
            msg = f"spread names {missing or 'nothing'}; {model.name!r} has {known}"
            raise InputError(msg)
        spreads = {k: number(s, f"spread of {k}") for k, s in spread.items()}
        negative = {k: s for k, s in spreads.items() if not s >= 0}
        if negative:
            msg = f"spread is a standard deviation of the logarithm (>= 0), got {negative}"
            raise InputError(msg)
        rng = np.random.default_rng(whole_number("seed", 0)(seed))
        drawn = {
            key: _with_unit(model.parameters[key], np.exp(sd * rng.standard_normal(size)))
            for key, sd in spreads.items()
        }
        return cls(
            model=model,
            parameters=drawn,
            name=name if name is not None else model.name,
            description={"size": size, "spread": spreads, "seed": seed},
        )

    def __len__(self) -> int:
        """Count the cells."""
        return len(next(iter(self.parameters.values())))

    def cell_parameters(self, index: int) -> dict[str, float]:
        """All parameters of one cell (SI)."""
        own = {k: float(v[index]) for k, v in self.parameters.items()}
        return dict(self.model.parameters) | own

    def __repr__(self) -> str:
        """One line with the range of what varies."""
        eqs = self.model.brian_equations()
        ranges = []
        for key, values in self.parameters.items():
            unit = str(eqs[key].unit)
            known = unit in UNITS
            ranges.append(f"{key} {show_range(values, unit if known else '1', 3)}")
            ranges[-1] += "" if known else f" {unit}"
        return f"Population of {len(self)} {self.name}: {', '.join(ranges)}"


def _with_unit(median: SIFloat, factors: np.ndarray) -> Any:
    from brian2 import Quantity
    from brian2.units.fundamentalunits import get_or_create_dimension

    return Quantity(median * factors, dim=get_or_create_dimension(median.dimension))

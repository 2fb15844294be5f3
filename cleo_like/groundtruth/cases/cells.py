"""The cells of a study: those of the library, and others drawn about them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.cells import Population, get_cell
from cleo_like.cells.reference_properties import KnownAnswers, known_answers, rheobase
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.cells import CellModel

SPREAD = 0.15
"""SD of the logarithm of leak, capacitance and half of it for the other conductances: cells
of one type differ by 10 to 30 % in resistance (Gouwens et al. 2019)."""
_TRIES = 20


@attrs.frozen(kw_only=True, eq=False)
class StudyCell:
    """A cell with what must be known of it before it can be stimulated.

    Parameters
    ----------
    model : CellModel
        Equations, with this cell's parameters.
    answers : KnownAnswers
        At rest, from the equations.
    rheobase : float
        Least current (A) that evokes a spike in 0.5 s; NaN for a passive cell.
    """

    model: CellModel
    answers: KnownAnswers
    rheobase: float

    @property
    def spikes(self) -> bool:
        """Whether it can fire."""
        return bool(np.isfinite(self.rheobase))


@functools.lru_cache(maxsize=256)
def study_cell(name: str, member: int, root: int) -> StudyCell:
    """Give a cell of a study.

    Parameters
    ----------
    name : str
        Of the library.
    member : int
        0 is the library's own. Others are drawn; one without a rest or that does not fire is
        drawn again.
    root : int
        Seed of the study.

    Raises
    ------
    InputError
        No cell with a rest was found.

    Examples
    --------
    >>> study_cell("passive", 0, 1).spikes
    False
    """
    base = get_cell(name)
    if member == 0:
        return _known(base)
    for attempt in range(_TRIES):
        seed = int(np.random.SeedSequence((root, member, attempt)).generate_state(1)[0])
        drawn = Population.draw(base, 1, _spreads(base.parameters), seed=seed)
        found = _known(attrs.evolve(base, parameters=_quantities(base, drawn)))
        alive = np.isfinite(found.answers.resting_potential)
        if alive and (found.spikes or name == "passive"):
            return found
    msg = f"none of {_TRIES} cells drawn about {name!r} has a rest and fires"
    raise InputError(msg)


def _known(model: CellModel) -> StudyCell:
    answers = known_answers(model)
    least = np.nan
    if model.name != "passive":
        least = rheobase(model, "0.5 s", resolution="0.5 pA", maximum="1.5 nA")
    return StudyCell(model=model, answers=answers, rheobase=least)


def _spreads(parameters: Mapping[str, object]) -> dict[str, float]:
    out = {}
    for name in parameters:
        if name in {"gL", "C"}:
            out[name] = SPREAD
        elif name.startswith("g"):
            out[name] = SPREAD / 2
    return out


def _quantities(base: CellModel, drawn: Population) -> dict[str, object]:
    """Parameters of the drawn cell with the units of the model's."""
    from brian2 import Quantity
    from brian2.units.fundamentalunits import get_or_create_dimension

    values = drawn.cell_parameters(0)
    return {
        name: Quantity(values[name], dim=get_or_create_dimension(own.dimension))
        for name, own in base.parameters.items()
    }

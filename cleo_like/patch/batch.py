"""What to simulate: traces (cell x sweep) of one model, as arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells import CellModel, Dynamics, Population, get_cell
from cleo_like.cells.reference_properties import answers_at_rest
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jaxtyping import Float, Int

    from cleo_like.core import Protocol
    from cleo_like.engine.integrators import LinearPart
    from cleo_like.patch.names import Cells, OneCell


@attrs.frozen(kw_only=True, eq=False)
class Specimen:
    """One cell to record from: its model, its parameters (SI) and its name."""

    id: str
    model: CellModel
    parameters: Mapping[str, float]


@attrs.frozen(kw_only=True, eq=False)
class Job:
    """All traces of cells with the same equations.

    Attributes
    ----------
    model : CellModel
        Equations, method, step.
    parameters : mapping of str to array, shape (n_traces,)
        Values of all parameters (SI).
    sweep : array of int, shape (n_traces,)
        Row of `waveforms` that each trace plays.
    initial : array, shape (states, n_traces)
        State at the first sample.
    waveforms : array, shape (n_waveforms, n_samples)
        Injected current (A), held for one sampling interval each.
    rate : float
        Sampling rate (Hz).
    dt : float
        Integration step (s); divides the sampling interval.
    recorded : tuple of str
        Variables that are sampled.
    unit : str
        Brian2's unit of the waveforms: "amp", or "volt" for a voltage clamp.
    linear : LinearPart, optional
        States that the integrator advances exactly (a pipette's).
    coefficients : mapping of str to array, shape (n_traces,)
        Of the linear part.
    before : float, optional
        Command before the first sample; None: the first sample's.
    """

    model: CellModel
    parameters: Mapping[str, Float[np.ndarray, "n_traces"]]
    sweep: Int[np.ndarray, "n_traces"]
    states: tuple[str, ...]
    initial: Float[np.ndarray, "states n_traces"]
    waveforms: Float[np.ndarray, "n_waveforms n_samples"]
    rate: float
    dt: float
    recorded: tuple[str, ...]
    unit: str = "amp"
    linear: LinearPart | None = None
    coefficients: Mapping[str, Float[np.ndarray, "n_traces"]] = attrs.field(factory=dict)
    before: float | None = None

    @property
    def n_traces(self) -> int:
        """Number of traces."""
        return len(self.sweep)

    @property
    def n_samples(self) -> int:
        """Samples per trace."""
        return self.waveforms.shape[1]

    def part(self, start: int, stop: int) -> Job:
        """Give the traces [start, stop) as a job of their own."""
        return attrs.evolve(
            self,
            parameters={k: v[start:stop] for k, v in self.parameters.items()},
            sweep=self.sweep[start:stop],
            initial=self.initial[:, start:stop],
            coefficients={k: v[start:stop] for k, v in self.coefficients.items()},
        )


def specimens(cells: Cells) -> list[Specimen]:
    """Turn what users call cells into a flat list with unique names.

    Parameters
    ----------
    cells : str, CellModel, Population, or a sequence of these
        A text is the name of a library cell.

    Examples
    --------
    >>> [s.id for s in specimens(["passive", "passive", "rs"])]
    ['passive-1', 'passive-2', 'rs']
    """
    sequence: Sequence[Any] = cells if isinstance(cells, (list, tuple)) else [cells]
    found = [s for cell in sequence for s in _specimens_of(cell)]
    if not found:
        msg = "there is no cell to record from: give a name, a CellModel or a Population"
        raise InputError(msg)
    counts: dict[str, int] = {}
    for s in found:
        counts[s.id] = counts.get(s.id, 0) + 1
    seen: dict[str, int] = {}
    unique = []
    for s in found:
        seen[s.id] = seen.get(s.id, 0) + 1
        unique.append(attrs.evolve(s, id=f"{s.id}-{seen[s.id]}") if counts[s.id] > 1 else s)
    return unique


def _specimens_of(cell: OneCell) -> Iterable[Specimen]:
    if isinstance(cell, str):
        cell = get_cell(cell)
    if isinstance(cell, CellModel):
        return [Specimen(id=cell.name, model=cell, parameters=cell.parameters)]
    if isinstance(cell, Population):
        digits = len(str(len(cell)))
        return [
            Specimen(
                id=f"{cell.name}-{k + 1:0{digits}d}",
                model=cell.model,
                parameters=cell.cell_parameters(k),
            )
            for k in range(len(cell))
        ]
    msg = f"a cell is a name, a CellModel or a Population, got {type(cell).__name__}: {cell!r}"
    raise InputError(msg)


def same_equations(found: list[Specimen]) -> list[list[int]]:
    """Group specimens (by index) that can run as one NeuronGroup."""
    groups: dict[Any, list[int]] = {}
    for k, s in enumerate(found):
        m = s.model
        units = tuple((name, value.unit) for name, value in m.parameters.items())
        key = (m.equations, units, m.threshold, m.reset, m.refractory, m.spike_level,
               m.method, m.dt, m.fine_dt, m.voltage, m.current, _start(m))  # fmt: skip
        groups.setdefault(key, []).append(k)
    return list(groups.values())


def _start(model: CellModel) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, repr(value)) for name, value in model.initial.items()))


def integration_step(rate: float, longest: float) -> float:
    """Give the longest step that is at most `longest` and divides the sampling interval.

    Examples
    --------
    >>> round(integration_step(20_000, 20e-6) * 1e6, 3)
    16.667
    """
    return 1 / (rate * math.ceil(1 / (rate * longest) - 1e-9))


def make_job(
    cells: list[Specimen],
    protocol: Protocol,
    *,
    sequential: bool,
    dt: float | None,
    rest: Float[np.ndarray, "states n_cells"],
) -> Job:
    """Lay out all cells x all sweeps (or all cells, sweeps in sequence) as traces."""
    model = cells[0].model
    if sequential:
        waveforms = concatenated(protocol)
        cell_of = np.arange(len(cells))
        sweep = np.zeros(len(cells), dtype=int)
    else:
        waveforms = protocol.waveforms
        cell_of = np.repeat(np.arange(len(cells)), protocol.n_sweeps)
        sweep = np.tile(np.arange(protocol.n_sweeps), len(cells))
    parameters = {
        name: np.array([c.parameters[name] for c in cells])[cell_of]
        for name in model.parameters
    }
    return Job(
        model=model,
        parameters=parameters,
        sweep=sweep,
        states=Dynamics(model).states,
        initial=rest[:, cell_of],
        waveforms=waveforms,
        rate=protocol.rate,
        dt=integration_step(protocol.rate, dt if dt is not None else model.dt),
        recorded=(model.voltage,),
    )


def gap_samples(protocol: Protocol) -> int:
    """Length of the pause between sweeps in samples."""
    return round(protocol.gap * protocol.rate)


def concatenated(protocol: Protocol) -> Float[np.ndarray, "one n_samples"]:
    """Lay all sweeps one after another, with holding in the gaps: shape (1, n)."""
    gap = np.full((protocol.n_sweeps, gap_samples(protocol)), protocol.holding)
    return np.hstack([protocol.waveforms, gap]).reshape(1, -1)


def rest_and_answers(
    cells: list[Specimen], holding: float
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """State at holding, whether it is a stable rest, and the known answers of each cell.

    A cell without a stable rest, or whose equations depend on time, starts from the model's
    initial values.
    """
    model = cells[0].model
    dynamics = Dynamics(model)
    values: dict[str, Any] = {
        k: np.array([c.parameters[k] for c in cells]) for k in model.parameters
    }
    unclamped = dynamics.rest(0.0, values, n_cells=len(cells))
    with np.errstate(invalid="ignore"):
        answers = answers_at_rest(dynamics, unclamped, values)
    state = unclamped
    if holding != 0:
        state = dynamics.rest(holding, values, n_cells=len(cells))
    resting = np.isfinite(state).all(axis=0)
    return np.where(resting, state, dynamics.start(values, len(cells))), resting, answers

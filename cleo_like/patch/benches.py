"""All cells x all sweeps behind an electrode: what is to be run, and what comes out.

`IdealBench` records the potential itself; `RigBench` puts a pipette into every cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells import Dynamics
from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.engine.integrators import coefficients_of
from cleo_like.patch.batch import make_job
from cleo_like.patch.electrode import IdealElectrode
from cleo_like.patch.pipette.amplifier import STABLE, VoltageClamp
from cleo_like.patch.pipette.circuit import (
    OUTPUT,
    circuit_values,
    linear_of,
    series_estimate,
    wired,
)
from cleo_like.patch.pipette.noise import Load
from cleo_like.patch.pipette.readout import Readout

if TYPE_CHECKING:
    from cleo_like.core import Protocol
    from cleo_like.engine.integrators import Linear, LinearPart
    from cleo_like.patch.batch import Job, Specimen
    from cleo_like.patch.pipette.pipette import PatchPipette

_GROWTH = 1e-3
"""Real part of an eigenvalue (1/s) above which a clamp without a membrane's leak is unstable:
its slowest honest mode has 0, and rounding of rates of 1e6/s leaves less than this."""


IDEAL_SETTINGS = {
    "gain": 1.0, "bridge_balance": 0.0, "capacitance_compensation": 0.0, "bias_current": 0.0,
}  # fmt: skip


class _Bench:
    """What a recording run asks of either bench.

    Parameters
    ----------
    pipette : PatchPipette
        The rig.
    protocol : Protocol
        What it plays.
    answers : mapping of str to array, shape (n_cells,)
        Known answers of the cells.
    """

    def __init__(
        self, pipette: PatchPipette, protocol: Protocol, answers: dict[str, np.ndarray]
    ) -> None:
        self.pipette, self.protocol, self.answers = pipette, protocol, answers


class IdealBench(_Bench):
    """Cells whose potential is recorded as it is."""

    @property
    def _electrode(self) -> IdealElectrode:
        electrode = self.pipette.electrode
        if not isinstance(electrode, IdealElectrode):
            msg = f"an ideal bench needs an IdealElectrode, got {electrode!r}"
            raise InputError(msg)
        return electrode

    def lay_out(
        self,
        cells: list[Specimen],
        rest: np.ndarray,
        resting: np.ndarray,
        **options: Any,
    ) -> tuple[Job, np.ndarray]:
        """Give the traces, and whether each cell starts from a rest."""
        del options["keep_voltage"]  # it is what is recorded
        return make_job(cells, self.protocol, rest=rest, **options), resting

    def respond(
        self, cell: int, samples: dict[str, np.ndarray], rngs: list[np.random.Generator]
    ) -> tuple[np.ndarray, tuple[str, ...]]:
        """Give the recorded sweeps of a cell, and what is to be said of them."""
        del cell
        (voltage,) = samples.values()
        return self._electrode.record(voltage, self.protocol.rate, rngs), ()

    def commands(self) -> np.ndarray:
        """Give what is commanded, sweep by sweep."""
        return self.protocol.waveforms

    def settings(self) -> dict[str, float]:
        """Give the settings of a sweep."""
        return IDEAL_SETTINGS

    def device(self) -> dict[str, Any]:
        """Give what a file says of the rig."""
        return self.pipette.description()

    def truth(self) -> dict[str, Any]:
        """Give the known answers of the rig: it has none."""
        return {}


class RigBench(_Bench):
    """Cells with a pipette in them."""

    _wired: Wired

    def lay_out(
        self,
        cells: list[Specimen],
        rest: np.ndarray,
        resting: np.ndarray,
        *,
        sequential: bool,
        **options: Any,
    ) -> tuple[Job, np.ndarray]:
        """Give the traces, and whether each cell starts from a rest with the pipette in it."""
        del rest, resting  # those of cells without a pipette
        self._wired = wire(cells, self.protocol, self.pipette, sequential=sequential, **options)
        self._per_cell = 1 if sequential else self.protocol.n_sweeps
        at_rest = self._wired.resting.reshape(-1, self._per_cell).all(axis=1)
        return self._wired.job, np.asarray(at_rest)

    @property
    def readout(self) -> Readout:
        """The output side."""
        return Readout(self.pipette, self.protocol.rate, self.protocol.start_times)

    def respond(
        self, cell: int, samples: dict[str, np.ndarray], rngs: list[np.random.Generator]
    ) -> tuple[np.ndarray, tuple[str, ...]]:
        """Give the recorded sweeps of a cell, and what is to be said of them."""
        response, findings = self.readout.record(samples[OUTPUT], self.load(cell), rngs)
        beyond = self.readout.beyond_headstage(samples[OUTPUT])
        return response, (*self.readout.findings(), *beyond, *findings)

    def load(self, cell: int) -> Load:
        """Give what noise sees of a cell."""
        resistance = float(self.answers["input_resistance"][cell])
        return Load(
            capacitance=float(self._wired.capacitance[cell * self._per_cell]),
            resistance=resistance if resistance > 0 else np.inf,
        )

    def commands(self) -> np.ndarray:
        """Give what is commanded, as the converter plays it."""
        return played(self.protocol, self.pipette)

    def settings(self) -> dict[str, float]:
        """Give the settings of a sweep."""
        return self.readout.settings()

    def device(self) -> dict[str, Any]:
        """Give what a file says of the rig."""
        return self.readout.device()

    def truth(self) -> dict[str, Any]:
        """Give the known answers of the rig."""
        return self.readout.truth()


Bench = IdealBench | RigBench


@attrs.frozen(eq=False)
class Wired:
    """A job with a pipette in every cell.

    Attributes
    ----------
    job : Job
        Traces to run.
    resting : array of bool, shape (n_traces,)
        Whether a trace starts from a stable rest.
    capacitance : array, shape (n_traces,)
        Membrane capacitance (F) that the pipette sees.
    """

    job: Job
    resting: np.ndarray
    capacitance: np.ndarray


def wire(
    cells: list[Specimen],
    protocol: Protocol,
    pipette: PatchPipette,
    *,
    sequential: bool,
    dt: float | None,
    keep_voltage: bool,
) -> Wired:
    """Put a pipette into every cell and lay out the traces.

    Raises
    ------
    InputError
        The clamp is not stable with these cells; says which correction would be.
    UnsupportedError
        The equations have noise, or an access resistance that drifts in sequential sweeps.
    """
    model = wired(cells[0].model, pipette)
    placed = [
        attrs.evolve(c, model=model, parameters=dict(model.parameters) | dict(c.parameters))
        for c in cells
    ]
    added = added_by(pipette)
    commanded = attrs.evolve(
        protocol,
        waveforms=played(protocol, pipette) + added,
        holding=protocol.holding + added,
    )
    none = np.zeros((len(Dynamics(model).states), len(cells)))
    dt = model.fine_dt if dt is None else dt
    job = make_job(placed, commanded, sequential=sequential, dt=dt, rest=none)
    n = job.n_traces
    parameters = dict(job.parameters) | circuit_values(
        pipette, _access(protocol, pipette, len(cells), sequential=sequential)
    )
    part, matrices = linear_of(model, parameters, n)
    _check_stable(pipette, part, matrices)
    before = commanded.holding
    initial, resting = _rest(Dynamics(model), parameters, before)
    tip = part.states.index("rig_tip")
    coupling = matrices.rates[:, 0, tip]
    return Wired(
        job=attrs.evolve(
            job,
            parameters=parameters,
            initial=initial,
            recorded=(OUTPUT, model.voltage) if keep_voltage else (OUTPUT,),
            unit="volt" if isinstance(pipette.amplifier, VoltageClamp) else "amp",
            linear=part,
            coefficients=coefficients_of(part, matrices, job.dt),
            before=before,
        ),
        resting=resting,
        capacitance=parameters["rig_access"] / coupling,
    )


def added_by(pipette: PatchPipette) -> float:
    """Give what the amplifier adds to the command (A or V)."""
    amplifier, glass = pipette.amplifier, pipette.electrode
    if isinstance(amplifier, VoltageClamp):
        # the reported potential is the true one plus the error, so the true one is less
        return float(amplifier.holding) - glass.error  # type: ignore[union-attr]
    return float(amplifier.holding)  # type: ignore[union-attr]


def played(protocol: Protocol, pipette: PatchPipette) -> np.ndarray:
    """Give the command as the converter plays it, without what the amplifier adds."""
    digitiser = pipette.digitiser
    if digitiser is None or digitiser.command is None:
        return protocol.waveforms
    return digitiser.command.quantise(protocol.waveforms)


def _access(
    protocol: Protocol, pipette: PatchPipette, n_cells: int, *, sequential: bool
) -> np.ndarray:
    glass = pipette.electrode
    access = glass.access(protocol.start_times)  # type: ignore[union-attr]
    if not sequential:
        return np.tile(access, n_cells)
    if glass.drifts:  # type: ignore[union-attr]
        msg = (
            "an access resistance that drifts is constant within a trace, and sequential "
            "sweeps are one trace; leave out access_resistance_end, or sequential=True"
        )
        raise UnsupportedError(msg)
    return np.repeat(access[:1], n_cells)


def _rest(
    dynamics: Dynamics, parameters: dict[str, np.ndarray], command: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find the rest of each trace at the holding command; equal traces once."""
    table = np.array([parameters[name] for name in sorted(parameters)])
    _, first, which = np.unique(table, axis=1, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    values = {name: array[first] for name, array in parameters.items()}
    state = dynamics.rest(command, values, n_cells=len(first))
    resting = np.isfinite(state).all(axis=0)
    start = dynamics.start(values, len(first))
    return np.where(resting, state, start)[:, which], resting[which]


def _check_stable(pipette: PatchPipette, part: LinearPart, matrices: Linear) -> None:
    """Refuse a clamp whose feedback would oscillate with these cells."""
    amplifier = pipette.amplifier
    if not isinstance(amplifier, VoltageClamp):
        return
    matrices, _ = matrices.distinct()
    if _stable(matrices):
        return
    row = part.states.index("rig_clamp")
    monitor = part.states.index("rig_monitor")
    feedback = matrices.rates[:, row, monitor].copy()
    low, high = 0.0, float(amplifier.correction)
    for _ in range(20):
        middle = (low + high) / 2
        matrices.rates[:, row, monitor] = feedback * middle / amplifier.correction
        low, high = (middle, high) if _stable(matrices) else (low, middle)
    estimate, glass = series_estimate(pipette.glass, amplifier), pipette.glass
    msg = (
        f"the clamp is not stable: correction {amplifier.correction:g} of "
        f"series_resistance {estimate / 1e6:g} MOhm is more than the access resistance of "
        f"{glass.access_resistance / 1e6:g} MOhm bears with {glass.capacitance * 1e12:g} pF of "
        f"pipette, of which fast_capacitance takes {amplifier.fast_capacitance * 1e12:g} pF "
        f"away; give correction={min(STABLE * low, STABLE):.3g} or less, or the right "
        "series_resistance and fast_capacitance"
    )
    raise InputError(msg)


def _stable(matrices: Linear) -> bool:
    return bool((np.linalg.eigvals(matrices.rates).real.max(axis=1) < _GROWTH * 1e3).all())

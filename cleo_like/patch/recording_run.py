"""The bench: all cells x all sweeps in one Brian2 run, and out come recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells.reading import TIME, uses
from cleo_like.core import (
    Cell,
    ClampMode,
    GroundTruth,
    Protocol,
    Provenance,
    Recording,
    Sweep,
)
from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.core.provenance import hash_of, now
from cleo_like.core.units import number, si
from cleo_like.patch.backends.choose import simulate
from cleo_like.patch.backends.objects import block_seed
from cleo_like.patch.batch import (
    Specimen,
    gap_samples,
    rest_and_answers,
    same_equations,
    specimens,
)
from cleo_like.patch.benches import Bench, IdealBench, RigBench
from cleo_like.patch.electrode import IdealElectrode
from cleo_like.patch.pipette import PatchPipette, rig_preset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleo_like.cells import CellModel
    from cleo_like.core.units import Quantity
    from cleo_like.patch.backends.choose import Backend, Simulation
    from cleo_like.patch.backends.objects import Block
    from cleo_like.patch.batch import Job
    from cleo_like.patch.names import Cells, Rig


def record(  # noqa: PLR0913  # as many as a recording has settings
    cells: Cells,
    protocol: Protocol,
    *,
    electrode: IdealElectrode | PatchPipette | str | None = None,
    seed: int | None = None,
    backend: Backend = "auto",
    threads: int | None = None,
    sequential: bool = False,
    dt: Quantity | None = None,
    keep_voltage: bool = False,
    membrane_test: bool = False,
    memory: float = 512e6,
    progress: bool | None = None,
    consume: Callable[[Recording], Any] | None = None,
) -> list[Any]:
    """Play a protocol to cells and record from them.

    Cells that share their equations run as one NeuronGroup of cells x sweeps. Every sweep
    starts from the cell's rest at the holding current, unless `sequential`.

    Parameters
    ----------
    cells : str, CellModel, Population, or a sequence of these
        What to record from; a text is the name of a library cell.
    protocol : Protocol
        Sweeps of current clamp, or of voltage clamp for a pipette with `VoltageClamp`.
    electrode : IdealElectrode, PatchPipette or str, optional
        Noise and filter of the recording (default: none of either), or a whole rig; a text is
        the name of one ("multiclamp_700b"), which clamps what the protocol commands.
    seed : int, optional
        Seed of the recording noise and of noise in the equations. None draws one, which
        the provenance keeps.
    backend : str
        "auto" (default): "compiled" where the equations allow it, else "brian2" with a
        warning that says why. "compiled" runs the whole time loop in one compiled function
        made from the Brian2 equations; "brian2" is Brian2's own loop (Cython, or numpy
        without a compiler); "cpp_standalone" a standalone program of Brian2.
    threads : int, optional
        Threads of the compiled loop (default: one per core). The recordings are the same
        for any number.
    sequential : bool
        Play the sweeps one after another to each cell, with the protocol's gap at holding
        between them, so that slow states carry over as on a rig.
    dt : quantity, optional
        Longest integration step (default: the model's); the step used divides the
        sampling interval.
    keep_voltage : bool
        Keep the noise-free membrane potential at the sampling rate in the ground truth.
    membrane_test : bool
        Estimate access, input resistance and capacitance from the test pulse of each sweep,
        and write them into its settings, as a rig's software does (`with_membrane_test`);
        the truth is in ``truth.answers``.
    memory : float
        Bound on the simulation's recording buffer in bytes (default 512 MB); more traces
        than fit run in blocks. The recordings themselves take 4 bytes a sample.
    progress : bool, optional
        Show a progress bar; None (default) shows it on a terminal only.
    consume : callable, optional
        Called with each recording as soon as its cell is done (a writer, a feature
        extractor); its results are returned and the recordings are not kept, so that the
        memory stays within the bound for any number of cells.

    Returns
    -------
    list of Recording
        One per cell, in the order given, with ground truth; or what `consume` made of them.

    Raises
    ------
    UnknownNameError
        No library cell has that name.
    UnsupportedError
        Voltage clamp with an ideal electrode, or equations that the method cannot integrate.
    InputError
        Wrong arguments, or a potential that does not stay finite.

    Examples
    --------
    >>> from cleo_like import Protocol
    >>> protocol = Protocol(waveforms=np.full((1, 200), 1e-11), rate=2e4, family="arbitrary")
    >>> record("passive", protocol, seed=1)
    [Recording of passive: 1 sweep, 10 ms at 20 kHz, current_clamp, -70..-69.22 mV, command 10..10 pA]
    """  # noqa: E501
    if not isinstance(protocol, Protocol):
        kind = type(protocol).__name__
        msg = f"protocol must be a Protocol (parse_protocol makes one of text), got {kind}"
        raise InputError(msg)
    pipette = _pipette(electrode, protocol)
    if membrane_test and not has_test_pulse(protocol):
        msg = (
            f"membrane_test=True needs a test pulse in {protocol.name!r}: give the family "
            "test_pulse='-20 pA' ('-5 mV' in voltage clamp), or put one in front of the "
            "protocol (stimuli.with_test_pulse); features.clamp.membrane_test(start=, end=) "
            "takes any pulse"
        )
        raise InputError(msg)
    step = None if dt is None else si(dt, "s", "dt")
    if step is not None and not step > 0:
        msg = f"dt must be above 0 ms, got {step * 1e3:g} ms"
        raise InputError(msg)
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    seed, memory = whole_number("seed", 0)(seed), number(memory, "memory")
    threads = None if threads is None else whole_number("threads", 1)(threads)
    run = _Run(
        protocol=protocol, pipette=pipette, seed=seed, backend=backend, threads=threads,
        sequential=sequential, dt=step, keep_voltage=keep_voltage, memory=memory,
        input_hash=hash_of(protocol.waveforms), membrane_test=membrane_test,
    )  # fmt: skip
    found = specimens(cells)
    results: dict[int, Any] = {}
    with _bar(found, protocol, shown=progress, sequential=sequential) as bar:
        for indices in same_equations(found):
            group = [found[k] for k in indices]
            for k, recording in zip(indices, run.group(group, indices, bar), strict=True):
                results[k] = recording if consume is None else consume(recording)
    return [results[k] for k in range(len(found))]


@attrs.frozen(kw_only=True, eq=False)
class _Run:
    """The arguments of one call of `record`."""

    protocol: Protocol
    pipette: PatchPipette
    seed: int
    backend: Backend
    threads: int | None
    sequential: bool
    dt: float | None
    keep_voltage: bool
    membrane_test: bool
    memory: float
    input_hash: str

    def group(self, cells: list[Specimen], indices: list[int], bar: Any) -> Iterator[Recording]:
        """Record from cells of the same equations; a cell is given when its last trace is."""
        rest, resting, answers = rest_and_answers(cells, self.protocol.holding)
        kind = IdealBench if self.pipette.is_ideal else RigBench
        bench: Bench = kind(self.pipette, self.protocol, answers)
        job, resting = bench.lay_out(
            cells, rest, resting,
            sequential=self.sequential, dt=self.dt, keep_voltage=self.keep_voltage,
        )  # fmt: skip
        per_cell = 1 if self.sequential else self.protocol.n_sweeps
        simulation = simulate(
            job, backend=self.backend, memory=self.memory, threads=self.threads,
            seed=block_seed(self.seed, indices[0]),
            report=bar.update,
        )  # fmt: skip
        for k, traces in enumerate(_by_cell(simulation.blocks, per_cell)):
            samples, spikes = self._sweeps(*traces)
            voltage = samples.get(job.model.voltage)
            truth = GroundTruth(
                spike_times=spikes,
                voltage=list(voltage) if self.keep_voltage and voltage is not None else None,
                model=cells[k].model.name,
                parameters=cells[k].parameters,
                answers={name: float(value[k]) for name, value in answers.items()}
                | bench.truth(),
            )
            response, found = bench.respond(k, samples, self._rngs(indices[k]))
            recording = self._recording(cells[k], response, bench)
            findings = () if resting[k] else (_no_rest(cells[k]),)
            made = attrs.evolve(
                recording,
                truth=truth,
                findings=(*findings, *_long_step(cells[k].model, job.dt), *found),
                provenance=self._provenance(cells[k], job, simulation, recording.session_start),
            )
            yield _tested(made) if self.membrane_test else made

    def _sweeps(
        self, samples: dict[str, np.ndarray], spikes: list[np.ndarray]
    ) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
        """Cut the one long trace of a sequential run into sweeps."""
        if not self.sequential:
            return samples, spikes
        n, gap = self.protocol.n_samples, gap_samples(self.protocol)
        cut = {
            name: values.reshape(self.protocol.n_sweeps, n + gap)[:, :n]
            for name, values in samples.items()
        }
        starts = np.arange(self.protocol.n_sweeps) * (n + gap) / self.protocol.rate
        length = self.protocol.duration
        times = spikes[0]
        inside = [times[(times >= s) & (times < s + length)] - s for s in starts]
        return cut, inside

    def _rngs(self, index: int) -> list[np.random.Generator]:
        """Give a stream to every cell and sweep: the same noise in any block layout."""
        return [
            np.random.default_rng(np.random.SeedSequence((self.seed, index, sweep)))
            for sweep in range(self.protocol.n_sweeps)
        ]

    def _recording(self, cell: Specimen, response: np.ndarray, bench: Bench) -> Recording:
        """Put the recorded sweeps together."""
        starts, commands = self.protocol.start_times, bench.commands()
        sweeps = [
            Sweep(
                mode=self.protocol.mode,
                response=response[k],
                command=commands[k],
                rate=self.protocol.rate,
                number=k,
                start_time=starts[k],
                stimulus=self.protocol.name,
                settings=bench.settings(),
            )
            for k in range(self.protocol.n_sweeps)
        ]
        return Recording(
            sweeps=sweeps,
            cell=Cell(id=cell.id, source=f"model {cell.model.name}: {cell.model.source}"),
            provenance=Provenance(source="simulation"),
            protocol=self.protocol,
            session_start=now(),
            device=bench.device(),
        )

    def _provenance(
        self, cell: Specimen, job: Job, simulation: Simulation, created: str | None
    ) -> Provenance:
        return Provenance.of_simulation(
            "brian2",
            "scipy",
            parameters={
                "cell": cell.id,
                "model": cell.model.name,
                "model_source": cell.model.source,
                "equations": cell.model.equations,
                "cell_parameters": dict(cell.parameters),
                "method": cell.model.method if job.linear is None else "exponential_rk4",
                "dt": job.dt,
                "backend": simulation.backend,
                "sequential": self.sequential,
                "traces_per_block": simulation.block_size,
                "electrode": self.pipette.description(),
            },
            seed=self.seed,
            input_hash=self.input_hash,
            created=created,
        )


def _pipette(electrode: Rig | None, protocol: Protocol) -> PatchPipette:
    """Give the rig that is meant, and check that it can play the protocol."""
    if electrode is None:
        electrode = IdealElectrode()
    if isinstance(electrode, str):
        electrode = rig_preset(electrode, protocol.mode)
    if isinstance(electrode, IdealElectrode):
        electrode = PatchPipette(electrode=electrode, name="ideal")
    if not isinstance(electrode, PatchPipette):
        msg = (
            "electrode must be an IdealElectrode, a PatchPipette or the name of a rig, got "
            f"{electrode!r}"
        )
        raise InputError(msg)
    if electrode.is_ideal and protocol.mode is not ClampMode.CURRENT:
        msg = (
            f"the ideal electrode records in current clamp; the protocol is {protocol.mode}: "
            f"give electrode='multiclamp_700b' or a PatchPipette(amplifier=VoltageClamp(...))"
        )
        raise UnsupportedError(msg)
    electrode.check(protocol)
    return electrode


def has_test_pulse(protocol: Protocol) -> bool:
    """Tell whether a protocol has a test pulse of its own in front."""
    return any(epoch.name == "test_pulse" for epoch in protocol.epochs)


def _tested(recording: Recording) -> Recording:
    """Measure the test pulses in what was recorded, and that alone."""
    from cleo_like.features.clamp import with_membrane_test

    return with_membrane_test(recording)


def _long_step(model: CellModel, dt: float) -> tuple[str, ...]:
    """Say what a step that was asked for costs, where the model's own is shorter."""
    alone = len(model.brian_equations().diff_eq_names) == 1  # no gate that could be missed
    if alone or dt <= model.dt * (1 + 1e-9):
        return ()
    return (
        f"the integration step of {dt * 1e6:g} us is longer than the {model.dt * 1e6:g} us of "
        f"{model.name!r}: spikes may be late, upstrokes and fast currents off by 10 % and more",
    )


def _no_rest(cell: Specimen) -> str:
    reason = "the cell has no stable rest at the holding current"
    if uses(cell.model, TIME):
        reason = "the equations depend on time, so that the cell has no rest"
    return f"{reason}; sweeps start from the model's initial values"


def _by_cell(
    blocks: Iterator[Block], per_cell: int
) -> Iterator[tuple[dict[str, np.ndarray], list[np.ndarray]]]:
    """Regroup blocks of traces, whatever their size, into the traces of one cell each."""
    samples: dict[str, list[np.ndarray]] = {}
    spikes: list[np.ndarray] = []
    for block in blocks:
        for name, values in block.samples.items():
            samples.setdefault(name, []).extend(values)
        spikes.extend(block.spike_times)
        while len(spikes) >= per_cell:
            yield (
                {n: np.stack(traces[:per_cell]) for n, traces in samples.items()},
                spikes[:per_cell],
            )
            del spikes[:per_cell]
            for traces in samples.values():
                del traces[:per_cell]
        # the next block overwrites its buffers
        samples = {n: [trace.copy() for trace in traces] for n, traces in samples.items()}


def _bar(
    found: list[Specimen], protocol: Protocol, *, shown: bool | None, sequential: bool
) -> Any:
    from tqdm.auto import tqdm

    total = len(found) * protocol.n_sweeps * protocol.duration
    if sequential:
        total += len(found) * protocol.n_sweeps * gap_samples(protocol) / protocol.rate
    return tqdm(
        total=round(total, 3),
        desc=f"recording {len(found)} cells x {protocol.n_sweeps} sweeps",
        unit="s",
        bar_format="{l_bar}{bar}| {n:.1f}/{total:.1f} trace-s [{elapsed}<{remaining}]",
        disable=None if shown is None else not shown,
        leave=False,
    )

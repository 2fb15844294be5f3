"""The recording chain: from the cell's own potential at 400 kHz to what a file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core import Cell, Provenance, Recording, Sweep
from cleo_like.core.errors import InputError
from cleo_like.groundtruth.cases.cells import study_cell
from cleo_like.groundtruth.cases.protocols import protocol_of
from cleo_like.patch import IdealElectrode, record
from cleo_like.patch.pipette import PatchPipette
from cleo_like.patch.pipette.amplifier import CurrentClamp
from cleo_like.patch.pipette.digitiser import Digitiser
from cleo_like.patch.pipette.electrode import Electrode

if TYPE_CHECKING:
    from cleo_like.core import Epoch, Protocol
    from cleo_like.groundtruth.cases.cells import StudyCell
    from cleo_like.groundtruth.cases.plan import Case

FINE = 400e3
"""Hz at which cells are run: the integration step is then 2.5 us, and the steepest spike of
the library rises through 10 mV in ten samples."""
_SYNAPSE = 3e-3  # s, of the synaptic currents (Destexhe et al. 2001, excitatory 2.7 ms)
_ACCESS = 20.0  # MOhm in front of a pipette capacitance that is left
_GAIN = 1.0


@attrs.frozen(kw_only=True, eq=False)
class CellRun:
    """A cell's potential in one protocol, before any rig.

    Parameters
    ----------
    cell : StudyCell
        The cell.
    protocol : Protocol
        Commands at `FINE`.
    voltage : array, shape (n_sweeps, n_fine)
        Membrane potential (V), noise-free.
    behind : array, shape (n_sweeps, n_fine)
        Potential of the pipette (V): `voltage` unless a capacitance is left.
    spike_times : tuple of arrays
        Upward crossings of the model's level (s), between integration steps.
    still : array, shape (n_sweeps, n_fine)
        Membrane potential (V) without synaptic currents: `voltage` where there are none.
    """

    cell: StudyCell
    protocol: Protocol
    voltage: np.ndarray
    behind: np.ndarray
    spike_times: tuple[np.ndarray, ...]
    still: np.ndarray

    @property
    def step(self) -> Epoch:
        """The epoch that is measured: step, ramp or chirp."""
        pulses = {"holding", "test_pulse"}
        return next(e for e in self.protocol.epochs if e.name not in pulses)


def run_cell(case: Case) -> CellRun:
    """Simulate a case's cell; all cases of the same `Case.cell_key` give the same.

    Parameters
    ----------
    case : Case
        Cell, protocol, pipette capacitance and synaptic noise are taken from it.
    """
    cell = study_cell(str(case.factors["cell"]), int(case.number("member")), case.root)
    protocol = protocol_of(cell, str(case.factors["protocol"]), FINE)
    played = protocol
    if case.number("synaptic"):
        waveforms = protocol.waveforms + _synaptic(case, cell, protocol)
        played = attrs.evolve(protocol, waveforms=waveforms, epochs=())
    left = case.number("capacitance")
    rig: Any = None
    if left:
        rig = PatchPipette(
            electrode=Electrode(
                access_resistance=f"{_ACCESS} Mohm", capacitance=f"{left} pF",
                johnson_noise=False,
            ),
            amplifier=CurrentClamp(lowpass=None),
        )  # fmt: skip
    (made,) = record(
        cell.model, played, electrode=rig, seed=case.root, keep_voltage=True, progress=False,
        threads=1,
    )  # fmt: skip
    truth = made.truth
    if truth is None or truth.voltage is None:
        msg = f"the simulation of {case.cell} kept no potential"
        raise InputError(msg)
    voltage = np.stack(truth.voltage)
    return CellRun(
        cell=cell,
        protocol=protocol,
        voltage=voltage,
        behind=np.stack([s.response for s in made.sweeps]) if left else voltage,
        spike_times=truth.spike_times if cell.spikes else (np.zeros(0),) * len(voltage),
        still=_without_synapses(case, voltage),
    )


def _without_synapses(case: Case, voltage: np.ndarray) -> np.ndarray:
    """Give the potential that the synaptic currents fluctuate about."""
    if not case.number("synaptic"):
        return voltage
    quiet = attrs.evolve(case, factors={**case.factors, "synaptic": 0.0, "capacitance": 0.0})
    return run_cell(quiet).voltage


def _synaptic(case: Case, cell: StudyCell, protocol: Protocol) -> np.ndarray:
    """Ornstein-Uhlenbeck currents (A) that move the resting cell by the stated SD."""
    from scipy.signal import lfilter

    tau, resistance = cell.answers.time_constant, cell.answers.input_resistance
    size = case.number("synaptic") * 1e-3 / resistance
    size /= np.sqrt(_SYNAPSE / (_SYNAPSE + tau))
    keep = np.exp(-1 / (FINE * _SYNAPSE))
    rng = np.random.default_rng(np.random.SeedSequence((case.root, int(case.cell_key, 16))))
    white = rng.standard_normal(protocol.waveforms.shape)
    white[:, 0] /= np.sqrt(1 - keep**2)
    return size * np.asarray(lfilter([np.sqrt(1 - keep**2)], [1.0, -keep], white, axis=1))


def every(rate: float) -> int:
    """Give how many fine samples make one at a rate (Hz).

    Raises
    ------
    InputError
        400 kHz is no multiple of it.

    Examples
    --------
    >>> every(50e3)
    8
    """
    n = round(FINE / rate)
    if abs(n * rate - FINE) > 1e-6 * FINE:
        msg = f"rate must divide {FINE / 1e3:g} kHz (50, 20, 10 ...), got {rate / 1e3:g} kHz"
        raise InputError(msg)
    return n


def recorded(case: Case, run: CellRun) -> Recording:
    """Play a cell's potential through a case's rig.

    Bridge error, filter, sampling, noise, mains and drift, converter: in this order, as on a
    rig. What the file says of the commands is exact unless `command_noise` is above 0.

    Parameters
    ----------
    case : Case
        The rig and the seed.
    run : CellRun
        Of the same cell and protocol.
    """
    rate = case.number("rate") * 1e3
    k = every(rate)
    v = np.array(run.behind, dtype=float)
    v += case.number("access_error") * 1e6 * run.protocol.waveforms
    corner = case.number("filter")
    if corner:
        v, _ = IdealElectrode(lowpass=f"{corner} kHz").filtered(v, FINE)
    v = np.array(v[:, ::k])
    seeds = np.random.SeedSequence((case.root, case.seed, int(case.key, 16))).spawn(2 * len(v))
    rngs = [np.random.default_rng(s) for s in seeds]
    v += _noise(case, v.shape[1], rate, rngs[: len(v)])
    digitiser = Digitiser(
        pickup=f"{case.number('mains')} mV", drift=f"{case.number('drift')} mV",
        input_range=f"{case.number('adc') * 2**15} mV",
    )  # fmt: skip
    starts = np.arange(len(v)) * v.shape[1] / rate
    digitiser.disturbed(v, rate, starts)
    digitiser.digitised(v, _GAIN)
    command = np.array(run.protocol.waveforms[:, ::k])
    doubt = case.number("command_noise") * 1e-12
    if doubt:
        command += doubt * np.stack(
            [r.standard_normal(command.shape[1]) for r in rngs[len(v) :]]
        )
    sweeps = [
        Sweep(response=v[j], command=command[j], rate=rate, number=j, start_time=starts[j])
        for j in range(len(v))
    ]
    return Recording(
        sweeps=sweeps, cell=Cell(id=case.cell), provenance=Provenance(source=case.key),
        device={"filtering": f"{corner:g} kHz Bessel" if corner else "none"},
    )  # fmt: skip


def _noise(case: Case, n: int, rate: float, rngs: list[np.random.Generator]) -> np.ndarray:
    """White noise behind the filter, or 1/f noise from 1 Hz on, of the stated rms (V)."""
    size = case.number("noise") * 1e-3
    if not size:
        return np.zeros((len(rngs), n))
    if case.factors["noise_colour"] == "pink":
        f = np.fft.rfftfreq(n, 1 / rate)
        shape = np.where(f >= 1.0, 1 / np.sqrt(np.maximum(f, 1.0)), 0.0)
        size /= np.sqrt(2 * np.sum(shape**2) / n)
        white = np.stack([rng.standard_normal(n) for rng in rngs])
        return size * np.fft.irfft(np.fft.rfft(white, axis=1) * shape, n, axis=1)
    corner = case.number("filter")
    narrow = corner and corner * 1e3 <= 0.4 * rate
    glass = IdealElectrode(noise=f"{size!r} V", lowpass=f"{corner} kHz" if narrow else None)
    found = glass.noise_of(n, rate, rngs)
    return np.zeros((len(rngs), n)) if found is None else found

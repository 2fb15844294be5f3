"""A cell with a pipette in it that is played to as the command arrives, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core import ClampMode, Protocol
from cleo_like.core.arrays import moment, samples, whole_number
from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.core.units import si
from cleo_like.engine.codegen.network import NotCompilableError
from cleo_like.engine.runtime.run_lock import exclusive
from cleo_like.engine.runtime.stream import Stream
from cleo_like.engine.toolchain import CompilerError
from cleo_like.patch.backends.compiled import prepare
from cleo_like.patch.backends.objects import BEFORE, refined
from cleo_like.patch.batch import rest_and_answers, specimens
from cleo_like.patch.benches import Bench, IdealBench, RigBench
from cleo_like.patch.electrode import IdealElectrode
from cleo_like.patch.live_output import IdealOutput, RigOutput
from cleo_like.patch.pipette import PatchPipette, rig_preset
from cleo_like.patch.pipette.circuit import OUTPUT

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity
    from cleo_like.patch.batch import Job
    from cleo_like.patch.names import Mode, OneCell, Rig

_SECONDS = 10.0
"""Length of a sweep (s) where none is given."""


class LiveCell:
    """One cell on a rig, in lockstep: a block of command in, a block of recording out.

    The answers are those of `record` for one sweep with the same command, bit for bit, noise
    included, however it is cut into blocks.

    Parameters
    ----------
    cell : str or CellModel
        The cell.
    rig : PatchPipette, IdealElectrode or str
        The rig, or the name of one.
    rate : quantity or str
        Sampling rate.
    mode : ClampMode or str
        Used where `rig` is a name.
    holding : quantity or str, optional
        Command (A or V) at which the cell rests before a sweep (default 0 pA; in voltage
        clamp it must be given).
    seed : int
        Of the noise.
    longest : int
        Samples of the longest block.

    Raises
    ------
    UnsupportedError
        Equations that cannot be compiled, or an access resistance that drifts.

    Examples
    --------
    >>> cell = LiveCell("passive", "ideal", "20 kHz")
    >>> cell.start(40_000)
    >>> for _ in range(100):
    ...     answer = cell.play(np.full(20, 10e-12))
    >>> round(float(answer[-1] * 1e3), 2), cell.position  # mV, samples
    (-68.01, 2000)
    """

    def __init__(
        self,
        cell: OneCell,
        rig: Rig,
        rate: Quantity,
        *,
        mode: Mode = ClampMode.CURRENT,
        holding: Quantity | None = None,
        seed: int = 0,
        longest: int = 65_536,
    ) -> None:
        self.pipette = _pipette(rig, mode)
        self.rate = si(rate, "Hz", "rate")
        self.seed, self.longest = whole_number("seed", 0)(seed), longest
        self.mode = self.pipette.mode
        self._unit = self.mode.command_unit
        self.holding = _holding(holding, self.mode)
        found = specimens(cell)
        if len(found) != 1:
            msg = f"a live cell is one cell, got {len(found)}"
            raise InputError(msg)
        self.name = found[0].id
        protocol = Protocol(
            waveforms=np.full((1, longest), self.holding), rate=self.rate, mode=self.mode,
            family="arbitrary", holding=self.holding,
        )  # fmt: skip
        self.pipette.check(protocol)
        if not self.pipette.is_ideal and self.pipette.electrode.drifts:  # type: ignore[union-attr]
            msg = (
                "a live cell's access resistance cannot drift; leave out access_resistance_end"
            )
            raise UnsupportedError(msg)
        rest, resting, answers = rest_and_answers(found, self.holding)
        kind = IdealBench if self.pipette.is_ideal else RigBench
        self._bench: Bench = kind(self.pipette, protocol, answers)
        self._job, _ = self._bench.lay_out(
            found, rest, resting, sequential=False, dt=None, keep_voltage=True
        )
        self.answers = {name: float(value[0]) for name, value in answers.items()}
        try:
            self._objects, program = prepare(self._job, 1, often=True)
        except (NotCompilableError, CompilerError) as error:
            msg = f"{self.name!r} cannot be played live: {error}"
            raise UnsupportedError(msg) from error
        steps = round(1 / (self.rate * self._job.dt))
        self._stream = Stream(program, sorted(self._job.recorded), longest, steps)
        self._output = (
            IdealOutput(self._bench, self._job.model.voltage)
            if isinstance(self._bench, IdealBench)
            else RigOutput(self._bench, self._stream.samples[OUTPUT][0])
        )
        self.start()

    def __repr__(self) -> str:
        """One line: the cell, its rig, how far it is."""
        return (
            f"LiveCell {self.name}: {self.pipette.name}, {self.mode}, {self.rate / 1e3:g} kHz, "
            f"{self.position} samples played"
        )

    def start(
        self, n_samples: int | None = None, *, sweep: int = 0, at: Quantity = 0.0
    ) -> None:
        """Put the cell back to rest, and begin a sweep.

        Parameters
        ----------
        n_samples : int, optional
            Samples of the sweep (default: 10 s); the noise of `record` depends on them. What
            is played beyond goes on with other noise.
        sweep : int
            Number of the sweep, which tells its noise.
        at : quantity or float
            Start of the sweep (s), which tells the phase of the mains.
        """
        sweep, at = whole_number("sweep", 0)(sweep), moment(at, "at")
        count = round(_SECONDS * self.rate) if n_samples is None else n_samples
        count = whole_number("n_samples", 1)(count)
        if count > _MOST:
            msg = f"a sweep has at most {_MOST} samples, got {count}"
            raise InputError(msg)
        self._objects.set_values(self._job)
        self._stream.restart()
        self._output.start(count, (self.seed, 0, sweep), at)
        self.spike_times = _NONE
        self._last = 0

    @property
    def voltage(self) -> np.ndarray:
        """The true potential of the last block (V), shape (n,)."""
        kept = self._stream.samples[self._job.model.voltage]
        return kept[0, : self._last].astype(np.float64)

    @property
    def position(self) -> int:
        """Samples played since the start of the sweep."""
        return self._stream.position

    def play(self, command: Any) -> np.ndarray:
        """Play a block; gives what the rig records of it.

        Afterwards `voltage` has the true potential of the block (V), and `spike_times` the
        true spikes in it (s from the start of the sweep).

        Parameters
        ----------
        command : array or quantity, shape (n,)
            A (V in voltage clamp), held for one sample each.

        Returns
        -------
        array, shape (n,)
            V (A in voltage clamp).

        Raises
        ------
        InputError
            Not finite, too long, beyond the range of the converter; nothing is played then.
        """
        block = samples(command, self._unit, "command")
        if block.ndim != 1 or not 0 < block.size <= self.longest:
            msg = f"a block has 1 to {self.longest} samples, got the shape {block.shape}"
            raise InputError(msg)
        total = self._output.commanded(block)
        before, n = self._stream.position, block.size
        with exclusive():
            spikes = self._stream.play(total)
        self._last = n
        self.spike_times = _NONE if spikes is None else _times(self._job, spikes[0])
        return self._output.record(self._stream.samples, before, n).astype(np.float64)


_MOST = 100_000_000
"""Samples of the longest sweep: 83 min at 20 kHz, and 1.6 GB of noise."""


_NONE = np.zeros(0)
_NONE.flags.writeable = False


def _times(job: Job, spikes: Any) -> np.ndarray:
    return refined(
        job, spikes.trace, spikes.step * job.dt, spikes.variables[job.model.voltage],
        spikes.variables[BEFORE],
    )  # fmt: skip


def _pipette(rig: Rig, mode: Mode) -> PatchPipette:
    if isinstance(rig, str):
        return rig_preset(rig, mode)
    if isinstance(rig, IdealElectrode):
        return PatchPipette(electrode=rig, name="ideal")
    if not isinstance(rig, PatchPipette):
        msg = f"rig must be a PatchPipette, an IdealElectrode or a name, got {rig!r}"
        raise InputError(msg)
    return attrs.evolve(rig)


def _holding(value: object, mode: ClampMode) -> float:
    if value is None:
        if mode is ClampMode.VOLTAGE:
            msg = "voltage clamp needs the potential at which the cell rests: holding='-70 mV'"
            raise InputError(msg)
        return 0.0
    return si(value, mode.command_unit, "holding")

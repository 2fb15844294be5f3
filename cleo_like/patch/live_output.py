"""The output side of a live cell: what `record` does to whole sweeps, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.patch.benches import added_by
from cleo_like.patch.pipette.amplifier import CurrentClamp
from cleo_like.patch.pipette.circuit import OUTPUT

if TYPE_CHECKING:
    from cleo_like.patch.benches import IdealBench, RigBench
    from cleo_like.patch.electrode import IdealElectrode


def _rng(stream: tuple[int, ...]) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(stream))


class IdealOutput:
    """An ideal electrode: filter and noise with a memory.

    Parameters
    ----------
    bench : IdealBench
        With the electrode and the sampling rate.
    """

    def __init__(self, bench: IdealBench) -> None:
        self._bench = bench
        self._electrode: IdealElectrode = bench.pipette.electrode  # type: ignore[assignment]
        self._rate = bench.protocol.rate

    def start(self, count: int, stream: tuple[int, ...], at: float) -> None:
        """Begin a sweep of `count` samples."""
        del at
        self._count, self._stream = count, stream
        self._state: np.ndarray | None = None
        self._noise = self._electrode.noise_of(count, self._rate, [_rng(stream)])

    def commanded(self, block: np.ndarray) -> np.ndarray:
        """Give what the cell gets of a command."""
        return block

    def record(self, samples: dict[str, np.ndarray], position: int) -> np.ndarray:
        """Record a block that begins at a sample of the sweep; shape (1, n), float32."""
        (voltage,) = samples.values()
        recorded = np.asarray(voltage, dtype=np.float64)
        recorded, self._state = self._electrode.filtered(recorded, self._rate, self._state)
        if self._noise is not None:
            recorded = recorded + _piece(self._noise, position, recorded.shape[1])
        return recorded.astype(np.float32)


class RigOutput:
    """A rig: thermal noise, mains, drift and codes.

    Parameters
    ----------
    bench : RigBench
        Laid out.
    """

    def __init__(self, bench: RigBench) -> None:
        self._bench = bench
        self._readout = bench.readout
        self._offset = added_by(bench.pipette)
        digitiser = bench.pipette.digitiser
        self._dac = None if digitiser is None else digitiser.command
        self._lsb = None if self._dac is None else self._dac.lsb
        self._half = 0 if self._dac is None else 2 ** (self._dac.bits - 1)

    def start(self, count: int, stream: tuple[int, ...], at: float) -> None:
        """Begin a sweep of `count` samples."""
        self._noise = np.zeros((1, count))
        if self._readout.glass.johnson_noise:
            self._readout.add_noise(self._noise, self._bench.load(0), [_rng(stream)])
        self._mains, self._drift = np.zeros((1, count)), np.zeros((1, count))
        digitiser = self._bench.pipette.digitiser
        if digitiser is not None:
            rate, starts = self._bench.protocol.rate, np.array([at])
            attrs.evolve(digitiser, drift=0).disturbed(self._mains, rate, starts)
            attrs.evolve(digitiser, pickup=0).disturbed(self._drift, rate, starts)

    def commanded(self, block: np.ndarray) -> np.ndarray:
        """Give what the amplifier gets of a command: codes, and what it adds itself."""
        if self._lsb is None or self._dac is None:
            return np.asarray(block + self._offset)
        # `Dac.quantise`, without looking for units in every block
        codes = np.rint(block / self._lsb)
        if codes.min() < -self._half or codes.max() > self._half - 1:
            self._dac.quantise(block)  # says so
        return np.asarray(codes * self._lsb + self._offset)

    def record(self, samples: dict[str, np.ndarray], position: int) -> np.ndarray:
        """Record a block that begins at a sample of the sweep; shape (1, n), float32."""
        response = samples[OUTPUT].astype(np.float64)
        if isinstance(self._readout.amplifier, CurrentClamp):
            response += self._readout.glass.error
        n = response.shape[1]
        for part in (self._noise, self._mains, self._drift):
            response += _piece(part, position, n)
        digitiser = self._bench.pipette.digitiser
        if digitiser is not None:
            response, _ = digitiser.digitised(response, self._readout.gain)
        return response.astype(np.float32)


def _piece(whole: np.ndarray, position: int, n: int) -> np.ndarray:
    """Cut out a block; beyond the end the sweep's noise begins again."""
    count = whole.shape[1]
    if position + n <= count:
        return whole[:, position : position + n]
    return whole[:, np.arange(position, position + n) % count]

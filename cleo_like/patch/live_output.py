"""Both sides of a live cell's rig: what `record` does to whole sweeps, block by block.

A block has few samples and comes every millisecond, so that a dozen calls of numpy would cost
more than the cell: a rig's sums and codes are one compiled loop, operation by operation those
of `Dac.quantise` and `Readout.record`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.engine import toolchain
from cleo_like.patch.benches import added_by
from cleo_like.patch.pipette.amplifier import CurrentClamp

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
    name : str
        The recorded variable.
    """

    def __init__(self, bench: IdealBench, name: str) -> None:
        self._bench, self._name = bench, name
        self._electrode: IdealElectrode = bench.pipette.electrode  # type: ignore[assignment]
        self._rate = bench.protocol.rate

    def start(self, count: int, stream: tuple[int, ...], at: float) -> None:
        """Begin a sweep of `count` samples."""
        del at
        self._state: np.ndarray | None = None
        noise = self._electrode.noise_of(count, self._rate, [_rng(stream)])
        self._noise = None if noise is None else noise[0]

    def commanded(self, block: np.ndarray) -> np.ndarray:
        """Give what the cell gets of a command."""
        _check_finite(block)
        return block

    def record(self, samples: dict[str, np.ndarray], position: int, n: int) -> np.ndarray:
        """Record a block of n samples that begins at one of the sweep; float32 values."""
        recorded = samples[self._name][:, :n].astype(np.float64)
        recorded, self._state = self._electrode.filtered(recorded, self._rate, self._state)
        response = recorded[0]
        if self._noise is not None:
            response = response + _piece(self._noise, position, n)
        return response.astype(np.float32)


_LOOPS = """#include <math.h>
#include <stdint.h>
extern "C" int64_t live_in(const double* block, double* out, int64_t n, const double* code) {
  const double lsb = code[0], half = code[1], added = code[2];
  if (lsb == 0.0) {
    for (int64_t k = 0; k < n; ++k) {
      if (!isfinite(block[k])) return k;
      out[k] = block[k] + added;
    }
    return -1;
  }
  for (int64_t k = 0; k < n; ++k) {
    const double c = rint(block[k] / lsb);
    if (!(c >= -half && c <= half - 1)) return k;
    out[k] = c * lsb + added;
  }
  return -1;
}
extern "C" void live_out(const float* raw, double* out, int64_t n, const double* code,
                         const int64_t* parts, int64_t position) {
  const double lsb = code[0], half = code[1], added = code[2];
  const int64_t count = parts[0];
  for (int64_t k = 0; k < n; ++k) {
    double x = (double)raw[k] + added;
    const int64_t at = (position + k) % count;  // beyond the end the sweep's noise begins again
    for (const int64_t* p = parts + 1; *p; ++p) x += ((const double*)*p)[at];
    if (lsb != 0.0) {
      const double c = rint(x / lsb);
      x = (c < -half ? -half : (c > half - 1 ? half - 1 : c)) * lsb;
    }
    out[k] = (double)(float)x;
  }
}
"""


@functools.cache
def _loops() -> tuple[Any, Any]:
    import ctypes

    library = toolchain.load(toolchain.compile_source(_LOOPS))
    address, number = ctypes.c_void_p, ctypes.c_int64
    library.live_in.argtypes = [address, address, number, address]
    library.live_in.restype = number
    library.live_out.argtypes = [address, address, number, address, address, number]
    library.live_out.restype = None
    return library.live_in, library.live_out


class RigOutput:
    """A rig: thermal noise, mains, drift and codes.

    Parameters
    ----------
    bench : RigBench
        Laid out.
    raw : array, shape (longest,)
        Where the output of the amplifier is written, float32.
    """

    def __init__(self, bench: RigBench, raw: np.ndarray) -> None:
        self._bench = bench
        self._readout = readout = bench.readout
        digitiser = bench.pipette.digitiser
        self._dac = dac = None if digitiser is None else digitiser.command
        step = (0.0, 0.0) if dac is None else (float(dac.lsb), float(2 ** (dac.bits - 1)))
        code = (0.0, 0.0) if digitiser is None else digitiser.code(readout.gain)
        clamped = isinstance(readout.amplifier, CurrentClamp)
        error = float(readout.glass.error) if clamped else 0.0
        self._going = np.array([*step, float(added_by(bench.pipette))])
        self._coming = np.array([*code, error])
        self._block, self._total, self._found = (np.zeros(len(raw)) for _ in range(3))
        self._raw, (self._in, self._out) = raw, _loops()
        arrays = (self._block, self._total, self._going, raw, self._found, self._coming)
        self._addresses = [array.ctypes.data for array in arrays]

    def start(self, count: int, stream: tuple[int, ...], at: float) -> None:
        """Begin a sweep of `count` samples."""
        self._added: list[np.ndarray] = []
        if self._readout.glass.johnson_noise:
            noise = np.zeros((1, count))
            self._readout.add_noise(noise, self._bench.load(0), [_rng(stream)])
            self._added.append(noise[0])
        digitiser = self._bench.pipette.digitiser
        rate, starts = self._bench.protocol.rate, np.array([at])
        alone = []  # mains and drift apart: sums of three are not those of two
        if digitiser is not None:
            alone += [attrs.evolve(digitiser, drift=0)] if digitiser.pickup else []
            alone += [attrs.evolve(digitiser, pickup=0)] if digitiser.drift else []
        for part in alone:
            self._added.append(part.disturbed(np.zeros((1, count)), rate, starts)[0])
        # the length of the parts, where they are, and 0
        self._parts = np.array([count, *(part.ctypes.data for part in self._added), 0])
        self._parts_at = self._parts.ctypes.data

    def commanded(self, block: np.ndarray) -> np.ndarray:
        """Give what the amplifier gets of a command: codes, and what it adds itself."""
        n = len(block)
        self._block[:n] = block
        there, total, going, *_ = self._addresses
        if self._in(there, total, n, going) >= 0:
            _check_finite(block)
            if self._dac is not None:
                self._dac.quantise(block)  # says so
        return self._total[:n]

    def record(self, samples: dict[str, np.ndarray], position: int, n: int) -> np.ndarray:
        """Record a block of n samples that begins at one of the sweep; float32 values."""
        del samples  # their place is known
        *_, raw, found, coming = self._addresses
        self._out(raw, found, n, coming, self._parts_at, position)
        return self._found[:n]


def _check_finite(block: np.ndarray) -> None:
    finite = np.isfinite(block)
    if not finite.all():
        bad = int(np.argmin(finite))
        msg = f"the command is {block[bad]} at sample {bad} of the block; it must be finite"
        raise InputError(msg)


def _piece(whole: np.ndarray, position: int, n: int) -> np.ndarray:
    """Cut out a block; beyond the end the sweep's noise begins again."""
    count = len(whole)
    if position + n <= count:
        return whole[position : position + n]
    return whole[np.arange(position, position + n) % count]

"""Thermal noise of pipette and headstage, through the output filter, as it is sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.patch.pipette.amplifier import CurrentClamp, VoltageClamp
from cleo_like.patch.pipette.bessel import response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jaxtyping import Float

    from cleo_like.patch.pipette.electrode import Electrode

_ALIASES = 10
"""Bands above half the sampling rate whose noise folds back; a 4-pole filter at a tenth of
the rate lets less than 1e-12 of the power through beyond them."""
_GRID = 500
"""Frequencies, a constant factor apart, at which a spectrum is computed; it is smooth, and
between them a straight line is within 2e-4 of it (tested)."""


@attrs.frozen(kw_only=True)
class Load:
    """The cell behind the pipette, as noise sees it: capacitance (F) and resistance (ohm)."""

    capacitance: float
    resistance: float


def spectrum(
    frequencies: Float[np.ndarray, "n"],
    glass: Electrode,
    amplifier: CurrentClamp | VoltageClamp,
    access: float,
    load: Load,
) -> Float[np.ndarray, "n"]:
    """Give the one-sided power spectrum of the noise behind the filter (V^2/Hz or A^2/Hz).

    Current clamp: 4 k T times the access resistance. It is taken at the output, for the
    bandwidth of the filter, as manuals state it, and not rolled off by the pipette's own
    capacitance, whose compensation gives back the noise with the bandwidth. Voltage clamp: the
    same electromotive force over the impedance that the compensation leaves, and the currents
    of feedback and seal resistance.
    """
    energy = glass.thermal_energy
    gain = np.abs(response(frequencies, amplifier.lowpass, amplifier.poles)) ** 2
    if isinstance(amplifier, CurrentClamp):
        return energy * access * gain
    s = 2j * np.pi * frequencies
    membrane = 1 / (1 / load.resistance + s * load.capacitance)
    lag = (1 + s * amplifier.sum_time) * (1 + s * amplifier.output_time)
    estimate = amplifier.series_resistance
    estimate = access if estimate is None else estimate
    left = access - amplifier.correction * estimate / lag
    current = energy * access / np.abs(left + membrane) ** 2
    current += energy / amplifier.feedback_resistance
    if glass.seal is not None:
        current += energy / glass.seal
    return current * gain


def sampled_spectrum(
    n: int,
    rate: float,
    parts: tuple[Electrode, CurrentClamp | VoltageClamp],
    access: float,
    load: Load,
) -> Float[np.ndarray, "n_frequencies"]:
    """Give the spectrum of n samples: what is above half the sampling rate folds back.

    Without a filter the noise is that below half the rate: white noise of all frequencies
    would have no end.
    """
    glass, amplifier = parts
    every = np.fft.rfftfreq(n, 1 / rate)
    some = every
    if len(every) > _GRID:
        some = np.concatenate([[0.0], np.geomspace(every[1], every[-1], _GRID)])
    found = spectrum(some, glass, amplifier, access, load)
    if amplifier.lowpass is not None:
        for k in range(1, _ALIASES + 1):
            for folded in (k * rate - some, k * rate + some):
                found += spectrum(folded, glass, amplifier, access, load)
    return np.interp(every, some, found)


def drawn(
    spectra: Float[np.ndarray, "n_sweeps n_frequencies"],
    n: int,
    rate: float,
    rngs: Sequence[np.random.Generator],
) -> Float[np.ndarray, "n_sweeps n"]:
    """Draw n samples of noise for each spectrum (one-sided, per Hz) and generator.

    Each frequency has a random amplitude and phase; single precision is that of a recording.
    """
    from scipy.fft import irfft

    size = spectra.shape[1]
    random = np.stack([rng.standard_normal(2 * size, dtype=np.float32) for rng in rngs])
    shaped = random.view(np.complex64)
    # a sine of amplitude a has the power a^2/2; first and last frequency have no phase
    scale = np.sqrt(spectra * (rate * n / 4)).astype(np.float32)
    scale[:, 0] *= np.sqrt(2)
    if n % 2 == 0:
        scale[:, -1] *= np.sqrt(2)
    shaped *= scale
    return np.asarray(irfft(shaped, n, axis=1))


_BLOCK, _SEAM = 16_384, 64
"""Samples that are drawn at once, and over which one draw fades into the next."""


class RunningNoise:
    """Noise without an end: any stretch of it, the same whenever it is asked for.

    Parameters
    ----------
    spectrum_of : callable
        Gives the spectrum of a number of samples for every trace: shape (n_traces, n).
    rate : float
        Sampling rate (Hz).
    seeds : sequence of tuple of int
        One for each trace.
    """

    def __init__(
        self,
        spectrum_of: Callable[[int], Float[np.ndarray, "n_traces n_frequencies"]],
        rate: float,
        seeds: Sequence[tuple[int, ...]],
    ) -> None:
        from scipy.fft import next_fast_len

        self._rate, self._seeds = rate, seeds
        self._length = next_fast_len(_BLOCK + 2 * _SEAM, real=True)
        self._spectra = spectrum_of(self._length)
        self._kept: dict[int, np.ndarray] = {}

    def between(self, start: int, stop: int) -> Float[np.ndarray, "n_traces n"]:
        """Give samples [start, stop)."""
        first, last = start // _BLOCK, max(start, stop - 1) // _BLOCK
        found = np.concatenate([self._block(k) for k in range(first, last + 1)], axis=1)
        return found[:, start - first * _BLOCK : stop - first * _BLOCK]

    def _block(self, k: int) -> np.ndarray:
        """Give block k; its head is the tail of the draw before, faded into its own."""
        draw = self._draw(k)
        block = draw[:, :_BLOCK].copy()
        if k > 0:
            fade = np.linspace(0, np.pi / 2, _SEAM, dtype=np.float32)
            tail = self._draw(k - 1)[:, _BLOCK : _BLOCK + _SEAM]
            # the squares of the weights add up to 1, and so do independent variances
            block[:, :_SEAM] = np.sin(fade) * block[:, :_SEAM] + np.cos(fade) * tail
        return block

    def _draw(self, k: int) -> np.ndarray:
        if k not in self._kept:
            rngs = [np.random.default_rng((*seed, k)) for seed in self._seeds]
            if len(self._kept) > 1:
                del self._kept[min(self._kept, key=lambda other: -abs(other - k))]
            self._kept[k] = drawn(self._spectra, self._length, self._rate, rngs)
        return self._kept[k]

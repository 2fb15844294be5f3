"""Thermal noise of pipette and headstage, through the output filter, as it is sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.patch.pipette.amplifier import CurrentClamp, VoltageClamp
from cleo_like.patch.pipette.bessel import response

if TYPE_CHECKING:
    from collections.abc import Sequence

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

"""The linear response of a cell: impedance at any frequency, its RC fit, its prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.arrays import read_only
from cleo_like.core.errors import InputError
from cleo_like.core.units import si_choice

if TYPE_CHECKING:
    from jaxtyping import Complex, Float

    from cleo_like.core.units import Quantity


@attrs.frozen(kw_only=True, eq=False)
class LinearResponse:
    """Impedance of a cell at rest.

    Parameters
    ----------
    frequency : array, shape (n,)
        Ascending, from 0 Hz.
    impedance : array of complex, shape (n,)
        In ohm; the value at 0 Hz is the input resistance.
    noise : float
        Standard deviation of the recorded potential at rest (V); NaN where unknown.
    source : str
        Where it comes from.
    """

    frequency: Float[np.ndarray, "n"]
    impedance: Complex[np.ndarray, "n"]
    noise: float = float("nan")
    source: str = "given"

    @classmethod
    def given(
        cls, frequency: Quantity, impedance: Quantity, source: str = "given"
    ) -> LinearResponse:
        """Make one of arrays.

        Parameters
        ----------
        frequency : array of Hz, shape (n,)
            At least 4 different ones, any order; 0 Hz may be missing.
        impedance : array of ohm, shape (n,), complex
            Magnitudes alone (real numbers above 0, with more than one value) do not tell the
            phase.

        Raises
        ------
        InputError
            Wrong shapes, numbers that are not finite, magnitudes without phase.
        """
        f = np.asarray(si_choice(frequency, ("Hz",), "frequency")[1], dtype=float)
        z = np.asarray(impedance)
        if f.ndim != 1 or f.shape != z.shape or f.size < 4:
            msg = (
                "impedance must be a pair (frequency in Hz, complex ohm) of equal length, at "
                f"least 4; got the shapes {f.shape} and {z.shape}"
            )
            raise InputError(msg)
        if not (np.isfinite(f).all() and np.isfinite(z).all()):
            msg = "impedance: every frequency and every ohm must be a finite number"
            raise InputError(msg)
        if not np.iscomplexobj(z):
            msg = (
                "impedance must be complex (magnitude times exp(1j*phase)): without the phase "
                "the delay of the membrane is unknown"
            )
            raise InputError(msg)
        if (f < 0).any() or len(set(f.tolist())) != f.size:
            msg = "impedance: frequencies must be different and 0 Hz or more"
            raise InputError(msg)
        order = np.argsort(f)
        f, z = f[order], z[order].astype(complex)
        if f[0] > 0:
            f, z = np.r_[0.0, f], np.r_[z[0].real, z]
        if not z[0].real > 0:
            msg = f"the input resistance must be above 0 ohm, got {z[0].real:g} ohm at 0 Hz"
            raise InputError(msg)
        z[0] = z[0].real
        return cls(frequency=read_only(f), impedance=read_only(z), source=source)

    @classmethod
    def rc(cls, resistance: float, tau: float, source: str = "RC") -> LinearResponse:
        """Give the response of a passive membrane."""
        f = np.r_[0.0, np.geomspace(0.01, 100, 200) / (2 * np.pi * tau)]
        return cls(
            frequency=f, impedance=resistance / (1 + 2j * np.pi * f * tau), source=source
        )

    @property
    def resistance(self) -> float:
        """Input resistance (ohm)."""
        return float(self.impedance[0].real)

    def at(self, frequency: Float[np.ndarray, "m"]) -> Complex[np.ndarray, "m"]:
        """Interpolate; beyond the last frequency a membrane falls as 1/f."""
        last = self.frequency[-1]
        inside = np.minimum(frequency, last)
        z = np.interp(inside, self.frequency, self.impedance.real) + 1j * np.interp(
            inside, self.frequency, self.impedance.imag
        )
        return z * np.where(frequency > last, last / np.maximum(frequency, last), 1.0)

    def fit_rc(self) -> tuple[float, float, float]:
        """Fit a passive membrane behind a delay: resistance (ohm), time constant (s), error.

        The delay is that of the rig's filter. The error is the root mean square of what is
        left, as a part of ``abs(Z)``.
        """
        from scipy.optimize import least_squares

        f, z = self.frequency, self.impedance

        def left(p: np.ndarray) -> np.ndarray:
            omega = 2j * np.pi * f
            model = np.exp(p[0] - omega * p[2] * 1e-3) / (1 + omega * np.exp(p[1]))
            error = (model - z) / np.abs(z)
            return np.concatenate([error.real, error.imag])

        below = np.flatnonzero(np.abs(z) < abs(z[0]) / np.sqrt(2))
        corner = f[below[0]] if below.size else f[-1]
        found = least_squares(left, [np.log(abs(z[0])), -np.log(2 * np.pi * corner), 0.0])
        ohm, tau = np.exp(found.x[:2])
        return float(ohm), float(tau), float(np.sqrt((left(found.x) ** 2).sum() / f.size))

    def predict(
        self, current: Float[np.ndarray, "n_sweeps n_samples"], rate: float
    ) -> Float[np.ndarray, "n_sweeps n_samples"]:
        """Give the potential (V, from rest) that a current (A, from rest) makes."""
        n = current.shape[1]
        size = padded_size(n, rate)
        spectrum = np.fft.rfft(current, size, axis=1)
        z = self.at(np.fft.rfftfreq(size, 1 / rate))
        return np.asarray(np.fft.irfft(spectrum * z, size, axis=1)[:, :n])


_QUIET = 1.0
"""Silence (s) after a sweep, in which its answer dies before the transform wraps round."""


def padded_size(n: int, rate: float) -> int:
    """Give a fast length of the transform with silence after the samples."""
    from scipy.fft import next_fast_len

    return int(next_fast_len(n + round(_QUIET * rate), real=True))

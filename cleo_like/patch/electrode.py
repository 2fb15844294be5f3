"""The ideal electrode: the true potential, plus stated noise, through a stated filter."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_required, whole_number
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float


def _volts(value: object) -> float:
    if isinstance(value, (int, float)) and value == 0:  # no noise, in any unit
        return 0.0
    return si_required("V", "noise")(value)


_MOST_POLES = 10


@attrs.frozen(kw_only=True)
class IdealElectrode:
    """An electrode without series resistance and capacitance.

    Parameters
    ----------
    noise : quantity
        Standard deviation of the noise in the recorded potential, after the filter.
    lowpass : quantity, optional
        -3 dB frequency of a Bessel filter; None records the full bandwidth. It is applied
        to the samples, so it must be at most 0.4 times the sampling rate.
    poles : int
        Order of the Bessel filter (default 4, as common amplifiers).

    Examples
    --------
    >>> IdealElectrode(noise="0.2 mV", lowpass="2 kHz")
    IdealElectrode(noise=0.2 mV rms, 4-pole Bessel 2 kHz)
    """

    noise: float = attrs.field(default=0.0, converter=_volts)
    lowpass: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(si_required("Hz", "lowpass"))
    )
    poles: int = attrs.field(default=4, converter=whole_number("poles", 1))

    def __attrs_post_init__(self) -> None:
        """Check the signs."""
        if self.noise < 0:
            msg = f"noise must be 0 mV or more, got {self.noise * 1e3:g} mV"
            raise InputError(msg)
        if self.lowpass is not None and self.lowpass <= 0:
            msg = f"lowpass must be above 0 Hz, got {self.lowpass:g} Hz"
            raise InputError(msg)
        if self.poles > _MOST_POLES:
            msg = f"poles must be 1 to {_MOST_POLES}, got {self.poles}"
            raise InputError(msg)

    def record(
        self,
        voltage: Float[np.ndarray, "n_traces n_samples"],
        rate: float,
        rngs: list[np.random.Generator],
    ) -> Float[np.ndarray, "n_traces n_samples"]:
        """Turn true potentials into recorded ones.

        Parameters
        ----------
        voltage : array, shape (n_traces, n_samples)
            Membrane potential (V).
        rate : float
            Sampling rate (Hz).
        rngs : list of numpy.random.Generator
            One generator per trace, so that a trace does not depend on its neighbours.

        Returns
        -------
        array, shape (n_traces, n_samples)
            Recorded potential (V), float32.
        """
        recorded = np.asarray(voltage, dtype=np.float64)
        if recorded.shape[1] > 0:
            recorded, _ = self.filtered(recorded, rate)
        noise = self.noise_of(recorded.shape[1], rate, rngs)
        if noise is not None:
            recorded = recorded + noise
        return recorded.astype(np.float32)

    def filtered(
        self, voltage: np.ndarray, rate: float, state: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Filter causally, as an amplifier does; gives the filter's state too.

        Parameters
        ----------
        voltage : array, shape (n_traces, n_samples)
            V.
        rate : float
            Hz.
        state : array, optional
            Of an earlier stretch; None starts from the steady state of the first sample.
        """
        sos = self._filter(rate)
        if sos is None:
            return voltage, None
        from scipy.signal import sosfilt, sosfilt_zi

        if state is None:
            state = sosfilt_zi(sos)[:, np.newaxis, :] * voltage[np.newaxis, :, :1]
        found, state = sosfilt(sos, voltage, axis=1, zi=state)
        return found, state

    def noise_of(
        self, n: int, rate: float, rngs: list[np.random.Generator]
    ) -> np.ndarray | None:
        """Draw the noise of sweeps of n samples (V); None where there is none."""
        return self._noise(self._filter(rate), n, rate, rngs) if self.noise > 0 else None

    def description(self) -> dict[str, Any]:
        """Give the settings in SI, for provenance."""
        return {"electrode": "ideal"} | attrs.asdict(self)

    def check(self, rate: float) -> None:
        """Refuse a filter that the sampling rate cannot represent."""
        self._filter(rate)

    def _filter(self, rate: float) -> np.ndarray | None:
        if self.lowpass is None:
            return None
        if self.lowpass > 0.4 * rate:
            msg = (
                f"a {self.lowpass:g} Hz filter needs a sampling rate of at least "
                f"{self.lowpass / 0.4:g} Hz, got {rate:g} Hz; lower the filter, raise the "
                "rate, or leave the filter out"
            )
            raise InputError(msg)
        return _bessel(self.poles, self.lowpass, rate)

    def _noise(
        self, sos: np.ndarray | None, n: int, rate: float, rngs: list[np.random.Generator]
    ) -> np.ndarray:
        """White noise through the same filter, scaled to the stated rms after it."""
        from scipy.signal import sosfilt

        if sos is None:
            return self.noise * np.stack([rng.standard_normal(n) for rng in rngs])
        # 40 time constants of the filter are run in and thrown away
        lead = int(np.ceil(40 * rate / (2 * np.pi * (self.lowpass or rate))))
        impulse = np.zeros(64 * lead)
        impulse[0] = 1.0
        gain = np.sqrt(np.sum(sosfilt(sos, impulse) ** 2))
        white = np.stack([rng.standard_normal(n + lead) for rng in rngs])
        return (self.noise / gain) * sosfilt(sos, white, axis=1)[:, lead:]

    def __repr__(self) -> str:
        """One line in mV and kHz."""
        bandwidth = (
            "full bandwidth"
            if self.lowpass is None
            else f"{self.poles}-pole Bessel {self.lowpass / 1e3:g} kHz"
        )
        return f"IdealElectrode(noise={self.noise * 1e3:g} mV rms, {bandwidth})"


@functools.cache
def _bessel(poles: int, corner: float, rate: float) -> np.ndarray:
    from scipy.signal import bessel

    return np.asarray(bessel(poles, corner, fs=rate, output="sos", norm="mag"))

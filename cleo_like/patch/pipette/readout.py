"""From what the amplifier puts out to what is written: noise, mains, drift, codes, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.units.table import show
from cleo_like.patch.pipette.amplifier import CurrentClamp, VoltageClamp
from cleo_like.patch.pipette.circuit import bridge_of, series_estimate
from cleo_like.patch.pipette.noise import Load, drawn, sampled_spectrum

if TYPE_CHECKING:
    from jaxtyping import Float

    from cleo_like.patch.pipette.electrode import Electrode
    from cleo_like.patch.pipette.pipette import PatchPipette

HEADSTAGE = 10.0
"""Volt that the feedback of a headstage can make (MultiClamp 700B: 20 nA with 500 MOhm)."""
_SPARE = 64
"""Samples of noise that are drawn and dropped, so that its end does not join its start."""


@attrs.frozen(eq=False)
class Readout:
    """The output side of a rig at one sampling rate.

    Attributes
    ----------
    pipette : PatchPipette
        With a real electrode.
    rate : float
        Sampling rate (Hz).
    starts : array, shape (n_sweeps,)
        Start of each sweep (s).
    """

    pipette: PatchPipette
    rate: float
    starts: Float[np.ndarray, "n_sweeps"]

    @property
    def glass(self) -> Electrode:
        """The electrode."""
        return self.pipette.glass

    @property
    def amplifier(self) -> CurrentClamp | VoltageClamp:
        """The amplifier."""
        return self.pipette.clamp

    @property
    def access(self) -> Float[np.ndarray, "n_sweeps"]:
        """Access resistance of each sweep (ohm)."""
        return self.glass.access(self.starts)

    @property
    def gain(self) -> float:
        """Volt at the digitiser per volt or ampere of the response."""
        amplifier = self.amplifier
        if isinstance(amplifier, VoltageClamp):
            return amplifier.gain * amplifier.feedback_resistance
        return amplifier.gain

    def record(
        self,
        output: Float[np.ndarray, "n_sweeps n_samples"],
        load: Load,
        rngs: list[np.random.Generator],
    ) -> tuple[Float[np.ndarray, "n_sweeps n_samples"], tuple[str, ...]]:
        """Turn the amplifier's output into a recording.

        Parameters
        ----------
        output : array, shape (n_sweeps, n_samples)
            Filtered output (V or A).
        load : Load
            The cell.
        rngs : list of numpy.random.Generator
            One for each sweep.

        Returns
        -------
        response : array, shape (n_sweeps, n_samples)
            float32.
        findings : tuple of str
            What a user should know of it: clipped samples.
        """
        response = output.astype(np.float64)
        if isinstance(self.amplifier, CurrentClamp):
            response += self.glass.error
        if self.glass.johnson_noise and response.shape[1]:
            self.add_noise(response, load, rngs)
        digitiser = self.pipette.digitiser
        if digitiser is None:
            return response.astype(np.float32), ()
        digitiser.disturbed(response, self.rate, self.starts)
        response, clipped = digitiser.digitised(response, self.gain)
        return response.astype(np.float32), self._clipped(clipped)

    def add_noise(
        self, response: np.ndarray, load: Load, rngs: list[np.random.Generator]
    ) -> None:
        """Add thermal noise to sweeps, in place; one generator for each."""
        from scipy.fft import next_fast_len

        n = response.shape[1]
        length = next_fast_len(n + _SPARE, real=True)
        spectra = {
            access: sampled_spectrum(
                length, self.rate, (self.glass, self.amplifier), access, load
            )
            for access in set(self.access.tolist())
        }
        wanted = np.stack([spectra[access] for access in self.access.tolist()])
        response += drawn(wanted, length, self.rate, rngs)[:, :n]

    def _clipped(self, clipped: np.ndarray) -> tuple[str, ...]:
        if not clipped.any() or self.pipette.digitiser is None:
            return ()
        unit = self.pipette.mode.response_unit
        limit = show(self.pipette.digitiser.input_range / self.gain, unit)
        sweeps = np.flatnonzero(clipped)
        which = ", ".join(map(str, sweeps[:5])) + (" ..." if len(sweeps) > 5 else "")
        return (
            f"{int(clipped.sum())} samples are clipped at the digitiser's +-{limit} "
            f"(sweeps {which}); lower the gain",
        )

    def findings(self) -> tuple[str, ...]:
        """Say what about filter and sampling rate a user should know."""
        corner = self.amplifier.lowpass
        if corner is None or corner <= self.rate / 2:
            return ()
        return (
            f"the filter of {corner:g} Hz is above half the sampling rate of {self.rate:g} "
            "Hz: what is between folds back (aliasing)",
        )

    def beyond_headstage(
        self, output: Float[np.ndarray, "n_sweeps n_samples"]
    ) -> tuple[str, ...]:
        """Say which clamped currents no headstage can give: its feedback ends at 10 V."""
        amplifier = self.amplifier
        if not isinstance(amplifier, VoltageClamp) or not output.size:
            return ()
        most = HEADSTAGE / amplifier.feedback_resistance
        reached = max(float(output.max()), -float(output.min()))
        if reached <= most:
            return ()
        return (
            f"the clamp passes {reached * 1e9:.3g} nA, more than the {most * 1e9:.3g} nA of a "
            f"headstage with {show(amplifier.feedback_resistance, 'ohm')}: a real one would "
            "lose the potential there; give a smaller feedback_resistance, or hold less "
            "conductance",
        )

    def settings(self) -> dict[str, float]:
        """Give the amplifier settings of every sweep, by the names of NWB."""
        amplifier = self.amplifier
        if isinstance(amplifier, CurrentClamp):
            return {
                "gain": amplifier.gain,
                "bridge_balance": bridge_of(self.pipette),
                "capacitance_compensation": amplifier.neutralisation * self.glass.capacitance,
                "bias_current": float(amplifier.holding),
            }
        estimate = series_estimate(self.glass, amplifier)
        found = {
            "gain": self.gain,
            "capacitance_fast": float(amplifier.fast_capacitance),
            "resistance_comp_bandwidth": float(amplifier.bandwidth),
            "resistance_comp_correction": 100 * amplifier.correction,
            "resistance_comp_prediction": 100 * amplifier.prediction,
            "holding_potential": float(amplifier.holding),
        }
        if amplifier.whole_cell_capacitance is not None:
            found["whole_cell_capacitance_comp"] = float(amplifier.whole_cell_capacitance)
        if amplifier.whole_cell_capacitance is not None or amplifier.correction > 0:
            found["whole_cell_series_resistance_comp"] = float(estimate)
        return found

    def device(self) -> dict[str, Any]:
        """Give what a file says of electrode and rig, in SI."""
        glass = self.glass
        found: dict[str, Any] = {
            "name": self.pipette.name,
            "electrode_description": (
                f"Simulated whole-cell pipette, {show(glass.access_resistance, 'ohm')} access, "
                f"{show(glass.capacitance, 'F')}"
            ),
            "initial_access_resistance": float(self.access[0]),
            # in the bath at 0 mV the zero's error is all that drives a current
            "electrode_current": -glass.offset / glass.access_resistance,
            "blowout": float(glass.offset),
            "filtering": self._filtering(),
        }
        if glass.seal is not None:
            found["seal"] = float(glass.seal)
        return found | {"rig": self.pipette.description()}

    def _filtering(self) -> str:
        if self.amplifier.lowpass is None:
            return "none"
        return f"{self.amplifier.poles}-pole Bessel, {self.amplifier.lowpass:g} Hz"

    def truth(self) -> dict[str, Any]:
        """Give the known answers that belong to the rig (SI)."""
        access = self.access
        found: dict[str, Any] = {"access_resistance": float(access[0])}
        if self.glass.drifts:
            found["access_resistance_by_sweep"] = access.tolist()
        return found

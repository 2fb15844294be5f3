"""I-V and activation curves of voltage-clamp step families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.recording import check_recording
from cleo_like.core.sweep import ClampMode
from cleo_like.core.units import si
from cleo_like.features.clamp.chain import chain_of
from cleo_like.io.findings.plausibility import LARGEST_CURRENT

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float

    from cleo_like.core.recording import Recording
    from cleo_like.core.units import Quantity

_STEADY = 0.1
"""Last part of the step whose mean is the steady current."""
_SKIP = 0.3e-3
"""Time after the edge (s) that belongs to the capacity transient."""
_CURRENTS = ("peak", "inward", "steady")
_NEAR = 5e-3
"""Distance from the reversal potential (V) within which a conductance is a quotient of two
small numbers."""


_NARROW = 0.1
"""Slope factor over the distance of potentials below which no point is on the curve's rise: at
half a distance from its middle it is at .7 %."""
_LOST = 5e-3
"""Drop (V) above which a fast current escapes the clamp: a slope factor of activation."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CurrentVoltage:
    """Currents of voltage steps (SI), ascending in potential.

    Attributes
    ----------
    voltage : array, shape (n_steps,)
        Commanded potential (V).
    peak : array, shape (n_steps,)
        Current farthest from the baseline after the capacity transient (A).
    inward : array, shape (n_steps,)
        Most negative current (A).
    steady : array, shape (n_steps,)
        Mean over the last tenth of the step (A).
    baseline : array, shape (n_steps,)
        Current before the step (A).
    time_to_peak : array, shape (n_steps,)
        From the edge to the peak (s).
    error : array, shape (n_steps,)
        Commanded minus true potential at the peak (V): the drop over what of the series
        resistance is not corrected; NaN where the settings do not tell it.
    """

    voltage: Float[np.ndarray, "n_steps"]
    peak: Float[np.ndarray, "n_steps"]
    inward: Float[np.ndarray, "n_steps"]
    steady: Float[np.ndarray, "n_steps"]
    baseline: Float[np.ndarray, "n_steps"]
    time_to_peak: Float[np.ndarray, "n_steps"]
    error: Float[np.ndarray, "n_steps"]
    notes: tuple[tuple[str, ...], ...] = ()

    @property
    def reversal(self) -> float:
        """Potential (V) at which the peak changes its sign; NaN where it does not."""
        found = np.flatnonzero((self.peak[:-1] < 0) & (self.peak[1:] >= 0))
        if not len(found):
            return float("nan")
        k = int(found[-1])
        low, high = self.peak[k], self.peak[k + 1]
        return float(
            self.voltage[k] - low * (self.voltage[k + 1] - self.voltage[k]) / (high - low)
        )

    def conductance(
        self, reversal: Quantity | None = None, current: str = "peak"
    ) -> Float[np.ndarray, "n_steps"]:
        """Give current over driving force (S); NaN within 5 mV of the reversal potential.

        Parameters
        ----------
        reversal : quantity or str, optional
            Default: where the peak changes its sign.
        current : str
            "peak" (default), "inward" or "steady".
        """
        if current not in _CURRENTS:
            raise unknown_name("current", current, _CURRENTS)
        zero = self.reversal if reversal is None else si(reversal, "V", "reversal")
        if not np.isfinite(zero):
            msg = "the peak current does not change its sign; give reversal='50 mV'"
            raise InputError(msg)
        force = self._held(current) - zero
        near = np.abs(force) < _NEAR
        return np.where(near, np.nan, getattr(self, current) / np.where(near, 1.0, force))

    def activation(
        self, reversal: Quantity | None = None, current: str = "peak"
    ) -> tuple[float, float, float]:
        """Fit a Boltzmann curve to the conductance, where the clamp holds the cell.

        Potentials at which the series resistance drops more than 5 mV are left out of "peak"
        and "inward": a fast current escapes the clamp there. A steady current has the potential
        that the drop leaves.

        Parameters
        ----------
        reversal, current
            As for `conductance`.

        Returns
        -------
        half : float
            Potential of half activation (V).
        slope : float
            Slope factor (V), positive for activation.
        maximum : float
            Largest conductance (S).

        Raises
        ------
        InputError
            Fewer than four potentials are left, or no curve fits them.
        """
        conductance, where = self.conductance(reversal, current), self._held(current)
        lost = np.zeros(len(where), dtype=bool)
        if current != "steady":  # a steady potential is known, however large the drop
            lost = np.abs(self.voltage - where) > _LOST
        known = np.isfinite(conductance) & ~lost
        try:
            return boltzmann_fit(where[known], conductance[known])
        except InputError as error:
            if not lost.any():
                raise
            msg = (
                f"{error}; {lost.sum()} of {len(lost)} potentials are left out, where the "
                f"series resistance drops more than {_LOST * 1e3:g} mV (less current, or more "
                "correction)"
            )
            raise InputError(msg) from error

    def _held(self, current: str) -> np.ndarray:
        """Give the potential at which the membrane was when a current was read (V)."""
        read, peak = getattr(self, current), self.peak
        share = np.divide(read, peak, out=np.ones(len(peak)), where=peak != 0)
        return np.asarray(self.voltage - np.nan_to_num(self.error) * share)

    def table(self) -> pd.DataFrame:
        """Give a table in mV, pA and ms."""
        import pandas as pd

        return pd.DataFrame({
            "voltage": self.voltage * 1e3, "peak": self.peak * 1e12,
            "inward": self.inward * 1e12, "steady": self.steady * 1e12,
            "baseline": self.baseline * 1e12, "time_to_peak": self.time_to_peak * 1e3,
            "series_resistance_error": self.error * 1e3,
            "notes": ["; ".join(n) for n in self.notes] or [""] * len(self.voltage),
        })  # fmt: skip

    def __repr__(self) -> str:
        """One line: steps and currents."""
        low, high = 1e3 * self.voltage.min(), 1e3 * self.voltage.max()
        most = ", ".join(
            f"{name} {1e12 * values.min():.4g} to {1e12 * values.max():.4g} pA"
            for name, values in (("peak", self.peak), ("steady", self.steady))
        )
        doubts = sum(map(bool, self.notes))
        doubtful = f"; {doubts} doubtful (see notes)" if doubts else ""
        return (
            f"CurrentVoltage of {len(self.voltage)} steps, {low:.4g} to {high:.4g} mV: "
            f"{most}{doubtful}"
        )


def current_voltage(
    recording: Recording, *, epoch: str = "step", skip: Any = None
) -> CurrentVoltage:
    """Measure the currents of a family of voltage steps.

    Parameters
    ----------
    recording : Recording
        Voltage clamp, with the protocol.
    epoch : str
        Name of the step's epoch.
    skip : quantity or str, optional
        Time after the edge that is left to the capacity transient (default 0.3 ms).

    Raises
    ------
    InputError
        No protocol, no such epoch, or current clamp.

    Examples
    --------
    >>> from cleo_like import record
    >>> from cleo_like.stimuli import voltage_steps
    >>> steps = voltage_steps(["-90 mV", "-70 mV", "-50 mV"], duration="50 ms", rate="20 kHz")
    >>> made = record("passive", steps, electrode="multiclamp_700b", seed=1)[0]
    >>> found = current_voltage(made)
    >>> (found.steady * 1e12).round(-1).tolist()  # pA: 200 MOhm, and the seal
    [-120.0, -10.0, 90.0]
    """
    check_recording(recording)
    protocol = recording.protocol
    if protocol is None or recording.n_sweeps == 0:
        msg = "an I-V curve needs the protocol of the recording (and a sweep of it)"
        raise InputError(msg)
    if any(s.mode is not ClampMode.VOLTAGE for s in recording.sweeps):
        msg = "an I-V curve is of voltage clamp; this recording has sweeps of another mode"
        raise InputError(msg)
    step = protocol.epoch(epoch)
    stacked = recording.stacked()
    rate = stacked.rate
    left_out = _SKIP if skip is None else si(skip, "s", "skip")
    if left_out < 0:
        msg = f"skip must be 0 ms or more, got {left_out * 1e3:g} ms"
        raise InputError(msg)
    after = step.start + round(left_out * rate)
    if after >= step.stop:
        msg = f"skip leaves nothing of the step of {(step.stop - step.start) / rate * 1e3:g} ms"
        raise InputError(msg)
    response = stacked.response.astype(float)
    base = response[:, max(0, step.start - round(0.02 * rate)) : step.start].mean(axis=1)
    during = response[:, after : step.stop]
    at = np.abs(during - base[:, np.newaxis]).argmax(axis=1)
    tail = max(1, round(_STEADY * (step.stop - step.start)))
    voltage = protocol.waveforms[:, (step.start + step.stop) // 2]
    peak = np.take_along_axis(during, at[:, np.newaxis], axis=1)[:, 0]
    left = np.array([_left(recording, k) for k in range(recording.n_sweeps)])
    order = np.argsort(voltage, kind="stable")
    columns = {
        "voltage": voltage, "peak": peak, "inward": during.min(axis=1),
        "steady": response[:, step.stop - tail : step.stop].mean(axis=1), "baseline": base,
        "time_to_peak": (at + after - step.start) / rate, "error": left * peak,
    }  # fmt: skip
    notes = [
        _doubts(first, error) + _impossible(current)
        for first, error, current in zip(at == 0, left * peak, peak, strict=True)
    ]
    return CurrentVoltage(
        notes=tuple(notes[k] for k in order),
        **{name: values[order] for name, values in columns.items()},
    )


def _doubts(first: bool, error: float) -> tuple[str, ...]:  # noqa: FBT001
    """Say why a step's current is not that of its commanded potential."""
    found = []
    if first:
        found.append(
            "the current is largest where `skip` ends: it was larger before, or the capacity "
            "transient is not over (subtract the leak, or set skip)"
        )
    if abs(error) > _LOST:
        found.append(
            f"the series resistance drops {abs(error) * 1e3:.1f} mV at the peak: the cell is "
            "not at the commanded potential (less current, or more correction)"
        )
    return tuple(found)


def _impossible(current: float) -> tuple[str, ...]:
    """Say where a current is none of a patch electrode."""
    if not abs(current) > LARGEST_CURRENT:
        return ()
    return (f"a current of {current:.3g} A is none of a patch clamp: is its unit right?",)


def _left(recording: Recording, k: int) -> float:
    """Series resistance of a sweep that is not corrected (ohm); NaN where it is not known."""
    sweep = recording.sweeps[k]
    found = sweep.settings.get("series_resistance")
    if found is None:
        found = recording.device.get("initial_access_resistance")
    try:
        access = float(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
    return access - chain_of(recording, sweep).corrected


def boltzmann_fit(
    voltage: Float[np.ndarray, "n"], conductance: Float[np.ndarray, "n"]
) -> tuple[float, float, float]:
    """Fit ``maximum / (1 + exp((half - v) / slope))``.

    Returns
    -------
    half, slope, maximum : float
        V, V and the unit of the conductance.

    Raises
    ------
    InputError
        Fewer than four points, or no curve fits with its half inside the potentials.

    Examples
    --------
    >>> v = np.linspace(-0.08, 0.02, 11)
    >>> half, slope, most = boltzmann_fit(v, 2e-8 / (1 + np.exp((-0.03 - v) / 0.006)))
    >>> round(half * 1e3, 3), round(slope * 1e3, 3), round(most * 1e9, 3)
    (-30.0, 6.0, 20.0)
    """
    from scipy.optimize import least_squares

    if len(voltage) < 4:
        msg = f"a Boltzmann fit needs 4 potentials or more, got {len(voltage)}"
        raise InputError(msg)
    scale = float(np.max(np.abs(conductance)))
    if not scale > 0:
        msg = "the conductance is 0 everywhere: there is no activation to fit"
        raise InputError(msg)

    def misfit(p: np.ndarray) -> np.ndarray:
        curve = p[2] / (1 + np.exp(np.clip((p[0] - 1e3 * voltage) / p[1], -500, 500)))
        return np.asarray(curve - conductance / scale)

    near = 1e3 * voltage[np.argmin(np.abs(conductance - conductance.max() / 2))]
    fits = [
        least_squares(misfit, (near, slope, 1.0), x_scale=(10.0, 5.0, 1.0))
        for slope in (6.0, -6.0)
    ]
    best = min(fits, key=lambda fit: fit.cost)
    half, slope, most = best.x
    if not best.success or slope == 0:
        msg = f"no Boltzmann curve fits the conductance: {best.message}"
        raise InputError(msg)
    apart = 1e3 * float(np.median(np.diff(np.unique(voltage))))
    if abs(slope) < _NARROW * apart:
        msg = (
            f"no Boltzmann curve fits the conductance: it jumps between two potentials "
            f"{apart:.4g} mV apart near {half:.4g} mV (smaller steps, or a clamp that holds)"
        )
        raise InputError(msg)
    if not 1e3 * voltage.min() <= half <= 1e3 * voltage.max():
        msg = (
            f"no Boltzmann curve fits the conductance: half of it would be at {half:.4g} mV, "
            f"outside the {1e3 * voltage.min():.4g} to {1e3 * voltage.max():.4g} mV measured"
        )
        raise InputError(msg)
    return float(half * 1e-3), float(slope * 1e-3), float(most * scale)

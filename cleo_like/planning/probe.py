"""Measure what a design needs through the rig: impedance, resistance, noise, rheobase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.window import Window
from cleo_like.features.impedance import impedance
from cleo_like.features.parameters import DEFAULT
from cleo_like.features.spikes.table import spikes_of
from cleo_like.features.stack import as_stack
from cleo_like.patch import record
from cleo_like.planning.response import LinearResponse
from cleo_like.stimuli import chirp, long_square

if TYPE_CHECKING:
    from cleo_like.core import Protocol, Recording
    from cleo_like.patch.names import Cells, OneCell, Rig

LOWEST, HIGHEST = 0.5, 150.0
"""Range of the chirp (Hz): below, the step answers; above, a design lets little pass."""
_REST, _TAIL, _STEP = 0.5, 1.5, 1.5  # s
_RATE = 10e3  # Hz
_TRIES = 4
_STRONGEST = 50e-12
"""Amplitude (A) above which no cell's answer is linear any more."""


def probe(
    cells: Cells,
    *,
    amplitude: float,
    holding: float = 0.0,
    electrode: Rig | None = None,
    seed: int = 0,
    duration: float = 20.0,
    repeats: int = 2,
    rate: float | None = None,
) -> list[LinearResponse]:
    """Measure the impedance of cells with a chirp and steps, through the rig.

    Parameters
    ----------
    cells : str, CellModel, Population, or a sequence of these
        What to measure.
    amplitude : float
        Of chirp and steps (A), at most 50 pA; halved where the cell fires.
    holding : float
        Current at which the cell rests (A).
    electrode : IdealElectrode or PatchPipette, optional
        The rig, with its noise.
    seed : int
        Of its noise.
    duration : float
        Of the chirp (s).
    repeats : int
        Sweeps that are averaged.
    rate : float, optional
        Sampling rate (Hz; default 10 kHz, or the digitiser's).

    Raises
    ------
    InputError
        A cell that fires at every amplitude.
    """
    sampling = rate if rate is not None else rate_of(electrode)
    amplitude = min(amplitude, _STRONGEST)
    for _ in range(_TRIES):
        try:
            return _measured(cells, amplitude, holding, electrode, seed, duration, repeats,
                             sampling)  # fmt: skip
        except _FiresError as fires:
            last, amplitude = fires, amplitude / 2
    msg = (
        f"{last}: it fires at {amplitude * 2e12:.3g} pA around a holding current of "
        f"{holding * 1e12:g} pA; a design needs a cell that rests: choose another holding"
    )
    raise InputError(msg)


class _FiresError(Exception):
    """A cell fires in the probe."""


def rate_of(electrode: Rig | None) -> float:
    """Give the sampling rate of a probe (Hz)."""
    digitiser = getattr(electrode, "digitiser", None)
    fixed = getattr(digitiser, "rate", None)
    if fixed is not None:
        return float(fixed)
    glass = getattr(electrode, "electrode", electrode)
    lowpass = getattr(glass, "lowpass", None)  # an ideal electrode filters the samples
    return _RATE if lowpass is None else max(_RATE, float(np.ceil(lowpass / 0.4 / 1e4) * 1e4))


def _measured(  # noqa: PLR0917
    cells: Cells, amplitude: float, holding: float, electrode: Rig | None, seed: int,
    duration: float, repeats: int, rate: float,
) -> list[LinearResponse]:  # fmt: skip
    pico, hold = f"{float(amplitude)!r} A", f"{float(holding)!r} A"
    common: dict[str, Any] = {"rate": f"{rate!r} Hz", "holding": hold}
    sweep = chirp(
        pico, start=f"{LOWEST} Hz", stop=f"{HIGHEST} Hz", duration=f"{duration} s",
        sweep="exponential", repeats=repeats, before=f"{_REST} s", after=f"{_TAIL} s",
        **common,
    )  # fmt: skip
    steps = long_square(
        [f"{sign}{pico}" for sign in ("-", "") for _ in range(repeats)],
        duration=f"{_STEP} s", before=f"{_REST} s", after="0.1 s", **common,
    )  # fmt: skip
    played: dict[str, Any] = {"electrode": electrode, "progress": False}
    resistances = record(
        cells,
        steps,
        seed=seed + 1,
        consume=lambda r: _resistance(r, steps, amplitude),
        **played,
    )
    found = record(cells, sweep, seed=seed, consume=lambda r: _spectrum(r, sweep), **played)
    return [_joined(z, ohm) for z, ohm in zip(found, resistances, strict=True)]


def _resistance(recording: Recording, steps: Protocol, amplitude: float) -> float:
    """Steady potential of up minus down steps over their difference in current (ohm)."""
    step = steps.epoch("step")
    stack = as_stack(recording)
    if spikes_of(stack, Window(start=0.0, end=steps.duration), DEFAULT).counts.any():
        raise _FiresError(recording.cell.id)
    late = recording.stacked().response[:, (2 * step.start + 3 * step.stop) // 5 : step.stop]
    level = late.mean(axis=1, dtype=float)
    half = len(level) // 2
    return float((level[half:].mean() - level[:half].mean()) / (2 * amplitude))


def _spectrum(recording: Recording, sweep: Protocol) -> tuple[np.ndarray, np.ndarray, float]:
    """Frequencies, impedance (ohm), and the noise at rest (V)."""
    epoch = sweep.epoch("chirp")
    start, end = f"{epoch.start / sweep.rate!r} s", f"{epoch.stop / sweep.rate!r} s"
    stack = as_stack(recording)
    window = Window(start=epoch.start / sweep.rate, end=epoch.stop / sweep.rate)
    if spikes_of(stack, window, DEFAULT).counts.any():
        raise _FiresError(recording.cell.id)
    parts = []
    # spectra are averaged finely where the impedance changes within a hertz
    for low, high, width in _BANDS:
        z = impedance(
            stack, start, end, low=f"{low} Hz", high=f"{high} Hz", resolution=f"{width} Hz"
        )
        parts.append((z.frequency, z.magnitude * 1e6 * np.exp(1j * z.phase)))
    rest = recording.stacked().response[:, : epoch.start].astype(float)
    noise = float(np.sqrt(rest.var(axis=1).mean()))
    return np.concatenate([f for f, _ in parts]), np.concatenate([z for _, z in parts]), noise


_BANDS = ((LOWEST, 5.0, 0.25), (5.01, 30.0, 1.0), (30.01, HIGHEST, 4.0))
"""Low end, high end and width of averaging (Hz)."""


def _joined(
    measured: tuple[np.ndarray, np.ndarray, float], resistance: float
) -> LinearResponse:
    frequency, ohm, noise = measured
    if not resistance > 0:
        msg = f"the cell's input resistance measures {resistance / 1e6:g} MOhm, not above 0"
        raise InputError(msg)
    return LinearResponse(
        frequency=np.r_[0.0, frequency], impedance=np.r_[resistance, ohm], noise=noise,
        source="measured through the rig (chirp and steps)",
    )  # fmt: skip


def rheobase_through(
    cell: OneCell,
    *,
    electrode: Rig | None = None,
    holding: float = 0.0,
    maximum: float = 2e-9,
    seed: int = 0,
    rate: float | None = None,
) -> float:
    """Find the smallest 1 s step (A, from holding) with a spike, by two ladders of steps.

    Returns
    -------
    float
        To 1 % of it; NaN where no step up to `maximum` evokes one.
    """
    sampling = rate if rate is not None else rate_of(electrode)
    low, high = maximum / 512, maximum
    for _ in range(3):
        levels = np.geomspace(low, high, 12)
        family = long_square(
            [f"{level!r} A" for level in levels.tolist()], before="0.2 s", after="0.1 s",
            rate=f"{sampling!r} Hz", holding=f"{float(holding)!r} A",
        )  # fmt: skip
        (recording,) = record(cell, family, electrode=electrode, seed=seed, progress=False)
        step = family.epoch("step")
        window = Window(start=step.start / sampling, end=step.stop / sampling)
        fires = spikes_of(as_stack(recording), window, DEFAULT).counts > 0
        if not fires.any():
            return float("nan")
        first = int(np.argmax(fires))
        high = float(levels[first])
        if first == 0:
            return high
        low = float(levels[first - 1])
    return high

"""The truth of one recording, each quantity by a stated definition.

* Spike: upward crossing of the model's level, between integration steps; its time is that of
  the peak on the 400 kHz trace (of the crossing where an AdEx cell has no peak).
* Shape: the native definition on the noise-free, unfiltered potential, between samples, at
  400 kHz (what chain and extractor did together) and at the recording's rate (what the
  extractor did).
* Threshold by the threshold equation (`threshold_equation`): a reference beside the native
  one, which no extractor means by its threshold.
* Resistances: slopes of the peak and of the final deflection on the current; sag: at the
  potential that was reached; both without synaptic currents, whose extremes are no property
  of the membrane. Time constant and capacitance: from the equations at rest. Rheobase: the
  lowest step (above holding) that fires, and the bisected one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError
from cleo_like.core.window import Window
from cleo_like.features.long_square.train import train_features
from cleo_like.features.lowpass import Lowpass
from cleo_like.features.parameters import ExtractionParameters
from cleo_like.features.registry import native
from cleo_like.features.spikes import SpikeTable
from cleo_like.features.stack import SweepStack
from cleo_like.groundtruth.cases.chain import FINE, every
from cleo_like.groundtruth.truth.shapes import between_samples
from cleo_like.groundtruth.truth.threshold_equation import EQUATION, equation_thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.groundtruth.cases.chain import CellRun
    from cleo_like.groundtruth.cases.plan import Case

TRUTH = 2
"""Number of what is written here: truths that were found by another are found again."""
RATE, FINEST = "recording rate", "400 kHz"
REFERENCES = (RATE, FINEST)
"""Where the truth of a value comes from: what the extractor did, and what chain and extractor
did together."""
UNFILTERED = ExtractionParameters(filter=None)
RISE = 3e-3
"""Seconds from the crossing within which the peak lies."""
_COARSER = 4  # fine samples between those at which gates are followed
_LEAST = -100.0  # pA: ExtractionParameters.subthresh_min_amp
_STEADY = 0.03  # s at the end of the step
_LONG_SQUARE = "steps"

SPIKE_SHAPES = (
    "threshold_v", "threshold_t", "peak_v", "upstroke", "downstroke",
    "upstroke_downstroke_ratio", "width", "fast_trough_v",
)  # fmt: skip
_INTERVALS = ("avg_rate", "latency", "first_isi", "mean_isi", "isi_cv", "adapt")


@attrs.frozen(kw_only=True, eq=False)
class Truth:
    """What a perfect extractor would answer for one recording.

    Parameters
    ----------
    window : Window
        The step.
    is_long_square : bool
        Whether the sweeps are long squares.
    times : mapping of str to array, shape (n_spikes,)
        ``sweep``, ``t`` (s) and ``inside`` (whether it belongs to the step).
    shapes : mapping of str to columns
        For each of `REFERENCES`: columns of the native table on the clean trace; of cells
        with gates also the thresholds by `threshold_equation`.
    sweeps, cell : mapping of str to values
        For each of `REFERENCES`: per sweep, per cell.
    """

    window: Window
    is_long_square: bool
    times: Mapping[str, np.ndarray]
    shapes: Mapping[str, Mapping[str, np.ndarray]]
    sweeps: Mapping[str, Mapping[str, np.ndarray]]
    cell: Mapping[str, Mapping[str, float]]


def step_of(run: CellRun) -> Window:
    """Give the epoch that is measured, in seconds."""
    return Window(start=run.step.start / FINE, end=run.step.stop / FINE)


def clean_stack(run: CellRun, rate: float) -> SweepStack:
    """Give the noise-free, unfiltered potential of the cell at a rate (Hz)."""
    k = every(rate)
    return SweepStack(
        voltage_mv=run.voltage[:, ::k] * 1e3,
        current_pa=run.protocol.waveforms[:, ::k] * 1e12,
        rate=rate,
        lowpass=Lowpass(np.inf),
    )


def truth_of(case: Case, run: CellRun, finest: Truth | None = None) -> Truth:
    """Find all answers of a recording.

    Parameters
    ----------
    case : Case
        Its rate is used.
    run : CellRun
        The cell's own potential.
    finest : Truth, optional
        Of another case with the same run: what does not depend on the rate is taken from it.
    """
    step, shaped = step_of(run), run.cell.model.conductance_based
    times = finest.times if finest is not None else _times(run, step)
    is_long_square = str(case.factors["protocol"]).startswith((_LONG_SQUARE, "one_step"))
    shapes: dict[str, Mapping[str, np.ndarray]] = {}
    sweeps: dict[str, Mapping[str, np.ndarray]] = {}
    cells: dict[str, Mapping[str, float]] = {}
    for name, rate in ((RATE, case.number("rate") * 1e3), (FINEST, FINE)):
        if name == FINEST and finest is not None:
            shapes[name], sweeps[name] = finest.shapes[name], finest.sweeps[name]
            cells[name] = finest.cell[name]
            continue
        found = measured_clean(clean_stack(run, rate), step)
        shapes[name] = found[0] if shaped else _timed_only(times)
        sweeps[name] = found[1] if shaped else _trains(times, step, len(run.voltage))
        cells[name] = _cell_values(found[2], run, step, times, shaped=shaped)
    if finest is not None:
        shapes |= {EQUATION: finest.shapes[EQUATION]} if EQUATION in finest.shapes else {}
    elif shaped and run.cell.spikes:
        shapes[EQUATION] = _by_equation(run, times)
    return Truth(
        window=step, is_long_square=is_long_square, times=times, shapes=shapes,
        sweeps=sweeps, cell=cells,
    )  # fmt: skip


def _times(run: CellRun, step: Window) -> dict[str, np.ndarray]:
    """Give the times of all true spikes."""
    sweep, time = [], []
    for k, crossings in enumerate(run.spike_times):
        ends = np.append(crossings, np.inf)[1:]
        for crossing, following in zip(crossings, ends, strict=True):
            sweep.append(k)
            until = min(crossing + RISE, following)
            peaked = run.cell.model.conductance_based
            time.append(
                peak_time(run.voltage[k], crossing, until, FINE) if peaked else crossing
            )
    crossed = np.concatenate([*run.spike_times, np.zeros(0)])
    inside = (crossed >= step.start) & (crossed < step.end)
    return {"sweep": np.array(sweep, dtype=int), "t": np.array(time), "inside": inside}


def peak_time(v: np.ndarray, start: float, stop: float, rate: float) -> float:
    """Give the time (s) of the highest point between two times, between samples.

    Examples
    --------
    >>> peak_time(np.array([0.0, 1.0, 3.0, 3.0, 1.0]), 0.0, 4.0, 1.0)
    2.5
    """
    a, b = int(start * rate), min(int(stop * rate) + 1, v.size - 1)
    k = a + int(v[a:b].argmax()) if b > a else a
    k = min(max(k, 1), v.size - 2)
    left, top, right = v[k - 1 : k + 2]
    bend = left - 2 * top + right
    return float((k + (0.5 * (left - right) / bend if bend < 0 else 0.0)) / rate)


def measured_clean(
    stack: SweepStack, step: Window
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, float]]:
    """Apply the native definitions to a clean trace."""
    try:
        found = native(stack, step, UNFILTERED)
    except CleoLikeError:  # a ramp or a chirp of a passive cell has nothing to measure
        return {"sweep": np.zeros(0, dtype=int), "peak_t": np.zeros(0)}, {}, {}
    spikes = between_samples(stack, step, found.spikes or {})
    table = SpikeTable(columns=spikes, n_sweeps=stack.n_sweeps, cutoff=None)
    sweeps = dict(found.sweeps or {}) | train_features(table, step)
    return spikes, sweeps, dict(found.values)


def _by_equation(run: CellRun, times: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give the thresholds of the true spikes by the threshold equation."""
    inside = times["inside"]
    sweep, peak = times["sweep"][inside], times["t"][inside]
    found = equation_thresholds(
        run.cell.model, run.voltage[:, ::_COARSER], FINE / _COARSER, sweep, peak
    )
    return {"sweep": sweep, "peak_t": peak, **found}


def _timed_only(times: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give times and no shape: an AdEx spike is cut at a level."""
    inside = times["inside"]
    return {"sweep": times["sweep"][inside], "peak_t": times["t"][inside]}


def _trains(times: Mapping[str, np.ndarray], step: Window, n: int) -> dict[str, np.ndarray]:
    """Rates and intervals from true times (an AdEx cell has no threshold to take)."""
    out = {name: np.full(n, np.nan) for name in _INTERVALS}
    for k in range(n):
        t = times["t"][(times["sweep"] == k) & times["inside"]]
        out["avg_rate"][k] = t.size / step.duration
        gaps = np.diff(t)
        if t.size:
            out["latency"][k] = t[0] - step.start
        if gaps.size:
            out["first_isi"][k], out["mean_isi"][k] = gaps[0], gaps.mean()
            out["isi_cv"][k] = gaps.std() / gaps.mean()
        if gaps.size > 1:
            out["adapt"][k] = np.mean((gaps[1:] - gaps[:-1]) / (gaps[1:] + gaps[:-1]))
    return out


def _cell_values(
    native_values: dict[str, float],
    run: CellRun,
    step: Window,
    times: Mapping[str, np.ndarray],
    *,
    shaped: bool,
) -> dict[str, float]:
    """Put the exact answers in the place of measured ones."""
    out = {k: v for k, v in native_values.items() if shaped or not k.startswith("ap_")}
    if run.step.name != "step":
        return {}
    clean = clean_stack(run, FINE)
    still = attrs.evolve(clean, voltage_mv=run.still * 1e3)
    known = {
        "time_constant": run.cell.answers.time_constant,
        "capacitance": run.cell.answers.capacitance,
        "rheobase": run.cell.rheobase,
    }
    values = exact_values(still, step, times, known)
    # synaptic currents move the baseline; extremes that they make are no property of the cell
    values["v_baseline"] = exact_values(clean, step, times, known)["v_baseline"]
    return out | values


def exact_values(
    clean: SweepStack,
    step: Window,
    times: Mapping[str, np.ndarray],
    known: Mapping[str, float],
) -> dict[str, float]:
    """Give the answers that need no extractor (mV, pA, MOhm, pF, s).

    Parameters
    ----------
    clean : SweepStack
        The cell's own potential, with the holding current in front of the step.
    step : Window
        The step.
    times : mapping
        Of the true spikes.
    known : mapping of str to float
        ``time_constant``, ``capacitance`` and ``rheobase`` of 0.5 s (SI), where they are known.
    """
    a, b = round(step.start * clean.rate), round(step.end * clean.rate)
    v, holding = clean.voltage_mv, clean.current_pa[:, max(a - 1, 0)]
    amplitude = clean.current_pa[:, a + 1] - holding
    counts = np.bincount(times["sweep"][times["inside"]], minlength=len(v))
    base = v[:, max(0, a - round(0.1 * clean.rate)) : a].mean(axis=1)
    lowest = v[:, a:b].min(axis=1)
    final = v[:, b - round(_STEADY * clean.rate) : b].mean(axis=1)
    quiet = (counts == 0) & (amplitude < 0)
    rows = np.flatnonzero(quiet & (amplitude + holding > _LEAST))
    held = bool((holding != 0).any())
    out = {
        "v_baseline": float(base.mean()),
        "input_resistance": _slope(amplitude[rows], (lowest - base)[rows]),
        "steady_state_input_resistance": _slope(amplitude[rows], (final - base)[rows]),
        "capacitance": known.get("capacitance", np.nan) * 1e12,
    }
    # the equations give the time constant at rest; a held cell with an Ih has another
    out["tau"] = np.nan if held else known.get("time_constant", np.nan)
    if quiet.any():
        row = np.flatnonzero(quiet)[np.abs(lowest[quiet] + 100).argmin()]
        out["sag"] = float((lowest[row] - final[row]) / (lowest[row] - base[row]))
    fires = (counts > 0) & (amplitude > 0)
    out["rheobase_i"] = float(amplitude[fires].min()) if fires.any() else np.nan
    known_here = not held and abs(step.duration - 0.5) < 1e-9 and bool(fires.any())
    out["rheobase_estimate"] = known.get("rheobase", np.nan) * 1e12 if known_here else np.nan
    out["max_rate"] = float(counts.max() / step.duration) if fires.any() else np.nan
    return out


def _slope(current: np.ndarray, deflection: np.ndarray) -> float:
    """Deflection (mV) on current (pA) in MOhm; a chord where there is one step."""
    if current.size == 0:
        return float("nan")
    if current.size == 1 or np.ptp(current) == 0:
        return float(1e3 * np.mean(deflection / current))
    return float(1e3 * np.polyfit(current, deflection, 1)[0])

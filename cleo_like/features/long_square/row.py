"""Cell-level values of a family of steps: membrane, firing, rest, rebound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.window import Window
from cleo_like.features.estimate import Estimate, stated
from cleo_like.features.long_square import firing, membrane
from cleo_like.features.long_square.patterns import pattern_features
from cleo_like.features.long_square.rheobase import fires_already, rheobase
from cleo_like.features.long_square.subthreshold import (
    away_from_first_level,
    intervals,
    subthreshold_features,
)
from cleo_like.features.long_square.train import train_features
from cleo_like.features.passive.family import NO_STEP, NO_SWEEP
from cleo_like.features.passive.measure import membrane_of
from cleo_like.features.passive.residue import residue_of
from cleo_like.features.spikes.resampling.spectra import converter_step
from cleo_like.features.spikes.table import spikes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.features.long_square.subthreshold import Intervals
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.passive.residue import Residue
    from cleo_like.features.spikes.table import SpikeTable
    from cleo_like.features.stack import SweepStack

_SAG_TARGET = -100.0  # mV
_REBOUND_WITHIN = 0.15  # s after the step
_CODE_SAMPLES = 2000  # are enough to see the step of the converter
_ZERO_CURRENT = 1.0  # pA: less is no holding current
_RECOVERY = 0.3  # s before the baseline: afterhyperpolarisations last as long
_RECOVERS = 0.2  # mV between the halves of the baseline, after a spike
_SPIKE = 15.0  # mV above the median: less is not looked at as a spike
REST_MV = (-120.0, -10.0)  # mV: see io.findings.plausibility
_FEW = 20  # samples before the step


@attrs.frozen(kw_only=True, eq=False)
class Measured:
    """What the cell-level values are made of."""

    stack: SweepStack
    step: Window
    limits: ExtractionParameters
    where: Intervals
    table: SpikeTable
    sweeps: dict[str, np.ndarray]


def measured(stack: SweepStack, step: Window, limits: ExtractionParameters) -> Measured:
    """Measure spikes, trains and slow responses of every sweep."""
    where = intervals(stack, step, limits)
    table = spikes_of(stack, step, limits)
    sweeps = train_features(table, step)
    if not limits.exact:  # ipfx's extractor cannot reach its own search for them
        sweeps |= pattern_features(table, step)
    sweeps |= subthreshold_features(stack, step, limits, where)
    return Measured(
        stack=stack, step=step, limits=limits, where=where, table=table, sweeps=sweeps
    )


class Answers:
    """Values with errors and reasons, as they are found."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.errors: dict[str, float] = {}
        self.reasons: dict[str, str] = {}
        self.residue: Residue | None = None
        self.fires = np.zeros(0, dtype=bool)

    def put(self, name: str, found: Estimate | float, why: str = "") -> None:
        """Keep a value, its error, and why it is missing."""
        estimate = found if isinstance(found, Estimate) else Estimate(value=float(found))
        self.values[name] = estimate.value
        if np.isfinite(estimate.error):
            self.errors[name] = estimate.error
        if np.isnan(estimate.value):
            self.reasons[name] = estimate.reason or why or "not defined for these sweeps"

    def missing(self, why: str, *names: str) -> None:
        """Say of some values why they are missing."""
        for name in names:
            self.put(name, np.nan, why)


def membrane_values(answers: Answers, found: Measured) -> tuple[str, ...]:
    """Find baseline, sag, resistances, time constants and capacitance; give the notes."""
    if found.limits.exact:
        answers.put("v_baseline", _baseline(found), "no baseline before the step")
        _ipfx_values(answers, found)
        return ()
    limit = found.limits.subthresh_min_amp
    measured = membrane_of(found.stack, found.step, found.sweeps, limit)
    found.sweeps.update(measured.sweeps)
    values = measured.values
    left = residue_of(
        found.stack,
        found.where.baseline,
        away_from_first_level(found.stack, found.where.baseline[1]),
        resistance=values["input_resistance"],
        tau=values["tau"],
    )
    found.sweeps["v_baseline"] = found.sweeps["v_baseline"] - left.values
    answers.residue = left
    answers.fires = _fires_before(found)
    calm = ~answers.fires if not answers.fires.all() else answers.fires
    answers.put("v_baseline", _baseline(found, left, calm), "no baseline before the step")
    for name, estimate in values.items():
        answers.put(name, estimate)
    if not left.values.any():
        return measured.notes
    taken = (
        f"{left.values.mean():.2g} mV that an earlier pulse leaves are taken off the baseline"
    )
    return (*measured.notes, taken)


def _ipfx_values(answers: Answers, found: Measured) -> None:
    """Find sag, input resistance and time constant as ipfx has them."""
    sweeps, p = found.sweeps, found.limits
    quiet, rest = sweeps["avg_rate"] == 0, sweeps["v_baseline"]
    _ipfx_sag(answers, sweeps, quiet)
    amplitude = sweeps["stim_amp"]
    rows = np.flatnonzero(quiet & (amplitude < 0) & (amplitude > p.subthresh_min_amp))
    current, lowest = sweeps["i_at_v_min"][rows], sweeps["v_min"][rows]
    taus = membrane.time_constants(
        found.stack,
        rows,
        found.step,
        lowest=sweeps["v_min_index"][rows],
        baseline=rest[rows],
        noise=sweeps["v_baseline_sd"][rows],
    )
    sweeps["tau_sweep"] = np.full(found.stack.n_sweeps, np.nan)
    sweeps["tau_sweep"][rows] = [estimate.value for estimate in taus]
    if rows.size == 0:
        answers.missing(NO_SWEEP, "input_resistance", "tau")
        return
    answers.put("input_resistance", membrane.ipfx_resistance(current, lowest, rest[rows]))
    answers.put("tau", _mean_estimate(taus))


def _ipfx_sag(answers: Answers, sweeps: Mapping[str, np.ndarray], quiet: np.ndarray) -> None:
    """Sag of the sweep whose deflection comes nearest to -100 mV."""
    rows = np.flatnonzero(quiet)
    if rows.size == 0:
        answers.missing("no subthreshold hyperpolarising sweep", "sag", "vm_for_sag")
        return
    row = rows[np.abs(sweeps["peak_deflect_v"][rows] - _SAG_TARGET).argmin()]
    answers.put("sag", sweeps["sag"][row], "no baseline before the step")
    answers.put("vm_for_sag", sweeps["peak_deflect_v"][row])


def _fires_before(found: Measured) -> np.ndarray:
    """Tell which sweeps fire in the baseline, or before it and still recover in it."""
    stack, rate = found.stack, found.stack.rate
    out = np.zeros(stack.n_sweeps, dtype=bool)
    a, b = found.where.baseline
    stop = stack.bounds(found.step)[0]
    first = max(0, a - round(_RECOVERY * rate))
    before = stack.voltage_mv[:, first:stop]
    if before.shape[1] < _FEW or b - a < _FEW:
        return out
    middle = before[:, :: max(1, before.shape[1] // _CODE_SAMPLES)]
    rows = np.flatnonzero(before.max(axis=1) - np.median(middle, axis=1) > _SPIKE)
    if rows.size:
        window = Window(start=first / rate, end=stop / rate)
        spikes = spikes_of(stack.take(rows), window, found.limits, shapes=False)
        late = spikes["sweep"][spikes["peak_index"] >= a].astype(int)
        out[rows[late]] = True
        halves = (stack.voltage_mv[rows, k : k + (b - a) // 2] for k in (a, (a + b) // 2))
        moved = np.abs(np.subtract(*(half.mean(axis=1) for half in halves)))
        out[rows[(spikes.counts > 0) & (moved > _RECOVERS)]] = True
    return out


def _baseline(
    found: Measured, left: Residue | None = None, rows: np.ndarray | None = None
) -> Estimate:
    """Mean over the sweeps; they share what the converter rounds off, and what is taken off."""
    levels = found.sweeps["v_baseline"]
    levels = levels if rows is None else levels[rows]
    mean = _mean(levels)
    if left is not None and left.reason:
        return Estimate(reason=left.reason)
    if found.limits.exact:
        return mean
    shared = left.error if left is not None else 0.0
    n = int(np.isfinite(levels).sum())
    start = found.stack.bounds(found.step)[0]
    about = found.stack.voltage_mv[:, max(0, start - _CODE_SAMPLES) : start + _CODE_SAMPLES]
    code = converter_step(about) / np.sqrt(12)
    found_error = stated(mean.value, code, mean.error, n - 1) if n > 1 else mean
    if not shared:
        return found_error
    own = found_error.error if np.isfinite(found_error.error) else 0.0
    return Estimate(value=mean.value, error=float(np.hypot(own, shared)))


def _mean(values: np.ndarray) -> Estimate:
    good = values[np.isfinite(values)]
    if good.size == 0:
        return Estimate()
    error = good.std(ddof=1) / np.sqrt(good.size) if good.size > 1 else np.nan
    return Estimate(value=float(good.mean()), error=float(error))


def _mean_estimate(found: list[Estimate]) -> Estimate:
    good = [e for e in found if np.isfinite(e.value)]
    if not good:
        return Estimate(reason="; ".join(sorted({e.reason for e in found})))
    if len(good) == 1:
        return good[0]
    return _mean(np.array([e.value for e in good]))


def firing_values(answers: Answers, found: Measured) -> tuple[str, ...]:
    """Find rheobase, hero sweep, f-I line and depolarisation block; give the notes."""
    stack, sweeps, p = found.stack, found.sweeps, found.limits
    amplitude, rate = sweeps["stim_amp"], sweeps["avg_rate"]
    lowest = firing.rheobase_row(amplitude, rate, 0.0 if p.exact else NO_STEP)
    if p.exact:
        answers.put("fi_fit_slope", firing.fi_slope(amplitude, rate, np.flatnonzero(rate > 0)))
    else:
        _firing_range(answers, found)
    names = ("rheobase_i", "rheobase_sweep", "hero_sweep", "hero_amp")
    hero_names = {"hero_latency": "latency", "hero_adapt": "adapt", "hero_mean_isi": "mean_isi"}
    if lowest is None:
        why = "no sweep with a depolarising step fired" + _excluded(stack)
        answers.missing(why, *names, *hero_names)
        return ()
    answers.put("rheobase_i", amplitude[lowest])
    answers.put("rheobase_sweep", stack.numbers[lowest])
    hero = firing.hero_row(amplitude, rate, float(amplitude[lowest]))
    answers.put("hero_sweep", stack.numbers[hero] if hero is not None else np.nan)
    answers.put("hero_amp", amplitude[hero] if hero is not None else np.nan)
    for name, column in hero_names.items():
        answers.put(name, float(sweeps[column][hero]), "too few spikes in the hero sweep")
    first = float(amplitude[rate > 0].min())
    if first > NO_STEP or p.exact:
        return ()
    least = f"{amplitude[lowest]:.4g} pA is the least of the steps that were tried, no rheobase"
    return (f"{fires_already(first)}: {least}",)


def _excluded(stack: SweepStack) -> str:
    """Say that sweeps with steps were not looked at."""
    n = len(stack.excluded)
    return f" ({n} sweeps are excluded)" if n else ""


def _firing_range(answers: Answers, found: Measured) -> None:
    """Find where firing begins, how it grows, and where it ends."""
    sweeps = found.sweeps
    amplitude, rate = sweeps["stim_amp"], sweeps["avg_rate"]
    block = firing.blocked(found.stack, found.step, found.table, amplitude, rate)
    sweeps["blocked"] = block
    onset = float(amplitude[block].min()) if block.any() else np.nan
    answers.put("depolarization_block_i", onset, "no sweep is in depolarisation block")
    fires = ((rate > 0) & (amplitude > NO_STEP)).any()
    answers.put("max_rate", rate.max() if fires else np.nan, "no spike")
    up, down = firing.fi_slopes(amplitude, rate)
    answers.put("fi_fit_slope", up)
    answers.put("fi_slope_after_max", down)
    _spike_bandwidth(answers, found.table)
    bracket = rheobase(amplitude, rate, sweeps["latency"], found.step.duration)
    answers.put("rheobase_estimate", bracket.estimate)
    answers.put("rheobase_low", bracket.low, bracket.reason)
    answers.put("rheobase_high", bracket.high, bracket.reason)


def _spike_bandwidth(answers: Answers, table: SpikeTable) -> None:
    how = table.resampling
    if how is None:
        return
    why = how.reason if len(table) else "no spike"
    answers.put("spike_bandwidth", how.bandwidth, why)
    answers.put("upstroke_bounds", how.bounds / how.count if how.count else np.nan, why)


def _rest(answers: Answers, found: Measured) -> tuple[str, ...]:
    """Find the resting potential: of sweeps without holding current that do not fire."""
    stack, fires = found.stack, answers.fires
    a, b = found.where.baseline
    if b <= a:
        answers.missing("no baseline", "resting_potential")
        return ()
    holding = np.median(stack.current_pa[:, a:b], axis=1)
    # some files have the holding in both
    holding = np.where(np.abs(holding) < _ZERO_CURRENT, stack.bias_pa, holding)
    free = np.abs(holding) < _ZERO_CURRENT
    rows = free & ~fires
    low, high = (f"{round(x, 1) + 0.0:g}" for x in (holding.min(), holding.max()))
    held = low if low == high else f"{low} to {high}"
    if fires.all():
        why = "the cell fires before the steps: it does not rest"
    elif free.any():
        why = "the cell fires before the steps in every sweep without holding current"
    else:
        why = f"the cell is held with {held} pA"
    known = rows.any()
    found_rest = _baseline(found, answers.residue, rows) if known else Estimate(reason=why)
    answers.put("resting_potential", found_rest)
    notes = _implausible(found.sweeps["v_baseline"])
    if known and not free.all():
        notes.append(
            f"resting potential: of {int(rows.sum())} of {rows.size} sweeps, without holding "
            f"current (it is {held} pA)"
        )
    if fires.any():
        notes.append(_firing_note(stack, fires))
    return tuple(notes)


def _implausible(levels: np.ndarray) -> list[str]:
    """Say where no membrane rests: a wrong unit or gain is in every value then."""
    known = levels[np.isfinite(levels)]
    if known.size == 0 or REST_MV[0] <= np.median(known) <= REST_MV[1]:
        return []
    return [
        f"the baseline is {np.median(known):.3g} mV, where no membrane rests ({REST_MV[0]:g}.."
        f"{REST_MV[1]:g} mV): unit, gain, offset or seal may be wrong, and all values with it"
    ]


def _firing_note(stack: SweepStack, fires: np.ndarray) -> str:
    if fires.all():
        return (
            "the cell fires before the steps: the baseline has spikes in it, and what fires "
            "with a step may be no answer to it"
        )
    numbers = ", ".join(str(stack.numbers[k]) for k in np.flatnonzero(fires).tolist())
    return f"not in the baseline, a spike before the step: sweep {numbers}"


def rest_and_rebound(answers: Answers, found: Measured) -> tuple[str, ...]:
    """Find the resting potential and what follows the lowest step; give the notes."""
    notes = _rest(answers, found)
    stack, step, sweeps = found.stack, found.step, found.sweeps
    names = ("rebound_depolarization", "rebound_latency", "rebound_spikes")
    down = np.flatnonzero((sweeps["stim_amp"] < 0) & (sweeps["avg_rate"] == 0))
    after = Window(start=step.end, end=step.end + _REBOUND_WITHIN)
    if down.size == 0 or after.end * stack.rate >= stack.n_samples - 1:
        why = "no hyperpolarising sweep" if down.size == 0 else "the sweep ends too early"
        answers.missing(why, *names)
        return notes
    row = int(down[sweeps["stim_amp"][down].argmin()])
    count = len(spikes_of(stack.take(slice(row, row + 1)), after, found.limits, shapes=False))
    unknown = answers.residue.reason if answers.residue is not None else ""
    baseline = np.nan if unknown else float(sweeps["v_baseline"][row])
    after_step = firing.rebound(
        stack, row, step, baseline=baseline, rest=found.where.baseline, spike_count=count,
        within=_REBOUND_WITHIN,
    )  # fmt: skip
    why = unknown or "no baseline before the step"
    answers.put("rebound_depolarization", after_step.amplitude, why)
    answers.put("rebound_latency", after_step.latency, why)
    answers.put("rebound_spikes", after_step.spikes, why)
    return notes

"""One cell from its long squares: membrane, firing, spikes, each value with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.features import firing, membrane
from cleo_like.features.membrane import Estimate
from cleo_like.features.parameters import DEFAULT, ExtractionParameters
from cleo_like.features.spikes.table import SpikeTable, spikes_of
from cleo_like.features.stack import SweepStack, Window, as_stack, window
from cleo_like.features.subthreshold import Intervals, intervals, subthreshold_features
from cleo_like.features.train import train_features

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cleo_like.core.recording import Recording

_SAG_TARGET = -100.0  # mV
_REBOUND_WITHIN = 0.15  # s after the step
_PULSE_NAMES = (
    "input_resistance", "peak_input_resistance", "steady_state_input_resistance", "tau",
)  # fmt: skip
_SHORTEST_PULSE = 0.05  # s: a shorter one does not reach the steady state of most cells
_ZERO_CURRENT = 1.0  # pA: less is no holding current


@attrs.frozen(kw_only=True)
class CellFeatures:
    """All that was measured of one cell, with the arrays that figures need.

    Parameters
    ----------
    stack : SweepStack
        The analysed sweeps.
    window : Window
        The step.
    parameters : ExtractionParameters
        The limits.
    spikes : SpikeTable
        Every spike.
    sweeps : mapping of str to array, shape (n_sweeps,)
        Train and subthreshold features of each sweep.
    values, uncertainty : mapping of str to float
        Cell-level features and, where it is defined, their standard error.
    reasons : mapping of str to str
        Why a value is missing.
    excluded : mapping of int to str
        Sweeps (numbers) that were left out, and why.
    notes : tuple of str
        What was moved or chosen on the way (baseline, filter).
    """

    stack: SweepStack
    window: Window
    parameters: ExtractionParameters
    spikes: SpikeTable
    sweeps: Mapping[str, np.ndarray]
    values: Mapping[str, float]
    uncertainty: Mapping[str, float]
    reasons: Mapping[str, str]
    excluded: Mapping[int, str]
    notes: tuple[str, ...]

    @property
    def fi_curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Currents (pA), ascending, and firing rates (Hz) of all sweeps."""
        order = np.argsort(self.sweeps["stim_amp"], kind="stable")
        return self.sweeps["stim_amp"][order], self.sweeps["avg_rate"][order]

    @property
    def vi_curve(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Currents (pA), peak and steady potentials (mV) of the subthreshold sweeps."""
        quiet = np.flatnonzero(self.sweeps["avg_rate"] == 0)
        order = quiet[np.argsort(self.sweeps["stim_amp"][quiet], kind="stable")]
        names = ("stim_amp", "peak_deflect_v", "v_steady")
        return tuple(self.sweeps[k][order] for k in names)  # type: ignore[return-value]

    def sweep_frame(self) -> pd.DataFrame:
        """Give the sweeps as a pandas table."""
        import pandas as pd

        return pd.DataFrame({"number": self.stack.numbers, **self.sweeps})


@attrs.frozen(kw_only=True)
class _Measured:
    """What the cell-level values are made of."""

    stack: SweepStack
    step: Window
    limits: ExtractionParameters
    where: Intervals
    table: SpikeTable
    sweeps: dict[str, np.ndarray]


def _measured(stack: SweepStack, step: Window, limits: ExtractionParameters) -> _Measured:
    where = intervals(stack, step, limits)
    table = spikes_of(stack, step, limits)
    sweeps = train_features(table, step)
    sweeps |= subthreshold_features(stack, step, limits, where)
    return _Measured(
        stack=stack, step=step, limits=limits, where=where, table=table, sweeps=sweeps
    )


class _Answers:
    """Values with errors and reasons, as they are found."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.errors: dict[str, float] = {}
        self.reasons: dict[str, str] = {}

    def put(self, name: str, found: Estimate | float, why: str = "") -> None:
        estimate = found if isinstance(found, Estimate) else Estimate(value=float(found))
        self.values[name] = estimate.value
        if np.isfinite(estimate.error):
            self.errors[name] = estimate.error
        if np.isnan(estimate.value):
            self.reasons[name] = estimate.reason or why or "not defined for these sweeps"

    def missing(self, why: str, *names: str) -> None:
        for name in names:
            self.put(name, np.nan, why)


def long_square_features(
    source: Recording | SweepStack,
    start: Any,
    end: Any,
    *,
    parameters: ExtractionParameters = DEFAULT,
) -> CellFeatures:
    """Measure one cell from its long-square sweeps.

    Parameters
    ----------
    source : Recording or SweepStack
        The sweeps of the family; a sweep that cannot be used is left out with a reason.
    start, end : quantity
        Of the step, end excluded.
    parameters : ExtractionParameters
        Limits; with ``compat="ipfx"`` all values are ipfx's.

    Returns
    -------
    CellFeatures
        Values in mV, pA, MOhm, pF, s, Hz, and a reason for each missing one.

    Examples
    --------
    A 200 MOhm, 20 ms cell, three steps:

    >>> t = np.arange(20000) / 20e3
    >>> rise = np.where((t >= 0.2) & (t < 0.7), 1 - np.exp(-(t - 0.2) / 0.02), 0)
    >>> i = np.array([[-60.0], [-40.0], [-20.0]]) * ((t >= 0.2) & (t < 0.7))
    >>> v = -70 + 0.2 * np.array([[-60.0], [-40.0], [-20.0]]) * rise
    >>> cell = long_square_features(
    ...     SweepStack(voltage_mv=v, current_pa=i, rate=20e3), "200 ms", "700 ms")
    >>> round(cell.values["input_resistance"], 3), cell.reasons["rheobase_i"]
    (200.0, 'no sweep with a depolarising step fired')
    """
    return analyse(as_stack(source, exact=parameters.exact), window(start, end), parameters)


def analyse(stack: SweepStack, step: Window, parameters: ExtractionParameters) -> CellFeatures:
    """Do the work of `long_square_features` for a window in seconds."""
    stack, excluded = _usable(stack, step)
    found = _measured(stack, step, parameters)
    answers = _Answers()
    _membrane(answers, found)
    _firing(answers, found)
    notes = found.where.notes + _filter_note(stack, parameters)
    if not parameters.exact:
        _rest_and_rebound(answers, found)
        notes += _from_pulses(answers, found)
    return CellFeatures(
        stack=stack,
        window=step,
        parameters=parameters,
        spikes=found.table,
        sweeps=found.sweeps,
        values=answers.values,
        uncertainty=answers.errors,
        reasons=answers.reasons,
        excluded=excluded,
        notes=notes,
    )


def _filter_note(stack: SweepStack, p: ExtractionParameters) -> tuple[str, ...]:
    used = p.cutoff(stack.rate)
    if used == p.filter:
        return ()
    return (
        f"filter at {used:g} kHz: {p.filter:g} kHz is not below the Nyquist frequency "
        f"of {stack.rate / 2e3:g} kHz",
    )


def _usable(stack: SweepStack, step: Window) -> tuple[SweepStack, dict[int, str]]:
    """Leave out sweeps that end within the step or have undefined samples in it."""
    excluded = dict(stack.excluded)
    start, last = stack.bounds(step)
    first = max(0, start - round(0.1 * stack.rate))
    stop = min(last + round(0.01 * stack.rate), stack.n_samples)
    with np.errstate(invalid="ignore"):
        total = stack.voltage_mv[:, first:stop].sum(axis=1)
        total += stack.current_pa[:, first:stop].sum(axis=1)
    finite = np.isfinite(total)
    long_enough = stack.lengths > last
    for row in np.flatnonzero(~(finite & long_enough)).tolist():
        number = stack.numbers[row]
        if not long_enough[row]:
            seconds = stack.lengths[row] / stack.rate
            excluded[number] = f"ends at {seconds:g} s, within the step"
        else:
            bad = ~np.isfinite(stack.voltage_mv[row] + stack.current_pa[row])
            when = (first + int(bad[first:stop].argmax())) / stack.rate
            excluded[number] = f"a sample that is not a number at {when:g} s"
    keep = finite & long_enough
    return (stack if keep.all() else stack.take(np.flatnonzero(keep))), excluded


def _membrane(answers: _Answers, found: _Measured) -> None:
    sweeps, p = found.sweeps, found.limits
    quiet = sweeps["avg_rate"] == 0
    rest = sweeps["v_baseline"]
    answers.put("v_baseline", _mean(rest), "no baseline before the step")
    _sag(answers, sweeps, quiet, p)
    rows = _membrane_rows(sweeps["stim_amp"], quiet, p)
    names = ("input_resistance", "tau")
    if rows.size == 0:
        answers.missing("no subthreshold sweep with a hyperpolarising step", *names)
    elif p.exact:
        current, lowest = sweeps["i_at_v_min"][rows], sweeps["v_min"][rows]
        answers.put("input_resistance", membrane.ipfx_resistance(current, lowest, rest[rows]))
    else:
        current = sweeps["stim_amp"][rows]
        for name, potential in (
            ("input_resistance", "v_min"),
            ("peak_input_resistance", "v_peak_avg"),
            ("steady_state_input_resistance", "v_steady"),
        ):
            answers.put(name, membrane.resistance(current, sweeps[potential][rows], rest[rows]))
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
    if rows.size:
        answers.put("tau", _mean_estimate(taus))
    if p.exact:
        return
    if rows.size == 0:
        why = "no subthreshold sweep with a hyperpolarising step"
        answers.missing(why, "peak_input_resistance", "steady_state_input_resistance")
    _capacitance(answers)


def _from_pulses(answers: _Answers, found: _Measured) -> tuple[str, ...]:
    """Take what the steps did not tell of the membrane from a constant pulse."""
    notes = []
    for start, end in found.step.pulses:
        wanted = [name for name in _PULSE_NAMES if np.isnan(answers.values[name])]
        if not wanted or end - start < _SHORTEST_PULSE:
            continue
        pulse = Window(start=start, end=end)
        other = _Answers()
        _membrane(other, _measured(found.stack, pulse, found.limits))
        told = [name for name in wanted if np.isfinite(other.values[name])]
        for name in told:
            error = other.errors.get(name, np.nan)
            answers.put(name, Estimate(value=other.values[name], error=error))
            answers.reasons.pop(name, None)
        if told:
            ms = f"{start * 1e3:.4g} to {end * 1e3:.4g} ms"
            notes.append(f"{', '.join(told)} from the constant pulse at {ms}")
    _capacitance(answers)
    return tuple(notes)


def _capacitance(answers: _Answers) -> None:
    with np.errstate(divide="ignore"):
        answers.put(
            "capacitance",
            1e6 * answers.values["tau"] / answers.values["input_resistance"],
            "needs tau and input_resistance",
        )
    if np.isfinite(answers.values["capacitance"]):
        answers.reasons.pop("capacitance", None)


def _sag(
    answers: _Answers,
    sweeps: Mapping[str, np.ndarray],
    quiet: np.ndarray,
    p: ExtractionParameters,
) -> None:
    """Sag of the sweep whose deflection comes nearest to -100 mV."""
    rows = np.flatnonzero(quiet if p.exact else quiet & (sweeps["stim_amp"] < 0))
    if rows.size == 0:
        answers.missing("no subthreshold hyperpolarising sweep", "sag", "vm_for_sag")
        return
    row = rows[np.abs(sweeps["peak_deflect_v"][rows] - _SAG_TARGET).argmin()]
    answers.put("sag", sweeps["sag"][row], "no baseline before the step")
    answers.put("vm_for_sag", sweeps["peak_deflect_v"][row])


def _membrane_rows(
    amplitude: np.ndarray, quiet: np.ndarray, p: ExtractionParameters
) -> np.ndarray:
    """Sweeps for resistance and time constant; by default the limit itself belongs to them."""
    down = quiet & (amplitude < 0)
    if p.exact:
        return np.flatnonzero(down & (amplitude > p.subthresh_min_amp))
    rows = np.flatnonzero(down & (amplitude >= p.subthresh_min_amp - 1e-6))
    if rows.size == 0 and down.any():  # only large steps: the smallest of them
        return np.flatnonzero(down & (amplitude == amplitude[down].max()))
    return rows


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


def _firing(answers: _Answers, found: _Measured) -> None:
    stack, sweeps, p = found.stack, found.sweeps, found.limits
    amplitude, rate = sweeps["stim_amp"], sweeps["avg_rate"]
    lowest = firing.rheobase_row(amplitude, rate)
    spiking = rate > 0 if p.exact else (rate > 0) & (amplitude > 0)
    if not p.exact:
        block = firing.blocked(stack, found.step, found.table, amplitude, rate)
        sweeps["blocked"] = block
        onset = float(amplitude[block].min()) if block.any() else np.nan
        answers.put("depolarization_block_i", onset, "no sweep is in depolarisation block")
        spiking &= ~(amplitude >= onset)
        answers.put("max_rate", rate.max() if spiking.any() else np.nan, "no spike")
    names = ("rheobase_i", "rheobase_sweep", "hero_sweep", "hero_amp")
    hero_names = {"hero_latency": "latency", "hero_adapt": "adapt", "hero_mean_isi": "mean_isi"}
    slope = firing.fi_slope(amplitude, rate, np.flatnonzero(spiking))
    answers.put("fi_fit_slope", slope)
    if lowest is None:
        why = "no sweep with a depolarising step fired"
        answers.missing(why, *names, *hero_names)
        return
    answers.put("rheobase_i", amplitude[lowest])
    answers.put("rheobase_sweep", stack.numbers[lowest])
    hero = firing.hero_row(amplitude, rate, float(amplitude[lowest]))
    answers.put("hero_sweep", stack.numbers[hero] if hero is not None else np.nan)
    answers.put("hero_amp", amplitude[hero] if hero is not None else np.nan)
    for name, column in hero_names.items():
        answers.put(name, float(sweeps[column][hero]), "too few spikes in the hero sweep")


def _rest_and_rebound(answers: _Answers, found: _Measured) -> None:
    stack, step, sweeps = found.stack, found.step, found.sweeps
    a, b = found.where.baseline
    holding = float(np.median(stack.current_pa[:, a:b])) if b > a else np.nan
    free = np.abs(holding) < _ZERO_CURRENT
    answers.put(
        "resting_potential",
        _mean(sweeps["v_baseline"]) if free else np.nan,
        f"the cell is held with {holding:.3g} pA" if b > a else "no baseline",
    )
    names = ("rebound_depolarization", "rebound_latency", "rebound_spikes")
    down = np.flatnonzero((sweeps["stim_amp"] < 0) & (sweeps["avg_rate"] == 0))
    after = Window(start=step.end, end=step.end + _REBOUND_WITHIN)
    if down.size == 0 or after.end * stack.rate >= stack.n_samples - 1:
        why = "no hyperpolarising sweep" if down.size == 0 else "the sweep ends too early"
        answers.missing(why, *names)
        return
    row = int(down[sweeps["stim_amp"][down].argmin()])
    count = len(spikes_of(stack.take(slice(row, row + 1)), after, found.limits))
    baseline = float(sweeps["v_baseline"][row])
    after_step = firing.rebound(
        stack, row, step, baseline=baseline, spike_count=count, within=_REBOUND_WITHIN
    )
    for name, value in zip(
        names, (after_step.amplitude, after_step.latency, after_step.spikes), strict=True
    ):
        answers.put(name, value, "no baseline before the step")

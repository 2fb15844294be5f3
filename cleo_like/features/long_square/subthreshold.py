"""The passive response of each sweep: baseline, deflection, steady state, sag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.core.window import Window
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.stack import SweepStack

_PEAK_WIDTH = 0.005  # s around the minimum that make the peak of sag
_EARLY, _EARLY_PART = 0.01, 0.1  # s, and part of the time before the step that the atlas takes
_SAME_LEVEL = 0.05  # of the step: commands nearer than this are one level

NAMES = (
    "stim_amp", "v_baseline", "v_baseline_sd", "sag", "peak_deflect_v", "peak_deflect_index",
    "v_min", "v_min_index", "i_at_v_min", "v_peak_avg", "v_steady", "v_sag_baseline",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Intervals:
    """Where the baseline is measured (samples, half-open) and what was moved and why."""

    baseline: tuple[int, int]
    sag_baseline: tuple[int, int]
    steady: tuple[int, int]
    notes: tuple[str, ...] = ()


def intervals(stack: SweepStack, step: Window, p: ExtractionParameters) -> Intervals:
    """Place the baseline before the step and the steady state at its end.

    ipfx takes the 0.1 s before the step whatever is commanded there, and fails when there is
    less. By default the baseline ends where the command last rested at its first level,
    and is as long as the recording allows.
    """
    sag = p.sag_baseline_interval
    start, end = stack.bounds(step)
    steady = (stack.index(max(step.end - sag, step.start)), end)
    if p.exact:
        return _of_ipfx(stack, step, p, steady)
    stop, notes = start, []
    first = 0
    if step.baseline is not None:
        first, stop = (stack.index(t) for t in step.baseline)
    else:
        first, stop, note = _resting(stack, stop, round(p.baseline_interval * stack.rate))
        notes += [note] if note else []
    low = max(first, stop - round(p.baseline_interval * stack.rate))
    if stop - low < round(p.baseline_interval * stack.rate):
        notes.append(f"baseline shortened to {(stop - low) / stack.rate * 1e3:.3g} ms")
    return Intervals(
        baseline=(low, stop),
        sag_baseline=(max(low, stop - round(sag * stack.rate)), stop),
        steady=steady,
        notes=tuple(notes),
    )


def _of_ipfx(
    stack: SweepStack, step: Window, p: ExtractionParameters, steady: tuple[int, int]
) -> Intervals:
    """Place the baselines of ipfx; where there is no room for them it loses the cell.

    The pipeline of the atlas takes a tenth of the time before a step that begins within
    10 ms; between that and 0.1 s all the time there is, is taken here.
    """
    wanted = (p.baseline_interval, p.sag_baseline_interval)
    if step.start < _EARLY:
        wanted = (_EARLY_PART * step.start,) * 2
    lengths = [min(t, step.start) for t in wanted]
    low, sag = (stack.index(step.start - t) for t in lengths)
    start = stack.index(step.start)
    notes: tuple[str, ...] = ()
    if lengths[0] < p.baseline_interval:
        notes = (f"baseline shortened to {lengths[0] * 1e3:.3g} ms",)
    return Intervals(
        baseline=(low, start), sag_baseline=(sag, start), steady=steady, notes=notes
    )


def _resting(stack: SweepStack, start: int, wanted: int) -> tuple[int, int, str]:
    """Find the last stretch before the step at the level with which the sweeps begin."""
    if start == 0:
        return 0, 0, "the step begins with the sweep: no baseline"
    away = away_from_first_level(stack, start)
    if not away.any() or away.all():
        return 0, start, ""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], away, [True])).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    lengths = runs[:, 1] - runs[:, 0]
    enough = np.flatnonzero(lengths >= wanted)
    chosen = int(enough[-1] if enough.size else lengths.argmax())
    low, high = (int(x) for x in runs[chosen])
    if high == start:
        return low, high, ""
    ms = 1e3 / stack.rate
    return (
        low,
        high,
        (
            f"another pulse precedes the step: baseline ends at {high * ms:.4g} ms, "
            f"the step begins at {start * ms:.4g} ms"
        ),
    )


def away_from_first_level(stack: SweepStack, start: int) -> np.ndarray:
    """Tell which samples before `start` are not at the first level of the current."""
    if start == 0:
        return np.zeros(0, dtype=bool)
    level = stack.first_level(start)
    off = np.abs(stack.current_pa[:, :start] - level)
    moved = np.count_nonzero(off, axis=1)
    if not moved.any():
        return np.zeros(start, dtype=bool)
    step = np.abs(stack.current_pa[:, start : start + 2].mean(axis=1) - level[:, 0])
    noise = np.zeros(stack.n_sweeps)
    noisy = 2 * moved >= start  # else more than half is at the level, and so is the median
    noise[noisy] = 6 * np.median(off[noisy], axis=1)
    tolerance = np.maximum(_SAME_LEVEL * max(float(step.max()), 1e-9), noise)[:, None]
    away: np.ndarray = (off > tolerance).any(axis=0)
    return away


def subthreshold_features(
    stack: SweepStack, step: Window, p: ExtractionParameters, where: Intervals
) -> dict[str, np.ndarray]:
    """Describe the slow response of every sweep.

    Returns
    -------
    dict of str to array, shape (n_sweeps,)
        ``stim_amp`` (pA; relative to holding unless ``compat="ipfx"``), ``v_baseline``
        and its SD (mV), ``peak_deflect_v`` (mV) and ``peak_deflect_index`` (largest
        deflection in the direction of the current), ``v_min`` (mV), its index and current,
        ``v_peak_avg`` (mean of 5 ms about the minimum), ``v_steady``, ``v_sag_baseline``
        (mV) and ``sag`` = (v_peak_avg - v_steady) / (v_peak_avg - v_sag_baseline).
    """
    s0, s1 = stack.bounds(step)
    v, i = stack.voltage_mv, stack.current_pa
    rows = np.arange(stack.n_sweeps)
    baseline = v[:, slice(*where.baseline)]
    lowest = v[:, s0:s1].argmin(axis=1) + s0
    amplitude = i[:, s0 + 1] if p.exact else _amplitude(i, s0, s1, where.baseline)
    middle = i[:, stack.index((step.end - step.start) / 2.0 + step.start)]
    up = (middle if p.exact else amplitude) >= 0
    deflected = lowest.copy()
    for row in np.flatnonzero(up).tolist():  # row by row: a selection of rows is a copy
        deflected[row] = v[row, s0:s1].argmax() + s0
    sag_baseline = _mean(v, where.sag_baseline)
    steady = _mean(v, where.steady)
    peak = _around(stack, lowest, (0, stack.n_samples) if p.exact else (s0, s1))
    with np.errstate(invalid="ignore", divide="ignore"):
        sag = (peak - steady) / (peak - sag_baseline)
    return {
        "stim_amp": amplitude,
        "v_baseline": _mean(v, where.baseline),
        "v_baseline_sd": baseline.std(axis=1) if baseline.size else np.full(len(v), np.nan),
        "sag": sag,
        "peak_deflect_v": v[rows, deflected],
        "peak_deflect_index": deflected,
        "v_min": v[rows, lowest],
        "v_min_index": lowest,
        "i_at_v_min": i[rows, lowest],
        "v_peak_avg": peak,
        "v_steady": steady,
        "v_sag_baseline": sag_baseline,
    }


def _mean(x: np.ndarray, where: tuple[int, int]) -> np.ndarray:
    a, b = where
    return x[:, a:b].mean(axis=1) if b > a else np.full(len(x), np.nan)


def _amplitude(i: np.ndarray, s0: int, s1: int, baseline: tuple[int, int]) -> np.ndarray:
    """Mean current of the middle of the step, relative to that of the baseline."""
    edge = (s1 - s0) // 10
    level = i[:, s0 + edge : s1 - edge].mean(axis=1)
    a, b = baseline
    # a step that begins with the sweep is relative to what follows it
    holding = i[:, a:b].mean(axis=1) if b > a else i[:, min(s1, i.shape[1] - 1)]
    # whole femtoamperes: the residue of scaling and averaging is not a difference of steps
    return np.round(level - holding, 3)


def _around(stack: SweepStack, index: np.ndarray, within: tuple[int, int]) -> np.ndarray:
    """Mean potential within 2.5 ms of a sample of each sweep, inside a stretch of samples.

    ipfx lets it run past the end of the step, where the potential has left its peak.
    """
    last = (stack.n_samples - 1) / stack.rate
    out = np.empty(index.size)
    for k, at in enumerate((index / stack.rate).tolist()):
        low = max(stack.index(max(at - _PEAK_WIDTH / 2.0, 0.0)), within[0])
        high = min(stack.index(min(at + _PEAK_WIDTH / 2.0, last)), within[1])
        out[k] = stack.voltage_mv[k, low:high].mean() if high > low else np.nan
    return out

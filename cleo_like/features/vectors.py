"""Feature vectors for comparing whole responses: waveforms, trains and steps of one length.

They are the vectors from which Gouwens et al. 2019 (doi:10.1038/s41593-019-0417-0) made
electrophysiological types, with the same bins, normalisations and interpolations as ipfx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cleo_like.features.long_square import CellFeatures
    from cleo_like.features.stack import SweepStack

ABOVE_RHEOBASE = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
"""Currents above rheobase (pA) of the sweeps in the train vectors."""

STEP_TARGETS = (-90.0, -70.0, -50.0, -30.0, -10.0)
"""Currents (pA) of the sweeps in the step vector."""

SPIKE_VECTORS = (
    "peak_v", "threshold_v", "fast_trough_v", "upstroke_downstroke_ratio", "width",
)  # fmt: skip
_AP_RATE = 50e3  # Hz
_AP_LENGTH = 0.003  # s
_SHAPE_POINTS = 100
_SHAPE_SPIKES = 5
_PSTH_WIDTH = 0.050  # s
_WIDTH = 0.020  # s
_EXTEND = 0.2  # s
_SUBSAMPLE = 0.010  # s
_NORM_TARGET = -101.0  # pA
_STEADY = 0.1  # s


@attrs.frozen(kw_only=True)
class FeatureVectors:
    """Vectors by name, and why a missing one is missing (it is NaN, of its usual length)."""

    vectors: Mapping[str, np.ndarray]
    reasons: Mapping[str, str]

    def __getitem__(self, name: str) -> np.ndarray:
        """Give one vector."""
        return self.vectors[name]


def feature_vectors(
    cell: CellFeatures,
    *,
    above_rheobase: Sequence[float] = ABOVE_RHEOBASE,
    step_targets: Sequence[float] = STEP_TARGETS,
    tolerance: float = 0.0,
) -> FeatureVectors:
    """Make all vectors of a cell.

    Parameters
    ----------
    cell : CellFeatures
        From `long_square_features`.
    above_rheobase : sequence of float
        Currents (pA) above rheobase of the train vectors; sweeps that are missing are
        interpolated between their neighbours.
    step_targets : sequence of float
        Currents (pA) of the hyperpolarising steps in ``step_subthresh``.
    tolerance : float
        How far (pA) a sweep may be from its target.

    Returns
    -------
    FeatureVectors
        ``first_ap_v`` (mV, 3 ms from threshold at 50 kHz) and ``first_ap_dv``; ``isi_shape``
        (mV above threshold, 100 points); ``psth`` and ``inst_freq`` (Hz); ``spiking_<f>``
        for the spike features of `SPIKE_VECTORS`; ``step_subthresh`` (mV);
        ``subthresh_norm`` and ``subthresh_depol_norm``.
    """
    rows = spiking_rows(cell, above_rheobase, tolerance)
    makers: dict[str, Callable[[], np.ndarray]] = {
        "first_ap_v": lambda: first_ap(cell, [_rheobase(cell)])[0],
        "first_ap_dv": lambda: first_ap(cell, [_rheobase(cell)])[1],
        "isi_shape": lambda: isi_shape(cell),
        "psth": lambda: psth(cell, rows),
        "inst_freq": lambda: instantaneous_rate(cell, rows),
        "step_subthresh": lambda: step_vector(cell, step_targets, tolerance=tolerance),
        "subthresh_norm": lambda: hyperpolarised_norm(cell),
        "subthresh_depol_norm": lambda: depolarised_norm(cell),
    }
    for name in SPIKE_VECTORS:
        makers[f"spiking_{name}"] = lambda name=name: spike_vector(cell, rows, name)
    vectors, reasons = {}, {}
    for name, make in makers.items():
        try:
            vectors[name] = make()
        except InputError as error:
            reasons[name] = str(error)
            vectors[name] = np.full(_length(name, cell, len(rows), len(step_targets)), np.nan)
    return FeatureVectors(vectors=vectors, reasons=reasons)


def _length(name: str, cell: CellFeatures, n_rows: int, n_steps: int) -> int:
    duration = cell.window.duration
    response = int((duration + 2 * _EXTEND) / _SUBSAMPLE)
    points = round(_AP_LENGTH * _AP_RATE)
    fixed = {"first_ap_v": points, "first_ap_dv": points - 1, "isi_shape": _SHAPE_POINTS}
    fixed |= {"psth": n_rows * _bins(duration, _PSTH_WIDTH)}
    fixed |= {"step_subthresh": n_steps * response}
    fixed |= dict.fromkeys(("subthresh_norm", "subthresh_depol_norm"), response)
    return fixed.get(name, n_rows * _bins(duration, _WIDTH))


def spiking_rows(
    cell: CellFeatures, above: Sequence[float], tolerance: float = 0.0
) -> list[int | None]:
    """Sweep at each current above rheobase, None where there is none."""
    rheobase = cell.values["rheobase_i"]
    amplitude, rate = cell.sweeps["stim_amp"], cell.sweeps["avg_rate"]
    spiking = np.flatnonzero(rate > 0)
    out: list[int | None] = []
    for target in above:
        off = np.abs(amplitude[spiking] - rheobase - target)
        hit = np.flatnonzero(off <= tolerance + 1e-6)
        out.append(int(spiking[hit[0]]) if hit.size else None)
    return out


def _rheobase(cell: CellFeatures) -> int:
    found = cell.values["rheobase_sweep"]
    if np.isnan(found):
        msg = cell.reasons["rheobase_sweep"]
        raise InputError(msg)
    return cell.stack.numbers.index(int(found))


def subsample(x: np.ndarray, width: int) -> np.ndarray:
    """Mean of successive stretches of `width` samples; an incomplete one is dropped.

    Examples
    --------
    >>> subsample(np.array([1.0, 3.0, 5.0, 7.0, 9.0]), 2)
    array([2., 6.])
    """
    count = x.size // width
    return x[: count * width].reshape(count, width).mean(axis=1)


def first_ap(
    cell: CellFeatures, rows: Sequence[int], *, rate: float = _AP_RATE
) -> tuple[np.ndarray, np.ndarray]:
    """Mean waveform (mV) of the first spikes of some sweeps, and its difference.

    Waveforms begin at the threshold and last 3 ms; higher sampling rates are averaged down
    to `rate` (Hz), lower ones are interpolated.
    """
    stack = cell.stack
    length = int(_AP_LENGTH * stack.rate)
    waves = []
    for row in rows:
        spikes = cell.spikes.of(row)
        if spikes["threshold_index"].size == 0:
            continue
        start = int(spikes["threshold_index"][0])
        wave = stack.voltage_mv[row, start : start + length]
        if wave.size == length:
            waves.append(wave)
    if not waves:
        msg = "no spike with 3 ms of recording after its threshold"
        raise InputError(msg)
    wave = np.mean(waves, axis=0)
    factor = stack.rate / rate
    if factor > 1:
        wave = subsample(wave, int(factor))
    elif factor < 1:
        t = np.arange(round(_AP_LENGTH * rate)) / rate
        wave = np.interp(t, np.arange(length) / stack.rate, wave)
    return wave, np.diff(wave)


def isi_shape(cell: CellFeatures) -> np.ndarray:
    """Mean course between spikes, from fast trough to next threshold, in 100 points.

    Potentials are relative to the threshold of the spike before. The sweep is the lowest
    with 5 spikes, else the one with most; with one spike only, the course from its fast
    trough until it is within 1 mV of the steady state (at most 0.1 s).
    """
    counts, amplitude = cell.sweeps["n_spikes"], cell.sweeps["stim_amp"]
    firing = np.flatnonzero(cell.sweeps["avg_rate"] > 0)
    if firing.size == 0:
        msg = "no sweep with a spike"
        raise InputError(msg)
    enough = firing[counts[firing] >= _SHAPE_SPIKES]
    if enough.size:
        row = int(enough[amplitude[enough].argmin()])
    else:
        row = int(firing[counts[firing].argmax()])
    spikes = cell.spikes.of(row)
    return _shape_of(cell.stack, row, spikes, cell.window.end)


def _shape_of(
    stack: SweepStack, row: int, spikes: Mapping[str, np.ndarray], end: float
) -> np.ndarray:
    v = stack.voltage_mv[row]
    begin, level = spikes["fast_trough_index"], spikes["threshold_v"]
    if begin.size > 1:
        stop = spikes["threshold_index"][1:]
        good = np.isfinite(begin[:-1])
        stretches = zip(begin[:-1][good], stop[good], level[:-1][good], strict=True)
    else:
        if not np.isfinite(begin[0]):
            msg = "the only spike was cut off by the end of the step"
            raise InputError(msg)
        stretches = zip(begin, [_return(stack, v, int(begin[0]), end)], level, strict=True)
    courses = [_resampled(v[int(a) : int(b)] - base) for a, b, base in stretches]
    if not courses:
        msg = "no interval between two whole spikes"
        raise InputError(msg)
    return np.mean(courses, axis=0)


def _return(stack: SweepStack, v: np.ndarray, begin: int, end: float) -> int:
    """Sample at which the potential has come back to the steady state."""
    stop = stack.index(end)
    steady = v[stack.index(end - _STEADY) : stop].mean()
    near = np.flatnonzero(v[begin:stop] >= steady - 1.0)
    latest = min(begin + round(_STEADY * stack.rate), stop)
    return min(begin + int(near[0]), latest) if near.size else latest


def _resampled(course: np.ndarray) -> np.ndarray:
    """Shrink a course to 100 points by means (a rest of less than a point is dropped)."""
    if course.size < 2:
        msg = "an interval between spikes has no sample"
        raise InputError(msg)
    width = course.size // _SHAPE_POINTS
    if width:
        return subsample(course, width)[:_SHAPE_POINTS]
    at = np.linspace(0, course.size - 1, _SHAPE_POINTS)
    return np.interp(at, np.arange(course.size), course)


def _bins(duration: float, width: float) -> int:
    return int(np.floor(duration / width + 1e-6))


def psth(
    cell: CellFeatures, rows: Sequence[int | None], *, width: float = _PSTH_WIDTH
) -> np.ndarray:
    """Count spikes in bins of `width` (s) and give rates (Hz), sweep after sweep."""
    count = _bins(cell.window.duration, width)

    def one(t: np.ndarray) -> np.ndarray:
        k = np.floor((t - cell.window.start) / width).astype(int)
        return np.bincount(k[(k >= 0) & (k < count)], minlength=count) / width

    return _joined([None if r is None else one(_times(cell, r)) for r in rows])


def instantaneous_rate(
    cell: CellFeatures, rows: Sequence[int | None], *, width: float = _WIDTH
) -> np.ndarray:
    """Instantaneous rate (Hz) in bins of `width` (s), sweep after sweep.

    At the start it is one over the latency, at a spike one over the mean of the intervals
    on both sides, at the end one over the last interval or, if that is longer, over the
    time since the last spike.
    """
    step = cell.window
    count = _bins(step.duration, width)

    def one(t: np.ndarray) -> np.ndarray:
        times, rates = _rates(t, step.start, step.end)
        return _binned(times - step.start, rates, width, count)

    return _joined([None if r is None else one(_times(cell, r)) for r in rows])


def _rates(t: np.ndarray, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    gaps = np.diff(np.concatenate(([start], t)))
    rest = end - t[-1]
    last = gaps[-1] if t.size > 1 and rest < gaps[-1] else rest
    after = np.append(gaps[1:], last)
    at_spikes = 2.0 / (gaps + after)
    if t.size > 1 and rest < gaps[-1]:
        at_spikes[-1] = 1.0 / gaps[-1]
    # the end belongs to the last bin
    times = np.concatenate(([start], t, [np.nextafter(end, start) - 1e-9]))
    return times, np.concatenate(([1.0 / gaps[0]], at_spikes, [1.0 / last]))


def spike_vector(
    cell: CellFeatures, rows: Sequence[int | None], name: str, *, width: float = _WIDTH
) -> np.ndarray:
    """Mean of a spike feature in bins of `width` (s), empty bins interpolated."""
    count = _bins(cell.window.duration, width)

    def one(row: int) -> np.ndarray:
        spikes = cell.spikes.of(row)
        good = np.isfinite(spikes[name]) & ~spikes["clipped"]
        t = spikes["threshold_t"] - cell.window.start
        return _binned(t[good], spikes[name][good], width, count)

    return _joined([None if r is None else one(r) for r in rows])


def _binned(t: np.ndarray, values: np.ndarray, width: float, count: int) -> np.ndarray:
    """Mean of the values in each bin; empty bins are interpolated."""
    k = np.floor(t / width).astype(int)
    inside = (k >= 0) & (k < count)
    if not inside.any():
        return np.full(count, np.nan)
    n = np.bincount(k[inside], minlength=count)
    total = np.bincount(k[inside], values[inside], minlength=count)
    full = np.flatnonzero(n)
    return np.interp(np.arange(count), full, total[full] / n[full])


def _times(cell: CellFeatures, row: int) -> np.ndarray:
    return cell.spikes.of(row)["threshold_t"]


def _joined(parts: Sequence[np.ndarray | None]) -> np.ndarray:
    """Lay sweeps end to end; a missing one is the mean of its nearest neighbours."""
    found = {k: part for k, part in enumerate(parts) if part is not None}
    there = list(found)
    if not there:
        msg = "no spiking sweep at any of the currents above rheobase"
        raise InputError(msg)
    out = []
    for k in range(len(parts)):
        below = [j for j in there if j <= k] or there[:1]
        above = [j for j in there if j >= k] or there[-1:]
        out.append(np.mean([found[below[-1]], found[above[0]]], axis=0))
    return np.concatenate(out)


def _response(cell: CellFeatures, row: int, extend: float) -> np.ndarray:
    """Potential of a sweep from before to after the step, in 10 ms means."""
    stack, step = cell.stack, cell.window
    if step.start < extend or (step.end + extend) * stack.rate > stack.n_samples - 1:
        msg = f"the sweep has less than {extend * 1e3:g} ms on both sides of the step"
        raise InputError(msg)
    v = stack.voltage_mv[row, stack.index(step.start - extend) : stack.index(step.end + extend)]
    return subsample(v, round(_SUBSAMPLE * stack.rate))


def _quiet(cell: CellFeatures, *, positive: bool) -> dict[float, int]:
    """Map current to sweep for subthreshold steps of one sign (the last of equal ones)."""
    amplitude = cell.sweeps["stim_amp"]
    sign = amplitude > 0 if positive else amplitude < 0
    rows = np.flatnonzero((cell.sweeps["avg_rate"] == 0) & sign)
    if rows.size == 0:
        kind = "depolarising" if positive else "hyperpolarising"
        msg = f"no subthreshold {kind} sweep"
        raise InputError(msg)
    return {float(amplitude[row]): int(row) for row in rows}


def step_vector(
    cell: CellFeatures,
    targets: Sequence[float],
    *,
    extend: float = _EXTEND,
    tolerance: float = 0.0,
) -> np.ndarray:
    """Responses (mV) to hyperpolarising steps, one after the other, in 10 ms means.

    A missing step is estimated from its neighbours in current.
    """
    there = _quiet(cell, positive=False)
    parts = []
    for target in targets:
        near = [a for a in there if abs(a - target) <= tolerance + 1e-6]
        if near:
            parts.append(_response(cell, there[near[0]], extend))
        else:
            parts.append(_filled(cell, there, target, extend))
    return np.concatenate(parts)


def _filled(
    cell: CellFeatures, there: dict[float, int], target: float, extend: float
) -> np.ndarray:
    """Estimate a missing response: the mean of its neighbours, scaled to its current.

    Between two neighbours the step alone is scaled; beyond the last one all from its start.
    """
    amplitudes = np.array(sorted(there))
    below, above = amplitudes[amplitudes < target], amplitudes[amplitudes > target]
    nearest = [float(a) for a in (*below[-1:], *above[:1])]
    mean = np.mean([_response(cell, there[a], extend) for a in nearest], axis=0)
    first = round(extend / _SUBSAMPLE)
    last = first + round(cell.window.duration / _SUBSAMPLE) if len(nearest) == 2 else None
    base = mean[:first].mean()
    mean[first:last] = (mean[first:last] - base) * target / np.mean(nearest) + base
    return mean


def hyperpolarised_norm(cell: CellFeatures, *, extend: float = _EXTEND) -> np.ndarray:
    """Response to the step nearest to -101 pA: baseline 0, peak deflection -1."""
    there = _quiet(cell, positive=False)
    amplitudes = np.array(list(there))
    row = there[float(amplitudes[np.abs(amplitudes - _NORM_TARGET).argmin()])]
    base, peak = cell.sweeps["v_baseline"][row], cell.sweeps["peak_deflect_v"][row]
    return (_response(cell, row, extend) - base) / (base - peak)


def depolarised_norm(cell: CellFeatures, *, extend: float = _EXTEND) -> np.ndarray:
    """Response to the largest step without a spike: baseline 0, steady state 1."""
    there = _quiet(cell, positive=True)
    row = there[max(there)]
    base = cell.sweeps["v_baseline"][row]
    stack, end = cell.stack, cell.window.end
    steady = stack.voltage_mv[row, stack.index(end - _STEADY) : stack.index(end)].mean()
    return (_response(cell, row, extend) - base) / (steady - base)

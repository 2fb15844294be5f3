"""How recorded cells differ: measure it with the fitted kinetics, and write it into the table.

Run after ``fit_indicators.py``: ``python tools/cell_statistics.py [NAME ...]``. Cells are
screened as for the fit (ten spikes at least, and no dF/F beyond the indicator's range).
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import attrs
import indicator_model
import numpy as np
import paired_recordings as paired
from ceiling import FEWEST_SILENT, silent_ceiling
from fit_indicators import data_folder, known_entries, quartiles, samples_of, write
from isolated_events import FITTED, GRID, SMOOTHING, peak_and_half_decay, smoothed
from pooling import interval, shrunk
from sets import SETS, CalibrationSet

from cleo_like.imaging.calibrated import CalibratedIndicator, HillResponse, Kernel
from cleo_like.imaging.calibrated.population.bursts import SILENCE

if TYPE_CHECKING:
    from collections.abc import Callable

PRIOR_CELLS = 3
"""Weight, in cells, of what all indicators have in common in the spread of one."""
CLEAR_BURST = 5.0
"""Predicted size of a burst that counts, in standard deviations of silence."""
BURST_SECONDS = 1.0
FEWEST_SEEN = 4
"""Cells with averages of single spikes that say how cells differ in size."""
LAGS = np.unique(np.geomspace(1, 150, 30).round().astype(int))
"""Lags (15 Hz samples) of the autocovariance that the slow time is read from."""
STATED_RATE = 30.0
DRIFT_TIME = 60.0
"""Time constant of drift (s), as `RecordingNoise` has it."""


@attrs.frozen(kw_only=True)
class CellStatistics:
    """What one cell shows.

    `gain` (dF/F of a spike), `noise` (white, of a frame that lasts 1 s); `slow` noise, `drift`
    and `offset` in units of the white noise at 15 Hz; `silent_variance` at 15 Hz; `burst`
    (spread of the logarithm of sizes); `correlation` of data and model, and `ceiling`;
    `largest` (model of gain 1 over data); of the average of `events` single spikes `peak`,
    `half_decay` (s) and `single_gain`; `rate` of frames and `seconds` of a recording. NaN: not
    known.
    """

    folder: str
    gain: float
    noise: float
    slow: float
    slow_time: float
    silent_variance: float
    drift: float
    offset: float
    burst: float
    correlation: float
    ceiling: float
    largest: float
    events: int
    peak: float
    half_decay: float
    single_gain: float
    rate: float
    seconds: float

    @classmethod
    def of_table(cls, entry: dict[str, Any]) -> list[CellStatistics]:
        """Read what the table holds of each cell."""
        measured = entry["evidence"]["measured"]
        rows = [[np.nan if v is None else v for v in row] for row in measured["cells"]]
        return [cls(**dict(zip(measured["columns"], row, strict=True))) for row in rows]


def to_table(cells: list[CellStatistics]) -> dict[str, Any]:
    """Give the cells as the table holds them: one row each (null: not known)."""

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            return value
        return float(f"{value:.4g}") if np.isfinite(value) else None

    columns = [field.name for field in attrs.fields(CellStatistics)]
    rows = [[plain(getattr(cell, name)) for name in columns] for cell in cells]
    return {"columns": columns, "cells": rows}


def unit_indicator(entry: dict[str, Any]) -> CalibratedIndicator:
    """Give the fitted kinetics with a gain of 1."""
    values = entry["parameters"]
    return CalibratedIndicator(
        name="unit",
        kernel=Kernel(
            rise=f"{values['rise_ms']['value']} ms",
            decays=[f"{decay['value']} ms" for decay in values["decays_ms"]],
            weights=[weight["value"] for weight in values["weights"]],
        ),
        response=response_of(entry, 1.0, values["half_saturation"]["value"]),
        source="the table",
    )


def measure(
    cell: paired.PairedCell, indicator: CalibratedIndicator, gap: float
) -> CellStatistics:
    """Measure one cell; `gap` is the silence (s) after which a response is over."""
    samples = samples_of(cell, indicator)
    averages = {
        count: indicator.response(indicator.kernel(GRID - one.lags[:, None]).sum(axis=0))
        for count, one in cell.events.items()
    }
    _, gain = cell.residual(samples, averages)
    rate = 1 / (cell.traces[0].step * cell.traces[0].per_sample)
    white = cell.noise * np.sqrt(rate)
    left = [t.y - gain * m for t, m in zip(cell.traces, samples, strict=True)]
    silent = [t.silent(r, gap) for t, r in zip(cell.traces, cell.recordings, strict=True)]
    steady = [t.without_drift(r) for t, r in zip(cell.traces, left, strict=True)]
    variance, slow_time = slow_noise(steady, silent, white)
    pairs = list(zip(left, silent, strict=True))
    centred_parts = [r[q] - r[q].mean() for r, q in pairs if q.any()]
    whole = float(np.concatenate(centred_parts).var()) if centred_parts else np.nan
    means = np.array([r.mean() for r in left])
    single = cell.single
    peak, half = peak_and_half_decay(smoothed(single.average)) if single else (np.nan, np.nan)
    return CellStatistics(
        folder=cell.folder,
        gain=gain,
        noise=cell.noise,
        slow=float(np.sqrt(max(variance / white**2 - 1, 0.0))),
        slow_time=slow_time,
        silent_variance=whole,
        drift=float(np.sqrt(max(whole - variance, 0.0)) / white),
        offset=float(means.std(ddof=1) / white) if means.size >= 3 else np.nan,
        burst=burst_spread(cell, samples, gain, np.sqrt(variance)),
        correlation=paired.correlations(cell, samples)["whole"],
        ceiling=silent_ceiling(cell, gap),
        largest=paired.largest(samples) / cell.largest,
        events=single.n if single else 0,
        peak=peak,
        half_decay=half,
        single_gain=(
            float(averages[1][FITTED] @ single.average[FITTED])
            / float(averages[1][FITTED] @ averages[1][FITTED])
            if single
            else np.nan
        ),
        rate=1 / cell.recordings[0].frame,
        seconds=float(np.median([np.ptp(r.t) for r in cell.recordings])),
    )


def slow_noise(
    steady: list[np.ndarray], silent: list[np.ndarray], white: float
) -> tuple[float, float]:
    """Variance in silence at 15 Hz without drift, and the time constant of its slow part (s).

    That is the lag at which the autocovariance has fallen to 1/e of the slow variance.
    """
    pairs = list(zip(steady, silent, strict=True))
    values = np.concatenate([x[q] for x, q in pairs])
    if values.size < FEWEST_SILENT:
        return np.nan, np.nan
    variance = float(np.mean(values**2))
    slow = variance - white**2
    if slow < 0.1 * white**2:
        return variance, np.nan
    found = []
    for k in LAGS:
        both = [(x[:-k] * x[k:])[q[:-k] & q[k:]] for x, q in pairs if x.size > k]
        found.append(np.mean(np.concatenate(both)) / slow if both else 0.0)
    below = np.flatnonzero(np.array(found) < np.exp(-1))
    k = int(below[0]) if below.size else len(LAGS) - 1
    if k == 0:
        return variance, float(LAGS[0] / paired.RATE)
    share = (found[k - 1] - np.exp(-1)) / max(found[k - 1] - found[k], 1e-12)
    lag = LAGS[k - 1] + min(share, 1.0) * (LAGS[k] - LAGS[k - 1])
    return variance, float(lag / paired.RATE)


def burst_spread(
    cell: paired.PairedCell, samples: list[np.ndarray], gain: float, noise: float
) -> float:
    """Spread of the logarithms of the sizes of bursts, beyond noise (NaN: too few)."""
    logs, errors = [], []
    for trace, recording, model in zip(cell.traces, cell.recordings, samples, strict=True):
        s = recording.spikes
        starts = s[np.diff(s, prepend=-np.inf) >= SILENCE]
        ends = np.minimum(np.append(starts[1:], np.inf), starts + BURST_SECONDS)
        for start, end in zip(starts, ends, strict=True):
            first, last = np.searchsorted(trace.times, [start, end])
            if first < 5 or last - first < 5:
                continue
            m = gain * (model[first:last] - model[first - 5 : first].mean())
            y = trace.y[first:last] - trace.y[first - 5 : first].mean()
            size = m @ y / (m @ m)
            if m.max() > CLEAR_BURST * noise and size > 0:
                logs.append(np.log(size))
                # baseline and burst each have noise, mostly slow, which hardly averages out
                errors.append(2 * (noise / m.max()) ** 2)
    if len(logs) < 5:
        return np.nan
    return float(np.sqrt(max(spread(np.array(logs)) ** 2 - np.mean(errors), 0.0)))


def spread(values: np.ndarray) -> float:
    """Give the standard deviation, from the quartiles where there are enough cells."""
    if len(values) < 6:
        return float(np.std(values, ddof=1))
    low, high = np.percentile(values, [25, 75])
    return float((high - low) / normal_quartiles(len(values)))


@functools.cache
def normal_quartiles(n: int) -> float:
    """Distance between the quartiles of n normal numbers, on average: less than 1.349.

    Quartiles of few values lie between inner ones: .79 of 1.349 for six, .93 for twenty. Means
    of ordered normal numbers: Blom 1958, to .5 %.
    """
    from scipy.special import ndtri

    ordered = ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    low, high = np.percentile(ordered, [25, 75])
    return float(high - low)


def centred(values: np.ndarray, folders: np.ndarray) -> np.ndarray:
    """Take off the median of each set: cells of different sets differ by their handling."""
    out = np.array(values, dtype=float)
    for name in set(folders):
        out[folders == name] -= np.median(out[folders == name])
    return out


def toward(value: float, n: int, common: float) -> float:
    """Shrink a spread to the common one, as logarithms with their numbers of cells."""
    if not value > 0:
        return common * PRIOR_CELLS / (PRIOR_CELLS + max(n - 1, 0))
    own = max(n - 1, 0) / (PRIOR_CELLS + max(n - 1, 0))
    return float(np.exp(own * np.log(value) + (1 - own) * np.log(common)))


def stated(
    values: np.ndarray,
    statistic: Callable[[np.ndarray], float],
    shrink: Any = None,
    *,
    intervals: bool = True,
) -> dict[str, Any]:
    """Give a statistic with the number of cells and its bootstrap interval."""
    known = values[np.isfinite(values).reshape(len(values), -1).all(axis=1)]
    if len(known) < 2:
        return {"value": np.nan, "n": len(known), "interval": [np.nan, np.nan]}
    found = statistic(known)
    low, high = interval(known, statistic) if intervals else (np.nan, np.nan)
    if shrink is not None:
        found, low, high = (shrink(x, len(known)) for x in (found, low, high))
    found = found if abs(found) > 1e-9 else 0.0
    return {
        "value": float(f"{found:.3g}"),
        "n": len(known),
        "interval": [float(f"{low:.3g}"), float(f"{high:.3g}")],
    }


def correlation(pairs: np.ndarray) -> float:
    """Correlation of two columns; 0 of fewer than three rows."""
    if len(pairs) < 3 or np.ptp(pairs[:, 0]) == 0 or np.ptp(pairs[:, 1]) == 0:
        return 0.0
    return float(np.corrcoef(pairs.T)[0, 1])


def shrunk_correlation(r: float, n: int, common: float = 0.0) -> float:
    """Shrink a correlation to a common one by Fisher's z, with the weight of one cell."""
    weight = max(n - 3, 0) / (max(n - 3, 0) + 1)
    z = np.arctanh(np.clip([r, common], -0.999, 0.999))
    return float(np.tanh(weight * z[0] + (1 - weight) * z[1]))


def statistics(one: CalibrationSet, entry: dict[str, Any]) -> list[CellStatistics]:
    """Measure the cells of one indicator, and their durations where the fit had other cells."""
    folders = [data_folder() / name for name in one.folders]
    cells = paired.read_cells(*folders, ceiling=one.ceiling[0])
    indicator = unit_indicator(entry)
    if len(entry["evidence"].get("durations", ())) != len(cells):
        own = indicator_model.fit_own(cells, theta_of(entry))
        entry["evidence"]["durations"] = [float(f"{d:.4g}") for d in np.exp(own)]
    return [measure(cell, indicator, one.silence) for cell in cells]


def theta_of(entry: dict[str, Any]) -> indicator_model.Theta:
    """Give the parameters of the table as a fit has them."""
    values = entry["parameters"]
    times = [values["rise_ms"]["value"], *(d["value"] for d in values["decays_ms"])]
    weights = np.array([w["value"] for w in values["weights"]])
    shape = [values[name]["value"] for name in ("exponent", "half_saturation", "rest")]
    x = [*np.log(np.array(times) / 1e3), *np.log(weights[:-1] / weights[-1]), *np.log(shape)]
    return indicator_model.Theta(np.array(x), len(weights))


def size_and_noise(cells: list[CellStatistics]) -> np.ndarray:
    """Logarithms of size and noise of cells, each without the median of its set.

    The size is that of a single spike where four cells have averages of them that stand out of
    their noise, since gains of traces err by more than cells differ where events are rare or
    recordings are poor; else it is the gain. The third column is the variance of the first by
    its own noise and by the sizes of bursts.
    """
    step = float(GRID[1] - GRID[0]) * SMOOTHING
    seen = [
        c for c in cells
        if c.events >= 3 and c.peak > paired.CLEAR * c.noise / np.sqrt(step * c.events)
    ]  # fmt: skip
    few = len(seen) < FEWEST_SEEN
    seen = cells if few else seen
    folders = np.array([c.folder for c in seen])
    sizes = [c.gain if few else c.peak for c in seen]
    errors = [
        0.0 if few else (c.noise**2 / step / c.peak**2 + np.nan_to_num(c.burst) ** 2) / c.events
        for c in seen
    ]
    return np.column_stack(
        [centred(np.log(x), folders) for x in (sizes, [c.noise for c in seen])] + [errors]
    )


def size_spread(rows: np.ndarray) -> float:
    """Spread of the logarithms of sizes, beyond what errs."""
    return float(np.sqrt(max(spread(rows[:, 0]) ** 2 - np.median(rows[:, 2]), 0.0)))


def shared_factor(rows: np.ndarray) -> float:
    """Correlation of the logarithms of size and noise, beyond what errs.

    The mean (by Fisher's z) of the correlation itself and of that which the spreads of size,
    noise and their ratio have together: the one sees cells far out, the other only those
    between the quartiles.
    """
    size, noise = size_spread(rows), spread(rows[:, 1])
    r = correlation(rows[:, :2])
    if not (size > 0 and noise > 0):
        return r
    r *= spread(rows[:, 0]) / size
    ratio = np.column_stack([rows[:, 0] - rows[:, 1], rows[:, 1:]])
    implied = (size**2 + noise**2 - size_spread(ratio) ** 2) / (2 * size * noise)
    return float(np.tanh(np.arctanh(np.clip([r, implied], -0.97, 0.97)).mean()))


def common_spreads(many: dict[str, list[CellStatistics]]) -> dict[str, float]:
    """Medians over indicators of the spreads of size, noise and bursts, and of `shared`."""
    found = []
    for cells in many.values():
        rows = size_and_noise(cells)
        bursts = np.array([c.burst for c in cells])
        burst = np.nanmedian(bursts) if np.isfinite(bursts).any() else np.nan
        shared = shared_factor(rows) if len(rows) >= FEWEST_SEEN else np.nan
        found.append([size_spread(rows), spread(rows[:, 1]), shared, burst])
    names = ("gain", "noise", "shared", "burst")
    return dict(zip(names, np.nanmedian(found, axis=0).tolist(), strict=True))


def describe(
    cells: list[CellStatistics],
    durations: list[float],
    common: dict[str, float],
    *,
    intervals: bool = True,
) -> dict[str, Any]:
    """Variability and noise as the table holds them."""
    state = functools.partial(stated, intervals=intervals)
    folders = np.array([c.folder for c in cells])
    gain = centred(np.log([c.gain for c in cells]), folders)
    rows, own = size_and_noise(cells), np.log(durations)

    def to(name: str) -> Callable[[float, int], float]:
        shrink = shrunk_correlation if name == "shared" else toward
        return lambda value, n: shrink(value, n, common[name])

    parts = {
        "gain": state(rows, size_spread, to("gain")),
        "duration": state(own, spread),
        "correlation": state(np.c_[gain, own], correlation, shrunk_correlation),
        "noise": state(rows[:, 1], spread, to("noise")),
        "shared": state(rows, shared_factor, to("shared")),
        "burst": state(np.array([c.burst for c in cells]), np.median),
    }
    if not np.isfinite(parts["burst"]["value"]):
        parts["burst"] = {"value": float(f"{common['burst']:.3g}"), "n": 0, "interval": None}
    return {"variability": parts, "noise": noise_of(cells, state)}


def noise_of(
    cells: list[CellStatistics], state: Callable[..., dict[str, Any]]
) -> dict[str, Any]:
    """Noise of the median cell: white in a frame at 30 Hz, the rest in dF/F.

    White, slow and drift together have the median variance of silence.
    """
    white = np.array([c.noise for c in cells])
    at_15 = np.median(white) * np.sqrt(paired.RATE)
    rows = np.array([[c.silent_variance, c.slow, c.drift, c.seconds] for c in cells])
    found = {
        "white_30hz": state(white * np.sqrt(STATED_RATE), np.median),
        "slow": state(rows, lambda some: coloured(some, at_15)[0]),
        "drift": state(rows, lambda some: coloured(some, at_15)[1]),
        "offset": state(np.array([c.offset for c in cells]) * at_15, np.median),
        "slow_time": state(np.array([c.slow_time for c in cells]), np.median),
    }
    for name, one in found.items():
        if not np.isfinite(one["value"]):
            value = 1.0 if name == "slow_time" else 0.0
            found[name] = {"value": value, "n": 0, "interval": None}
    return found


def coloured(rows: np.ndarray, white: float) -> tuple[float, float]:
    """Give standard deviations of slow noise and drift that make up the variance of silence.

    Rows: variance, slow noise and drift of a cell, and the length of its recordings (s), over
    which a drift shows less than its variance as their mean is not part of it.
    """
    variance, slow, drift, seconds = rows.T
    beyond = max(float(np.median(variance)) - white**2, 0.0)
    share = float(np.median(drift**2 / np.maximum(drift**2 + slow**2, 1e-12)))
    x = float(np.median(seconds)) / DRIFT_TIME
    shown = 1 - 2 * (x - 1 + np.exp(-x)) / x**2
    return np.sqrt(beyond * (1 - share)), np.sqrt(beyond * share / shown)


def pool_gains(entries: dict[str, Any], many: dict[str, list[CellStatistics]]) -> None:
    """Shrink the sizes of one spike of all sets of one protein towards each other."""
    ceilings = {one.name: one.ceiling for one in SETS}
    for family in {one.family or one.name for one in SETS}:
        names = [s.name for s in SETS if (s.family or s.name) == family and s.name in many]
        keys = [(n, f) for n in names for f in dict.fromkeys(c.folder for c in many[n])]
        sets = [[c for c in many[n] if c.folder == f] for n, f in keys]
        groups = [np.log([c.gain for c in some]) for some in sets]
        centres = [set_gain(some) for some in sets]
        centred_groups = [
            g - g.mean() + np.log(x) for g, x in zip(groups, centres, strict=True)
        ]
        means, _ = shrunk(centred_groups)
        for name in names:
            mine = [i for i, (n, _) in enumerate(keys) if n == name]
            size = np.array([len(groups[i]) for i in mine])
            # sets of one indicator differ by more than their cells: each counts once
            value = float(np.exp(np.mean(means[mine]) if len(mine) > 1 else means[mine[0]]))
            entry = entries[name]
            entry["ceiling"] = dict(zip(("value", "source"), ceilings[name], strict=True))
            entry["sets"] = {
                keys[i][1]: {"cells": int(n), "gain": float(f"{np.exp(means[i]) / value:.3g}")}
                for i, n in zip(mine, size, strict=True)
            }
            alone = float(np.exp(np.mean([np.log(centres[i]) for i in mine])))
            every = np.concatenate([groups[i] for i in mine])
            low, high = interval(every, np.median)
            entry["parameters"]["single_spike"] |= {
                "value": float(f"{value:.4g}"),
                "unpooled": float(f"{alone:.4g}"),
                "n": int(size.sum()),
                "interval": [float(f"{np.exp(x):.3g}") for x in (low, high)],
            }
            keep_in_range(entry)


def set_gain(cells: list[CellStatistics]) -> float:
    """Size of one spike in the median cell, as three measures have it.

    The geometric mean of what fits everything and what gives the largest events their size,
    and (where three cells have averages of them) of that and what single spikes have.
    """
    every = float(np.median([c.gain for c in cells]))
    joint = float(np.sqrt(every / np.median([c.largest for c in cells])))
    alone = [c for c in cells if np.isfinite(c.single_gain)]
    if len(alone) < 3:
        return joint
    gains = np.array([c.single_gain for c in alone])
    weights = np.array([paired.trust(int(c.events)) for c in alone])
    order = np.argsort(gains)
    share = np.cumsum(weights[order]) - 0.5 * weights[order]
    single = float(np.interp(0.5 * weights.sum(), share, gains[order]))
    return float(np.sqrt(joint * single)) if single > 0 else joint


def largest_ratio(cells: list[CellStatistics]) -> dict[str, Any]:
    """Size of the largest events, model over data, by set: each with the gain of the others."""
    found: dict[str, list[float]] = {}
    for cell in cells:
        others = [c for c in cells if c.folder == cell.folder and c is not cell]
        if others:
            found.setdefault(cell.folder, []).append(set_gain(others) * cell.largest)
    return {name: quartiles(ratios, 2) for name, ratios in found.items()}


def keep_in_range(entry: dict[str, Any]) -> None:
    """Lower the half-saturation until no set's dF/F can be above the indicator's range."""
    values = entry["parameters"]
    most = values["single_spike"]["value"] * max(s["gain"] for s in entry["sets"].values())
    half = values["half_saturation"]["value"]
    while response_of(entry, most, half).maximum > entry["ceiling"]["value"]:
        half = float(f"{0.98 * half:.4g}")
    values["half_saturation"]["value"] = half


def response_of(entry: dict[str, Any], single_spike: float, half: float) -> HillResponse:
    """Give the fitted response with another gain and half-saturation."""
    values = entry["parameters"]
    return HillResponse(
        single_spike=single_spike,
        half_saturation=half,
        exponent=values["exponent"]["value"],
        rest=values["rest"]["value"],
    )


def main(names: list[str]) -> None:
    """Measure the named indicators (or all; the others are as in the table) and write it."""
    entries = known_entries()
    many = {}
    for one in SETS:
        entry = entries[one.name]
        again = not names or one.name in names or "measured" not in entry["evidence"]
        many[one.name] = statistics(one, entry) if again else CellStatistics.of_table(entry)
    common = common_spreads(many)
    pool_gains(entries, many)
    for name, cells in many.items():
        entry = entries[name]
        entry |= describe(cells, entry["evidence"]["durations"], common)
        entry["evidence"] |= {
            "measured": to_table(cells),
            "largest_ratio": largest_ratio(cells),
            "of_ceiling": quartiles([c.correlation / c.ceiling for c in cells], 3),
        }
        write(name, entry)
        shown = {k: v["value"] for k, v in (entry["variability"] | entry["noise"]).items()}
        sys.stdout.write(f"{name}: {entry['parameters']['single_spike']['value']} {shown}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])

"""Fit the calibrated indicators to paired recordings and write the package's table.

Run from anywhere: ``python tools/fit_indicators.py [--limits] [NAME ...]``. Recordings are
read from ``CLEO_LIKE_DATA`` or ``shared/data`` beside the repository, and stay there; only
numbers are written. Cells are held out one at a time, or (of more than nine) a fifth at a
time: what the table says about held-out cells was
predicted by a fit that never saw them.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import indicator_model as model
import numpy as np
import paired_recordings as paired
from ceiling import ceiling, silent_ceiling
from isolated_events import GRID, average_of, peak_and_half_decay, smoothed
from pooling import interval, shrunk
from sets import COMPILED, SETS, CalibrationSet

from cleo_like.core.files import atomic_path
from cleo_like.imaging.calibrated import CalibratedIndicator, s2f
from cleo_like.imaging.calibrated.propagate import exponential_sum

if TYPE_CHECKING:
    from collections.abc import Callable

    from isolated_events import FewEvents, Recording

    from cleo_like.imaging.calibrated import Kernel

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "cleo_like" / "imaging" / "calibrated" / "indicators.json"
EVENT_SIZES = (1, 2, 3, 5, 10)
EVENT_COLUMNS = (
    ("peak", 1, 4),
    ("half_decay_ms", 1e3, 0),
    ("predicted_peak", 1, 4),
    ("predicted_half_decay_ms", 1e3, 0),
    ("predicted_peak_in_noise", 1, 4),
    ("predicted_half_decay_ms_in_noise", 1e3, 0),
)
CLEO_RATE = 20.0
DRAWS = 200
ONE_BY_ONE = 9
"""Cells of a set that are held out one by one; of more, a part at a time."""
FOLDS = 5
FOLD_SECONDS = 100.0
FIT_SECONDS = 300.0
"""What a fit of many cells sees of the trace of each; the fits of folds see `FOLD_SECONDS`."""


def data_folder() -> Path:
    """Folder of the cells that may be used for fitting."""
    beside = HERE.parents[1] / "shared" / "data"
    return Path(os.environ.get("CLEO_LIKE_DATA", beside)) / "ophys_gt" / "dev"


def indicator_gains(
    cells: list[paired.PairedCell], theta: model.Theta
) -> tuple[float, dict[str, float]]:
    """Gain of one spike in the median cell, and the same in each set (shrunk)."""
    logs = np.log(gains_of(cells, theta, np.zeros(len(cells))))
    folders = np.array([cell.folder for cell in cells])
    names = list(dict.fromkeys(folders))
    groups = [logs[folders == name] for name in names]
    centred = [group - group.mean() + np.median(group) for group in groups]
    sets, common = shrunk(centred)
    return float(np.exp(common)), dict(zip(names, np.exp(sets).tolist(), strict=True))


def reach(cells: list[paired.PairedCell], kernel: Kernel) -> float:
    """Largest calcium-like variable in all recordings (1 at the peak of one spike)."""
    found = 0.0
    for one in (r for cell in cells for r in cell.recordings if r.spikes.size):
        frames = np.linspace(one.t[0], one.t[-1], len(one.t))
        nobody = np.zeros(one.spikes.size, dtype=int)
        rates, weights = kernel.rates[None], kernel.mode_weights[None]
        found = max(
            found, float(exponential_sum(one.spikes, nobody, frames, rates, weights).max())
        )
    return found


def gains_of(cells: list[paired.PairedCell], theta: model.Theta, own: np.ndarray) -> np.ndarray:
    """Gain of each cell for all that is fitted."""
    pairs = zip(cells, own, strict=True)
    return np.array([model.residual(c, theta, o)[1] for c, o in pairs])


def brief(cell: paired.PairedCell, seconds: float) -> paired.PairedCell:
    """Cell with its first recordings, of so many seconds in all or the first one alone.

    Cells differ more than the minutes of one cell do. Its averages of events are of all.
    """
    ends = np.cumsum([float(np.ptp(r.t)) for r in cell.recordings])
    n = 1 + int(np.searchsorted(ends, seconds))
    return attrs.evolve(cell, recordings=cell.recordings[:n], traces=cell.traces[:n])


def cross_validate(
    one: CalibrationSet, cells: list[paired.PairedCell]
) -> tuple[list[CalibratedIndicator], list[dict[str, Any]]]:
    """Predict every cell from others: (an indicator for each cell, parameters of folds)."""
    one_by_one = len(cells) <= ONE_BY_ONE
    known = [brief(cell, np.inf if one_by_one else FOLD_SECONDS) for cell in cells]
    n_folds = len(cells) if one_by_one else FOLDS
    predictors: dict[int, CalibratedIndicator] = {}
    folds = []
    for fold in range(n_folds):
        train = [k for i, k in enumerate(known) if i % n_folds != fold]
        theta = model.fit(train, one.decays, one.ceiling[0], evaluations=12)
        gain, of_sets = indicator_gains(train, theta)
        folds.append(parameters(theta, gain))
        for held in range(fold, len(cells), n_folds):
            predictors[held] = CalibratedIndicator(
                name="held-out cell",
                kernel=theta.kernel,
                response=attrs.evolve(
                    theta.response, single_spike=of_sets.get(cells[held].folder, gain)
                ),
                source="other cells",
            )
    return [predictors[i] for i in range(len(cells))], folds


def parameters(theta: model.Theta, gain: float) -> dict[str, Any]:
    """Parameters as the table holds them (ms)."""
    kernel, response = theta.kernel, theta.response
    return {
        "single_spike": gain,
        "rise_ms": kernel.rise * 1e3,
        "decays_ms": [decay * 1e3 for decay in kernel.decays],
        "weights": list(kernel.weights),
        "exponent": response.exponent,
        "half_saturation": response.half_saturation,
        "rest": response.rest,
    }


def cleo_samples(cell: paired.PairedCell, name: str) -> list[np.ndarray]:
    """Prediction of Cleo's indicator of that name at its defaults, as (F - F0)/F0, at 15 Hz."""
    from cleo_like import imaging

    kinetics = getattr(imaging, name)().kinetics()
    found = []
    for one, trace in zip(cell.recordings, cell.traces, strict=True):
        start = min([one.t[0], *one.spikes[:1]])
        frames = np.arange(0.0, one.t[-1] - start + 1 / CLEO_RATE, 1 / CLEO_RATE)
        nobody = np.zeros(one.spikes.size, dtype=int)
        dff, _ = imaging.dff_of_spikes(kinetics, nobody, one.spikes - start, frames, 1)
        found.append(np.interp(trace.times, frames + start, dff[0]))
    return found


def samples_of(cell: paired.PairedCell, indicator: CalibratedIndicator) -> list[np.ndarray]:
    """Prediction of an indicator at 15 Hz, for each recording."""
    rates, weights = indicator.kernel.rates, indicator.kernel.mode_weights
    return [
        t.sampled(indicator.response(t.exponential_sum(rates, weights))) for t in cell.traces
    ]


def frames_of(indicator: CalibratedIndicator) -> Callable[[Recording], np.ndarray]:
    """Prediction of an indicator at the frames of a recording."""

    def predict(one: Recording) -> np.ndarray:
        nobody = np.zeros(one.spikes.size, dtype=int)
        return indicator.dff(one.spikes, nobody, one.t, n=1)[0]

    return predict


def quartiles(values: Any, digits: int = 4) -> dict[str, Any]:
    """Median and quartiles of what is known."""
    values = np.asarray(values, dtype=float)
    known = values[np.isfinite(values)]
    if known.size == 0:
        return {"n": 0}
    low, mid, high = np.percentile(known, [25, 50, 75])
    numbers = {"median": mid, "low": low, "high": high}
    return {"n": int(known.size)} | {k: round(float(v), digits) for k, v in numbers.items()}


def events(
    cells: list[paired.PairedCell], predictors: list[CalibratedIndicator]
) -> dict[str, Any]:
    """Compare event averages, measured and predicted for held-out cells."""
    found = {}
    for count in EVENT_SIZES:
        rows, total = [], 0
        for cell, predictor in zip(cells, predictors, strict=True):
            measured = average_of(cell.recordings, count)
            if measured is None:
                continue
            total += measured.n
            rows.append(landmarks(cell, measured, predictor, count))
        if rows:
            found[str(count)] = {"events": total} | {
                name: quartiles(np.array(rows)[:, i] * scale, digits)
                for i, (name, scale, digits) in enumerate(EVENT_COLUMNS)
            }
    return found


def landmarks(
    cell: paired.PairedCell, measured: FewEvents, predictor: CalibratedIndicator, count: int
) -> list[float]:
    """Peak and half-decay (s) of an average: measured, predicted, and predicted in noise."""
    predicted = average_of(cell.recordings, count, frames_of(predictor))
    average = predicted.average if predicted is not None else np.full(GRID.size, np.nan)
    noise = cell.noise_of_frame / np.sqrt(measured.n)
    return [
        *peak_and_half_decay(smoothed(measured.average)),
        *peak_and_half_decay(smoothed(average)),
        *as_noisy(average, noise, cell.recordings[0].frame),
    ]


def as_noisy(average: np.ndarray, size: float, frame: float) -> tuple[float, float]:
    """Peak and half-decay that a noise-free average would show under the data's noise.

    The peak of a noisy average is its largest sample, so it is too large and followed by too
    small ones; a prediction has to be measured in the same way.
    """
    rng = np.random.default_rng(0)
    width = max(1, round(frame / (GRID[1] - GRID[0])))
    draws = rng.normal(0, size, (DRAWS, average.size // width + 2))
    held = np.repeat(draws, width, axis=1)[:, : average.size]
    found = np.array([peak_and_half_decay(smoothed(average + one)) for one in held])
    return float(np.nanmedian(found[:, 0])), float(np.nanmedian(found[:, 1]))


def compare(
    one: CalibrationSet,
    cells: list[paired.PairedCell],
    predictors: list[CalibratedIndicator],
    published: dict[str, Any],
) -> dict[str, Any]:
    """Correlations of held-out predictions, and of published kinetics (known ones are kept)."""
    pairs = zip(cells, predictors, strict=True)
    samples = [samples_of(c, p) for c, p in pairs]
    mine = [paired.correlations(c, m) for c, m in zip(cells, samples, strict=True)]
    most = [silent_ceiling(c, one.silence) for c in cells]
    of_most = [r["whole"] / top for r, top in zip(mine, most, strict=True)]
    sizes = [paired.largest(m) / c.largest for c, m in zip(cells, samples, strict=True)]
    folders = [cell.folder for cell in cells]
    found: dict[str, Any] = {
        "correlation": quartiles([r["whole"] for r in mine], 3),
        "of_recordings": quartiles([r["recording"] for r in mine], 3),
        "without_drift": quartiles([r["steady"] for r in mine], 3),
        "correlations": [round(r["whole"], 3) for r in mine],
        "ceiling": quartiles(most, 3),
        "of_ceiling": quartiles(of_most, 3),
        "largest_ratio": {
            name: quartiles([s for s, f in zip(sizes, folders, strict=True) if f == name], 2)
            for name in dict.fromkeys(folders)
        },
    }
    return found | (published or compare_published(one, cells))


def compare_published(one: CalibrationSet, cells: list[paired.PairedCell]) -> dict[str, Any]:
    """Correlations of published kinetics."""
    default = [paired.correlations(c, cleo_samples(c, one.cleo)) for c in cells]
    found: dict[str, Any] = {
        "cleo": {
            "kinetics": one.cleo,
            "correlation": quartiles([r["whole"] for r in default], 3),
        }
    }
    if one.s2f is not None:
        indicator = getattr(s2f, one.s2f)()
        published = [paired.correlations(c, samples_of(c, indicator)) for c in cells]
        found["s2f"] = {"correlation": quartiles([r["whole"] for r in published], 3)}
    return found


def with_range(value: Any, folds: list[Any], digits: int) -> Any:
    """Give a number with its range over the folds."""
    if isinstance(value, list):
        return [with_range(v, [f[i] for f in folds], digits) for i, v in enumerate(value)]
    rounded = [float(f"{v:.{digits}g}") for v in (value, min(folds), max(folds))]
    return {"value": rounded[0], "low": rounded[1], "high": rounded[2]}


def calibrate(
    one: CalibrationSet, before: dict[str, Any], *, with_limits: bool = False
) -> dict[str, Any]:
    """Fit one indicator and say how well it does.

    `before` is its entry of the last fit: what published kinetics reach is kept from there,
    and, unless `with_limits`, what a fit to the very cell reaches (both say of how many cells).
    """
    folders = [data_folder() / name for name in one.folders]
    cells = paired.read_cells(*folders, ceiling=one.ceiling[0])
    length = np.inf if len(cells) <= ONE_BY_ONE else FIT_SECONDS
    theta = model.fit([brief(cell, length) for cell in cells], one.decays, one.ceiling[0])
    own = model.fit_own(cells, theta)
    gain, of_sets = indicator_gains(cells, theta)
    gains = gains_of(cells, theta, np.zeros(len(cells)))
    predictors, folds = cross_validate(one, cells)
    limits = before.get("evidence", {}).get("limits")
    if with_limits:
        limits = {k: quartiles(v, 3) for k, v in ceiling(cells, theta).items()}
    held = before.get("evidence", {}).get("held_out", {})
    published = {part: held[part] for part in ("cleo", "s2f") if part in held}
    low, high = interval(np.log(gains), np.median)
    shape = {
        k: with_range(v, [f[k] for f in folds], 4) for k, v in parameters(theta, gain).items()
    }
    shape["single_spike"] |= {
        "n": len(cells),
        "interval": [float(f"{np.exp(x):.3g}") for x in (low, high)],
    }
    return {
        "display": one.display,
        "source": f"fitted to {one.source}, {COMPILED}",
        "reach": round(reach(cells, theta.kernel), 2),
        "ceiling": dict(zip(("value", "source"), one.ceiling, strict=True)),
        "parameters": shape,
        "sets": {
            name: {
                "cells": sum(cell.folder == name for cell in cells),
                "gain": float(f"{value / gain:.3g}"),
            }
            for name, value in of_sets.items()
        },
        **{part: before[part] for part in ("variability", "noise") if part in before},
        "evidence": {
            "cells": len(cells),
            "spikes": sum(cell.spikes for cell in cells),
            "seconds": round(sum(float(np.ptp(r.t)) for c in cells for r in c.recordings)),
            "frame_rate": round(1 / cells[0].recordings[0].frame, 1),
            "folds": len(folds),
            "names": [cell.name for cell in cells],
            "gains": [float(f"{g:.4g}") for g in gains],
            "durations": [float(f"{d:.4g}") for d in np.exp(own)],
            "noise_30hz": quartiles([cell.noise * np.sqrt(30) for cell in cells]),
            **({"limits": limits} if limits else {}),
            "held_out": compare(one, cells, predictors, published)
            | {"events": events(cells, predictors)},
        },
    }


def known_entries() -> dict[str, Any]:
    """Give the table as it is."""
    return dict(json.loads(TABLE.read_text())["indicators"]) if TABLE.exists() else {}


def write(name: str, entry: dict[str, Any]) -> None:
    """Put one indicator into the table, in the order of the sets."""
    known = known_entries()
    known[name] = entry
    ordered = {one.name: known[one.name] for one in SETS if one.name in known}
    with atomic_path(TABLE) as path:
        text = json.dumps({"format": 1, "indicators": ordered}, indent=1)
        path.write_text(one_line_for_each(text) + "\n")


def one_line_for_each(text: str) -> str:
    """Put lists of plain values on one line, so that a table reads as one."""
    return re.sub(r"\[[^][{}]*\]", lambda found: re.sub(r"\s*\n\s*", " ", found.group()), text)


def main(names: list[str]) -> None:
    """Fit the named indicators (all without a name) and update the table."""
    with_limits = "--limits" in names
    names = [name for name in names if name != "--limits"]
    known = {one.name: one for one in SETS}
    for one in [known[name] for name in names] if names else SETS:
        start = time.process_time()
        entry = calibrate(one, known_entries().get(one.name, {}), with_limits=with_limits)
        write(one.name, entry)
        held = entry["evidence"]["held_out"]
        sys.stdout.write(
            f"{one.name}: {entry['evidence']['cells']} cells, held-out correlation "
            f"{held['correlation']['median']} ({held['of_ceiling']['median']} of its ceiling; "
            f"Cleo {held['cleo']['correlation']['median']}), "
            f"{time.process_time() - start:.0f} s CPU\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])

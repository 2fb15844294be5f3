"""Fit the calibrated indicators to paired recordings and write the package's table.

Run from anywhere: ``python tools/fit_indicators.py [NAME ...]``. Recordings are read from
``CLEO_LIKE_DATA`` or ``shared/data`` beside the repository, and stay there; only numbers are
written. Cells are held out in turn: what the table says about held-out cells was predicted
by a fit that never saw them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import indicator_model as model
import numpy as np
import paired_recordings as paired
from sets import COMPILED, SETS, CalibrationSet

from cleo_like.core.files import atomic_path
from cleo_like.imaging.calibrated import s2f

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "cleo_like" / "imaging" / "calibrated" / "indicators.json"
FOLDS = 5
EVENT_SIZES = (1, 2, 3, 5, 10)
CLEO_RATE = 20.0


def data_folder() -> Path:
    """Folder of the cells that may be used for fitting."""
    beside = HERE.parents[1] / "shared" / "data"
    return Path(os.environ.get("CLEO_LIKE_DATA", beside)) / "ophys_gt" / "dev"


def gains_of(cells: list[paired.PairedCell], theta: model.Theta, own: np.ndarray) -> np.ndarray:
    """Gain of each cell for one spike, or for its whole trace where it has too few."""
    gains = []
    for cell, mine in zip(cells, own, strict=True):
        gain = cell.single_spike_gain(model.single(theta, mine))
        if not np.isfinite(gain):
            _, gain = cell.residual(model.trace(cell, theta, mine))
        gains.append(gain)
    return np.array(gains)


def cross_validate(cells: list[paired.PairedCell], decays: int) -> tuple[list, list]:
    """Predict every cell from the others: (predictions, parameters of the folds)."""
    predictions: list[Any] = [None] * len(cells)
    folds = []
    count = min(FOLDS, len(cells))
    for fold in range(count):
        held = range(fold, len(cells), count)
        train = [cell for i, cell in enumerate(cells) if i not in held]
        theta, own = model.fit(train, decays)
        gain = float(np.median(gains_of(train, theta, own)))
        folds.append(parameters(theta, gain))
        for i in held:
            predictions[i] = gain * model.trace(cells[i], theta)
    return predictions, folds


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


def cleo_trace(cell: paired.PairedCell, name: str) -> np.ndarray:
    """Prediction of Cleo's indicator of that name at its defaults, as (F - F0)/F0."""
    from cleo_like import imaging

    indicator = getattr(imaging, name)()
    frames = np.arange(0.0, cell.t[-1] + 1 / CLEO_RATE, 1 / CLEO_RATE)
    nobody = np.zeros(cell.spikes.size, dtype=int)
    dff, _ = imaging.dff_of_spikes(indicator.kinetics(), nobody, cell.spikes, frames, 1)
    return np.interp(cell.t, frames, dff[0] / indicator.resting_brightness)


def quartiles(values: Any, digits: int = 4) -> dict[str, Any]:
    """Median and quartiles of what is known."""
    values = np.asarray(values, dtype=float)
    known = values[np.isfinite(values)]
    if known.size == 0:
        return {"n": 0}
    low, mid, high = np.percentile(known, [25, 50, 75])
    numbers = {"median": mid, "low": low, "high": high}
    return {"n": int(known.size)} | {k: round(float(v), digits) for k, v in numbers.items()}


def events(cells: list[paired.PairedCell], predictions: list[np.ndarray]) -> dict[str, Any]:
    """Compare event averages, measured and predicted for held-out cells."""
    found = {}
    for count in EVENT_SIZES:
        rows, total = [], 0
        for cell, prediction in zip(cells, predictions, strict=True):
            within = 0.1 if count <= 5 else 0.3
            when = paired.isolated_events(cell, count, within=within)
            if when.size < 3:
                continue
            total += when.size
            rows.append(
                [
                    *paired.peak_and_half_decay(paired.event_average(cell, cell.y, when)),
                    *paired.peak_and_half_decay(paired.event_average(cell, prediction, when)),
                ]
            )
        if rows:
            measured, decay, predicted, predicted_decay = np.array(rows).T
            found[str(count)] = {
                "events": total,
                "peak": quartiles(measured),
                "predicted_peak": quartiles(predicted),
                "half_decay_ms": quartiles(decay * 1e3, 0),
                "predicted_half_decay_ms": quartiles(predicted_decay * 1e3, 0),
            }
    return found  # fmt: skip


def errors(cells: list[paired.PairedCell], predictions: list[np.ndarray]) -> list[float]:
    """Root of the unexplained share of variance of each cell, drift and gain aside."""
    found = []
    for cell, prediction in zip(cells, predictions, strict=True):
        residual = cell.residual(prediction)[0][: cell.t.size]
        found.append(float(np.linalg.norm(residual)))
    return found


def compare(
    one: CalibrationSet, cells: list[paired.PairedCell], predictions: list[np.ndarray]
) -> dict[str, Any]:
    """Correlations of held-out predictions, and of published kinetics, on the same cells."""
    pairs = list(zip(cells, predictions, strict=True))
    found: dict[str, Any] = {
        "correlation": quartiles([paired.correlation(c, p) for c, p in pairs], 3),
        "correlations": [round(paired.correlation(c, p), 3) for c, p in pairs],
        "relative_error": quartiles(errors(cells, predictions), 3),
    }
    default = [cleo_trace(c, one.cleo) for c in cells]
    found["cleo"] = {
        "kinetics": one.cleo,
        "correlation": quartiles(
            [paired.correlation(c, d) for c, d in zip(cells, default, strict=True)], 3
        ),
        "relative_error": quartiles(errors(cells, default), 3),
    }
    if one.s2f is not None:
        indicator = getattr(s2f, one.s2f)()
        published = [
            indicator.dff(c.spikes, np.zeros(c.spikes.size, dtype=int), c.t, n=1)[0]
            for c in cells
        ]
        found["s2f"] = {
            "correlation": quartiles(
                [paired.correlation(c, p) for c, p in zip(cells, published, strict=True)], 3
            ),
        }
    return found


def spread(values: np.ndarray) -> float:
    """Robust standard deviation (of logarithms)."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def variability(gains: np.ndarray, own: np.ndarray) -> dict[str, float]:
    """Spread of the cells' factors, and their rank correlation as one of logarithms."""
    from scipy.stats import spearmanr

    log_gain = np.log(np.maximum(gains, 1e-6))
    rank = spearmanr(log_gain, own).statistic if len(own) >= 6 else 0.0
    return {
        "gain": round(spread(log_gain), 3),
        "duration": round(spread(own), 3),
        "correlation": round(
            float(2 * np.sin(np.pi / 6 * rank)) if np.isfinite(rank) else 0.0, 2
        ),
    }


def with_range(value: Any, folds: list[Any], digits: int) -> Any:
    """Give a number with its range over the folds."""
    if isinstance(value, list):
        return [with_range(v, [f[i] for f in folds], digits) for i, v in enumerate(value)]
    rounded = [float(f"{v:.{digits}g}") for v in (value, min(folds), max(folds))]
    return {"value": rounded[0], "low": rounded[1], "high": rounded[2]}


def calibrate(one: CalibrationSet) -> dict[str, Any]:
    """Fit one indicator and say how well it does."""
    cells = paired.read_cells(data_folder() / one.folder, rate=one.rate, seconds=one.seconds)
    theta, own = model.fit(cells, one.decays)
    gains = gains_of(cells, theta, own)
    predictions, folds = cross_validate(cells, one.decays)
    final = parameters(theta, float(np.median(gains)))
    noise = [cell.noise * np.sqrt(30 * cell.frame) for cell in cells]  # white in time
    return {
        "display": one.display,
        "source": f"fitted to {one.source}, {COMPILED}",
        "parameters": {k: with_range(v, [f[k] for f in folds], 4) for k, v in final.items()},
        "variability": variability(gains, own),
        "evidence": {
            "cells": len(cells),
            "spikes": int(sum(cell.spikes.size for cell in cells)),
            "seconds": round(
                sum(
                    float(cell.t[p.stop - 1] - cell.t[p.start])
                    for cell in cells
                    for p in cell.parts
                )
            ),
            "frame_rate": round(1 / cells[0].frame, 1),
            "folds": len(folds),
            "noise_30hz": quartiles(noise),
            "gain_of_whole_trace": quartiles(
                [
                    c.residual(model.trace(c, theta, o))[1] / g
                    for c, o, g in zip(cells, own, gains, strict=True)
                ],
                2,
            ),
            "held_out": compare(one, cells, predictions)
            | {"events": events(cells, predictions)},
        },
    }


def write(name: str, entry: dict[str, Any]) -> None:
    """Put one indicator into the table, in the order of the sets."""
    known = json.loads(TABLE.read_text())["indicators"] if TABLE.exists() else {}
    known[name] = entry
    ordered = {one.name: known[one.name] for one in SETS if one.name in known}
    with atomic_path(TABLE) as path:
        path.write_text(json.dumps({"format": 1, "indicators": ordered}, indent=1) + "\n")


def main(names: list[str]) -> None:
    """Fit the named indicators (all without a name) and update the table."""
    for one in SETS:
        if names and one.name not in names:
            continue
        start = time.process_time()
        entry = calibrate(one)
        write(one.name, entry)
        held = entry["evidence"]["held_out"]
        sys.stdout.write(
            f"{one.name}: {entry['evidence']['cells']} cells, held-out correlation "
            f"{held['correlation']['median']} (Cleo {held['cleo']['correlation']['median']}), "
            f"{time.process_time() - start:.0f} s CPU\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])

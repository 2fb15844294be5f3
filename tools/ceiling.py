"""What any function of the spikes could reach on a cell, and what stands in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import indicator_model as model
import numpy as np
from paired_recordings import correlations

if TYPE_CHECKING:
    from paired_recordings import PairedCell


FEWEST_SILENT = 300
"""Samples in silence (20 s) that a variance is taken from."""


def silent_ceiling(cell: PairedCell, gap: float) -> float:
    """Correlation that noise lets a perfect prediction reach (NaN: too little silence).

    Noise is what there is in silence, longer than `gap` (s) after the last spike.
    """
    pairs = zip(cell.traces, cell.recordings, strict=True)
    silent = np.concatenate([t.y[t.silent(r, gap)] for t, r in pairs])
    if silent.size < FEWEST_SILENT:
        return np.nan
    share = silent.var() / np.concatenate([t.y for t in cell.traces]).var()
    return float(np.sqrt(max(0.0, 1 - share))) or np.nan


def own_kinetics(cell: PairedCell, theta: model.Theta) -> list[np.ndarray]:
    """Predict a cell by a fit to this very cell: all parameters free, for correlation alone.

    The fit starts from the shared parameters. No set of shared parameters can do much better.
    """
    from scipy.optimize import least_squares

    y = np.concatenate([t.y for t in cell.traces])
    y = (y - y.mean()) / (y.std() * np.sqrt(y.size))
    _, low, high = model.start_and_bounds(theta.decays)

    def residual(x: np.ndarray) -> np.ndarray:
        m = np.concatenate(model.samples(cell, model.Theta(x, theta.decays)))
        m = m - m.mean()
        return np.asarray(y - max(float(y @ m), 0.0) / max(float(m @ m), 1e-30) * m)

    start = np.clip(theta.x, low + 1e-3, high - 1e-3)
    found = least_squares(
        residual, start, bounds=(low, high), diff_step=[1e-3], max_nfev=12, ftol=1e-5,
        xtol=1e-4,
    )  # fmt: skip
    return model.samples(cell, model.Theta(found.x, theta.decays))


def unexplained(cell: PairedCell, samples: list[np.ndarray]) -> dict[str, float]:
    """Split the variance that a prediction leaves (shares of the variance of the data).

    ``between`` recordings: offsets; ``drift`` slower than a minute; ``white`` noise of frames;
    ``rest``: events larger or smaller than predicted, movement, and slower noise.
    """
    y = np.concatenate([t.y for t in cell.traces])
    pairs = list(zip(cell.traces, samples, strict=True))
    target = np.concatenate([t.target for t in cell.traces])
    steady = np.concatenate([t.without_drift(m) for t, m in pairs])
    gain = float(steady @ target / max(steady @ steady, 1e-30))
    left = [t.y - gain * m for t, m in pairs]
    whole = np.concatenate(left).var()
    steadily = [t.without_drift(r) for t, r in zip(cell.traces, left, strict=True)]
    inside = np.mean(np.concatenate([(r - r.mean()) ** 2 for r in left]))
    stay = np.mean(np.concatenate(steadily) ** 2)
    sample = cell.traces[0].step * cell.traces[0].per_sample
    white = min(cell.noise**2 / sample, stay)
    parts = {
        "between": whole - inside,
        "drift": inside - stay,
        "white": white,
        "rest": stay - white,
    }
    return {name: float(part / y.var()) for name, part in parts.items()}


def ceiling(cells: list[PairedCell], theta: model.Theta) -> dict[str, list[float]]:
    """Correlation with a cell's own kinetics, and shares of what is left, for each cell."""
    rows = []
    for cell in cells:
        samples = own_kinetics(cell, theta)
        reached = {"own_kinetics": correlations(cell, samples)["whole"]}
        rows.append(reached | unexplained(cell, samples))
    return {name: [row[name] for row in rows] for name in rows[0]}

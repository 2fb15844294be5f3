"""Is it the form of the model? Predict held-out cells by a function without a form.

``python tools/any_function.py NAME ...``: traces of past spikes with nine time constants,
through random features, fitted to the other cells by ridge regression. If this does no better
than the indicator's kernel and saturation, a richer formula would not either.
"""

from __future__ import annotations

import sys

import numpy as np
import paired_recordings as paired
from fit_indicators import data_folder, samples_of
from sets import SETS

from cleo_like.imaging.calibrated import calibrated_indicator

TIMES = np.array([0.01, 0.03, 0.08, 0.2, 0.5, 1.2, 3.0, 8.0, 20.0])
FEATURES = 400
RIDGES = (1e-4, 1e-3, 1e-2)


class Features:
    """Random rectified features of log-compressed traces of past spikes; 0 at rest."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.weights = 1.5 * rng.normal(size=(TIMES.size, FEATURES)) / np.sqrt(TIMES.size)
        self.bias = rng.uniform(-2, 2, FEATURES)

    def __call__(self, trace: paired.Trace) -> np.ndarray:
        """Give (n_samples, n_features)."""
        one = np.ones(1)
        spikes = [trace.sampled(trace.exponential_sum(one / t, one)) for t in TIMES]
        x = np.log1p(2 * np.stack(spikes, axis=1))
        bent = np.maximum(2 * x @ self.weights + self.bias, 0) - np.maximum(self.bias, 0)
        return np.concatenate([x, bent], axis=1)


def normal_equations(
    cell: paired.PairedCell, features: Features, samples: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Give sums of products of one cell, each recording in units of its own response."""
    matrix, vector = np.zeros((FEATURES + TIMES.size,) * 2), np.zeros(FEATURES + TIMES.size)
    size = sum(float(t.target @ t.target) for t in cell.traces)
    for trace, model in zip(cell.traces, samples, strict=True):
        steady = trace.without_drift(model)
        gain = max(float(steady @ trace.target), 0.0) / max(float(steady @ steady), 1e-30)
        x = trace.without_drift(features(trace)) * gain
        matrix += x.T @ x / size
        vector += x.T @ trace.target / size
    return matrix, vector


def held_out(cells: list[paired.PairedCell], name: str) -> dict[float, float]:
    """Median correlation on whole recordings of held-out cells, for each ridge."""
    features = Features(np.random.default_rng(0))
    indicator = calibrated_indicator(name)
    sums = [normal_equations(c, features, samples_of(c, indicator)) for c in cells]
    found: dict[float, list[float]] = {ridge: [] for ridge in RIDGES}
    for held, cell in enumerate(cells):
        others = [s for i, s in enumerate(sums) if i != held]
        matrix = np.sum([m for m, _ in others], axis=0)
        vector = np.sum([v for _, v in others], axis=0)
        xs = [features(trace) for trace in cell.traces]
        for ridge, values in found.items():
            damped = matrix + ridge * np.trace(matrix) / len(matrix) * np.eye(len(matrix))
            weights = np.linalg.solve(damped, vector)
            values.append(paired.correlations(cell, [x @ weights for x in xs])["whole"])
    return {ridge: float(np.median(values)) for ridge, values in found.items()}


def main(names: list[str]) -> None:
    """Print the best of the ridges beside what the table says."""
    for one in SETS:
        if one.name not in names:
            continue
        cells = paired.read_cells(data_folder() / one.folder)
        best = max(held_out(cells, one.name).values())
        table = calibrated_indicator(one.name).evidence["held_out"]["correlation"]["median"]
        sys.stdout.write(f"{one.name}: any function {best:.3f}, the indicator {table:.3f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])

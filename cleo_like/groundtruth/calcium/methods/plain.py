"""Methods without a model: the trace itself, its differences, thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.groundtruth.calcium.methods.signal import onsets, peaks, spread, without_baseline
from cleo_like.responses.calcium import noise_std

if TYPE_CHECKING:
    from cleo_like.groundtruth.calcium.known import Known

Answer = dict[str, np.ndarray]
SMOOTHING = 0.1
"""Seconds (SD of a Gaussian) by which traces are smoothed first."""
_TIMES = 3.0
"""SDs of the noise above which something is an event."""


def dff(dff: np.ndarray, rate: float, known: Known) -> Answer:  # noqa: ARG001
    """Give the smoothed trace itself: what deconvolution has to beat.

    Parameters
    ----------
    dff : array, shape (n_cells, n_frames)
        Traces.
    rate : float
        Hz.
    known : Known
        Not used.
    """
    smooth = _smooth(without_baseline(dff, rate), rate)
    found = np.where(np.isfinite(dff), smooth, np.nan)
    centre = np.nanmedian(found, axis=1, keepdims=True)
    return {
        "trace": found, "events": onsets(found - centre, _TIMES * spread(found)),
        "noise": noise_std(dff),
    }  # fmt: skip


def difference(dff: np.ndarray, rate: float, known: Known) -> Answer:  # noqa: ARG001
    """Give by how much each frame is above the one before, 0 where it is below; see `dff`."""
    steps = _steps(np.where(np.isfinite(dff), dff, 0.0))
    found = np.where(np.isfinite(dff), np.maximum(steps, 0.0), np.nan)
    noise = noise_std(dff)
    level = _TIMES * np.sqrt(2) * np.where(noise > 0, noise, 1e-12)[:, None]
    return {"trace": found, "events": peaks(found, level), "noise": noise}


def threshold(dff: np.ndarray, rate: float, known: Known) -> Answer:
    """Take rises of the smoothed trace that are beyond three SDs of all; see `dff`.

    An event is as large as the rise in single spikes.
    """
    steps = _steps(_smooth(np.where(np.isfinite(dff), dff, 0.0), rate))
    events = peaks(steps, _TIMES * spread(steps))
    above = steps > _TIMES * spread(steps)
    risen = np.where(above, steps, 0.0) / known.peak * rate
    return {"rate": np.where(np.isfinite(dff), risen, np.nan), "events": events}


def _steps(y: np.ndarray) -> np.ndarray:
    return np.diff(y, axis=1, prepend=y[:, :1])


def _smooth(y: np.ndarray, rate: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(y, SMOOTHING * rate, axis=1))

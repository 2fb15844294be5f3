"""`ar1_events`: sparse non-negative deconvolution of a first-order decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.responses.calcium.decay import decay_times
from cleo_like.responses.calcium.events import CalciumEvents, measurable, without_lost_frames
from cleo_like.responses.calcium.inputs import as_traces, per_cell, positive
from cleo_like.responses.calcium.noise import noise_std
from cleo_like.responses.calcium.pools import nonnegative_calcium

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity

_HALVINGS = 14  # of the range of the trace: the penalty is found to 1e-4 of it


def ar1_events(
    traces: np.ndarray,
    frame_rate: Any,
    *,
    tau: Quantity | np.ndarray | None = None,
    noise_stds: np.ndarray | None = None,
) -> CalciumEvents:
    """Find the smallest events, none negative, that explain each trace within its noise.

    Parameters
    ----------
    traces : array, shape (n_cells, n_frames) or (n_frames,), or Traces
        dF/F with any baseline; NaN is no sample.
    frame_rate : float or quantity
        Hz.
    tau : float, quantity or array, optional
        Time constant of the decay (s), one or one per cell; measured by `decay_time` when not
        given (for silent cells the median of the others, with a note).
    noise_stds : array, optional
        SD of the noise of each cell; that of `noise_std` when not given.

    Returns
    -------
    CalciumEvents
        ``baseline`` is fitted, ``lambdas`` is the penalty on the sum of events at which what
        is left over has the SD of the noise.

    Raises
    ------
    InputError
        A wrong shape, or a value that is not positive.

    Notes
    -----
    Minimises the sum of events where the squared error is that of the noise (Friedrich,
    Zhou & Paninski 2017, doi:10.1371/journal.pcbi.1005423). The penalty lowers the trace by
    lambda (1 - g), as a baseline does: so one level is searched, and the baseline is the mean
    of what the calcium leaves over.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> trace = np.r_[np.zeros(50), 2 * np.exp(-np.arange(100) / 10)] + 0.5
    >>> found = ar1_events(trace + 0.02 * rng.normal(size=150), 10.0, tau=1.0)
    >>> int(found.events[0].argmax()), found.baseline.round(1)
    (50, array([0.5]))
    """
    y = as_traces(traces)
    rate = positive(frame_rate, "Hz", "frame_rate")
    n = len(y)
    noise = noise_std(y) if noise_stds is None else per_cell(noise_stds, n, "1", "noise_stds")
    seconds, assumed = decay_times(y, rate, tau)
    g = np.exp(-1 / (seconds * rate))
    good, notes = measurable(y, noise, seconds)
    calcium, events = np.full(y.shape, np.nan), np.full(y.shape, np.nan)
    base, penalty = np.full(n, np.nan), np.full(n, np.nan)
    for k in np.flatnonzero(good):
        calcium[k], level = _within_noise(y[k], float(g[k]), float(noise[k]))
        base[k] = np.nanmean(y[k] - calcium[k])
        penalty[k] = (level - base[k]) / (1 - g[k])
        events[k, 0] = 0.0
        events[k, 1:] = np.maximum(calcium[k, 1:] - g[k] * calcium[k, :-1], 0.0)
    events, lost = without_lost_frames(events, y, good)
    return CalciumEvents(
        events=events, calcium=calcium, baseline=base, tau=seconds, noise_stds=noise,
        lambdas=penalty, frame_rate=rate, method="ar1", notes=assumed + notes + lost,
    )  # fmt: skip


def _within_noise(y: np.ndarray, g: float, sd: float) -> tuple[np.ndarray, float]:
    """Raise the level that is taken off until what is left over is as large as the noise."""
    low, high = float(np.nanmin(y)), float(np.nanmax(y))
    decay = np.array([g])
    calcium, level = np.zeros_like(y), high
    for _ in range(_HALVINGS):
        level = (low + high) / 2
        calcium = nonnegative_calcium((y - level)[None], decay)[0]
        low, high = (level, high) if np.nanstd(y - calcium) < sd else (low, level)
    return calcium, level

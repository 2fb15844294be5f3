"""Averages of fluorescence around isolated events of few spikes, at the frames' own rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GRID = np.arange(-0.1, 1.5, 0.008)
"""Times around an event (s)."""
BEFORE = 2.5
"""Silence before an event (s)."""
AFTER = 1.6
"""Silence after its first spike, but for its own (s)."""
BASELINE = 0.25
"""Time before an event whose mean is taken off (s)."""
FEWEST = 3
"""Events that make an average."""
SMOOTHING = 4
"""Points of `GRID` that landmarks are smoothed over."""
FITTED = GRID < 0.8
"""Part of the average that a fit explains: peak and early decay."""


@attrs.frozen(eq=False, kw_only=True)
class Recording:
    """Fluorescence and spikes on one clock (s)."""

    t: np.ndarray
    y: np.ndarray
    spikes: np.ndarray

    @property
    def frame(self) -> float:
        """Time between frames (s)."""
        return float(np.median(np.diff(self.t)))

    def averaged(self, n: int) -> Recording:
        """Average n frames into one."""
        size = self.t.size // n * n
        t, y = (x[:size].reshape(-1, n).mean(axis=1) for x in (self.t, self.y))
        return Recording(t=t, y=y, spikes=self.spikes)


@attrs.frozen(eq=False, kw_only=True)
class FewEvents:
    """The average of n events at `GRID`, and the mean lag of each spike after the first (s)."""

    n: int
    average: np.ndarray
    lags: np.ndarray

    @property
    def peak(self) -> float:
        """Peak of the average as frames of 32 ms see it."""
        return peak_and_half_decay(smoothed(self.average))[0]


def isolated(recording: Recording, count: int, within: float = 0.1) -> np.ndarray:
    """Find events of `count` spikes within a time, with silence before and after.

    Returns
    -------
    array (n_events, count)
        Times of their spikes (s).
    """
    s = recording.spikes
    if s.size == 0:
        return np.empty((0, count))
    first = np.flatnonzero(np.diff(s, prepend=-np.inf) > BEFORE)
    inside = np.searchsorted(s, s[first] + within, side="right") - first
    following = np.append(s, np.inf)[first + inside]
    first = first[(inside == count) & (following - s[first] > AFTER)]
    room = (s[first] - 0.3 > recording.t[0]) & (s[first] + AFTER < recording.t[-1])
    return s[first[room][:, None] + np.arange(count)]


def around(recording: Recording, events: np.ndarray) -> np.ndarray:
    """Give fluorescence around each event, less its mean before; (n_events, n_grid)."""
    found = np.interp(events[:, None] + GRID, recording.t, recording.y)
    first = np.searchsorted(recording.t, events - BASELINE)
    last = np.searchsorted(recording.t, events - 0.5 * recording.frame)
    sums = np.concatenate([[0.0], np.cumsum(recording.y)])
    return np.asarray(found - ((sums[last] - sums[first]) / (last - first))[:, None])


def average_of(
    recordings: Sequence[Recording],
    count: int,
    predict: Callable[[Recording], np.ndarray] | None = None,
) -> FewEvents | None:
    """Average all isolated events of a cell (None: fewer than three).

    With `predict`, which gives a trace at the frames of a recording, the prediction is
    averaged around the same events.
    """
    within = 0.1 if count <= 5 else 0.3
    found, lags = [], []
    for recording in recordings:
        spikes = isolated(recording, count, within)
        events = spikes[:, 0]
        if events.size == 0:
            continue
        lags.append(spikes - events[:, None])
        if predict is not None:
            recording = attrs.evolve(recording, y=predict(recording))  # noqa: PLW2901
        found.append(around(recording, events))
    events = np.concatenate(found) if found else np.empty((0, GRID.size))
    if len(events) < FEWEST:
        return None
    return FewEvents(
        n=len(events), average=events.mean(axis=0), lags=np.concatenate(lags).mean(axis=0)
    )


def smoothed(average: np.ndarray) -> np.ndarray:
    """Average over 32 ms, so that all frame rates are alike and noise is less of a peak."""
    return np.convolve(average, np.ones(SMOOTHING) / SMOOTHING, "same")


def peak_and_half_decay(average: np.ndarray) -> tuple[float, float]:
    """Give the peak in the first 0.5 s and the time from it to its half (NaN: not reached)."""
    window = (GRID > 0) & (GRID < 0.5)
    top = int(np.argmax(np.where(window, average, -np.inf)))
    below = np.flatnonzero(average[top:] < average[top] / 2)
    decay = GRID[top + below[0]] - GRID[top] if below.size else np.nan
    return float(average[top]), float(decay)

"""Paired recordings: fluorescence and spikes of the same cell, read for fitting.

The folder holds one ``.npz`` per cell with ``n_recs`` and, for each recording i, ``t_i`` (s),
``dff_i`` and ``spikes_i`` (s).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scipy.sparse import csr_array

DRIFT_PERIOD = 60.0
"""Changes of baseline slower than this (s) are not the model's to explain."""
GAP = 100.0
"""Silence put between the recordings of a cell (s)."""


GRID = np.arange(-0.1, 1.5, 0.008)
"""Times around an event (s)."""
EVENT_WEIGHT = 6.0
"""Weight of one kind of event in a cell's error, relative to the whole trace's."""
CLEAR = 5.0
"""Peak of an average that counts, in standard errors of a frame."""
EVENT_SPIKES = (1, 2, 3)
"""Kinds of events in the fit, by their number of spikes."""


@attrs.define(eq=False)
class PairedCell:
    """All recordings of one cell on one time axis, with baseline and drift to project out.

    What a fit explains is the trace without its drift, and the averages around isolated
    events of few spikes, which are few samples but the ones that an experimenter looks at.
    """

    name: str
    t: np.ndarray
    y: np.ndarray
    spikes: np.ndarray
    parts: list[slice]
    frame: float
    _basis: list[np.ndarray] = attrs.field(init=False)
    _averages: dict[int, tuple[float, csr_array | None]] = attrs.field(init=False)
    target: np.ndarray = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._basis, self._averages = [], {}
        for part in self.parts:
            t = self.t[part]
            terms = 1 + int(2 * (t[-1] - t[0]) / DRIFT_PERIOD)
            phase = np.pi * (np.arange(t.size) + 0.5) / t.size
            self._basis.append(np.linalg.qr(np.cos(np.outer(phase, np.arange(terms))))[0])
        size = float(np.linalg.norm(self._without_drift(self.y)))
        self._averages[0] = (1 / size, None)
        for count in EVENT_SPIKES:
            events = isolated_events(self, count)
            if events.size < 3:
                continue
            operator = averaging(self, events)
            peak = peak_and_half_decay(operator @ self.y)[0]
            if peak > CLEAR * self.noise / np.sqrt(events.size):
                share = EVENT_WEIGHT * events.size / (events.size + 10) / GRID.size
                self._averages[count] = (np.sqrt(share) / peak, operator)
        self.target = self.views(self.y)

    def views(self, trace: np.ndarray, single: np.ndarray | None = None) -> np.ndarray:
        """Give what counts of a trace: itself without drift, and event averages, scaled.

        `single` is the response to one spike from rest (at `GRID`), to be compared with the
        average of single-spike events; None takes the average of the trace itself.
        """
        parts = []
        for count, (scale, operator) in self._averages.items():
            if operator is None:
                part = self._without_drift(trace)
            else:
                part = operator @ trace if count != 1 or single is None else single
            parts.append(scale * part)
        return np.concatenate(parts)

    def _without_drift(self, trace: np.ndarray) -> np.ndarray:
        x = trace.copy()
        for part, basis in zip(self.parts, self._basis, strict=True):
            x[part] -= basis @ (basis.T @ x[part])
        return x

    def residual(
        self, trace: np.ndarray, single: np.ndarray | None = None
    ) -> tuple[np.ndarray, float]:
        """Give the scaled residual, and the gain on the trace that makes it smallest."""
        x = self.views(trace, single)
        gain = max(float(x @ self.target) / max(float(x @ x), 1e-30), 0.0)
        return self.target - gain * x, gain

    def single_spike_gain(self, single: np.ndarray) -> float:
        """Give the gain that fits the average of single-spike events (NaN: too few).

        So the gain is right for one spike rather than for the largest bursts.
        """
        if 1 not in self._averages:
            return np.nan
        scale, operator = self._averages[1]
        average = scale * (operator @ self.y)
        gain = float(single @ average / (scale * (single @ single)))
        return gain if gain > 0 else np.nan

    @property
    def noise(self) -> float:
        """Standard deviation of the frame-to-frame noise."""
        steps = np.concatenate([np.diff(self.y[part]) for part in self.parts])
        return float(np.median(np.abs(steps)) / (0.6745 * np.sqrt(2)))


def read_cells(
    folder: Path, *, rate: float, seconds: float, lag: float = 0.0
) -> list[PairedCell]:
    """Read the cells of one data set, averaged to about `rate` frames/s."""
    return [_read_cell(path, rate, seconds, lag) for path in sorted(folder.glob("*.npz"))]


def _read_cell(path: Path, rate: float, seconds: float, lag: float) -> PairedCell:
    times, traces, spikes, parts = [], [], [], []
    used, offset, start, frame = 0.0, 0.0, 0, 0.0
    with np.load(path) as stored:
        for i in range(int(stored["n_recs"])):
            t, y = _average(stored[f"t_{i}"], stored[f"dff_{i}"], rate)
            keep = t - t[0] <= seconds - used
            t, y = t[keep], y[keep]
            if t.size < 20:
                continue
            frame = float(np.median(np.diff(t)))
            s = np.sort(np.asarray(stored[f"spikes_{i}"], dtype=float).ravel()) + lag
            s = s[(s > t[0] - 20) & (s <= t[-1])]
            origin = min(t[0], s[0]) if s.size else t[0]
            times.append(t - origin + offset)
            spikes.append(s - origin + offset)
            traces.append(y)
            parts.append(slice(start, start + t.size))
            start += t.size
            used += t[-1] - t[0]
            offset += t[-1] - origin + GAP
    return PairedCell(
        name=path.stem, t=np.concatenate(times), y=np.concatenate(traces),
        spikes=np.concatenate(spikes), parts=parts, frame=frame,
    )  # fmt: skip


def _average(t: np.ndarray, y: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    good = np.isfinite(t) & np.isfinite(y)
    t, y = t[good].astype(float), y[good].astype(float)
    n = max(1, round(1 / (rate * float(np.median(np.diff(t))))))
    m = t.size // n * n
    return t[:m].reshape(-1, n).mean(axis=1), y[:m].reshape(-1, n).mean(axis=1)


def correlation(cell: PairedCell, trace: np.ndarray, rate: float = 15.0) -> float:
    """Correlate data and prediction, both averaged to about `rate`; nothing is detrended."""
    n = max(1, round(1 / (rate * cell.frame)))
    pairs = []
    for part in cell.parts:
        m = (part.stop - part.start) // n * n
        both = np.stack([cell.y[part][:m], trace[part][:m]])
        pairs.append(both.reshape(2, -1, n).mean(axis=2))
    return float(np.corrcoef(np.concatenate(pairs, axis=1))[0, 1])


def isolated_events(
    cell: PairedCell,
    count: int,
    *,
    within: float = 0.1,
    before: float = 2.5,
    after: float = 1.6,
) -> np.ndarray:
    """Find events of `count` spikes within a time, with silence before and after (s)."""
    s = cell.spikes
    if s.size == 0:
        return s
    gap_before = np.diff(s, prepend=-np.inf)
    first = np.flatnonzero(gap_before > before)
    n_inside = np.searchsorted(s, s[first] + within, side="right") - first
    following = np.append(s, np.inf)[first + n_inside]
    first = first[(n_inside == count) & (following - s[first] > after)]
    starts = np.array([cell.t[p.start] for p in cell.parts])
    stops = np.array([cell.t[p.stop - 1] for p in cell.parts])
    part = np.clip(np.searchsorted(starts, s[first]) - 1, 0, None)
    inside = (s[first] - 0.3 > starts[part]) & (s[first] + after < stops[part])
    return s[first[inside]]


def averaging(cell: PairedCell, events: np.ndarray) -> csr_array:
    """Make the matrix that averages a trace around events, less its mean 0.25 s before."""
    from scipy.sparse import csr_array

    rows = np.arange(GRID.size)
    total = csr_array((GRID.size, cell.t.size))
    for event in events:
        right = np.searchsorted(cell.t, event + GRID)  # linear interpolation
        share = (event + GRID - cell.t[right - 1]) / (cell.t[right] - cell.t[right - 1])
        first, last = np.searchsorted(cell.t, [event - 0.25, event - 0.5 * cell.frame])
        before = np.arange(first, last)
        columns = np.concatenate([right - 1, right, np.tile(before, GRID.size)])
        values = [1 - share, share, np.full(before.size * GRID.size, -1 / before.size)]
        where = np.concatenate([rows, rows, np.repeat(rows, before.size)])
        total = total + csr_array(
            (np.concatenate(values), (where, columns)), shape=(GRID.size, cell.t.size)
        )
    return total / events.size


def event_average(cell: PairedCell, trace: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Average a trace around events, less its mean over the 0.25 s before each."""
    return np.asarray(averaging(cell, events) @ trace)


def peak_and_half_decay(average: np.ndarray) -> tuple[float, float]:
    """Give the peak in the first 0.5 s and the time from it to its half (NaN: not reached)."""
    window = (GRID > 0) & (GRID < 0.5)
    top = int(np.argmax(np.where(window, average, -np.inf)))
    below = np.flatnonzero(average[top:] < average[top] / 2)
    decay = GRID[top + below[0]] - GRID[top] if below.size else np.nan
    return float(average[top]), float(decay)


def per_cell(cells: list[PairedCell], function: Callable[[PairedCell], float]) -> np.ndarray:
    """Apply a function to every cell."""
    return np.array([function(cell) for cell in cells])

"""Paired recordings: fluorescence and spikes of the same cell, read for fitting.

The folder holds one ``.npz`` per cell with ``n_recs`` and, for each recording i, ``t_i`` (s),
``dff_i`` and ``spikes_i`` (s). Everything that is recorded is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
from isolated_events import FITTED, FewEvents, Recording, average_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from typing_extensions import TypeIs

RATE = 15.0
"""Traces are compared at about this rate (1/s)."""
DRIFT_PERIOD = 60.0
"""Changes of baseline slower than this (s) are not the model's to explain."""
BEFORE = 50.0
"""Spikes before the first frame that still count (s)."""
EVENT_WEIGHTS = {1: 6.0, 2: 2.0, 3: 2.0}
"""Weight of the average of events of so many spikes, relative to the whole trace's error."""
LARGEST = 99.9
"""Percentile of a cell's dF/F that says how large its largest events are."""
LARGEST_WEIGHT = 0.3
"""Weight of the error of the logarithm of that size."""
FEWEST_SPIKES = 10
"""Spikes of a cell that is used at all."""
CLEAR = 3.0
"""Peak of an average that counts, in standard errors of a frame."""
SMALLEST_GAIN = 1e-4
"""Gains are not taken to be smaller, so that their logarithms exist."""
_MODES_KEPT = 18


class Trace:
    """One recording as a fit sees it: data at 15 Hz, the model on frames of 30 Hz or more."""

    def __init__(self, recording: Recording, frames: int, per_sample: int) -> None:
        small = recording.averaged(frames)
        size = small.t.size // per_sample * per_sample
        t = small.t[:size]
        self.per_sample = per_sample
        self.y = small.y[:size].reshape(-1, per_sample).mean(axis=1)
        self.times = t.reshape(-1, per_sample).mean(axis=1)
        self.step = float((t[-1] - t[0]) / (size - 1))
        spikes = small.spikes[(small.spikes > t[0] - BEFORE) & (small.spikes <= t[-1])]
        even = t[0] + self.step * np.arange(size)
        self._bins = np.minimum(np.searchsorted(even, spikes), size - 1)
        self._lags = np.maximum(even[self._bins] - spikes, 0.0)
        self._size = size
        self._modes: dict[float, np.ndarray] = {}
        terms = 1 + int(2 * (t[-1] - t[0]) / DRIFT_PERIOD)
        phase = np.pi * (np.arange(self.y.size) + 0.5) / self.y.size
        self._drift = np.linalg.qr(np.cos(np.outer(phase, np.arange(terms))))[0]
        self.target = self.without_drift(self.y)

    def exponential_sum(self, rates: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Give the sum over past spikes of a kernel of exponentials, at the fine frames."""
        return np.sum(
            [w * self._mode(float(k)) for k, w in zip(rates, weights, strict=True)], axis=0
        )

    def _mode(self, rate: float) -> np.ndarray:
        """Give one exponential; the last ones are kept, as a fit changes one at a time."""
        from scipy.signal import lfilter

        if rate in self._modes:
            self._modes[rate] = self._modes.pop(rate)
            return self._modes[rate]
        pulses = np.bincount(self._bins, np.exp(-rate * self._lags), minlength=self._size)
        found = np.asarray(lfilter([1.0], [1.0, -np.exp(-rate * self.step)], pulses))
        self._modes[rate] = found
        if len(self._modes) > _MODES_KEPT:
            del self._modes[next(iter(self._modes))]
        return found

    def silent(self, recording: Recording, gap: float) -> np.ndarray:
        """Say which samples have had no spike for so long (s), nor since the first frame."""
        s = np.concatenate([[-np.inf], recording.spikes, [np.inf]])
        following = np.searchsorted(s, self.times, side="right")
        quiet = self.times - np.maximum(s[following - 1], self.times[0]) > gap
        return np.asarray(quiet & (s[following] - self.times > 0.1))

    def sampled(self, fine: np.ndarray) -> np.ndarray:
        """Average the model's frames to the rate of the data."""
        return np.asarray(fine.reshape(-1, self.per_sample).mean(axis=1))

    def without_drift(self, samples: np.ndarray) -> np.ndarray:
        """Remove the mean and what changes slower than a minute."""
        return np.asarray(samples - self._drift @ (self._drift.T @ samples))


@attrs.define(eq=False)
class PairedCell:
    """All recordings of one cell, and the averages of its isolated events.

    What a fit explains, with one gain for the cell, is each recording without its drift, the
    averages of one, two and three spikes (few samples, but those that an experimenter looks
    at), and the size of the largest events (which a correlation cannot see).
    """

    name: str
    folder: str
    recordings: list[Recording]
    traces: list[Trace]
    events: dict[int, FewEvents]
    """Averages of the events of so many spikes, where there are enough."""
    noise: float
    """Standard deviation of the noise of a frame that lasts 1 s (white in time)."""

    def is_clear(self, events: FewEvents | None) -> TypeIs[FewEvents]:
        """Whether there is an average, and its peak stands out of its noise."""
        if events is None:
            return False
        return events.peak > CLEAR * self.noise_of_frame / np.sqrt(events.n)

    @property
    def noise_of_frame(self) -> float:
        """Standard deviation of the noise of a recorded frame."""
        return float(self.noise / np.sqrt(self.recordings[0].frame))

    @property
    def spikes(self) -> int:
        """Number of spikes."""
        return sum(r.spikes.size for r in self.recordings)

    @property
    def single(self) -> FewEvents | None:
        """The average of isolated spikes."""
        return self.events.get(1)

    @property
    def largest(self) -> float:
        """Size of the largest events at 15 Hz."""
        return largest([t.y for t in self.traces])

    def residual(
        self, samples: Sequence[np.ndarray], averages: Mapping[int, np.ndarray]
    ) -> tuple[np.ndarray, float]:
        """Give the scaled residual of a model with gain 1, and the cell's gain.

        Parameters
        ----------
        samples : sequence of array
            The model at 15 Hz, for each recording.
        averages : mapping of int to array
            Its averages of the cell's events, at `isolated_events.GRID`.
        """
        size = np.sqrt(sum(float(t.target @ t.target) for t in self.traces))
        pairs = [
            (t.target / size, t.without_drift(m) / size)
            for t, m in zip(self.traces, samples, strict=True)
        ]
        for count, one in self.events.items():
            if self.is_clear(one):
                points = np.flatnonzero(FITTED)
                scale = np.sqrt(EVENT_WEIGHTS[count] * trust(one.n) / points.size) / one.peak
                pairs.append((scale * one.average[points], scale * averages[count][points]))
        data, model = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        gain = max(_gain(data @ model, model @ model), SMALLEST_GAIN)
        ratio = gain * max(largest(samples), SMALLEST_GAIN) / self.largest
        top = np.sqrt(LARGEST_WEIGHT) * np.log(ratio)
        return np.append(data - gain * model, top), gain


def trust(events: int) -> float:
    """Weight of an average of so many events: of many, cells differ more than averages err."""
    return events / (events + 10)


def _gain(across: float, power: float) -> float:
    return float(max(across, 0.0) / max(power, 1e-30))


def largest(parts: Sequence[np.ndarray]) -> float:
    """Size of the largest events of a cell: a high percentile of its recordings."""
    return float(np.percentile(np.concatenate(parts), LARGEST))


def read_cells(*folders: Path, ceiling: float = np.inf, lag: float = 0.0) -> list[PairedCell]:
    """Read the cells of data sets, without those that fail the screen.

    Parameters
    ----------
    *folders : Path
        One for each set; the name of a cell's set is that of its folder.
    ceiling : float
        Largest dF/F that the indicator can have. A cell whose largest events are larger has
        an F0 near 0 (a baseline that neuropil was taken from, say): its dF/F says little.
    lag : float
        Added to the times of spikes (s).
    """
    paths = [path for folder in folders for path in sorted(folder.glob("*.npz"))]
    cells = [_read_cell(path, lag) for path in paths]
    return [c for c in cells if c.spikes >= FEWEST_SPIKES and c.largest <= ceiling]


def _read_cell(path: Path, lag: float) -> PairedCell:
    recordings = []
    with np.load(path) as stored:
        for i in range(int(stored["n_recs"])):
            t, y = stored[f"t_{i}"].astype(float), stored[f"dff_{i}"].astype(float)
            good = np.isfinite(t) & np.isfinite(y)
            good[good] &= np.diff(t[good], prepend=-np.inf) > 0  # some frames are there twice
            spikes = np.sort(stored[f"spikes_{i}"].astype(float).ravel()) + lag
            if good.sum() >= 40:
                recordings.append(Recording(t=t[good], y=y[good], spikes=spikes))
    frame = float(np.median([r.frame for r in recordings]))
    frames = max(1, round(1 / (2 * RATE * frame)))
    per_sample = max(1, round(1 / (RATE * frame * frames)))
    steps = np.concatenate([np.diff(r.y) for r in recordings])
    noise = float(np.median(np.abs(steps)) / (0.6745 * np.sqrt(2)))
    return PairedCell(
        name=path.stem,
        recordings=recordings,
        traces=[Trace(r, frames, per_sample) for r in recordings],
        folder=path.parent.name,
        events={n: one for n in EVENT_WEIGHTS if (one := average_of(recordings, n))},
        noise=noise * np.sqrt(frame),
    )


def correlations(cell: PairedCell, samples: Sequence[np.ndarray]) -> dict[str, float]:
    """Correlate data and prediction at 15 Hz, in three ways.

    ``whole``: all recordings of the cell in a row, nothing removed: one gain and one offset
    for the cell. ``recording``: median over its recordings, each alone. ``steady``: in a
    row, without drifts slower than a minute.
    """
    pairs = list(zip(cell.traces, samples, strict=True))
    alone = [_correlate(t.y, m) for t, m in pairs if np.ptp(m) > 0]
    data = np.concatenate([t.y for t in cell.traces])
    return {
        "whole": _correlate(data, np.concatenate(samples)),
        "recording": float(np.median(alone)) if alone else np.nan,
        "steady": _correlate(
            np.concatenate([t.target for t in cell.traces]),
            np.concatenate([t.without_drift(m) for t, m in pairs]),
        ),
    }


def _correlate(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1])

"""Points of spikes on finer samples, between which they are interpolated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

_ABOUT = 0.4e-3  # s on either side of where the peak is expected
_EARLIER = 0.3e-3  # s before the threshold's sample from which the steepest rise is looked for
_OWN = 0.25  # of a spike's own upstroke: its threshold is not above that
GROUPS: Mapping[str, tuple[str, ...]] = {
    "upstroke": ("upstroke", "upstroke_t"), "downstroke": ("downstroke", "downstroke_t"),
    "peak_v": ("peak_v", "peak_t"), "threshold_v": ("threshold_v", "threshold_t"),
    "width": ("width",),
}  # fmt: skip
"""Values that are found together, by the one that names them."""
NEEDS: Mapping[str, str] = {
    "upstroke": "d", "downstroke": "d", "peak_v": "v", "threshold_v": "vd", "width": "v",
}  # fmt: skip
"""Potential (v) or slope (d) that a group needs."""


@attrs.frozen(kw_only=True, eq=False)
class Hints:
    """What is known of spikes already; times (s) from the peak's sample on.

    Parameters
    ----------
    threshold, peak, fall, following : array, shape (n,)
        Threshold, peak, a time after the steepest fall, and the end of the spike.
    trough : array, shape (n,)
        Potential (mV) of the fast trough, above the level of the window.
    target : array, shape (n,)
        Slope (V/s) of the threshold.
    level : array, shape (n,)
        Potential (mV) of the threshold, above that of the window, for the width.
    """

    threshold: np.ndarray
    peak: np.ndarray
    fall: np.ndarray
    following: np.ndarray
    trough: np.ndarray
    target: np.ndarray
    level: np.ndarray

    def take(self, rows: np.ndarray | slice) -> Hints:
        """Give those of some spikes."""
        return Hints(**{k: x[rows] for k, x in attrs.asdict(self).items()})

    def later(self, by: float | np.ndarray) -> Hints:
        """Move peak and threshold, as a filter's delay (s) does."""
        return attrs.evolve(self, peak=self.peak + by, threshold=self.threshold + by)

    def having(self, **values: float | np.ndarray) -> Hints:
        """Set some of them, alike for all spikes where one value is given."""
        n = self.peak.size
        return attrs.evolve(
            self, **{k: np.broadcast_to(np.asarray(x, float), n) for k, x in values.items()}
        )


@attrs.frozen(kw_only=True, eq=False)
class Course:
    """Potential (mV) and slope (V/s) of spikes on finer samples, shape (n, n_fine).

    What was not asked for has no samples.
    """

    v: np.ndarray
    d: np.ndarray
    t: np.ndarray

    @property
    def step(self) -> float:
        """Time (s) between samples."""
        return float(self.t[1] - self.t[0])

    def sample(self, time: np.ndarray) -> np.ndarray:
        """Give the sample nearest to each time (s), inside the window."""
        k = np.rint((time - self.t[0]) / self.step).astype(int)
        return np.minimum(np.maximum(k, 1), self.t.size - 2)


def points(group: str, course: Course, hints: Hints) -> dict[str, np.ndarray]:
    """Find the values of a group.

    Parameters
    ----------
    group : str
        One of `GROUPS`.
    course : Course
        With what the group `NEEDS`.
    hints : Hints
        Where to look.

    Returns
    -------
    dict of str to array, shape (n,)
        The values of `GROUPS`; NaN where a point is not in the window.
    """
    found = _FIND[group](course, hints)
    return dict(zip(GROUPS[group], found, strict=True))


def _peaks(course: Course, hints: Hints) -> tuple[np.ndarray, np.ndarray]:
    at, value = _vertex(course.v, _highest(course.v, *_about_peak(course, hints)))
    return value, course.t[0] + course.step * at


def _about_peak(course: Course, hints: Hints) -> tuple[np.ndarray, np.ndarray]:
    return course.sample(hints.peak - _ABOUT), course.sample(hints.peak + _ABOUT)


def _rises(course: Course, hints: Hints) -> tuple[np.ndarray, np.ndarray]:
    at, value = _vertex(course.d, _steepest_rise(course, hints))
    return value, course.t[0] + course.step * at


def _steepest_rise(course: Course, hints: Hints) -> np.ndarray:
    peak = course.sample(hints.peak)
    return _highest(
        course.d, np.minimum(course.sample(hints.threshold - _EARLIER), peak - 2), peak
    )


def _falls(course: Course, hints: Hints) -> tuple[np.ndarray, np.ndarray]:
    first = course.sample(hints.peak)
    last = np.maximum(course.sample(np.minimum(hints.fall, hints.following)), first + 2)
    at, value = _vertex(
        course.d, _highest(-course.d, first, np.minimum(last, course.t.size - 2))
    )
    return value, course.t[0] + course.step * at


def _thresholds(course: Course, hints: Hints) -> tuple[np.ndarray, np.ndarray]:
    rows, steepest = np.arange(len(course.d)), _steepest_rise(course, hints)
    level = np.minimum(hints.target, _OWN * course.d[rows, steepest])
    begin = _last_below(course.d, level, steepest)
    k = np.clip(begin.astype(int), 0, course.t.size - 2)
    v = course.v
    at = v[rows, k] + (begin - k) * (v[rows, k + 1] - v[rows, k])
    there = begin >= 0
    time = course.t[0] + course.step * begin
    return np.where(there, at, np.nan), np.where(there, time, np.nan)


def _widths(course: Course, hints: Hints) -> tuple[np.ndarray]:
    """Time at half height above the trough, or above a threshold that is higher."""
    v = course.v
    peak = _highest(v, *_about_peak(course, hints))
    _, top = _vertex(v, peak)
    level = (hints.trough + top) / 2
    level = np.where(level < hints.level, (hints.level + top) / 2, level)
    left = _last_below(v, level, peak)
    first = int(peak.min())
    after = (v[:, first:] <= level[:, None]) & (np.arange(first, v.shape[1]) > peak[:, None])
    k = np.maximum(first + after.argmax(axis=1) - 1, 0)
    both = (left >= 0) & after.any(axis=1)
    return (np.where(both, course.step * (_crossing(v, k, level) - left), np.nan),)


_FIND = {
    "upstroke": _rises, "downstroke": _falls, "peak_v": _peaks, "threshold_v": _thresholds,
    "width": _widths,
}  # fmt: skip


def _highest(y: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Give the highest sample of each row between two samples, both included."""
    low, high = int(first.min()), int(last.max()) + 1
    sample = np.arange(low, high)
    inside = (sample >= first[:, None]) & (sample <= last[:, None])
    return low + np.where(inside, y[:, low:high], -np.inf).argmax(axis=1)


def _vertex(y: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place (samples) and value of the vertex of the parabola about an extreme."""
    k = np.minimum(np.maximum(k, 1), y.shape[1] - 2)
    rows = np.arange(len(y))
    left, top, right = y[rows, k - 1], y[rows, k], y[rows, k + 1]
    bend = left - 2 * top + right
    off = 0.5 * (left - right) / np.where(bend == 0, np.inf, bend)
    off = np.where(np.abs(off) <= 1, off, 0.0)  # no extreme: the edge of what was looked at
    return k + off, top - 0.25 * (left - right) * off


def _crossing(y: np.ndarray, k: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Place between samples k and k + 1 at which the level is crossed."""
    rows = np.arange(len(y))
    a, b = y[rows, k], y[rows, k + 1]
    part = (level - a) / np.where(b == a, np.inf, b - a)
    return k + np.minimum(np.maximum(part, 0), 1)


def _last_below(y: np.ndarray, level: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Place, going back from a sample, at which the level is first reached; -1 if nowhere."""
    high = int(before.max()) + 1
    below = (y[:, :high] <= level[:, None]) & (np.arange(high) < before[:, None])
    k = np.minimum(high - 1 - below[:, ::-1].argmax(axis=1), y.shape[1] - 2)
    found = below.any(axis=1)
    return np.where(found, _crossing(y, np.where(found, k, 0), level), -1.0)

"""Windows about events: time axes, nearest frames, offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROUNDING = 1e-6  # of a step: less is the rounding of a decimal number


def get_time_array(
    t_start: float,
    t_end: float,
    sampling_rate: float | None = None,
    step_size: float | None = None,
    include_endpoint: bool = True,  # noqa: FBT001, FBT002 - the field's signature
) -> np.ndarray:
    """Make a time axis from `t_start` in whole steps.

    Parameters
    ----------
    t_start, t_end : float
        First time, and the end (s).
    sampling_rate : float, optional
        Hz; this or `step_size`.
    step_size : float, optional
        Seconds.
    include_endpoint : bool
        Whether `t_end` belongs to the axis, where it lies on a step; where it does not, the
        last step before it is the last either way.

    Returns
    -------
    array
        Times (s); 0 is exactly 0 where it lies on a step.

    Raises
    ------
    InputError
        Not exactly one of rate and step, one that is not positive, or an end before the start.

    Examples
    --------
    >>> get_time_array(-0.3, 0.6, sampling_rate=10)
    array([-0.3, -0.2, -0.1,  0. ,  0.1,  0.2,  0.3,  0.4,  0.5,  0.6])
    >>> get_time_array(0, 1, step_size=0.5, include_endpoint=False)
    array([0. , 0.5])
    """
    rate = _rate(sampling_rate, step_size)
    if not (np.isfinite([t_start, t_end]).all() and t_end >= t_start):
        msg = f"expected finite times with t_start <= t_end, got {t_start} and {t_end}"
        raise InputError(msg)
    steps = (t_end - t_start) * rate
    n = int(np.floor(steps + _ROUNDING)) + 1
    if not include_endpoint and abs(steps - (n - 1)) < _ROUNDING:
        n -= 1
    first = t_start * rate
    # counted from the nearest whole step, so that -0.3 + 3 * 0.1 is 0 and not 5e-17
    whole = round(first) if abs(first - round(first)) < _ROUNDING else first
    return (whole + np.arange(n)) / rate


def _rate(sampling_rate: float | None, step_size: float | None) -> float:
    if sampling_rate is not None and step_size is None:
        given = float(sampling_rate)
        rate = given
    elif step_size is not None and sampling_rate is None:
        given = float(step_size)
        rate = 1 / given if given else np.inf
    else:
        msg = "give either sampling_rate or step_size"
        raise InputError(msg)
    if not (np.isfinite(rate) and rate > 0):
        msg = f"the sampling rate or step must be positive and finite, got {given}"
        raise InputError(msg)
    return rate


def index_of_nearest_value(
    data_timestamps: np.ndarray, event_timestamps: np.ndarray
) -> np.ndarray:
    """Find the frame nearest to each event.

    Parameters
    ----------
    data_timestamps : array, shape (n_frames,)
        Times of the frames (s), rising.
    event_timestamps : array, shape (n_events,)
        Times of the events (s).

    Returns
    -------
    array of int, shape (n_events,)
        Frames; the first or the last for events outside (`inside` tells which those are).
        Of two equally near frames the earlier one.

    Raises
    ------
    InputError
        No frames, frames that do not rise, or an event that is no number.

    Examples
    --------
    >>> index_of_nearest_value(np.array([0.0, 1, 2]), np.array([0.4, 1.6, 9.0]))
    array([0, 2, 2])
    """
    t = frame_times(data_timestamps)
    events = np.asarray(event_timestamps, dtype=float)
    if np.isnan(events).any():
        msg = f"event_timestamps has {int(np.isnan(events).sum())} values that are no number"
        raise InputError(msg)
    right = np.searchsorted(t, events).clip(0, t.size - 1)
    left = np.maximum(right - 1, 0)
    return np.where(events - t[left] <= t[right] - events, left, right)


def frame_times(data_timestamps: Any) -> np.ndarray:
    """Check times of frames: one dimension, finite, rising."""
    t = np.asarray(data_timestamps, dtype=float)
    if t.ndim != 1 or t.size == 0 or not np.isfinite(t).all():
        msg = f"expected one finite time for each frame, got shape {t.shape}"
        raise InputError(msg)
    if t.size > 1 and not (np.diff(t) > 0).all():
        bad = int(np.flatnonzero(np.diff(t) <= 0)[0]) + 1
        msg = f"times of frames must rise; frame {bad} at {t[bad]:g} s does not"
        raise InputError(msg)
    return t


def frame_rate_of(data_timestamps: np.ndarray) -> float:
    """Rate of frames (Hz) by the median interval, which a gap does not move."""
    t = frame_times(data_timestamps)
    if t.size < 2:
        msg = "one frame has no rate; give the sampling rate"
        raise InputError(msg)
    return float(1 / np.median(np.diff(t)))


def slice_inds_and_offsets(
    data_timestamps: np.ndarray,
    event_timestamps: np.ndarray,
    time_window: Sequence[float],
    sampling_rate: float | None = None,
    include_endpoint: bool = False,  # noqa: FBT001, FBT002 - the field's signature
) -> tuple[np.ndarray, int, int, np.ndarray]:
    """Turn times of events and a window into frames.

    Parameters
    ----------
    data_timestamps, event_timestamps : array
        Times of frames and events (s).
    time_window : (start, end)
        Relative to the event (s).
    sampling_rate : float, optional
        Of the frames (Hz); by their median interval when not given.
    include_endpoint : bool
        Whether the frame at the end of the window belongs to it.

    Returns
    -------
    event_indices : array of int
        Nearest frame of each event.
    start_ind_offset, end_ind_offset : int
        The window is the half-open range of frames from one to the other. It covers the time
        asked: the first frame lies at its start or before, no frame before its end is left out.
    trace_timebase : array
        Time of each frame of the window relative to the event's frame (s).

    Raises
    ------
    InputError
        Wrong times, or a window that ends before it starts.

    Examples
    --------
    >>> at, start, end, t = slice_inds_and_offsets(np.arange(100) / 10, [5.0], [-0.3, 0.2])
    >>> at, start, end, t
    (array([50]), -3, 2, array([-0.3, -0.2, -0.1,  0. ,  0.1]))
    """
    rate = frame_rate_of(data_timestamps) if sampling_rate is None else float(sampling_rate)
    if len(time_window) != 2 or not time_window[0] <= time_window[1] or rate <= 0:
        msg = (
            f"time_window must be (start, end) at a positive rate, got {time_window} and {rate}"
        )
        raise InputError(msg)
    start = int(np.floor(float(time_window[0]) * rate + _ROUNDING))
    end = int(np.ceil(float(time_window[1]) * rate - _ROUNDING)) + bool(include_endpoint)
    events = index_of_nearest_value(data_timestamps, np.asarray(event_timestamps, dtype=float))
    return events, start, end, np.arange(start, end) / rate

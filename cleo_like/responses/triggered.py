"""Traces about events, all cells and events at once."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only
from cleo_like.core.errors import InputError
from cleo_like.responses.timing import (
    frame_rate_of,
    frame_times,
    get_time_array,
    index_of_nearest_value,
    slice_inds_and_offsets,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


_GAP = 3.5  # frame intervals: two frames in a row may be lost before values are unknown


class OutsideRecordingWarning(UserWarning):
    """Events lie outside the recording; their values are NaN."""


@attrs.frozen(kw_only=True)
class EventTriggered:
    """Traces of many cells about many events.

    Parameters
    ----------
    values : array, shape (n_cells, n_events, n_times)
        NaN before the first and after the last frame of the recording, and where more than
        two frames in a row are missing.
    time : array, shape (n_times,)
        Seconds from the event.
    event_times : array, shape (n_events,)
        Seconds.
    outside : array of bool, shape (n_events,)
        Events before the first frame or after the last, or without a time: all their values
        are NaN.
    incomplete : array of bool, shape (n_events,)
        Events inside whose window is cut by an end of the recording, or a gap in it.
    """

    values: np.ndarray = attrs.field(converter=read_only, eq=array_eq)
    time: np.ndarray = attrs.field(converter=read_only, eq=array_eq)
    event_times: np.ndarray = attrs.field(converter=read_only, eq=array_eq)
    outside: np.ndarray = attrs.field(converter=read_only, eq=array_eq)
    incomplete: np.ndarray = attrs.field(converter=read_only, eq=array_eq)

    @property
    def n_outside(self) -> int:
        """Number of events outside the recording."""
        return int(self.outside.sum())

    @property
    def n_incomplete(self) -> int:
        """Number of events whose window the recording cuts."""
        return int(self.incomplete.sum())

    def mean(self, start: float, end: float) -> np.ndarray:
        """Mean over part of the window, for each cell and event.

        Parameters
        ----------
        start, end : float
            Seconds from the event; samples on either count.

        Returns
        -------
        array, shape (n_cells, n_events)
            NaN where a value is missing.

        Raises
        ------
        InputError
            No sample lies between the two.
        """
        tiny = 1e-9
        part = (self.time >= start - tiny) & (self.time <= end + tiny)
        if not part.any():
            msg = (
                f"no sample from {start:g} to {end:g} s; the window has {self.time.size}, "
                f"{self.time[0]:g} to {self.time[-1]:g} s"
            )
            raise InputError(msg)
        return self.values[:, :, part].mean(axis=2)

    def __repr__(self) -> str:
        """One line: cells, events, window."""
        n_cells, n_events, n_times = self.values.shape
        cut = f", {self.n_incomplete} cut" if self.n_incomplete else ""
        out = f", {self.n_outside} outside the recording" if self.n_outside else ""
        span = f"{self.time[0]:g} to {self.time[-1]:g} s" if n_times else "no times"
        return f"EventTriggered: {n_cells} cells, {n_events} events{out}{cut}, {span}"


def event_triggered(
    traces: np.ndarray,
    event_times: np.ndarray,
    timestamps: np.ndarray | None = None,
    *,
    window: Sequence[float] = (-0.5, 0.75),
    sampling_rate: float | None = None,
    include_endpoint: bool = True,
    interpolate: bool = True,
) -> EventTriggered:
    """Cut the traces of all cells about all events.

    Parameters
    ----------
    traces : array, shape (n_cells, n_frames) or (n_frames,), or Traces
        Values frame by frame.
    event_times : array, shape (n_events,)
        Seconds.
    timestamps : array, shape (n_frames,), optional
        Times of the frames (s); those of `Traces` when not given.
    window : (start, end)
        Relative to the event (s).
    sampling_rate : float, optional
        Of the result (Hz); the frame rate when not given. Used with `interpolate` only.
    include_endpoint : bool
        Whether the end of the window belongs to it.
    interpolate : bool
        Linearly between frames; else the frames about the one nearest to the event.

    Returns
    -------
    EventTriggered
        Values, time axis, and which events lie outside.

    Raises
    ------
    InputError
        Shapes or times that do not fit.

    Examples
    --------
    >>> t = np.arange(100) / 10
    >>> event_triggered(2 * t, [4.03], t, window=(0, 0.2)).values.round(3)
    array([[[8.06, 8.26, 8.46]]])
    """
    y, t = _inputs(traces, timestamps)
    events = np.asarray(event_times, dtype=float)
    if events.ndim != 1:
        msg = f"event_times must be one time for each event, got shape {events.shape}"
        raise InputError(msg)
    if interpolate:
        rate = frame_rate_of(t) if sampling_rate is None else sampling_rate
        start, end = window
        time = get_time_array(start, end, rate, include_endpoint=include_endpoint)
        values, missing = _between_frames(y, t, events[:, None] + time)
    else:
        values, missing, time = _at_frames(y, t, events, window, end=include_endpoint)
    # written so that an event without a time (NaN) is outside
    outside = ~((events >= t[0]) & (events <= t[-1]))
    values[:, outside] = np.nan
    _warn_of(outside, t)
    return EventTriggered(
        values=values,
        time=time,
        event_times=events,
        outside=outside,
        incomplete=missing.any(axis=1) & ~outside,
    )


def eventlocked_traces(
    traces_array: np.ndarray,
    event_indices: np.ndarray,
    start_ind_offset: int,
    end_ind_offset: int,
) -> np.ndarray:
    """Cut frames about given frames.

    Parameters
    ----------
    traces_array : array, shape (n_cells, n_frames)
        Values frame by frame.
    event_indices : array of int, shape (n_events,)
        Frame of each event.
    start_ind_offset, end_ind_offset : int
        The window is the half-open range from one to the other.

    Returns
    -------
    array, shape (n_offsets, n_events, n_cells)
        NaN before the first frame and after the last.

    Raises
    ------
    InputError
        Traces that are not two-dimensional, frames that are not whole numbers.

    Examples
    --------
    >>> eventlocked_traces(np.arange(5.0)[None], np.array([0]), -1, 2)[:, 0, 0]
    array([nan,  0.,  1.])
    """
    y = np.asarray(traces_array)
    at = np.asarray(event_indices)
    if y.ndim != 2 or at.ndim != 1 or (at.size and at.dtype.kind not in "iu"):
        msg = (
            "expected traces (n_cells, n_frames) and whole frames (n_events,), got shapes "
            f"{y.shape} and {at.shape} of {at.dtype}"
        )
        raise InputError(msg)
    frames = at.astype(np.int64)[:, None] + np.arange(start_ind_offset, end_ind_offset)
    return _take(y, frames)[0].transpose(2, 1, 0)


def _inputs(traces: Any, timestamps: Any) -> tuple[np.ndarray, np.ndarray]:
    y = np.asarray(getattr(traces, "fluorescence", traces))
    t = frame_times(getattr(traces, "times", None) if timestamps is None else timestamps)
    y = y[None] if y.ndim == 1 else y
    if y.ndim != 2 or y.shape[1] != t.size:
        msg = (
            "traces must be (n_cells, n_frames) with one time per frame, got "
            f"{y.shape} and {t.size} times"
        )
        raise InputError(msg)
    return y if y.dtype.kind == "f" else y.astype(float), t


def _take(y: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values at frames, (n_cells, *frames.shape), NaN outside; and which are outside."""
    missing = (frames < 0) | (frames >= y.shape[1])
    values = np.take(y, frames.clip(0, y.shape[1] - 1), axis=1)
    values = values if values.dtype.kind == "f" else values.astype(float)
    values[:, missing] = np.nan
    return values, missing


def _longest(t: np.ndarray) -> float:
    """Longest time (s) between frames that is no gap; one frame has none."""
    return _GAP / frame_rate_of(t) if t.size > 1 else np.inf


def _at_frames(
    y: np.ndarray, t: np.ndarray, events: np.ndarray, window: Sequence[float], *, end: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    known = np.nan_to_num(events, nan=t[0])
    _, start, stop, time = slice_inds_and_offsets(t, known, window, include_endpoint=end)
    frames = index_of_nearest_value(t, known)[:, None] + np.arange(start, stop)
    values, missing = _take(y, frames)
    # beyond a gap, frames of the right number come at the wrong time
    off = np.abs(t[frames.clip(0, t.size - 1)] - (known[:, None] + time))
    missing |= off > _longest(t)
    values[:, missing] = np.nan
    return values, missing, time


def _between_frames(
    y: np.ndarray, t: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate linearly at times (n_events, n_times); NaN outside the frames."""
    missing = ~((wanted >= t[0]) & (wanted <= t[-1]))
    right = np.searchsorted(t, wanted.ravel()).clip(0, t.size - 1).reshape(wanted.shape)
    left = np.maximum(right - 1, 0)
    step = np.where(right > left, t[right] - t[left], 1.0)  # the first frame has none
    share = ((wanted - t[left]) / step).astype(y.dtype)
    # on a frame, only that frame counts, even where its neighbour is NaN
    right = np.where(share == 0, left, right)
    left = np.where(share == 1, right, left)
    missing |= (left != right) & (step > _longest(t))
    share[missing] = np.nan
    values = np.empty((len(y), *wanted.shape), dtype=y.dtype)
    for row, found in zip(y, values, strict=True):  # a cell at a time stays in the cache
        low = row[left]
        found[:] = (row[right] - low) * share + low
    return values, missing


def _warn_of(outside: np.ndarray, t: np.ndarray) -> None:
    if outside.any():
        msg = (
            f"{int(outside.sum())} of {outside.size} events lie outside the recording "
            f"({t[0]:g} to {t[-1]:g} s) or have no time; their values are NaN"
        )
        warnings.warn(msg, OutsideRecordingWarning, stacklevel=3)

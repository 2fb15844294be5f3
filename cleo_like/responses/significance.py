"""p-values of responses against the same measure at times without a stimulus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.responses.timing import frame_times
from cleo_like.responses.triggered import event_triggered

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

GrayScreen = Literal["before", "after", "both"]

_SETTLE = 5.0  # s after a stimulus in which slow indicators still decay
_CELLS = 16  # cut at a time, for the memory of it
_LEAST_WINDOWS = 20  # windows that do not overlap: fewer cannot tell p = 0.05


def spontaneous_intervals(
    stimulus_presentations: pd.DataFrame,
    ophys_timestamps: np.ndarray,
    gray_screen_period_to_use: GrayScreen = "both",
    *,
    settle: float = _SETTLE,
) -> np.ndarray:
    """Find the gray screen before the first presentation and after the last.

    Parameters
    ----------
    stimulus_presentations : DataFrame
        With ``start_time`` and ``end_time`` or ``stop_time`` or ``duration`` (s).
    ophys_timestamps : array
        Times of the frames (s).
    gray_screen_period_to_use : str
        "before", "after" or "both".
    settle : float
        Seconds after the last presentation that are left out: calcium still decays.

    Returns
    -------
    array, shape (n, 2)
        Start and end (s) of each interval that is not empty.

    Raises
    ------
    InputError
        A table without presentations, or without their ends.
    UnknownNameError
        No such period.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"start_time": [30.0, 31.0], "duration": 0.25})
    >>> spontaneous_intervals(table, np.arange(0, 60.0)).tolist()
    [[0.0, 30.0], [36.25, 59.0]]
    """
    if gray_screen_period_to_use not in get_args(GrayScreen):
        raise unknown_name("period", str(gray_screen_period_to_use), get_args(GrayScreen))
    t = frame_times(ophys_timestamps)
    starts = stimulus_presentations["start_time"].to_numpy(dtype=float)
    if not np.isfinite(starts).any():
        msg = "no presentation has a start_time: there is no stimulus to be spontaneous without"
        raise InputError(msg)
    periods = {
        "before": (t[0], np.nanmin(starts)),
        "after": (np.nanmax(_ends(stimulus_presentations, starts)) + settle, t[-1]),
    }
    use = gray_screen_period_to_use
    kept = [p for name, p in periods.items() if use in (name, "both") and p[1] > p[0]]
    return np.array(kept, dtype=float).reshape(-1, 2)


def _ends(table: pd.DataFrame, starts: np.ndarray) -> np.ndarray:
    for name in ("end_time", "stop_time"):
        if name in table:
            # omissions have no end in some tables
            return np.fmax(table[name].to_numpy(dtype=float), starts)
    if "duration" in table:
        return starts + np.nan_to_num(table["duration"].to_numpy(dtype=float))
    msg = "stimulus_presentations needs end_time, stop_time or duration"
    raise InputError(msg)


def get_spontaneous_frames(
    stimulus_presentations: pd.DataFrame,
    ophys_timestamps: np.ndarray,
    gray_screen_period_to_use: GrayScreen = "both",
) -> np.ndarray:
    """Give the frames of `spontaneous_intervals`.

    Parameters
    ----------
    stimulus_presentations : DataFrame
        One row for each presentation.
    ophys_timestamps : array
        Times of the frames (s).
    gray_screen_period_to_use : str
        "before", "after" or "both".

    Returns
    -------
    array of int
        Frames, ascending.
    """
    t = frame_times(ophys_timestamps)
    inside = np.zeros(t.size, dtype=bool)
    for start, end in spontaneous_intervals(
        stimulus_presentations, t, gray_screen_period_to_use
    ):
        inside |= (t >= start) & (t < end)
    return np.flatnonzero(inside)


def null_responses(
    traces: np.ndarray,
    timestamps: np.ndarray,
    spontaneous: np.ndarray,
    *,
    window: Sequence[float] = (0.0, 0.5),
    number_of_shuffles: int = 10_000,
    rng: np.random.Generator | None = None,
    **cutting: Any,
) -> tuple[np.ndarray, str]:
    """Measure the mean response at random times without a stimulus.

    Parameters
    ----------
    traces : array, shape (n_cells, n_frames)
        Values frame by frame.
    timestamps : array, shape (n_frames,)
        Seconds.
    spontaneous : array, shape (n, 2)
        Start and end (s) of the intervals from which times are drawn; a window lies within one.
    window : (start, end)
        Relative to the event (s): first and last sample of the mean.
    number_of_shuffles : int
        Number of times, spread evenly over the intervals with a random shift each.
    rng : Generator, optional
        Seed 0 when not given.
    **cutting
        ``sampling_rate`` and ``interpolate`` of `event_triggered`, as for the responses.

    Returns
    -------
    values : array, shape (n_cells, number_of_shuffles)
        NaN where there is a reason.
    reason : str
        Why there is no null distribution; empty where there is one.
    """
    generator = np.random.default_rng(0) if rng is None else rng
    start, end = map(float, window)
    n_cells = np.atleast_2d(traces).shape[0]
    intervals = np.asarray(spontaneous, dtype=float).reshape(-1, 2)
    # the event may lie where its whole window is spontaneous
    room = intervals - [start, end]
    lengths = np.maximum(room[:, 1] - room[:, 0], 0.0)
    width = max(end - start, float(np.median(np.diff(timestamps))))
    alone = float(np.floor(np.diff(intervals, axis=1)[:, 0] / width).sum())
    if alone < _LEAST_WINDOWS:
        reason = (
            f"{alone:.0f} windows of {width:g} s fit into the time without stimulus; "
            f"{_LEAST_WINDOWS} are needed"
        )
        return np.full((n_cells, number_of_shuffles), np.nan), reason
    places = (np.arange(number_of_shuffles) + generator.random(number_of_shuffles)) / (
        number_of_shuffles
    )
    edges = np.r_[0.0, np.cumsum(lengths)]
    drawn = places * edges[-1]
    which = np.searchsorted(edges, drawn, side="right") - 1
    times = room[which, 0] + drawn - edges[which]
    found = [
        event_triggered(part, times, timestamps, window=(start, end), **cutting).values.mean(
            axis=2
        )
        for part in np.array_split(np.atleast_2d(traces), max(1, -(-n_cells // _CELLS)))
    ]
    return np.concatenate(found), ""


def p_values(responses: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Give the share of the null distribution that is as large as each response.

    Parameters
    ----------
    responses : array, shape (n_cells, n_events)
        Measured as the null was.
    null : array, shape (n_cells, n_shuffles)
        The same measure without a stimulus.

    Returns
    -------
    array, shape (n_cells, n_events)
        (1 + number as large) / (1 + number): never 0. NaN where either is missing.

    Raises
    ------
    InputError
        Different numbers of cells.

    Examples
    --------
    >>> p_values(np.array([[0.5, 9.0, np.nan]]), np.arange(1.0, 5.0)[None])
    array([[1. , 0.2, nan]])
    """
    x, z = np.asarray(responses, dtype=float), np.asarray(null, dtype=float)
    if x.ndim != 2 or z.ndim != 2 or len(x) != len(z):
        msg = f"expected one row for each cell, got shapes {x.shape} and {z.shape}"
        raise InputError(msg)
    found = np.full(x.shape, np.nan)
    for row, values, out in zip(x, z, found, strict=True):
        usable = np.sort(values[np.isfinite(values)])
        if usable.size:
            larger = usable.size - np.searchsorted(usable, row, side="left")
            out[:] = np.where(np.isnan(row), np.nan, (1 + larger) / (1 + usable.size))
    return found

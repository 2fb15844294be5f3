"""Stimulus-response arrays: every cell's answer to every presentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.responses.event_tables import import_xarray
from cleo_like.responses.significance import null_responses, p_values, spontaneous_intervals
from cleo_like.responses.tables import experiment_table, get_event_timestamps, require, stacked
from cleo_like.responses.timing import frame_rate_of, frame_times
from cleo_like.responses.triggered import event_triggered

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_FINER = 3  # samples per frame when interpolated, as the tables of the Allen Institute have
_TINY = 1e-9  # s: rounding


def get_stimulus_response_xr(
    ophys_experiment: Any,
    data_type: str = "dff",
    event_type: str = "all",
    time_window: Sequence[float] = (-3.0, 3.0),
    response_window_duration: float = 0.5,
    *,
    interpolate: bool = True,
    output_sampling_rate: float | None = None,
    exclude_invalid_rois: bool = True,
    number_of_shuffles: int = 10_000,
    rng: np.random.Generator | None = None,
) -> Any:
    """Cut all cells about all presentations of a kind, and measure each response.

    Parameters
    ----------
    ophys_experiment : object
        With ``ophys_timestamps``, ``stimulus_presentations``, ``dff_traces`` or ``events``,
        and ``cell_specimen_table``.
    data_type : str
        "dff", "events" or "filtered_events".
    event_type : str
        As for `get_event_timestamps`.
    time_window : (start, end)
        Relative to the presentation (s).
    response_window_duration : float
        Seconds after the start over which ``mean_response`` is, and before it
        ``mean_baseline``.
    interpolate : bool
        Linearly to `output_sampling_rate`; else the frames themselves.
    output_sampling_rate : float, optional
        Hz; three times the frame rate when not given.
    exclude_invalid_rois : bool
        Whether cells whose ``valid_roi`` is False are left out.
    number_of_shuffles : int
        Size of the null distribution of each cell.
    rng : Generator, optional
        For the times of the null distribution; seed 0 when not given.

    Returns
    -------
    Dataset
        ``eventlocked_traces`` (cell_specimen_id, stimulus_presentations_id,
        eventlocked_timestamps); ``mean_response``, ``mean_baseline`` and
        ``p_value_gray_screen`` (cell_specimen_id, stimulus_presentations_id). ``attrs``
        hold ``n_outside``, ``n_incomplete``, and ``p_value_reason`` where no p-value could be
        had.

    Raises
    ------
    InputError
        A window that does not hold the response and its baseline.
    UnknownNameError
        No such data or events.
    UnsupportedError
        xarray is not installed.

    Notes
    -----
    The p-value is the share of the same mean, at times drawn from the gray screen before and
    after the presentations, that is as large: uniform for a cell that does not respond.
    """
    xarray = import_xarray()
    duration = float(response_window_duration)
    if not time_window[0] <= -duration < 0 < duration <= time_window[1]:
        msg = (
            f"time_window {tuple(time_window)} must hold response_window_duration={duration:g} "
            "s before and after the event"
        )
        raise InputError(msg)
    kind = "dff_traces" if data_type == "dff" else "events"
    require(
        ophys_experiment, "ophys_timestamps", "stimulus_presentations", kind,
        "cell_specimen_table",
    )  # fmt: skip
    t = frame_times(ophys_experiment.ophys_timestamps)
    table = experiment_table(
        ophys_experiment, data_type, exclude_invalid_rois=exclude_invalid_rois
    )
    traces = stacked(table[data_type], t.size, data_type)
    shown = ophys_experiment.stimulus_presentations
    times, ids = get_event_timestamps(shown, event_type)
    rate = frame_rate_of(t)
    sampling = (output_sampling_rate or _FINER * rate) if interpolate else None
    cutting: dict[str, Any] = {"sampling_rate": sampling, "interpolate": interpolate}
    cut = event_triggered(traces, times.to_numpy(dtype=float), t, window=time_window, **cutting)
    response = cut.mean(0.0, duration)
    # the very samples of the response, so that both means vary alike
    part = cut.time[(cut.time > -_TINY) & (cut.time < duration + _TINY)]
    null, reason = null_responses(
        traces, t, spontaneous_intervals(shown, t), window=(part[0], part[-1]),
        number_of_shuffles=number_of_shuffles, rng=rng, **cutting,
    )  # fmt: skip
    by_event = ("cell_specimen_id", "stimulus_presentations_id")
    return xarray.Dataset(
        {
            "eventlocked_traces": ((*by_event, "eventlocked_timestamps"), cut.values),
            "mean_response": (by_event, response),
            "mean_baseline": (by_event, cut.mean(-duration, 0.0)),
            "p_value_gray_screen": (by_event, p_values(response, null)),
        },
        coords={
            "cell_specimen_id": table.index.to_numpy(),
            "stimulus_presentations_id": ids,
            "eventlocked_timestamps": cut.time,
        },
        attrs={
            "n_outside": cut.n_outside,
            "n_incomplete": cut.n_incomplete,
            "p_value_reason": reason,
            "ophys_frame_rate": rate,
            "data_type": data_type,
            "event_type": event_type,
            "interpolate": int(interpolate),  # NetCDF has no truth values
            "output_sampling_rate": np.nan if sampling is None else sampling,
            "response_window_duration": duration,
        },
    )


def get_stimulus_response_df(
    ophys_experiment: Any,
    data_type: str = "dff",
    event_type: str = "all",
    time_window: Sequence[float] = (-3.0, 3.0),
    response_window_duration: float = 0.5,
    **options: Any,
) -> pd.DataFrame:
    """Make one row for each presentation and cell, from `get_stimulus_response_xr`.

    Parameters
    ----------
    ophys_experiment, data_type, event_type, time_window, response_window_duration, **options
        As for `get_stimulus_response_xr`.

    Returns
    -------
    DataFrame
        stimulus_presentations_id, cell_specimen_id, trace, trace_timestamps, mean_response,
        baseline_response, p_value_gray_screen, and how they were made.
    """
    import pandas as pd

    data = get_stimulus_response_xr(
        ophys_experiment,
        data_type,
        event_type,
        time_window,
        response_window_duration,
        **options,
    )
    cells = data["cell_specimen_id"].to_numpy()
    ids = data["stimulus_presentations_id"].to_numpy()
    time = data["eventlocked_timestamps"].to_numpy()
    traces = data["eventlocked_traces"].to_numpy().transpose(1, 0, 2).reshape(-1, time.size)
    made = {
        k: data.attrs[k]
        for k in ("ophys_frame_rate", "data_type", "event_type", "interpolate",
                  "output_sampling_rate", "response_window_duration")
    }  # fmt: skip
    table = pd.DataFrame(
        {
            "stimulus_presentations_id": np.repeat(ids, cells.size),
            "cell_specimen_id": np.tile(cells, ids.size),
            "trace": list(traces),
            "trace_timestamps": [time] * len(traces),
            "mean_response": data["mean_response"].to_numpy().T.reshape(-1),
            "baseline_response": data["mean_baseline"].to_numpy().T.reshape(-1),
            "p_value_gray_screen": data["p_value_gray_screen"].to_numpy().T.reshape(-1),
            **(made | {"interpolate": bool(made["interpolate"])}),
        }
    )
    table.attrs.update(
        {k: data.attrs[k] for k in ("n_outside", "n_incomplete", "p_value_reason")}
    )
    return table

"""`event_triggered_response`: a table in, a table or an array about events out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from cleo_like.core.errors import InputError, UnsupportedError, unknown_name
from cleo_like.responses.triggered import EventTriggered, event_triggered

if TYPE_CHECKING:
    import pandas as pd

OutputFormat = Literal["tidy", "wide", "xarray"]


def event_triggered_response(  # noqa: PLR0913, PLR0917 - the field's signature
    data: pd.DataFrame,
    t: str,
    y: str,
    event_times: Any,
    t_start: float | None = None,
    t_end: float | None = None,
    t_before: float | None = None,
    t_after: float | None = None,
    output_sampling_rate: float | None = None,
    include_endpoint: bool = True,  # noqa: FBT001, FBT002 - the field's signature
    output_format: OutputFormat = "tidy",
    interpolate: bool = True,  # noqa: FBT001, FBT002
    *,
    by: str | None = None,
) -> Any:
    """Cut a column of a table about events.

    Parameters
    ----------
    data : DataFrame
        Time series, with rising times (for each cell, with `by`).
    t, y : str
        Columns with the times (s) and the values.
    event_times : array or Series
        Seconds.
    t_start, t_end : float
        Window relative to the event (s).
    t_before, t_after : float
        The same as lengths: -t_start and t_end.
    output_sampling_rate : float, optional
        Hz; the frame rate when not given. Used with `interpolate` only.
    include_endpoint : bool
        Whether the end of the window belongs to it.
    output_format : str
        "tidy": time, y, event_number, original_index, event_time; "wide": one column for
        each event; "xarray": an array by event and time.
    interpolate : bool
        Linearly between frames; else the frames about the one nearest to the event.
    by : str, optional
        Column that tells the cells apart; all are cut at once. The result has it as column,
        as upper level of the columns, or as first dimension.

    Returns
    -------
    DataFrame or DataArray
        Values are NaN outside the recording; ``attrs`` hold ``n_outside`` and
        ``n_incomplete``, the numbers of events.

    Raises
    ------
    InputError
        No window, or a window given twice; times that do not rise, or cells whose times
        differ.
    UnknownNameError
        No such column or format.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"timestamps": np.arange(50) / 10, "dff": np.arange(50.0)})
    >>> event_triggered_response(data, "timestamps", "dff", [2.05], t_start=-0.1, t_end=0.1,
    ...                          output_format="wide").round(3)["event_0_t=2.05"].tolist()
    [19.5, 20.5, 21.5]
    """
    if output_format not in get_args(OutputFormat):
        raise unknown_name("output format", str(output_format), get_args(OutputFormat))
    for column in (t, y, by):
        if column is not None and column not in data.columns:
            raise unknown_name("column", column, map(str, data.columns))
    window = (_bound("t_start", t_start, "t_before", t_before, -1.0),
              _bound("t_end", t_end, "t_after", t_after, 1.0))  # fmt: skip
    cells, times, values = _by_cell(data, t, y, by)
    cut = event_triggered(
        values,
        np.asarray(event_times, dtype=float),
        times,
        window=window,
        sampling_rate=output_sampling_rate,
        include_endpoint=include_endpoint,
        interpolate=interpolate,
    )
    index = (
        event_times.index.to_numpy()
        if hasattr(event_times, "loc")
        else np.arange(len(event_times))
    )
    make = {"tidy": _tidy, "wide": _wide, "xarray": _xarray}[output_format]
    made = make(cut, y, index, by, cells)
    made.attrs.update(n_outside=cut.n_outside, n_incomplete=cut.n_incomplete)
    return made


def _bound(
    name: str, value: float | None, other: str, length: float | None, sign: float
) -> float:
    if value is not None and length is None:
        return float(value)
    if length is not None and value is None:
        return sign * float(length)
    msg = f"give either {name} or {other}"
    raise InputError(msg)


def _by_cell(
    data: pd.DataFrame, t: str, y: str, by: str | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells, times of the frames, values (n_cells, n_frames)."""
    import pandas as pd

    times, values = data[t].to_numpy(dtype=float), data[y].to_numpy(dtype=float)
    if by is None:
        return np.zeros(1, dtype=int), times, values[None]
    codes, cells = pd.factorize(data[by])
    if (codes < 0).any():
        msg = f"column {by!r} has {int((codes < 0).sum())} rows without a value"
        raise InputError(msg)
    n = max(len(cells), 1)
    if (np.diff(codes) < 0).any():
        order = np.argsort(codes, kind="stable")
        times, values = times[order], values[order]
    equal = not (np.bincount(codes, minlength=n) * n - len(data)).any()
    if not equal or (times.reshape(n, -1) != times[: len(data) // n]).any():
        msg = f"the {n} groups by {by!r} must have the same frames at the same times"
        raise InputError(msg)
    return np.asarray(cells), times[: len(data) // n], values.reshape(n, -1)


def _tidy(
    cut: EventTriggered, y: str, index: np.ndarray, by: str | None, cells: np.ndarray
) -> pd.DataFrame:
    import pandas as pd

    n_cells, n_events, n_times = cut.values.shape
    of_event = {
        "event_number": np.arange(n_events),
        "original_index": index,
        "event_time": cut.event_times,
    }
    table: dict[str, Any] = {
        "time": np.tile(cut.time, n_cells * n_events),
        y: cut.values.reshape(-1),
    }
    table |= {k: np.tile(np.repeat(v, n_times), n_cells) for k, v in of_event.items()}
    if by is not None:
        codes = np.repeat(np.arange(n_cells), n_events * n_times)
        table[by] = pd.Categorical.from_codes(codes, pd.Index(cells))
    return pd.DataFrame(table, copy=False)


def _wide(
    cut: EventTriggered, y: str, index: np.ndarray, by: str | None, cells: np.ndarray
) -> pd.DataFrame:
    import pandas as pd

    del y, index
    names = [f"event_{k}_t={time}" for k, time in enumerate(cut.event_times.tolist())]
    columns = (
        names if by is None else pd.MultiIndex.from_product([cells, names], names=[by, "event"])
    )
    return pd.DataFrame(
        cut.values.reshape(-1, cut.time.size).T,
        index=pd.Index(cut.time, name="time"),
        columns=columns,
    )


def _xarray(
    cut: EventTriggered, y: str, index: np.ndarray, by: str | None, cells: np.ndarray
) -> Any:
    xarray = import_xarray()
    coords = {
        "event_number": np.arange(len(index)),
        "time": cut.time,
        "original_index": ("event_number", index),
        "event_time": ("event_number", cut.event_times),
    }
    dims = ("event_number", "time")
    if by is None:
        return xarray.DataArray(cut.values[0], dims=dims, coords=coords, name=y)
    return xarray.DataArray(cut.values, dims=(by, *dims), coords={by: cells, **coords}, name=y)


def import_xarray() -> Any:
    """Import xarray, or say how to get it."""
    try:
        import xarray
    except ImportError as error:
        msg = "this output needs xarray; install it with: pip install cleo_like[xarray]"
        raise UnsupportedError(msg) from error
    return xarray

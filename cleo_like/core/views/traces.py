"""Traces of fluorescence as people look at them, and in the terms of other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.plugins import needed
from cleo_like.core.views.page import card, drawn_or_none
from cleo_like.core.views.panels import given_axes, new_axes
from cleo_like.core.views.style import RESPONSE_COLOUR, SPIKE_COLOUR, house_style, trace

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cleo_like.core.views.nouns import TracesLike

_IDS = ("cell_roi_id", "roi_id", "id")  # columns that name the ROIs, the first that is there
_APART = 1.0  # of the range of the usual trace, between two traces


def roi_names(traces: TracesLike) -> list[Any]:
    """Name the ROIs: by their column of ids, else by their place."""
    for name in _IDS:
        column = traces.rois.get(name)
        if column is not None and len(set(column.tolist())) == traces.n_rois:
            return list(column.tolist())
    return list(range(traces.n_rois))


def plot_traces(traces: TracesLike, ax: Axes | None = None, *, most: int = 20) -> Axes:
    """Draw traces above each other on one scale, with the spikes that are known below each.

    Parameters
    ----------
    traces : Traces
        Any.
    ax : matplotlib axes, optional
        Where to draw; a new figure of pyplot where not given.
    most : int
        Largest number of ROIs that are drawn; of more, so many evenly spaced ones.

    Returns
    -------
    Axes
    """
    if most < 1:
        msg = f"most must be 1 or more, got {most}"
        raise InputError(msg)
    with house_style():
        ax = new_axes(8.5, 5.0) if ax is None else given_axes(ax)
        rows = np.unique(np.linspace(0, max(traces.n_rois - 1, 0), most).astype(int))
        rows = rows[: traces.n_rois]
        values = traces.fluorescence[rows]
        spread = np.nanmax(values, axis=1, initial=0.0) - np.nanmin(values, axis=1, initial=0.0)
        step = _APART * (float(np.median(spread)) if spread.size and np.any(spread) else 1.0)
        known = traces.truth.spike_times if traces.truth is not None else None
        names = roi_names(traces)
        for place, row in enumerate(rows.tolist()):
            base = -place * step
            trace(ax, traces.times, traces.fluorescence[row] + base, colour=RESPONSE_COLOUR)
            if known is not None and len(known[row]):
                at = np.full(len(known[row]), base - 0.15 * step)
                ax.plot(known[row], at, ls="none", marker="|", ms=4, color=SPIKE_COLOUR)
        ax.set_yticks([-place * step for place in range(len(rows))])
        ax.set_yticklabels([str(names[row]) for row in rows.tolist()])
        ax.set_ylabel("ROI")
        ax.set_xlabel("time (s)")
        some = "" if len(rows) == traces.n_rois else f" ({len(rows)} of {traces.n_rois})"
        what = traces.quantity.partition(";")[0]  # the rest is its definition
        ax.set_title(f"{what}{some}; distance of two traces: {step:.2g}")
    return ax


def traces_frame(traces: TracesLike) -> pd.DataFrame:
    """Give a table with a row for each frame (index ``time_s``) and a column for each ROI."""
    import pandas as pd

    index = pd.Index(traces.times, name="time_s")
    return pd.DataFrame(traces.fluorescence.T, index=index, columns=roi_names(traces))


def traces_array(traces: TracesLike) -> xr.DataArray:
    """Give a labelled array over (roi, time), with the columns of the ROI table as coordinates.

    Raises
    ------
    UnsupportedError
        xarray is not installed.
    """
    xr = needed("xarray", "xarray")
    columns = {
        name: ("roi", column) for name, column in traces.rois.items() if column.ndim == 1
    }
    coords = {"roi": roi_names(traces), "time": ("time", traces.times, {"units": "s"})}
    return xr.DataArray(
        traces.fluorescence, dims=("roi", "time"), coords={**columns, **coords},
        name=traces.quantity, attrs={"quantity": traces.quantity},
    )  # fmt: skip


def traces_tsd(traces: TracesLike) -> Any:
    """Give a pynapple `TsdFrame` with a column for each ROI.

    Raises
    ------
    UnsupportedError
        pynapple is not installed.
    """
    nap = needed("pynapple", "pynapple")
    return nap.TsdFrame(t=traces.times, d=traces.fluorescence.T, columns=roi_names(traces))


def traces_card(traces: TracesLike) -> str:
    """Make what a notebook shows of traces."""

    def draw() -> Figure | None:
        from matplotlib.figure import Figure

        if not traces.fluorescence.size:
            return None
        figure = Figure(figsize=(8.5, 5.0), layout="constrained")
        plot_traces(traces, figure.subplots(), most=12)
        return figure

    facts = {
        "quantity": traces.quantity,
        "columns": ", ".join(traces.rois),
        "truth": None if traces.truth is None else repr(traces.truth),
        "notes": "; ".join(traces.notes),
    }
    return card(repr(traces), facts, drawn_or_none(draw))

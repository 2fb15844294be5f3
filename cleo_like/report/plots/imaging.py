"""A fluorescence recording at a glance: where the cells are, all of them, and single ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.views.style import (
    RESPONSE_COLOUR,
    SPIKE_COLOUR,
    VOLTAGE_MAP,
    house_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cleo_like.core import Traces


def imaging_figure(traces: Traces, *, singles: int = 6) -> Figure:
    """Draw a map of the cells, the fluorescence of all, and single cells with their spikes.

    Parameters
    ----------
    traces : Traces
        Without positions the map is left out, without truth the spikes.
    singles : int
        How many single cells, evenly from the brightest to the median one.

    Returns
    -------
    Figure
        Map and all cells above, single cells below.

    Raises
    ------
    InputError
        No cell or no frame.
    """
    from matplotlib.figure import Figure

    if traces.n_rois == 0 or traces.n_frames < 2:
        msg = f"imaging_figure needs cells and at least two frames, got {traces!r}"
        raise InputError(msg)
    spread = np.percentile(traces.fluorescence, 95, axis=1)
    order = np.argsort(-spread, kind="stable")
    with house_style():
        figure = Figure(figsize=(12.5, 8.5), layout="constrained")
        top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.05])
        if traces.positions is None:
            panels = [top.subplots(1, 1)]
        else:
            place, *panels = top.subplots(1, 2, width_ratios=[1, 2.1])
            _map(place, traces, spread)
        _all_cells(panels[0], traces, order)
        chosen = order[
            np.linspace(0, traces.n_rois // 2, min(singles, traces.n_rois)).astype(int)
        ]
        _single_cells(bottom.subplots(1, 1), traces, np.unique(chosen))
    return figure


def _map(axes: Axes, traces: Traces, spread: np.ndarray) -> None:
    """Draw the cells from above, coloured by their fluorescence."""
    x, y, _ = np.asarray(traces.positions).T * 1e6
    drawn = axes.scatter(x, y, c=spread, s=45, cmap=VOLTAGE_MAP, linewidths=0)
    bar = axes.figure.colorbar(drawn, ax=axes, location="bottom", pad=0.02, aspect=30)
    bar.set_label("dF/F, 95th percentile")
    bar.outline.set_visible(False)
    axes.set_aspect("equal")
    axes.set(xlabel="x (µm)", ylabel="y (µm)", title=f"{traces.n_rois} cells")


def _all_cells(axes: Axes, traces: Traces, order: np.ndarray) -> None:
    from matplotlib.colors import PowerNorm

    values = traces.fluorescence[order]
    half = 0.5 * (traces.times[1] - traces.times[0])
    extent = (traces.times[0] - half, traces.times[-1] + half, traces.n_rois + 0.5, 0.5)
    # a few bright cells would leave the others dark, or saturate, on a linear scale
    low = float(np.percentile(values, 1))
    norm = PowerNorm(0.5, vmin=low, vmax=max(float(values.max()), low + 1e-9))
    drawn = axes.imshow(
        values, cmap=VOLTAGE_MAP, aspect="auto", interpolation="nearest", norm=norm,
        extent=extent,
    )  # fmt: skip
    bar = axes.figure.colorbar(drawn, ax=axes, location="bottom", pad=0.02, aspect=50)
    bar.set_label("dF/F (square-root scale)")
    bar.outline.set_visible(False)
    axes.set(xlabel="time (s)", ylabel="cell, brightest first")
    axes.set_title(f"{traces.n_frames} frames at {traces.rate:.3g} Hz")


def _single_cells(axes: Axes, traces: Traces, chosen: np.ndarray) -> None:
    """Draw cells below one another on one scale, with ticks at their true spikes."""
    shown = traces.fluorescence[chosen]
    gap = 0.8 * float(np.max(shown.max(axis=1) - shown.min(axis=1)))
    spikes = None if traces.truth is None else traces.truth.spike_times
    for row, roi in enumerate(chosen):
        base = -gap * row
        axes.plot(traces.times, traces.fluorescence[roi] + base, color=RESPONSE_COLOUR, lw=0.9)
        if spikes is not None:
            when = np.asarray(spikes[roi])
            axes.plot(
                when, np.full(len(when), base - 0.13 * gap), "|", color=SPIKE_COLOUR, ms=5,
                mew=0.8,
            )  # fmt: skip
    axes.set_yticks(
        [-gap * row for row in range(len(chosen))], [f"ROI {roi}" for roi in chosen]
    )
    axes.set(xlabel="time (s)", xlim=(traces.times[0], traces.times[-1]))
    axes.margins(y=0.02)
    _scale_bar(axes, gap)


def _scale_bar(axes: Any, gap: float) -> None:
    """Draw how long a round value of dF/F is, right of the traces."""
    steps = np.array([1, 2, 5]) * 10.0 ** np.floor(np.log10(gap))
    size = float(max([0.1 * steps[-1], *steps[steps <= gap]]))
    transform = axes.get_yaxis_transform()
    look = {"transform": transform, "clip_on": False}
    axes.plot([1.01, 1.01], [-gap, size - gap], color="black", lw=1.5, **look)
    axes.text(1.018, size / 2 - gap, f"{size:g} dF/F", va="center", rotation=90, **look)

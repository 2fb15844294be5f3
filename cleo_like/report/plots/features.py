"""The figure of one analysed cell: its sweeps, spikes and thresholds, V-I and f-I curves."""

from __future__ import annotations

from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.views.style import (
    COMMAND_COLOUR,
    RESPONSE_COLOUR,
    SPIKE_COLOUR,
    house_style,
    trace,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cleo_like.features.long_square import CellFeatures

_SHOWN = (
    ("input_resistance", "MOhm", 1.0),
    ("tau", "ms", 1e3),
    ("v_baseline", "mV", 1.0),
    ("sag", "", 1.0),
    ("rheobase_i", "pA", 1.0),
    ("fi_fit_slope", "Hz/pA", 1.0),
)
_ROOM = 24  # characters of a reason beside the name


def features_figure(cell: CellFeatures, *, title: str = "") -> Figure:
    """Draw what was measured of a cell, on the traces it was measured from.

    Left: the strongest sweep and the first spiking sweep with detected thresholds and
    peaks, and the subthreshold sweeps. Right: V-I and f-I curves and the main values.

    Parameters
    ----------
    cell : CellFeatures
        From `features.cell_features`.
    title : str
        Heading, for example the id of the cell.

    Returns
    -------
    Figure
    """
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(11.5, 6.8), layout="constrained")
        if title:
            figure.suptitle(title, x=0.02, ha="left", fontsize=13)
        left, right = figure.subfigures(1, 2, width_ratios=[1.9, 1.0])
        _sweeps(left, cell)
        vi, fi, values = right.subplots(3, 1, height_ratios=[1.0, 1.0, 0.6])
        _vi(vi, cell)
        _fi(fi, cell)
        values.set_axis_off()
        values.text(0, 1, _values(cell), fontsize=9, va="top", family="monospace")
    return figure


def _sweeps(block: Any, cell: CellFeatures) -> None:
    """Draw up to three panels with a common time axis."""
    counts, current = cell.spikes.counts, cell.sweeps["stim_amp"]
    order = np.argsort(current, kind="stable")
    spiking = [k for k in order if counts[k] > 0]
    silent = [k for k in order if counts[k] == 0]
    groups = [spiking[-1:], spiking[:1] if len(spiking) > 1 else [], silent]
    shown = [group for group in groups if group]
    panels = block.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axes, group in zip(panels, shown, strict=True):
        for k in group:
            _sweep(axes, cell, int(k))
        low, high = current[group[0]], current[group[-1]]
        label = f"{low:.0f} pA" if len(group) == 1 else f"{low:.0f} to {high:.0f} pA"
        axes.set_title(label, loc="right", fontsize=10)
        axes.set_ylabel("potential (mV)")
        axes.axvspan(
            cell.window.start * 1e3, cell.window.end * 1e3, color="0.93", zorder=0, linewidth=0
        )
    panels[-1].set_xlabel("time (ms)")
    handles, labels = panels[0].get_legend_handles_labels()
    if labels:
        panels[0].legend(
            handles[:2], labels[:2], loc="lower left", bbox_to_anchor=(0, 1.0), fontsize=9,
            frameon=False, ncols=2, borderaxespad=0,
        )  # fmt: skip


def _sweep(axes: Axes, cell: CellFeatures, row: int) -> None:
    length = int(cell.stack.lengths[row])
    time = np.arange(length) / cell.stack.rate * 1e3
    trace(axes, time, cell.stack.voltage_mv[row, :length], colour=RESPONSE_COLOUR)
    spikes = cell.spikes.of(row)
    if len(spikes["peak_t"]) == 0:
        return
    style: dict[str, Any] = {"linestyle": "none", "markersize": 4}
    axes.plot(
        spikes["threshold_t"] * 1e3, spikes["threshold_v"], "o", color=COMMAND_COLOUR,
        label="threshold", **style,
    )  # fmt: skip
    axes.plot(
        spikes["peak_t"] * 1e3, spikes["peak_v"], "v", color=SPIKE_COLOUR, label="peak", **style
    )


def _vi(axes: Axes, cell: CellFeatures) -> None:
    current, peak, steady = cell.vi_curve
    axes.plot(current, peak, "o-", color=RESPONSE_COLOUR, markersize=4, label="peak")
    axes.plot(current, steady, "s--", color="0.45", markersize=4, label="steady")
    axes.set_xlabel("current (pA)")
    axes.set_ylabel("potential (mV)")
    axes.set_title("V-I, sweeps without spikes")
    if len(current):
        axes.legend(fontsize=9, frameon=False)


def _fi(axes: Axes, cell: CellFeatures) -> None:
    current, rate = cell.fi_curve
    axes.plot(current, rate, "o-", color=RESPONSE_COLOUR, markersize=4)
    rheobase = cell.values.get("rheobase_i", np.nan)
    if np.isfinite(rheobase):
        axes.axvline(rheobase, color=COMMAND_COLOUR, linestyle=":", label="rheobase")
        axes.legend(fontsize=9, frameon=False)
    axes.set_xlabel("current (pA)")
    axes.set_ylabel("rate (Hz)")
    axes.set_title("f-I")


def _values(cell: CellFeatures) -> str:
    """Write the main values, or why they are missing."""
    lines = []
    for name, unit, scale in _SHOWN:
        value = cell.values.get(name, np.nan)
        if np.isfinite(value):
            lines.append(f"{name:17s} {value * scale:9.4g} {unit}")
        else:
            why = wrap(cell.reasons.get(name, "not measured"), _ROOM)
            lines += [
                f"{label:17s} {text}" for label, text in zip_longest([name], why, fillvalue="")
            ]
    return "\n".join(lines)

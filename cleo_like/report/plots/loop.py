"""A closed loop at a glance: the controlled value, the signal, and the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.views.style import COMMAND_COLOUR, RESPONSE_COLOUR, house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cleo_like.core import Traces

_ALONE = "#9aa4b2"
_BIN = 0.5  # s


def loop_figure(
    held: Traces,
    alone: Traces | None = None,
    *,
    target: np.ndarray,
    signal: tuple[np.ndarray, np.ndarray],
    names: tuple[str, str] = ("held", "alone"),
) -> Figure:
    """Draw the mean fluorescence with its set point, the control current, and firing rates.

    Parameters
    ----------
    held : Traces
        The population under control.
    alone : Traces, optional
        The same without control.
    target : array, shape (n_frames,)
        Set point of the mean dF/F at the frames of `held`.
    signal : tuple of array, shape (n,)
        Times (s) and values (A) of the control current.
    names : tuple of str
        What the two recordings are called.

    Returns
    -------
    Figure
        Three panels over the same time.
    """
    from matplotlib.figure import Figure

    runs = [(held, names[0], RESPONSE_COLOUR)]
    if alone is not None:
        runs.insert(0, (alone, names[1], _ALONE))
    with house_style():
        figure = Figure(figsize=(12.5, 7.5), layout="constrained")
        top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[2, 1, 1])
        for traces, name, colour in runs:
            top.plot(traces.times, traces.fluorescence.mean(axis=0), color=colour, label=name)
            _rates(bottom, traces, colour)
        top.plot(held.times, target, "--", color="black", label="set point")
        top.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, ncols=3)
        top.set_ylabel("mean dF/F")
        times, values = signal
        end = float(held.times[-1])
        middle.step(
            np.append(times, end), np.append(values, values[-1]) * 1e12, where="post",
            color=COMMAND_COLOUR,
        )  # fmt: skip
        middle.set_ylabel("control (pA)")
        bottom.set(
            xlabel="time (s)", ylabel="rate (spikes/s)", xlim=(held.times[0], end), ylim=0
        )
        figure.align_ylabels([top, middle, bottom])
    return figure


def _rates(axes: Axes, traces: Traces, colour: str) -> None:
    """Draw the mean true firing rate of the imaged cells."""
    spikes = None if traces.truth is None else traces.truth.spike_times
    if not spikes:
        return
    edges = np.arange(traces.times[0], traces.times[-1] + 1.5 / traces.rate, _BIN)
    counts, _ = np.histogram(np.concatenate(spikes), edges)
    axes.stairs(counts / len(spikes) / _BIN, edges, color=colour, baseline=None)

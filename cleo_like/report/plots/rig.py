"""What rigs make of the same spike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.views.style import house_style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from cleo_like.core import Recording

_AROUND = 1.5e-3, 4e-3
"""Time (s) before and after the spike."""
_ONSET = 0.5e-3, 2.5e-3
"""Time (s) before and after the edge of the step."""
_COLOURS = ("#555555", "#1f3b73", "#b3561d", "#2f7d4f", "#8a2b6b", "#a88a00")


def artefact_figure(recordings: Mapping[str, Recording], sweep: int = 0) -> Figure:
    """Draw the onset of a step and its first spike, as several rigs record them.

    Parameters
    ----------
    recordings : mapping of str to Recording
        By name of the rig: the same cell and the same step of current, with true spikes.
    sweep : int
        Which sweep.

    Returns
    -------
    Figure
        Two panels: the onset, and the spike.

    Raises
    ------
    InputError
        No recording, or one without a true spike or a command that steps.
    """
    from matplotlib.figure import Figure

    if not recordings:
        msg = "artefact_figure needs at least one recording"
        raise InputError(msg)
    with house_style():
        figure = Figure(figsize=(11, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        for k, (name, recording) in enumerate(recordings.items()):
            one = recording.sweeps[sweep]
            times = np.arange(len(one.response)) / one.rate
            edge, spike = _edge(recording, sweep), _spike(recording, sweep)
            colour = _COLOURS[k % len(_COLOURS)]
            for axes, centre, (before, after) in (
                (left, edge, _ONSET), (right, spike, _AROUND),
            ):  # fmt: skip
                near = (times >= centre - before) & (times <= centre + after)
                axes.plot(
                    (times[near] - centre) * 1e3, one.response[near] * 1e3,
                    color=colour, label=name, lw=1.3,
                )  # fmt: skip
        left.set(title="Onset of the step", xlabel="time (ms)", ylabel="recorded (mV)")
        right.set(title="First spike", xlabel="time from the true spike (ms)")
        right.legend(frameon=False, fontsize=9)
    return figure


def _edge(recording: Recording, sweep: int) -> float:
    one = recording.sweeps[sweep]
    if one.command is None or not np.diff(one.command).any():
        msg = f"the command of {recording.cell.id} does not step; give recordings of a step"
        raise InputError(msg)
    return float((int(np.argmax(np.diff(one.command) != 0)) + 1) / one.rate)


def _spike(recording: Recording, sweep: int) -> float:
    times = None if recording.truth is None else recording.truth.spike_times[sweep]
    if times is None or len(times) == 0:
        msg = f"sweep {sweep} of {recording.cell.id} has no true spike; give a stronger step"
        raise InputError(msg)
    return float(times[0])

"""What rigs make of the same spike, and families of voltage steps."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.views.style import house_style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from cleo_like.core import Recording
    from cleo_like.features.clamp import CurrentVoltage

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


def current_voltage_figure(recording: Recording, *, reversal: Any = None) -> Figure:
    """Draw a family of voltage steps: the currents, their I-V curve, and the conductance.

    Parameters
    ----------
    recording : Recording
        Voltage clamp with an epoch "step", from `record` or a file, leak subtracted or not.
    reversal : quantity or str, optional
        Reversal potential of the current (default: where the peak changes its sign; without
        one there is no conductance to draw).

    Returns
    -------
    Figure
        Three panels; hollow points are doubtful (`CurrentVoltage.notes`).

    Raises
    ------
    InputError
        No voltage clamp, no protocol, no step.
    """
    from matplotlib.figure import Figure

    from cleo_like.features.clamp import current_voltage

    curve = current_voltage(recording)
    with house_style():
        figure = Figure(figsize=(12, 3.8), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        _currents(left, recording)
        sure = np.array([not notes for notes in curve.notes])
        for name, colour in (("peak", _COLOURS[1]), ("steady", _COLOURS[2])):
            value = getattr(curve, name) * 1e12
            middle.plot(curve.voltage * 1e3, value, color=colour, lw=1.2, label=name)
            for which, face in ((sure, colour), (~sure, "white")):
                middle.plot(
                    curve.voltage[which] * 1e3, value[which], "o", ms=5, color=colour, mfc=face
                )
        middle.axhline(0, color="#999999", lw=0.6)
        middle.set(title="I-V", xlabel="command (mV)", ylabel="current (pA)")
        middle.legend(frameon=False, fontsize=9)
        _activation(right, curve, reversal)
    return figure


def _currents(axes: Any, recording: Recording) -> None:
    """Draw the current of every step from 2 ms before it to its end."""
    step = recording.window("step")
    for k, one in enumerate(recording.sweeps):
        first = round(step.start * one.rate)
        near = slice(max(0, first - round(2e-3 * one.rate)), round(step.end * one.rate))
        times = (np.arange(len(one.response))[near] - first) / one.rate
        shade = k / max(1, recording.n_sweeps - 1)
        axes.plot(
            times * 1e3,
            one.response[near] * 1e12,
            lw=0.8,
            color=(0.1, 0.25, 0.5, 0.3 + 0.7 * shade),
        )
    axes.set(title="Currents", xlabel="time from the step (ms)", ylabel="current (pA)")


def _activation(axes: Any, curve: CurrentVoltage, reversal: Any) -> None:
    """Draw conductance and fit, or why there is none."""
    axes.set(title="Conductance", xlabel="command less drop (mV)", ylabel="conductance (nS)")
    where = (curve.voltage - np.nan_to_num(curve.error)) * 1e3
    try:
        conductance = curve.conductance(reversal)
        axes.plot(where, conductance * 1e9, "o", ms=5, color=_COLOURS[1])
        half, slope, most = curve.activation(reversal)
    except InputError as error:
        text = textwrap.fill(str(error), 40)
        axes.text(0.5, 0.98, text, ha="center", va="top", transform=axes.transAxes, fontsize=8)
        return
    fine = np.linspace(where.min(), where.max(), 200)
    shape = most / (1 + np.exp(np.clip((half * 1e3 - fine) / (slope * 1e3), -500, 500)))
    label = f"half {half * 1e3:.1f} mV, slope {slope * 1e3:.1f} mV"
    axes.plot(fine, shape * 1e9, color=_COLOURS[2], lw=1.2, label=label)
    axes.legend(frameon=False, fontsize=9)


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

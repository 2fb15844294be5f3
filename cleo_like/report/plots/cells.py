"""Cells side by side: what tells them apart in a step family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.sweep import ClampMode
from cleo_like.core.views.style import RESPONSE_COLOUR, house_style, trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from cleo_like.core import Recording, Sweep

_SPIKE_LEVEL = -0.020  # V: a sweep that rises above it is drawn as a spiking one
_COLUMNS = 3


def cells_figure(recordings: Sequence[Recording]) -> Figure:
    """Draw each cell's strongest sweep, its first spiking sweep, and its silent sweeps.

    Parameters
    ----------
    recordings : sequence of Recording
        Current-clamp step families, one per cell.

    Returns
    -------
    Figure
        One block of panels per cell.

    Raises
    ------
    InputError
        No recording, or sweeps without a commanded current.
    """
    from matplotlib.figure import Figure

    if not recordings:
        msg = "cells_figure needs at least one recording"
        raise InputError(msg)
    rows = -(-len(recordings) // _COLUMNS)
    with house_style():
        figure = Figure(figsize=(12.5, 4.6 * rows), layout="constrained")
        blocks = figure.subfigures(rows, _COLUMNS, squeeze=False).ravel()
        for block, recording in zip(blocks, recordings, strict=False):
            _cell(block, recording)
    return figure


def _cell(block: Any, recording: Recording) -> None:
    ladder = _ladder(recording)
    spiking = [k for k, (_, s) in enumerate(ladder) if s.response.max() > _SPIKE_LEVEL]
    silent = [k for k in range(len(ladder)) if k not in spiking]
    groups = [spiking[-1:], spiking[:1] if len(spiking) > 1 else [], silent]
    shown = [group for group in groups if group]
    panels = block.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axes, group in zip(panels, shown, strict=True):
        for k in group:
            sweep = ladder[k][1]
            trace(axes, sweep.time * 1e3, sweep.response * 1e3, colour=RESPONSE_COLOUR)
        low, high = ladder[group[0]][0] * 1e12, ladder[group[-1]][0] * 1e12
        label = f"{low:.0f} pA" if len(group) == 1 else f"{low:.0f} to {high:.0f} pA"
        axes.set_title(label, loc="right", fontsize=9)
        axes.set_ylabel("mV")
    panels[-1].set_xlabel("time (ms)")
    panels[-1].set_xlim(0, ladder[0][1].duration * 1e3)
    block.suptitle(recording.cell.id, fontsize=12, x=0.02, ha="left")


def _ladder(recording: Recording) -> list[tuple[float, Sweep]]:
    """Give (step amplitude, sweep), from the lowest to the highest step."""
    found = []
    for sweep in recording.sweeps:
        if sweep.command is None or sweep.mode is not ClampMode.CURRENT:
            msg = f"sweep {sweep.number} of {recording.cell.id} has no commanded current"
            raise InputError(msg)
        deviation = sweep.command - sweep.command[0]
        found.append((float(deviation[np.abs(deviation).argmax()]), sweep))
    if not found:
        msg = f"the recording of {recording.cell.id} has no sweeps to draw"
        raise InputError(msg)
    return sorted(found, key=lambda pair: pair[0])

"""Sweeps and protocols as people look at them, in mV, pA and ms.

The functions that end in ``_figure`` give a `matplotlib.figure.Figure` of their own, without
pyplot, so nothing is shown and no state is left behind; ``figure.savefig("name.png")`` writes
it. The ``plot_`` functions, which the methods ``plot`` call, draw where the user looks: into
the axes that are given, else into a new figure of pyplot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.views.page import card, drawn_or_none
from cleo_like.core.views.panels import (
    amplitude_bar,
    coloured,
    figure_of,
    given_axes,
    largest,
    new_figure,
    part_of,
    shown,
    stacked,
    time_axis,
)
from cleo_like.core.views.style import (
    COMMAND_COLOUR,
    RESPONSE_COLOUR,
    SPIKE_COLOUR,
    house_style,
    need_matplotlib,
    trace,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cleo_like.core.views.nouns import RecordingLike, SweepLike


_ACROSS = 3
"""Protocols beside each other: a screen has room for the labels of three."""
_MOST_PROTOCOLS = 9
"""Protocols of one figure; a file of an archive may have dozens of stimuli."""


def sweep_figure(recording: RecordingLike, index: int = 0) -> Figure:
    """Draw one sweep: response above, command below.

    Parameters
    ----------
    recording : Recording
        Any clamp mode.
    index : int
        Position of the sweep in the recording.

    Returns
    -------
    Figure
        Two panels over the same time.

    Raises
    ------
    InputError
        There is no such sweep.
    """
    if not -recording.n_sweeps <= index < recording.n_sweeps:
        msg = f"index must be below {recording.n_sweeps} (the number of sweeps), got {index}"
        raise InputError(msg)
    sweep = recording.sweeps[index]
    with house_style():
        panels = _panels([sweep])
        _response_and_command(panels, [sweep], [RESPONSE_COLOUR], [COMMAND_COLOUR])
        stimulus = f", {sweep.stimulus}" if sweep.stimulus else ""
        panels[0].set_title(f"{recording.cell.id}, sweep {sweep.number}{stimulus}")
    return figure_of(panels[0])


def family_figure(recording: RecordingLike) -> Figure:
    """Draw all sweeps over each other, coloured by their amplitude.

    Parameters
    ----------
    recording : Recording
        Sweeps of one clamp mode. The amplitude of a sweep is the largest deviation of its
        command from its first sample, where the commands of the sweeps differ.

    Returns
    -------
    Figure
        Responses above, commands below, and a bar of the amplitudes.

    Raises
    ------
    InputError
        No sweep, or several clamp modes.
    """
    with house_style():
        panels = _panels(recording.sweeps)
        _draw_family(panels, recording)
    return figure_of(panels[0])


def protocols_figure(recording: RecordingLike) -> Figure:
    """Draw each protocol of a recording in panels of its own.

    Parameters
    ----------
    recording : Recording
        Of several protocols, or of one, which is then drawn as `family_figure` does.

    Returns
    -------
    Figure
        Three protocols beside each other, at most nine.
    """
    from matplotlib.figure import Figure

    parts = recording.by_protocol()
    if len(parts) < 2:
        return family_figure(recording)
    n = min(len(parts), _MOST_PROTOCOLS)
    size = (4.2 * min(n, _ACROSS), 3.6 * -(-n // _ACROSS))
    figure = Figure(figsize=size, layout="constrained")
    truth = recording.truth
    _plot_protocols(recording, parts, None if truth is None else truth.spike_times, figure)
    return figure


def plot_recording(
    recording: RecordingLike, ax: Any = None, *, spikes: Sequence[np.ndarray] | None = None
) -> np.ndarray:
    """Draw sweeps where the user looks: responses above, commands below, spikes marked.

    Parameters
    ----------
    recording : Recording
        Sweeps of one clamp mode.
    ax : axes or two axes, optional
        Where to draw the responses, and the commands; a new figure of pyplot where not given.
    spikes : sequence of array, optional
        Times (s) of the spikes of each sweep, to be marked; those that a simulator knows
        where not given.

    Returns
    -------
    array of Axes
        Responses, and commands where they are drawn; a row for each protocol where a new
        figure shows several beside each other.

    Raises
    ------
    InputError
        No sweep, several clamp modes, or another number of sweeps in `spikes`.
    """
    if spikes is None and recording.truth is not None:
        spikes = recording.truth.spike_times
    if spikes is not None and len(spikes) != recording.n_sweeps:
        n = recording.n_sweeps
        msg = f"spikes must be one array for each of {n} sweeps, got {len(spikes)}"
        raise InputError(msg)
    parts = recording.by_protocol() if ax is None else {}
    if len(parts) > 1:
        return _plot_protocols(recording, parts, spikes)
    with house_style():
        panels = new_figure(_heights(recording.sweeps), 5.0) if ax is None else _given(ax)
        if recording.n_sweeps == 1:
            sweep = recording.sweeps[0]
            _response_and_command(panels, [sweep], [RESPONSE_COLOUR], [COMMAND_COLOUR])
            panels[0].set_title(f"{recording.cell.id}, sweep {sweep.number}")
        else:
            _draw_family(panels, recording)
        for sweep, times in zip(
            recording.sweeps, spikes if spikes is not None else (), strict=False
        ):
            _mark_spikes(panels[0], sweep, times)
    return np.array(panels, dtype=object)


def plot_sweep(
    sweep: SweepLike, ax: Any = None, *, spikes: np.ndarray | None = None
) -> np.ndarray:
    """Draw one sweep where the user looks: response above, command below.

    Parameters
    ----------
    sweep : Sweep
        Any clamp mode.
    ax : axes or two axes, optional
        Where to draw the response, and the command; a new figure of pyplot where not given.
    spikes : array, optional
        Times (s) of spikes to be marked.

    Returns
    -------
    array of Axes
        Response, and command where it is drawn.
    """
    with house_style():
        panels = new_figure(_heights([sweep]), 5.0) if ax is None else _given(ax)
        _response_and_command(panels, [sweep], [RESPONSE_COLOUR], [COMMAND_COLOUR])
        stimulus = f", {sweep.stimulus}" if sweep.stimulus else ""
        panels[0].set_title(f"sweep {sweep.number}{stimulus}")
        if spikes is not None:
            _mark_spikes(panels[0], sweep, spikes)
    return np.array(panels, dtype=object)


def _plot_protocols(
    recording: RecordingLike,
    parts: Mapping[str, RecordingLike],
    spikes: Sequence[np.ndarray] | None,
    figure: Figure | None = None,
) -> np.ndarray:
    """Draw each protocol in panels of its own, three beside each other."""
    need_matplotlib()
    from matplotlib import pyplot as plt

    by_number = {} if spikes is None else dict(
        zip((id(s) for s in recording.sweeps), spikes, strict=True)
    )  # fmt: skip
    some = list(parts.items())[:_MOST_PROTOCOLS]
    rows, across = -(-len(some) // _ACROSS), min(len(some), _ACROSS)
    heights = _heights(recording.sweeps)
    with house_style():
        if figure is None:
            size = (4.2 * across, 3.6 * rows)
            figure = plt.figure(figsize=size, layout="constrained")
        cells = figure.subfigures(rows, across, squeeze=False).ravel()
        drawn = []
        for (name, part), cell in zip(some, cells, strict=False):
            panels = stacked(heights, height=3.6, figure=cell)[1]
            _draw_family(panels, part)
            for sweep in part.sweeps:
                _mark_spikes(panels[0], sweep, by_number.get(id(sweep), np.zeros(0)))
            n = part.n_sweeps
            panels[0].set_title(f"{name}: {n} sweep{'s' if n != 1 else ''}", fontsize=11)
            drawn.append(panels)
        left = len(parts) - len(some)
        more = f" (and {left} more protocols)" if left else ""
        figure.suptitle(f"{recording.cell.id}{more}", x=0.01, ha="left", fontsize=12)
    return np.array(drawn, dtype=object)


def _given(ax: Any) -> list[Axes]:
    return [given_axes(panel) for panel in np.ravel(np.asarray(ax, dtype=object))]


def _mark_spikes(axes: Axes, sweep: SweepLike, times: np.ndarray) -> None:
    """Put a tick over each spike, at the highest sample of the millisecond after its time."""
    if len(times) == 0:
        return
    starts = np.clip((np.asarray(times) * sweep.rate).astype(int), 0, sweep.n_samples - 1)
    near = starts[:, None] + np.arange(max(2, round(1e-3 * sweep.rate)))
    values = sweep.response[np.minimum(near, sweep.n_samples - 1)]
    top = np.where(
        np.isnan(values).all(axis=1), np.nan, np.nanmax(values, axis=1, initial=-np.inf)
    )
    scale = shown(sweep.mode.response_unit)[2]
    axes.plot(
        np.asarray(times) * 1e3, top * scale, ls="none", marker=7, ms=5, color=SPIKE_COLOUR,
        zorder=3, clip_on=False,
    )  # fmt: skip


def _draw_family(panels: list[Axes], recording: RecordingLike) -> None:
    """Draw all sweeps over each other, coloured by their amplitude, with its scale."""
    modes = {str(sweep.mode) for sweep in recording.sweeps}
    if len(modes) != 1:
        msg = (
            f"a family needs sweeps of one clamp mode, {recording.cell.id} has "
            f"{', '.join(sorted(modes)) if modes else 'no sweeps'}"
        )
        raise InputError(msg)
    _, label, scale = shown(recording.sweeps[0].mode.command_unit)
    colours, norm = coloured(_amplitudes(recording.sweeps) * scale)
    _response_and_command(panels, recording.sweeps, colours, colours)
    panels[0].set_title(f"{recording.cell.id}: {recording.n_sweeps} sweeps")
    amplitude_bar(panels, norm, label)


def _heights(sweeps: Sequence[SweepLike]) -> list[float]:
    return [3.0, 1.0] if any(sweep.command is not None for sweep in sweeps) else [1.0]


def _panels(sweeps: Sequence[SweepLike]) -> list[Axes]:
    return stacked(_heights(sweeps), height=5.0)[1]


def _response_and_command(
    panels: list[Axes],
    sweeps: Sequence[SweepLike],
    response_colours: list[Any],
    command_colours: list[Any],
) -> None:
    """Draw responses above commands, which are left out where there is no second panel."""
    mode = sweeps[0].mode
    for sweep, upper, lower in zip(sweeps, response_colours, command_colours, strict=True):
        time = sweep.time * 1e3
        trace(panels[0], time, sweep.response * shown(mode.response_unit)[2], colour=upper)
        if sweep.command is not None and len(panels) > 1:
            command = sweep.command * shown(mode.command_unit)[2]
            trace(panels[1], time, command, colour=lower)
    for axes, unit in zip(panels, (mode.response_unit, mode.command_unit), strict=False):
        what, label, _ = shown(unit)
        axes.set_ylabel(f"{what} ({label})")
    time_axis(panels[-1], max(sweep.duration for sweep in sweeps))
    part_of(panels[0]).align_ylabels(panels)


def _amplitudes(sweeps: Sequence[SweepLike]) -> np.ndarray:
    """Give the amplitude of each sweep (SI); NaN where commands cannot be compared."""
    commands = [sweep.command for sweep in sweeps if sweep.command is not None]
    if len(commands) < len(sweeps) or len({command.size for command in commands}) != 1:
        return np.full(len(sweeps), np.nan)
    stacked = np.stack(commands)
    return largest(stacked, stacked[:, :1])


def sweep_card(sweep: SweepLike) -> str:
    """Make what a notebook shows of a sweep."""

    def draw() -> Figure:
        with house_style():
            panels = _panels([sweep])
            _response_and_command(panels, [sweep], [RESPONSE_COLOUR], [COMMAND_COLOUR])
        return figure_of(panels[0])

    facts = {"stimulus": sweep.stimulus, **sweep.settings, "notes": "; ".join(sweep.notes)}
    return card(repr(sweep), facts, drawn_or_none(draw) if sweep.n_samples else None)


def _protocols(recording: RecordingLike) -> list[str]:
    """Name the protocol, or those that were played one after the other."""
    one = recording.protocol
    return [p.name for p in recording.protocols] if one is None else [one.name]


def recording_card(recording: RecordingLike) -> str:
    """Make what a notebook shows of a recording."""
    one_mode = len({sweep.mode for sweep in recording.sweeps}) == 1
    cell = recording.cell
    facts = {
        **{name: getattr(cell, name) for name in ("species", "region", "donor")},
        "source": recording.provenance.source,
        "protocol": ", ".join(_protocols(recording)),
        "truth": None if recording.truth is None else repr(recording.truth),
        "findings": "; ".join(recording.findings),
    }

    def draw() -> Figure | None:
        parts = recording.by_protocol()
        if len(parts) > 1 and all(len({s.mode for s in p.sweeps}) == 1 for p in parts.values()):
            return protocols_figure(recording)
        return family_figure(recording) if one_mode else None

    return card(repr(recording), facts, drawn_or_none(draw))

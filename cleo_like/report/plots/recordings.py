"""Figures of protocols, recordings and reliefs, in mV, pA and ms.

Every function gives a `matplotlib.figure.Figure` of its own; pyplot is not used, so nothing
is shown and no state is left behind. ``figure.savefig("name.png")`` writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.units.table import shown_unit
from cleo_like.report.plots.style import (
    COMMAND_COLOUR,
    CURRENT_MAP,
    RESPONSE_COLOUR,
    VOLTAGE_MAP,
    house_style,
    sweep_image,
    trace,
)
from cleo_like.stimuli.images.raster import area_average

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure

    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording
    from cleo_like.core.sweep import Sweep

_WHAT = {"A": "current", "V": "potential", "?": "signal"}


def protocol_figure(protocol: Protocol) -> Figure:
    """Draw the commands of a protocol: over each other, or as an image if it is a picture.

    Parameters
    ----------
    protocol : Protocol
        Any.

    Returns
    -------
    Figure
        One panel, with the epochs marked.

    Examples
    --------
    >>> from cleo_like.stimuli import long_square
    >>> figure = protocol_figure(long_square(["-50 pA", "100 pA"], rate="10 kHz"))
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['current (pA)', 'amplitude (pA)']
    """
    with house_style():
        figure, (axes,) = _stack([1.0], height=3.2 if protocol.picture is None else 4.4)
        what, label, scale = _shown(protocol.mode.command_unit)
        scaled, milliseconds = protocol.waveforms * scale, protocol.duration * 1e3
        if protocol.picture is not None:
            most = min(1200, protocol.n_samples)
            sweep_image(
                axes, area_average(scaled, most, axis=1), CURRENT_MAP, f"{what} ({label})",
                milliseconds,
            )  # fmt: skip
            axes.set_ylabel("row (sweep)")
        else:
            _overlay(axes, protocol, scaled)
            axes.set_ylabel(f"{what} ({label})")
            _time_axis(axes, protocol.duration)
        _mark_epochs(axes, protocol)
        n = protocol.n_sweeps
        axes.set_title(f"{protocol.name}: {n} sweep{'s' if n != 1 else ''}", pad=20)
    return figure


def _shown(unit: str) -> tuple[str, str, float]:
    """Name what has this SI unit, give the unit to show it in, and how many make one SI."""
    text, size = shown_unit(unit)
    return _WHAT[unit], text.strip("()"), 1 / size


def _overlay(axes: Axes, protocol: Protocol, scaled: np.ndarray) -> None:
    """Draw commands over each other; steps are coloured by their amplitude."""
    rest = protocol.holding * _shown(protocol.mode.command_unit)[2]
    amplitudes = _largest(scaled, rest) if protocol.is_steps else np.zeros(len(scaled))
    colours, norm = _coloured(amplitudes)
    for colour, row in zip(colours, scaled, strict=True):
        trace(axes, protocol.time * 1e3, row, colour=colour)
    _amplitude_bar(_figure_of(axes), [axes], norm, _shown(protocol.mode.command_unit)[1])


def sweep_figure(recording: Recording, index: int = 0) -> Figure:
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
        panels = _response_and_command([sweep], [RESPONSE_COLOUR], [COMMAND_COLOUR])
        stimulus = f", {sweep.stimulus}" if sweep.stimulus else ""
        panels[0].set_title(f"{recording.cell.id}, sweep {sweep.number}{stimulus}")
    return _figure_of(panels[0])


def family_figure(recording: Recording) -> Figure:
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
    modes = {str(sweep.mode) for sweep in recording.sweeps}
    if len(modes) != 1:
        msg = (
            f"a family needs sweeps of one clamp mode, {recording.cell.id} has "
            f"{', '.join(sorted(modes)) if modes else 'no sweeps'}"
        )
        raise InputError(msg)
    mode = recording.sweeps[0].mode
    _, label, scale = _shown(mode.command_unit)
    with house_style():
        amplitudes = _amplitudes(recording.sweeps) * scale
        colours, norm = _coloured(amplitudes)
        panels = _response_and_command(recording.sweeps, colours, colours)
        panels[0].set_title(f"{recording.cell.id}: {recording.n_sweeps} sweeps")
        figure = _figure_of(panels[0])
        _amplitude_bar(figure, panels, norm, label)
    return figure


def _response_and_command(
    sweeps: Sequence[Sweep], response_colours: list[Any], command_colours: list[Any]
) -> list[Axes]:
    """Draw responses above commands; the command panel is left out where there is none."""
    mode = sweeps[0].mode
    with_command = any(sweep.command is not None for sweep in sweeps)
    figure, panels = _stack([3.0, 1.0] if with_command else [1.0], height=5.0)
    for sweep, upper, lower in zip(sweeps, response_colours, command_colours, strict=True):
        time = sweep.time * 1e3
        trace(panels[0], time, sweep.response * _shown(mode.response_unit)[2], colour=upper)
        if sweep.command is not None:
            command = sweep.command * _shown(mode.command_unit)[2]
            trace(panels[1], time, command, colour=lower)
    for axes, unit in zip(panels, (mode.response_unit, mode.command_unit), strict=False):
        what, label, _ = _shown(unit)
        axes.set_ylabel(f"{what} ({label})")
    _time_axis(panels[-1], max(sweep.duration for sweep in sweeps))
    figure.align_ylabels(panels)
    return panels


def _stack(heights: list[float], *, height: float) -> tuple[Figure, list[Axes]]:
    """Make a figure of panels over each other with one time axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, height), layout="constrained")
    grid = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    return figure, list(grid[:, 0])


def _figure_of(axes: Axes) -> Figure:
    from matplotlib.figure import Figure

    figure = axes.get_figure()
    if not isinstance(figure, Figure):  # a panel of a sub-figure
        msg = f"expected a panel of a figure, got one of {figure!r}"
        raise InputError(msg)
    return figure


def _time_axis(axes: Axes, duration: float) -> None:
    axes.set_xlabel("time (ms)")
    axes.set_xlim(0, duration * 1e3)


def _amplitudes(sweeps: Sequence[Sweep]) -> np.ndarray:
    """Give the amplitude of each sweep (SI); NaN where commands cannot be compared."""
    commands = [sweep.command for sweep in sweeps if sweep.command is not None]
    if len(commands) < len(sweeps) or len({command.size for command in commands}) != 1:
        return np.full(len(sweeps), np.nan)
    stacked = np.stack(commands)
    return _largest(stacked, stacked[:, :1])


def _largest(commands: np.ndarray, rest: np.ndarray | float) -> np.ndarray:
    """Give the largest deviation from rest, with its sign, where the sweeps differ.

    What all sweeps have in common (a test pulse) does not tell them apart.
    """
    varied = np.ptp(commands, axis=0) > 1e-9 * np.abs(commands).max(initial=0.0)
    deviation = np.where(varied, commands - rest, 0.0)
    return deviation[np.arange(len(deviation)), np.abs(deviation).argmax(axis=1)]


def _coloured(amplitudes: np.ndarray) -> tuple[list[Any], Normalize | None]:
    """Give a colour for each amplitude, and their scale where they differ."""
    from matplotlib.colors import Normalize

    known = amplitudes[np.isfinite(amplitudes)]
    if known.size == 0 or np.ptp(known) <= 1e-6 * np.abs(known).max():
        return [RESPONSE_COLOUR] * len(amplitudes), None
    norm = Normalize(known.min(), known.max())
    shown = _amplitude_map()
    return [shown(norm(a)) if np.isfinite(a) else "0.5" for a in amplitudes], norm


def _amplitude_map() -> Colormap:
    """Give the map without its palest tenth, which is hard to see on white."""
    import matplotlib as mpl
    from matplotlib.colors import LinearSegmentedColormap

    shades = mpl.colormaps[VOLTAGE_MAP](np.linspace(0, 0.9, 256))
    return LinearSegmentedColormap.from_list("amplitude", shades)


def _amplitude_bar(
    figure: Figure, panels: list[Axes], norm: Normalize | None, label: str
) -> None:
    """Add the scale of the colours."""
    from matplotlib.cm import ScalarMappable

    if norm is None:
        return
    bar = figure.colorbar(
        ScalarMappable(norm, _amplitude_map()), ax=panels, pad=0.02, aspect=30
    )
    bar.set_label(f"amplitude ({label})")
    bar.outline.set_visible(False)


def _mark_epochs(axes: Axes, protocol: Protocol) -> None:
    """Name the epochs above the panel; neighbours of one name share it."""
    for name, start, stop in _merged(protocol):
        left, right = start / protocol.rate * 1e3, stop / protocol.rate * 1e3
        axes.axvspan(left, right, ymin=0.985, ymax=1.0, color="0.35", linewidth=0)
        axes.annotate(
            name.replace("_", " "), ((left + right) / 2, 1.0),
            xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
            ha="center", fontsize=9, color="0.25",
        )  # fmt: skip


def _merged(protocol: Protocol) -> list[tuple[str, int, int]]:
    """Join epochs of one name (the pulses of a train), and leave out a filter's spread."""
    joined: list[tuple[str, int, int]] = []
    for epoch in protocol.epochs:
        if epoch.name in ("lead_in", "lead_out"):
            continue
        if joined and joined[-1][0] == epoch.name:
            joined[-1] = (epoch.name, joined[-1][1], epoch.stop)
        else:
            joined.append((epoch.name, epoch.start, epoch.stop))
    return joined

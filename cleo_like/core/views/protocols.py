"""Protocols as people look at them: commands over each other, or the picture that they draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.views.page import card, drawn_or_none
from cleo_like.core.views.panels import (
    amplitude_bar,
    coloured,
    given_axes,
    largest,
    new_figure,
    shown,
    stacked,
    time_axis,
)
from cleo_like.core.views.style import CURRENT_MAP, house_style, sweep_image, trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cleo_like.core.views.nouns import ProtocolLike


def protocol_figure(protocol: ProtocolLike) -> Figure:
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
        figure, (axes,) = stacked([1.0], height=_height(protocol))
        _draw_protocol(axes, protocol)
    return figure


def plot_protocol(protocol: ProtocolLike, ax: Axes | None = None) -> Axes:
    """Draw the commands of a protocol where the user looks.

    Parameters
    ----------
    protocol : Protocol
        Any.
    ax : matplotlib axes, optional
        Where to draw; a new figure of pyplot where not given.

    Returns
    -------
    Axes
    """
    with house_style():
        axes = new_figure([1.0], _height(protocol))[0] if ax is None else given_axes(ax)
        _draw_protocol(axes, protocol)
    return axes


def _draw_protocol(axes: Axes, protocol: ProtocolLike) -> None:
    what, label, scale = shown(protocol.mode.command_unit)
    scaled, milliseconds = protocol.waveforms * scale, protocol.duration * 1e3
    if protocol.picture is not None:
        sweep_image(axes, _narrowed(scaled), CURRENT_MAP, f"{what} ({label})", milliseconds)
        axes.set_ylabel("row (sweep)")
        axes.set_box_aspect(_panel_shape(protocol))
    else:
        _overlay(axes, protocol, scaled)
        axes.set_ylabel(f"{what} ({label})")
        time_axis(axes, protocol.duration)
    _mark_epochs(axes, protocol)
    n = protocol.n_sweeps
    axes.set_title(f"{protocol.name}: {n} sweep{'s' if n != 1 else ''}", pad=20)


def picture_shape(protocol: ProtocolLike) -> float | None:
    """Give height over width of the picture as drawn (after turning); None where unknown."""
    known = protocol.parameters.get("picture") if protocol.parameters else None
    if not isinstance(known, Mapping) or len(known.get("shape", ())) != 2:
        return None
    height, width = (float(size) for size in known["shape"])
    angle = np.radians(float(protocol.parameters.get("rotate", 0)))
    along, across = abs(np.cos(angle)), abs(np.sin(angle))
    return float((height * along + width * across) / (width * along + height * across))


def _panel_shape(protocol: ProtocolLike) -> float | None:
    """Give height over width of whole sweeps, so that the picture in them has its own shape."""
    shape = picture_shape(protocol)
    drawn = [e.stop - e.start for e in protocol.epochs if e.name == "picture"]
    if shape is None or not drawn:
        return None
    return shape * drawn[0] / protocol.waveforms.shape[1]


def _height(protocol: ProtocolLike) -> float:
    """Give the height (inches) of the figure of a protocol."""
    if protocol.picture is None:
        return 3.2
    shape = _panel_shape(protocol)
    return 4.4 if shape is None else min(max(7.0 * shape, 1.5), 8.0) + 1.8


def _narrowed(rows: np.ndarray, most: int = 1200) -> np.ndarray:
    """Means of so many samples that a row is not wider than a screen."""
    per = -(-rows.shape[1] // most)
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % per)), mode="edge")
    return padded.reshape(len(rows), -1, per).mean(axis=2)


def _overlay(axes: Axes, protocol: ProtocolLike, scaled: np.ndarray) -> None:
    """Draw commands over each other; steps are coloured by their amplitude."""
    rest = protocol.holding * shown(protocol.mode.command_unit)[2]
    amplitudes = largest(scaled, rest) if protocol.is_steps else np.zeros(len(scaled))
    colours, norm = coloured(amplitudes)
    for colour, row in zip(colours, scaled, strict=True):
        trace(axes, protocol.time * 1e3, row, colour=colour)
    amplitude_bar([axes], norm, shown(protocol.mode.command_unit)[1])


def _mark_epochs(axes: Axes, protocol: ProtocolLike) -> None:
    """Name the epochs above the panel; neighbours of one name share it."""
    for name, start, stop in _merged(protocol):
        left, right = start / protocol.rate * 1e3, stop / protocol.rate * 1e3
        axes.axvspan(left, right, ymin=0.985, ymax=1.0, color="0.35", linewidth=0)
        axes.annotate(
            name.replace("_", " "), ((left + right) / 2, 1.0),
            xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
            ha="center", fontsize=9, color="0.25",
        )  # fmt: skip


def _merged(protocol: ProtocolLike) -> list[tuple[str, int, int]]:
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


def protocol_card(protocol: ProtocolLike) -> str:
    """Make what a notebook shows of a protocol."""
    facts = {
        "family": protocol.family,
        "source": protocol.source,
        "epochs": ", ".join(dict.fromkeys(e.name for e in protocol.epochs)),
        **{k: v for k, v in protocol.parameters.items() if np.ndim(v) == 0},
    }
    return card(repr(protocol), facts, drawn_or_none(lambda: protocol_figure(protocol)))

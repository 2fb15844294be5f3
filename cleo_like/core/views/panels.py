"""Panels over one time axis, and colours of amplitudes with their scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.units.table import shown_unit
from cleo_like.core.views.style import RESPONSE_COLOUR, VOLTAGE_MAP, need_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure

_WHAT = {"A": "current", "V": "potential", "?": "signal"}


def shown(unit: str) -> tuple[str, str, float]:
    """Name what has this SI unit, give the unit to show it in, and how many make one SI."""
    text, size = shown_unit(unit)
    return _WHAT[unit], text.strip("()"), 1 / size


def new_figure(heights: list[float], height: float) -> list[Axes]:
    """Make a new figure of pyplot, which notebooks and windows show."""
    need_matplotlib()
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(8.5, height), layout="constrained")
    return stacked(heights, height=height, figure=figure)[1]


def new_axes(width: float, height: float) -> Axes:
    """Make axes in a new figure of pyplot, of this size (inches)."""
    need_matplotlib()
    from matplotlib import pyplot as plt

    return plt.figure(figsize=(width, height), layout="constrained").subplots()


def given_axes(ax: Any) -> Axes:
    """Give the axes that a user named; what is none is refused before anything is drawn."""
    if not hasattr(ax, "set_xlabel"):
        msg = f"ax must be axes of matplotlib (figure, ax = plt.subplots()), got {ax!r:.60}"
        raise InputError(msg)
    return ax


def stacked(
    heights: list[float], *, height: float, figure: Any = None
) -> tuple[Any, list[Axes]]:
    """Make a figure of panels over each other with one time axis."""
    from matplotlib.figure import Figure

    if figure is None:
        figure = Figure(figsize=(8.5, height), layout="constrained")
    grid = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    return figure, list(grid[:, 0])


def figure_of(axes: Axes) -> Figure:
    """Give the figure of a panel, the whole one also where the panel is in a part of it."""
    from matplotlib.figure import Figure

    part = part_of(axes)
    figure = getattr(part, "figure", part)
    if not isinstance(figure, Figure):
        msg = f"expected a panel of a figure, got one of {figure!r}"
        raise InputError(msg)
    return figure


def part_of(axes: Axes) -> Any:
    """Give the figure, or the part of one, that a panel is in."""
    return axes.figure


def time_axis(axes: Axes, duration: float) -> None:
    """Label the axis of time (ms), over a duration (s)."""
    axes.set_xlabel("time (ms)")
    axes.set_xlim(0, duration * 1e3)


def largest(commands: np.ndarray, rest: np.ndarray | float) -> np.ndarray:
    """Give the largest deviation from rest, with its sign, where the sweeps differ.

    What all sweeps have in common (a test pulse) does not tell them apart.
    """
    varied = np.ptp(commands, axis=0) > 1e-9 * np.abs(commands).max(initial=0.0)
    deviation = np.where(varied, commands - rest, 0.0)
    return deviation[np.arange(len(deviation)), np.abs(deviation).argmax(axis=1)]


def coloured(amplitudes: np.ndarray) -> tuple[list[Any], Normalize | None]:
    """Give a colour for each amplitude, and their scale where they differ."""
    from matplotlib.colors import Normalize

    known = amplitudes[np.isfinite(amplitudes)]
    if known.size == 0 or np.ptp(known) <= 1e-6 * np.abs(known).max():
        return [RESPONSE_COLOUR] * len(amplitudes), None
    norm = Normalize(known.min(), known.max())
    shown = amplitude_map()
    return [shown(norm(a)) if np.isfinite(a) else "0.5" for a in amplitudes], norm


def amplitude_map() -> Colormap:
    """Give the map without its palest tenth, which is hard to see on white."""
    import matplotlib as mpl
    from matplotlib.colors import LinearSegmentedColormap

    shades = mpl.colormaps[VOLTAGE_MAP](np.linspace(0, 0.9, 256))
    return LinearSegmentedColormap.from_list("amplitude", shades)


def amplitude_bar(panels: list[Axes], norm: Normalize | None, label: str) -> None:
    """Add the scale of the colours."""
    from matplotlib.cm import ScalarMappable

    if norm is None:
        return
    scale = ScalarMappable(norm, amplitude_map())
    bar = part_of(panels[0]).colorbar(scale, ax=panels, pad=0.02, aspect=30)
    bar.set_label(f"amplitude ({label})")
    bar.outline.set_visible(False)

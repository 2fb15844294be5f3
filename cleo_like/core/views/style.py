"""One look for all figures: sizes, colours, and traces thinned for the screen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import missing_package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

VOLTAGE_MAP = "viridis"
CURRENT_MAP = "cividis"
"""Perceptually uniform maps; readable in grey and with colour-vision deficiency."""
RESPONSE_COLOUR = "#1f3b73"
COMMAND_COLOUR = "#8a5a00"
SPIKE_COLOUR = "#b3261e"

_RC: Any = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "lines.linewidth": 1.0,
    "lines.solid_joinstyle": "round",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the settings of the house, and put back those of the user."""
    need_matplotlib()
    import matplotlib as mpl

    # not rc_context, which also puts back what a notebook's backend sets with its first figure
    before = {name: mpl.rcParams[name] for name in _RC}
    mpl.rcParams.update(_RC)
    try:
        yield
    finally:
        mpl.rcParams.update(before)


def need_matplotlib() -> None:
    """Say that figures need matplotlib, where it is not installed.

    Raises
    ------
    MissingPackageError
        It is not.
    """
    try:
        import matplotlib as mpl  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_package("matplotlib", "a figure") from error


def thinned(
    time: np.ndarray, values: np.ndarray, most: int = 3000
) -> tuple[np.ndarray, np.ndarray]:
    """Reduce a trace to the lowest and highest sample of each stretch, in their order.

    A line through them covers the same pixels as the whole trace, spikes included.

    Parameters
    ----------
    time, values : array, shape (n,)
        The trace.
    most : int
        Largest number of points that is returned.

    Examples
    --------
    >>> values = np.zeros(1000)
    >>> values[537] = 1.0
    >>> t, v = thinned(np.arange(1000.0), values, most=20)
    >>> float(t[v == 1.0][0]), t.size <= 20
    (537.0, True)
    """
    if values.size <= most:
        return time, values
    stretches = max(most // 2, 1)
    length = -(-values.size // stretches)
    padded = np.pad(values, (0, -values.size % length), mode="edge").reshape(-1, length)
    lowest = np.where(np.isnan(padded), np.inf, padded).argmin(axis=1)
    highest = np.where(np.isnan(padded), -np.inf, padded).argmax(axis=1)
    at = np.sort(np.stack([lowest, highest], axis=1), axis=1)
    at = (at + np.arange(len(padded))[:, np.newaxis] * length).ravel()
    at = np.minimum(at, values.size - 1)
    return time[at], values[at]


def trace(
    axes: Axes, time: np.ndarray, values: np.ndarray, *, colour: str, **options: Any
) -> None:
    """Draw a trace, thinned."""
    axes.plot(*thinned(time, values), color=colour, **options)


def sweep_image(
    axes: Axes,
    values: np.ndarray,
    colours: str,
    label: str,
    duration: float,
    *,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw values of (sweeps, time) as an image with its scale of colours below."""
    rows = values.shape[0]
    low, high = limits if limits is not None else (None, None)
    drawn = axes.imshow(
        values, cmap=colours, aspect="auto", interpolation="nearest", vmin=low, vmax=high,
        extent=(0, duration, rows - 0.5, -0.5),
    )  # fmt: skip
    figure: Any = axes.figure
    bar = figure.colorbar(drawn, ax=axes, location="bottom", pad=0.02, aspect=35)
    bar.set_label(label)
    bar.outline.set_visible(False)
    axes.set_xlabel("time (ms)")

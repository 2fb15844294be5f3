"""What devices of a closed loop kept: numbers over time, drawn and handed to other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.plugins import needed
from cleo_like.core.views.page import card, drawn_or_none
from cleo_like.core.views.panels import amplitude_map, given_axes, new_axes
from cleo_like.core.views.style import RESPONSE_COLOUR, house_style, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHOWN = {"V": ("mV", 1e3), "A": ("pA", 1e12), "Hz": ("Hz", 1.0)}
_NAMED = 6  # lines that a legend tells apart


def shown_samples(values: np.ndarray, unit: str) -> tuple[np.ndarray, str]:
    """Give samples, shape (n, n_columns), in the unit that people read, and that unit."""
    text, scale = _SHOWN.get(unit, ("", 1.0))
    rows = np.asarray(values, dtype=float)
    return scale * rows.reshape(len(rows), -1), text


def plot_history(
    times: np.ndarray,
    values: np.ndarray,
    *,
    name: str,
    quantity: str,
    unit: str,
    ax: Axes | None = None,
    steps: bool = False,
    most: int = 20,
) -> Axes:
    """Draw what a device kept, a line for each column.

    Parameters
    ----------
    times : array, shape (n,)
        Times (s).
    values : array, shape (n,) or (n, n_columns)
        Samples (SI).
    name, quantity, unit : str
        Of the device; what the values are, and in which SI unit ("V", "Hz", "1").
    ax : matplotlib axes, optional
        Where to draw; a new figure of pyplot where not given.
    steps : bool
        Whether a value holds until the next.
    most : int
        Largest number of lines; of more columns, so many evenly spaced ones.

    Returns
    -------
    Axes
    """
    if most < 1:
        msg = f"most must be 1 or more, got {most}"
        raise InputError(msg)
    rows, text = shown_samples(values, unit)
    n = rows.shape[1] if rows.size else 0
    columns = np.unique(np.linspace(0, max(n - 1, 0), most).astype(int))[:n]
    with house_style():
        axes = new_axes(8.0, 3.0) if ax is None else given_axes(ax)
        style: dict[str, Any] = {"drawstyle": "steps-post"} if steps else {}
        for column, colour in zip(columns.tolist(), _colours(len(columns)), strict=True):
            trace(axes, times, rows[:, column], colour=colour, label=str(column), **style)
        axes.set_xlabel("time (s)")
        axes.set_ylabel(f"{quantity} ({text})" if text else quantity)
        some = "" if len(columns) == n else f" ({len(columns)} of {n})"
        axes.set_title(f"{name}{some}")
        if 1 < len(columns) <= _NAMED:
            axes.legend(frameon=False, ncols=len(columns), fontsize=9)
    return axes


def _colours(n: int) -> list[Any]:
    """Give a colour for each line: the house's for one, told apart while a legend can."""
    if n == 1:
        return [RESPONSE_COLOUR]
    if n <= _NAMED:
        return [f"C{k}" for k in range(n)]
    return [amplitude_map()(k / (n - 1)) for k in range(n)]


def history_frame(
    times: np.ndarray, values: np.ndarray, *, name: str, unit: str
) -> pd.DataFrame:
    """Give a table with a row for each sample (index ``time_s``), in mV, pA or Hz.

    One number a sample has the name of the device with its unit; several are columns 0, 1, ...
    """
    import pandas as pd

    rows, text = shown_samples(values, unit)
    one = np.ndim(values) == 1
    columns: list[Any] = (
        [f"{name}_{text}" if text else name] if one else [*range(rows.shape[1])]
    )
    return pd.DataFrame(rows, index=pd.Index(times, name="time_s"), columns=columns)


def history_array(
    times: np.ndarray, values: np.ndarray, *, name: str, unit: str
) -> xr.DataArray:
    """Give a labelled array over (time) or (time, channel), in SI with the unit in ``attrs``.

    Raises
    ------
    UnsupportedError
        xarray is not installed.
    """
    xr = needed("xarray", "xarray")
    rows = np.asarray(values, dtype=float)
    over = ("time", "channel")[: rows.ndim]
    coords: dict[str, Any] = {"time": ("time", np.asarray(times), {"units": "s"})}
    if rows.ndim == 2:
        coords["channel"] = np.arange(rows.shape[1])
    return xr.DataArray(rows, dims=over, coords=coords, name=name, attrs={"units": unit})


def device_card(
    line: str, facts: Mapping[str, object], draw: Callable[[Axes], object] | None
) -> str:
    """Make what a notebook shows of a device; without `draw` it has no picture."""

    def drawn() -> Figure | None:
        from matplotlib.figure import Figure

        if draw is None:
            return None
        figure = Figure(figsize=(8.0, 3.6), layout="constrained")
        with house_style():
            draw(figure.subplots())
        return figure

    return card(line, facts, drawn_or_none(drawn))


def simulator_card(line: str, devices: Sequence[tuple[str, str]]) -> str:
    """Make what a notebook shows of a network with devices: their names and lines."""
    return card(line, dict(devices))

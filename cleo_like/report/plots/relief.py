"""The figure of a relief: picture, current, potential as image and surface, and traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.views.protocols import picture_shape
from cleo_like.core.views.style import (
    CURRENT_MAP,
    RESPONSE_COLOUR,
    VOLTAGE_MAP,
    house_style,
    sweep_image,
    thinned,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from mpl_toolkits.mplot3d import Axes3D

    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording
    from cleo_like.stimuli.images.relief import Agreement, Relief


def relief_figure(
    relief: Relief, recording: Recording, *, protocol: Protocol | None = None
) -> Figure:
    """Draw a picture and what the membrane made of it.

    Above: the relief as a surface, and the traces of all rows. Below, in the shape of the
    picture: the picture, the current that drew it, the relief (mean potential of each column,
    not shifted).

    Parameters
    ----------
    relief : Relief
        What `stimuli.relief` found.
    recording : Recording
        The recording it was found in.
    protocol : Protocol, optional
        The picture protocol; None is `recording.protocol`.

    Returns
    -------
    Figure
        The surface and the traces above, three images below.

    Raises
    ------
    InputError
        The protocol is unknown.
    """
    from matplotlib.figure import Figure

    used = protocol if protocol is not None else recording.protocol
    if used is None:
        msg = f"the recording of {recording.cell.id} knows no protocol; give protocol="
        raise InputError(msg)
    with house_style():
        tall = picture_shape(used)
        below = min(max(3.9 * (tall if tall is not None else 0.7), 2.0), 5.5) + 1.3
        figure = Figure(figsize=(12.5, 5.4 + below), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=[5.4, below])
        images = lower.subplots(1, 3)
        duration = _drawn(used) * 1e3
        sweep_image(images[0], relief.picture, "gray", "grey value", duration, limits=(0, 1))
        sweep_image(images[1], _current_image(used), CURRENT_MAP, "current (pA)", duration)
        sweep_image(images[2], relief.voltage * 1e3, VOLTAGE_MAP, "potential (mV)", duration)
        for axes in images:
            axes.set_box_aspect(tall)
        images[0].set_ylabel("row (sweep)")
        images[0].set_title("picture")
        images[1].set_title("current")
        images[2].set_title(f"relief: {_numbers(relief.direct)}")
        grid = upper.add_gridspec(1, 2, width_ratios=[1.15, 1.0])
        surface = upper.add_subplot(grid[0], projection="3d")
        _surface(surface, relief.voltage * 1e3, duration)
        _stacked(upper.add_subplot(grid[1]), recording, used)
    return figure


def comparison_figure(relief: Relief) -> Figure:
    """Draw the picture beside the relief in its grey values, without and with the best delay.

    Parameters
    ----------
    relief : Relief
        What `stimuli.relief` found.

    Returns
    -------
    Figure
        Three panels, and a bar of the grey values.
    """
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(12.5, 3.6), layout="constrained")
        panels = figure.subplots(1, 3, sharex=True, sharey=True)
        shown = (
            ("picture", relief.picture),
            (f"as recorded: {_numbers(relief.direct)}", relief.fitted),
            (
                f"{relief.lag * 1e3:.3g} ms earlier: {_numbers(relief.best)}",
                relief.best.fitted,
            ),
        )
        for axes, (title, values) in zip(panels, shown, strict=True):
            drawn = axes.imshow(
                values, cmap="gray", vmin=0, vmax=1, aspect="auto", interpolation="nearest"
            )
            axes.set_title(title)
            axes.set_xlabel("column")
        panels[0].set_ylabel("row (sweep)")
        bar = figure.colorbar(drawn, ax=panels, pad=0.01, aspect=18)
        bar.set_label("grey value")
        bar.outline.set_visible(False)
    return figure


def _numbers(agreement: Agreement) -> str:
    return f"r {agreement.correlation:.3f}, SSIM {agreement.ssim:.3f}"


def _drawn(protocol: Protocol) -> float:
    """Give the time in which a row is drawn (s)."""
    epoch = protocol.epoch("picture")
    return (epoch.stop - epoch.start) / protocol.rate


def _current_image(protocol: Protocol) -> np.ndarray:
    """Average the command (pA) of the picture over at most 600 stretches."""
    from cleo_like.stimuli.images.raster import area_average

    epoch = protocol.epoch("picture")
    command = protocol.waveforms[:, epoch.start : epoch.stop] * 1e12
    return area_average(command, min(600, command.shape[1]), axis=1)


def _surface(axes: Axes3D, potential: np.ndarray, duration: float) -> None:
    rows, columns = potential.shape
    time, row = np.meshgrid((np.arange(columns) + 0.5) / columns * duration, np.arange(rows))
    axes.plot_surface(
        time, row, potential, cmap=VOLTAGE_MAP, rcount=120, ccount=160, linewidth=0,
        antialiased=False,
    )  # fmt: skip
    axes.set_xlim(0, duration)
    axes.set_ylim(rows - 1 if rows > 1 else 1, 0)
    axes.view_init(elev=48, azim=-78)
    axes.set_box_aspect((1.5, 1.1, 0.42), zoom=1.15)
    axes.set_xlabel("time (ms)", labelpad=6)
    axes.set_ylabel("row (sweep)", labelpad=6)
    axes.set_zlabel("potential (mV)", labelpad=4)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.pane.set_visible(False)
    axes.locator_params(axis="z", nbins=4)
    axes.grid(visible=False)


def _stacked(axes: Axes, recording: Recording, protocol: Protocol) -> None:
    """Draw the rows of the picture under each other."""
    epoch = protocol.epoch("picture")
    start, stop = epoch.start / protocol.rate, epoch.stop / protocol.rate
    rows = [_window(sweep.response, sweep.rate, start, stop) for sweep in recording.sweeps]
    swing = max(float(np.nanmax(row) - np.nanmin(row)) for row in rows) * 1e3
    swing = swing if swing > 0 else 1.0  # a dead cell
    step = swing / 3
    level = float(np.nanmedian(np.concatenate(rows)))
    for k, (row, sweep) in enumerate(zip(rows, recording.sweeps, strict=True)):
        time = np.arange(row.size) / sweep.rate * 1e3
        lifted = (row - level) * 1e3 - k * step
        t, v = thinned(time, lifted, most=1500)
        # each row covers those behind it, as hills do
        axes.fill_between(t, v, v.min() - 3 * step, color="white", linewidth=0, zorder=k + 1)
        axes.plot(t, v, color=RESPONSE_COLOUR, linewidth=0.7, zorder=k + 1.5)
    marks = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), 7)).round().astype(int))
    axes.set_yticks(-marks * step, labels=[str(mark) for mark in marks])
    axes.set_ylabel("row (sweep)")
    axes.set_xlabel("time (ms)")
    axes.set_xlim(0, (stop - start) * 1e3)
    axes.set_ylim(-(len(rows) - 1) * step - swing / 2, swing)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_zorder(len(rows) + 3)
    axes.set_title("traces")
    _scale_bar(axes, _round_down(swing / 2))


def _window(response: np.ndarray, rate: float, start: float, stop: float) -> np.ndarray:
    return response[round(start * rate) : round(stop * rate)]


def _scale_bar(axes: Axes, millivolts: float) -> None:
    """Draw a vertical bar of a round height beside the traces."""
    if millivolts <= 0:
        return
    top = axes.get_ylim()[1]
    axes.plot(
        [1.025, 1.025], [top - millivolts, top], color="0.2", linewidth=2.2, clip_on=False,
        transform=axes.get_yaxis_transform(),
    )  # fmt: skip
    axes.annotate(
        f"{millivolts:g} mV", (1.025, top - millivolts / 2),
        xycoords=axes.get_yaxis_transform(), xytext=(6, 0), textcoords="offset points",
        va="center", fontsize=10, color="0.2", annotation_clip=False,
    )  # fmt: skip


def _round_down(value: float) -> float:
    """Give the largest of 1, 2, 5 times a power of ten that is not above a value."""
    if not value > 0:
        return 0.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step * power for step in (1, 2, 5) if step * power <= value))

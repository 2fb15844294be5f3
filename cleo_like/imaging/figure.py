"""What a scope shows of itself: field of view and traces; planes and light in a 3-D plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.imaging.export import frames_of, traces_of
from cleo_like.utilities import get_orth_vectors_for_V

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes

    from cleo_like.core.ophys.traces import Traces
    from cleo_like.core.units import Quantity
    from cleo_like.imaging.frame_log import FrameLog, Microscope

GREEN = "#2f9e44"


def draw_scope(
    scope: Microscope, ax: Any, axis_scale_unit: Any, color: Any = GREEN
) -> list[Any]:
    """Draw a scope on 3-D axes.

    Parameters
    ----------
    scope : Scope
        With or without planes (without, its ROIs are marked where they are).
    ax : mpl_toolkits.mplot3d.Axes3D
        The axes.
    axis_scale_unit : quantity
        Unit of the axes.
    color : colour
        Of planes, cells and light.

    Returns
    -------
    list of matplotlib artists
    """
    unit = float(axis_scale_unit)
    depths = {float(i.focus_depth) for i in scope.injections if i.focus_depth is not None}
    if scope.focus_depth is not None and not depths:
        depths = {float(scope.focus_depth)}
    artists = [_disc(scope, depth, ax, unit, color) for depth in sorted(depths)]
    artists += _light_path(scope, depths, ax, unit, color)
    rois = _roi_places(scope)
    if len(rois):
        label = f"{scope.name}: {sum(len(i.i_targets) for i in scope.injections)} ROIs"
        artists.append(
            ax.scatter(
                *(rois / unit).T, marker="o", s=28, facecolors="none", edgecolors=color,
                linewidths=1.2, depthshade=False, label=label,
            )
        )  # fmt: skip
    return artists


def _rim(scope: Microscope, depth: float, n: int = 64) -> np.ndarray:
    """Give points on the edge of the image (m)."""
    first, second = get_orth_vectors_for_V(scope.direction)
    angle = np.linspace(0, 2 * np.pi, n)
    radius = float(scope.img_width) / 2
    centre = np.asarray(scope.location) + depth * scope.direction
    ring = np.outer(np.cos(angle), first) + np.outer(np.sin(angle), second)
    return np.asarray(centre + radius * ring)


def _disc(scope: Microscope, depth: float, ax: Any, unit: float, color: Any) -> Any:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    disc = Poly3DCollection(
        [_rim(scope, depth) / unit], facecolor=color, edgecolor=color, alpha=0.18
    )
    return ax.add_collection3d(disc)


def _light_path(
    scope: Microscope, depths: set[float], ax: Axes, unit: float, color: str
) -> list[Any]:
    """Draw lines from the objective to the deepest plane."""
    if not depths:
        return []
    start = np.asarray(scope.location) / unit
    rim = _rim(scope, max(depths), 5)[:4] / unit
    return [ax.plot(*np.stack([start, p]).T, color=color, lw=0.6, alpha=0.6)[0] for p in rim]


def _roi_places(scope: Microscope) -> np.ndarray:
    """Give places of all cells that are imaged (m), where they are known."""
    from cleo_like.coords import coords_from_ng

    known = [
        np.asarray(coords_from_ng(i.neuron_group))[i.i_targets]
        for i in scope.injections
        if all(k in i.neuron_group.variables for k in "xyz")
    ]
    return np.concatenate(known) if known else np.zeros((0, 3))


def plot_field(scope: Microscope, ax: Axes | None = None) -> Axes:
    """Draw the field of view: the edge of the image, and the cells in it by their planes.

    Parameters
    ----------
    scope : Scope
        Injected into cells that have coordinates.
    ax : matplotlib axes, optional
        Where to draw; a new figure where not given.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        No cell has a place.
    """
    from matplotlib.collections import EllipseCollection

    from cleo_like.core.views.panels import given_axes, new_axes
    from cleo_like.core.views.style import house_style

    places = _in_the_plane(scope)
    if not any(np.isfinite(p).any() for p in places):
        msg = (
            f"{scope.name!r} knows no place of a cell: give the neurons coordinates "
            f"(cl.coords.assign_coords_...), and inject the scope"
        )
        raise InputError(msg)
    size, half = 2e6 * float(scope.soma_radius), 5e5 * float(scope.img_width)
    with house_style():
        axes = new_axes(4.6, 4.6) if ax is None else given_axes(ax)
        angle = np.linspace(0, 2 * np.pi, 200)
        axes.plot(half * np.cos(angle), half * np.sin(angle), color="0.4", lw=1)
        for k, (place, injection) in enumerate(zip(places, scope.injections, strict=True)):
            depth = injection.focus_depth
            label = "cells" if depth is None else f"{float(depth) * 1e6:g} um"
            sizes = np.full(len(place), size)
            axes.add_collection(EllipseCollection(
                sizes, sizes, np.zeros(len(place)), units="xy", offsets=place,
                offset_transform=axes.transData, facecolors=f"C{k % 10}", alpha=0.6,
                label=f"{label}, {len(place)}",
            ))  # fmt: skip
        reach = max(half, *(np.nanmax(np.abs(p), initial=0.0) + size for p in places))
        axes.set(
            xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="x (um)",
            ylabel="y (um)", title=f"{scope.name}: {sum(map(len, places))} ROIs",
        )  # fmt: skip
        if len(places) > 1:
            axes.legend(frameon=False, fontsize=9, loc="upper right")
    return axes


def _in_the_plane(scope: Microscope) -> list[np.ndarray]:
    """Give the places of the ROIs of each injection on the image (um, shape (n, 2))."""
    basis = _image_axes(np.asarray(scope.direction, dtype=float))
    centre = np.asarray(scope.location)
    found = []
    for injection in scope.injections:
        coords = np.asarray(injection.focus_coords, dtype=float).reshape(-1, 3)
        found.append((coords - centre) @ basis * 1e6)
    return found


def _image_axes(direction: np.ndarray) -> np.ndarray:
    """Give the axes of the image, shape (3, 2): x and y where the scope looks along z."""
    along = np.eye(3)[0 if abs(direction[0]) < 0.9 else 1]
    first = along - (along @ direction) * direction
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(direction, first)], axis=1)


class ShowsScope:
    """A scope in a line, as figures, and as what its traces become."""

    name: str
    n: int
    injections: list[Any]
    sensor: Any
    img_width: Any
    history: Any

    def frame_log(self, rate: Quantity | None = None) -> FrameLog:
        """Give the frames with all that is known of them."""
        raise NotImplementedError

    def _frames_seen(self, rate: Quantity | None = None) -> Traces:
        """Give the frames; with the truth, if they were not assigned by hand."""
        log = self.frame_log(rate)
        return frames_of(log) if log.clean is None else traces_of(log)

    def __len__(self) -> int:
        """Count the ROIs."""
        return self.n

    def __bool__(self) -> bool:
        """Answer that the scope is there, also before it sees a cell."""
        return True

    def __getitem__(self, which: int | slice | Sequence[int] | np.ndarray) -> Any:
        """Give dF/F of one ROI so far, or the `Traces` of some."""
        return self._frames_seen()[which]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Go over the ROIs: dF/F of each so far."""
        return iter(self._frames_seen().fluorescence)

    def __repr__(self) -> str:
        """One line: sensor, ROIs, planes, frames."""
        planes, n = len(self.injections), len(self.history)
        width = float(self.img_width) * 1e6
        return (
            f"{type(self).__name__} {self.name!r}: {self.sensor.name}, {self.n} ROIs in "
            f"{planes} plane{'s' if planes != 1 else ''}, image {width:g} um wide, "
            f"{n} frame{'s' if n != 1 else ''}"
        )

    def plot(
        self, ax: Axes | None = None, *, rate: Quantity | None = None, most: int = 20
    ) -> Axes:
        """Draw dF/F of the ROIs above each other, with their spikes.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; a new figure where not given.
        rate : quantity, optional
            As for `traces`: frames that are computed from the spikes of the run.
        most : int
            Largest number of ROIs that are drawn.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            There are no frames.
        """
        return self._frames_seen(rate).plot(ax, most=most)

    def plot_field(self, ax: Axes | None = None) -> Axes:
        """Draw the field of view with its cells.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; a new figure where not given.

        Returns
        -------
        Axes
        """
        return plot_field(self, ax)  # type: ignore[arg-type]

    def to_pandas(self) -> pd.DataFrame:
        """Give a DataFrame: a row for each frame (index ``time_s``), a column for each ROI."""
        return self._frames_seen().to_pandas()

    def to_xarray(self) -> xr.DataArray:
        """Give a DataArray over (roi, time), with the ROI table (needs xarray)."""
        return self._frames_seen().to_xarray()

    def to_pynapple(self) -> Any:
        """Give a `TsdFrame` with a column for each ROI (needs pynapple)."""
        return self._frames_seen().to_pynapple()

    def _repr_html_(self) -> str:
        from cleo_like.core.views.devices import device_card

        draw: Callable[[Axes], object] | None
        if len(self.history):
            draw = self.plot
        elif any(np.isfinite(p).any() for p in _in_the_plane(self)):  # type: ignore[arg-type]
            draw = self.plot_field
        else:
            draw = None
        return device_card(repr(self), {"sensor": repr(self.sensor)}, draw)


def settings_text(device: Any) -> str:
    """Write an instance of attrs with its parameters, and those of the parts in it."""
    shown = [f for f in attrs.fields(type(device)) if f.repr]
    values = {f.name.lstrip("_"): getattr(device, f.name) for f in shown}
    parts = [f"{k}={settings_text(v) if _terse(v) else repr(v)}" for k, v in values.items()]
    return f"{type(device).__name__}({', '.join(parts)})"


def _terse(value: Any) -> bool:
    """Whether the line of a device leaves its parameters out."""
    return attrs.has(type(value)) and hasattr(value, "brian_objects")

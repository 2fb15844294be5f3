"""A scope in a 3-D plot: its planes, the cells in them, and the light path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.utilities import get_orth_vectors_for_V

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cleo_like.imaging.frame_log import Microscope

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

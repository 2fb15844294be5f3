"""Neurons and devices in space."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.base.quantities import unit_of
from cleo_like.coords import coords_from_ng, has_coords
from cleo_like.core.errors import InputError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brian2 import Unit

    from cleo_like.base import CLSimulator, InterfaceDevice


class VideoVisualizer:
    """Cleo's animation of a run, which this package does not have.

    Raises
    ------
    UnsupportedError
        Always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        msg = (
            "VideoVisualizer is not part of cleo_like: plot() draws neurons and devices at one "
            "moment, and cleo_like.report.imaging_figure(scope.traces()) a whole recording"
        )
        raise UnsupportedError(msg)


COLOURS = ("#4a5568", "#c05621", "#2b6cb0", "#6b46c1", "#b7791f", "#285e61")


def plot(
    *neuron_groups: Any,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    zlim: tuple[float, float] | None = None,
    colors: Sequence[Any] | None = None,
    axis_scale_unit: Any = None,
    devices: Sequence[Any] = (),
    invert_z: bool = True,
    scatterargs: Mapping[str, Any] | None = None,
    sim: CLSimulator | None = None,
    **figargs: Any,
) -> tuple[Any, Any]:
    """Plot neurons and devices in three dimensions.

    Parameters
    ----------
    *neuron_groups : brian2.NeuronGroup
        Groups with coordinates (default: those of the network of `sim`).
    xlim, ylim, zlim : tuple of two float, optional
        Limits of the axes, in their unit.
    colors : sequence, optional
        One colour per group.
    axis_scale_unit : quantity, optional
        Unit of the axes (default um).
    devices : sequence of InterfaceDevice or of (InterfaceDevice, dict)
        Devices to draw, with keywords for their drawing.
    invert_z : bool
        Whether z points down, as depth does.
    scatterargs : mapping, optional
        Keywords for the neurons' `scatter`.
    sim : CLSimulator, optional
        Draws all its devices, and its groups where none is named.
    **figargs
        Keywords for `matplotlib.pyplot.figure`.

    Returns
    -------
    tuple of (matplotlib.figure.Figure, mpl_toolkits.mplot3d.Axes3D)
    """
    import brian2
    import matplotlib.pyplot as plt

    unit = axis_scale_unit if axis_scale_unit is not None else brian2.um
    if getattr(unit, "dim", None) is not unit_of("m").dim:
        msg = f"axis_scale_unit must be a length, got {unit}"
        raise InputError(msg)
    groups = neuron_groups or _groups_of(sim)
    palette = list(colors if colors is not None else COLOURS) or list(COLOURS)
    figure = plt.figure(**figargs)
    ax = figure.add_subplot(111, projection="3d")
    for group, colour in zip(groups, itertools.cycle(palette), strict=False):
        places = np.asarray(coords_from_ng(group)) / float(unit)
        look = {"s": 6, "alpha": 0.5, "label": group.name, **(scatterargs or {})}
        ax.scatter(*places.T, color=colour, **look)
    for device, kwargs in _with_keywords(devices, sim):
        device.add_self_to_plot(ax, unit, **kwargs)
    _finish(ax, _name(unit), invert_z)
    for name, limits in (("x", xlim), ("y", ylim), ("z", zlim)):
        if limits is not None:
            getattr(ax, f"set_{name}lim")(limits[::-1] if name == "z" and invert_z else limits)
    return figure, ax


def _groups_of(sim: CLSimulator | None) -> list[Any]:
    """Give the groups of a simulator's network that have places, in order of their names."""
    if sim is None:
        return []
    from brian2.core.spikesource import SpikeSource

    own = [g for g in sim.network.objects if isinstance(g, SpikeSource) and has_coords(g)]
    return sorted(own, key=lambda g: str(g.name))


def _with_keywords(
    devices: Sequence[Any], sim: CLSimulator | None
) -> list[tuple[InterfaceDevice, dict[str, Any]]]:
    pairs = [d if isinstance(d, tuple) else (d, {}) for d in devices]
    if sim is not None:
        named = {id(d) for d, _ in pairs}
        rest = sorted((d for d in sim.devices if id(d) not in named), key=lambda d: d.name)
        pairs += [(d, {}) for d in rest]
    return pairs


def _name(unit: Unit) -> str:
    name = str(getattr(unit, "name", unit))
    return {"umetre": "µm", "mmetre": "mm", "metre": "m"}.get(name, name)


def _finish(ax: Any, unit: str, invert_z: bool) -> None:  # noqa: FBT001
    for name in "xyz":
        getattr(ax, f"set_{name}label")(f"{name} ({unit})")
    ax.set_aspect("equal")
    if invert_z:
        ax.invert_zaxis()
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="upper left", frameon=False, fontsize="small")

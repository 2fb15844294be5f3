"""A map of cells as a still picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.atlas.columns import definition
from cleo_like.core.errors import unknown_name
from cleo_like.core.views.style import house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cleo_like.atlas import Atlas, Placement

KINDS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#999933", "#882255",
    "#44aa99", "#aa4499", "#117733", "#332288",
)  # fmt: skip
"""Colours of kinds: Okabe & Ito's and Paul Tol's, told apart by most colour-blind eyes."""
UNKNOWN = "#b0b5bb"
_BESIDE: dict[str, Any] = {
    "loc": "upper left", "bbox_to_anchor": (0.0, -0.04), "frameon": False, "ncols": 4
}  # fmt: skip
_SHOWN = len(KINDS) - 1  # kinds in colours of their own; the rarest share one with the rest


def atlas_figure(
    atlas: Atlas, *, colour: str | None = None, placed: Placement | None = None
) -> Figure:
    """Draw a map: cells coloured by kind or by a feature, placed cells and landmarks on it.

    Parameters
    ----------
    atlas : Atlas
        The map.
    colour : str, optional
        A feature of the map, or a column of its cells ("label", "lab", "region" ...); kinds
        when not given, the lab where there are none.
    placed : Placement, optional
        Cells drawn on top: crosses, in red those that lie outside.

    Returns
    -------
    Figure
        One panel; missing values and unknown kinds are grey.

    Raises
    ------
    UnknownNameError
        Neither a feature nor a column.

    Examples
    --------
    >>> from cleo_like.atlas import simulated_atlas
    >>> atlas_figure(simulated_atlas(), colour="tau").axes[0].get_title(loc="left")
    'simulated: 72 cells'
    """
    from matplotlib.figure import Figure

    by = colour if colour is not None else ("label" if atlas.classes else "lab")
    if by not in (*atlas.features, *atlas.cells.columns):
        raise unknown_name("feature or column", by, [*atlas.features, *atlas.cells.columns])
    with house_style():
        figure = Figure(figsize=(8, 6), layout="constrained")
        axes = figure.subplots()
        if by in atlas.features:
            _by_feature(axes, atlas, by)
        else:
            _by_kind(axes, atlas, by)
        _landmarks(axes, atlas)
        if placed is not None:
            _crosses(axes, placed)
        axes.set_title(f"{atlas.name}: {len(atlas)} cells", loc="left")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel("for looking: neighbours and kinds come from feature space")
    return figure


def _size(atlas: Atlas) -> float:
    return float(np.clip(6000 / len(atlas), 2, 30))


def _by_feature(axes: Axes, atlas: Atlas, name: str) -> None:
    k = atlas.features.index(name)
    values = atlas.values[:, k]
    known = np.isfinite(values)
    log = atlas.transforms[k] == "log10"
    if log:
        known &= values > 0
    grey = axes.scatter(*atlas.xy[~known].T, s=_size(atlas), c=UNKNOWN, lw=0)
    if (~known).any():
        grey.set_label(f"missing ({(~known).sum()})")
    low, high = np.percentile(values[known], [1, 99]) if known.any() else (0.0, 1.0)
    shown = axes.scatter(
        *atlas.xy[known].T, s=_size(atlas), c=values[known], lw=0, cmap="viridis",
        norm="log" if log else "linear", vmin=None if log else low, vmax=None if log else high,
    )  # fmt: skip
    if log:
        shown.set_clim(low, high)
    told = definition(name)
    unit = f" ({told.unit})" if told is not None and told.unit != "1" else ""
    if axes.figure is not None:
        axes.figure.colorbar(shown, ax=axes, label=f"{name}{unit}")
    if (~known).any():
        axes.legend(loc="upper left", frameon=False)


def _by_kind(axes: Axes, atlas: Atlas, column: str) -> None:
    kinds = atlas.cells[column].fillna("").astype(str)
    count = kinds[kinds != ""].value_counts()
    named = list(count.index[:_SHOWN])
    groups = [(f"{kind} ({count[kind]})", kinds == kind) for kind in named]
    rest = (kinds != "") & ~kinds.isin(named)
    if rest.any():
        groups.append((f"{count.size - len(named)} others ({rest.sum()})", rest))
    if (kinds == "").any():
        groups.insert(0, (f"unknown ({(kinds == '').sum()})", kinds == ""))
    colours = iter(KINDS)
    for text, mine in groups:
        c = UNKNOWN if text.startswith("unknown (") else next(colours)
        axes.scatter(*atlas.xy[mine.to_numpy()].T, s=_size(atlas), c=c, lw=0, label=text)
    axes.legend(**_BESIDE, title=column, markerscale=1.5)


def _landmarks(axes: Axes, atlas: Atlas) -> None:
    """Write the name of each landmark where most of its members are."""
    rows = {cell: k for k, cell in enumerate(atlas.cells["cell_id"])}
    for mark in atlas.landmarks:
        mine = [rows[m] for m in mark.members if m in rows]
        if mine:
            x, y = np.median(atlas.xy[mine], axis=0)
            axes.annotate(
                mark.name, (x, y), ha="center", va="center", fontsize="small", color="#222222",
                bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.5},
            )  # fmt: skip


def _crosses(axes: Axes, placed: Placement) -> None:
    table = placed.table[placed.table["x"].notna()]
    outside = (table["outside"] == True).to_numpy()  # noqa: E712  (None is neither)
    for text, colour, mine in (("placed", "black", ~outside), ("outside", "#d1242f", outside)):
        if mine.any():
            some = table[mine]
            label = f"{text} ({mine.sum()})"
            axes.plot(some["x"], some["y"], ls="", marker="x", color=colour, label=label)
    axes.legend(**_BESIDE)

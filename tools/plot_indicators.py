"""Draw what the table of calibrated indicators says about held-out cells.

Run from anywhere: ``python tools/plot_indicators.py``; needs no recordings.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleo_like.core.files import atomic_path
from cleo_like.imaging.calibrated import calibrated_indicator, calibrated_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "indicators.png"


def bar(ax: Axes, value: dict[str, Any], y: float, **style: Any) -> None:
    """Draw a median with its quartiles."""
    if value["n"]:
        ends = [[value["median"] - value["low"]], [value["high"] - value["median"]]]
        ax.errorbar(value["median"], y, xerr=ends, **style)


def legend_above(ax: Axes) -> None:
    """Put the legend where it hides nothing."""
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)


def draw_correlations(ax: Axes, entries: list[Any]) -> None:
    """Held-out correlations, their limit, and those of published kinetics."""
    for y, entry in enumerate(entries):
        held = entry["held_out"]
        bar(ax, held["correlation"], y, fmt="o", color="C0", zorder=3)
        if "limits" in entry:
            ax.plot(entry["limits"]["own_kinetics"]["median"], y, "|", color="k", ms=14, mew=2)
        ax.plot(held["cleo"]["correlation"]["median"], y, "s", color="0.6")
        if "s2f" in held:
            ax.plot(held["s2f"]["correlation"]["median"], y, "^", color="C1")
    labels = ("fit to the same cell", "Cleo's kinetics", "S2F", "held-out cells")
    marks = (("|", "k"), ("s", "0.6"), ("^", "C1"), ("o", "C0"))
    for label, (marker, color) in zip(labels, marks, strict=True):
        ax.plot([], [], marker, color=color, label=label)
    ax.axvline(0.9, color="0.85", zorder=0)
    ax.set(xlabel="correlation with recorded dF/F", xlim=(0.5, 1))
    legend_above(ax)


def draw_landmark(
    ax: Axes, entries: list[Any], name: str, label: str, ticks: tuple[float, ...]
) -> None:
    """One landmark of the response to one spike: recorded, and predicted under its noise."""
    for y, entry in enumerate(entries):
        single = entry["held_out"]["events"].get("1")
        if single is not None:
            bar(ax, single[name], y - 0.12, fmt="o", color="k", zorder=3)
            predicted = single.get(f"predicted_{name}_in_noise", {"n": 0})
            bar(ax, predicted, y + 0.15, fmt="o", color="C0")
    ax.plot([], [], "o", color="k", label="recorded")
    ax.plot([], [], "o", color="C0", label="predicted, held-out cells")
    ax.set(xlabel=label, xscale="log")
    ax.minorticks_off()
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    legend_above(ax)


def main() -> None:
    """Draw the figure of the guide."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    entries = [calibrated_indicator(name).evidence for name in calibrated_names()]
    fig, axes = plt.subplots(1, 3, figsize=(13, 5.5), sharey=True, layout="constrained")
    draw_correlations(axes[0], entries)
    draw_landmark(axes[1], entries, "peak", "peak after one spike (dF/F)", (0.02, 0.1, 0.5, 1))
    draw_landmark(
        axes[2], entries, "half_decay_ms", "half-decay after one spike (ms)", (30, 100, 300)
    )
    axes[0].set_yticks(range(len(entries)), calibrated_names())
    axes[0].invert_yaxis()
    with atomic_path(FIGURE) as path:
        fig.savefig(path, dpi=110, format="png")


if __name__ == "__main__":
    main()

"""Figures of a ground-truth study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.views.style import house_style
from cleo_like.features.catalogue import CATALOGUE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_MAP = "YlOrRd"
_COLOURS = ("#1f3b73", "#8a5a00", "#2a7f62", "#a03050", "#6a4c93", "#5a5a5a")
_LEVELS = (0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
"""Between-cell spreads at which the colour changes: small and large errors are told apart."""
_EXTRACTORS = ("native", "ipfx", "compat", "efel", "efel_default", "gigaseal")
"""Each has its colour in every figure."""
_WIDEST = 12.5
"""Inches, at which letters of 8 points are larger than 9 pixels on a page."""
HEADLINE = ("upstroke", "fast_trough_v", "sag", "input_resistance", "tau", "threshold_v")


def heat_map(scores: pd.DataFrame, block: str, reference: str) -> Figure:
    """Draw extractor x feature x condition: the absolute bias in between-cell spreads.

    A dash is a value that is never given, "d" another definition without a truth.

    Parameters
    ----------
    scores : DataFrame
        Of a study.
    block : str
        Block of the cases.
    reference : str
        Which truth; rows of an own definition are shown with either.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import BoundaryNorm

    part = scores[
        (scores["block"] == block) & scores["reference"].isin([reference, "own definition"])
    ]
    extractors, columns = (
        list(dict.fromkeys(part["extractor"])),
        list(dict.fromkeys(part["condition"])),
    )
    features = list(dict.fromkeys(part["feature"]))
    panel = max(1.1, 0.27 * len(columns))
    across = min(len(extractors), max(1, int((_WIDEST - 2.2) // panel)))
    down = -(-len(extractors) // across)
    norm = BoundaryNorm(_LEVELS, 256, extend="max")
    with house_style():
        figure, axes = plt.subplots(
            down, across, figsize=(2.2 + across * panel, down * (1.8 + 0.23 * len(features))),
            sharex=True, sharey=True, squeeze=False, layout="constrained",
        )  # fmt: skip
        drawn: Any = None
        for ax in axes.flat[len(extractors) :]:
            ax.set_visible(False)
        for ax, name in zip(axes.flat, extractors, strict=False):
            values, marks = _matrix(part[part["extractor"] == name], features, columns)
            drawn = ax.imshow(values, cmap=_MAP, norm=norm, aspect="auto")
            for (row, column), mark in marks.items():
                ax.text(column, row, mark, ha="center", va="center", fontsize=8, color="#333")
            ax.set_title(name, fontsize=10)
            ax.set_xticks(range(len(columns)), columns, rotation=90, fontsize=8)
            ax.set_yticks(range(len(features)), features, fontsize=8)
            ax.tick_params(length=0)
        bar = figure.colorbar(drawn, ax=list(axes.flat), shrink=0.6, format="%g")
        bar.set_label("|bias| in between-cell spreads")
    plt.close(figure)
    return figure


def _matrix(
    part: pd.DataFrame, features: list[str], columns: list[str]
) -> tuple[np.ndarray, dict[tuple[int, int], str]]:
    values = np.full((len(features), len(columns)), np.nan)
    marks = {}
    row: Any
    for row in part.itertuples():
        at = features.index(row.feature), columns.index(row.condition)
        values[at] = abs(row.relative_bias)
        if not np.isfinite(row.bias):
            marks[at] = "d" if row.definition else "–"
        elif row.definition:
            marks[at] = "o"
    return values, marks


def _intervals(rows: pd.DataFrame) -> np.ndarray | None:
    """Give lengths of the error bars, below and above; None where no interval is known."""
    if "bias_low" not in rows:
        return None
    below, above = rows["bias"] - rows["bias_low"], rows["bias_high"] - rows["bias"]
    return np.nan_to_num(np.maximum([below, above], 0))


def packaged_figure() -> Figure:
    """Draw bias against noise of the quick study whose scores come with the package."""
    from cleo_like.groundtruth.advise import reference_scores

    return noise_figure(reference_scores(None).assign(reference="400 kHz"))


def noise_figure(scores: pd.DataFrame, reference: str = "400 kHz") -> Figure:
    """Draw bias against noise, one panel a feature, one line an extractor.

    Parameters
    ----------
    scores : DataFrame
        Of a study with a block whose conditions name the noise.
    reference : str
        Which truth.
    """
    import matplotlib.pyplot as plt

    part = scores[
        scores["reference"].isin([reference, "own definition"])
        & scores["condition"].str.contains("rate .*noise ") & (scores["extractor"] != "truth")
    ]  # fmt: skip
    chain = part["condition"].str.rsplit(", noise ", n=1)
    part = part.assign(chain=chain.str[0], noise=chain.str[1].astype(float))
    chains = list(dict.fromkeys(part["chain"]))
    places = list(dict.fromkeys([*_EXTRACTORS, *part["extractor"]]))
    with house_style():
        figure, axes = plt.subplots(2, 3, figsize=(11, 6), layout="constrained")
        for ax, feature in zip(axes.flat, HEADLINE, strict=True):
            for name, rows in part[part["feature"] == feature].groupby("extractor", sort=False):
                k = places.index(str(name))
                one = rows[rows["chain"] == chains[0]].sort_values("noise")
                error = _intervals(one)
                place = np.arange(len(one)) + 0.06 * (k - 2)
                ax.errorbar(
                    place, one["bias"], yerr=error, marker="o",
                    ms=3.5, lw=1, color=_COLOURS[k % len(_COLOURS)], label=name,
                )  # fmt: skip
                ax.set_xticks(range(len(one)), [f"{x:g}" for x in one["noise"]])
            ax.axhline(0, color="#999", lw=0.6)
            unit = CATALOGUE[feature].unit
            ax.set_title(feature if unit == "1" else f"{feature} ({unit})")
        axes[1, 1].set_xlabel(f"noise (mV rms); {chains[0]} kHz" if chains else "")
        drawn = [ax for ax in axes.flat if ax.get_legend_handles_labels()[0]]
        for ax in drawn[:1]:
            shown = ax.get_legend_handles_labels()
            figure.legend(
                *shown, loc="outside lower center", ncols=6, fontsize=9, frameon=False
            )
    plt.close(figure)
    return figure

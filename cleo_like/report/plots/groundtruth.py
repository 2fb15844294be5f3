"""Figures of a ground-truth study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.views.style import house_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_MAP = "YlOrRd"
_COLOURS = ("#1f3b73", "#8a5a00", "#2a7f62", "#a03050", "#6a4c93", "#5a5a5a")
_TOP = 1.0  # between-cell spreads at which the colour ends
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

    part = scores[
        (scores["block"] == block) & scores["reference"].isin([reference, "own definition"])
    ]
    extractors, columns = (
        list(dict.fromkeys(part["extractor"])),
        list(dict.fromkeys(part["condition"])),
    )
    features = list(dict.fromkeys(part["feature"]))
    with house_style():
        width = 2.2 + len(extractors) * max(1.1, 0.27 * len(columns))
        figure, axes = plt.subplots(
            1, len(extractors), figsize=(width, 1.8 + 0.23 * len(features)), sharey=True,
            squeeze=False, layout="constrained",
        )  # fmt: skip
        drawn: Any = None
        for ax, name in zip(axes[0], extractors, strict=True):
            values, marks = _matrix(part[part["extractor"] == name], features, columns)
            drawn = ax.imshow(values, cmap=_MAP, vmin=0, vmax=_TOP, aspect="auto")
            for (row, column), mark in marks.items():
                ax.text(column, row, mark, ha="center", va="center", fontsize=7, color="#555")
            ax.set_title(name, fontsize=10)
            ax.set_xticks(range(len(columns)), columns, rotation=90, fontsize=7)
            ax.set_yticks(range(len(features)), features, fontsize=8)
            ax.tick_params(length=0)
        bar = figure.colorbar(drawn, ax=list(axes[0]), shrink=0.6, extend="max")
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
    with house_style():
        figure, axes = plt.subplots(2, 3, figsize=(11, 6), layout="constrained")
        for ax, feature in zip(axes.flat, HEADLINE, strict=True):
            for k, (name, rows) in enumerate(
                part[part["feature"] == feature].groupby("extractor", sort=False)
            ):
                one = rows[rows["chain"] == chains[0]].sort_values("noise")
                error = [one["bias"] - one["bias_low"], one["bias_high"] - one["bias"]]
                place = np.arange(len(one)) + 0.06 * (k - 2)
                ax.errorbar(
                    place, one["bias"], yerr=np.nan_to_num(np.maximum(error, 0)), marker="o",
                    ms=3.5, lw=1, color=_COLOURS[k % len(_COLOURS)], label=name,
                )  # fmt: skip
                ax.set_xticks(range(len(one)), [f"{x:g}" for x in one["noise"]])
            ax.axhline(0, color="#999", lw=0.6)
            ax.set_title(feature)
        axes[1, 1].set_xlabel(f"noise (mV rms); {chains[0]} kHz" if chains else "")
        drawn = [ax for ax in axes.flat if ax.get_legend_handles_labels()[0]]
        for ax in drawn[:1]:
            ax.legend(fontsize=8, frameon=False)
    plt.close(figure)
    return figure

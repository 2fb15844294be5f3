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
_MARKERS = "osD^vP*"
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


def score_map(scores: pd.DataFrame, block: str, score: str) -> Figure:
    """Draw method x condition: one score of spike inference.

    Parameters
    ----------
    scores : DataFrame
        Of a `CalciumStudy`.
    block : str
        Block of the cases.
    score : str
        "corr_100", "f1", "rate_bias" ...; those of 0 to 1 are drawn from 0 to 1, others
        about 0, blue where too low.
    """
    import matplotlib.pyplot as plt

    part = scores[(scores["block"] == block) & (scores["score"] == score)]
    part = part[part["extractor"] != "truth"]
    rows = list(dict.fromkeys(part["extractor"]))
    columns = list(dict.fromkeys(part["condition"]))
    values = part.pivot_table(
        index="extractor", columns="condition", values="value", sort=False, dropna=False
    ).reindex(index=rows, columns=columns)
    share = score.startswith("corr") or score == "f1"
    scale: dict[str, Any] = {"cmap": "viridis", "vmin": 0, "vmax": 1}
    if not share:
        scale = {"cmap": "RdBu_r", "vmin": -2, "vmax": 2}
    with house_style():
        figure, ax = plt.subplots(
            figsize=(min(3.2 + 0.45 * len(columns), _WIDEST), 2.8 + 0.26 * len(rows)),
            layout="constrained",
        )
        drawn = ax.imshow(values.to_numpy(), aspect="auto", **scale)
        for (row, column), value in np.ndenumerate(values.to_numpy()):
            dark = value < 0.5 if share else abs(value) > 1.4
            ax.text(
                column, row, _short(value), ha="center", va="center", fontsize=8,
                color="white" if dark else "black",
            )  # fmt: skip
        names = [c.replace("indicator ", "").replace("regime ", "") for c in columns]
        ax.set_xticks(range(len(columns)), names, rotation=90, fontsize=9)
        ax.set_yticks(range(len(rows)), rows, fontsize=9)
        ax.tick_params(length=0)
        figure.colorbar(drawn, ax=ax, shrink=0.7, extend="neither" if share else "both")
    plt.close(figure)
    return figure


def _short(value: float) -> str:
    """Write a number in few letters; a dash where there is none.

    Examples
    --------
    >>> _short(0.934), _short(-0.26), _short(10.14), _short(float("nan"))
    ('.93', '-.26', '10', '–')
    """
    if not np.isfinite(value):
        return "–"
    if abs(value) >= 0.995:
        return f"{value:.2g}"
    return f"{value:.2f}".replace("0.", ".", 1)


def ranking_figure(cells: pd.DataFrame, scores: tuple[str, ...] = ("corr_100", "f1")) -> Figure:
    """Draw scores of methods on real recordings against those on simulations of them.

    Parameters
    ----------
    cells : DataFrame
        Of a `Ranking`.
    scores : tuple of str
        One row of panels each; columns are population, same spikes, Cleo's kinetics.
    """
    import matplotlib.pyplot as plt

    from cleo_like.groundtruth.calcium.ranking import MAIN, REAL

    stages = [s for s in MAIN if s in set(cells["stage"])]
    methods = list(dict.fromkeys(cells["extractor"]))
    with house_style():
        figure, axes = plt.subplots(
            len(scores), len(stages), figsize=(3.3 * len(stages) + 1.6, 3.2 * len(scores)),
            squeeze=False, layout="constrained",
        )  # fmt: skip
        for row, score in zip(axes, scores, strict=True):
            mean = cells.groupby(["stage", "extractor", "set"], sort=False)[score].mean()
            pooled = mean.groupby(level=[0, 1]).mean()
            for ax, stage in zip(row, stages, strict=True):
                for k, name in enumerate(methods):
                    ax.plot(
                        pooled[REAL, name], pooled[stage, name], _MARKERS[k % len(_MARKERS)],
                        color=_COLOURS[k % len(_COLOURS)], ms=6, label=name,
                    )  # fmt: skip
                low, high = pooled.min() - 0.03, pooled.max() + 0.03
                ax.plot([low, high], [low, high], color="#999", lw=0.8, zorder=0)
                ax.set(xlim=(low, high), ylim=(low, high), title=stage)
                ax.set_xlabel(f"{score}, real")
            row[0].set_ylabel(f"{score}, simulated")
        handles, labels = axes[0, -1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", fontsize=9, frameon=False)
    plt.close(figure)
    return figure

"""Columns of numbers of a table of cells, as people look at them."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.views.style import RESPONSE_COLOUR, house_style, need_matplotlib

if TYPE_CHECKING:
    from collections.abc import Sequence

_ACROSS = 4
_WIDTH = 24  # of a label (characters) that a panel has room for
_NAMED = 12  # cells whose names fit beside a panel


@attrs.frozen(eq=False)
class Column:
    """Values of all cells with their errors (NaN where there is none), and their name."""

    label: str
    values: np.ndarray
    errors: np.ndarray


def plot_columns(columns: Sequence[Column], names: Sequence[str]) -> np.ndarray:
    """Draw every column in a panel of its own: a point for each cell, its error, the median.

    Parameters
    ----------
    columns : sequence of Column
        At least one.
    names : sequence of str
        Of the cells; shown where they can be read.

    Returns
    -------
    array of Axes
        One for each column.
    """
    need_matplotlib()
    from matplotlib import pyplot as plt

    rows = -(-len(columns) // _ACROSS)
    across = min(len(columns), _ACROSS)
    with house_style():
        figure = plt.figure(figsize=(2.6 * across, 2.1 * rows + 0.3), layout="constrained")
        panels = figure.subplots(rows, across, squeeze=False).ravel()
        for axes, column in zip(panels, columns, strict=False):
            known = np.isfinite(column.values)
            places = np.arange(len(column.values))
            axes.errorbar(
                column.values[known], places[known], xerr=np.nan_to_num(column.errors[known]),
                ls="none", marker="o", ms=4, lw=1, color=RESPONSE_COLOUR,
            )  # fmt: skip
            if known.sum() > 2:
                axes.axvline(np.median(column.values[known]), lw=1, color="0.6", zorder=0)
            axes.set_ylim(len(column.values) - 0.5, -0.5)
            axes.set_xlabel(fill(column.label, _WIDTH))
            axes.set_yticks([])
            lost = int((~known).sum())
            axes.set_title(f"{lost} missing" if lost else "", fontsize=9)
        for axes in panels[::_ACROSS]:
            axes.set_ylabel("cell")
            if len(names) <= _NAMED:
                axes.set_yticks(range(len(names)), names)
        for axes in panels[len(columns) :]:
            axes.remove()
    return panels[: len(columns)]

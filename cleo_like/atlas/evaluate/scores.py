"""Balanced accuracy with an interval that knows donors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_DRAWS = 1000


@attrs.frozen(kw_only=True)
class Score:
    """A balanced accuracy.

    Parameters
    ----------
    value : float
        Mean over kinds of the share that was named rightly.
    low, high : float
        95 % bootstrap interval.
    accuracy : float
        Share of all cells that was named rightly.
    cells, kinds : int
        How many.
    unit : str
        What the bootstrap draws: "donors" or "cells".
    """

    value: float
    low: float
    high: float
    accuracy: float
    cells: int
    kinds: int
    unit: str

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] "
            f"(accuracy {self.accuracy:.3f}; {self.cells} cells, {self.kinds} kinds, "
            f"bootstrap over {self.unit})"
        )


def balanced_accuracy(truth: Sequence[str], told: Sequence[str | None]) -> float:
    """Mean over the kinds of the share of their cells that was named rightly.

    Examples
    --------
    >>> balanced_accuracy(["a", "a", "a", "b"], ["a", "a", "b", "b"])
    0.8333333333333333
    """
    kinds, numbers = np.unique(np.asarray(truth, dtype=object).astype(str), return_inverse=True)
    right = np.asarray(truth, dtype=object) == np.asarray(told, dtype=object)
    return float(_balanced(right, numbers, np.ones(len(right)), len(kinds)))


def _balanced(right: np.ndarray, numbers: np.ndarray, weight: np.ndarray, kinds: int) -> float:
    """Balanced accuracy with weights; kinds without weight are left out."""
    total = np.bincount(numbers, weight, kinds)
    good = np.bincount(numbers, weight * right, kinds)
    there = total > 0
    return float((good[there] / total[there]).mean())


def score(
    truth: Sequence[str],
    told: Sequence[str | None],
    donors: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> Score:
    """Score labels, with a bootstrap interval over donors where they are known.

    Cells of one donor are not independent: drawing cells would make the interval too small.

    Raises
    ------
    InputError
        No cell.
    """
    if not len(truth):
        msg = "no cell of a known kind to score"
        raise InputError(msg)
    right = np.asarray(truth, dtype=object) == np.asarray(told, dtype=object)
    kinds, numbers = np.unique(np.asarray(truth, dtype=object).astype(str), return_inverse=True)
    known = donors is not None and any(donors) and len(set(donors)) > 1
    names = list(donors) if known and donors is not None else list(map(str, range(len(right))))
    names = [d if d else f"cell {k}" for k, d in enumerate(names)]
    _, groups = np.unique(names, return_inverse=True)
    n = int(groups.max()) + 1
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(_DRAWS):
        times = np.bincount(rng.integers(0, n, n), minlength=n)
        draws.append(_balanced(right, numbers, times[groups].astype(float), len(kinds)))
    low, high = np.percentile(draws, [2.5, 97.5])
    return Score(
        value=_balanced(right, numbers, np.ones(len(right)), len(kinds)),
        low=float(low),
        high=float(high),
        accuracy=float(right.mean()),
        cells=len(right),
        kinds=len(kinds),
        unit="donors" if known else "cells",
    )

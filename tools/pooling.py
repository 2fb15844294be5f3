"""Sets of one indicator pooled: what they share, and how far each is trusted to differ."""

from __future__ import annotations

import numpy as np

BOOTSTRAPS = 500
COVERED = (5, 95)
"""Percentiles of the bootstrap intervals."""


def shrunk(groups: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """Shrink the means of groups towards their common mean.

    Parameters
    ----------
    groups : list of array
        Values (logarithms) of the cells of each set.

    Returns
    -------
    tuple
        Shrunk mean of each group, and the common mean.

    Notes
    -----
    Random effects: variance between groups by DerSimonian and Laird 1986 (Control. Clin.
    Trials 7:177), variance within groups pooled over them.
    """
    sizes = np.array([len(g) for g in groups])
    means = np.array([np.mean(g) for g in groups])
    degrees = max(1, int(sizes.sum()) - len(groups))
    within = sum(float(np.sum((g - np.mean(g)) ** 2)) for g in groups) / degrees
    error = max(within, 1e-12) / sizes
    weights = 1 / error
    mean = weights @ means / weights.sum()
    spread = weights @ (means - mean) ** 2 - (len(groups) - 1)
    room = weights.sum() - weights @ weights / weights.sum()
    between = max(0.0, spread / room) if len(groups) > 1 else 0.0
    total = 1 / (error + between)
    common = float(total @ means / total.sum())
    kept = between / (between + error) if between else np.zeros(len(groups))
    return common + kept * (means - common), common


def interval(values: np.ndarray, statistic: object, seed: int = 0) -> tuple[float, float]:
    """Bootstrap interval of a statistic over cells (90 %)."""
    values = np.asarray(values)
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(values), (BOOTSTRAPS, len(values)))
    found = [statistic(values[d]) for d in draws]  # type: ignore[operator]
    low, high = np.nanpercentile(found, COVERED)
    return float(low), float(high)

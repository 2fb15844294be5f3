"""Level of a plateau."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from cleo_like.matching.command.changes import SLEW
from cleo_like.matching.command.noise import median_of, sd_of


def level_of(samples: np.ndarray, margin: int = 0) -> float:
    """Mean of the samples within three robust standard deviations of the median."""
    inner = samples[margin : samples.size - margin] if samples.size > 2 * margin else samples
    if inner.size and inner.min() == inner.max():
        return float(inner[0])
    middle = median_of(inner)
    spread = sd_of(inner)
    if spread == 0.0:
        return middle
    return float(np.mean(inner[np.abs(inner - middle) <= 3 * spread]))


def plateau_levels(samples: np.ndarray, edges: np.ndarray, rate: float) -> np.ndarray:
    """Level of each plateau, its edges left out."""
    cuts = [0, *edges.tolist(), samples.size]
    slew = round(SLEW * rate)
    return np.array(
        [level_of(samples[a:b], min(slew, (b - a) // 4)) for a, b in pairwise(cuts)]
    )

"""Potentials that an amplifier or converter cut off: flat runs at an extreme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def longest_flat(response: Float[np.ndarray, "n"], rate: float) -> tuple[int, float]:
    """Length (samples) and level of the longest run of equal samples at an extreme.

    Runs that a quiet signal explains are not counted: the run must be entered and left by
    jumps of more than six times noise and converter step; or it lasts twice as long, is one
    of several, and the noise is twice that step, so that equal neighbours are unlikely.

    Returns
    -------
    length : int
        0 when there is none of 5 samples and 0.25 ms or more.
    level : float
        Its value; NaN when there is none.
    """
    best, level = 0, np.nan
    brief = max(5, int(np.ceil(0.25e-3 * rate)))
    if response.size < 8 or not _is_often_extreme(response, brief):
        return best, level
    x = response.astype(float)
    change = np.abs(np.diff(x))
    moving = change[change > 0]
    if moving.size == 0:
        return best, level
    step, noise = float(moving.min()), float(np.median(change))
    for extreme in (x.max(), x.min()):
        starts, stops = _runs(x == extreme)
        for a, b in zip(starts.tolist(), stops.tolist(), strict=True):
            jump = min(change[a - 1], change[b - 1]) if a > 0 and b < x.size else 0.0
            steep = jump > 6 * max(step, noise) and b - a >= brief
            noisy = starts.size > 2 and noise > 2 * step and b - a >= 2 * brief
            if b - a > best and (steep or noisy):
                best, level = b - a, float(extreme)
    return best, level


def _is_often_extreme(x: np.ndarray, brief: int) -> bool:
    """Whether so many samples are the largest, or the smallest, that they may be a run."""
    return any(np.count_nonzero(x == extreme) >= brief for extreme in (x.max(), x.min()))


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    padded = np.concatenate(([False], mask, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return edges[::2], edges[1::2]

"""Edges in their place: slow ones at half their height, noisy ones where it is likeliest."""

from __future__ import annotations

import numpy as np


def join_slews(
    x: np.ndarray, edges: np.ndarray, radius: np.ndarray, slew: int
) -> tuple[np.ndarray, np.ndarray]:
    """Take edges that follow each other within `slew` in one direction as one."""
    if edges.size < 2:
        return edges, radius
    cuts = np.r_[0, edges, x.size]
    middles = x[(cuts[:-1] + cuts[1:]) // 2]
    up = np.sign(np.diff(middles))
    new = np.r_[True, (np.diff(edges) > slew) | (up[1:] != up[:-1])]
    first, last = edges[new], edges[np.r_[new[1:], True]]
    reach = np.maximum.reduceat(radius, np.flatnonzero(new)) + (last - first)
    middle = (first + last + 1) // 2
    return middle, reach


def place_edges(x: np.ndarray, edges: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Move each edge to where the two levels beside it explain the samples best."""
    if edges.size == 0:
        return edges
    cuts = np.r_[0, edges, x.size]
    placed = []
    for k, (edge, reach) in enumerate(zip(edges.tolist(), radius.tolist(), strict=True)):
        wide = 2 * reach + 2
        low = max(edge - wide, (cuts[k] + edge) // 2 if k else 0)
        high = min(edge + wide, (edge + cuts[k + 2] + 1) // 2)
        before = x[max(cuts[k], low - wide) : max((low + edge) // 2, cuts[k] + 1)]
        after = x[min((edge + high) // 2, cuts[k + 2] - 1) : min(cuts[k + 2], high + wide)]
        placed.append(low + _split(x[low:high], edge - low, before, after))
    return np.unique(np.array(placed, dtype=int))


def _split(window: np.ndarray, guess: int, before: np.ndarray, after: np.ndarray) -> int:
    """Sample of the window that best parts the levels before and after."""
    low, high = float(np.median(before)), float(np.median(after))
    if low == high:
        return guess
    # clipped, so that an overshoot beyond either level pulls no edge towards it
    inner = np.clip(window, min(low, high), max(low, high))
    gain = np.cumsum((inner - (low + high) / 2) * np.sign(low - high))
    return int(np.argmax(np.concatenate(([0.0], gain))))

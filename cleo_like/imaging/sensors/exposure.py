"""A frame with an exposure is a mean: over which moments."""

from __future__ import annotations

import numpy as np

FINEST = 5e-3
"""Longest time (s) between the moments whose mean is a frame with an exposure."""


def moments(ends: np.ndarray, length: float) -> np.ndarray:
    """Give the moments whose mean is each frame.

    Parameters
    ----------
    ends : array, shape (n_frames,)
        End of each exposure (s).
    length : float
        Length of the exposure (s); 0 is an instant.

    Returns
    -------
    array, shape (n_frames, n_moments)
        Middles of equal parts, none before time 0.

    Examples
    --------
    >>> moments(np.array([0.1]), 0.01).round(4).tolist()
    [[0.0925, 0.0975]]
    """
    count = max(1, int(np.ceil(length / FINEST - 1e-6)))
    parts = length * (np.arange(count) + 0.5) / count - length
    return np.maximum(np.asarray(ends)[:, None] + parts, 0.0)

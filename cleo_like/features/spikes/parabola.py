"""Local parabolas through a sweep: its smooth course, its slope, and the noise of both.

A least-squares parabola of half width h gives value and slope at its middle. Its noise is
measured where nothing happens, so that what counts as a spike follows from the recording and
not from a fixed number.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

HALF_WIDTH = 0.25e-3
"""s: half the width of the parabola; the upstroke of a fast spike takes .2 to .4 ms."""
_LEAST = 2  # samples: a parabola through fewer than 5 points follows the noise
_FINEST = 40e-6  # s: samples are averaged up to this length first; it only saves time
_SLOW = 4e-3  # s: slower changes are no noise of the value
_MAD = 1.4826  # SD of a normal distribution over its median absolute deviation


@attrs.frozen(kw_only=True)
class Kernel:
    """Weights of value and slope of the parabola, on samples averaged by `bin`."""

    bin: int
    half: int
    rate: float  # of the averaged samples (Hz)
    value: np.ndarray
    slope: np.ndarray


@lru_cache(maxsize=32)
def kernel(rate: float) -> Kernel:
    """Make the weights for a sampling rate (Hz)."""
    width = max(1, int(_FINEST * rate * (1 + 1e-9)))
    fine = rate / width
    half = max(_LEAST, round(HALF_WIDTH * fine))
    k = np.arange(-half, half + 1.0)
    # the parabola's value at 0: weights a - b k^2 whose sum is 1 and second moment 0
    m2, m4, n = (k**2).sum(), (k**4).sum(), k.size
    value = (m4 - m2 * k**2) / (n * m4 - m2**2)
    return Kernel(bin=width, half=half, rate=fine, value=value, slope=k / m2 * 1e-3 * fine)


def averaged(x: np.ndarray, width: int) -> np.ndarray:
    """Means of `width` samples each; the rest at the end is left out."""
    n = x.size // width
    out = x[0 : n * width : width].copy()
    for k in range(1, width):
        out += x[k : n * width : width]
    out /= width
    return out


def course(y: np.ndarray, shape: Kernel) -> tuple[np.ndarray, np.ndarray]:
    """Value (mV) and slope (V/s) of the parabola about each averaged sample."""
    from scipy.ndimage import correlate1d

    return (
        correlate1d(y, shape.value, mode="nearest"),
        correlate1d(y, shape.slope, mode="nearest"),
    )


@attrs.frozen(kw_only=True)
class Noise:
    """Robust SD of the parabola's value (mV) and slope (V/s)."""

    value: float = 0.0
    slope: float = 0.0

    def or_more(self, other: Noise) -> Noise:
        """Give the larger of two estimates."""
        return Noise(
            value=max(self.value, other.value), slope=max(self.slope, other.slope)
        )


def spread(x: np.ndarray) -> float:
    """Robust SD: 1.48 times the median absolute deviation (0 for fewer than 3 samples)."""
    if x.size < 3:
        return 0.0
    return float(_MAD * np.median(np.abs(x - np.median(x))))


def noise_of(pieces: Iterable[np.ndarray], shape: Kernel) -> Noise:
    """Noise of some quiet pieces of averaged samples."""
    values, slopes = [], []
    for piece in pieces:
        if piece.size <= 4 * shape.half:
            continue
        u, d = course(piece, shape)
        inner = slice(shape.half, -shape.half)
        values.append(quick(u, shape)[inner])
        slopes.append(d[inner])
    if not values:
        return Noise()
    return Noise(value=spread(np.concatenate(values)), slope=spread(np.concatenate(slopes)))


def quick(u: np.ndarray, shape: Kernel) -> np.ndarray:
    """Take off the mean over 4 ms."""
    from scipy.ndimage import uniform_filter1d

    return u - uniform_filter1d(u, max(3, round(_SLOW * shape.rate)), mode="nearest")


def white_noise(y: np.ndarray, u: np.ndarray, shape: Kernel) -> Noise:
    """Noise that white noise would have, from what the parabolas leave over.

    The least that is known of a stretch where no piece is quiet.
    """
    middle = shape.value[shape.half]  # of a projection: also the sum of its squared weights
    sd = spread(y - u) / np.sqrt(1 - middle)
    return Noise(value=sd * np.sqrt(middle), slope=sd * float(np.linalg.norm(shape.slope)))

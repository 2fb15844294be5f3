"""Local parabolas through a sweep: its smooth course, its slope, and the noise of both.

A least-squares parabola of half width h gives value and slope at its middle. Its noise is
measured where nothing happens, so that what counts as a spike follows from the recording and
not from a fixed number.
"""

from __future__ import annotations

from functools import lru_cache

import attrs
import numpy as np

HALF_WIDTH = 0.25e-3
"""s: half the width of the parabola; the upstroke of a fast spike takes .2 to .4 ms."""
_LEAST = 2  # samples: a parabola through fewer than 5 points follows the noise
_FINEST = 65e-6  # s: samples are averaged up to this length first; it only saves time
_SLOW = 4e-3  # s: slower changes are no noise
_MAD = 1.4826  # SD of a normal distribution over the median of its absolute values


@attrs.frozen(kw_only=True, eq=False)
class Kernel:
    """Weights of value and slope of the parabola, on samples averaged by `bin`."""

    bin: int
    half: int
    rate: float  # of the averaged samples (Hz)
    value: np.ndarray
    slope: np.ndarray

    @property
    def middle(self) -> float:
        """Weight of the middle sample: also the sum of the squared weights."""
        return float(self.value[self.half])

    def course(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Value (mV) and slope (V/s) about each averaged sample, along the last axis."""
        from scipy.ndimage import correlate1d

        return (
            correlate1d(y, self.value, mode="nearest"),
            correlate1d(y, self.slope, mode="nearest"),
        )

    def quick(self, x: np.ndarray) -> np.ndarray:
        """Take off the mean over 4 ms, along the last axis."""
        from scipy.ndimage import uniform_filter1d

        return x - uniform_filter1d(x, max(3, round(_SLOW * self.rate)), mode="nearest")


@lru_cache(maxsize=32)
def kernel(rate: float) -> Kernel:
    """Make the weights for a sampling rate (Hz)."""
    width = max(1, int(_FINEST * rate * (1 + 1e-9)))
    fine = rate / width
    half = max(_LEAST, round(HALF_WIDTH * fine))
    k = np.arange(-half, half + 1.0)
    # value at 0: weights a - b k^2 whose sum is 1 and whose second moment is 0
    m2, m4, n = (k**2).sum(), (k**4).sum(), k.size
    value = (m4 - m2 * k**2) / (n * m4 - m2**2)
    return Kernel(bin=width, half=half, rate=fine, value=value, slope=k / m2 * 1e-3 * fine)


def averaged(x: np.ndarray, width: int) -> np.ndarray:
    """Means of `width` samples each along the last axis, whose length it divides."""
    out = x[..., 0::width].copy()
    for k in range(1, width):
        out += x[..., k::width]
    out /= width
    return out


@attrs.frozen(kw_only=True, eq=False)
class Noise:
    """Robust SD of the parabola's value (mV) and slope (V/s) of each sweep."""

    value: np.ndarray
    slope: np.ndarray

    def or_more(self, value: np.ndarray, slope: np.ndarray) -> Noise:
        """Give the larger of two estimates."""
        return Noise(value=np.fmax(self.value, value), slope=np.fmax(self.slope, slope))

    def of(self, sweep: np.ndarray) -> Noise:
        """Give the noise of the sweep of each event."""
        return Noise(value=self.value[sweep], slope=self.slope[sweep])


def spread(x: np.ndarray) -> float:
    """Robust SD about 0: 1.48 times the median absolute value (NaN without a sample)."""
    if x.size == 0:
        return np.nan
    middle = x.size // 2
    return float(_MAD * np.partition(np.abs(x), middle)[middle])

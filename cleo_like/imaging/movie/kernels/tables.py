"""Tables and constants from which photons are drawn, and the random bits of a pixel.

A pixel of a frame has one number of 64 random bits, which depends on the seed, the frame and
its place only (SplitMix64 of a counter): frames can be made in any order, by any thread.
Photons are drawn by inversion of Poisson distributions on a grid of 128 rates per octave, as
the bits of a float32 are; between two grid points one of the two is drawn, with the odds that
keep the mean. That adds at most 1/1,000 of the variance (at 64 photons; 1/65,000 at one).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FAINTEST, BRIGHTEST = 2.0**-10, 2.0**6
"""Rates of the grid (photons); fainter is between it and darkness, brighter is a normal
distribution corrected for skewness."""
_PER_OCTAVE = 128
FIRST_LEVEL = int(np.float32(FAINTEST).view(np.uint32)) >> 16
"""Sign, exponent and 7 bits of the faintest rate; its level is 1, and that of darkness 0."""
COUNTED = 64
"""Photons up to which the sum of pulse heights has a table; beyond, it is normal."""
_PHOTONS = 144  # 64 + 10 standard deviations: more are less than 1 in 2^32

# bits of the 64: 32 for the photons, 10 between levels, 10 for heights, 12 for read noise
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST_MIX = np.uint64(0xBF58476D1CE4E5B9)
SECOND_MIX = np.uint64(0x94D049BB133111EB)


class Tables(NamedTuple):
    """What both kernels read.

    Parameters
    ----------
    cdf : array of uint32, shape (levels, photons)
        Probability, in 1/2^32, of at most so many photons.
    guide : array of uint8, shape (levels, 256)
        Where the search begins, for the upper 8 bits of a random number.
    heights : array of float32, shape (COUNTED, 1024)
        Sum of the heights of so many pulses, in mean heights: quantiles.
    normal, fine_normal : array of float32, shape (1024,) and (4096,)
        Quantiles of the standard normal distribution.
    """

    cdf: np.ndarray
    guide: np.ndarray
    heights: np.ndarray
    normal: np.ndarray
    fine_normal: np.ndarray


def make_tables(height_cv: float) -> Tables:
    """Make the tables of a detector.

    Parameters
    ----------
    height_cv : float
        Coefficient of variation of the height of the pulse of one photon.
    """
    cdf, guide = _poisson()
    return Tables(cdf, guide, _heights(height_cv), _normal(1024), _normal(4096))


def _poisson() -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import pdtr

    octaves = 2.0 ** np.arange(np.log2(BRIGHTEST / FAINTEST))
    inside = FAINTEST * octaves[:, None] * (1 + np.arange(_PER_OCTAVE) / _PER_OCTAVE)
    rates = np.concatenate([[0.0], inside.ravel(), [BRIGHTEST]])
    exact = pdtr(np.arange(_PHOTONS), rates[:, None])
    exact[0] = 1.0  # pdtr(k, 0) is NaN in some versions
    top = 2**32 - 1  # no random number is above it: the search ends there
    cdf = np.minimum(np.rint(exact * 2.0**32), top)
    cdf[:, -1] = top
    edges = np.arange(256) * 2.0**24
    guide = np.array([np.searchsorted(row, edges, side="right") for row in cdf])
    return cdf.astype(np.uint32), np.minimum(guide, _PHOTONS - 1).astype(np.uint8)


def _heights(cv: float) -> np.ndarray:
    """Quantiles of gamma distributions, with their very mean and variance."""
    from scipy.special import gammaincinv

    n = np.arange(COUNTED, dtype=float)[:, None]
    if cv == 0:
        return np.repeat(n, 1024, axis=1).astype(np.float32)
    shape = np.maximum(n, 1) / cv**2
    heights = gammaincinv(shape, (np.arange(1024) + 0.5) / 1024) * cv**2
    heights -= heights.mean(axis=1, keepdims=True)
    heights *= np.sqrt(n) * cv / heights.std(axis=1, keepdims=True)
    return (n + heights).astype(np.float32)


def _normal(n: int) -> np.ndarray:
    from scipy.special import ndtri

    z = ndtri((np.arange(n) + 0.5) / n)
    return (z / z.std()).astype(np.float32)


STAGES = (
    "scene", "cells", "neuropil", "neuropil signals", "motion", "nonrigid", "axial",
    "illumination", "coefficients", "flicker", "detector", "spikes", "frame",
)  # fmt: skip
"""Names of the random streams; the order is part of what a seed means."""


def stream(seed: int, stage: str) -> np.random.Generator:
    """Give the generator of a stage: no stage changes the numbers of another."""
    return np.random.Generator(np.random.Philox(key=(seed, STAGES.index(stage))))


def frame_key(seed: int, plane: int, frame: int) -> np.uint64:
    """Give the key of a frame's random bits."""
    entropy = (seed, STAGES.index("frame"), plane, frame)
    return np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0]

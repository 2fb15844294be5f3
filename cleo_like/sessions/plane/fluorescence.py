"""From spikes to what a pipeline leaves of a plane: counts of ROI and neuropil, dF/F."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.imaging.calibrated import ExtrapolationWarning
from cleo_like.sessions.noise import slow_noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from cleo_like.imaging.calibrated import CellFactors, RecordingNoise
    from cleo_like.sessions.plane.optical_plane import OpticalPlane

_BLOCK = 1.0
"""F0 is a running median of means over this time (s)."""
_STATED = 30.0
"""Frame rate (Hz) at which a plane states its noise."""
_REACH = 100e-6
"""Distance over which neuropil follows the cells around it (m)."""


@attrs.frozen(kw_only=True, eq=False)
class Fluorescence:
    """Traces of one plane, each (n_cells, n_frames), with the truth.

    Parameters
    ----------
    demixed, neuropil, corrected : array
        Counts of the ROI (soma and neuropil), of the neuropil around it, and without it.
    dff : array
        dF/F of the corrected trace around its running median.
    true_dff : array
        dF/F of the soma, without noise and neuropil.
    contamination, f0, noise : array, shape (n_cells,)
        True share of neuropil, resting counts of the soma, and noise of dF/F of a frame.
    factors : CellFactors
        How each cell differs from the median one.
    notes : tuple of str
        What is to be known.
    """

    demixed: Float[np.ndarray, "n n_frames"]
    neuropil: Float[np.ndarray, "n n_frames"]
    corrected: Float[np.ndarray, "n n_frames"]
    dff: Float[np.ndarray, "n n_frames"]
    true_dff: Float[np.ndarray, "n n_frames"]
    contamination: Float[np.ndarray, " n"]
    f0: Float[np.ndarray, " n"]
    noise: Float[np.ndarray, " n"]
    factors: CellFactors
    notes: tuple[str, ...] = ()


def fluorescence_of(
    spikes: Sequence[np.ndarray],
    times: Float[np.ndarray, " n_frames"],
    plane: OpticalPlane,
    centres: Float[np.ndarray, "n 2"],
    rng: np.random.Generator,
    *,
    planes_together: int = 1,
) -> Fluorescence:
    """Compute the traces of a plane from spikes.

    Noise is that of the indicator's recordings: white and slow parts, and sizes that go with
    the gains of the cells, since both are divided by the same resting fluorescence. A frame of
    one of several planes is scanned faster than the rate of the plane says, which its noise
    shows.

    Parameters
    ----------
    spikes : sequence of arrays
        Spike times of each cell (s).
    times : array, shape (n_frames,)
        Times of the frames (s).
    plane : OpticalPlane
        The plane.
    centres : array, shape (n, 2)
        Row and column of each soma (pixels).
    rng : numpy.random.Generator
        Source of randomness.
    planes_together : int
        Planes that share the scan.

    Returns
    -------
    Fluorescence
    """
    n = len(spikes)
    model = plane.model
    factors = model.draw_cells(n, rng)
    true_dff, notes = _clean(spikes, times, plane, factors)
    recorded = _recorded_noise(plane)
    quick = attrs.evolve(
        recorded, slow=0.0, drift=0.0, white=recorded.white * np.sqrt(planes_together)
    )
    noise = quick.of_frame(plane.rate) * factors.noise
    f0 = plane.brightness * np.exp(plane.brightness_sd * rng.standard_normal(n))
    # more light, more noise; what is slow is no noise of light
    shot = quick.draw(times, factors.noise, rng) * np.sqrt(1 + np.maximum(true_dff, 0))
    seen = true_dff + shot + attrs.evolve(recorded, white=0.0).draw(times, factors.noise, rng)
    soma = f0[:, None] * (1 + seen)
    around = _neuropil(true_dff, plane, centres, rng)
    contamination = rng.uniform(plane.contamination[0], plane.contamination[1], n)
    demixed = soma + contamination[:, None] * around
    subtracted = contamination if plane.correction is None else np.full(n, plane.correction)
    corrected = demixed - subtracted[:, None] * around
    return Fluorescence(
        demixed=demixed, neuropil=around, corrected=corrected,
        dff=dff_of(corrected, plane.rate, plane.baseline_window), true_dff=true_dff,
        contamination=contamination, f0=f0, noise=noise, factors=factors, notes=notes,
    )  # fmt: skip


def _clean(
    spikes: Sequence[np.ndarray],
    times: np.ndarray,
    plane: OpticalPlane,
    factors: CellFactors,
) -> tuple[np.ndarray, tuple[str, ...]]:
    when = np.concatenate([np.zeros(0), *spikes])
    who = np.repeat(np.arange(len(spikes)), [len(s) for s in spikes])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ExtrapolationWarning)
        dff = plane.model.dff(when, who, times, cells=factors)
    told = {str(w.message) for w in caught if issubclass(w.category, ExtrapolationWarning)}
    return dff, tuple(sorted(told))


def _recorded_noise(plane: OpticalPlane) -> RecordingNoise:
    """Give the noise of the indicator's recordings, at the size that the plane states."""
    found = plane.model.noise
    if plane.noise is None:
        if not found.white > 0:
            msg = (
                f"indicator {plane.model.name!r} has no recorded noise; say noise=..., that "
                "of dF/F of a frame at 30 frames/s"
            )
            raise InputError(msg)
        return found
    if not found.white > 0:
        return attrs.evolve(found, white=plane.noise / np.sqrt(_STATED))
    scale = plane.noise / found.of_frame(_STATED)
    sizes = {
        name: scale * getattr(found, name) for name in ("white", "slow", "drift", "offset")
    }
    return attrs.evolve(found, **sizes)


def _neuropil(
    dff: np.ndarray,
    plane: OpticalPlane,
    centres: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Follow the cells around, a slow common signal, and noise of many pixels."""
    n, frames = dff.shape
    rest = plane.neuropil * plane.brightness * np.exp(0.15 * rng.standard_normal(n))
    away = np.linalg.norm(centres[:, None] - centres[None], axis=-1) * plane.pixel
    weights = np.exp(-away / _REACH)
    np.fill_diagonal(weights, 0.0)  # the ring around a soma leaves the soma out
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-12)
    local = weights @ dff
    slow = slow_noise((frames,), 1 / plane.rate, 2.0, rng)
    white = 0.02 * rng.standard_normal((n, frames))
    return np.asarray(rest[:, None] * (1 + 0.5 * local + 0.03 * slow + white))


def dff_of(
    fluorescence: Float[np.ndarray, "n n_frames"], rate: float, window: float
) -> Float[np.ndarray, "n n_frames"]:
    """Compute (F - F0)/F0 with F0 a running median.

    Parameters
    ----------
    fluorescence : array, shape (n, n_frames)
        Without neuropil.
    rate : float
        Frames per second.
    window : float
        Length of the running median (s), taken of means over 1 s and centred.

    Returns
    -------
    array, shape (n, n_frames)
        NaN where F0 is not above 0.

    Examples
    --------
    >>> f = np.full((1, 600), 100.0)
    >>> f[0, 300] = 150
    >>> dff_of(f, 10.0, 20.0)[0, [0, 300]].tolist()
    [0.0, 0.5]
    """
    from scipy.ndimage import median_filter

    n, frames = fluorescence.shape
    size = max(1, min(round(_BLOCK * rate), frames))
    blocks = max(1, frames // size)
    means = fluorescence[:, : blocks * size].reshape(n, blocks, size).mean(-1)
    width = max(1, min(round(window * rate / size), blocks))
    slow = median_filter(means, size=(1, width), mode="nearest")
    at = (np.arange(blocks) + 0.5) * size - 0.5
    f0 = np.empty_like(fluorescence)
    for row, values in zip(f0, slow, strict=True):
        row[:] = np.interp(np.arange(frames), at, values)
    f0 = np.where(f0 > 0, f0, np.nan)
    return np.asarray((fluorescence - f0) / f0)


def motion_of(
    n_frames: int, rng: np.random.Generator, *, rate: float, sd: float = 1.0
) -> Float[np.ndarray, "n_frames 2"]:
    """Draw how the tissue moved: x and y of each frame, whole pixels, correlated over 1 s."""
    return np.asarray(np.round(sd * slow_noise((2, n_frames), 1 / rate, 1.0, rng)).T)

"""What a sweep's own samples say of its quality: noise, drift, saturation, response.

All potentials are in V, currents in A, as in the `Recording`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

Span = tuple[int, int]


def window_noise(response: Float[np.ndarray, "n"], rests: Sequence[Span], width: int) -> float:
    """Noise within short windows: the median of their standard deviations.

    ipfx takes one window at either end of the sweep; the median over all windows of a
    rest is not spoilt by a synaptic event in one of them.

    Parameters
    ----------
    response : array, shape (n_samples,)
        Potential.
    rests : sequence of (start, stop)
        Half-open sample ranges without current.
    width : int
        Samples of a window.

    Returns
    -------
    float
        NaN when no window fits.
    """
    if width < 2:
        return np.nan
    parts = [response[a : a + (b - a) // width * width].reshape(-1, width) for a, b in rests]
    parts = [p for p in parts if p.size]
    if not parts:
        return np.nan
    return float(np.median(np.std(np.concatenate(parts).astype(float), axis=1)))


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
    x = response.astype(float)
    if x.size < 8:
        return best, level
    change = np.abs(np.diff(x))
    moving = change[change > 0]
    if moving.size == 0:
        return best, level
    step, noise = float(moving.min()), float(np.median(change))
    brief = max(5, int(np.ceil(0.25e-3 * rate)))
    for extreme in (x.max(), x.min()):
        starts, stops = _runs(x == extreme)
        for a, b in zip(starts.tolist(), stops.tolist(), strict=True):
            jump = min(change[a - 1], change[b - 1]) if a > 0 and b < x.size else 0.0
            steep = jump > 6 * max(step, noise) and b - a >= brief
            noisy = starts.size > 2 and noise > 2 * step and b - a >= 2 * brief
            if b - a > best and (steep or noisy):
                best, level = b - a, float(extreme)
    return best, level


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    padded = np.concatenate(([False], mask, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return edges[::2], edges[1::2]


def expected_deflections(
    amplitudes: Float[np.ndarray, "n_sweeps"],
    deflections: Float[np.ndarray, "n_sweeps"],
    *,
    cap: float,
) -> np.ndarray:
    """Deflection that a sweep's neighbours let expect of it (V).

    The resistance is the median over the weaker half of the steps of the same sign, where
    cells are closest to linear; depolarisations are expected up to `cap` only, because
    firing holds the mean potential there.

    Parameters
    ----------
    amplitudes : array
        Steps (A), relative to holding.
    deflections : array
        Mean potential in the step less baseline (V).
    cap : float
        Largest depolarisation that is expected (V).

    Returns
    -------
    array
        NaN where there are fewer than three other steps of that sign.

    Examples
    --------
    >>> amplitudes = np.array([-40.0, -30.0, -20.0, -10.0]) * 1e-12
    >>> expected = expected_deflections(amplitudes, amplitudes * 1e8, cap=0.02)
    >>> np.round(expected * 1e3, 6)
    array([-4., -3., -2., -1.])
    """
    expected = np.full(amplitudes.shape, np.nan)
    for sign in (-1, 1):
        rows = np.flatnonzero((amplitudes * sign > 0) & np.isfinite(deflections))
        order = rows[np.argsort(np.abs(amplitudes[rows]), kind="stable")]
        for k in rows.tolist():
            others = order[order != k]
            if others.size < 3:
                continue
            weak = others[: (others.size + 1) // 2]
            resistance = float(np.median(deflections[weak] / amplitudes[weak]))
            expected[k] = resistance * amplitudes[k]
    return np.minimum(expected, cap)

"""What a sweep's own samples say of its quality: noise, response.

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

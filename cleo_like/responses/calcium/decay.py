"""How fast the calcium of a trace decays, from its autocovariance."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleo_like.responses.calcium.inputs import as_traces, per_cell, positive
from cleo_like.responses.calcium.noise import noise_std

_LAGS = 0.17  # s: the first part of the decay, before other events fall into it
_LEAST_LAGS = 4  # frames
# No indicator in use decays more slowly; what does is drift or bursts of spikes. Chosen on the
# development cells of public ground truth (98 cells of 16 sets; 1.6 to 2.5 s differ by .004 in
# the correlation with the spikes).
_SLOWEST = 2.0  # s


def decay_time(traces: np.ndarray, frame_rate: Any) -> np.ndarray:
    """Estimate the time constant of the decay of each trace.

    The autocovariance of a first-order decay falls by g in each frame; the variance of the
    noise is taken off its lag 0 (Pnevmatikakis et al. 2016, doi:10.1016/j.neuron.2015.11.037).
    Correlation that outlasts every indicator is drift and bursts: rates of 1 / 2 s are added.

    Parameters
    ----------
    traces : array, shape (n_cells, n_frames) or (n_frames,)
        dF/F; NaN is no sample.
    frame_rate : float or quantity
        Hz.

    Returns
    -------
    array, shape (n_cells,)
        Seconds, below 2; NaN where no decay is seen (no events, or too short).

    Raises
    ------
    InputError
        A wrong shape, or a rate that is not positive.
    """
    y = as_traces(traces)
    rate = positive(frame_rate, "Hz", "frame_rate")
    lags = max(_LEAST_LAGS, round(_LAGS * rate))
    found = np.full(len(y), np.nan)
    n = y.shape[1]
    if n <= 2 * lags:
        return found
    seen = np.isfinite(y)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(seen, y, 0.0).sum(axis=1, keepdims=True) / seen.sum(
            axis=1, keepdims=True
        )
        away = np.where(seen, y - mean, 0.0)
        # sums of fewer products at long lags: biased towards 0, so that it always falls
        cov = np.stack(
            [(away[:, k:] * away[:, : n - k]).sum(axis=1) for k in range(lags + 1)], axis=1
        )
        cov[:, 0] -= noise_std(y) ** 2 * seen.sum(axis=1)
        g = (cov[:, 1:] * cov[:, :-1]).sum(axis=1) / (cov[:, :-1] ** 2).sum(axis=1)
        falls = (g > 0) & (g < 1) & (cov[:, 1] > 0)
        found[falls] = 1 / (1 / _SLOWEST - rate * np.log(g[falls]))
    return found


def decay_times(
    y: np.ndarray, rate: float, tau: Any = None, *, slower: float = 1.0
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Give the decay (s) of each cell, as given or measured, and notes on what was assumed.

    What is measured is made `slower` by a factor.
    Silent cells show no decay; they get the median of the others, which have the same
    indicator.
    """
    if tau is not None:
        return per_cell(tau, len(y), "s", "tau"), ()
    found = slower * decay_time(y, rate)
    unknown = np.flatnonzero(np.isnan(found))
    if not unknown.size or unknown.size == found.size:
        return found, ()
    found[unknown] = np.nanmedian(found)
    note = f"shows no decay; {found[unknown[0]]:.3g} s is assumed, the median of the others"
    return found, tuple(f"cell {k} {note}" for k in unknown)

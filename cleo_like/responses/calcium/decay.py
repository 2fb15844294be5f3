"""How fast the calcium of a trace decays, from its autocovariance."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleo_like.responses.calcium.inputs import as_traces, positive

_LAGS = 0.5  # s: the part of the decay that is measured
_LEAST_LAGS = 5  # frames


def decay_time(traces: np.ndarray, frame_rate: Any) -> np.ndarray:
    """Estimate the time constant of the decay of each trace.

    The autocovariance of an AR(1) process falls by g in each frame; white noise is in its
    lag 0 only, which is left out.

    Parameters
    ----------
    traces : array, shape (n_cells, n_frames) or (n_frames,)
        dF/F; NaN is no sample.
    frame_rate : float or quantity
        Hz.

    Returns
    -------
    array, shape (n_cells,)
        Seconds; NaN where no decay is seen (no events, or too short).

    Raises
    ------
    InputError
        A wrong shape, or a rate that is not positive.
    """
    y = as_traces(traces)
    rate = positive(frame_rate, "Hz", "frame_rate")
    lags = max(_LEAST_LAGS, round(_LAGS * rate))
    found = np.full(len(y), np.nan)
    if y.shape[1] <= 2 * lags:
        return found
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.nan_to_num(
            y - np.nansum(y, axis=1, keepdims=True) / np.isfinite(y).sum(axis=1, keepdims=True)
        )
        n = y.shape[1] - lags - 1
        cov = np.stack(
            [(away[:, :n] * away[:, k : k + n]).sum(axis=1) for k in range(1, lags + 2)], axis=1
        )
        g = (cov[:, 1:] * cov[:, :-1]).sum(axis=1) / (cov[:, :-1] ** 2).sum(axis=1)
        falls = (g > 0) & (g < 1) & (cov[:, 0] > 0)
        found[falls] = -1 / (rate * np.log(g[falls]))
    return found

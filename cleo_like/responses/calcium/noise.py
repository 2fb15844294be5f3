"""How noisy traces are: what a sample says that its neighbours do not."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.responses.calcium.inputs import as_traces

NoiseMethod = Literal["difference", "spectrum"]

_MAD = 1.4826  # SD of a Gaussian over its median absolute deviation
_LEAST = 4  # samples: fewer say nothing of their spread
_BAND = (
    0.25,
    0.5,
)  # of the frame rate: Pnevmatikakis et al. 2016, doi:10.1016/j.neuron.2015.11.037


def noise_std(traces: np.ndarray, *, method: NoiseMethod = "difference") -> np.ndarray:
    """Estimate the SD of the white noise of each trace.

    Parameters
    ----------
    traces : array, shape (n_cells, n_frames) or (n_frames,)
        Fluorescence, dF/F for example; NaN is no sample.
    method : str
        "difference": median absolute difference of successive samples over sqrt(2), which
        large and rare events hardly move. "spectrum": power above a quarter of the frame
        rate.

    Returns
    -------
    array, shape (n_cells,)
        SD in the unit of the traces; NaN with fewer than four differences. Noise slower
        than a frame is not in it.

    Raises
    ------
    InputError
        The traces have no frames, or more than two dimensions.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> noise_std(0.1 * rng.normal(size=100_000)).round(3)
    array([0.1])
    """
    y = as_traces(traces)
    if method not in get_args(NoiseMethod):
        raise unknown_name("noise method", str(method), get_args(NoiseMethod))
    steps = np.diff(y, axis=1)
    enough = np.isfinite(steps).sum(axis=1) >= _LEAST
    found = np.full(len(y), np.nan)
    if enough.any():
        measure = _of_differences if method == "difference" else _of_spectrum
        found[enough] = measure(y[enough])
    return found


def _of_differences(y: np.ndarray) -> np.ndarray:
    steps = np.diff(y, axis=1)
    centre = np.nanmedian(steps, axis=1, keepdims=True)
    return _MAD * np.nanmedian(np.abs(steps - centre), axis=1) / np.sqrt(2)


def _of_spectrum(y: np.ndarray) -> np.ndarray:
    from scipy.signal import welch

    if np.isnan(y).any():
        msg = "a spectrum needs every sample; use method='difference' for traces with NaN"
        raise InputError(msg)
    frequency, power = welch(y, fs=1.0, nperseg=min(256, y.shape[1]), axis=1)
    band = (frequency > _BAND[0]) & (frequency <= _BAND[1])
    # one-sided: white noise has the density 2 sd^2
    return np.sqrt(power[:, band].mean(axis=1) / 2)

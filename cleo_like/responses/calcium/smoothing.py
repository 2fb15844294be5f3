"""`filtered_events`: events smoothed by the causal half of a Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.responses.calcium.inputs import as_traces, positive

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity

# The scale and the length of the tables of the Allen Institute: 2 frames of 31 Hz, 20 weights.
SCALE = 2 / 31
_WEIGHTS = 20
_REACH = 4.0  # scales: above 74 Hz, 20 weights would cut the Gaussian off


def half_normal_weights(frame_rate: Any, scale: Quantity = SCALE) -> np.ndarray:
    """Give the weights of `filtered_events`: half a Gaussian, newest sample first, sum 1.

    Parameters
    ----------
    frame_rate : float or quantity
        Hz.
    scale : float or quantity
        SD of the Gaussian (s).

    Returns
    -------
    array
        20 weights, or more where the Gaussian is longer.

    Raises
    ------
    InputError
        The rate or the scale is not positive.

    Examples
    --------
    >>> half_normal_weights(31.0)[:3].round(3)
    array([0.333, 0.294, 0.202])
    """
    sd = positive(frame_rate, "Hz", "frame_rate") * positive(scale, "s", "scale")
    lags = np.arange(max(_WEIGHTS, int(np.ceil(_REACH * sd)) + 1))
    weights = np.exp(-0.5 * (lags / sd) ** 2)
    return weights / weights.sum()


def filtered_events(
    events: np.ndarray, frame_rate: Any, *, scale: Quantity = SCALE
) -> np.ndarray:
    """Smooth events by a causal half Gaussian, as the column ``filtered_events`` is.

    Parameters
    ----------
    events : array, shape (n_cells, n_frames) or (n_frames,)
        Size of the event in each frame.
    frame_rate : float or quantity
        Hz.
    scale : float or quantity
        SD of the Gaussian (s).

    Returns
    -------
    array, shape as `events`
        Nothing comes before its event; the sum stays, but for events cut off by the end.
        NaN reaches as far as the weights do.

    Raises
    ------
    InputError
        Events of another shape, or a rate or scale that is not positive.

    Examples
    --------
    >>> filtered_events(np.array([0.0, 1, 0, 0, 0]), 31.0).round(3)
    array([0.   , 0.333, 0.294, 0.202, 0.108])
    """
    from scipy.signal import lfilter

    y = as_traces(events, "events")
    smooth = lfilter(half_normal_weights(frame_rate, scale), [1.0], y, axis=1)
    return smooth.reshape(np.shape(getattr(events, "fluorescence", events)))

"""Times of frames as NWB keeps them: a start and a rate, or stamps where they are uneven."""

from __future__ import annotations

from typing import Any

import numpy as np

SAME_TIME = 1e-9
"""Times (s) closer than this are one: the inspector's own limit for an even rate."""


def clock_of(times: np.ndarray) -> dict[str, Any]:
    """Give the arguments of a TimeSeries for these times.

    Parameters
    ----------
    times : array, shape (n_frames,)
        Rising (s).

    Returns
    -------
    dict
        `starting_time` and `rate` where they give back every time to 1 ns, else
        `timestamps`.

    Examples
    --------
    >>> clock_of(0.5 + np.arange(900) / 30)
    {'starting_time': 0.5, 'rate': 30.0}
    >>> list(clock_of(np.array([0.0, 0.1, 0.3])))
    ['timestamps']
    """
    times = np.asarray(times, dtype=float)
    if len(times) > 1:
        mean = (len(times) - 1) / (times[-1] - times[0])
        steps = np.arange(len(times))
        tried = (round(mean, 9), 1 / round(1 / mean, 12) if mean < 1e9 else mean, mean)
        errors = [np.abs(times[0] + steps / rate - times).max() for rate in tried]
        best = int(np.argmin(errors))
        if errors[best] <= SAME_TIME:
            return {"starting_time": float(times[0]), "rate": float(tried[best])}
    return {"timestamps": times}

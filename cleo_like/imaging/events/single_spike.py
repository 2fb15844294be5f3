"""Landmarks of the response of an indicator to one spike."""

from __future__ import annotations

import attrs
import numpy as np


@attrs.frozen(kw_only=True)
class SingleSpike:
    """Landmarks of the response to one spike at rest.

    Parameters
    ----------
    peak : float
        dF/F.
    time_to_peak, half_rise, half_decay : float
        From the spike to the peak, to half of it on the way up, and from the peak to half
        of it on the way down (s).
    """

    peak: float
    time_to_peak: float
    half_rise: float
    half_decay: float

    @classmethod
    def of(cls, t: np.ndarray, y: np.ndarray) -> SingleSpike:
        """Read the landmarks off a response that is sampled finely.

        Parameters
        ----------
        t : array, shape (n,)
            Times after the spike (s), rising.
        y : array, shape (n,)
            dF/F: one rise and one fall, to less than half of the peak.
        """
        top = int(y.argmax())
        half = y[top] / 2
        return cls(
            peak=float(y[top]),
            time_to_peak=float(t[top]),
            half_rise=float(np.interp(half, y[: top + 1], t[: top + 1])),
            half_decay=float(np.interp(-half, -y[top:], t[top:]) - t[top]),
        )

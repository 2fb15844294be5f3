"""What the user of a method knows of the indicator: what the method may be told."""

from __future__ import annotations

import functools

import attrs
import numpy as np

from cleo_like.imaging.calibrated.table import calibrated_indicator

_PHASES = 8  # of a spike in its frame
_FINE = 500.0  # Hz at which the response is compared with an exponential
_TAUS = (-4.6, 3.0)  # 10 ms to 20 s, logarithms
_SHARE = 1e-3  # of the peak at which the kernel ends


@attrs.frozen(kw_only=True)
class Known:
    """An indicator as its users know it: the median cell, not the one that is imaged.

    Parameters
    ----------
    indicator : str
        Name.
    tau : float
        Decay (s) of the exponential that is nearest to the response to one spike (least
        squares): that of a method whose model is one exponential.
    peak : float
        dF/F at the peak of one spike.

    Examples
    --------
    >>> known = Known.of("gcamp6f")
    >>> 0.1 < known.tau < 1, bool(known.kernel(30.0)[0] > 0)
    (True, True)
    """

    indicator: str
    tau: float
    peak: float

    @classmethod
    def of(cls, indicator: str) -> Known:
        """Give what is known of a calibrated indicator."""
        peak = float(calibrated_indicator(indicator).single_spike().peak)
        return cls(indicator=indicator, tau=_nearest_decay(indicator), peak=peak)

    def kernel(self, frame_rate: float) -> np.ndarray:
        """Give dF/F of one spike in successive frames, from the frame of the spike on.

        The mean over where in the frame the spike is.

        Parameters
        ----------
        frame_rate : float
            Hz.
        """
        return _kernel(self.indicator, float(frame_rate))


@functools.cache
def _nearest_decay(indicator: str) -> float:
    from scipy.optimize import minimize_scalar

    y = _kernel(indicator, _FINE)
    t = np.arange(y.size) / _FINE

    def unexplained(log_tau: float) -> float:
        shape = np.exp(-t * np.exp(-log_tau))
        return -float((shape @ y) ** 2 / (shape @ shape))

    found = minimize_scalar(unexplained, bounds=_TAUS, method="bounded")
    return float(np.exp(found.x))


@functools.lru_cache(maxsize=256)
def _kernel(indicator: str, rate: float) -> np.ndarray:
    model = calibrated_indicator(indicator)
    longest = 6 * max(model.kernel.decays)
    after = (np.arange(int(np.ceil(longest * rate)) + 1)[:, None]) / rate
    late = (np.arange(_PHASES) + 0.5) / _PHASES / rate  # from the spike to the end of its frame
    found = model.response(model.kernel(after + late)).mean(axis=1)
    last = int(np.flatnonzero(found > _SHARE * found.max())[-1])
    return found[: last + 1]

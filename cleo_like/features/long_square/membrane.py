"""Input resistance and membrane time constant from hyperpolarising steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.features.estimate import Estimate
from cleo_like.features.long_square import exponential

if TYPE_CHECKING:
    from cleo_like.core.window import Window
    from cleo_like.features.stack import SweepStack

_MIN_SNR = 20.0  # deflection over the SD of the baseline
_FROM = 0.1  # of the deflection: there the fit begins
_GUESS_RATE = 50.0  # 1/s
_MAX_RMSE = 1.0  # mV


def line(x: np.ndarray, y: np.ndarray) -> Estimate:
    """Fit a line by least squares and give its slope with its standard error.

    Where all x are equal this is the shortest of the many solutions (rank-1), as ipfx has
    it; callers that want a physical answer must add a second point.
    """
    design = np.column_stack([x, np.ones_like(x)])
    slope = float(np.linalg.lstsq(design, y, rcond=None)[0][0])
    if x.size < 3 or np.ptp(x) == 0:
        return Estimate(value=slope)
    residual = y - y.mean() - slope * (x - x.mean())
    variance = float(residual @ residual) / (x.size - 2)
    return Estimate(value=slope, error=float(np.sqrt(variance / ((x - x.mean()) ** 2).sum())))


def ipfx_resistance(current: np.ndarray, lowest: np.ndarray, rest: np.ndarray) -> float:
    """Give ipfx's value: a line through single lowest samples, whatever the currents."""
    if current.size == 1:
        current, lowest = np.append(current, 0.0), np.append(lowest, rest[0])
    return 1e3 * line(current, lowest).value


def time_constants(
    stack: SweepStack,
    rows: np.ndarray,
    step: Window,
    *,
    lowest: np.ndarray,
    baseline: np.ndarray,
    noise: np.ndarray,
) -> list[Estimate]:
    """Fit one exponential to the onset of each step (s).

    Parameters
    ----------
    stack : SweepStack
        All sweeps.
    rows : array of int
        Sweeps to fit.
    step : Window
        The step.
    lowest, baseline, noise : arrays, shape (n_rows,)
        Sample of the minimum, mean (mV) and SD (mV) of the baseline of each sweep.

    Returns
    -------
    list of Estimate
        One for each row.
    """
    start = stack.index(step.start)
    common = stack.index(float(np.median(lowest / stack.rate))) if rows.size else 0
    out = []
    for row, own, base, sd in zip(rows.tolist(), lowest.tolist(), baseline, noise, strict=True):
        v = stack.voltage_mv[row]
        last = min(own, common)
        with np.errstate(divide="ignore", invalid="ignore"):
            snr = np.abs(base - v[last]) / sd
        if not snr >= _MIN_SNR:
            out.append(Estimate(reason=f"deflection only {snr:.1f} times the baseline noise"))
            continue
        below = v[start:last] <= base + _FROM * (v[last] - base)
        if not below.any():
            out.append(Estimate(reason="no sample between the start and the minimum"))
            continue
        first = start + int(below.argmax())
        t = np.arange(first, last) / stack.rate
        out.append(_fit_exponential(t - t[0], v[first:last], float(v[last])))
    return out


def _fit_exponential(x: np.ndarray, y: np.ndarray, end: float) -> Estimate:
    """Fit y0 + a exp(-k x) and give 1 / k.

    The start (`end` is the sample after the last that is fitted) and the end of the search
    are ipfx's.
    """
    if x.size < 4:
        return Estimate(reason=f"only {x.size} samples before the minimum")
    found = exponential.fit(x, y, np.array([y[0] - end, _GUESS_RATE, end]))
    if found is None:
        return Estimate(reason="the exponential fit did not converge")
    rmse = np.sqrt(found.squares / x.size)
    if not rmse <= _MAX_RMSE:
        return Estimate(reason=f"the exponential misses by {rmse:.2g} mV (rms)")
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = found.rate_variance * found.squares / (x.size - 3)
    return Estimate(value=1 / found.rate, error=float(np.sqrt(variance)) / found.rate**2)

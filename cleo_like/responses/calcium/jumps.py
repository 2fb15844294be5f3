"""`l0_events`: event detection with an L0 penalty, set by the smallest event wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.responses.calcium.decay import decay_times
from cleo_like.responses.calcium.events import CalciumEvents, measurable, without_lost_frames
from cleo_like.responses.calcium.inputs import as_traces, per_cell, positive
from cleo_like.responses.calcium.l0 import calcium_between, jumps_of, last_jumps, on_samples
from cleo_like.responses.calcium.noise import noise_std

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity

# Both chosen on the development cells of public ground truth (118 cells of 17 sets that no test
# reads, at 30 Hz and averaged to 10 Hz; 2.5 to 3.5, and 1.25 to 2, differ by .004 in the mean
# correlation with the spikes).
SIGNIFICANCE = 3.0  # standard errors of the size of an event
_SLOWER = 1.5  # a fit that may jump down too loses little by a slow decay, and splits by a fast
_LOW = (
    10.0,
    1.2816,
)  # percentile of the trace, and SD by which that of noise lies below its mean


def l0_events(
    traces: np.ndarray,
    frame_rate: Any,
    *,
    tau: Quantity | np.ndarray | None = None,
    significance: float = SIGNIFICANCE,
    smallest_event: float | None = None,
    baseline: float | np.ndarray | None = None,
    noise_stds: np.ndarray | None = None,
    lambdas: np.ndarray | None = None,
) -> CalciumEvents:
    """Find the fewest events that explain each trace within its noise.

    Parameters
    ----------
    traces : array, shape (n_cells, n_frames) or (n_frames,), or Traces
        dF/F; NaN is no sample.
    frame_rate : float or quantity
        Hz.
    tau : float, quantity or array, optional
        Time constant of the decay (s), one or one per cell; 1.5 times what `decay_time`
        measures when not given (for silent cells the median of the others, with a note).
    significance : float
        Size of an event of its own, in standard errors of that size, at which it is worth its
        penalty. Slow decays have small errors, as many frames tell of an event.
    smallest_event : float, optional
        The same in SD of the noise of a frame, instead of `significance`.
    baseline : float or array, optional
        What is taken off the traces, one or one per cell; the 10th percentile, raised by what
        the noise lowers it, when not given. 0 where dF/F is known to rest at 0.
    noise_stds : array, optional
        SD of the noise of each cell; that of `noise_std` when not given.
    lambdas : array, optional
        Penalty of an event, instead of both.

    Returns
    -------
    CalciumEvents
        Events are jumps up by more than rounding; the fit may also jump down, which is none.

    Raises
    ------
    InputError
        A wrong shape, or a value that is not positive.

    Notes
    -----
    An event of size s, with no other near, lowers the squared error by s^2 / (1 - g^2) / 2,
    where g = exp(-1 / (tau rate)), and its standard error is sqrt(1 - g^2) SD of the noise: so
    the penalty is (`significance` SD)^2 / 2.
    Solved exactly: Jewell & Witten 2018, doi:10.1214/18-AOAS1162.

    Examples
    --------
    >>> trace = np.r_[np.zeros(20), np.exp(-np.arange(40) / 10)]
    >>> found = l0_events(trace, 10.0, tau=1.0, baseline=0, noise_stds=[0.1])
    >>> np.flatnonzero(found.events[0]), found.events[0].max().round(3)
    (array([20]), np.float64(1.0))
    """
    y = as_traces(traces)
    rate = positive(frame_rate, "Hz", "frame_rate")
    n = len(y)
    noise = noise_std(y) if noise_stds is None else per_cell(noise_stds, n, "1", "noise_stds")
    seconds, assumed = decay_times(y, rate, tau, slower=_SLOWER)
    g = np.exp(-1 / (seconds * rate))
    if lambdas is not None:
        penalty = per_cell(lambdas, n, "1", "lambdas")
    elif smallest_event is not None:
        size = positive(smallest_event, "1", "smallest_event") * noise
        penalty = 0.5 * size**2 / (1 - g**2)
    else:
        penalty = 0.5 * (positive(significance, "1", "significance") * noise) ** 2
    base = _baseline(y, noise, baseline)
    good, notes = measurable(y, noise, seconds)
    events, calcium = np.full(y.shape, np.nan), np.full(y.shape, np.nan)
    if good.any():
        rows = y[good] - base[good, None]
        jumps = on_samples(jumps_of(last_jumps(rows, g[good], penalty[good])), rows)
        calcium[good] = calcium_between(rows, jumps, g[good])
        events[good] = events_of(calcium[good], jumps, g[good])
    events, lost = without_lost_frames(events, y, good)
    return CalciumEvents(
        events=events, calcium=calcium, baseline=base, tau=seconds, noise_stds=noise,
        lambdas=penalty, frame_rate=rate, method="l0", notes=assumed + notes + lost,
    )  # fmt: skip


def _baseline(y: np.ndarray, noise: np.ndarray, given: float | np.ndarray | None) -> np.ndarray:
    if given is not None:
        found = np.asarray(given, dtype=float).reshape(-1)
        if found.size not in (1, len(y)) or not np.isfinite(found).all():
            msg = f"baseline must be one finite value, or one for each of {len(y)} cells"
            raise InputError(msg)
        return np.broadcast_to(found, (len(y),)).copy()
    base = np.full(len(y), np.nan)
    known = np.isfinite(y).any(axis=1)
    base[known] = np.nanpercentile(y[known], _LOW[0], axis=1) + _LOW[1] * noise[known]
    return base


def events_of(calcium: np.ndarray, jumps: list[np.ndarray], decay: np.ndarray) -> np.ndarray:
    """Jumps up of calcium at the given frames; 0 elsewhere."""
    found = np.zeros_like(calcium)
    rows = np.repeat(np.arange(len(jumps)), [len(at) for at in jumps])
    frames = np.concatenate(jumps) if jumps else np.empty(0, dtype=int)
    before = decay[rows] * calcium[rows, frames - 1]
    found[rows, frames] = np.maximum(calcium[rows, frames] - before, 0.0)
    return found

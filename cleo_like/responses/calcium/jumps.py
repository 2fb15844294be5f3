"""`l0_events`: event detection with an L0 penalty, set by the smallest event wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.responses.calcium.decay import decay_times
from cleo_like.responses.calcium.events import CalciumEvents, measurable
from cleo_like.responses.calcium.inputs import as_traces, per_cell, positive
from cleo_like.responses.calcium.l0 import calcium_between, jumps_of, last_jumps
from cleo_like.responses.calcium.noise import noise_std

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity

SMALLEST = 1.5  # SD of the noise; on recorded cells with known spikes 1.3 events for a spike
_LOW = (
    10.0,
    1.2816,
)  # percentile of the trace, and SD by which that of noise lies below its mean


def l0_events(
    traces: np.ndarray,
    frame_rate: Any,
    *,
    tau: Quantity | np.ndarray | None = None,
    smallest_event: float = SMALLEST,
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
        Time constant of the decay (s), one or one per cell; measured by `decay_time` when not
        given (for silent cells the median of the others, with a note).
    smallest_event : float
        Size, in SD of the noise, at which an event of its own is worth its penalty.
    baseline : float or array, optional
        What is taken off the traces, one or one per cell; the 10th percentile, raised by what
        the noise lowers it, when not given. 0 where dF/F is known to rest at 0.
    noise_stds : array, optional
        SD of the noise of each cell; that of `noise_std` when not given.
    lambdas : array, optional
        Penalty of an event, instead of `smallest_event`.

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
    where g = exp(-1 / (tau rate)): that is its penalty, with s = `smallest_event` SD.
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
    seconds, assumed = decay_times(y, rate, tau)
    g = np.exp(-1 / (seconds * rate))
    if lambdas is None:
        size = positive(smallest_event, "1", "smallest_event") * noise
        penalty = 0.5 * size**2 / (1 - g**2)
    else:
        penalty = per_cell(lambdas, n, "1", "lambdas")
    base = _baseline(y, noise, baseline)
    good, notes = measurable(y, noise, seconds)
    events, calcium = np.full(y.shape, np.nan), np.full(y.shape, np.nan)
    if good.any():
        rows = y[good] - base[good, None]
        jumps = jumps_of(last_jumps(rows, g[good], penalty[good]))
        calcium[good] = calcium_between(rows, jumps, g[good])
        events[good] = events_of(calcium[good], jumps, g[good])
    return CalciumEvents(
        events=events, calcium=calcium, baseline=base, tau=seconds, noise_stds=noise,
        lambdas=penalty, frame_rate=rate, method="l0", notes=assumed + notes,
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

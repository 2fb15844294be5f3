"""Sums of exponentials driven by spikes, exact at any time: work at spikes and frames only.

Between spikes a linear state only decays, so its value at a spike is a prefix product of
decays and its value at a frame is one multiplication. The prefix is taken by doubling
(log2 of the longest train passes), for all ROIs at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def exponential_sum(
    spike_times: Float[np.ndarray, " spikes"],
    spike_cells: Int[np.ndarray, " spikes"],
    frame_times: Float[np.ndarray, " frames"],
    rates: Float[np.ndarray, "n modes"],
    weights: Float[np.ndarray, "n modes"],
    *,
    sizes: Float[np.ndarray, " spikes"] | None = None,
) -> Float[np.ndarray, "n frames"]:
    r"""Sum over past spikes of a kernel made of exponentials.

    .. math:: c_r(t) = \sum_{s \le t} a_s \sum_m w_{rm}\, e^{-k_{rm}(t - s)}

    Parameters
    ----------
    spike_times : array, s
        All spikes of all ROIs, in any order.
    spike_cells : array of int
        ROI of each spike, 0 to n_rois - 1.
    frame_times : array, s
        Increasing; regular or not.
    rates : array (n_rois, n_modes), 1/s
        Positive decay rate of every mode.
    weights : array (n_rois, n_modes)
        Weight of every mode.
    sizes : array, optional
        Size a of every spike (default 1).

    Returns
    -------
    array (n_rois, n_frames)
        The sum at each frame; a spike at the time of a frame counts in it.

    Raises
    ------
    InputError
        Unequal lengths, an ROI out of range, times that are not finite, or frame times
        that do not increase.

    Examples
    --------
    >>> import numpy as np
    >>> decay = np.array([[np.log(2.0)]])  # halves every second
    >>> exponential_sum(np.array([0.0, 1.0]), np.array([0, 0]), np.arange(4.0), decay,
    ...                 np.ones((1, 1))).tolist()
    [[1.0, 1.5, 0.75, 0.375]]
    """
    frame_times = np.asarray(frame_times, dtype=float)
    times, rois, order = _sorted_by_roi(spike_times, spike_cells, len(rates))
    ones = np.ones(times.size) if sizes is None else np.asarray(sizes, dtype=float)[order]
    _check_frames(frame_times)
    if times.size == 0:
        return np.zeros((len(rates), frame_times.size))
    last = _last_spike(times, rois, frame_times, len(rates))
    found = last >= 0
    age = np.where(found, frame_times - times[last], 0.0)
    starts = np.flatnonzero(np.r_[True, rois[1:] != rois[:-1]])
    total = np.zeros(age.shape)
    for mode in range(rates.shape[1]):  # three or four of them
        state = _state_at_spikes(times, starts, rates[rois, mode], ones)
        part = np.multiply(age, -rates[:, mode, None])
        np.exp(part, out=part)
        part *= state[last]
        part *= weights[:, mode, None]
        total += part
    total[~found] = 0.0
    return total


def _sorted_by_roi(
    times: np.ndarray, rois: np.ndarray, n_rois: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    times, rois = np.asarray(times, dtype=float), np.asarray(rois, dtype=np.intp)
    if times.ndim != 1 or times.shape != rois.shape:
        msg = (
            "spike times and their ROIs must be two vectors of one length, "
            f"got shapes {times.shape} and {rois.shape}"
        )
        raise InputError(msg)
    if not np.isfinite(times).all():
        raise InputError("spike times must be finite, got NaN or infinity among them")
    if rois.size and (rois.min() < 0 or rois.max() >= n_rois):
        msg = f"ROIs of spikes must be 0 to {n_rois - 1}, got {rois.min()} to {rois.max()}"
        raise InputError(msg)
    order = np.lexsort((times, rois))
    return times[order], rois[order], order


def _check_frames(frames: np.ndarray) -> None:
    if frames.ndim != 1 or not np.isfinite(frames).all() or (np.diff(frames) <= 0).any():
        raise InputError("frame times must be a vector of finite, increasing values")


def _last_spike(
    times: np.ndarray, rois: np.ndarray, frames: np.ndarray, n_rois: int
) -> np.ndarray:
    """Index of the last spike at or before each frame, (n_rois, n_frames); -1 where none."""
    bins = np.searchsorted(frames, times, side="left")  # first frame that sees the spike
    width = frames.size + 1
    counts = np.bincount(rois * width + bins, minlength=n_rois * width)
    seen = np.cumsum(counts.reshape(n_rois, width)[:, :-1], axis=1)
    first = np.searchsorted(rois, np.arange(n_rois), side="left")
    return np.where(seen > 0, first[:, None] + seen - 1, -1)


def _state_at_spikes(
    times: np.ndarray, starts: np.ndarray, rates: np.ndarray, sizes: np.ndarray
) -> np.ndarray:
    """State of one unit-weight mode just after every spike: x_i = a_i + x_{i-1} e^(-k gap)."""
    decay = np.zeros(times.size)
    decay[1:] = np.exp(-rates[1:] * np.clip(np.diff(times), 0.0, None))
    decay[starts] = 0.0  # nothing is carried from one ROI into the next
    state = sizes.copy()
    step, longest = 1, int(np.diff(np.r_[starts, times.size]).max())
    while step < longest and decay[step:].any():
        # right-hand sides are made in full before they are stored
        state[step:] = state[step:] + decay[step:] * state[:-step]
        decay[step:] = decay[step:] * decay[:-step]
        step *= 2
    return state

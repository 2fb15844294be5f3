"""All frames of a recording from all its spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.imaging.events.cells import EventDriven
from cleo_like.imaging.events.single_spike import SingleSpike

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from cleo_like.imaging.events.kinetics import Kinetics


def dff_of_spikes(
    kinetics: Kinetics,
    spike_cells: Int[np.ndarray, "n_spikes"],
    spike_times: Float[np.ndarray, "n_spikes"],
    frame_times: Float[np.ndarray, "n_frames"],
    n: int,
) -> tuple[Float[np.ndarray, "n n_frames"], Float[np.ndarray, "n n_frames"]]:
    """Compute fluorescence and calcium of cells from their spikes, all frames at once.

    Parameters
    ----------
    kinetics : Kinetics
        The indicator.
    spike_cells, spike_times : array, shape (n_spikes,)
        Who, and when (s), in any order; a spike at the time of a frame is in it.
    frame_times : array, shape (n_frames,)
        Rising times (s, from 0).
    n : int
        Number of cells.

    Returns
    -------
    tuple of array, shape (n, n_frames)
        dF/F and free calcium (mol/m^3).
    """
    return frames_of_cells(EventDriven(kinetics, n), spike_cells, spike_times, frame_times)


def frames_of_cells(
    model: Any, spike_cells: np.ndarray, spike_times: np.ndarray, frame_times: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Advance cells through all their spikes, frame by frame.

    Parameters
    ----------
    model : EventDriven, or an object with its n, advance(), dff() and calcium()
        Cells at rest at time 0.
    spike_cells, spike_times, frame_times : array
        As in `dff_of_spikes`.

    Returns
    -------
    tuple of array, shape (n, n_frames)
        What dff() and calcium() give.
    """
    order = np.argsort(spike_times, kind="stable")
    cells, times = np.asarray(spike_cells)[order], np.asarray(spike_times)[order]
    ends = np.searchsorted(times, np.asarray(frame_times) + 1e-9, side="right")
    shape = (len(frame_times), model.n)
    dff, calcium = np.empty(shape), np.empty(shape)
    first = 0
    for k, (frame, last) in enumerate(zip(frame_times, ends, strict=True)):
        model.advance(float(frame), cells[first:last], times[first:last])
        dff[k], calcium[k], first = model.dff(), model.calcium(), last
    return dff.T, calcium.T


def response_to_one_spike(kinetics: Kinetics) -> SingleSpike:
    """Give peak, rise and decay of dF/F after one spike at rest.

    Parameters
    ----------
    kinetics : Kinetics
        The indicator.
    """
    slowest = float(kinetics.slowing(0.0)) / kinetics.gamma
    kernel = 0.0 if kinetics.tau_on is None else kinetics.tau_on + (kinetics.tau_off or 0.0)
    t = np.concatenate([[0.0], np.geomspace(1e-5, 6 * (slowest + kernel), 4000)])
    one = np.zeros(1)
    dff, _ = dff_of_spikes(kinetics, one.astype(int), one, t, 1)
    return SingleSpike.of(t, dff[0])

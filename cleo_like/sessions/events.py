"""Events of a session's cells: the one place that asks `cleo_like.responses` for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

    from cleo_like.imaging.calibrated import CalibratedIndicator


def detected(
    dff: Float[np.ndarray, "n n_frames"], rate: float, indicator: CalibratedIndicator | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find events by an L0 penalty, with the decay of the indicator's single spike.

    Parameters
    ----------
    dff : array, shape (n, n_frames)
        dF/F; NaN where there is no F0.
    rate : float
        Frames per second.
    indicator : CalibratedIndicator, optional
        What the cells carry; without it the decay of each trace is measured.

    Returns
    -------
    events : array, shape (n, n_frames)
        By how much dF/F jumps in each frame.
    lambdas, noise_stds : array, shape (n,)
        Penalty for an event, and noise of each cell.
    """
    from cleo_like.responses import l0_events

    if dff.size == 0:
        return dff, np.zeros(len(dff)), np.zeros(len(dff))
    tau = None
    if indicator is not None:
        # from half of the peak to a quarter: the decay as if it were exponential
        tau = max(indicator.single_spike().half_decay / np.log(2), 0.5 / rate)
    found = l0_events(dff, rate, tau=tau)
    return found.events, found.lambdas, found.noise_stds


def filtered(events: Float[np.ndarray, "n n_frames"], rate: float) -> np.ndarray:
    """Smooth events as the AllenSDK's filtered_events are."""
    from cleo_like.responses import filtered_events

    if events.size == 0:
        return events
    return filtered_events(events, rate)

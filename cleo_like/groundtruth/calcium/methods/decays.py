"""Methods whose model of calcium is one exponential decay: L0, AR(1), suite2p's formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cleo_like.groundtruth.calcium.methods.signal import without_baseline
from cleo_like.responses.calcium import ar1_events, l0_events
from cleo_like.responses.calcium.pools import nonnegative_calcium

if TYPE_CHECKING:
    from cleo_like.groundtruth.calcium.known import Known
    from cleo_like.responses.calcium import CalciumEvents

Answer = dict[str, np.ndarray]
SUITE2P_TAU = 1.0
"""Seconds: the decay that suite2p starts from, whatever the indicator."""
_LEAST = 0.5
"""Share of the response to one spike from which a jump counts as an event."""


def l0(dff: np.ndarray, rate: float, known: Known, *, tau: float | None = 1.0) -> Answer:
    """Fit the fewest jumps (`responses.l0_events`).

    Parameters
    ----------
    dff : array, shape (n_cells, n_frames)
        Traces.
    rate : float
        Hz.
    known : Known
        The indicator.
    tau : float, optional
        Its decay, times that of `known`; None: measured from the trace.
    """
    return _events(l0_events(dff, rate, tau=_decay(known, tau)), known)


def ar1(dff: np.ndarray, rate: float, known: Known, *, tau: float | None = 1.0) -> Answer:
    """Deconvolve with the smallest non-negative events (`responses.ar1_events`); see `l0`."""
    found = _events(ar1_events(dff, rate, tau=_decay(known, tau)), known)
    found["events"] = _large(found["events"], known)
    return found


def suite2p(
    dff: np.ndarray, rate: float, known: Known, *, tau: float | Literal["default"] = 1.0
) -> Answer:
    """Deconvolve as suite2p does: baseline off, then least squares, no penalty.

    Parameters
    ----------
    dff, rate, known
        As in `l0`.
    tau : float or "default"
        Decay, times that of `known`; "default": the second that the program starts from.
    """
    seconds = SUITE2P_TAU if tau == "default" else known.tau * float(tau)
    decay = np.full(len(dff), np.exp(-1 / (rate * seconds)))
    calcium = nonnegative_calcium(without_baseline(dff, rate), decay)
    jumps = np.zeros(dff.shape)
    jumps[:, 1:] = np.maximum(calcium[:, 1:] - decay[:, None] * calcium[:, :-1], 0.0)
    return {"rate": jumps / known.peak * rate, "events": _large(jumps, known)}


def _decay(known: Known, times: float | None) -> Any:
    return None if times is None else known.tau * times


def _events(found: CalciumEvents, known: Known) -> Answer:
    """Give events as an answer."""
    events = np.array(found.events)
    return {
        "rate": events / known.peak * found.frame_rate,
        "events": events,
        "noise": np.array(found.noise_stds),
    }


def _large(jumps: np.ndarray, known: Known) -> np.ndarray:
    return np.where(jumps > _LEAST * known.peak, jumps, 0.0)

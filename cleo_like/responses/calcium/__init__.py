"""Calcium traces to events: noise, decay, L0 and AR(1) fits, smoothing."""

from cleo_like.responses.calcium.decay import decay_time
from cleo_like.responses.calcium.events import CalciumEvents
from cleo_like.responses.calcium.jumps import l0_events
from cleo_like.responses.calcium.noise import noise_std
from cleo_like.responses.calcium.smoothing import filtered_events, half_normal_weights
from cleo_like.responses.calcium.sparse import ar1_events

__all__ = [
    "CalciumEvents", "ar1_events", "decay_time", "filtered_events", "half_normal_weights",
    "l0_events", "noise_std",
]  # fmt: skip

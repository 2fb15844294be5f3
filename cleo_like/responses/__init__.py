"""Responses of imaged cells to events: tables, cut traces, event detection.

traces -> events, filtered_events -> tidy table -> traces about events -> responses
"""

from cleo_like.responses.calcium import (
    CalciumEvents,
    ar1_events,
    decay_time,
    filtered_events,
    half_normal_weights,
    l0_events,
    noise_std,
)
from cleo_like.responses.decoding import Decoding, LeakWarning, decode, image_blocks
from cleo_like.responses.discriminability import dprime, dprime_matrix, response_dprime
from cleo_like.responses.event_tables import event_triggered_response
from cleo_like.responses.presentations import (
    get_stimulus_response_df,
    get_stimulus_response_xr,
)
from cleo_like.responses.significance import (
    get_spontaneous_frames,
    null_responses,
    p_values,
    spontaneous_intervals,
)
from cleo_like.responses.tables import (
    build_tidy_cell_df,
    get_event_timestamps,
    tidy_frame,
)
from cleo_like.responses.timing import (
    get_time_array,
    index_of_nearest_value,
    slice_inds_and_offsets,
)
from cleo_like.responses.triggered import (
    EventTriggered,
    OutsideRecordingWarning,
    event_triggered,
    eventlocked_traces,
)
from cleo_like.responses.views import embed

__all__ = [
    "CalciumEvents", "Decoding", "EventTriggered", "LeakWarning", "OutsideRecordingWarning",
    "ar1_events", "build_tidy_cell_df", "decay_time", "decode", "dprime", "dprime_matrix",
    "embed", "event_triggered", "event_triggered_response", "eventlocked_traces",
    "filtered_events", "get_event_timestamps", "get_spontaneous_frames",
    "get_stimulus_response_df", "get_stimulus_response_xr", "get_time_array",
    "half_normal_weights", "image_blocks", "index_of_nearest_value", "l0_events",
    "noise_std", "null_responses", "p_values", "response_dprime", "slice_inds_and_offsets",
    "spontaneous_intervals", "tidy_frame",
]  # fmt: skip

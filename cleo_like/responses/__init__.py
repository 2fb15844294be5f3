"""Responses of imaged cells to events: tables, cut traces, event detection.

traces -> events, filtered_events -> tidy table -> traces about events -> responses
"""

from cleo_like.responses.calcium import (
    CalciumEvents,
    decay_time,
    filtered_events,
    half_normal_weights,
    l0_events,
    noise_std,
)
from cleo_like.responses.event_tables import event_triggered_response
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

__all__ = [
    "CalciumEvents", "EventTriggered", "OutsideRecordingWarning", "build_tidy_cell_df",
    "decay_time", "event_triggered", "event_triggered_response", "eventlocked_traces",
    "filtered_events", "get_event_timestamps", "get_time_array", "half_normal_weights",
    "index_of_nearest_value", "l0_events", "noise_std", "slice_inds_and_offsets", "tidy_frame",
]  # fmt: skip

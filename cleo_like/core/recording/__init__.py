"""Sweeps of one cell, what is known of them, and several recordings as one."""

from cleo_like.core.recording.check import check_recording
from cleo_like.core.recording.join import join_recordings
from cleo_like.core.recording.recording import Recording
from cleo_like.core.recording.stacked import Scaling, Stacked
from cleo_like.core.recording.truth import GroundTruth

__all__ = [
    "GroundTruth",
    "Recording",
    "Scaling",
    "Stacked",
    "check_recording",
    "join_recordings",
]

"""Fluorescence from spike times: work only at spikes and frames, and no error to speak of."""

from cleo_like.imaging.events.cells import EventDriven
from cleo_like.imaging.events.frames import (
    dff_of_spikes,
    frames_of_cells,
    response_to_one_spike,
)
from cleo_like.imaging.events.kinetics import Kinetics, hill
from cleo_like.imaging.events.table import CalciumTable

__all__ = [
    "CalciumTable",
    "EventDriven",
    "Kinetics",
    "dff_of_spikes",
    "frames_of_cells",
    "hill",
    "response_to_one_spike",
]

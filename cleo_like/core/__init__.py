"""What a recording is: units, sweeps, protocols, cells, truth, provenance (numpy + attrs)."""

from cleo_like.core.cell import Cell
from cleo_like.core.errors import (
    CleoLikeError,
    ExistingFileError,
    FileFormatError,
    InputError,
    OutputError,
    UnitError,
    UnknownNameError,
    UnsupportedError,
)
from cleo_like.core.ophys.experiment import ImagingExperiment
from cleo_like.core.ophys.frames import ArrayFrames, FrameSource
from cleo_like.core.ophys.masks import RoiMasks
from cleo_like.core.ophys.plane import ImagingPlane, Motion, Subject
from cleo_like.core.ophys.traces import ImagingTruth, Traces
from cleo_like.core.protocol import Epoch, Protocol
from cleo_like.core.provenance import Provenance
from cleo_like.core.recording import GroundTruth, Recording, join_recordings
from cleo_like.core.sweep import ClampMode, Sweep
from cleo_like.core.units import si, si_array
from cleo_like.core.window import Window

__all__ = [
    "ArrayFrames",
    "Cell",
    "ClampMode",
    "CleoLikeError",
    "Epoch",
    "ExistingFileError",
    "FileFormatError",
    "FrameSource",
    "GroundTruth",
    "ImagingExperiment",
    "ImagingPlane",
    "ImagingTruth",
    "InputError",
    "Motion",
    "OutputError",
    "Protocol",
    "Provenance",
    "Recording",
    "RoiMasks",
    "Subject",
    "Sweep",
    "Traces",
    "UnitError",
    "UnknownNameError",
    "UnsupportedError",
    "Window",
    "join_recordings",
    "si",
    "si_array",
]

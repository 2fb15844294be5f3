"""The patch rig: pipette, amplifier, digitiser, and a bench of cells x sweeps in one run."""

from cleo_like.patch.backends.brian import CompilerWarning
from cleo_like.patch.electrode import IdealElectrode
from cleo_like.patch.experiment import experiment
from cleo_like.patch.pipette import (
    CurrentClamp,
    Digitiser,
    Electrode,
    PatchPipette,
    VoltageClamp,
    rig_names,
    rig_preset,
)
from cleo_like.patch.recording_run import record

__all__ = [
    "CompilerWarning",
    "CurrentClamp",
    "Digitiser",
    "Electrode",
    "IdealElectrode",
    "PatchPipette",
    "VoltageClamp",
    "experiment",
    "record",
    "rig_names",
    "rig_preset",
]

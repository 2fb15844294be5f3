"""A real pipette, its amplifier and its digitiser, as frozen parts."""

from cleo_like.patch.pipette.amplifier import CurrentClamp, VoltageClamp
from cleo_like.patch.pipette.digitiser import Digitiser
from cleo_like.patch.pipette.electrode import Electrode
from cleo_like.patch.pipette.loop.injected import InjectedPipette
from cleo_like.patch.pipette.pipette import PatchPipette
from cleo_like.patch.pipette.presets import ideal, multiclamp_700b, rig_names, rig_preset

__all__ = [
    "CurrentClamp",
    "Digitiser",
    "Electrode",
    "InjectedPipette",
    "PatchPipette",
    "VoltageClamp",
    "ideal",
    "multiclamp_700b",
    "rig_names",
    "rig_preset",
]

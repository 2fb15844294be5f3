"""The closed-loop testbed: devices in a Brian2 network, and a controller around it."""

from cleo_like.base.device import InterfaceDevice, NeoExportable, Recorder, Stimulator
from cleo_like.base.history import History
from cleo_like.base.processor import IOProcessor
from cleo_like.base.simulator import CLSimulator
from cleo_like.base.synapse_device import SynapseDevice

__all__ = [
    "CLSimulator",
    "History",
    "IOProcessor",
    "InterfaceDevice",
    "NeoExportable",
    "Recorder",
    "Stimulator",
    "SynapseDevice",
]

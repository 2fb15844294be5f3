"""The patch rig: electrode and bench (cells x sweeps in one Brian2 run)."""

from cleo_like.patch.bench import record
from cleo_like.patch.brian_run import CompilerWarning
from cleo_like.patch.electrode import IdealElectrode

__all__ = ["CompilerWarning", "IdealElectrode", "record"]

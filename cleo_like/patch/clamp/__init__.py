"""Dynamic clamp: a current computed from the potential, in the loop, with its delay."""

from cleo_like.patch.clamp.conductances import ACurrent, HCurrent, Leak, Synapse
from cleo_like.patch.clamp.dynamic import DynamicClamp
from cleo_like.patch.clamp.limit import largest_conductance
from cleo_like.patch.clamp.run import ClampRun

__all__ = [
    "ACurrent", "ClampRun", "DynamicClamp", "HCurrent", "Leak", "Synapse",
    "largest_conductance",
]  # fmt: skip

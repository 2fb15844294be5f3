"""What a rig's software measures: membrane test, I-V, activation, leak subtraction."""

from cleo_like.features.clamp.current_voltage import (
    CurrentVoltage,
    boltzmann_fit,
    current_voltage,
)
from cleo_like.features.clamp.leak import subtract_leak
from cleo_like.features.clamp.membrane_test import (
    MembraneTest,
    membrane_test,
    with_membrane_test,
)

__all__ = [
    "CurrentVoltage",
    "MembraneTest",
    "boltzmann_fit",
    "current_voltage",
    "membrane_test",
    "subtract_leak",
    "with_membrane_test",
]

"""Units: one converter from quantities of any package, one table, one way to show them."""

from cleo_like.core.units.convert import (
    carries_unit,
    celsius,
    degrees,
    number,
    one_finite,
    si,
    si_array,
    si_choice,
)
from cleo_like.core.units.quantity import Quantity
from cleo_like.core.units.table import show

__all__ = [
    "Quantity",
    "carries_unit",
    "celsius",
    "degrees",
    "number",
    "one_finite",
    "show",
    "si",
    "si_array",
    "si_choice",
]

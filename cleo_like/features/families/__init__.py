"""Families of protocols beside the long square: brief pulses, ramps, chirps."""

from cleo_like.features.families.first_spike import Measured
from cleo_like.features.families.measure import FAMILIES, measure_others
from cleo_like.features.families.parts import Part, parts_of

__all__ = ["FAMILIES", "Measured", "Part", "measure_others", "parts_of"]

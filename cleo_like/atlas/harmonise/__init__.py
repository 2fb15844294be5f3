"""Bring cells of different labs onto one scale: none, per-lab z, or linear transport."""

from cleo_like.atlas.harmonise.comparable import Comparison, compare
from cleo_like.atlas.harmonise.scale import METHODS, LabScale, matched_scale, own_scale, pooled

__all__ = [
    "METHODS", "Comparison", "LabScale", "compare", "matched_scale", "own_scale", "pooled",
]  # fmt: skip

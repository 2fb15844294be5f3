"""The atlas: real and simulated cells on one frozen map.

    table of features -> build -> Atlas (one file) -> place -> neighbours, kind, outside or not

Labels and neighbours come from feature space; the map is for looking.
"""

from cleo_like.atlas.columns import PUBLISHED, feature_columns
from cleo_like.atlas.frozen import (
    Atlas,
    Landmark,
    Placement,
    adapt,
    build,
    place,
    read_landmarks,
)
from cleo_like.atlas.harmonise import Comparison, compare

__all__ = [
    "PUBLISHED", "Atlas", "Comparison", "Landmark", "Placement", "adapt", "build", "compare",
    "feature_columns", "place", "read_landmarks",
]  # fmt: skip

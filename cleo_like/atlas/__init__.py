"""The atlas: real and simulated cells on one frozen map.

    table of features -> build -> Atlas (one file) -> place -> neighbours, kind, outside or not

Labels and neighbours come from feature space; the map is for looking.
"""

from cleo_like.atlas.columns import PUBLISHED, feature_columns
from cleo_like.atlas.evaluate import batch_panel, label_transfer
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
from cleo_like.atlas.newcomers import adapted, landmark_shares, placed_score
from cleo_like.atlas.simulated import against_real, simulated_atlas
from cleo_like.atlas.tables import import_table, mapping_names, read_mapping

__all__ = [
    "PUBLISHED", "Atlas", "Comparison", "Landmark", "Placement", "adapt", "adapted",
    "against_real", "batch_panel", "build", "compare", "feature_columns", "import_table",
    "label_transfer", "landmark_shares", "mapping_names", "place", "placed_score",
    "read_landmarks", "read_mapping", "simulated_atlas",
]  # fmt: skip

"""The map: built once, frozen in one file, and asked about new cells ever after."""

from cleo_like.atlas.frozen.adapt import adapt
from cleo_like.atlas.frozen.build import build
from cleo_like.atlas.frozen.landmarks import Landmark, read_landmarks
from cleo_like.atlas.frozen.model import Atlas
from cleo_like.atlas.frozen.place import Placement, place

__all__ = ["Atlas", "Landmark", "Placement", "adapt", "build", "place", "read_landmarks"]

"""One cell from its long squares: sweeps, cell-level values, the row of the atlas."""

from cleo_like.features.long_square.atlas_row import atlas_row
from cleo_like.features.long_square.cell import CellFeatures, analyse, long_square_features

__all__ = ["CellFeatures", "analyse", "atlas_row", "long_square_features"]

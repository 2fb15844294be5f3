"""Features of spikes, sweeps and cells; QC; one table.

`extract` is the one door: recordings or files in, a `FeatureTable` out. `cell_features` gives
one cell with all its arrays (spikes, sweeps, f-I and V-I curves).
"""

from cleo_like.core.window import Window
from cleo_like.features.catalogue import CATALOGUE, feature
from cleo_like.features.extract import extract
from cleo_like.features.impedance import impedance
from cleo_like.features.long_square import CellFeatures, long_square_features
from cleo_like.features.long_square.atlas_row import atlas_row
from cleo_like.features.parameters import (
    ATLAS,
    DEFAULT,
    GIGASEAL,
    IPFX,
    ExtractionParameters,
)
from cleo_like.features.registry import Extracted, cell_features
from cleo_like.features.spikes import SpikeTable, spike_features
from cleo_like.features.stack import SweepStack
from cleo_like.features.table import FeatureTable
from cleo_like.features.vectors import feature_vectors

__all__ = [
    "ATLAS",
    "CATALOGUE",
    "DEFAULT",
    "GIGASEAL",
    "IPFX",
    "CellFeatures",
    "Extracted",
    "ExtractionParameters",
    "FeatureTable",
    "SpikeTable",
    "SweepStack",
    "Window",
    "atlas_row",
    "cell_features",
    "extract",
    "feature",
    "feature_vectors",
    "impedance",
    "long_square_features",
    "spike_features",
]

"""
Simulated cells on a map
========================

Six populations of the library, measured as recorded cells are, on a frozen map; new cells are placed on it.
"""

import cleo_like.atlas as at
from cleo_like.report.plots.atlas import atlas_figure

figure = atlas_figure(at.simulated_atlas())

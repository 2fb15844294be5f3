"""How recorded cells of one indicator differ: factors, sizes of bursts, and noise."""

from cleo_like.imaging.calibrated.population.cells import CellFactors, Variability
from cleo_like.imaging.calibrated.population.noise import RecordingNoise

__all__ = ["CellFactors", "RecordingNoise", "Variability"]

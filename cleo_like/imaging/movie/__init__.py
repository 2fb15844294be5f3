"""Raw two-photon movies of a simulated population, with the truth of every stage.

`simulate_movie(activity)` renders `Traces` or spikes: somata with nuclei and other objects,
neuropil, motion, a scanner's timing and a detector that counts photons. What it is not: wave
optics, scattering, anatomy of dendrites.
"""

from cleo_like.imaging.movie.activity import spike_trains
from cleo_like.imaging.movie.detector import Photomultiplier
from cleo_like.imaging.movie.extract import extract_fluorescence
from cleo_like.imaging.movie.field.scene import Scene
from cleo_like.imaging.movie.model import (
    MovieModel,
    movie_preset,
    movie_preset_names,
)
from cleo_like.imaging.movie.motion import TissueMotion, Trajectory
from cleo_like.imaging.movie.parts import Bleaching, Illumination, Neuropil, Scan
from cleo_like.imaging.movie.render.movie import Movie
from cleo_like.imaging.movie.render.truth import MovieTruth
from cleo_like.imaging.movie.simulate import simulate_movie

__all__ = [
    "Bleaching",
    "Illumination",
    "Movie",
    "MovieModel",
    "MovieTruth",
    "Neuropil",
    "Photomultiplier",
    "Scan",
    "Scene",
    "TissueMotion",
    "Trajectory",
    "extract_fluorescence",
    "movie_preset",
    "movie_preset_names",
    "simulate_movie",
    "spike_trains",
]

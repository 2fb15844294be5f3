"""Neurons with known answers: models, the library, populations."""

from cleo_like.cells.dynamics import Dynamics
from cleo_like.cells.library import cell_names, get_cell, landmark_step
from cleo_like.cells.model import CellModel
from cleo_like.cells.population import Population
from cleo_like.cells.reference_properties import KnownAnswers, known_answers, rheobase
from cleo_like.cells.reference_steps import Sag, block_onset, sag_at

__all__ = [
    "CellModel",
    "Dynamics",
    "KnownAnswers",
    "Population",
    "Sag",
    "block_onset",
    "cell_names",
    "get_cell",
    "known_answers",
    "landmark_step",
    "rheobase",
    "sag_at",
]

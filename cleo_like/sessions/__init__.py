"""In-silico imaging sessions: pictures, task, cells, planes; tables that the field knows."""

from cleo_like.sessions.config import plan_of, read_plan
from cleo_like.sessions.experiment import InSilicoExperiment
from cleo_like.sessions.movie import session_movie, with_movie, with_movies
from cleo_like.sessions.plan import Animal, SessionPlan, preset_names
from cleo_like.sessions.plane.optical_plane import OpticalPlane
from cleo_like.sessions.session import InSilicoSession
from cleo_like.sessions.simulation import simulate_session
from cleo_like.sessions.storage.cache import InSilicoCache
from cleo_like.sessions.storage.write import write_session
from cleo_like.sessions.visual.drive import FrontEnd, VisualDrive
from cleo_like.sessions.visual.images import ImageSet
from cleo_like.sessions.visual.receptive_fields import GaborEnergy, GaborFields
from cleo_like.sessions.visual.screen import Screen
from cleo_like.sessions.visual.spiking import CurrentCells, RateCells
from cleo_like.sessions.visual.task import ImageChangeTask, Schedule

__all__ = [
    "Animal",
    "CurrentCells",
    "FrontEnd",
    "GaborEnergy",
    "GaborFields",
    "ImageChangeTask",
    "ImageSet",
    "InSilicoCache",
    "InSilicoExperiment",
    "InSilicoSession",
    "OpticalPlane",
    "RateCells",
    "Schedule",
    "Screen",
    "SessionPlan",
    "VisualDrive",
    "plan_of",
    "preset_names",
    "read_plan",
    "session_movie",
    "simulate_session",
    "with_movie",
    "with_movies",
    "write_session",
]

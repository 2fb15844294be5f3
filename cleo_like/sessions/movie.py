"""The raw movie of a plane of a session: the same cells, doing the same, as frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs
import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.ophys.plane import Motion
from cleo_like.core.ophys.traces import ImagingTruth, Traces
from cleo_like.imaging.movie import MovieModel, Scan, movie_preset, simulate_movie
from cleo_like.sessions.plane.extraction import Registered, extracted
from cleo_like.sessions.plane.optical_plane import OpticalPlane

if TYPE_CHECKING:
    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.imaging.movie import Movie
    from cleo_like.sessions.experiment import InSilicoExperiment
    from cleo_like.sessions.session import InSilicoSession

TracesFrom = Literal["simulation", "movie"]

_FRAMES = 500
"""Frames of which a mean picture is made: its noise is a twentieth of that of a frame."""


def session_movie(
    experiment: InSilicoExperiment,
    *,
    model: MovieModel | str = "resonant_512",
    seed: int | None = None,
    threads: int = 1,
    **parts: Any,
) -> Movie:
    """Give the raw movie of a plane; frames are made when they are asked for.

    Places, clean dF/F and resting light of the cells are those of the experiment, frames have
    its size, pixels and rate; what is around the cells (processes, neuropil, motion) is drawn.
    The traces of the experiment were not extracted from this movie: their noise, neuropil and
    motion are draws of their own, about the same cells. ``with_movie(experiment, movie,
    traces_from="movie")`` extracts them.

    Parameters
    ----------
    experiment : InSilicoExperiment
        A plane, with its truth.
    model : MovieModel or str
        Microscope and tissue, or a name of `cleo_like.imaging.movie.movie_preset_names`; rows,
        columns, pixels and frame rate become those of the plane.
    seed : int, optional
        Of what is drawn; the identifier of the experiment by default.
    threads : int
        Threads that make frames.
    **parts
        Parts of the model to be otherwise: ``motion=None``.

    Returns
    -------
    Movie
        As many frames as the traces have.

    Raises
    ------
    InputError
        The experiment has no truth, masks or pixel size.

    Examples
    --------
    >>> from cleo_like.sessions import simulate_session
    >>> experiment, = simulate_session("short").experiments.values()
    >>> session_movie(experiment)
    Movie: 2100 frames of 256 x 256 pixels (height x width), int16, at 15 Hz
    """
    activity = _cells(experiment)
    whole = (
        movie_preset(model, **parts) if isinstance(model, str) else attrs.evolve(model, **parts)
    )
    return simulate_movie(
        activity,
        model=_of_plane(whole, experiment),
        centre=["0 m", "0 m", "0 m"] if activity.n_rois else None,
        seed=experiment.ophys_experiment_id if seed is None else whole_number("seed", 0)(seed),
        threads=threads,
    )


def with_movie(
    experiment: InSilicoExperiment,
    movie: Movie,
    *,
    traces_from: TracesFrom = "simulation",
    plane: OpticalPlane | None = None,
) -> InSilicoExperiment:
    """Give an experiment its movie: the frames, their motion, and pictures made of frames.

    Parameters
    ----------
    experiment : InSilicoExperiment
        A plane.
    movie : Movie
        Of `session_movie`.
    traces_from : "simulation" or "movie"
        Whether traces, events and masks stay those of the simulation, or are what the movie
        shows: its true rigid motion undone in whole pixels, mean over the true mask of each
        soma, less the neuropil around it, dF/F, L0 events.
    plane : OpticalPlane, optional
        For the traces of a movie: share of neuropil that is taken off (`correction`), window
        of F0 and indicator; the true share of each cell, 180 s and the indicator that the
        experiment names without it.

    Returns
    -------
    InSilicoExperiment
        With `data.movie`, the true motion of its frames, mean and largest projection, and in
        `data.truth_arrays` light at rest and neuropil coefficient of each cell in the movie.

    Raises
    ------
    InputError
        The movie shows other cells or another number of frames, or `plane` is none.
    UnknownNameError
        Traces from somewhere else.
    """
    if traces_from not in get_args(TracesFrom):
        raise unknown_name("source of traces", str(traces_from), get_args(TracesFrom))
    if plane is not None and not isinstance(plane, OpticalPlane):
        raise InputError(f"plane must be OpticalPlane(...), got {plane!r}")
    data, truth = experiment.data, movie.truth
    n = data.n_rois
    seen, frames = truth.cell_dff.shape[1], len(experiment.ophys_timestamps)
    if seen != n or len(movie) != frames:
        msg = (
            f"the movie shows {seen} cells in {len(movie)} frames, the experiment {n} in "
            f"{frames}: make it with session_movie(experiment)"
        )
        raise InputError(msg)
    shifts = truth.motion.rigid[:, ::-1]  # (y, x) to (x, y)
    mean, brightest = _projections(movie)
    made = attrs.evolve(
        data,
        movie=movie,
        motion=Motion(times=movie.times, shifts=shifts),
        images={**data.images, "mean": mean, "max": brightest},
        truth_arrays={
            **data.truth_arrays,
            "movie_f0": truth.F0[:n],
            "movie_contamination": truth.coefficient[:n],
        },
        notes=(*data.notes, *movie.notes),
    )
    if traces_from == "movie":
        made = extracted(made, movie, plane)
    return attrs.evolve(experiment, data=made)


def with_movies(
    session: InSilicoSession,
    model: MovieModel | str,
    *,
    traces_from: TracesFrom = "simulation",
) -> InSilicoSession:
    """Give every plane of a session its movie, as `with_movie` does.

    Parameters
    ----------
    session : InSilicoSession
        Of `simulate_session`.
    model : MovieModel or str
        As for `session_movie`.
    traces_from : "simulation" or "movie"
        As for `with_movie`, with the settings of the session's plan.

    Returns
    -------
    InSilicoSession
        `write_session` writes its movies as TIFF.
    """
    planes = zip(session.experiments.items(), session.plan.planes, strict=True)
    made = {
        key: with_movie(
            one, session_movie(one, model=model), traces_from=traces_from, plane=plane
        )
        for (key, one), plane in planes
    }
    return attrs.evolve(session, experiments=made)


def _cells(experiment: InSilicoExperiment) -> Traces:
    """Give clean dF/F of each cell, its light at rest, and its place from the middle."""
    data = experiment.data
    clean = None if data.truth is None else data.truth.fluorescence
    f0 = data.truth_arrays.get("f0")
    if clean is None or f0 is None:
        raise _lacking(experiment)
    masks, pixel = _geometry(experiment)
    rest = np.asarray(f0, float)
    gain = np.median(rest) / rest if rest.size else rest
    away = masks.centroids - (np.array(masks.shape) - 1) / 2
    return Traces(
        fluorescence=clean,
        times=experiment.ophys_timestamps,
        rois={"gain": gain},
        truth=ImagingTruth(fluorescence=clean),
        positions=np.column_stack([away[:, ::-1] * pixel, np.zeros(len(masks))]),
        quantity="dF/F",
    )


def _geometry(experiment: InSilicoExperiment) -> tuple[RoiMasks, tuple[float, float]]:
    """Give the pixels of the cells, and height and width of a pixel (m)."""
    masks, pixel = experiment.data.masks, experiment.data.plane.pixel_size
    if masks is None or pixel is None:
        raise _lacking(experiment)
    return masks, pixel


def _lacking(experiment: InSilicoExperiment) -> InputError:
    return InputError(
        f"experiment {experiment.data.id} has not all that a movie is made of: true dF/F and "
        "F0, masks and pixel size; simulate_session gives them"
    )


def _of_plane(model: MovieModel, experiment: InSilicoExperiment) -> MovieModel:
    """Give the microscope the frames of the plane."""
    masks, pixel = _geometry(experiment)
    rows, columns = masks.shape
    rate = float(experiment.metadata["ophys_frame_rate"])
    scan = Scan(
        rows=rows, columns=columns, line_phase=model.scan.line_phase,
        line_rate=f"{max(model.scan.line_rate, rows * rate):.17g} Hz",
    )  # fmt: skip
    # all of the spread of the light at rest is in the cells given
    scene = attrs.evolve(model.scene, expression=0.0)
    if len(masks):
        radius = np.sqrt(np.mean(masks.area) / np.pi) * pixel[0]
        scene = attrs.evolve(scene, soma_radius=f"{radius:.17g} m")
    optics = attrs.evolve(
        model.optics, frame_rate=f"{rate:.17g} Hz", pixel_size=f"{pixel[0]:.17g} m"
    )
    return attrs.evolve(model, optics=optics, scan=scan, scene=scene)


def _projections(movie: Movie) -> tuple[np.ndarray, np.ndarray]:
    """Mean and maximum over some frames, whose motion is undone in whole pixels."""
    every = max(1, len(movie) // _FRAMES)
    total = np.zeros(movie.shape[1:])
    highest = np.full(movie.shape[1:], -np.inf)
    taken = range(0, len(movie), every)
    still = Registered(movie)
    for k in taken:
        frame = still[k : k + 1][0]
        total += frame
        np.maximum(highest, frame, out=highest)
    return (total / len(taken)).astype(np.float32), highest.astype(np.float32)

"""`simulate_movie`: what was given, understood, and the movie made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.units import si, si_array
from cleo_like.imaging.movie.activity import Activity, activity_of
from cleo_like.imaging.movie.model import MovieModel, changed, movie_preset
from cleo_like.imaging.movie.render.build import Request, build

if TYPE_CHECKING:
    from cleo_like.core.ophys.traces import Traces
    from cleo_like.core.units import Quantity
    from cleo_like.imaging.calibrated.indicator import CalibratedIndicator
    from cleo_like.imaging.movie.kernels import Backend
    from cleo_like.imaging.movie.render.movie import Movie


def simulate_movie(
    activity: Any,
    *,
    model: MovieModel | str | None = None,
    indicator: str | CalibratedIndicator | None = None,
    duration: Quantity | None = None,
    places: Quantity | None = None,
    centre: Quantity | None = None,
    plane: int = 0,
    seed: int = 0,
    threads: int = 1,
    backend: Backend = "auto",
    **parts: Any,
) -> Movie:
    """Simulate a two-photon movie of a population; frames are made when asked for.

    Parameters
    ----------
    activity : Traces, or sequence or mapping of array
        dF/F of the cells (with a truth, without its noise), or the spike times of each.
    model : MovieModel or str, optional
        Parts of the movie, or the name of a preset.
    indicator : str or CalibratedIndicator, optional
        For spikes.
    duration : quantity, optional
        Length of the movie; that of traces by default, needed for spikes.
    places : quantity, shape (n, 3), optional
        Of the cells: x and y from the middle of the frame, height above the focus. By
        default those of the traces, else they are drawn.
    centre : quantity, shape (3,), optional
        Where the middle of the focus is among the positions of traces (z is depth); by
        default the middle of their x and y, and the focal depth in their table, or else the
        median z.
    plane : int
        Which plane of the volume (`Scan.planes`); planes of one seed see one tissue.
    seed : int
        Of everything that is drawn.
    threads : int
        Threads that make frames.
    backend : str
        "numba", "numpy" or "auto"; the frames are the same.
    **parts
        Parts of the model to be otherwise: ``motion=None``, ``detector=Photomultiplier()``.

    Returns
    -------
    Movie
        Frames by slices, times, pixel size, and `truth`.

    Raises
    ------
    InputError
        Cells outside the frame, a frame rate that the scanner does not reach, parts or
        activity that cannot be understood.

    Examples
    --------
    >>> from cleo_like.imaging.movie import Scan, spike_trains
    >>> spikes = spike_trains(5, "10 s", seed=1)
    >>> movie = simulate_movie(
    ...     spikes, indicator="jgcamp8s", duration="10 s", scan=Scan(rows=64, columns=96)
    ... )
    >>> movie
    Movie: 300 frames of 64 x 96 pixels (height x width), int16, at 30 Hz
    >>> movie[10:12].shape, len(movie.truth.masks) >= 5
    ((2, 64, 96), True)
    """
    whole = _model(model, parts)
    seed = whole_number("seed", 0)(seed)
    plane = whole_number("plane", 0)(plane)
    if plane >= whole.scan.planes:
        msg = f"plane must be 0 to {whole.scan.planes - 1} (planes of the scan), got {plane}"
        raise InputError(msg)
    population = activity_of(activity, indicator, whole.scene.resting, seed)
    start, n_frames = _length(whole, population, duration)
    request = Request(
        n_frames=n_frames,
        start=start,
        places=_places(population, places, centre),
        plane=plane,
        seed=seed,
        threads=whole_number("threads", 1)(threads),
        backend=backend,
    )
    return build(whole, population, request)


def _model(model: Any, parts: dict[str, Any]) -> MovieModel:
    if isinstance(model, str):
        return movie_preset(model, **parts)
    if model is not None and not isinstance(model, MovieModel):
        msg = f"model must be MovieModel(...) or the name of a preset, got {model!r}"
        raise InputError(msg)
    return changed(MovieModel() if model is None else model, parts)


def _length(
    model: MovieModel, population: Activity, duration: Quantity | None
) -> tuple[float, int]:
    """Give the time of the first frame (s) and the number of frames."""
    rate = model.scan.volume_rate(model.optics.frame_rate)
    traces = population.traces
    if duration is None and traces is None:
        msg = "say how long the movie is: duration='60 s' (spikes do not tell)"
        raise InputError(msg)
    start = 0.0 if traces is None or not traces.n_frames else float(traces.times[0])
    if duration is None and traces is not None:
        known = float(traces.times[-1]) - start if traces.n_frames else 0.0
        n = int(np.floor(known * rate + 1e-6)) + 1 if traces.n_frames else 0
    else:
        n = round(si(duration, "s", "duration") * rate)
    if n < 1:
        msg = "a movie needs at least one frame: give a longer duration"
        raise InputError(msg)
    if traces is not None and start + (n - 1) / rate > traces.times[-1] + 1 / rate:
        msg = (
            f"the traces end at {traces.times[-1]:g} s, before the last of {n} frames at "
            f"{start + (n - 1) / rate:g} s: give a shorter duration"
        )
        raise InputError(msg)
    return start, n


def _places(
    population: Activity, places: Quantity | None, centre: Quantity | None
) -> np.ndarray | None:
    """Give x and y from the middle and height above the focus (m), if they are known."""
    traces = population.traces
    if places is not None:
        given = si_array(places, "m", "places")
        if given.shape != (population.n, 3) or not np.isfinite(given).all():
            msg = (
                f"places must be {population.n} finite places (x, y, height), got {given.shape}"
            )
            raise InputError(msg)
        return given
    found = None if traces is None else traces.positions
    if traces is None or found is None or not np.isfinite(found).all() or not len(found):
        if centre is not None:
            msg = "centre is among the positions of traces; there are none"
            raise InputError(msg)
        return None
    middle = _middle(traces, found) if centre is None else si_array(centre, "m", "centre")
    if middle.shape != (3,):
        msg = f"centre must be one place (x, y, z), got shape {middle.shape}"
        raise InputError(msg)
    return np.asarray((found - middle) * [1, 1, -1])  # z is depth


def _middle(traces: Traces, places: np.ndarray) -> np.ndarray:
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    depths = np.unique(traces.rois.get("focus_depth", np.zeros(0)))
    middle[2] = np.median(places[:, 2])
    if len(depths) == 1 and np.isfinite(depths[0]):
        middle[2] = depths[0]
    return np.asarray(middle)

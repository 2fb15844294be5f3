"""The traces of a plane from its own movie: motion undone, masks, neuropil, dF/F, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.ophys.frames import Frames
from cleo_like.imaging.calibrated import calibrated_indicator, calibrated_names
from cleo_like.imaging.movie.extract import extract_fluorescence
from cleo_like.sessions.events import detected
from cleo_like.sessions.plane.fluorescence import dff_of
from cleo_like.sessions.plane.optical_plane import OpticalPlane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float, Shaped

    from cleo_like.core.ophys.experiment import ImagingExperiment
    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.core.ophys.traces import Traces
    from cleo_like.imaging.calibrated import CalibratedIndicator
    from cleo_like.imaging.movie import Movie

NOTE = (
    "traces are those of the movie: true rigid motion undone in whole pixels, true masks of "
    "the somata, neuropil of the nearest 350 pixels without a mask"
)


class Registered(Frames):
    """A movie whose true rigid motion is undone in whole pixels; edges are repeated.

    Parameters
    ----------
    movie : Movie
        Of a simulated microscope.
    """

    def __init__(self, movie: Movie) -> None:
        self._movie = movie
        self.shape, self.dtype = movie.shape, movie.dtype
        self.times, self.pixel_size = movie.times, movie.pixel_size
        self._shifts = np.rint(movie.truth.motion.rigid).astype(int)

    def some(self, frames: slice) -> Shaped[np.ndarray, "n height width"]:
        """Give the frames of a slice."""
        found = self._movie[frames]
        rows, columns = (np.arange(n) for n in self.shape[1:])
        for frame, (down, right) in zip(found, self._shifts[frames], strict=True):
            y = np.clip(rows + down, 0, rows[-1])
            x = np.clip(columns + right, 0, columns[-1])
            frame[:] = frame[np.ix_(y, x)]
        return found


def extracted(
    experiment: ImagingExperiment, movie: Movie, plane: OpticalPlane | None = None
) -> ImagingExperiment:
    """Give an experiment the traces that a pipeline with perfect masks extracts from its movie.

    Parameters
    ----------
    experiment : ImagingExperiment
        A plane of a session.
    movie : Movie
        Of the same cells.
    plane : OpticalPlane, optional
        Its correction, window of F0 and indicator are used. Without it the true coefficient of
        the neuropil, 180 s, and the indicator that the experiment names.

    Returns
    -------
    ImagingExperiment
        With the masks of the movie's truth. `truth_arrays` has light at rest ("f0", stored
        units) and coefficient of the neuropil ("contamination") of each cell in the movie;
        noise, which is now that of the photons, it has no longer.
    """
    n, truth = experiment.n_rois, movie.truth
    masks = truth.masks.select(np.arange(n))
    inside, around = extract_fluorescence(Registered(movie), masks, apart_from=truth.masks)
    if np.isfinite(truth.offset).all():  # what is stored without light, as a dark frame tells
        inside, around = inside - truth.offset.mean(), around - truth.offset.mean()
    gain = truth.gain.mean() if np.isfinite(truth.gain).all() else 1.0
    correction = None if plane is None else plane.correction
    coefficient = truth.coefficient[:n] if correction is None else np.full(n, correction)
    # a movie without neuropil has none to take off
    corrected = inside - np.nan_to_num(coefficient)[:, None] * np.nan_to_num(around)
    rate = float(experiment.plane.rate or 1 / np.median(np.diff(movie.times)))
    window = OpticalPlane().baseline_window if plane is None else plane.baseline_window
    dff = dff_of(corrected, rate, window)
    events, lambdas, noise = detected(dff, rate, _indicator(experiment, plane))
    rois = {**experiment.rois, "event_lambda": lambdas, "noise_std": noise}
    values = {
        "dff": dff, "fluorescence": inside, "neuropil": around, "corrected": corrected,
        "events": events,
    }  # fmt: skip
    kept = {k: v for k, v in experiment.truth_arrays.items() if k != "noise"}
    f0 = truth.F0[:n] * gain
    return attrs.evolve(
        experiment,
        traces=_of_movie(experiment.traces, values, masks, rois),
        truth_arrays={**kept, "f0": f0, "contamination": truth.coefficient[:n]},
        notes=(*experiment.notes, NOTE, *_saturated(movie)),
    )


def _saturated(movie: Movie) -> tuple[str, ...]:
    """Say how many pixels the converter cut off; all frames have been made."""
    share = float(np.nansum(movie.clipped)) / max(float(np.prod(movie.shape)), 1.0)
    if not share:
        return ()
    return (
        f"{share:.2g} of the pixels are at the smallest or largest stored value: large "
        "responses are cut off; lower the gain of the detector or the brightness",
    )


def _of_movie(
    before: Mapping[str, Traces],
    values: Mapping[str, Float[np.ndarray, "n n_frames"]],
    masks: RoiMasks,
    rois: Mapping[str, Any],
) -> dict[str, Traces]:
    """Put new values, masks and table of ROIs into the traces of a plane."""
    return {
        name: attrs.evolve(
            traces, fluorescence=values[name].astype(np.float32), masks=masks, rois=rois
        )
        for name, traces in before.items()
        if name in values
    }


def _indicator(
    experiment: ImagingExperiment, plane: OpticalPlane | None
) -> CalibratedIndicator | None:
    """Give the indicator of a plane; None where nothing tells it."""
    if plane is not None:
        return plane.model
    known = map(calibrated_indicator, calibrated_names())
    named = experiment.plane.indicator
    return next((i for i in known if named in (i.name, i.evidence["display"])), None)

"""Everything of one imaging plane, from movie to traces, with the truth beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import as_mapping, frozen_mapping, read_only, texts
from cleo_like.core.errors import InputError
from cleo_like.core.ophys.plane import ImagingPlane
from cleo_like.core.ophys.traces import Traces, same_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cleo_like.core.ophys.frames import FrameSource
    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.core.ophys.plane import Motion, Subject
    from cleo_like.core.ophys.traces import ImagingTruth
    from cleo_like.core.provenance import Provenance


def _arrays(values: Any) -> Any:
    return frozen_mapping(
        {str(k): read_only(np.asarray(v)) for k, v in as_mapping(values, "arrays").items()}
    )


@attrs.frozen(kw_only=True, eq=False)
class ImagingExperiment:
    """One imaging plane: what was seen, what was made of it, and what is true.

    All traces share one ROI table: the same ROIs, columns and masks, in the same order.

    Parameters
    ----------
    id : str
        Identifier, unique within a data set.
    plane : ImagingPlane
        The plane and its microscope.
    movie : FrameSource, optional
        Raw frames.
    motion : Motion, optional
        Displacement of each frame, and the corrected movie.
    traces : mapping of str to Traces
        "fluorescence", "neuropil", "dff", "events" and others by name.
    images : mapping of str to array, shape (height, width)
        "mean", "max", "correlation", "segmentation" and others by name.
    presentations : pandas.DataFrame, optional
        One row per stimulus; `start_time` and `end_time` in seconds.
    templates : mapping of str to array
        Stimulus pictures by name: (height, width), or (n, height, width).
    subject : Subject, optional
        The animal.
    truth : ImagingTruth, optional
        Spikes, calcium and clean dF/F of each ROI.
    truth_arrays : mapping of str to array
        What the simulator knows besides: of the motion, the neuropil, the photons ...
    session_id : str, optional
        The session; planes that were imaged together share it.
    session_start : str, optional
        ISO 8601 time with time zone.
    provenance : Provenance, optional
        Where the data come from.
    notes : tuple of str
        What a reader found or changed.

    Examples
    --------
    >>> dff = Traces(fluorescence=np.zeros((2, 30)), times=np.arange(30) / 30)
    >>> ImagingExperiment(id="e1", traces={"dff": dff})
    ImagingExperiment e1: 2 ROIs; traces dff; 30 frames at 30 Hz
    """

    id: str
    plane: ImagingPlane = attrs.field(factory=ImagingPlane)
    movie: FrameSource | None = None
    motion: Motion | None = None
    traces: Mapping[str, Traces] = attrs.field(factory=dict, converter=frozen_mapping)
    images: Mapping[str, np.ndarray] = attrs.field(factory=dict, converter=_arrays)
    presentations: pd.DataFrame | None = None
    templates: Mapping[str, np.ndarray] = attrs.field(factory=dict, converter=_arrays)
    subject: Subject | None = None
    truth: ImagingTruth | None = None
    truth_arrays: Mapping[str, np.ndarray] = attrs.field(factory=dict, converter=_arrays)
    session_id: str | None = None
    session_start: str | None = None
    provenance: Provenance | None = None
    notes: tuple[str, ...] = attrs.field(default=(), converter=texts)

    def __attrs_post_init__(self) -> None:
        """Check that traces share their ROIs, and that pictures have the size of a frame."""
        for name, traces in self.traces.items():
            if not isinstance(traces, Traces):
                kind = type(traces).__name__
                msg = f"traces must map names to Traces, got {kind} for {name!r}"
                raise InputError(msg)
            self._check_rois(name, traces)
        self._check_sizes()

    @property
    def n_rois(self) -> int:
        """Number of regions of interest."""
        return 0 if self._first is None else self._first.n_rois

    @property
    def rois(self) -> Mapping[str, np.ndarray]:
        """Table of the ROIs, column by column."""
        return {} if self._first is None else self._first.rois

    @property
    def masks(self) -> RoiMasks | None:
        """Pixels of the ROIs."""
        return None if self._first is None else self._first.masks

    @property
    def frame_shape(self) -> tuple[int, int] | None:
        """Height and width of a frame; None where nothing tells it."""
        sizes = self._sizes()
        return next(iter(sizes.values())) if sizes else None

    def __repr__(self) -> str:
        """One line: ROIs, traces, frames."""
        parts = [f"{self.n_rois} ROIs"]
        if self.traces:
            parts.append(f"traces {', '.join(self.traces)}")
        first = self._first
        if first is not None:
            rate = f" at {first.rate:.4g} Hz" if first.n_frames > 1 else ""
            parts.append(f"{first.n_frames} frames{rate}")
        if self.movie is not None:
            n, height, width = self.movie.shape
            parts.append(f"movie of {n} x {height} x {width}")
        return f"ImagingExperiment {self.id}: {'; '.join(parts)}"

    @property
    def _first(self) -> Traces | None:
        return next(iter(self.traces.values()), None)

    def _check_rois(self, name: str, traces: Traces) -> None:
        first = self._first
        if first is None or traces is first:
            return
        for what, same in (
            ("number of ROIs", traces.n_rois == first.n_rois),
            ("columns", same_columns(traces.rois, first.rois)),
            ("masks", traces.masks is first.masks or traces.masks == first.masks),
        ):
            if not same:
                other = next(iter(self.traces))
                msg = (
                    f"traces must share one ROI table; {name!r} and {other!r} differ in {what}"
                )
                raise InputError(msg)

    def _check_sizes(self) -> None:
        sizes = self._sizes()
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{name} {h} x {w}" for name, (h, w) in sizes.items())
            msg = f"movies, masks and images must have one size (height x width), got {found}"
            raise InputError(msg)

    def _sizes(self) -> dict[str, tuple[int, int]]:
        """Size of a frame as each part has it."""
        movies = {
            "movie": self.movie,
            "corrected movie": None if self.motion is None else self.motion.corrected,
        }
        sizes: dict[str, tuple[int, ...]] = {
            name: m.shape[1:] for name, m in movies.items() if m is not None
        }
        if self.masks is not None:
            sizes["masks"] = self.masks.shape[-2:]
        for name, image in self.images.items():
            if image.ndim not in {2, 3}:
                msg = f"image {name!r} must be (height, width), got shape {image.shape}"
                raise InputError(msg)
            sizes[f"image {name!r}"] = image.shape[:2]
        return {name: (int(size[0]), int(size[1])) for name, size in sizes.items()}

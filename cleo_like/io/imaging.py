"""Two-photon imaging from the files that hold it: experiments and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from cleo_like.io.load import existing, imaging_of
from cleo_like.io.readers import reader_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cleo_like.core.ophys.experiment import ImagingExperiment
    from cleo_like.core.ophys.masks import RoiMasks


def read_experiments(
    path: str | Path,
    *,
    plane: str | int | None = None,
    traces: Sequence[str] | None = None,
    rois: Any = None,
    frames: slice | None = None,
    order: Literal["xy", "yx"] | None = None,
) -> list[ImagingExperiment]:
    """Read everything of the imaging planes of a file; movies stay in it.

    Parameters
    ----------
    path : str or Path
        An NWB file of any maker.
    plane : str or int, optional
        Name, ROI table or number of the one plane to read.
    traces : sequence of str, optional
        Which kinds of traces to read; by default all.
    rois : slice or array of int or bool, optional
        Which ROIs of the plane.
    frames : slice, optional
        Which frames of the traces.
    order : str, optional
        Axes of pictures in the file, "xy" or "yx"; see `read`.

    Returns
    -------
    list of ImagingExperiment
        One per plane. What the reader noticed is in `notes`.

    Raises
    ------
    FileFormatError
        The file holds no imaging, or cannot be read.
    UnknownNameError
        No such plane, or no such kind of trace.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from pathlib import Path
    >>> from cleo_like import Traces
    >>> from cleo_like.io import read_experiments, write
    >>> traces = Traces(fluorescence=np.eye(2, 90), times=np.arange(90) / 30)
    >>> path = write(traces, Path(tempfile.mkdtemp()) / "cells.nwb")
    >>> read_experiments(path)
    [ImagingExperiment cells: 2 ROIs; traces dff; 90 frames at 30 Hz]
    """
    file = existing(path)
    how = imaging_of(file, reader_for(file))
    return how.read_experiments(
        file, plane=plane, traces=traces, rois=rois, frames=frames, order=order
    )


def read_masks(
    path: str | Path,
    *,
    plane: str | int | None = None,
    order: Literal["xy", "yx"] | None = None,
) -> RoiMasks:
    """Read the masks of an imaging plane.

    Parameters
    ----------
    path : str or Path
        An NWB file of any maker.
    plane : str or int, optional
        Name or number of the plane, or name of any ROI table.
    order : str, optional
        Axes of pictures in the file, "xy" or "yx"; see `read`.

    Returns
    -------
    RoiMasks
        One mask per ROI.

    Raises
    ------
    FileFormatError
        There are no masks, or they cannot be read.
    """
    file = existing(path)
    return imaging_of(file, reader_for(file)).read_masks(file, plane=plane, order=order)

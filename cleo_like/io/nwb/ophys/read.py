"""NWB file of two-photon imaging -> traces, experiments, masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import FileFormatError, unknown_name
from cleo_like.io.nwb.ophys.reader.contents import chosen, contents_of
from cleo_like.io.nwb.ophys.reader.kinds import PREFERRED
from cleo_like.io.nwb.ophys.reader.plane import PlaneReader
from cleo_like.io.nwb.source import hdf5

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cleo_like.core.ophys.experiment import ImagingExperiment
    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.core.ophys.traces import Traces
    from cleo_like.io.nwb.ophys.reader.contents import Order


def read_traces(
    path: Path,
    *,
    plane: str | int | None = None,
    trace: str | None = None,
    rois: Any = None,
    frames: slice | None = None,
    order: Order | None = None,
) -> Traces:
    """Read the traces of one kind; only the ROIs and frames asked for are read.

    See `cleo_like.io.read` for the parameters.
    """
    with hdf5.opened(path) as file:
        found = contents_of(file, order)
        picked = chosen(found, path.name, plane, with_traces=True)
        read = PlaneReader.of(path, found, picked, rois, frames)
        names = list(read.series)
        if not names:
            msg = f"{path.name}, {read.plane.label}: there are no traces, only ROIs or frames"
            raise FileFormatError(msg)
        if trace is None:
            trace = next((n for n in PREFERRED if n in names), names[0])
        if trace not in names:
            raise unknown_name(f"kind of trace of {read.plane.label}", trace, names)
        return read.traces([trace])[trace]


def read_experiments(
    path: Path,
    *,
    plane: str | int | None = None,
    traces: Sequence[str] | None = None,
    rois: Any = None,
    frames: slice | None = None,
    order: Order | None = None,
) -> list[ImagingExperiment]:
    """Read every plane, or one.

    See `cleo_like.io.read_experiments` for the parameters.
    """
    with hdf5.opened(path) as file:
        found = contents_of(file, order)
        wanted = found.planes if plane is None else []
        if plane is not None or not wanted:
            wanted = [chosen(found, path.name, plane)]
        return [PlaneReader.of(path, found, p, rois, frames).experiment(traces) for p in wanted]


def read_masks(
    path: Path, *, plane: str | int | None = None, order: Order | None = None
) -> RoiMasks:
    """Read the masks of a plane, or of any ROI table by its name.

    Raises
    ------
    FileFormatError
        There are none, or they cannot be read.
    """
    with hdf5.opened(path) as file:
        found = contents_of(file, order)
        read = PlaneReader.of(path, found, chosen(found, path.name, plane), None, None)
        masks = read.masks
        if masks is None:
            why = "; ".join(read.notes) or "masks are not known"
            msg = f"{path.name}, {read.plane.label}: {why}"
            raise FileFormatError(msg)
        return masks

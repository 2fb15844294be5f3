"""ROI table, masks and traces."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.ophys.frames import warn_of_orientation
from cleo_like.io.nwb.ophys.names import CENTROIDS, POSITIONS, kind_of, numbered, plain
from cleo_like.io.nwb.ophys.writer.chunks import mask_chunks, packed
from cleo_like.io.nwb.ophys.writer.clock import clock_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cleo_like.core.ophys.experiment import ImagingExperiment
    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.core.ophys.traces import Traces

MASKS = ("image", "pixel", "voxel")
_RESERVED = {"id", "image_mask", "pixel_mask", "voxel_mask", CENTROIDS, POSITIONS}
_PIXEL = [("x", "<u4"), ("y", "<u4"), ("weight", "<f4")]
_VOXEL = [("x", "<u4"), ("y", "<u4"), ("z", "<u4"), ("weight", "<f4")]


def add_rois(
    module: Any,
    experiment: ImagingExperiment,
    plane: Any,
    index: int,
    *,
    masks: Sequence[str],
    movie: Any,
) -> dict[str, Any]:
    """Add the ROI table (one for each way of masks) and the traces that refer to the first.

    Returns
    -------
    dict
        What the standard has no place for: names of columns and of series.
    """
    if not experiment.traces:
        return {"traces": {}, "columns": {}}
    segmentation = _container(module, "ImageSegmentation")
    names: dict[str, str] = {}
    tables = []
    for number, kind in enumerate(masks):
        columns, names = _columns(experiment, kind)
        name = "PlaneSegmentation" + ("" if number == 0 else f"{kind.capitalize()}s")
        table = _table(experiment, plane, numbered(name, index), columns, movie)
        segmentation.add_plane_segmentation(table)
        tables.append(table)
    series = {
        name: _add_series(module, tables[0], name, traces, index)
        for name, traces in experiment.traces.items()
    }
    return {
        "table": tables[0].name,
        "columns": names,
        "masks": None if experiment.masks is None else list(experiment.masks.shape),
        "traces": series,
    }


def _container(module: Any, kind: str) -> Any:
    """Give the one container of a type in the module, made when it is first needed."""
    import pynwb.ophys

    if kind not in module.data_interfaces:
        module.add(getattr(pynwb.ophys, kind)(name=kind))
    return module[kind]


def _table(
    experiment: ImagingExperiment, plane: Any, name: str, columns: list[Any], movie: Any
) -> Any:
    from hdmf.common import ElementIdentifiers
    from pynwb.ophys import PlaneSegmentation

    given = {}
    if movie is not None and movie.external_file is None:
        given["reference_images"] = movie
    with warnings.catch_warnings():
        # a column "name" cannot be reached as table.name, but as table["name"]
        warnings.filterwarnings("ignore", "An attribute .* already exists", UserWarning)
        return PlaneSegmentation(
            name=name,
            description=f"Regions of interest in {plane.name}",
            imaging_plane=plane,
            id=ElementIdentifiers(name="id", data=_ids(experiment)),
            columns=columns,
            **given,
        )


def _ids(experiment: ImagingExperiment) -> np.ndarray:
    ids = experiment.rois.get("id")
    if ids is not None and ids.dtype.kind in "iu" and len(np.unique(ids)) == len(ids):
        return np.asarray(ids, dtype=np.int64)
    return np.arange(experiment.n_rois)


def _columns(experiment: ImagingExperiment, kind: str) -> tuple[list[Any], dict[str, str]]:
    """Make the columns of the table; also give name -> name in the file."""
    from hdmf.common import VectorData

    columns = _mask_columns(experiment, kind)
    if experiment.masks is not None and len(experiment.masks):
        centres = experiment.masks.centroids[:, ::-1]
        about = "Weighted centre of the mask, (x, y) in pixels"
        columns.append(VectorData(name=CENTROIDS, description=about, data=centres))
    first = next(iter(experiment.traces.values()))
    if first.positions is not None:
        about = "Place of the cell, (x, y, z) in metres"
        columns.append(VectorData(name=POSITIONS, description=about, data=first.positions))
    names = column_names(experiment.rois)
    for name, values in experiment.rois.items():
        about = f"{name} of each ROI"
        columns.append(
            VectorData(name=names[name], description=about, data=column_data(name, values))
        )
    return columns, names


def column_names(columns: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Give the name in the file of each column."""
    names: dict[str, str] = {}
    for name in columns:
        made = plain(str(name))
        while made in _RESERVED or made in names.values():
            made += "_"
        names[name] = made
    return names


def column_data(name: str, values: np.ndarray) -> Any:
    """Give values as HDF5 takes them.

    Raises
    ------
    InputError
        They are neither numbers, truth values nor texts.
    """
    if values.dtype.kind in "biuf":
        return values
    if values.dtype.kind in "OUST" and all(isinstance(v, str) for v in values.flat):
        return values.astype(object).tolist() if values.size else np.zeros(values.shape, "S1")
    msg = (
        f"column {name!r} holds values of type {values.dtype}; NWB keeps numbers, truth "
        "values and texts: convert it, or leave it out"
    )
    raise InputError(msg)


def _mask_columns(experiment: ImagingExperiment, kind: str) -> list[Any]:
    from hdmf.common import VectorData

    masks = experiment.masks
    about = f"{kind.capitalize()} mask of each ROI"
    if masks is not None and kind == "image":
        about += ", a picture (x, y) of weights"
        return [VectorData(name="image_mask", description=about, data=mask_chunks(masks))]
    if masks is None:
        # NWB wants a mask; other programs read traces beside a picture of one pixel
        about = "The masks are not known: a picture of one pixel that is 0 stands for each"
        data = np.zeros((experiment.n_rois, 1, 1), np.uint8)
        return [VectorData(name="image_mask", description=about, data=data)]
    return _ragged(masks, kind)


def _ragged(masks: RoiMasks, kind: str) -> list[Any]:
    """Make a list of pixels for each ROI."""
    from hdmf.common import VectorData, VectorIndex

    data = np.zeros(len(masks.y), _VOXEL if kind == "voxel" else _PIXEL)
    data["y"], data["x"], data["weight"] = masks.y, masks.x, masks.weight
    if kind == "voxel" and masks.z is not None:
        data["z"] = masks.z
    about = "(x, y, z, weight)" if kind == "voxel" else "(x, y, weight)"
    column = VectorData(
        name=f"{kind}_mask", description=f"Pixels of each ROI as {about}", data=data
    )
    ends = masks.offsets[1:]
    return [column, VectorIndex(name=f"{kind}_mask_index", target=column, data=ends)]


def _add_series(module: Any, table: Any, name: str, traces: Traces, index: int) -> str:
    """Add traces as a series of the container in which others look for them."""
    from pynwb.ophys import RoiResponseSeries

    kind = kind_of(name, traces.quantity)
    container = _container(module, kind.container)
    series = numbered(kind.series, index)
    if series in container.roi_response_series:
        msg = f"two kinds of traces would have the name {series!r} in the file; rename {name!r}"
        raise InputError(msg)
    warn_of_orientation(f"table of traces {name!r}", traces.fluorescence.T.shape)
    rois = table.create_roi_table_region(
        region=list(range(traces.n_rois)), description=f"All ROIs of {table.name}"
    )
    made = RoiResponseSeries(
        name=series,
        description=f"{kind.about}: {traces.quantity}",
        data=packed(traces.fluorescence.T),
        rois=rois,
        unit=kind.unit,
        **clock_of(traces.times),
    )
    container.add_roi_response_series(made)
    return f"{kind.container}/{series}"


def check_masks(experiment: ImagingExperiment, masks: Sequence[str]) -> None:
    """Refuse ways of masks that do not fit: a volume has no pixel masks.

    Raises
    ------
    InputError
        The way is unknown, or one of pixels for a volume, or of voxels for a plane.
    """
    for kind in masks:
        if kind not in MASKS:
            msg = f"masks must be among {', '.join(map(repr, MASKS))}, got {kind!r}"
            raise InputError(msg)
    if not masks or len(set(masks)) < len(masks):
        msg = f"masks must name each way once, got {list(masks)}"
        raise InputError(msg)
    given = experiment.masks
    if given is not None and given.z is not None and "pixel" in masks:
        msg = "masks of a volume are written as 'image' or 'voxel'; pixels have no plane"
        raise InputError(msg)

"""ROI tables, masks and traces of any maker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.core.ophys.masks import RoiMasks
from cleo_like.io.nwb.ophys.reader.clock import scaling_of, times_of
from cleo_like.io.nwb.source import hdf5

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.io.nwb.ophys.reader.contents import Order, RoiSeries

_MASKS = ("image_mask", "pixel_mask", "voxel_mask")


@attrs.frozen(kw_only=True, eq=False)
class Values:
    """Traces of one series: values (n_rois, n_frames), times, and what was noticed."""

    values: np.ndarray
    times: np.ndarray
    unit: str
    description: str
    notes: tuple[str, ...]


def values_of(series: RoiSeries, rows: np.ndarray, frames: slice) -> Values:
    """Read the traces of some rows of the table, and of some frames.

    Parameters
    ----------
    series : RoiSeries
        The series.
    rows : array of int
        Rows of the ROI table; one that the series does not have becomes NaN.
    frames : slice
        Frames.

    Raises
    ------
    FileFormatError
        They cannot be read.
    """
    group = series.thing.group
    data = hdf5.member(group, "data")
    notes: list[str] = []
    by_frame, n_frames = _orientation(data, series, notes)
    columns = _columns_of(series, rows, notes)
    times, said = times_of(group, n_frames)
    chosen = range(len(times))[frames]
    have = columns >= 0
    stored = _block(data, chosen, columns[have], by_frame=by_frame)
    scale, offset = scaling_of(data)
    if (scale, offset) != (1.0, 0.0):
        stored = stored * scale + offset
    elif stored.dtype != np.float32:
        stored = stored.astype(float)
    if have.all():
        values = stored
    else:
        notes.append(f"{np.sum(~have)} of {len(rows)} ROIs are not in {series.thing.path}: NaN")
        values = np.full((len(rows), len(chosen)), np.nan, stored.dtype)
        values[have] = stored
    return Values(
        values=values,
        times=times[frames],
        unit=_text(data, "unit"),
        description=_text(group, "description"),
        notes=(*notes, *said),
    )


def _text(thing: Any, name: str) -> str:
    found = hdf5.attribute_or_none(thing, name)
    return "" if found is None else hdf5.as_text(found)


def _orientation(data: Any, series: RoiSeries, notes: list[str]) -> tuple[bool, int]:
    """Tell whether rows are frames, and how many frames there are."""
    n = len(series.rows)
    shape = data.shape
    where = series.thing.path
    if shape is None or data.dtype.kind not in "iuf" or len(shape) not in {1, 2}:
        msg = f"{where} holds no table of numbers (frames, ROIs)"
        raise FileFormatError(msg)
    if len(shape) == 1:
        if n != 1:
            msg = f"{where} has one column for {n} ROIs"
            raise FileFormatError(msg)
        return True, shape[0]
    if shape[1] == n:
        return True, shape[0]
    if shape[0] == n:
        notes.append(f"{where} is stored as (ROIs, frames), which is turned round")
        return False, shape[1]
    msg = f"{where} has the shape {shape} for {n} ROIs; expected (frames, ROIs)"
    raise FileFormatError(msg)


def _columns_of(series: RoiSeries, rows: np.ndarray, notes: list[str]) -> np.ndarray:
    """Give the column of each row of the table; -1 where there is none."""
    unique, first = np.unique(series.rows, return_index=True)
    if len(unique) < len(series.rows):
        notes.append(f"{series.thing.path} has ROIs twice; the first counts")
    at = np.searchsorted(unique, rows)
    at = np.minimum(at, max(0, len(unique) - 1))
    if not len(unique):
        return np.full(len(rows), -1)
    return np.where(unique[at] == rows, first[at], -1)


def _block(data: Any, frames: range, columns: np.ndarray, *, by_frame: bool) -> np.ndarray:
    """Read some columns of some frames as (ROIs, frames); HDF5 wants them rising."""
    span = slice(frames.start, max(frames.start, frames.stop), frames.step)
    try:
        if data.ndim == 1:
            return np.asarray(data[span])[None, :][: len(columns)]
        if not len(columns):
            return np.zeros((0, len(frames)), data.dtype)
        low, high = int(columns.min()), int(columns.max()) + 1
        wanted: Any = slice(low, high)
        back = columns - low
        if high - low > 4 * len(columns):  # few of many: read only these
            wanted, back = np.unique(columns, return_inverse=True)
        found = data[span, wanted].T if by_frame else data[wanted, span]
    except hdf5.READ_ERRORS as error:
        msg = f"{hdf5.path_of(data)} cannot be read ({hdf5.said_by(error)})"
        raise FileFormatError(msg) from error
    return np.asarray(found)[back]


def table_of(
    table: Any, rows: np.ndarray | None, notes: list[str]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read the columns of a ROI table that have one value, or a few, for each ROI.

    Parameters
    ----------
    table : h5py.Group
        The table.
    rows : array of int, optional
        Rows wanted; None is all.
    notes : list of str
        Gets what was left out.

    Returns
    -------
    rows : array of int
        The rows.
    columns : dict of str to array
        "id" and the columns by name.
    """
    ids = hdf5.member(table, "id")
    n = int(ids.shape[0])
    if rows is None:
        rows = np.arange(n)
    elif rows.size and (rows.min() < 0 or rows.max() >= n):
        msg = f"{hdf5.path_of(table)} has {n} rows, and traces name row {rows.max()}"
        raise FileFormatError(msg)
    found = {"id": np.asarray(ids[:])[rows]}
    for name in hdf5.members(table):
        column = hdf5.optional_or_none(table, name)
        if name == "id" or name.removesuffix("_index") in _MASKS or not _is_column(column):
            continue
        if hdf5.has(table, f"{name}_index") or (
            name.endswith("_index") and hdf5.has(table, name.removesuffix("_index"))
        ):
            if not name.endswith("_index"):
                notes.append(f"column {name!r} left out: it has lists of different lengths")
            continue
        if column.shape[0] != n or column.dtype.kind == "V":
            notes.append(f"column {name!r} left out: it has no value for each ROI")
            continue
        values = _readable(column, notes)
        if values is not None:
            found[name] = values[rows]
    return rows, found


def _is_column(column: Any) -> bool:
    return getattr(column, "shape", None) not in (None, ()) and not hasattr(column, "keys")


def _readable(column: Any, notes: list[str]) -> np.ndarray | None:
    """Read a column: numbers, truth values or texts; None (and a note) for anything else."""
    import h5py

    name = hdf5.path_of(column).rsplit("/", 1)[-1]
    try:
        if h5py.check_string_dtype(column.dtype) is not None:
            hdf5.check_texts(column)
            texts = np.asarray(column[:])
            plain = [hdf5.as_text(t) for t in texts.flat]
            return np.array(plain, dtype=str).reshape(texts.shape)
        if column.dtype.kind in "biuf":
            return np.asarray(column[:])
    except hdf5.READ_ERRORS as error:
        notes.append(f"column {name!r} left out: it cannot be read ({hdf5.said_by(error)})")
        return None
    notes.append(f"column {name!r} left out: it holds {column.dtype}")
    return None


def masks_of(
    table: Any,
    rows: np.ndarray,
    order: Order,
    size: Sequence[int] | None,
    notes: list[str],
    *,
    own: bool = False,
) -> RoiMasks | None:
    """Read the masks of some ROIs; None, and a note why, where there are none to be had.

    Parameters
    ----------
    table : h5py.Group
        The ROI table.
    rows : array of int
        Rows.
    order : str
        Axes of pictures in the file.
    size : sequence of int, optional
        Height and width of a frame (or planes, height, width), where it is known.
    notes : list of str
        Gets what was noticed.
    own : bool
        Whether this package wrote them: masks without a pixel are known to be empty.
    """
    try:
        if hdf5.has(table, "image_mask"):
            pictures: Any = _Pictures(hdf5.member(table, "image_mask"), rows, order)
            return RoiMasks.from_images(pictures)
        for name in ("pixel_mask", "voxel_mask"):
            if hdf5.has(table, name):
                if not own and hdf5.member(table, name).shape[0] == 0:
                    continue
                return _from_pixels(table, name, rows, notes, order=order, size=size)
    except (FileFormatError, InputError, *hdf5.READ_ERRORS) as error:
        notes.append(f"masks of {hdf5.path_of(table)} left out: {error}")
        return None
    notes.append(f"{hdf5.path_of(table)} has no masks, or empty ones: they are not known")
    return None


class _Pictures:
    """Image masks of a file as (ROIs, height, width), read some at a time."""

    def __init__(self, dataset: Any, rows: np.ndarray, order: Order) -> None:
        self._dataset, self._rows = dataset, rows
        sizes = tuple(int(n) for n in dataset.shape[1:])
        self._turned = order == "xy"
        self.shape = (len(rows), *(sizes[::-1] if self._turned else sizes))
        if not self._turned and len(sizes) == 3:  # (y, x, z)
            self.shape = (len(rows), sizes[2], sizes[0], sizes[1])

    def __getitem__(self, some: slice) -> np.ndarray:
        rows = self._rows[some]
        low, high = int(rows.min()), int(rows.max()) + 1
        if high - low <= 2 * len(rows):
            block = np.asarray(self._dataset[low:high])[rows - low]
        else:
            block = np.stack([self._dataset[int(row)] for row in rows])
        if self._turned:
            return block.transpose(0, *range(block.ndim - 1, 0, -1))
        return block if block.ndim == 3 else block.transpose(0, 3, 1, 2)


def _from_pixels(
    table: Any,
    name: str,
    rows: np.ndarray,
    notes: list[str],
    *,
    order: Order,
    size: Sequence[int] | None,
) -> RoiMasks | None:
    pixels = hdf5.member(table, name)
    ends = np.asarray(hdf5.member(table, f"{name}_index")[:], dtype=int)
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    stored = np.asarray(pixels[:])
    counts = (ends - starts)[rows]
    at = np.concatenate([np.zeros(0, int), *(np.arange(starts[r], ends[r]) for r in rows)])
    first, second, weight, depth = _parts(stored[at], voxels=name == "voxel_mask")
    x, y = (first, second) if order == "xy" else (second, first)
    if size is None:
        size = (int(y.max(initial=0)) + 1, int(x.max(initial=0)) + 1)
        notes.append(f"the size of a frame is not known; masks reach to {size}")
    flat = depth is None or (len(size) == 2 and not depth.any())
    places: dict[str, np.ndarray] = {"y": y, "x": x}
    shape: Sequence[int] = size[-2:]
    if not flat and depth is not None:
        places["z"] = depth
        planes = size[0] if len(size) == 3 else int(depth.max(initial=0)) + 1
        shape = (planes, *size[-2:])
    roi = np.repeat(np.arange(len(rows)), counts)
    keep = _once(roi, list(places.values()))
    if len(keep) < len(roi):
        notes.append(f"{len(roi) - len(keep)} pixels of masks came twice; the first counts")
    return RoiMasks(
        shape=tuple(shape),
        counts=np.bincount(roi[keep], minlength=len(rows)),
        weight=weight[keep],
        **{n: v[keep] for n, v in places.items()},
    )


def _parts(
    stored: np.ndarray, *, voxels: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Give first and second coordinate, weight, and depth, of records or plain columns."""
    if stored.dtype.names is not None:
        depth = stored["z"].astype(int) if voxels else None
        return stored["x"].astype(int), stored["y"].astype(int), stored["weight"], depth
    columns = np.asarray(stored, dtype=float).reshape(len(stored), -1)
    if columns.shape[1] != 3 + voxels:
        msg = f"pixels must have {3 + voxels} numbers each, got {columns.shape[1]}"
        raise FileFormatError(msg)
    depth = columns[:, 2].astype(int) if voxels else None
    return columns[:, 0].astype(int), columns[:, 1].astype(int), columns[:, -1], depth


def _once(roi: np.ndarray, places: list[np.ndarray]) -> np.ndarray:
    """Numbers of the pixels that are the first of their place in their ROI."""
    if not len(roi):
        return roi
    _, first = np.unique(np.stack([roi, *places]), axis=1, return_index=True)
    return np.sort(first)

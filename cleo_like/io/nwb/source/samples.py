"""Samples of a data set, checked before they are believed.

HDF5 itself returns zeros, without a word, for blocks that were never written, for virtual
data whose source is gone and beyond the end of a short raw file. Here these are said.
"""

from __future__ import annotations

import itertools
import math
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError, FileFormatError
from cleo_like.io.nwb.source.hdf5 import READ_ERRORS, path_of, said_by

if TYPE_CHECKING:
    import h5py

_DEFLATE = 1032
"""zlib cannot compress more than this; a larger promise is damage (h5py's other filters
compress less, and a block below `_SMALL` is believed without asking)."""
_SMALL = 1 << 26  # bytes
_LIKE = 50  # times smaller than its numbers: most blocks repeat
_HOLES = 16  # unwritten blocks for each written one: beyond, the shape is damage


@attrs.frozen(kw_only=True, eq=False)
class Samples:
    """Numbers of one data set, and how far they were ever written."""

    dataset: Any
    count: int
    missing: tuple[tuple[int, int], ...] = ()

    def load(self, start: int, stop: int) -> np.ndarray:
        """Give samples [start, stop); NaN (as float) where nothing was ever written.

        Raises
        ------
        FileFormatError
            A block is damaged.
        """
        stop = max(start, min(stop, self.count))
        try:
            if self.dataset.ndim == 1 and stop - start == self.dataset.shape[0]:
                values = _whole(self.dataset)
            elif self.dataset.ndim == 1:
                values = self.dataset[start:stop]
            elif self.dataset.shape[0] == 1:
                values = self.dataset[0, start:stop]
            else:
                values = self.dataset[start:stop, 0]
        except READ_ERRORS as error:
            msg = f"the samples of {path_of(self.dataset)} cannot be read ({said_by(error)})"
            raise FileFormatError(msg) from error
        holes = [
            (max(a, start), min(b, stop)) for a, b in self.missing if a < stop and b > start
        ]
        if holes and values.dtype.kind != "f":
            values = values.astype(float)
        for a, b in holes:
            values[a - start : b - start] = np.nan
        return values


def _whole(dataset: h5py.Dataset) -> np.ndarray:
    """Read all of a vector, without a selection."""
    import h5py

    found = _from_like_blocks(dataset)
    if found is not None:
        return found
    values = np.empty(dataset.shape, dataset.dtype)
    dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
    return values


def _from_like_blocks(dataset: h5py.Dataset) -> np.ndarray | None:
    """Decompress blocks of the same bytes once, as nearly all of a command are.

    None where the blocks hardly repeat, and for all that HDF5 itself must read or refuse.
    """
    import h5py

    dtype, stored = dataset.dtype, dataset.id.get_storage_size()
    if dataset.chunks is None or dtype.kind not in "iuf" or stored * _LIKE > dataset.nbytes:
        return None
    plist, size = dataset.id.get_create_plist(), dataset.chunks[0]
    filters = [plist.get_filter(k)[0] for k in range(plist.get_nfilters())]
    shuffled = filters[:1] == [h5py.h5z.FILTER_SHUFFLE]
    plain = dataset.id.get_type().equal(h5py.h5t.py_create(dtype))
    if filters[shuffled:] != [h5py.h5z.FILTER_DEFLATE] or not plain:
        return None
    known: dict[bytes, np.ndarray] = {}
    out = np.empty((-(-dataset.shape[0] // size), size), dtype)
    try:
        for k, block in enumerate(out):
            mask, raw = dataset.id.read_direct_chunk((k * size,))
            if mask:
                return None
            if raw not in known:
                data = zlib.decompressobj().decompress(raw, block.nbytes + 1)
                if len(data) != block.nbytes:
                    return None
                values = np.frombuffer(data, np.uint8)
                if shuffled:
                    values = values.reshape(dtype.itemsize, size).T
                known[raw] = np.ascontiguousarray(values).reshape(-1).view(dtype)
            block[:] = known[raw]
    except (*READ_ERRORS, zlib.error):
        return None
    return out.reshape(-1)[: dataset.shape[0]]


def samples_of(dataset: h5py.Dataset) -> Samples:
    """Check a data set of samples: a vector of real numbers (or one column or row of them).

    Raises
    ------
    FileFormatError
        It is something else, or promises more than the file holds.
    """
    shape = getattr(dataset, "shape", None)
    if shape is None or dataset.dtype.kind not in "iuf":
        kind = (
            "a group" if hasattr(dataset, "keys") else f"{getattr(dataset, 'dtype', 'empty')}"
        )
        msg = f"{path_of(dataset)} holds no numbers ({kind})"
        raise FileFormatError(msg)
    if len(shape) not in {1, 2} or (len(shape) == 2 and 1 not in shape and 0 not in shape):
        msg = f"{path_of(dataset)} has the shape {shape}; expected (n_samples,), one channel"
        raise FileFormatError(msg)
    count = math.prod(shape)
    if count == 0:
        return Samples(dataset=dataset, count=0)
    try:
        return _stored(dataset, count)
    except READ_ERRORS as error:
        if isinstance(error, CleoLikeError):
            raise
        msg = f"{path_of(dataset)} is damaged ({said_by(error)})"
        raise FileFormatError(msg) from error


def _stored(dataset: h5py.Dataset, count: int) -> Samples:
    if dataset.is_virtual:
        _check_sources(dataset)
        return Samples(dataset=dataset, count=count)
    if dataset.external:
        _check_raw_files(dataset, count * dataset.dtype.itemsize)
        return Samples(dataset=dataset, count=count)
    if dataset.chunks is not None:
        return _chunked(dataset, count)
    stored = dataset.id.get_storage_size()
    if stored == 0:
        return Samples(dataset=dataset, count=0)
    end = (dataset.id.get_offset() or 0) + count * dataset.dtype.itemsize
    size = dataset.file.id.get_filesize()
    if stored < count * dataset.dtype.itemsize or end > size:
        msg = f"{path_of(dataset)} promises {count} samples, more than {size} bytes can hold"
        raise FileFormatError(msg)
    return Samples(dataset=dataset, count=count)


def _chunked(dataset: h5py.Dataset, count: int) -> Samples:
    axis = 0 if dataset.ndim == 1 or dataset.shape[1] == 1 else 1
    step = int(dataset.chunks[axis])
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    if size <= _SMALL and dataset.id.get_num_chunks() == -(-count // step):
        return Samples(dataset=dataset, count=count)  # all blocks were written
    chunks: list[Any] = []
    dataset.id.chunk_iter(chunks.append)
    held = dataset.file.id.get_filesize()
    if chunks and size > max(_SMALL, _DEFLATE * max(c.size for c in chunks)):
        msg = f"{path_of(dataset)} is damaged: a block of {size} bytes in a file of {held}"
        raise FileFormatError(msg)
    starts = sorted({int(c.chunk_offset[axis]) for c in chunks if c.chunk_offset[axis] < count})
    if not starts:
        return Samples(dataset=dataset, count=0)
    count = min(count, starts[-1] + step)
    if -(-count // step) > _HOLES * (len(starts) + 1):
        msg = (
            f"{path_of(dataset)} is damaged: {len(starts)} blocks were written of "
            f"{-(-count // step)} that its shape promises"
        )
        raise FileFormatError(msg)
    edges = np.array([-step, *starts, count])
    holes = [(int(a) + step, int(b)) for a, b in itertools.pairwise(edges) if a + step < b]
    return Samples(dataset=dataset, count=count, missing=tuple(holes))


def _check_sources(dataset: h5py.Dataset) -> None:
    import h5py

    folder = Path(dataset.file.filename).parent
    for source in dataset.virtual_sources():
        try:
            if source.file_name == ".":
                there = source.dset_name in dataset.file
            else:
                with h5py.File(folder / source.file_name, "r") as file:
                    there = source.dset_name in file
        except READ_ERRORS:
            there = False
        if not there:
            msg = (
                f"{path_of(dataset)} is put together from {source.dset_name!r} of the file "
                f"{source.file_name!r}, which is missing or unreadable"
            )
            raise FileFormatError(msg)


def _check_raw_files(dataset: h5py.Dataset, wanted: int) -> None:
    for name, offset, size in dataset.external:
        file = Path(name)  # HDF5 looks from the working directory, not from the file
        if not file.is_file():
            msg = (
                f"the samples of {path_of(dataset)} are in the file {name!r}, which is missing"
            )
            raise FileFormatError(msg)
        have = file.stat().st_size - offset
        if have < min(size, wanted):
            msg = (
                f"the samples of {path_of(dataset)} are in the file {name!r}, which is too "
                f"short ({have} of {min(size, wanted)} bytes)"
            )
            raise FileFormatError(msg)
        wanted -= size

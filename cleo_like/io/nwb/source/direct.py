"""HDF5 read without the detours of h5py, for what is read hundreds of times in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.io.nwb.source.texts import TEXT_SIZE

if TYPE_CHECKING:
    import h5py

_TEXT = np.dtype("O", metadata={"vlen": str})  # as h5py has texts
_DOUBLE = np.dtype(float)
_HALF = 4  # bytes of a whole number that any of 8 bytes can hold


def opened_in(group: h5py.Group, name: str) -> Any:
    """Open what a name leads to; h5py asks the file for its mode each time, which is slow."""
    import h5py

    key = name.encode()
    if not isinstance(group, h5py.Group):
        return group[name]
    place = group.id
    if place.links.get_info(key).type != h5py.h5l.TYPE_HARD:
        return group[name]
    found = h5py.h5o.open(place, key)
    if isinstance(found, h5py.h5d.DatasetID):
        return h5py.Dataset(found, readonly=True)
    return h5py.Group(found) if isinstance(found, h5py.h5g.GroupID) else group[name]


def soft_path(group: h5py.Group, name: str) -> bytes | None:
    """Give the path of a soft link that leads to something; None for all else."""
    from h5py import h5l, h5o

    key = name.encode()
    if group.id.links.get_info(key).type != h5l.TYPE_SOFT:
        return None
    return group.id.links.get_val(key) if h5o.exists_by_name(group.id, key) else None


def one_number(dataset: Any) -> float | None:
    """Give the number (in double precision) of a data set without axes; None for all else."""
    from h5py import h5d, h5s, h5t

    if not isinstance(dataset, h5d.DatasetID) or dataset.shape != ():
        return None
    kind = dataset.get_type()
    if not isinstance(kind, h5t.TypeFloatID) or kind.get_size() != _DOUBLE.itemsize:
        return None
    value = np.empty((), _DOUBLE)
    dataset.read(h5s.ALL, h5s.ALL, value, h5t.NATIVE_DOUBLE)
    return float(value)


def one_value(stored: Any, size: int) -> Any:
    """Give the one number or text of an attribute; None where it is of another kind.

    Those kinds without asking for numpy's type and the shape, which takes longer than reading.
    """
    from h5py import h5t

    kind = stored.get_type()
    try:
        # of one text only: HDF5 would write the others beyond the array
        if isinstance(kind, h5t.TypeStringID) and kind.is_variable_str() and size == TEXT_SIZE:
            text: Any = np.empty((), _TEXT)
            stored.read(text, h5t.py_create(_TEXT))
            return text[()].decode("utf-8", "surrogateescape")
        if isinstance(kind, h5t.TypeFloatID) and size == kind.get_size() == _DOUBLE.itemsize:
            found = np.empty((), _DOUBLE)
            stored.read(found, h5t.NATIVE_DOUBLE)
            return found[()]
        if isinstance(kind, h5t.TypeIntegerID) and size == kind.get_size() <= _HALF:
            found = np.empty((), np.int64)
            stored.read(found, h5t.NATIVE_INT64)
            return found[()]
    except (TypeError, ValueError):
        pass  # several, or of a character set that h5py takes for another type
    return None

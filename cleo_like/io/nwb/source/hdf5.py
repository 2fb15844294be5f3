"""HDF5 read with suspicion: files, links and attributes, with errors that say what is wrong."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import CleoLikeError, FileFormatError
from cleo_like.io.nwb.source.direct import one_number, one_value, opened_in, soft_path
from cleo_like.io.nwb.source.streamed import Streamed
from cleo_like.io.nwb.source.texts import TEXT_SIZE, Texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import h5py

READ_ERRORS = (
    OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError,
    OverflowError, MemoryError, SystemError,
)  # fmt: skip
"""What h5py and HDF5 raise on damaged files."""

_TEXTS: dict[int, Texts] = {}
"""Of the files that are open, by HDF5's number; files that they link to are not looked at."""
_SEARCHED = 1 << 30
"""Bytes up to which a file is searched for damaged texts: a movie would take minutes."""
_LARGEST_ATTRIBUTE = 1 << 16  # bytes; HDF5's own limit for compact attributes


@contextmanager
def opened(path: Path | Streamed) -> Iterator[Any]:
    """Open an NWB 2 file for reading.

    Yields
    ------
    h5py.File

    Raises
    ------
    FileFormatError
        It is no HDF5, no NWB, NWB 1.x, truncated, locked, or damaged where it is read.
    """
    import h5py

    # the bytes of a streamed file are not there to be looked through
    texts = None if isinstance(path, Streamed) else Texts(path)
    searched = not isinstance(path, Streamed) and path.stat().st_size <= _SEARCHED
    lost = texts.endless_heap() if texts is not None and searched else None
    if lost is not None:
        raise _cannot_be_read(path, f"the texts that it keeps from byte {lost} on are damaged")
    try:
        file = h5py.File(path.file if isinstance(path, Streamed) else path, "r")
    except READ_ERRORS as error:
        raise _cannot_be_read(path, _why_not_open(error)) from error
    number = None
    try:
        with file:
            number = int(h5py.h5o.get_info(file.id).fileno)
            if texts is not None:
                _TEXTS[number] = texts
            _check_version(path, file)
            yield file
    except FileFormatError as error:
        if path.name in str(error):
            raise
        raise _cannot_be_read(path, str(error)) from error
    except READ_ERRORS as error:
        if isinstance(error, CleoLikeError):
            raise
        raise _cannot_be_read(path, f"it is damaged, {said_by(error)}") from error
    finally:
        if number is not None and texts is not None and _TEXTS.get(number) is texts:
            del _TEXTS[number]


def _cannot_be_read(path: Path | Streamed, why: str) -> FileFormatError:
    return FileFormatError(
        f"{path.name} cannot be read as NWB ({why}); expected a complete NWB 2 file in HDF5"
    )


def _why_not_open(error: BaseException) -> str:
    text = str(error).lower()
    if "unable to lock" in text:
        return "another program has it open for writing; close it there first"
    if "already open for write" in text or "consistency flags" in text:
        return "the program that wrote it did not close it, or still has it open"
    if "truncated" in text:
        return f"it is truncated, copy it again from its origin; {said_by(error)}"
    if "signature not found" in text:
        return "it is no HDF5 file at all, or its first bytes are lost"
    return said_by(error)


def _check_version(path: Path | Streamed, file: h5py.File) -> None:
    version = nwb_version(file)
    if version is None:
        msg = (
            f"{path.name} cannot be read as NWB (it is HDF5 without an NWB version, with "
            f"{', '.join(map(repr, members(file)[:5])) or 'nothing inside'}); "
            "expected a complete NWB 2 file in HDF5"
        )
        raise FileFormatError(msg)
    if version.removeprefix("NWB-").startswith(("0", "1")):
        msg = (
            f"{path.name} is NWB {version.removeprefix('NWB-')}, of which the layout is "
            "another; only NWB 2 is read: convert it, or take the NWB 2 release of the data"
        )
        raise FileFormatError(msg)


def nwb_version(file: h5py.File) -> str | None:
    """Give the version of the schema; NWB 1.x keeps it in a data set, NWB 2 in an attribute."""
    version = attribute(file, "nwb_version")
    if version is None and has(file, "nwb_version"):
        version = value(member(file, "nwb_version"))
    return None if version is None else as_text(version)


def members(group: h5py.Group) -> list[str]:
    """Names in a group, in the order that h5py gives; none where it is damaged."""
    try:
        return list(group) if hasattr(group, "keys") else []
    except READ_ERRORS:
        return []


def has(group: h5py.Group, name: str) -> bool:
    """Whether a group has a link of that name, leading somewhere or not."""
    try:
        return hasattr(group, "keys") and group.id.links.exists(name.encode())
    except READ_ERRORS:
        return False


def member(group: h5py.Group, *names: str) -> Any:
    """Follow names (and their links) from a group.

    Raises
    ------
    FileFormatError
        There is no such thing; for a broken link, with where it leads.
    """
    import h5py

    for name in names:
        try:
            group = opened_in(group, name)
        except READ_ERRORS as error:
            where = f"{path_of(group)}/{name}"
            try:
                link = group.get(name, getlink=True)
            except READ_ERRORS:
                link = None
            if isinstance(link, h5py.ExternalLink):
                target = f"{link.path!r} of the file {link.filename!r}"
                msg = f"{where} is a link to {target}, which is missing or unreadable"
            elif isinstance(link, h5py.SoftLink):
                msg = f"{where} is a link to {link.path!r}, which is not there"
            elif link is None:
                msg = f"{where} is not in the file"
            else:
                msg = f"{where} is damaged ({said_by(error)})"
            raise FileFormatError(msg) from error
    return group


def optional(group: h5py.Group, *names: str) -> Any:
    """Follow names from a group; None where there is no such thing."""
    for name in names:
        if not has(group, name):
            return None
        group = member(group, name)
    return group


def optional_or_none(group: h5py.Group, *names: str) -> Any:
    """Follow names from a group; None where there is no such thing, or it is out of reach."""
    try:
        return optional(group, *names)
    except FileFormatError:
        return None


def target_name(group: h5py.Group, name: str, *home: str) -> str | None:
    """Give the own name of what a link leads to: an electrode, a device.

    Parameters
    ----------
    group, name
        The link.
    *home : str
        Path of the group where such things live (for hard links, which have no path).
    """
    import h5py

    try:
        path = soft_path(group, name)
    except READ_ERRORS:
        path = None
    if path is not None:
        return as_text(path).rstrip("/").rsplit("/", 1)[-1]
    target = optional_or_none(group, name)
    if target is None:
        return None
    link = group.get(name, getlink=True)
    if isinstance(link, h5py.SoftLink | h5py.ExternalLink):
        return as_text(link.path).rstrip("/").rsplit("/", 1)[-1]
    place = optional_or_none(group.file, *home)
    for own in members(place):
        if optional_or_none(place, own) == target:
            return own
    return name


def attribute(thing: Any, name: str) -> Any:
    """Give an attribute; None where it is missing or empty.

    Raises
    ------
    FileFormatError
        It is there and cannot be read.
    """
    return attributes(thing, name)[0]


def attributes(thing: Any, *names: str) -> list[Any]:
    """Give some attributes of one object, as `attribute` does each."""
    import h5py

    found: list[Any] = []
    checked = False
    for name in names:
        try:
            place, key = thing.id, name.encode()
            if not h5py.h5a.exists(place, key):
                found.append(None)
                continue
            stored = h5py.h5a.open(place, key)
            size = stored.get_storage_size()
            if size > _LARGEST_ATTRIBUTE or not (checked or _texts_are_whole(place)):
                msg = f"the attributes of {path_of(thing)} are damaged"
                raise FileFormatError(msg)
            checked = True
            value = one_value(stored, size)
            if value is None:
                value = thing.attrs[name]
        except READ_ERRORS as error:
            if isinstance(error, CleoLikeError):
                raise
            msg = f"the attribute {name!r} of {path_of(thing)} is damaged ({said_by(error)})"
            raise FileFormatError(msg) from error
        found.append(None if isinstance(value, h5py.Empty) else _single(value))
    return found


def _texts_are_whole(place: Any) -> bool:
    """Whether no text among the attributes of an object says to be longer than it is."""
    import h5py

    info = h5py.h5o.get_info(place)
    texts = _TEXTS.get(int(info.fileno))
    return texts is None or texts.overlong_attribute(int(info.addr)) is None


def attribute_or_none(thing: object, name: str) -> Any:
    """Give an attribute; None where it is missing, empty or cannot be read."""
    try:
        return None if thing is None else attribute(thing, name)
    except FileFormatError:
        return None


def value(dataset: h5py.Dataset) -> Any:
    """Give the one value of a data set (the first of several); None for nothing.

    Raises
    ------
    FileFormatError
        It cannot be read.
    """
    import h5py

    try:
        plain = one_number(getattr(dataset, "id", None))
        if plain is not None:
            return plain
        if dataset is None or not hasattr(dataset, "shape") or dataset.shape is None:
            return None
        if dataset.size == 0:
            return None
        check_texts(dataset)
        found = dataset[()] if dataset.shape == () else dataset[(0,) * len(dataset.shape)]
    except READ_ERRORS as error:
        if isinstance(error, CleoLikeError):
            raise
        msg = f"{path_of(dataset)} cannot be read ({said_by(error)})"
        raise FileFormatError(msg) from error
    return None if isinstance(found, h5py.Empty) else _single(found)


def check_texts(dataset: h5py.Dataset) -> None:
    """Check a data set of texts before HDF5 follows them.

    Raises
    ------
    FileFormatError
        One says to be longer than it is.
    """
    import h5py

    texts = _TEXTS.get(int(h5py.h5o.get_info(dataset.id).fileno))
    if texts is None or h5py.check_string_dtype(dataset.dtype) is None:
        return
    spans = []
    if dataset.dtype.kind != "O":
        return  # of fixed length
    if dataset.chunks is None and dataset.id.get_offset() is not None:
        spans = [(dataset.id.get_offset(), dataset.size * TEXT_SIZE)]
    elif dataset.chunks is not None and dataset.compression is None:
        dataset.id.chunk_iter(lambda chunk: spans.append((chunk.byte_offset, chunk.size)))
    places = (p for begin, size in spans for p in range(begin, begin + size, TEXT_SIZE))
    if texts.overlong(places) is not None:
        msg = f"the texts of {path_of(dataset)} are damaged"
        raise FileFormatError(msg)


def as_text(found: object) -> str:
    """Text as a file holds it: bytes or str, of any encoding."""
    if isinstance(found, bytes):
        return found.decode("utf-8", errors="replace")
    return str(found).encode("utf-8", errors="replace").decode("utf-8")


def text(group: h5py.Group, name: str) -> str | None:
    """Give the text of a small data set; None where it is missing or unreadable."""
    try:
        found = value(optional(group, name))
    except FileFormatError:
        return None
    return None if found is None else as_text(found)


def numbers(group: h5py.Group, names: Sequence[str]) -> dict[str, float]:
    """Give those of these numbers that a group has, as `number` gives each."""
    import h5py

    there: list[bytes] = []
    try:
        h5py.h5a.iterate(group.id, lambda name, *_: there.append(name))
        group.id.links.iterate(there.append)
    except READ_ERRORS:  # they cannot be listed; each may still be there
        there = [name.encode() for name in names]
    found = {name: number(group, name) for name in names if name.encode() in there}
    return {name: value for name, value in found.items() if value is not None}


def number(thing: Any, name: str) -> float | None:
    """Give a numeric attribute or small data set as float; None where it is no number."""
    found = attribute_or_none(thing, name)
    if found is None and has(thing, name):
        try:
            found = value(member(thing, name))
        except FileFormatError:
            return None
    return as_number(found)


def as_number(found: Any) -> float | None:
    """Give a float; None for what is no number."""
    try:
        no_number = found is None or isinstance(found, bytes | str) or np.iscomplexobj(found)
        return None if no_number else float(found)
    except (TypeError, ValueError):
        return None


def _single(found: object) -> Any:
    if isinstance(found, np.ndarray):
        return None if found.size == 0 else found.reshape(-1)[0]
    return found


def path_of(thing: object) -> str:
    """Path of an object within its file, for messages."""
    name = getattr(thing, "name", None)
    return "an unnamed object" if name is None else as_text(name).removesuffix("/")


def said_by(error: BaseException) -> str:
    """Give the first line of what a library said."""
    words = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {words[0][:200]}"

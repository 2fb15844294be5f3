"""Identifiers that follow from what a file holds: equal data make equal files."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.ophys.experiment import ImagingExperiment
from cleo_like.core.ophys.masks import RoiMasks
from cleo_like.core.ophys.plane import Motion
from cleo_like.core.ophys.traces import ImagingTruth, Traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynwb import NWBFile

_AT_ONCE = 64
_OWN = "_AbstractContainer__object_id"
"""Where hdmf keeps the identifier of an object; it has no setter."""
_WHOLE = (ImagingExperiment, ImagingTruth, Motion, RoiMasks, Traces)


class Identity:
    """Identifiers drawn from a hash of everything that is written.

    Parameters
    ----------
    planes : sequence of ImagingExperiment
        What is written. A movie that lies in files of its own counts by its size.
    embedded : bool
        Whether movies are written into the file, so that their frames count.
    **settings
        What else decides on the contents.
    """

    def __init__(
        self, planes: Sequence[ImagingExperiment], *, embedded: bool, **settings: Any
    ) -> None:
        self._hash = hashlib.sha256()
        self._embedded = embedded
        self._add(list(planes))
        self._add(settings)
        self._digest, self._drawn = self._hash.digest(), 0

    def next(self) -> str:
        """Give one more identifier."""
        self._drawn += 1
        drawn = hashlib.sha256(self._digest + self._drawn.to_bytes(8, "big")).digest()
        return str(uuid.UUID(bytes=drawn[:16], version=4))

    def give(self, nwbfile: NWBFile) -> None:
        """Give every object of a file its identifier, in the order of the tree."""
        for container in nwbfile.all_children():
            setattr(container, _OWN, self.next())
        nwbfile.all_children()

    def _add(self, thing: Any) -> None:
        """Take a value into the hash; values differ where their text or bytes do."""
        if isinstance(thing, np.ndarray) and thing.dtype.kind == "O":
            self._add(thing.tolist())
        elif isinstance(thing, np.ndarray):
            self._hash.update(f"{thing.dtype.str}{thing.shape}".encode())
            self._hash.update(np.ascontiguousarray(thing).data)
        elif isinstance(thing, _WHOLE):
            self._hash.update(type(thing).__name__.encode())
            for field in attrs.fields(type(thing)):
                self._hash.update(field.name.encode())
                self._add(getattr(thing, field.name))
        elif hasattr(thing, "items"):
            for key, value in thing.items():
                self._hash.update(f"{key}:".encode())
                self._add(value)
        elif isinstance(thing, (list, tuple)):
            self._hash.update(f"{len(thing)} of".encode())
            for one in thing:
                self._add(one)
        else:
            self._add_plain(thing)

    def _add_plain(self, thing: Any) -> None:
        if hasattr(thing, "to_csv"):  # a table of pandas
            self._hash.update(thing.to_csv().encode())
        elif hasattr(thing, "pixel_size") and hasattr(thing, "shape"):
            self._add_movie(thing)
        elif attrs.has(type(thing)):
            self._add(attrs.asdict(thing, recurse=False))
        else:
            self._hash.update(repr(thing).encode())

    def _add_movie(self, movie: Any) -> None:
        self._hash.update(f"movie {movie.shape} {movie.dtype}".encode())
        self._add(movie.times)
        for start in range(0, movie.shape[0] if self._embedded else 0, _AT_ONCE):
            self._add(np.asarray(movie[start : start + _AT_ONCE]))

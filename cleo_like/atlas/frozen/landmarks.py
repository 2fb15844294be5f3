"""Landmarks as data: a name, a rule on features, literature, members."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.atlas.columns import values_of
from cleo_like.core.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_SIGNS = ("<=", ">=")


@attrs.frozen(kw_only=True)
class Landmark:
    """A named place on the map.

    Parameters
    ----------
    name : str
        "fast spikers".
    rule : tuple of (feature, "<=" or ">=", value)
        All must hold, in the catalogue's units.
    meaning : str
        One line.
    literature : str
        Where it is described.
    members : tuple of str
        Ids of the cells for which the rule holds.
    unknown : int
        Cells that lack a value that the rule needs.
    """

    name: str
    rule: tuple[tuple[str, str, float], ...]
    meaning: str = ""
    literature: str = ""
    members: tuple[str, ...] = ()
    unknown: int = 0

    def __attrs_post_init__(self) -> None:
        """Check the rule."""
        for _, sign, _value in self.rule:
            if sign not in _SIGNS:
                msg = f"the rule of {self.name!r} must use <= or >=, got {sign!r}"
                raise InputError(msg)

    def holds(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Tell for which rows the rule holds, and for which it can be judged at all."""
        holds = np.ones(len(frame), dtype=bool)
        known = np.ones(len(frame), dtype=bool)
        for name, sign, limit in self.rule:
            values = values_of(frame, [name])[:, 0]
            known &= np.isfinite(values)
            holds &= values <= limit if sign == "<=" else values >= limit
        return holds & known, known

    def with_members(self, frame: pd.DataFrame, ids: Sequence[str]) -> Landmark:
        """Find the members among cells."""
        holds, known = self.holds(frame)
        members = tuple(ids[k] for k in np.flatnonzero(holds))
        return attrs.evolve(self, members=members, unknown=int((~known).sum()))


def read_landmarks(path: str | Path | None = None) -> tuple[Landmark, ...]:
    """Read landmarks from a TOML file; those of the package when none is given.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file.

    Returns
    -------
    tuple of Landmark
        In the order of the file.

    Raises
    ------
    FileFormatError
        No such file, or not of the form.

    Examples
    --------
    >>> [mark.name for mark in read_landmarks()][:2]
    ['fast spikers', 'broad spikers']
    """
    if path is None:
        text = (resources.files("cleo_like.atlas.frozen") / "landmarks.toml").read_text("utf-8")
        return _parsed(text, "landmarks.toml")
    try:
        return _parsed(Path(path).read_text("utf-8"), Path(path).name)
    except OSError as error:
        msg = f"cannot read landmarks from {path}: {error.strerror}"
        raise FileFormatError(msg) from error


def _parsed(text: str, name: str) -> tuple[Landmark, ...]:
    try:
        found: list[dict[str, Any]] = tomllib.loads(text)["landmark"]
        return tuple(
            Landmark(
                name=mark["name"],
                rule=tuple((str(f), str(s), float(v)) for f, s, v in mark["rule"]),
                meaning=mark.get("meaning", ""),
                literature=mark.get("literature", ""),
            )
            for mark in found
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        msg = f"{name} is no list of landmarks ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error

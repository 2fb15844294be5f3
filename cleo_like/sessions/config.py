"""A plan of a session from TOML: every setting by name, and what is misspelt is told."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import (
    CleoLikeError,
    FileFormatError,
    InputError,
    UnknownNameError,
    unknown_name,
)
from cleo_like.sessions.plan import Animal, SessionPlan
from cleo_like.sessions.visual.drive import FrontEnd
from cleo_like.sessions.visual.images import ImageSet
from cleo_like.sessions.visual.receptive_fields import GaborFields
from cleo_like.sessions.visual.screen import Screen
from cleo_like.sessions.visual.spiking import CurrentCells, RateCells

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cleo_like.sessions.plane.optical_plane import OpticalPlane

_CELLS = {"rates": RateCells, "currents": CurrentCells}
_TOP = ("preset", "seed", "session_type", "equipment_name", "task", "images", "animal", "plane",
        "planes")  # fmt: skip
_PICTURES = ("n", "seed", "name", "files", "names", "equal_contrast", "screen")


def read_plan(path: str | Path) -> SessionPlan:
    """Read a plan from a TOML file.

    Parameters
    ----------
    path : path
        See `plan_of` for what it holds. Files of pictures are looked for beside it.

    Returns
    -------
    SessionPlan
        To be given to `simulate_session`.

    Raises
    ------
    InputError
        No such file, or a value that does not fit; says in which table.
    FileFormatError
        It is not TOML.
    UnknownNameError
        A setting of no known name.
    """
    where = Path(path)
    try:
        table = tomllib.loads(where.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"there is no file {where}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{where} is not TOML: {error}") from error
    return plan_of(table, folder=where.parent)


def plan_of(table: Mapping[str, Any], *, folder: Path | None = None) -> SessionPlan:
    """Make a plan of nested settings.

    Parameters
    ----------
    table : mapping
        ``preset`` (what to start from), ``seed``, ``session_type``, ``equipment_name``, and
        tables: ``task`` (of `ImageChangeTask`), ``images`` (n and seed, or files; name, names,
        equal_contrast, screen), ``animal``, ``plane`` (of `OpticalPlane`, for all planes), and
        a list ``planes`` (what differs in each). A plane has ``cells`` with ``kind`` "rates"
        or "currents" (of `RateCells` or `CurrentCells`, with ``front``) and
        ``receptive_fields`` (of `GaborFields`).
    folder : path, optional
        Where files of pictures are looked for.

    Returns
    -------
    SessionPlan
        To be given to `simulate_session`.

    Raises
    ------
    InputError, UnitError
        A value that does not fit; says in which table.
    UnknownNameError
        A setting of no known name, with the nearest known ones.

    Examples
    --------
    >>> plan_of({"preset": "short", "seed": 3, "plane": {"n_cells": 12}})
    SessionPlan: 1 plane, 12 cells, 8 pictures, 140 s, seed 3
    >>> try:
    ...     plan_of({"task": {"omission": 0.1}})
    ... except UnknownNameError as error:
    ...     print(str(error)[:60])
    unknown setting in [task] 'omission'; did you mean 'omission
    """
    _check_known(table, _TOP, "the file")
    base = SessionPlan.preset(_text(table.get("preset", "short"), "preset"))
    changes: dict[str, Any] = {
        key: table[key] for key in ("seed", "session_type", "equipment_name") if key in table
    }
    if "task" in table:
        changes["task"] = _changed(base.task, _table(table["task"], "task"), "task")
    if "animal" in table:
        changes["animal"] = _made(Animal, _table(table["animal"], "animal"), "animal")
    if "images" in table:
        changes["images"] = _images(_table(table["images"], "images"), folder)
    changes["planes"] = _planes(base, table)
    with _placed("the file"):
        return attrs.evolve(base, **changes)


def _planes(base: SessionPlan, table: Mapping[str, Any]) -> tuple[OpticalPlane, ...]:
    common = _table(table.get("plane", {}), "plane")
    given = table.get("planes")
    if given is None:
        return tuple(_changed_plane(plane, common, "plane") for plane in base.planes)
    if not isinstance(given, list) or not given:
        raise InputError(f"planes must be a list of tables ([[planes]]), got {given!r:.60}")
    start = _changed_plane(base.planes[0], common, "plane")
    return tuple(
        _changed_plane(start, _table(own, f"planes {k + 1}"), f"planes {k + 1}")
        for k, own in enumerate(given)
    )


def _changed_plane(plane: OpticalPlane, table: Mapping[str, Any], where: str) -> OpticalPlane:
    values = dict(table)
    if "cells" in values:
        values["cells"] = _cells(_table(values["cells"], f"{where}.cells"), f"{where}.cells")
    if "receptive_fields" in values:
        name = f"{where}.receptive_fields"
        values["receptive_fields"] = _made(
            GaborFields, _table(values["receptive_fields"], name), name
        )
    return _changed(plane, values, where)


def _cells(table: Mapping[str, Any], where: str) -> Any:
    values = dict(table)
    kind = values.pop("kind", "rates")
    if kind not in _CELLS:
        raise unknown_name(f"kind of cells in [{where}]", str(kind), _CELLS)
    if "front" in values:
        values["front"] = _made(FrontEnd, _table(values["front"], f"{where}.front"), where)
    return _made(_CELLS[kind], values, where)


def _images(table: Mapping[str, Any], folder: Path | None) -> ImageSet:
    _check_known(table, _PICTURES, "images")
    values = dict(table)
    if "screen" in values:
        values["screen"] = _made(
            Screen, _table(values["screen"], "images.screen"), "images.screen"
        )
    files = values.pop("files", None)
    with _placed("images"):
        if files is None:
            return ImageSet.natural_like(**values)
        if not isinstance(files, list):
            raise InputError(f"files must be a list of names, got {files!r:.60}")
        own = Path() if folder is None else folder
        return ImageSet.from_pictures([own / str(f) for f in files], **values)


def _made(kind: Any, values: Mapping[str, Any], where: str) -> Any:
    _check_known(values, [f.name for f in attrs.fields(kind)], where)
    with _placed(where):
        return kind(**values)


def _changed(thing: Any, values: Mapping[str, Any], where: str) -> Any:
    _check_known(values, [f.name for f in attrs.fields(type(thing))], where)
    with _placed(where):
        return attrs.evolve(thing, **values)


def _check_known(values: Mapping[str, Any], known: Any, where: str) -> None:
    for key in values:
        if key not in known:
            place = where if where == "the file" else f"[{where}]"
            raise unknown_name(f"setting in {place}", key, known)


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"[{where}] must be a table of settings, got {value!r:.60}")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name} must be a name in quotes, got {value!r}")
    return value


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """Say in which table a value does not fit."""
    try:
        yield
    except UnknownNameError:
        raise
    except CleoLikeError as error:
        if where == "the file":
            raise
        raise type(error)(f"in [{where}]: {error}") from error
    except (TypeError, ValueError) as error:
        msg = (
            f"a value in {where if where == 'the file' else f'[{where}]'} does not fit: {error}"
        )
        raise InputError(msg) from error

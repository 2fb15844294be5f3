"""Programs that were added to a study's folder as extractors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.core.files import atomic_path
from cleo_like.groundtruth.extractors.command import command_method
from cleo_like.groundtruth.extractors.method import OWN
from cleo_like.groundtruth.store import EXTRACTORS

if TYPE_CHECKING:
    from cleo_like.groundtruth.extractors.method import Method


def add_command(
    folder: str | Path, name: str, command: str, *, file_format: str = "abf",
    definitions: dict[str, str] | None = None, timeout: float = 120.0,
) -> Method:  # fmt: skip
    """Note a program as an extractor of a study's folder.

    Parameters
    ----------
    folder : str or Path
        Of the study.
    name, command, file_format, definitions, timeout
        As in `command_method`.

    Returns
    -------
    Method
        To be given to `run_study`.

    Raises
    ------
    InputError
        The name is taken by an extractor of this package, or the command is incomplete.
    """
    if name in OWN:
        msg = f"{name!r} is an extractor of this package; take another name"
        raise InputError(msg)
    made = command_method(
        name, command, file_format=file_format, definitions=definitions, timeout=timeout
    )
    path = Path(folder) / EXTRACTORS
    known = _added(path)
    known[name] = {
        "command": command, "file_format": file_format, "definitions": definitions or {},
        "timeout": timeout,
    }  # fmt: skip
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(known, indent=1), "utf-8")
    return made


def added_methods(folder: str | Path) -> list[Method]:
    """Give the programs that were added to a study's folder.

    Parameters
    ----------
    folder : str or Path
        Of the study.

    Returns
    -------
    list of Method
        In the order in which they were added.
    """
    return [
        command_method(n, **given) for n, given in _added(Path(folder) / EXTRACTORS).items()
    ]


def _added(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        msg = f"{path} is no JSON ({error}); delete it and add the extractors again"
        raise FileFormatError(msg) from error
    return found

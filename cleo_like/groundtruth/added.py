"""Programs that were added to a study's folder as extractors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.core.files import atomic_path
from cleo_like.groundtruth.calcium.methods import CALCIUM, calcium_command
from cleo_like.groundtruth.cases.plan import CALCIUM as CALCIUM_STUDY
from cleo_like.groundtruth.cases.plan import PATCH
from cleo_like.groundtruth.extractors.command import command_method
from cleo_like.groundtruth.extractors.method import OWN, PERFECT
from cleo_like.groundtruth.store import EXTRACTORS

if TYPE_CHECKING:
    from cleo_like.groundtruth.extractors.method import Method

_MAKERS: dict[str, Any] = {PATCH: command_method, CALCIUM_STUDY: calcium_command}


def add_command(
    folder: str | Path, name: str, command: str, *, file_format: str | None = None,
    definitions: dict[str, str] | None = None, timeout: float = 120.0, modality: str = PATCH,
) -> Method:  # fmt: skip
    """Note a program as an extractor of a study's folder.

    Parameters
    ----------
    folder : str or Path
        Of the study.
    name, command, file_format, definitions, timeout
        As in `command_method`; for calcium as in `calcium_command`, without definitions.
    modality : str
        "patch" or "calcium": what the program measures.

    Returns
    -------
    Method
        To be given to `run_study`.

    Raises
    ------
    InputError
        The name is taken by an extractor of this package, or the command is incomplete.
    """
    if name in {*OWN, *CALCIUM, PERFECT}:
        msg = f"{name!r} is an extractor of this package; take another name"
        raise InputError(msg)
    if modality == CALCIUM_STUDY and definitions:
        raise InputError("methods for calcium have no definitions of features")
    given: dict[str, Any] = {"command": command, "timeout": timeout}
    if file_format is not None:
        given["file_format"] = file_format
    if definitions:
        given["definitions"] = definitions
    made = _MAKERS[modality](name, **given)
    path = Path(folder) / EXTRACTORS
    known = _added(path)
    known[name] = given | {"modality": modality}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(known, indent=1), "utf-8")
    return made


def added_methods(folder: str | Path, modality: str = PATCH) -> list[Method]:
    """Give the programs that were added to a study's folder.

    Parameters
    ----------
    folder : str or Path
        Of the study.
    modality : str
        "patch" or "calcium".

    Returns
    -------
    list of Method
        In the order in which they were added.
    """
    found = []
    for name, given in _added(Path(folder) / EXTRACTORS).items():
        if given.pop("modality", PATCH) == modality:
            found.append(_MAKERS[modality](name, **given))
    return found


def _added(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        msg = f"{path} is no JSON ({error}); delete it and add the extractors again"
        raise FileFormatError(msg) from error
    return found

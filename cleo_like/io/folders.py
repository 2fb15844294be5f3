"""Files, folders and patterns as people give them: the files that are meant, each once."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from cleo_like.core.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def files_of(
    places: str | Path | Iterable[str | Path], suffixes: Callable[[], Iterable[str]]
) -> list[Path]:
    """List the files of files, folders and patterns; see `cleo_like.io.files_in`.

    Parameters
    ----------
    places : path or iterable of paths
        As there.
    suffixes : callable
        Gives those of the files taken from folders, with the dot; asked when there is a folder,
        because it takes longer than most files.
    """
    if isinstance(places, (str, Path)):
        places = [places]
    found: dict[Path, None] = {}
    for place in places:
        if not isinstance(place, (str, Path)):
            kind = type(place).__name__
            msg = f"expected paths of files or folders, got {kind}: {place!r:.60}"
            raise InputError(msg)
        found.update(dict.fromkeys(_files_of(Path(place), suffixes)))
    return list(found)


def _files_of(place: Path, suffixes: Callable[[], Iterable[str]]) -> list[Path]:
    if place.is_dir():
        kinds = tuple(suffix.lower() for suffix in suffixes())
        files = [
            path
            for path in sorted(place.rglob("*"))
            if path.suffix.lower() in kinds and path.is_file() and not _hidden(path, place)
        ]
        what = f"the folder {place} has no file ending in {', '.join(kinds)}"
    elif not place.is_file() and glob.has_magic(str(place)):
        files = sorted(Path(name) for name in glob.glob(str(place), recursive=True))  # noqa: PTH207
        files = [path for path in files if path.is_file()]
        what = f"no file is like {place}"
    else:
        return [place]
    if not files:
        raise FileFormatError(what)
    return files


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)

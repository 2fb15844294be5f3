"""Files, folders and patterns as people give them: the files that are meant, each once."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.io.load import readable_suffixes

if TYPE_CHECKING:
    from collections.abc import Iterable


def files_in(
    places: str | Path | Iterable[str | Path], *, suffixes: Iterable[str] | None = None
) -> list[Path]:
    """List the files of files, folders and patterns.

    Parameters
    ----------
    places : path or iterable of paths
        A file is itself. A folder is every file in it and below that has one of the suffixes,
        hidden ones left out. A text with ``*``, ``?`` or ``[`` that is no file is a pattern
        (``**`` goes into folders). A file that is not there is kept, so that whoever reads it
        can say so.
    suffixes : iterable of str, optional
        Of the files taken from folders, with the dot; those that can be read where not given.

    Returns
    -------
    list of Path
        In the order given, those of a folder or pattern sorted; none twice.

    Raises
    ------
    InputError
        Something that is no path.
    FileFormatError
        A folder or pattern without any such file.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("b.abf", "a.abf", "notes.txt"):
    ...     (folder / name).touch()
    >>> [path.name for path in files_in(folder)]
    ['a.abf', 'b.abf']
    """
    if isinstance(places, (str, Path)):
        places = [places]
    kinds = tuple(s.lower() for s in (readable_suffixes() if suffixes is None else suffixes))
    found: dict[Path, None] = {}
    for place in places:
        if not isinstance(place, (str, Path)):
            msg = (
                f"expected paths of files or folders, got {type(place).__name__}: {place!r:.60}"
            )
            raise InputError(msg)
        found.update(dict.fromkeys(_files_of(Path(place), kinds)))
    return list(found)


def _files_of(place: Path, kinds: tuple[str, ...]) -> list[Path]:
    if place.is_dir():
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

"""Files, folders and patterns as people give them: the files that are meant, each once."""

from __future__ import annotations

import glob
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from cleo_like.core.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


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
        # a link to a folder above makes `**` find the same file again and again
        once = {path.parent.resolve() / path.name: path for path in reversed(files)}
        files = sorted(path for path in once.values() if path.is_file())
        what = f"no file is like {place}"
    else:
        return [place]
    if not files:
        raise FileFormatError(what)
    return files


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def names_of(files: Sequence[Path]) -> dict[Path, str]:
    """Name what is made of each file: its stem, or as much more as makes all of them differ.

    Parameters
    ----------
    files : sequence of Path
        Files of any folders.

    Returns
    -------
    dict of Path to str
        Names that differ on disks that ignore the case too, without odd characters.

    Examples
    --------
    >>> list(names_of([Path("a/c 1.abf"), Path("b/d.abf")]).values())
    ['c_1', 'd']
    >>> list(names_of([Path("a/c.abf"), Path("b/c.abf")]).values())
    ['a-c.abf', 'b-c.abf']
    """
    names: dict[Path, str] = {}
    left = list(dict.fromkeys(files))
    for name in (lambda p: p.stem, lambda p: p.name, lambda p: f"{p.parent.name}-{p.name}"):
        made = {path: plain_name(name(path)) for path in left}
        count = Counter(text.lower() for text in (*names.values(), *made.values()))
        alone = {path: text for path, text in made.items() if count[text.lower()] == 1}
        names |= alone
        left = [path for path in left if path not in alone]
    names |= {path: f"{plain_name(path.name)}-{k}" for k, path in enumerate(left)}
    return {path: names[path] for path in dict.fromkeys(files)}


def plain_name(text: str) -> str:
    """Replace what makes trouble in a file name or an address by an underscore.

    Examples
    --------
    >>> plain_name("cell 7/b")
    'cell_7_b'
    """
    return re.sub(r"[^\w.-]+", "_", text)

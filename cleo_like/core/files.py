"""Files appear whole or not at all, several of them together, and never in place of others.

A file is written under a temporary name in its folder and renamed when it is complete.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cleo_like.core.errors import ExistingFileError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class _Rename(NamedTuple):
    temporary: Path
    final: Path
    overwrite: bool


_waiting: ContextVar[list[_Rename] | None] = ContextVar("waiting", default=None)
"""Complete files of `together` that wait for the others."""
_open: ContextVar[tuple[Path, ...]] = ContextVar("open", default=())
"""Temporary files that are being written."""


@contextmanager
def atomic_path(path: str | Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path in the same folder; rename it on success, remove it on failure.

    Parameters
    ----------
    path : str or Path
        Final name. Its folder is made when missing. An existing file stays until the new
        one is complete.
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        Write here; it has the same suffix as the final name.

    Raises
    ------
    ExistingFileError
        The file exists, or came to exist meanwhile, and is not to be replaced.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> (folder / "a.txt").read_text()
    'whole'
    """
    final = Path(path)
    if final in _open.get():  # a temporary file already
        yield final
        return
    final.parent.mkdir(parents=True, exist_ok=True)
    # short, so that a name that is as long as the system allows stays possible
    handle, name = tempfile.mkstemp(
        prefix=f".{final.stem[:20]}-", suffix=f".part{final.suffix}", dir=final.parent
    )
    os.close(handle)
    temporary = Path(name)
    token = _open.set((*_open.get(), temporary))
    complete = False
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        rename, waiting = _Rename(temporary, final, overwrite), _waiting.get()
        if waiting is None:
            _put_in_place([rename])
        else:
            waiting.append(rename)
        complete = True
    finally:
        _open.reset(token)
        if not complete:
            temporary.unlink(missing_ok=True)


@contextmanager
def together() -> Iterator[None]:
    """Let all files that are written inside appear at the end, or none of them.

    Should the process be killed between two renames, some have appeared.
    """
    if _waiting.get() is not None:  # a part of something larger
        yield
        return
    waiting: list[_Rename] = []
    token = _waiting.set(waiting)
    try:
        yield
        _put_in_place(waiting)
    finally:
        _waiting.reset(token)
        for rename in waiting:
            rename.temporary.unlink(missing_ok=True)


def as_written(path: str | Path) -> Path:
    """Give the file that holds what a path will: the path, or what waits inside `together`."""
    waiting = {rename.final: rename.temporary for rename in _waiting.get() or ()}
    return waiting.get(Path(path), Path(path))


def check_output(
    path: str | Path, *, overwrite: bool = False, how: str = "give overwrite=True"
) -> Path:
    """Refuse a file that cannot be written, before any work is done for it.

    Parameters
    ----------
    path : str or Path
        The file that is to be written.
    overwrite : bool
        Whether an existing file may be replaced.
    how : str
        What the user does to replace it, for the error.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    ExistingFileError
        The file exists and is not to be replaced.
    OutputError
        It is a folder or write-protected, or its folder cannot be written to.
    """
    final = Path(path)
    try:
        if final.is_dir():
            msg = f"{final} is a folder; give the name of a file"
            raise OutputError(msg)
        if final.exists() or final.is_symlink():
            if not overwrite:
                msg = f"{final} exists already; give another name, or {how} to replace it"
                raise ExistingFileError(msg)
            if final.exists() and not _is_writable(final):
                msg = f"{final} is write-protected; it is not replaced"
                raise OutputError(msg)
        check_folder(final.parent)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        msg = f"cannot write {final}: {error.strerror}"
        raise OutputError(msg) from error
    return final


def check_folder(folder: str | Path) -> Path:
    """Refuse a folder that cannot be written to, or cannot be made.

    Raises
    ------
    OutputError
        It is a file, or may not be written to.
    """
    there = Path(folder)
    try:
        while not there.exists():
            there = there.parent
        if not there.is_dir():
            msg = f"{there} is a file, so that {folder} cannot be a folder"
            raise OutputError(msg)
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        msg = f"cannot write in the folder {there}: {error.strerror}"
        raise OutputError(msg) from error
    return Path(folder)


def _is_writable(path: Path) -> bool:
    """Whether its owner protected it (the superuser may write everywhere) or others did."""
    return bool(path.stat().st_mode & stat.S_IWUSR) and os.access(path, os.W_OK)


def _put_in_place(renames: Sequence[_Rename]) -> None:
    """Rename all files; when one cannot be, put everything back as it was."""
    finals = [rename.final for rename in renames]
    twice = sorted({str(f) for f in finals if finals.count(f) > 1})
    if twice:
        msg = f"two files would have the same name: {', '.join(twice)}"
        raise OutputError(msg)
    kept = [_kept_aside(rename) if len(renames) > 1 else None for rename in renames]
    done: list[tuple[Path, Path | None]] = []
    try:
        for rename, old in zip(renames, kept, strict=True):
            if rename.overwrite:
                rename.temporary.replace(rename.final)
            else:
                _put_where_nothing_is(rename)
            done.append((rename.final, old))
    except BaseException:
        for final, old in reversed(done):
            if old is None:
                final.unlink(missing_ok=True)
            else:
                old.replace(final)
        raise
    finally:
        for old in kept:
            if old is not None:
                old.unlink(missing_ok=True)


def _kept_aside(rename: _Rename) -> Path | None:
    """Give the present file a second name, so that it can be put back."""
    if not (rename.overwrite and rename.final.exists()):
        return None
    kept = rename.temporary.with_suffix(".kept")
    try:
        os.link(rename.final, kept)
    except OSError:  # a file system without links
        shutil.copy2(rename.final, kept)
    return kept


def _put_where_nothing_is(rename: _Rename) -> None:
    """Rename, but never onto a file that came to exist meanwhile."""
    try:
        os.link(rename.temporary, rename.final)
    except OSError as error:
        if rename.final.exists() or rename.final.is_symlink():
            msg = f"{rename.final} exists already; it is not replaced"
            raise ExistingFileError(msg) from error
        rename.temporary.replace(rename.final)  # a file system without links
    else:
        rename.temporary.unlink()


def _umask() -> int:
    """Read the process's umask (it can only be read by setting it)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""The two files of a table, its values and its reasons: both are there, or neither."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cleo_like.core.errors import FileFormatError, InputError, UnsupportedError
from cleo_like.core.files import atomic_path, check_output, together

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_table(path: str | Path, *, overwrite: bool, how: str = "give overwrite=True") -> Path:
    """Refuse a table that cannot be written, before any work is done for it.

    Raises
    ------
    InputError
        The name ends in neither ``.csv`` nor ``.parquet``.
    UnsupportedError
        Parquet, and pyarrow is not installed.
    OutputError
        The table, or its reasons, exist or cannot be written.
    """
    if is_parquet(path):
        need_pyarrow()
    for file in (Path(path), companion(Path(path))):
        check_output(file, overwrite=overwrite, how=how)
    return Path(path)


@contextmanager
def written_together(path: str | Path, *, overwrite: bool) -> Iterator[tuple[Path, Path]]:
    """Give temporary paths of the table and of its reasons; both appear, or neither."""
    target = Path(path)
    for file in (target, companion(target)):
        check_output(file, overwrite=overwrite)
    with (
        together(),
        atomic_path(target, overwrite=overwrite) as table,
        atomic_path(companion(target), overwrite=overwrite) as reasons,
    ):
        yield table, reasons


def companion(path: Path) -> Path:
    """Name the file of the reasons of a table."""
    return path.with_name(f"{path.stem}.reasons{path.suffix}")


def is_parquet(path: str | Path) -> bool:
    """Whether a table of this name is written as parquet, not as CSV.

    Raises
    ------
    InputError
        The name ends in neither ``.csv`` nor ``.parquet``.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".csv", ".parquet"):
        msg = f"a feature table is written as .csv or .parquet, got {Path(path).name!r}"
        raise InputError(msg)
    return suffix == ".parquet"


def existing_table(path: Path) -> Path:
    """Give the path back if a file is there."""
    if not path.is_file():
        msg = f"no feature table at {path}; cleo-like features FILES -o TABLE.csv writes one"
        raise FileFormatError(msg)
    return path


def need_pyarrow() -> None:
    """Say how to install what reads and writes parquet, where it is missing."""
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        msg = "parquet needs the package pyarrow: pip install pyarrow, or write .csv instead"
        raise UnsupportedError(msg)

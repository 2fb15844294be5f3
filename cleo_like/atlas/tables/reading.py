"""Tables as people publish them: read, stacked where they hold other cells, joined by id."""

from __future__ import annotations

import csv
import gzip
import io
import unicodedata
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleo_like.atlas.columns import text_of
from cleo_like.atlas.tables.spelling import ids_spelt, is_missing, numbers_spelt
from cleo_like.core.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from cleo_like.atlas.tables.mapping import Mapping

ORIGIN = "origin of the row"
"""Column that a joined table has: the name of the file in which a cell stood."""
_SEPARATORS = ",\t;"
_ROWS = 20  # looked at to find the separator


def read_raw(source: str | Path | pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Read a table as it is: CSV, TSV (separated by tabs or semicolons too), Excel, parquet.

    Returns
    -------
    name, frame : str, DataFrame
        Name of the file without its ending ("" of a data frame); text as text.

    Raises
    ------
    FileFormatError
        No such file, or no table.
    """
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        return "", _with_named_index(source)
    path = Path(source)
    if not path.is_file():
        msg = f"no table at {path}"
        raise FileFormatError(msg)
    name = path.stem if path.suffix.lower() != ".gz" else Path(path.stem).stem
    try:
        if path.suffix.lower() == ".parquet":
            return name, _with_named_index(pd.read_parquet(path))
        if path.suffix.lower() in (".xlsx", ".xls"):
            return name, pd.read_excel(path)
        return name, _read_text(path)
    except (ValueError, OSError, ImportError, EOFError, csv.Error) as error:
        msg = f"{path.name} cannot be read as a table ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error


def _with_named_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Make a column of an index with a name: often the ids."""
    named = [n for n in frame.index.names if n is not None and n not in frame.columns]
    return frame.reset_index(level=named) if named else frame


def _read_text(path: Path) -> pd.DataFrame:
    import pandas as pd

    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    lines = _decoded(content).splitlines(keepends=True)
    start = next((k for k, line in enumerate(lines) if not line.startswith("#")), 0)
    if start < len(lines) and lines[start].lower().startswith("sep="):  # Excel's own hint
        start += 1
    separator = _separator(lines[start:])
    frame = pd.read_csv(io.StringIO("".join(lines[start:])), sep=separator, dtype=str)
    frame.attrs["separator"] = separator
    return frame


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):  # Excel's "Unicode text"
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:  # what Excel writes in western Europe
        return content.decode("cp1252")


def _separator(lines: list[str]) -> str:
    """Give the separator by which the first rows have as many fields as the header."""

    def fit(separator: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines[:_ROWS], delimiter=separator)]
        return (sum(w == widths[0] for w in widths) if widths[:1] > [1] else 0, widths[0])

    return max(_SEPARATORS, key=fit) if lines else ","


def plain(name: object) -> str:
    """Spell a column's name one way: case, spaces and the two signs each for Ohm and micro.

    Examples
    --------
    >>> plain("Input  Resistance (M\u2126)") == plain("input resistance (M\u03a9)")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", str(name)).split()).casefold()


def column_of(frame: pd.DataFrame, names: Iterable[str]) -> Any:
    """Find the first of several names among the columns; None if none is there."""
    spelt: dict[str, Any] = {}
    for column in frame.columns:
        spelt.setdefault(plain(column), column)
    return next((spelt[plain(n)] for n in names if plain(n) in spelt), None)


def joined(sources: Sequence[tuple[str, pd.DataFrame]], how: Mapping) -> pd.DataFrame:
    """Put tables together: of other cells below each other, of the same cells side by side.

    The first decides what a cell is; another with the same features and other cells is put
    below it, all others tell more about these cells. Ids are looked for in every column of
    the mapping's keys: tables of one lab often have two names for a cell.

    Raises
    ------
    FileFormatError
        A table without ids, or with none of the cells.
    InputError
        No cell.
    """
    sources = [(name, _spelt(frame, how)) for name, frame in sources]
    indexed = [_indexed(frame, how).assign(**{ORIGIN: name}) for name, frame in sources]
    _warn_of_rows(*sources[0], how)
    cells, others = indexed[0], []
    for raw, one in zip(sources[1:], indexed[1:], strict=True):
        if _same_kind(cells, one, how) and not cells.index.intersection(one.index).size:
            cells = _below(cells, one)
            _warn_of_rows(*raw, how)
        else:
            others.append(raw)
    if not len(cells):
        msg = "the tables have no cell"
        raise InputError(msg)
    for name, frame in others:
        cells = _beside(cells, name, frame, how)
    return cells


def _below(cells: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([cells, more])


def _spelt(frame: pd.DataFrame, how: Mapping) -> pd.DataFrame:
    """Each column once; numbers of features, and ids, spelt in one way."""
    one = frame.loc[:, ~frame.columns.duplicated()].copy()
    features = [c for c in (column_of(one, c.names) for c in how.columns.values()) if c]
    texts = [c for c in dict.fromkeys(features) if one[c].dtype.kind not in "fiub"]
    spelt = numbers_spelt(
        [one[c].astype(object) for c in texts], comma=frame.attrs.get("separator") == ";"
    )
    for name, column in zip(texts, spelt, strict=True):
        one[name] = column
    for key in {column_of(one, [n]) for n in how.keys} - {None}:
        one[key] = ids_spelt(one[key])
    return one


def _with_ids(frame: pd.DataFrame, how: Mapping) -> tuple[pd.DataFrame, Any]:
    """Give the rows with an id, and the name of the column of ids."""
    key = column_of(frame, how.keys)
    if key is None:
        msg = (
            f"no column with ids ({', '.join(how.keys)}) in the table with "
            f"{', '.join(map(str, frame.columns[:8]))} ..."
        )
        raise FileFormatError(msg)
    return frame[frame[key].notna()], key


def _indexed(frame: pd.DataFrame, how: Mapping) -> pd.DataFrame:
    one, key = _with_ids(frame, how)
    return one.drop_duplicates(key).set_index(key)


def _warn_of_rows(name: str, frame: pd.DataFrame, how: Mapping) -> None:
    """Say which rows of a table of features are left out."""
    known, key = _with_ids(frame, how)
    said = []
    if len(known) < len(frame):
        said.append(f"{len(frame) - len(known)} rows without an id are left out")
    again = known.drop_duplicates()
    again = again.loc[again[key].duplicated(), key]
    if len(again):
        said.append(
            f"{again.nunique()} cells have several rows with different values (e.g. "
            f"{text_of(again.iloc[0])}): the first row of each is taken"
        )
    for one in said:
        warnings.warn(f"{name or 'the table'}: {one}", UserWarning, stacklevel=4)


def _same_kind(cells: pd.DataFrame, more: pd.DataFrame, how: Mapping) -> bool:
    """Whether a table has most of the features that the first has."""
    features = [
        {name for name, c in how.columns.items() if column_of(frame, c.names) is not None}
        for frame in (cells, more)
    ]
    return bool(features[0]) and len(features[0] & features[1]) > len(features[0]) / 2


def _beside(cells: pd.DataFrame, name: str, frame: pd.DataFrame, how: Mapping) -> pd.DataFrame:
    """Add the columns of a table to the cells that it names, under any of its ids."""
    one = frame.reset_index(drop=True)
    keys = [k for k in (column_of(one, [n]) for n in how.keys) if k is not None]
    rows: dict[str, int] = {}
    for key in dict.fromkeys(keys):
        for row, value in enumerate(one[key]):
            if not is_missing(value):
                rows.setdefault(text_of(value), row)
    found = [rows.get(c, -1) for c in cells.index]
    if max(found) < 0:
        where = ", ".join(map(str, dict.fromkeys(keys))) or f"none of {', '.join(how.keys)}"
        seen = ", ".join(list(rows)[:3]) or "no id"
        msg = (
            f"none of the cells ({', '.join(map(str, cells.index[:3]))} ...) is in the table "
            f"{name or 'that was given'} (ids in {where}: {seen} ...)"
        )
        raise FileFormatError(msg)
    new = [c for c in one.columns if c not in cells.columns and c != cells.index.name]
    told = one[new].reindex(found)  # -1 is no row: missing
    told.index = cells.index
    return cells.join(told)

"""Tables of cells as this package writes them, read back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cleo_like.atlas.columns import CELL_ID, DONOR, LAB, column_named
from cleo_like.atlas.tables.spelling import ids_spelt
from cleo_like.core.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def read_cells(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read tables of cells (CSV or parquet) below each other.

    Parameters
    ----------
    paths : sequence of path
        Of `extract`, `import_table`, or your own in the catalogue's names and units.

    Returns
    -------
    DataFrame
        All cells. A table that names no lab is of the lab that its file is named after: cells
        of two files are not silently taken for one lab's.

    Raises
    ------
    FileFormatError
        No such file, or no table.
    """
    import pandas as pd

    frames = []
    for path in map(Path, paths):
        one = _read(path)
        for column in (c for c in (*CELL_ID, *DONOR) if c in one.columns):
            one[column] = ids_spelt(one[column])  # a donor 7 here and 7.0 there is one donor
        if column_named(one, None, LAB) is None:
            one["lab"] = path.stem
        frames.append(one)
    return pd.concat(frames, ignore_index=True)


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        msg = f"no table at {path}"
        raise FileFormatError(msg)
    texts = dict.fromkeys((*CELL_ID, *LAB, *DONOR), str)
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=texts, low_memory=False)
    except (ValueError, OSError) as error:
        msg = f"{path.name} cannot be read as a table ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error

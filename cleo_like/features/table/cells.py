"""One row per cell: features in ipfx's names and units, and why each missing one is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import attrs

from cleo_like.core.arrays import places
from cleo_like.core.errors import (
    InputError,
    PlaceError,
    UnknownNameError,
    unknown_name,
)
from cleo_like.core.plugins import needed
from cleo_like.features.table.files import (
    companion,
    existing_table,
    is_parquet,
    need_pyarrow,
    written_together,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    import pandas as pd
    import xarray as xr

    from cleo_like.features.catalogue import Feature

META = (
    "cell_id", "source", "content_hash", "extractor", "settings", "species", "region", "donor",
    "family", "window_start", "window_end", "n_sweeps", "sweeps_used", "filter_khz", "status",
    "notes",
)  # fmt: skip
"""Columns about the row itself; all others are features (or ``<feature>_error``)."""

_TEXT = tuple(name for name in META if name not in (
    "window_start", "window_end", "n_sweeps", "filter_khz"
))  # fmt: skip


@attrs.frozen(kw_only=True)
class Record:
    """One row before it is in a table."""

    meta: dict[str, Any]
    values: dict[str, float]
    errors: dict[str, float] = attrs.field(factory=dict)
    reasons: dict[str, str] = attrs.field(factory=dict)


_USUAL = (
    "resting_potential", "input_resistance", "tau", "capacitance", "sag", "rheobase_i",
    "fi_fit_slope", "max_rate", "ap_1_threshold_v_0_long_square", "ap_1_peak_v_0_long_square",
    "ap_1_width_0_long_square", "hero_adapt",
)  # fmt: skip
"""What a plot of a table shows unless told otherwise."""


@attrs.frozen(kw_only=True, eq=False)
class FeatureTable:
    """A pandas table of features with a companion of reasons.

    Parameters
    ----------
    frame : DataFrame
        One row per cell: the columns of `META`, then features in mV, pA, MOhm, pF, s, Hz.
        ``<feature>_error`` is a standard error in the same unit.
    reasons : DataFrame of str
        Same rows; one column per feature: why it is missing, "" where it is there.

    Examples
    --------
    >>> table = FeatureTable.from_records([Record(
    ...     meta={"cell_id": "c1", "status": "ok"}, values={"tau": 0.02, "sag": float("nan")},
    ...     reasons={"sag": "no hyperpolarising sweep"})])
    >>> table.frame.loc[0, "tau"], table.why(0, "sag")
    (np.float64(0.02), 'no hyperpolarising sweep')
    """

    frame: pd.DataFrame
    reasons: pd.DataFrame

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.frame)

    def __iter__(self) -> Iterator[pd.Series]:
        """Give one cell (row) after the other."""
        return (self.frame.loc[row] for row in self.frame.index)

    @overload
    def __getitem__(self, which: str | int) -> pd.Series: ...
    @overload
    def __getitem__(self, which: slice | Sequence[int] | np.ndarray) -> FeatureTable: ...
    def __getitem__(self, which: Any) -> pd.Series | FeatureTable:
        """Give a column by its name, a cell (row) by its place, or a table of some cells.

        Examples
        --------
        >>> table = FeatureTable.from_records([
        ...     Record(meta={"cell_id": name, "status": "ok"}, values={"tau": tau})
        ...     for name, tau in [("a", 0.01), ("b", 0.03), ("c", 0.02)]])
        >>> table[-1]["cell_id"], list(table[:2]["tau"])
        ('c', [0.01, 0.03])
        >>> list(table[table["tau"] > 0.015]["cell_id"])
        ['b', 'c']
        """
        import numpy as np

        if isinstance(which, str):
            if which not in self.frame:
                raise unknown_name("column of this table", which, map(str, self.frame.columns))
            return self.frame[which]
        index = which if isinstance(which, slice) else np.asarray(which)
        chosen = np.asarray(places("the table", len(self), index, "rows"))
        return self.take(chosen) if chosen.ndim else self.frame.iloc[int(chosen)]

    def __repr__(self) -> str:
        """One line: rows, how many were measured, features."""
        measured = int((self.frame["status"] == "ok").sum())
        counts = f"{len(self)} rows, {measured} measured, {len(self.features)} features"
        return f"FeatureTable: {counts}"

    def _repr_html_(self) -> str:
        """Show who was measured and every feature that somebody has, for a notebook."""
        import html

        about = ["cell_id", "source", "family", "status", "notes"]
        given = [name for name in self.features if self.frame[name].notna().any()]
        shown = self.frame[[*about, *given]]
        table = shown.to_html(index=False, float_format=lambda x: f"{x:.4g}", max_rows=60)
        return f"<div><b>{html.escape(repr(self))}</b>{table}</div>"

    def plot(self, *features: str) -> np.ndarray:
        """Draw features, a panel for each: a point for each cell with its error, the median.

        Parameters
        ----------
        *features : str
            Which; by default what is looked at first in any cell (resting potential, input
            resistance, rheobase ...), or else the first dozen.

        Returns
        -------
        array of Axes
            One for each feature.

        Raises
        ------
        UnknownNameError
            A feature that the table does not have.
        InputError
            No cell has any feature.
        """
        import numpy as np

        from cleo_like.core.views.tables import Column, plot_columns

        for name in features:
            if name not in self.reasons:
                raise unknown_name("feature of this table", name, self.features)
        chosen = list(features) if features else self._worth_drawing()
        if not chosen:
            raise InputError("no cell of this table has any feature, so nothing can be drawn")
        nothing = np.full(len(self), np.nan)
        columns = [
            Column(
                _label(name),
                self.frame[name].to_numpy(float),
                self.frame[f"{name}_error"].to_numpy(float)
                if f"{name}_error" in self.frame
                else nothing,
            )
            for name in chosen
        ]
        return plot_columns(columns, [str(name) for name in self.frame["cell_id"]])

    def to_pandas(self) -> pd.DataFrame:
        """Give a DataFrame of its own: one row per cell, as `frame`."""
        return self.frame.copy()

    def to_xarray(self) -> xr.Dataset:
        """Give a Dataset over ``cell``: every column with its unit, and ``<feature>_reason``.

        Needs xarray.
        """
        xarray = needed("xarray", "xarray", "to_xarray")
        columns = {str(name): ("cell", self.frame[name].to_numpy()) for name in self.frame}
        reasons = {
            f"{name}_reason": ("cell", self.reasons[name].to_numpy()) for name in self.reasons
        }
        found = xarray.Dataset(columns | reasons, {"cell": self.frame["cell_id"].to_numpy()})
        for name in self.features:
            for column in {name, f"{name}_error"} & set(columns):
                found[column].attrs["units"] = _unit(name)
        return found

    def _worth_drawing(self) -> list[str]:
        known = [name for name in self.features if self.frame[name].notna().any()]
        usual = [name for name in _USUAL if name in known]
        return (usual if usual else known)[:12]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the feature columns."""
        return tuple(self.reasons.columns)

    def why(self, row: int, feature: str) -> str:
        """Why a value is missing ("" where it is there)."""
        if feature not in self.reasons:
            raise unknown_name("feature of this table", feature, self.features)
        if not -len(self) <= row < len(self):
            raise PlaceError(f"the table has {len(self)} rows, got [{row}]")
        return str(self.reasons[feature].iloc[row])

    @classmethod
    def from_records(cls, records: Sequence[Record]) -> FeatureTable:
        """Make a table of records; a feature that a record lacks is missing in its row."""
        import numpy as np
        import pandas as pd

        names = list(dict.fromkeys(n for r in records for n in r.values))
        errors = sorted({n for r in records for n in r.errors})
        meta = {m: _column(m, [r.meta.get(m) for r in records]) for m in META}
        values = {n: np.array([r.values.get(n, np.nan) for r in records], float) for n in names}
        spread = {
            f"{n}_error": np.array([r.errors.get(n, np.nan) for r in records], float)
            for n in errors
        }
        why = {n: [_reason(r, n) for r in records] for n in names}
        frame = pd.DataFrame(meta | values | spread)
        columns = pd.Index(names, dtype="str")
        reasons = pd.DataFrame(why, index=frame.index, columns=columns, dtype="str")
        return cls(frame=frame, reasons=reasons)

    @classmethod
    def join(cls, tables: Iterable[FeatureTable]) -> FeatureTable:
        """Put tables one below the other; a column that one lacks is missing there."""
        import pandas as pd

        parts = [t for t in tables if len(t)]
        if not parts:
            return cls.from_records([])
        names = list(dict.fromkeys(n for t in parts for n in t.features))
        frame = pd.concat([t.frame for t in parts], ignore_index=True)
        errors = [c for c in frame.columns if c not in META and c not in names]
        reasons = pd.concat([t.reasons for t in parts], ignore_index=True)
        reasons = reasons.reindex(columns=names).fillna("not asked of this extractor")
        return cls(frame=_typed(frame[[*META, *names, *_in_order(errors)]]), reasons=reasons)

    def take(self, rows: np.ndarray) -> FeatureTable:
        """Give some of the rows (places), in that order."""
        return FeatureTable(
            frame=self.frame.iloc[rows].reset_index(drop=True),
            reasons=self.reasons.iloc[rows].reset_index(drop=True),
        )

    def to_csv(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the table, and its reasons to ``<name>.reasons.csv`` beside it."""
        with written_together(path, overwrite=overwrite) as (table, reasons):
            self.frame.to_csv(table, index=False)
            self.reasons.to_csv(reasons, index_label="row")
        return Path(path)

    @classmethod
    def from_csv(cls, path: str | Path) -> FeatureTable:
        """Read what `to_csv` wrote, to the last bit."""
        import pandas as pd

        target = existing_table(Path(path))
        # numbers are read as text first: Python's conversion is exact, pandas' may not be
        raw = pd.read_csv(target, dtype="str", keep_default_na=False)
        frame = raw.mask(raw == "")
        reasons = pd.read_csv(
            existing_table(companion(target)), dtype="str", keep_default_na=False
        )
        return cls(frame=_typed(frame), reasons=reasons.drop(columns="row"))

    def to_parquet(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write as parquet (needs pyarrow), the reasons beside it."""
        need_pyarrow()
        with written_together(path, overwrite=overwrite) as (table, reasons):
            self.frame.to_parquet(table, index=False)
            self.reasons.to_parquet(reasons, index=False)
        return Path(path)

    @classmethod
    def from_parquet(cls, path: str | Path) -> FeatureTable:
        """Read what `to_parquet` wrote."""
        import pandas as pd

        need_pyarrow()
        target = existing_table(Path(path))
        frame = pd.read_parquet(target)
        return cls(frame=_typed(frame), reasons=pd.read_parquet(companion(target)))

    def write(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write CSV or parquet by the ending of the name, and the reasons beside it.

        Parameters
        ----------
        path : str or Path
            ``.csv`` or ``.parquet``; both files appear, or neither.
        overwrite : bool
            Whether existing files may be replaced.

        Raises
        ------
        ExistingFileError
            The table, or its reasons, exist.
        """
        how = self.to_parquet if is_parquet(path) else self.to_csv
        return how(path, overwrite=overwrite)

    @classmethod
    def read(cls, path: str | Path) -> FeatureTable:
        """Read CSV or parquet by the ending of the name."""
        return cls.from_parquet(path) if is_parquet(path) else cls.from_csv(path)


def _label(name: str) -> str:
    known = _known(name)
    return known.label if known else name


def _unit(name: str) -> str:
    known = _known(name)
    return known.unit if known else "unknown"


def _known(name: str) -> Feature | None:
    """Find a feature in the catalogue; that of an extractor of somebody else is not there."""
    from cleo_like.features.catalogue import feature

    try:
        return feature(name)
    except UnknownNameError:
        return None


def _in_order(errors: list[str]) -> list[str]:
    """By the name of the feature, as `from_records` has them."""
    return sorted(errors, key=lambda name: name.removesuffix("_error"))


def _reason(record: Record, name: str) -> str:
    value = record.values.get(name)
    if value is not None and value == value:  # noqa: PLR0124  (NaN differs from itself)
        return ""
    unknown = "not defined for these sweeps" if name in record.values else "not measured"
    return record.reasons.get(name, record.reasons.get("", unknown))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Text as text with None for unknown, everything else as float64."""
    columns = {name: _column(name, frame[name].tolist()) for name in frame.columns}
    return type(frame)(columns, index=frame.index)


def _column(name: str, values: list[Any]) -> Any:
    """Give a column of a table its type."""
    import numpy as np
    import pandas as pd

    if name in _TEXT:
        return pd.Series([None if pd.isna(x) else x for x in values], dtype=object)
    return np.array([np.nan if x is None else x for x in values], float)

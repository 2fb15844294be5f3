"""`import_table`: a published table in the catalogue's names and units, its units checked."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.atlas.columns import definition
from cleo_like.atlas.harmonise.comparable import unit_suspicions
from cleo_like.atlas.tables.mapping import Mapping, Text, read_mapping, unit_factor
from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.io.metadata import age_of, region_of, sex_of, species_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cleo_like.io.metadata import Region

_FEW = 5


def import_table(
    files: str | Path | pd.DataFrame | Sequence[str | Path | pd.DataFrame],
    mapping: str | Path | Mapping,
    *,
    lab: str | None = None,
) -> pd.DataFrame:
    """Read a published table (or several of the same cells) by a mapping.

    Parameters
    ----------
    files : path, DataFrame, or sequence of them
        CSV, TSV, Excel or parquet; several (features, metadata) are joined by the cell's id.
    mapping : str, path or Mapping
        A name of `mapping_names`, a TOML file, or a mapping.
    lab : str, optional
        Name of the lab, instead of the mapping's.

    Returns
    -------
    DataFrame
        One row per cell: cell_id, lab, labels and metadata, features in the catalogue's units.
        ``attrs["definitions"]`` has how each feature was defined, ``attrs["doubts"]`` what
        looks like a wrong unit, ``attrs["absent"]`` the features whose column was not there.

    Raises
    ------
    FileFormatError
        A file that cannot be read, or that has no column with ids.
    InputError
        None of the features is in the table.
    """
    how = mapping if isinstance(mapping, Mapping) else read_mapping(mapping)
    raw = _joined([_read(f) for f in _several(files)], how)
    out, definitions, absent = _features(raw, how)
    if len(absent) == len(how.columns):
        wanted = ", ".join(n for c in how.columns.values() for n in c.names[:1])
        msg = f"none of the columns of the mapping {how.name!r} is in the table ({wanted})"
        raise InputError(msg)
    told: dict[str, Any] = {
        "cell_id": [str(v) for v in raw.index],
        "lab": [lab or how.lab] * len(raw),
    }
    for name, text in how.texts.items():
        told |= _texts(raw, name, text, how)
    told |= {"citation": [how.citation or None] * len(raw)}
    told |= {"licence": [how.licence or None] * len(raw)}
    frame = _frame(told, out)
    frame = frame[_wanted(frame, how)].reset_index(drop=True)
    doubts = _doubts(frame, list(out))
    for name, why in doubts.items():
        warnings.warn(f"{how.name}: {name}: {why}", UserWarning, stacklevel=2)
    frame.attrs = {"definitions": definitions, "doubts": doubts, "absent": absent}
    return frame


def _several(files: Any) -> list[str | Path | pd.DataFrame]:
    one = isinstance(files, (str, Path)) or hasattr(files, "columns")
    return [files] if one else list(files)


def _frame(told: dict[str, Any], values: dict[str, np.ndarray]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(told | values)


def _read(source: str | Path | pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        return source
    path = Path(source)
    if not path.is_file():
        msg = f"no table at {path}"
        raise FileFormatError(msg)
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        if path.suffix.lower() in (".xlsx", ".xls"):
            return pd.read_excel(path)
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline()
        separator = "\t" if head.count("\t") > head.count(",") else ","
        return pd.read_csv(path, sep=separator, dtype=str, encoding="utf-8-sig")
    except (ValueError, OSError, ImportError) as error:
        msg = f"{path.name} cannot be read as a table ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error


def _joined(frames: list[pd.DataFrame], how: Mapping) -> pd.DataFrame:
    """Put tables of the same cells side by side, by id; the first decides which cells."""
    out = None
    for frame in frames:
        key = next((k for k in how.keys if k in frame.columns), None)
        if key is None:
            msg = (
                f"no column with ids ({', '.join(how.keys)}) in the table with "
                f"{', '.join(map(str, frame.columns[:8]))} ..."
            )
            raise FileFormatError(msg)
        one = frame.loc[:, ~frame.columns.duplicated()]
        one = one[one[key].notna()]
        one = one.assign(**{key: [_id(v) for v in one[key]]}).drop_duplicates(key)
        one = one.set_index(key)
        new = one if out is None else one[[c for c in one.columns if c not in out.columns]]
        out = new if out is None else out.join(new, how="left")
    if out is None or not len(out):
        msg = "the tables have no cell"
        raise InputError(msg)
    return out


def _id(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _features(
    raw: pd.DataFrame, how: Mapping
) -> tuple[dict[str, np.ndarray], dict[str, str], list[str]]:
    import pandas as pd

    out: dict[str, np.ndarray] = {}
    definitions, absent = {}, []
    for name, column in how.columns.items():
        there = next((c for c in column.names if c in raw.columns), None)
        if there is None:
            absent.append(name)
            continue
        values = pd.to_numeric(raw[there], errors="coerce").to_numpy(float, copy=True)
        values[np.isin(values, column.missing) | ~np.isfinite(values)] = np.nan
        known = definition(name)
        factor = unit_factor(column.unit, known.unit) if known is not None else 1.0
        out[name] = column.sign * values * factor + column.offset
        definitions[name] = column.definition
    return out, definitions, absent


def _texts(raw: pd.DataFrame, name: str, text: Text, how: Mapping) -> dict[str, list[Any]]:
    """Give a label or a piece of metadata; species, age, sex and region by the rules."""
    if text.value is not None:
        values: list[Any] = [text.value] * len(raw)
    else:
        there = next((c for c in text.names if c in raw.columns), None)
        values = [None] * len(raw) if there is None else [_known(v, how) for v in raw[there]]
    if text.words:
        other = (lambda _: None) if text.only else (lambda v: v)
        values = [None if v is None else text.words.get(v, other(v)) for v in values]
    if name == "species":
        found = [species_of(v) for v in values]
        return {"species": [f.binomial if f else None for f in found]}
    if name == "age":
        return {"age": [age_of(v, text.unit) for v in values]}
    if name == "sex":
        return {"sex": [sex_of(v) for v in values]}
    if name == "region":
        species = how.texts["species"].value if "species" in how.texts else None
        regions = [region_of(v, species) for v in values]
        return {
            "region": [r.acronym or r.name or _open(r) for r in regions],
            "region_status": [r.status for r in regions],
        }
    return {name: values}


def _open(region: Region) -> str | None:
    return None if region.status in ("missing", "not anatomy") else region.text


def _known(value: object, how: Mapping) -> str | None:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124  (NaN)
        return None
    text = _id(value).strip()
    return None if text in how.unknown else text


def _wanted(frame: pd.DataFrame, how: Mapping) -> np.ndarray:
    """Keep cells with a feature."""
    names = [c for c in how.columns if c in frame.columns]
    return frame[names].notna().any(axis=1).to_numpy()


def _doubts(frame: pd.DataFrame, names: list[str]) -> dict[str, str]:
    out = {}
    for name in names:
        values = frame[name].dropna().to_numpy(float)
        found = unit_suspicions(name, values) if values.size >= _FEW else []
        if found:
            out[name] = ", ".join(found)
    return out

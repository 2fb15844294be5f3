"""`import_table`: a published table in the catalogue's names and units, its units checked."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.atlas.columns import definition
from cleo_like.atlas.harmonise.comparable import odd_values, unit_suspicions
from cleo_like.atlas.tables.mapping import Mapping, Text, read_mapping, unit_factor
from cleo_like.atlas.tables.reading import ORIGIN, column_of, joined, read_raw
from cleo_like.atlas.tables.spelling import ids_spelt, is_missing
from cleo_like.core.errors import InputError
from cleo_like.io.metadata import age_of, region_of, sex_of, species_of, temperature_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from cleo_like.io.metadata import Region


def import_table(
    files: str | Path | pd.DataFrame | Sequence[str | Path | pd.DataFrame],
    mapping: str | Path | Mapping,
    *,
    lab: str | None = None,
) -> pd.DataFrame:
    """Read a published table (or several) by a mapping.

    Parameters
    ----------
    files : path, DataFrame, or sequence of them
        CSV, TSV, Excel or parquet. Several are put together: the first has the features, others
        with the same features and other cells come below it, all others (metadata) are joined
        by the cell's id.
    mapping : str, path or Mapping
        A name of `mapping_names`, a TOML file, or a mapping.
    lab : str, optional
        Name of the lab, instead of the mapping's (of the file, where the mapping names none).

    Returns
    -------
    DataFrame
        One row per cell: cell_id, lab, labels and metadata, features in the catalogue's units.
        ``attrs["definitions"]`` has how each feature was defined, ``attrs["doubts"]`` what
        looks like a wrong unit or is no number, ``attrs["absent"]`` the features whose column
        was not there.

    Raises
    ------
    FileFormatError
        A file that cannot be read, that has no column with ids, or other cells only.
    InputError
        None of the features is in the table.
    """
    how = mapping if isinstance(mapping, Mapping) else read_mapping(mapping)
    raw = joined([read_raw(f) for f in _several(files)], how)
    out, definitions, doubts = _features(raw, how)
    absent = [name for name in how.columns if name not in out]
    if not out:
        wanted = ", ".join(n for c in how.columns.values() for n in c.names[:1])
        msg = f"none of the columns of the mapping {how.name!r} is in the table ({wanted})"
        raise InputError(msg)
    told: dict[str, Any] = {
        "cell_id": list(raw.index), "lab": _labs(raw, how, lab)
    }  # fmt: skip
    for name, text in how.texts.items():
        if name != "lab":
            told |= _texts(raw, name, text, how)
    told |= {name: [getattr(how, name) or None] * len(raw) for name in ("citation", "licence")}
    told["mapping"] = [how.name] * len(raw)
    frame = _frame(told, out)
    empty = frame[list(out)].isna().all(axis=1)
    if empty.any():
        example = frame.loc[empty, "cell_id"].iloc[0]
        warnings.warn(
            f"{how.name}: {int(empty.sum())} cells without any value are left out "
            f"(e.g. {example})",
            UserWarning,
            stacklevel=2,
        )
    frame = frame[~empty].reset_index(drop=True)
    doubts |= _doubts(frame, list(out))
    for name, why in doubts.items():
        warnings.warn(f"{how.name}: {name}: {why}", UserWarning, stacklevel=2)
    frame.attrs = {"definitions": definitions, "doubts": doubts, "absent": absent}
    return frame


def _several(files: Any) -> list[str | Path | pd.DataFrame]:
    one = isinstance(files, str) or hasattr(files, "columns") or hasattr(files, "suffix")
    return [files] if one else list(files)


def _frame(told: dict[str, Any], values: dict[str, np.ndarray]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(told | values)


def _labs(raw: pd.DataFrame, how: Mapping, lab: str | None) -> list[str]:
    """Name the lab of each cell: as asked, as the table says, as the mapping, as the file."""
    if lab:
        return [lab] * len(raw)
    text = how.texts.get("lab")
    told = [None] * len(raw) if text is None else _values(raw, text, how)
    several = raw[ORIGIN].nunique() > 1
    return [
        said or (f"{how.lab} ({file})" if how.lab and several else how.lab or file or how.name)
        for said, file in zip(told, raw[ORIGIN], strict=True)
    ]


def _features(
    raw: pd.DataFrame, how: Mapping
) -> tuple[dict[str, np.ndarray], dict[str, str], dict[str, str]]:
    """Features in the catalogue's units, their definitions, and what was no number."""
    import pandas as pd

    out: dict[str, np.ndarray] = {}
    definitions, doubts = {}, {}
    for name, column in how.columns.items():
        there = column_of(raw, column.names)
        if there is None:
            continue
        given = raw[there].astype(object)
        numbers = pd.to_numeric(given, errors="coerce")
        words = [v for v in given[numbers.isna()] if not is_missing(v, how.unknown)]
        words += list(given[np.isinf(numbers.to_numpy(float))])
        if words:
            doubts[name] = f"{len(words)} values are no number, e.g. {str(words[0])!r}"
        values = numbers.to_numpy(float, copy=True)
        values[np.isin(values, column.missing) | ~np.isfinite(values)] = np.nan
        values = 10.0**values if column.log10 else values
        known = definition(name)
        factor = unit_factor(column.unit, known.unit) if known is not None else 1.0
        out[name] = column.sign * values * factor + column.offset
        definitions[name] = column.definition
    return out, definitions, doubts


def _values(raw: pd.DataFrame, text: Text, how: Mapping) -> list[Any]:
    """Give the texts of a column, in the mapping's words."""
    if text.value is not None:
        return [text.value] * len(raw)
    there = column_of(raw, text.names)
    values = [None] * len(raw) if there is None else ids_spelt(raw[there])
    values = [None if is_missing(v, how.unknown) else v for v in values]
    if text.words:
        other = (lambda _: None) if text.only else (lambda v: v)
        values = [None if v is None else text.words.get(v, other(v)) for v in values]
    return values


def _texts(raw: pd.DataFrame, name: str, text: Text, how: Mapping) -> dict[str, list[Any]]:
    """Give a label or a piece of metadata; species, age, sex and region by the rules."""
    values = _values(raw, text, how)
    if name == "species":
        found = [species_of(v) for v in values]
        _open_words(name, values, found, how)
        return {"species": [f.binomial if f else None for f in found]}
    if name == "age":
        ages = [age_of(v, text.unit) for v in values]
        _open_words(name, values, ages, how)
        return {"age": ages}
    if name == "temperature":
        degrees = [temperature_of(v, text.unit or "C") for v in values]
        _open_words(name, values, degrees, how)
        return {"temperature": degrees}
    if name == "sex":
        return {"sex": [sex_of(v) for v in values]}
    if name == "region":
        of = how.texts.get("species")
        species = [None] * len(raw) if of is None else _values(raw, of, how)
        regions = [region_of(v, s) for v, s in zip(values, species, strict=True)]
        return {
            "region": [r.acronym or r.name or _open(r) for r in regions],
            "region_status": [r.status for r in regions],
        }
    return {name: values}


def _open_words(name: str, values: list[Any], found: list[Any], how: Mapping) -> None:
    """Say what the rules could not read."""
    odd = [v for v, f in zip(values, found, strict=True) if v is not None and f is None]
    if odd:
        warnings.warn(
            f"{how.name}: {name}: {len(odd)} values are not understood, e.g. {str(odd[0])!r}",
            UserWarning,
            stacklevel=4,
        )


def _open(region: Region) -> str | None:
    return None if region.status in ("missing", "not anatomy") else region.text


def _doubts(frame: pd.DataFrame, names: list[str]) -> dict[str, str]:
    out = {}
    for name in names:
        values = frame[name].dropna().to_numpy(float)
        found = unit_suspicions(name, values) if values.size else []
        odd = odd_values(name, values)
        found += [odd] if odd else []
        if found:
            out[name] = ", ".join(found)
    return out

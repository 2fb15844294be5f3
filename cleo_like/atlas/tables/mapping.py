"""A mapping file: which column of a table is which feature, in which unit, how defined."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from importlib import resources
from pathlib import Path
from typing import Any

import attrs

from cleo_like.atlas.columns import definition
from cleo_like.core.errors import FileFormatError, InputError, UnitError, unknown_name

_PREFIXES = {
    "": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "μ": 1e-6, "m": 1e-3, "k": 1e3,
    "M": 1e6, "G": 1e9,
}  # fmt: skip
_BASES = {
    "V": "V", "A": "A", "Ohms": "Ohm", "ohms": "Ohm", "Ohm": "Ohm", "ohm": "Ohm", "Ω": "Ohm",
    "sec": "s", "s": "s", "Hz": "Hz", "F": "F", "S": "S",
}  # fmt: skip
_PURE = {"1": 1.0, "": 1.0, "%": 1e-2, "ratio": 1.0, "fraction": 1.0, "number": 1.0}


@attrs.frozen(kw_only=True)
class Column:
    """Where a feature comes from.

    Parameters
    ----------
    names : tuple of str
        Columns that may hold it; the first that is there is taken.
    unit : str
        Of the table; converted to that of the feature.
    offset : float
        Added after the conversion (a ratio to steady state becomes a fraction with -1).
    sign : float
        Multiplied first (1 or -1).
    definition : str
        How the table's authors define it.
    missing : tuple of float
        Numbers that stand for "not measured".
    log10 : bool
        Whether the table has the logarithm of the value in its unit.
    """

    names: tuple[str, ...]
    unit: str = "1"
    offset: float = 0.0
    sign: float = 1.0
    definition: str = ""
    missing: tuple[float, ...] = ()
    log10: bool = False


@attrs.frozen(kw_only=True)
class Text:
    """Where a label or a piece of metadata comes from."""

    names: tuple[str, ...] = ()
    value: str | None = None
    words: dict[str, str] = attrs.field(factory=dict)
    only: bool = False
    unit: str | None = None


@attrs.frozen(kw_only=True)
class Mapping:
    """How a published table is read.

    Parameters
    ----------
    name, lab, citation, licence : str
        Of the table; the lab is the file's name where it is not given.
    keys : tuple of str
        Columns that hold the id of a cell, by which tables are joined.
    unknown : tuple of str
        Texts that mean unknown.
    columns : dict of str to Column
        Features.
    texts : dict of str to Text
        Labels and metadata: donor, species, region, subclass ...
    """

    name: str
    lab: str = ""
    citation: str = ""
    licence: str = ""
    keys: tuple[str, ...]
    unknown: tuple[str, ...] = ("", "unk", "nan", "NA", "n/a")
    columns: dict[str, Column]
    texts: dict[str, Text] = attrs.field(factory=dict)


def unit_factor(unit: str, wanted: str) -> float:
    """Give the factor from one unit to another.

    Raises
    ------
    UnitError
        An unknown unit, or one of another quantity.

    Examples
    --------
    >>> unit_factor("GOhm", "MOhm"), unit_factor("ms", "s"), unit_factor("mV/ms", "V/s")
    (1000.0, 0.001, 1.0)
    """
    (base, scale), (base2, scale2) = _parsed_unit(unit), _parsed_unit(wanted)
    if base != base2:
        msg = f"a column in {unit!r} cannot be a feature in {wanted!r}"
        raise UnitError(msg)
    return float(f"{scale / scale2:.12g}")


def _parsed_unit(unit: str) -> tuple[str, float]:
    unit = unicodedata.normalize("NFKC", unit.strip())  # one sign for Ohm, one for micro
    if unit in _PURE:
        return "1", _PURE[unit]
    if "/" in unit:
        (top, a), (bottom, b) = (_parsed_unit(part) for part in unit.split("/", 1))
        return f"{top}/{bottom}", a / b
    found = re.fullmatch(rf"([{''.join(_PREFIXES)}]?)({'|'.join(_BASES)})", unit)
    if found is None:
        msg = f"unknown unit {unit!r}; expected e.g. mV, pA, MOhm, ms, Hz, mV/ms, %, 1"
        raise UnitError(msg)
    return _BASES[found[2]], _PREFIXES[found[1]]


def mapping_names() -> tuple[str, ...]:
    """Give the names of the mappings that the package has.

    Returns
    -------
    tuple of str
        What `read_mapping` takes, sorted.

    Examples
    --------
    >>> mapping_names()
    ('allen_cell_types', 'human_l1', 'ipfx', 'm1_patchseq', 'mouse_l1', 'visp_viewer')
    """
    folder = resources.files("cleo_like.atlas.tables") / "mappings"
    names = (Path(f.name) for f in folder.iterdir())
    return tuple(sorted(p.stem for p in names if p.suffix == ".toml"))


def read_mapping(name: str | Path) -> Mapping:
    """Read a mapping of the package by name, or a TOML file of your own.

    Parameters
    ----------
    name : str or Path
        One of `mapping_names`, or a file.

    Returns
    -------
    Mapping
        Ready for `import_table`.

    Raises
    ------
    UnknownNameError
        Neither a name nor a file.
    FileFormatError
        Not of the form; the message says where.
    """
    path = Path(name)
    if str(name) in mapping_names():
        folder = resources.files("cleo_like.atlas.tables") / "mappings"
        text = (folder / f"{name}.toml").read_text("utf-8")
    elif path.is_file():
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{path.name} cannot be read as text in UTF-8 ({error})"
            raise FileFormatError(msg) from error
    else:
        raise unknown_name("mapping", str(name), mapping_names())
    try:
        return _parsed(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, InputError) as error:
        msg = f"{path.name} is no mapping of a table ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error


def _parsed(raw: dict[str, Any]) -> Mapping:
    table = raw["table"]
    columns = {name: _column(name, told) for name, told in raw["columns"].items()}
    texts = {name: _text(told) for name, told in raw.get("texts", {}).items()}
    return Mapping(
        name=table["name"],
        lab=table.get("lab", ""),
        citation=table.get("citation", ""),
        licence=table.get("licence", ""),
        keys=_strings(table["key"]),
        unknown=tuple(table.get("unknown", Mapping.__attrs_attrs__.unknown.default)),
        columns=columns,
        texts=texts,
    )


def _column(name: str, told: dict[str, Any]) -> Column:
    known = definition(name)
    column = Column(
        names=_strings(told["from"]),
        unit=told.get("unit", "1"),
        offset=float(told.get("offset", 0.0)),
        sign=float(told.get("sign", 1.0)),
        definition=told.get("definition", ""),
        missing=tuple(float(v) for v in told.get("missing", ())),
        log10=bool(told.get("log10", False)),
    )
    unit_factor(column.unit, known.unit if known is not None else column.unit)
    return column


def _text(told: dict[str, Any] | str) -> Text:
    if isinstance(told, str):
        return Text(value=told)
    return Text(
        names=_strings(told["from"]),
        words={str(k): str(v) for k, v in told.get("words", {}).items()},
        only=bool(told.get("only", False)),
        unit=told.get("unit"),
    )


def _strings(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(map(str, value))

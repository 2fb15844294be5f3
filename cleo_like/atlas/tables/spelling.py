"""How people spell numbers, ids and "not measured"; what is not certain stays text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cleo_like.atlas.columns import is_nothing, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

MISSING_WORDS = frozenset(
    (
        "", "nan", "na", "n/a", "n.a.", "#n/a", "<na>", "nat", "none", "null", "nil", "unk",
        "unknown", "undefined", "missing", "-", "--", "---", "\u2013", "\u2014", "?", ".", "nd",
        "n.d.", "n.m.", "#div/0!", "#value!", "#ref!", "#num!", "#null!", "#name?",
        "not measured", "not available", "not applicable", "not determined", "no data",
    )
)  # fmt: skip
"""What stands for nothing in tables (lower case), besides the words that a mapping names."""

_SIGNS = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\u2010": "-", "\u00a0": None, "\u202f": None}
)
_TAIL = r"(?:[eE][+-]?\d+)?"
_POINT = re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+){_TAIL}")
_COMMA = re.compile(rf"[+-]?\d*,\d+{_TAIL}")
_POINTS_BETWEEN = re.compile(rf"[+-]?\d{{1,3}}(?:\.\d{{3}})+,\d+{_TAIL}")  # 1.234,5
_COMMAS_BETWEEN = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")  # 1,234.5
_EITHER_POINT = re.compile(
    r"[+-]?[1-9]\d{0,2}\.\d{3}"
)  # 1.234: a thousand, with decimal commas?
_EITHER_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # 1,234: a thousand, or a bit over one?


def is_missing(value: object, more: Iterable[str] = ()) -> bool:
    """Whether a value of a table stands for nothing.

    Examples
    --------
    >>> is_missing(" N/A "), is_missing(float("nan")), is_missing("Sst"), is_missing(0)
    (True, True, False, False)
    """
    if is_nothing(value):
        return True
    text = str(value).strip()
    return text.casefold() in MISSING_WORDS or text in more


def numbers_spelt(columns: list[pd.Series], *, comma: bool = False) -> list[pd.Series]:
    """Spell the numbers of a table's columns with a decimal point, where that is certain.

    "0,88" and "1.234,5" have a decimal comma, "1,234.5" has not. What may be either ("1,234")
    is read as the rest of its column is, else as the rest of the table, else as `comma` says;
    a word that is no number either way stays as it is.
    """
    texts = [c.map(_unsigned) for c in columns]
    votes = [_votes(c) for c in texts]
    whole = _decided([sum(v[0] for v in votes), sum(v[1] for v in votes)])
    out = []
    for text, vote in zip(texts, votes, strict=True):
        own = _decided(list(vote))
        style = own if own is not None else whole
        style = ("comma" if comma else None) if style is None else style
        mixed = "mixed" if all(vote) else style
        out.append(text.map(lambda v, how=mixed: _spelt(v, how)))
    return out


def _unsigned(value: Any) -> Any:
    """One sign for minus, no blanks within: what word processors make of numbers."""
    return value.translate(_SIGNS).strip() if isinstance(value, str) and value else value


def _votes(column: pd.Series) -> tuple[int, int]:
    """How many values can only have a decimal comma, how many only a decimal point."""
    texts = [v for v in column if isinstance(v, str)]
    comma = sum(
        _POINTS_BETWEEN.fullmatch(v) is not None
        or (_COMMA.fullmatch(v) is not None and _EITHER_COMMA.fullmatch(v) is None)
        for v in texts
    )
    point = sum(
        ("," in v and "." in v and _COMMAS_BETWEEN.fullmatch(v) is not None)
        or ("." in v and _POINT.fullmatch(v) is not None and not _EITHER_POINT.fullmatch(v))
        for v in texts
    )
    return comma, point


def _decided(votes: list[int]) -> str | None:
    comma, point = votes
    if bool(comma) == bool(point):
        return None
    return "comma" if comma else "point"


def _spelt(value: Any, style: str | None) -> Any:
    if not isinstance(value, str) or ("," not in value and "." not in value):
        return value
    if _POINTS_BETWEEN.fullmatch(value):
        return value.replace(".", "").replace(",", ".")
    if "." in value and "," in value and _COMMAS_BETWEEN.fullmatch(value):
        return value.replace(",", "")
    if _EITHER_COMMA.fullmatch(value):
        return {"comma": value.replace(",", "."), "point": value.replace(",", "")}.get(
            str(style), value
        )
    if _EITHER_POINT.fullmatch(value) and style in ("comma", "mixed"):
        return f"{value} (1000 or 1?)"
    if _COMMA.fullmatch(value):
        return value.replace(",", ".")
    return value


def ids_spelt(column: Iterable[Any]) -> list[str | None]:
    """Write ids as text: 601 where a program made 601.0 of all of them; None where missing.

    Examples
    --------
    >>> ids_spelt(["601.0", "602.0", None]), ids_spelt(["1.0", "1.1"]), ids_spelt([7.0, "x"])
    (['601', '602', None], ['1.0', '1.1'], ['7', 'x'])
    """
    out = [None if is_missing(v) else text_of(v) for v in column]
    if all(re.fullmatch(r"-?\d+\.0", v) for v in out if v is not None):
        return [None if v is None else v[:-2] for v in out]
    return out

"""ATF 1.0 read: a head of named records, then a time column and one column per trace."""

from __future__ import annotations

import math
import re
import warnings
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.io.atf.table import AtfTable
from cleo_like.io.text_units import TextUnit, parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

_DIGITS = 6  # that programs print of a time, at least
_WHOLE = 1e-6  # relative; printed times give the rate no better
_EVEN = 0.1  # of a sample
_OURS = 1e-3  # relative; a rate that our comment tells and the times contradict
_ROUND = (1e5, 1e4, 5e3, 2500.0, 1e3, 500.0, 250.0, 100.0, 50.0, 10.0, 1.0)
"""Steps of the rates that digitisers offer (Hz), the roundest first."""
_COARSE = 1e-4  # relative; printed times that tell the rate no better are worth a word
_TITLE = re.compile(r"\(([^()]*)\)\s*$")
_NUMBER = re.compile(r"[-+0-9.,eE]+")
_TIMES = {
    "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "µs": 1e-6,
    "min": 60.0,
}  # fmt: skip


@attrs.frozen(kw_only=True)
class _Head:
    """Records, titles of the columns, and what stands between two fields."""

    records: dict[str, str]
    titles: tuple[str, ...]
    delimiter: str


def read_table(path: Path) -> AtfTable:
    """Read an ATF file.

    Fields are separated by tabs or commas; numbers may have a decimal comma, as programs on
    a European Windows write them.

    Raises
    ------
    FileFormatError
        Not ATF, truncated or damaged, or not evenly sampled.
    """
    with path.open("r", encoding=_encoding(path), errors="replace") as file:
        head = _head(path, file)
        body, findings = _body(path, file, head)
    return _table(path, head, body, findings)


_TITLES = 65536  # bytes in which records and titles lie


def _encoding(path: Path) -> str:
    """UTF-8 where the file says so or its titles are, else latin-1 (which takes every byte)."""
    with path.open("rb") as file:
        titles = file.read(_TITLES)
    if titles.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    try:
        getincrementaldecoder("utf-8")().decode(titles)  # the last character may be cut
    except UnicodeDecodeError:
        return "latin-1"
    return "latin-1" if titles.isascii() else "utf-8"


def _head(path: Path, file: TextIO) -> _Head:
    first = re.split(r"[\t ,]+", file.readline(256).strip())
    if first[0] != "ATF":
        msg = f"{path.name} is not an ATF file: it starts with {' '.join(first)[:60]!r}"
        raise FileFormatError(msg)
    try:
        counts = re.split(r"[\t ,]+", file.readline(256).strip())
        n_records, n_columns = int(counts[0]), int(counts[1])
    except (ValueError, IndexError) as error:
        msg = f"line 2 of {path.name} must be two counts (records and columns): {error}"
        raise FileFormatError(msg) from error
    records = {}
    for k in range(n_records):
        line = file.readline()
        if not line:
            msg = f"{path.name} promises {n_records} records in line 2 and ends after {k}"
            raise FileFormatError(msg)
        key, _, value = line.strip().partition("=")
        records[key.strip('"')] = value.strip().strip('"')
    line = file.readline().rstrip("\r\n")
    delimiter = "\t" if "\t" in line else ","
    titles = tuple(t.strip().strip('"') for t in line.rstrip("\t, ").split(delimiter))
    if n_columns < 2 or len(titles) != n_columns or _NUMBER.fullmatch(titles[0]):
        msg = (
            f"{path.name} promises {n_columns} columns after {n_records} records, and the line "
            f"of their titles has {len(titles)}: {line[:60]!r}; it is damaged"
        )
        raise FileFormatError(msg)
    return _Head(records=records, titles=titles, delimiter=delimiter)


def _body(path: Path, file: TextIO, head: _Head) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read the rows of numbers."""
    findings: tuple[str, ...] = ()
    start = file.tell()
    rows: Iterator[str] = iter(file.readline, "")
    sample = file.read(4096)
    file.seek(start)
    if head.delimiter == "\t" and "," in sample:
        if "." in sample:
            msg = f"{path.name} has points and commas in its numbers; which is the decimal one?"
            raise FileFormatError(msg)
        rows = (row.replace(",", ".") for row in rows)
        findings = ("the numbers of the file have decimal commas",)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "input contained no data"
            body = np.loadtxt(
                (row.rstrip("\t\r\n, ") for row in rows),
                delimiter=head.delimiter,
                ndmin=2,
                comments=None,
            )
    except (ValueError, OverflowError) as error:
        msg = f"{path.name} has a damaged or truncated row of numbers ({error})"
        raise FileFormatError(msg) from error
    if body.shape[1] != len(head.titles) or len(body) == 0:
        msg = (
            f"{path.name} promises {len(head.titles)} columns, its rows have "
            f"{body.shape[1]} in {len(body)} rows; it is truncated or damaged"
        )
        raise FileFormatError(msg)
    return body, findings


def _table(path: Path, head: _Head, body: np.ndarray, findings: tuple[str, ...]) -> AtfTable:
    names, units, columns = _channels(path, head)
    comment, rate, promised = _promises(head.records.get("Comment", ""))
    if promised is not None and promised != len(body):
        msg = f"{path.name} is truncated: it promises {promised} rows and has {len(body)}"
        raise FileFormatError(msg)
    times, unit_finding = (
        body[:, 0] * _time_unit(path, head.titles[0]),
        _no_unit(head.titles[0]),
    )
    counted, coarse = _rate(path, times)
    if rate is None:
        rate = counted
        findings = (*findings, *coarse)
    elif counted is not None and abs(rate - counted) > _OURS * counted:
        msg = f"the comment of {path.name} says {rate:g} Hz, its time column {counted:g} Hz"
        raise FileFormatError(msg)
    starts, start_finding = _starts(head.records, columns.shape[1], len(body), rate)
    return AtfTable(
        values=np.ascontiguousarray(body[:, columns].transpose(1, 2, 0)),
        names=names,
        units=units,
        rate=rate,
        starts=starts,
        comment=comment,
        findings=(*findings, *unit_finding, *start_finding),
    )


def _channels(
    path: Path, head: _Head
) -> tuple[tuple[str, ...], tuple[TextUnit, ...], np.ndarray]:
    """Sort the columns into channels and sweeps, by signal name and unit.

    Returns
    -------
    names, units : tuple
        One per channel.
    columns : array, shape (n_channels, n_sweeps)
        Where their samples are.
    """
    units = [_unit(title) for title in head.titles[1:]]
    told = [s.strip().strip('"') for s in head.records.get("Signals", "").split(head.delimiter)]
    told = [s for s in told if s]
    if told and len(units) % len(told):
        msg = (
            f"{path.name} names {len(told)} signals ({', '.join(told[:9])}) but has "
            f"{len(units)} traces; expected the same number of traces for each signal"
        )
        raise FileFormatError(msg)
    signals = told * (len(units) // len(told)) if told else [""] * len(units)
    groups: dict[tuple[str, str], list[int]] = {}
    for column, (name, unit) in enumerate(zip(signals, units, strict=True), start=1):
        groups.setdefault((name, unit.text), []).append(column)
    if len({len(g) for g in groups.values()}) > 1:
        listed = ", ".join(f"{len(g)} of {n!r} ({u})" for (n, u), g in groups.items())
        msg = f"{path.name} has not as many traces of each signal: {listed}"
        raise FileFormatError(msg)
    names = [name for name, _ in groups]
    return (
        tuple(_unique(names)),
        tuple(units[group[0] - 1] for group in groups.values()),
        np.array(list(groups.values())),
    )


def _unique(names: list[str]) -> list[str]:
    """Give each channel a name of its own."""
    filled = [name or "Trace" for name in names]
    return [
        name if filled.count(name) == 1 else f"{name} #{k}" for k, name in enumerate(filled)
    ]


def _promises(comment: str) -> tuple[str, float | None, int | None]:
    """Split our comment: what it says, the exact rate, the number of rows."""
    found = re.fullmatch(r"(.*); rate: ([0-9.e+-]+) Hz; samples: (\d+)", comment)
    if found is None:
        return comment, None, None
    try:
        rate = float(found[2])
    except ValueError:
        return comment, None, None
    known = math.isfinite(rate) and rate > 0
    return found[1], rate if known else None, int(found[3])


def _unit(title: str) -> TextUnit:
    found = _TITLE.search(title)
    return parse_unit(found[1] if found else "")


def _time_unit(path: Path, title: str) -> float:
    found = _TITLE.search(title)
    unit = found[1].strip() if found else ("s" if "time" in title.lower() else title)
    if unit not in _TIMES:
        msg = (
            f"the first column of {path.name} is {title!r}; expected a time with its unit, "
            "such as 'Time (s)' or 'Time (ms)'"
        )
        raise FileFormatError(msg)
    return _TIMES[unit]


def _no_unit(title: str) -> tuple[str, ...]:
    return () if _TITLE.search(title) else (f"the column {title!r} has no unit; taken as s",)


def _rate(path: Path, times: np.ndarray) -> tuple[float | None, tuple[str, ...]]:
    """Find the samples per second (None of a single row), and how well the times tell it."""
    if len(times) < 2:
        return None, ()
    span = float(times[-1] - times[0])
    good = span > 0 and bool(np.isfinite(times).all())
    rate = (len(times) - 1) / span if good else math.nan
    ideal = times[0] + np.arange(len(times)) / rate
    # two ends, each rounded to half of the last digit that is printed of the largest time
    largest = float(np.abs(times).max()) if good else 0.0
    rounding = 10.0 ** (math.floor(math.log10(largest)) + 1 - _DIGITS) if largest > 0 else 0.0
    if not np.abs(times - ideal).max() <= max(_EVEN / rate, min(rounding, 2.5 / rate)):
        msg = f"the time column of {path.name} is not evenly spaced"
        raise FileFormatError(msg)
    if rounding <= _EVEN / rate:  # the digits tell more than the even spacing asks for
        whole = round(rate)
        close = whole and abs(rate - whole) < _WHOLE * rate
        return float(whole) if close else rate, ()
    known = rounding / span
    taken = next(
        (r for r in (round(rate / s) * s for s in _ROUND) if abs(r - rate) <= known * rate),
        rate,
    )
    text = (
        f"the times are printed so coarsely that the rate is {rate:.6g} Hz within {known:.1%}"
    )
    return taken, (f"{text}; taken as {taken:g} Hz",) if known > _COARSE else ()


def _starts(
    records: dict[str, str], n_sweeps: int, n_samples: int, rate: float | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Start of each sweep (s), end to end where the file does not tell."""
    end_to_end = np.arange(n_sweeps) * (n_samples / rate if rate else 0.0)
    words = [w for w in re.split(r"[,\t ]+", records.get("SweepStartTimesMS", "")) if w]
    if not words:
        return end_to_end, ()
    try:
        starts = np.array([float(w) for w in words]) / 1e3
    except ValueError:
        starts = np.array([np.nan])
    if len(starts) != n_sweeps or not np.isfinite(starts).all():
        text = (
            f"the record SweepStartTimesMS has no {n_sweeps} numbers, one per sweep; they "
            "were taken end to end"
        )
        return end_to_end, (text,)
    return starts, ()

"""ATF 1.0 as a table: a head of named records, then a time column and one column per trace."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.files import atomic_path
from cleo_like.io.text_units import TextUnit, parse_unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_COLUMNS, MAX_LINE = 8000, 65536
_CHARS_PER_NUMBER = 16
_WHOLE = 1e-6  # relative; printed times give the rate no better
_TITLE = re.compile(r"\(([^()]*)\)\s*$")
_TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}


@attrs.frozen(kw_only=True, eq=False)
class AtfTable:
    """Contents of an ATF file.

    Parameters
    ----------
    values : array, shape (n_channels, n_sweeps, n_samples)
        In the units of the file.
    names, units : tuple
        One per channel.
    rate : float or None
        Hz; None for a single sample without a record of the rate.
    starts : array, shape (n_sweeps,)
        Start of each sweep (s).
    comment : str
        The comment record.
    """

    values: np.ndarray
    names: tuple[str, ...]
    units: tuple[TextUnit, ...]
    rate: float | None
    starts: np.ndarray
    comment: str


def write_table(path: Path, table: AtfTable) -> None:
    """Write an ATF file, whole or not at all.

    Raises
    ------
    FileFormatError
        More columns or longer lines than the format allows.
    """
    n_channels, n_sweeps, n_samples = table.values.shape
    columns = n_sweeps * n_channels + 1
    if columns > MAX_COLUMNS or columns * _CHARS_PER_NUMBER > MAX_LINE:
        limit = min(MAX_COLUMNS, MAX_LINE // _CHARS_PER_NUMBER) - 1
        msg = (
            f"{n_sweeps} sweeps of {n_channels} channels need {columns - 1} columns; an ATF "
            f"line has room for {limit}: write ABF, or fewer sweeps"
        )
        raise FileFormatError(msg)
    # sweeps follow each other, the channels of one sweep side by side
    body = np.empty((n_samples, columns))
    rate = table.rate if table.rate is not None else 1.0
    body[:, 0] = np.arange(n_samples) / rate
    body[:, 1:] = table.values.transpose(2, 1, 0).reshape(n_samples, -1)
    formats = ["%.10g"] + ["%.8g"] * (columns - 1)
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="latin-1", errors="replace") as file,
    ):
        file.write("\r\n".join(_head(table)) + "\r\n")
        np.savetxt(file, body, fmt=formats, delimiter="\t", newline="\r\n")


def _head(table: AtfTable) -> list[str]:
    n_channels, n_sweeps, n_samples = table.values.shape
    units = [u.text for u in table.units]
    tops = ",".join(f"{np.abs(v).max():.6g}" for v in table.values)
    bottoms = ",".join(f"{-np.abs(v).max():.6g}" for v in table.values)
    starts = ",".join(f"{1e3 * s:.10g}" for s in table.starts)
    records = [
        '"AcquisitionMode=Episodic Stimulation"',
        f'"Comment={table.comment}; rate: {table.rate!r} Hz; samples: {n_samples}"',
        f'"YTop={tops}"',
        f'"YBottom={bottoms}"',
        '"SyncTimeUnits=1"',
        f'"SweepStartTimesMS={starts}"',
        f'"SignalsExported={",".join(table.names)}"',
        "\t".join(['"Signals="', *(f'"{name}"' for name in table.names * n_sweeps)]),
    ]
    titles = [f'"Trace #{i + 1} ({unit})"' for i in range(n_sweeps) for unit in units]
    columns = n_channels * n_sweeps + 1
    return [
        "ATF\t1.0",
        f"{len(records)}\t{columns}",
        *records,
        "\t".join(['"Time (s)"', *titles]),
    ]


def read_table(path: Path) -> AtfTable:
    """Read an ATF file.

    Raises
    ------
    FileFormatError
        Not ATF, truncated, or not evenly sampled.
    """
    with path.open("r", encoding="latin-1") as file:
        first = file.readline().split()
        if not first or first[0] != "ATF":
            msg = f"{path.name} is not an ATF file: it starts with {' '.join(first)!r}"
            raise FileFormatError(msg)
        try:
            n_records, n_columns = (int(word) for word in file.readline().split()[:2])
        except ValueError as error:
            msg = f"line 2 of {path.name} must be two counts (records and columns): {error}"
            raise FileFormatError(msg) from error
        records = dict(_record(file.readline()) for _ in range(n_records))
        titles = [t.strip().strip('"') for t in file.readline().rstrip("\r\n").split("\t")]
        body = _body(path, file, n_columns)
    return _table(path, records, titles, body)


def _record(line: str) -> tuple[str, str]:
    key, _, value = line.strip().partition("=")
    return key.strip('"'), value.strip().strip('"')


def _body(path: Path, file: object, n_columns: int) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "input contained no data"
            body = np.loadtxt(file, delimiter="\t", ndmin=2)  # type: ignore[call-overload]
    except ValueError as error:
        msg = f"{path.name} has a damaged or truncated row of numbers ({error})"
        raise FileFormatError(msg) from error
    if body.shape[1] != n_columns or len(body) == 0:
        msg = (
            f"{path.name} promises {n_columns} columns, its rows have {body.shape[1]} in "
            f"{len(body)} rows; it is truncated or damaged"
        )
        raise FileFormatError(msg)
    return body


def _table(
    path: Path, records: dict[str, str], titles: Sequence[str], body: np.ndarray
) -> AtfTable:
    signals = [s.strip().strip('"') for s in records.get("Signals", "").split("\t")]
    names = tuple(dict.fromkeys(s for s in signals if s)) or ("Trace",)
    n_sweeps = (body.shape[1] - 1) // len(names)
    if n_sweeps * len(names) != body.shape[1] - 1:
        msg = (
            f"{path.name} names {len(names)} signals ({', '.join(names)}) but has "
            f"{body.shape[1] - 1} traces; expected the same number of traces for each signal"
        )
        raise FileFormatError(msg)
    comment, rate, promised = _promises(records.get("Comment", ""))
    if promised is not None and promised != len(body):
        msg = f"{path.name} is truncated: it promises {promised} rows and has {len(body)}"
        raise FileFormatError(msg)
    values = body[:, 1:].reshape(len(body), n_sweeps, len(names)).transpose(2, 1, 0)
    if rate is None:
        rate = _rate(path, body[:, 0] * _time_unit(titles[0]))
    return AtfTable(
        values=np.ascontiguousarray(values),
        names=names,
        units=tuple(_unit(title) for title in titles[1 : 1 + len(names)]),
        rate=rate,
        starts=_starts(records, n_sweeps, len(body), rate),
        comment=comment,
    )


def _promises(comment: str) -> tuple[str, float | None, int | None]:
    """Split our comment: what it says, the exact rate, the number of rows."""
    found = re.fullmatch(r"(.*); rate: (\S+) Hz; samples: (\d+)", comment)
    if found is None:
        return comment, None, None
    return found[1], float(found[2]), int(found[3])


def _unit(title: str) -> TextUnit:
    found = _TITLE.search(title)
    return parse_unit(found[1] if found else "")


def _time_unit(title: str) -> float:
    found = _TITLE.search(title)
    return _TIMES.get(found[1].strip() if found else "s", 1.0)


def _rate(path: Path, times: np.ndarray) -> float | None:
    if len(times) < 2:
        return None
    rate = (len(times) - 1) / (times[-1] - times[0])
    ideal = times[0] + np.arange(len(times)) / rate
    if not np.isfinite(rate) or rate <= 0 or np.abs(times - ideal).max() > 0.1 / rate:
        msg = f"the time column of {path.name} is not evenly spaced"
        raise FileFormatError(msg)
    whole = round(rate)
    return float(whole) if whole and abs(rate - whole) < _WHOLE * rate else float(rate)


def _starts(
    records: dict[str, str], n_sweeps: int, n_samples: int, rate: float | None
) -> np.ndarray:
    words = [w for w in records.get("SweepStartTimesMS", "").split(",") if w]
    if len(words) == n_sweeps:
        return np.array([float(w) for w in words]) / 1e3
    return np.arange(n_sweeps) * (n_samples / rate if rate else 0.0)

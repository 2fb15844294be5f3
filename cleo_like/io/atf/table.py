"""ATF 1.0 as a table, and how it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.io.text_units import TextUnit

MAX_COLUMNS, MAX_LINE = 8000, 65536
_CHARS_PER_NUMBER = 16


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
    findings : tuple of str
        What a reader noticed.
    """

    values: np.ndarray
    names: tuple[str, ...]
    units: tuple[TextUnit, ...]
    rate: float | None
    starts: np.ndarray
    comment: str
    findings: tuple[str, ...] = ()


def check_columns(n_channels: int, n_sweeps: int) -> None:
    """Refuse more columns than an ATF line has room for."""
    columns = n_sweeps * n_channels + 1
    limit = min(MAX_COLUMNS, MAX_LINE // _CHARS_PER_NUMBER)
    if columns > limit:
        msg = (
            f"{n_sweeps} sweeps of {n_channels} channels need {columns - 1} columns; an ATF "
            f"line has room for {limit - 1}: write ABF, or fewer sweeps"
        )
        raise FileFormatError(msg)


def write_table(path: Path, table: AtfTable) -> None:
    """Write an ATF file, whole or not at all.

    Raises
    ------
    FileFormatError
        More columns or longer lines than the format allows.
    """
    n_channels, n_sweeps, n_samples = table.values.shape
    check_columns(n_channels, n_sweeps)
    columns = n_sweeps * n_channels + 1
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

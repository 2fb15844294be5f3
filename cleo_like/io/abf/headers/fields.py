"""Numbers and texts at fixed places of a header, and what a damaged one says."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 512
"""ABF sections start at multiples of this many bytes."""

_FASTEST, _SLOWEST = 0.01, 1e8  # us between samples of a channel: 100 MHz to 0.01 Hz


def damaged(path: Path, what: str) -> FileFormatError:
    """Make the error of a header that cannot be true."""
    return FileFormatError(
        f"{path.name} begins like an ABF file and is truncated or damaged: {what}; copy it "
        "again from its origin"
    )


class Fields:
    """A header as bytes. Fields beyond its end read as zeros: older headers are shorter."""

    def __init__(self, block: bytes, size: int) -> None:
        self._block = block.ljust(size, b"\0")

    def one(self, form: str, offset: int) -> Any:
        """Read one number."""
        return struct.unpack_from(f"<{form}", self._block, offset)[0]

    def many(self, form: str, offset: int, count: int) -> tuple[Any, ...]:
        """Read `count` numbers that lie one after the other."""
        return struct.unpack_from(f"<{count}{form}", self._block, offset)

    def text(self, offset: int, size: int) -> str:
        """Read a text of `size` bytes."""
        return decoded(self._block[offset : offset + size])


def decoded(raw: bytes) -> str:
    r"""Turn bytes into text: UTF-8 where they are that, else latin-1 ("µ" is found as both).

    Examples
    --------
    >>> decoded(b"\xb5A  "), decoded("µA".encode()), decoded(b"mV\0\0x")
    ('µA', 'µA', 'mV')
    """
    raw = raw.partition(b"\0")[0]
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip()


def checked_interval(path: Path, interval: float) -> None:
    """Raise unless the sampling interval (us) of one channel can be one."""
    if not (np.isfinite(interval) and _FASTEST <= interval <= _SLOWEST):
        raise damaged(path, f"its sampling interval is {interval} us")


def started(date: int, milliseconds: float) -> str | None:
    """Local date and time from YYYYMMDD and the time of day; None where it is no date."""
    try:
        day = datetime.strptime(str(date), "%Y%m%d")
        return (day + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError):
        return None


def gain(
    path: Path, name: str, *, factors: tuple[float, ...], full_scale: float, resolution: float
) -> float:
    """Give the unit of the channel per stored integer."""
    value = np.float64(1.0)
    with np.errstate(all="ignore"):
        for factor in factors:
            value = value / np.float64(factor)
        value = value * full_scale / np.float64(resolution)
    if not np.isfinite(value) or value == 0:
        raise damaged(
            path,
            f"the gain of channel {name!r} is no number (range {full_scale:g}, resolution "
            f"{resolution:g}, factors {', '.join(f'{f:g}' for f in factors)})",
        )
    return float(value)

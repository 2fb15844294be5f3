"""The 6144-byte header of ABF1 version 1.83, field by field.

Offsets and meanings are those of Axon's public file description. The full header is written
because readers look beyond byte 2048 whatever the version says: in a shorter header they take
samples for telegraph gains and epochs. Axon's own software was not used to check it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.io.targets import CREATOR, CREATOR_AT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cleo_like.io.abf.table import EpochTable

SIZE, BLOCK = 6144, 512
ADC_RANGE, RESOLUTION = 10.0, 32768
MAX_CHANNELS, MAX_SWEEP, MAX_INT = 16, 1_032_258, 2**31 - 1
_VERSION = 1.83
_EPISODIC = 5
_OUTPUTS = 4


@attrs.frozen(kw_only=True, eq=False)
class Layout:
    """Everything that goes into the header.

    Units are those of the file: `interval` in µs between samples of any channel, `holding` in
    the unit of the output.
    """

    n_sweeps: int
    n_samples: int
    names: Sequence[bytes]
    units: Sequence[bytes]
    scales: Sequence[float]
    interval: float
    start_to_start: float
    synch_block: int
    recorded: datetime
    comment: bytes
    protocol: bytes
    experiment: int
    output_unit: bytes
    holding: float
    table: EpochTable | None
    creator: tuple[int, ...]

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.names)


def header_bytes(layout: Layout) -> bytes:
    """Lay out the header."""
    block = bytearray(SIZE)
    for offset, form, values in _fields(layout):
        struct.pack_into("<" + form, block, offset, *values)
    return bytes(block)


_Field = tuple[int, str, tuple[Any, ...]]


def _fields(layout: Layout) -> Iterator[_Field]:
    yield from _file_fields(layout)
    yield from _time_fields(layout)
    yield from _channel_fields(layout)
    yield from _output_fields(layout)
    if layout.table is not None:
        yield from _epoch_fields(layout.table)
    yield 4898, "256s", (layout.protocol.ljust(256),)
    yield 5154, "128s", (layout.comment.ljust(128),)
    yield 5798, "4h", layout.creator


def _file_fields(layout: Layout) -> Iterator[_Field]:
    when = layout.recorded
    seconds = when.hour * 3600 + when.minute * 60 + when.second
    yield 0, "4sf", (b"ABF ", _VERSION)
    yield 8, "h", (_EPISODIC,)
    yield 10, "i", (layout.n_sweeps * layout.n_samples * layout.n_channels,)
    yield 16, "i", (layout.n_sweeps,)
    yield 20, "ii", (when.year * 10000 + when.month * 100 + when.day, seconds)
    yield 32, "f", (_VERSION,)
    yield 36, "h", (1,)  # nFileType: ABF
    yield 40, "i", (SIZE // BLOCK,)  # lDataSectionPtr
    yield 92, "ii", (layout.synch_block, layout.n_sweeps)
    yield 260, "h", (layout.experiment,)
    yield CREATOR_AT, "16s", (CREATOR,)
    yield 310, "56s", (layout.comment[:56].ljust(56),)
    yield 366, "h", (when.microsecond // 1000,)
    yield 2034, "i", (SIZE,)  # lHeaderSize


def _time_fields(layout: Layout) -> Iterator[_Field]:
    n = layout.n_channels
    yield 118, "hh", (n, n)  # channel_count_acquired, nADCNumChannels
    yield 122, "f", (layout.interval,)
    yield 130, "f", (layout.interval,)  # fSynchTimeUnit: the synch array counts samples
    yield 138, "i", (layout.n_samples * n,)
    yield 146, "iii", (layout.n_sweeps, 1, 1)  # episodes per run, runs, trials
    yield 178, "f", (layout.start_to_start,)
    yield 244, "ffii", (ADC_RANGE, ADC_RANGE, RESOLUTION, RESOLUTION)


def _channel_fields(layout: Layout) -> Iterator[_Field]:
    unused = MAX_CHANNELS - layout.n_channels
    ones = (1.0,) * MAX_CHANNELS
    sequence = (*range(layout.n_channels), *(-1,) * unused)
    yield 378, "16h", tuple(range(MAX_CHANNELS))
    # unused entries must be -1: with 0 some readers crash
    yield 410, "16h", sequence
    yield 442, "10s" * 16, (*(n.ljust(10) for n in layout.names), *(b" " * 10,) * unused)
    yield 602, "8s" * 16, (*(u.ljust(8) for u in layout.units), *(b" " * 8,) * unused)
    yield 730, "16f", ones  # programmable gain
    yield 922, "16f", (*layout.scales, *(1.0,) * unused)
    yield 1050, "16f", ones  # signal gain
    yield 4512, "16h", (0,) * MAX_CHANNELS  # no telegraphs
    yield 4576, "16f", ones  # telegraph gain


def _output_fields(layout: Layout) -> Iterator[_Field]:
    names = [f"Cmd {i}".encode().ljust(10) for i in range(_OUTPUTS)]
    yield 1306, "10s" * _OUTPUTS, tuple(names)
    yield 1346, "8s" * _OUTPUTS, (layout.output_unit.ljust(8),) * _OUTPUTS
    yield 1378, "4f", (1.0,) * _OUTPUTS
    yield 1394, "4f", (layout.holding, 0.0, 0.0, 0.0)
    yield 2074, "4f", (1.0,) * _OUTPUTS
    yield 2348, "f", (layout.holding,)  # some readers take the first epoch for the holding
    yield 2708, "2f", (1.0, 1.0)
    yield 5298, "4f", (layout.holding, 0.0, 0.0, 0.0)


def _epoch_fields(table: EpochTable) -> Iterator[_Field]:
    n = len(table.levels)
    yield 2296, "2h", (1, 0)  # waveform enabled
    yield 2300, "2h", (1, 0)  # from the epochs
    yield 2304, "2h", (0, 0)  # back to holding between sweeps
    yield 2308, f"{n}h", (1,) * n  # steps
    yield 2348, f"{n}f", tuple(table.levels)
    yield 2428, f"{n}f", tuple(table.increments)
    yield 2508, f"{n}i", tuple(table.durations)


def text_bytes(text: str, errors: str = "strict") -> bytes:
    """Encode as latin-1 ("µA" stays); the Greek mu becomes the micro sign.

    Raises
    ------
    UnicodeEncodeError
        A character that latin-1 has not (unless `errors` is "replace").
    """
    return text.replace("μ", "µ").encode("latin-1", errors)


def interval_of(rate: float, n_channels: int) -> float:
    """Microseconds between samples of any channel, as the file can hold it (float32)."""
    return float(np.float32(1e6 / rate / n_channels))

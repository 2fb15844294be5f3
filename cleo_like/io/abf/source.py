"""What the header of an ABF file says, in one small record, whatever the version.

pyabf parses the headers. Three things are done here instead: the rate (pyabf cuts it to a
whole number of Hz, one too low for about half of them), the samples (float64, sweeps as they
lie in the file) and the start of each sweep (from the synch array).
"""

# ruff: noqa: SLF001  (pyabf keeps its parsed sections in private attributes)
from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError, UnsupportedError
from cleo_like.io.text_units import TextUnit, parse_unit

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 512
_VARIABLE_LENGTH, _GAP_FREE = 1, 3
_PARSE_ERRORS = (
    struct.error, ValueError, IndexError, KeyError, TypeError, AssertionError,
    ZeroDivisionError, OverflowError, NotImplementedError, EOFError,
)  # fmt: skip


@attrs.frozen(kw_only=True, eq=False)
class AbfSource:
    """Header facts of one ABF file.

    Parameters
    ----------
    path : Path
        The file.
    version : str
        "1.8.3.0" and the like.
    rate : float
        Samples per second and channel (Hz).
    names, units : tuple
        One per channel.
    command_names, command_units : tuple
        One per analogue output (DAC).
    lengths, starts : array, shape (n_sweeps,)
        Samples per channel, and start time (s), of each sweep.
    scales, offsets : array, shape (n_channels,)
        Value in the channel's unit = stored number * scale + offset.
    holding : array, shape (n_dacs,)
        Holding level of each output in its unit.
    enabled, origin : tuple of int
        Waveform on or off, and where from (1 epoch table, 2 file), per output.
    started : str or None
        Local date and time of the recording, without zone.
    protocol, comment : str
        Name of the protocol file, and the comment.
    current_clamp : bool or None
        What the header says of the experiment (None: nothing).
    header : object
        pyabf's own object (no samples loaded), for the epoch table.
    findings : tuple of str
        What is missing in the header.
    """

    path: Path
    version: str
    rate: float
    names: tuple[str, ...]
    units: tuple[TextUnit, ...]
    command_names: tuple[str, ...]
    command_units: tuple[TextUnit, ...]
    lengths: np.ndarray
    starts: np.ndarray
    scales: np.ndarray
    offsets: np.ndarray
    holding: np.ndarray
    enabled: tuple[int, ...]
    origin: tuple[int, ...]
    started: str | None
    protocol: str
    comment: str
    current_clamp: bool | None
    header: Any
    findings: tuple[str, ...] = ()

    @property
    def n_channels(self) -> int:
        """Number of recorded channels."""
        return len(self.names)

    def samples(self) -> np.ndarray:
        """Give the stored numbers, shape (n_samples_in_file, n_channels), not scaled."""
        count = int(self.lengths.sum()) * self.n_channels
        dtype = np.dtype("<i2") if self.header._nDataFormat == 0 else np.dtype("<f4")
        offset = int(self.header.dataByteStart)
        have = (self.path.stat().st_size - offset) // dtype.itemsize
        if have < count:
            msg = (
                f"{self.path.name} is truncated: its header promises {count} samples from byte "
                f"{offset} on, the file holds {max(have, 0)}; copy it again from its origin"
            )
            raise FileFormatError(msg)
        flat = np.fromfile(self.path, dtype=dtype, count=count, offset=offset)
        return flat.reshape(-1, self.n_channels)

    def channel(self, samples: np.ndarray, index: int) -> list[np.ndarray]:
        """Scale one channel to SI and cut it into sweeps (float64 views of one array)."""
        unit = self.units[index].scale
        values = samples[:, index] * (self.scales[index] * unit)
        values += self.offsets[index] * unit
        return np.split(values, np.cumsum(self.lengths)[:-1])


def open_abf(path: Path) -> AbfSource:
    """Read the header of an ABF1 or ABF2 file.

    Raises
    ------
    FileFormatError
        The file is not an ABF, or is truncated.
    UnsupportedError
        It is an ABF1 file of floating-point numbers.
    """
    import pyabf

    check_signature(path)
    try:
        header = pyabf.ABF(str(path), loadData=False)
        return _from_header(path, header)
    except _PARSE_ERRORS as error:
        if "float data" in str(error):
            msg = f"{path.name} is an ABF1 file of 32-bit floats, which no reader supports here"
            raise UnsupportedError(msg) from error
        msg = (
            f"{path.name} begins like an ABF file but its header cannot be read "
            f"({type(error).__name__}: {error}); it is truncated or damaged, "
            "copy it again from its origin"
        )
        raise FileFormatError(msg) from error


def abf_version(path: Path) -> str:
    """Version of the ABF format in a file ("1.8.3.0")."""
    return open_abf(path).version


def check_signature(path: Path) -> None:
    """Raise unless the first four bytes are those of ABF1 or ABF2."""
    with path.open("rb") as file:
        start = file.read(4)
    if start not in (b"ABF ", b"ABF2"):
        msg = (
            f"{path.name} is not an ABF file: it starts with {start!r}, "
            "expected b'ABF ' or b'ABF2'"
        )
        raise FileFormatError(msg)


def true_rate(interval: float, n_channels: int) -> float:
    """Rate (Hz) behind a sampling interval that was rounded to float32 microseconds.

    Whole rates come back whole: 1e6/22050 us is no float32 number, and its inverse is
    22049.9998 Hz.

    Examples
    --------
    >>> import numpy as np
    >>> true_rate(float(np.float32(1e6 / 44100)), 1)
    44100.0
    """
    raw = 1e6 / interval / n_channels
    whole = round(raw)
    if whole >= 1 and np.float32(1e6 / whole / n_channels) == np.float32(interval):
        return float(whole)
    return raw


def _from_header(path: Path, header: Any) -> AbfSource:
    first = header.abfVersion["major"] == 1
    facts = _facts_1(path, header) if first else _facts_2(header)
    interval = facts.pop("interval")
    n_channels = int(header.channelCount)
    # ABF2 gives the time between samples of one channel, ABF1 between samples of any
    rate = true_rate(interval, n_channels if first else 1)
    synch = facts.pop("synch")
    lengths, starts = _sweep_times(header, synch, facts.pop("tick"), rate)
    findings: tuple[str, ...] = ()
    if len(lengths) > 1 and len(synch) != len(lengths):
        findings = ("the file does not tell when its sweeps began; taken end to end",)
    # without a date pyabf gives the date of the copy on this disk
    dated = facts.pop("date") > 0 and header.abfDateTimeString != "ERROR"
    return AbfSource(
        path=path,
        version=str(header.abfVersionString),
        rate=rate,
        names=tuple(map(_text, header.adcNames)),
        units=tuple(map(parse_unit, facts.pop("unit_texts"))),
        lengths=lengths,
        starts=starts,
        scales=np.array(header._dataGain, dtype=float),
        offsets=np.array(header._dataOffset, dtype=float),
        started=str(header.abfDateTimeString) if dated else None,
        findings=findings,
        protocol=_text(header.protocol) if header.protocol != "None" else "",
        comment=_text(header.abfFileComment),
        header=header,
        **facts,
    )


def _text(value: object) -> str:
    return str(value).replace("\0", "").strip()


def _latin(block: bytes, offset: int, size: int) -> str:
    return block[offset : offset + size].decode("latin-1")


def _facts_1(path: Path, header: Any) -> dict[str, Any]:
    h = header._headerV1
    with path.open("rb") as file:
        block = file.read(2048)
        file.seek(h.lSynchArrayPtr * _BLOCK)
        synch = np.frombuffer(file.read(8 * max(h.lSynchArraySize, 0)), dtype="<i4")
    channels = range(h.nADCNumChannels)
    extended = h.fFileVersionNumber >= 1.6  # older headers end at byte 2048
    return {
        "interval": h.fADCSampleInterval,
        "date": h.lFileStartDate,
        "synch": synch[: 2 * (len(synch) // 2)].reshape(-1, 2),
        "tick": h.fSynchTimeUnit,
        "command_names": tuple(map(_text, h.sDACChannelName)),
        # pyabf drops what is not ASCII, and so makes A of µA
        "unit_texts": [_latin(block, 602 + 8 * h.nADCSamplingSeq[i], 8) for i in channels],
        "command_units": tuple(parse_unit(_latin(block, 1346 + 8 * i, 8)) for i in range(4)),
        # fDACHoldingLevel; pyabf takes the first epoch level instead
        "holding": np.frombuffer(block, dtype="<f4", count=4, offset=1394).astype(float),
        "enabled": (*h.nWaveformEnable, 0, 0) if extended else (0,) * 4,
        "origin": (*h.nWaveformSource, 0, 0) if extended else (0,) * 4,
        "current_clamp": {0: False, 1: True}.get(h.nExperimentType),
    }


def _facts_2(header: Any) -> dict[str, Any]:
    dac, protocol = header._dacSection, header._protocolSection
    synch, strings = header._synchArraySection, header._stringsSection._indexedStrings
    pairs = np.column_stack([synch.lStart, synch.lLength]) if synch.lStart else np.empty((0, 2))
    return {
        "interval": protocol.fADCSequenceInterval,
        "date": header._headerV2.uFileStartDate,
        "unit_texts": list(map(str, header.adcUnits)),
        "synch": pairs.astype(np.int64),
        "tick": protocol.fSynchTimeUnit,
        "command_names": tuple(_text(strings[i]) for i in dac.lDACChannelNameIndex),
        "command_units": tuple(parse_unit(strings[i]) for i in dac.lDACChannelUnitsIndex),
        "holding": np.array(dac.fDACHoldingLevel, dtype=float),
        "enabled": tuple(dac.nWaveformEnable),
        "origin": tuple(dac.nWaveformSource),
        "current_clamp": {0: False, 1: True}.get(protocol.nExperimentType),
    }


def _sweep_times(
    header: Any, synch: np.ndarray, tick: float, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find the samples per channel and the start (s) of each sweep."""
    n_channels, n_sweeps = int(header.channelCount), int(header.sweepCount)
    whole = int(header.dataPointCount) // n_channels
    if header.nOperationMode == _GAP_FREE or n_sweeps == 0:
        return np.array([whole]), np.zeros(1)
    even = np.full(n_sweeps, whole // n_sweeps)
    if len(synch) != n_sweeps:
        return even, np.arange(n_sweeps) * (even[0] / rate)
    own = 1e6 / (rate * n_channels)  # us between samples of any channel
    if tick <= 0 or np.float32(own) == np.float32(tick):
        starts = synch[:, 0] / (rate * n_channels)
    else:
        starts = synch[:, 0] * tick / 1e6
    if header.nOperationMode != _VARIABLE_LENGTH:
        return even, starts
    return synch[:, 1] // n_channels, starts

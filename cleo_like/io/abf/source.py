"""What the header of an ABF file says, in one small record, whatever the version.

The headers are read here and not by pyabf: it refuses ABF1 files of floats, misses user
lists and what is not ASCII, cuts the rate to a whole number of Hz, and makes lists as long as
a damaged header asks for. The tests hold this reader against it where it is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.io.abf.headers.fields import damaged
from cleo_like.io.abf.headers.sweeps import sweep_times
from cleo_like.io.abf.headers.v1 import read_v1
from cleo_like.io.abf.headers.v2 import read_v2

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.io.abf.headers.outputs import Output, Run
    from cleo_like.io.text_units import TextUnit


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
    names, units, numbers : tuple
        One per recorded channel; `numbers` are those of the sockets.
    outputs : tuple of Output
        The analogue outputs (DAC).
    run : Run
        How the sweeps follow each other.
    lengths, starts : array, shape (n_sweeps,)
        Samples per channel, and start time (s), of each sweep.
    scales, offsets : array, shape (n_channels,)
        Value in the channel's unit = stored number * scale + offset.
    dtype : str
        Of the stored numbers: "<i2", or "<f4" where they are values already.
    data_start : int
        Byte of the first sample.
    started : str or None
        Local date and time of the recording, without zone.
    protocol, comment : str
        Name of the protocol file, and the comment.
    current_clamp : bool or None
        What the header says of the experiment (None: nothing).
    filters : tuple of float
        Low pass (Hz) that the amplifier telegraphed for each channel; 0 where it did not.
    findings : tuple of str
        What is missing in the header, and what else it tells (tags, averages ...).
    """

    path: Path
    version: str
    rate: float
    names: tuple[str, ...]
    units: tuple[TextUnit, ...]
    numbers: tuple[int, ...]
    outputs: tuple[Output, ...]
    run: Run
    lengths: np.ndarray
    starts: np.ndarray
    scales: np.ndarray
    offsets: np.ndarray
    dtype: str
    data_start: int
    started: str | None
    protocol: str
    comment: str
    current_clamp: bool | None
    filters: tuple[float, ...]
    findings: tuple[str, ...] = ()

    @property
    def n_channels(self) -> int:
        """Number of recorded channels."""
        return len(self.names)

    @property
    def n_sweeps(self) -> int:
        """Number of sweeps."""
        return len(self.lengths)

    def output(self, number: int) -> Output | None:
        """Find an output by its number."""
        return next((o for o in self.outputs if o.number == number), None)

    def samples(self) -> np.ndarray:
        """Give the stored numbers, shape (n_samples_in_file, n_channels), not scaled."""
        count = int(self.lengths.sum()) * self.n_channels
        size = np.dtype(self.dtype).itemsize
        have = (self.path.stat().st_size - self.data_start) // size
        if have < count:
            msg = (
                f"{self.path.name} is truncated: its header promises {count} samples from byte "
                f"{self.data_start} on, the file holds {max(have, 0)}; copy it again from its "
                "origin"
            )
            raise FileFormatError(msg)
        flat = np.fromfile(self.path, dtype=self.dtype, count=count, offset=self.data_start)
        return flat.reshape(-1, self.n_channels)

    def glance(self, samples: np.ndarray, index: int, most: int) -> np.ndarray:
        """Scale at most so many samples of one channel (SI), evenly taken from all sweeps."""
        unit = self.units[index].scale
        few = samples[:: max(1, len(samples) // most), index]
        return np.asarray(few * (self.scales[index] * unit) + self.offsets[index] * unit)

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
        The file is not an ABF, or is truncated or damaged.
    UnsupportedError
        Its sweeps are sampled at two rates.
    """
    first = check_signature(path) == b"ABF "
    facts = read_v1(path) if first else read_v2(path)
    table = facts.pop("sweeps")
    # ABF2 gives the time between samples of one channel, ABF1 between samples of any
    rate = true_rate(facts.pop("interval"), table.n_channels if first else 1)
    lengths, starts, findings = sweep_times(path, attrs.evolve(table, rate=rate))
    if facts["data_start"] <= 0:
        raise damaged(path, f"its samples begin at byte {facts['data_start']}")
    if not np.isfinite([*facts["scales"], *facts["offsets"]]).all():
        raise damaged(path, "a gain or an offset is no number")
    named = _named(facts.pop("names"), facts["numbers"])
    findings = (*findings, *facts.pop("remarks"))
    protocol = facts.pop("protocol").replace("\\", "/").rpartition("/")[2]
    return AbfSource(
        path=path,
        rate=rate,
        names=named,
        units=tuple(facts.pop("units")),
        numbers=tuple(facts.pop("numbers")),
        lengths=lengths,
        starts=starts,
        scales=np.array(facts.pop("scales"), dtype=float),
        offsets=np.array(facts.pop("offsets"), dtype=float),
        protocol=protocol[:-4] if protocol.lower().endswith(".pro") else "",
        findings=findings,
        **facts,
    )


def abf_version(path: Path) -> str:
    """Version of the ABF format in a file ("1.8.3.0")."""
    return open_abf(path).version


def check_signature(path: Path) -> bytes:
    """Give the first four bytes, which must be those of ABF1 or ABF2."""
    with path.open("rb") as file:
        start = file.read(4)
    if start in (b" FBA", b"2FBA"):
        msg = f"{path.name} is an ABF file in big-endian order, which is not read"
        raise FileFormatError(msg)
    if start not in (b"ABF ", b"ABF2"):
        msg = (
            f"{path.name} is not an ABF file: it starts with {start!r}, "
            "expected b'ABF ' or b'ABF2'"
        )
        raise FileFormatError(msg)
    return start


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


def _named(names: list[str], numbers: list[int]) -> tuple[str, ...]:
    """Make the names of channels unique, so that each can be asked for."""
    filled = [name or f"IN {number}" for name, number in zip(names, numbers, strict=True)]
    return tuple(
        name if filled.count(name) == 1 else f"{name} #{index}"
        for index, name in enumerate(filled)
    )

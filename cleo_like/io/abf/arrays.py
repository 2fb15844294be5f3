"""Arrays -> ABF1: the low-level writer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError, InputError, UnitError
from cleo_like.core.files import atomic_path
from cleo_like.core.units import si, si_array
from cleo_like.io.abf.header import (
    ADC_RANGE,
    BLOCK,
    MAX_CHANNELS,
    MAX_INT,
    MAX_SWEEP,
    RESOLUTION,
    SIZE,
    Layout,
    header_bytes,
    interval_of,
    text_bytes,
)
from cleo_like.io.targets import check_target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import ArrayLike

    from cleo_like.io.abf.table import EpochTable

PEAK = 32000
"""The largest sample in LSB. Not 32767: some readers take the extremes for missing."""
_SMALLEST, _LARGEST = 1e-30, 1e30  # what a float32 scale factor can bring to PEAK
_CREATOR = (0, 1, 0, 0)


@attrs.frozen(kw_only=True)
class Header:
    """Optional contents of the header; everything has a default that readers accept.

    Parameters
    ----------
    recorded : datetime, optional
        Start of the recording, as the wall clock showed it; now, when not given.
    comment : str
        128 characters fit; what latin-1 has not becomes a question mark.
    protocol : str
        Name of the protocol; readers expect it to end in ".pro".
    current_clamp : bool
        False for voltage clamp.
    output_unit : str
        Unit of the outputs ("Cmd 0" ...).
    holding : float
        Level of output 0 between sweeps, in `output_unit`.
    table : EpochTable, optional
        The command as epochs of output 0.
    """

    recorded: datetime | None = None
    comment: str = ""
    protocol: str = ""
    current_clamp: bool = True
    output_unit: str = "pA"
    holding: float = 0.0
    table: EpochTable | None = None


def write_abf1(
    path: str | Path,
    data: Any,
    *,
    units: str | Sequence[str],
    rate: Any,
    names: Sequence[str] | None = None,
    start_times: Any = None,
    header: Header | None = None,
    overwrite: bool = False,
) -> Path:
    """Write arrays as an ABF1 file (version 1.83, 16 bits, episodic).

    Every channel is scaled on its own so that its largest value is 32000 LSB; the error of a
    sample is at most half of its channel's LSB.

    Parameters
    ----------
    path : str or Path
        The file appears whole or not at all.
    data : array, shape (n_channels, n_sweeps, n_samples) or (n_sweeps, n_samples)
        Finite numbers in `units`.
    units : str or sequence of str
        One unit for all channels, or one each: "pA", "mV", "µA" (latin-1, 8 characters).
    rate : quantity or str
        Samples per second and channel ("20 kHz").
    names : sequence of str, optional
        Channel names (10 characters); "IN 0", "IN 1" ... by default.
    start_times : quantity, shape (n_sweeps,), optional
        Start of each sweep from the start of the file; without gaps by default.
    header : Header, optional
        Date, comment, epochs.
    overwrite : bool
        Whether a file that this package wrote may be replaced; a recording from elsewhere
        never is.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UnitError
        A unit is missing, or `rate` or `start_times` has none.
    ExistingFileError
        The file exists.
    InputError
        Wrong shape, NaN or infinity, overlapping sweeps.
    FileFormatError
        More samples, sweeps or channels than ABF1 can count, or text that is not latin-1.

    Examples
    --------
    >>> import tempfile, pyabf
    >>> from pathlib import Path
    >>> data = np.array([[0.0, 10.0, -10.0, 5.0]])
    >>> path = write_abf1(
    ...     Path(tempfile.mkdtemp()) / "ramp.abf", data, units="pA", rate="10 kHz"
    ... )
    >>> pyabf.ABF(path).sweepY.tolist()
    [0.0, 10.0, -10.0, 5.0]
    """
    path = check_target(path, overwrite=overwrite, sidecar=False)
    header = header if header is not None else Header()
    data = _checked(data)
    rate_hz = si(rate, "Hz", "rate")
    if rate_hz <= 0:
        msg = f"rate must be positive, got {rate_hz} Hz"
        raise InputError(msg)
    starts = _starts(start_times, data.shape, rate_hz)
    scales, samples = _digitised(data)
    layout = _layout(
        data, header, units=units, names=names, rate=rate_hz, starts=starts, scales=scales
    )
    length = data.shape[2] * data.shape[0]
    synch = np.column_stack([starts, np.full(len(starts), length)]).astype("<i4")
    with atomic_path(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        file.write(header_bytes(layout))
        _write_blocks(file, samples)
        _write_blocks(file, synch)
    return path


def _checked(data: ArrayLike) -> np.ndarray:
    data = np.asarray(data)
    if data.dtype.kind not in "fiu":
        msg = f"data must be real numbers, got {data.dtype}"
        raise InputError(msg)
    if data.ndim == 2:
        data = data[np.newaxis]
    if data.ndim != 3 or data.size == 0:
        msg = (
            "data must have the shape (n_channels, n_sweeps, n_samples) or "
            f"(n_sweeps, n_samples) with at least one sample, got {data.shape}"
        )
        raise InputError(msg)
    check_shape(data.shape)
    return data


def check_shape(shape: tuple[int, ...], last_start: int = 0) -> None:
    """Refuse what ABF1 cannot count: (n_channels, n_sweeps, n_samples), start of the last."""
    n_channels, n_sweeps, n_samples = shape
    limits = (
        (n_channels, MAX_CHANNELS, "channels"),
        (n_samples, MAX_SWEEP, "samples per sweep and channel"),
        (n_channels * n_sweeps * n_samples, MAX_INT, "samples in all"),
    )
    for have, limit, what in limits:
        if have > limit:
            msg = f"ABF1 holds at most {limit} {what}, got {have}; write NWB or shorter sweeps"
            raise FileFormatError(msg)
    if last_start * n_channels > MAX_INT:
        msg = (
            f"ABF1 counts starts up to {MAX_INT} samples; the last sweep would start at "
            f"{last_start * n_channels}. Write NWB, or shorter gaps"
        )
        raise FileFormatError(msg)


def _starts(start_times: ArrayLike, shape: tuple[int, ...], rate: float) -> np.ndarray:
    """Start of each sweep in samples of any channel, as the synch array counts."""
    n_channels, n_sweeps, n_samples = shape
    if start_times is None:
        starts = np.arange(n_sweeps, dtype=np.int64) * n_samples
    else:
        seconds = si_array(start_times, "s", "start_times")
        if seconds.shape != (n_sweeps,) or not np.isfinite(seconds).all():
            msg = f"start_times must be {n_sweeps} finite times, got shape {seconds.shape}"
            raise InputError(msg)
        starts = np.rint(seconds * rate).astype(np.int64)
    if starts[0] < 0 or (np.diff(starts) < n_samples).any():
        msg = "start_times must not be negative and sweeps must not overlap"
        raise InputError(msg)
    check_shape(shape, int(starts[-1]))
    return starts * n_channels


def _digitised(data: np.ndarray) -> tuple[list[float], np.ndarray]:
    """Scale factors and interleaved int16 samples (n_sweeps, n_samples, n_channels)."""
    n_channels, n_sweeps, n_samples = data.shape
    samples = np.empty((n_sweeps, n_samples, n_channels), dtype="<i2")
    scales = []
    for index, channel in enumerate(data):
        peak = max(-float(channel.min()), float(channel.max()))
        if not np.isfinite(peak):  # NaN passes through min and max
            raise _not_finite(index, channel)
        scale = _scale(peak)
        lsb = ADC_RANGE / RESOLUTION / scale
        # float64 whatever comes in: float32 would add 0.002 LSB
        scaled = np.multiply(channel, 1 / lsb, dtype=float)
        np.rint(scaled, out=scaled)
        samples[:, :, index] = scaled
        scales.append(scale)
    return scales, samples


def _scale(peak: float) -> float:
    """Find the instrument scale factor (float32) that brings `peak` to 32000 LSB."""
    if peak == 0:
        return 1.0
    if not _SMALLEST < peak < _LARGEST:
        msg = f"the largest value is {peak:g}; write it in another unit"
        raise InputError(msg)
    return float(np.float32(ADC_RANGE * PEAK / RESOLUTION / peak))


def _not_finite(index: int, channel: np.ndarray) -> InputError:
    sweep, sample = np.argwhere(~np.isfinite(channel))[0]
    return InputError(
        f"channel {index} is {channel[sweep, sample]} in sweep {sweep} at sample {sample}; "
        "ABF holds finite numbers only: trim the sweep, or write NWB"
    )


def _layout(
    data: np.ndarray,
    header: Header,
    *,
    units: str | Sequence[str],
    names: Sequence[str] | None,
    rate: float,
    starts: np.ndarray,
    scales: list[float],
) -> Layout:
    n_channels, n_sweeps, n_samples = data.shape
    gaps = np.diff(starts)
    even = len(gaps) > 0 and bool((gaps == gaps[0]).all())
    data_blocks = -(-2 * data.size // BLOCK)
    names = names if names is not None else [f"IN {i}" for i in range(n_channels)]
    if len(names) != n_channels:
        msg = f"names must be {n_channels}, one per channel, got {len(names)}"
        raise InputError(msg)
    return Layout(
        n_sweeps=n_sweeps,
        n_samples=n_samples,
        names=[_latin(name, 10, "channel name") for name in names],
        units=_unit_bytes(units, n_channels),
        scales=scales,
        interval=interval_of(rate, n_channels),
        start_to_start=float(gaps[0] / n_channels / rate) if even else 0.0,
        synch_block=SIZE // BLOCK + data_blocks,
        recorded=header.recorded if header.recorded is not None else datetime.now(UTC),
        comment=text_bytes(header.comment, "replace")[:128],
        protocol=text_bytes(header.protocol, "replace")[:255],
        experiment=int(header.current_clamp),
        output_unit=_latin(header.output_unit, 8, "unit"),
        holding=header.holding,
        table=header.table,
        creator=_CREATOR,
    )


def _unit_bytes(units: str | Sequence[str], n_channels: int) -> list[bytes]:
    each = [units] * n_channels if isinstance(units, str) else list(units)
    if len(each) != n_channels or not all(unit.strip() for unit in each):
        msg = (
            f"units must name the unit of each of the {n_channels} channels, for example "
            f"'pA' or ['mV', 'pA'], got {units!r}"
        )
        raise UnitError(msg)
    return [_latin(unit.strip(), 8, "unit") for unit in each]


def _latin(text: str, room: int, what: str) -> bytes:
    try:
        encoded = text_bytes(text)
    except UnicodeEncodeError as error:
        msg = f"the {what} {text!r} has {error.object[error.start]!r}, which is not latin-1"
        raise FileFormatError(msg) from error
    if len(encoded) > room:
        msg = f"the {what} {text!r} has {len(encoded)} characters; ABF1 has room for {room}"
        raise FileFormatError(msg)
    return encoded


def _write_blocks(file: BinaryIO, array: np.ndarray) -> None:
    """Write an array and fill its last block of 512 bytes with zeros."""
    file.write(array.data.cast("B"))
    file.write(bytes(-array.nbytes % BLOCK))

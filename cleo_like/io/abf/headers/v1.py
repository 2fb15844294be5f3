"""The header of ABF1: every field at a fixed place, 2048 bytes up to version 1.5, then 6144.

Offsets and meanings are those of Axon's public file description. Up to version 1.5 one
output has a waveform, and its table lies in the first 2048 bytes; what follows is samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import UnsupportedError
from cleo_like.io.abf.headers.fields import (
    BLOCK,
    Fields,
    checked_interval,
    damaged,
    gain,
    started,
)
from cleo_like.io.abf.headers.outputs import FILE, EpochRow, Output, Run, StimulusFile, UserList
from cleo_like.io.abf.headers.remarks import averages, switched, tags
from cleo_like.io.abf.headers.sweeps import SweepTable, read_synch
from cleo_like.io.text_units import parse_unit

if TYPE_CHECKING:
    from pathlib import Path

_OLD, _SIZE = 2048, 6144
_N_INPUTS, _N_OUTPUTS, _N_WAVEFORMS, _N_EPOCHS = 16, 4, 2, 10
_EXTENDED = 1.595  # version 1.6 as float32, with room for its rounding
_TELEGRAPHS = 1.695  # version 1.70; before, one channel had a gain of this kind
_ALTERNATING = 1.715  # version 1.72
_DOS_CLAMPEX = 3  # nFileType


def read_v1(path: Path) -> dict[str, Any]:
    """Read the facts of an `AbfSource` from an ABF1 header."""
    with path.open("rb") as file:
        block = file.read(_SIZE)
    if len(block) < _OLD:
        raise damaged(path, f"it has {len(block)} bytes, an ABF1 header has {_OLD}")
    version = float(np.frombuffer(block, "<f4", 1, 4)[0])
    if not 0.5 <= version < 2:
        raise damaged(path, f"its version is {version:g}, expected 1.0 to 1.9")
    start = int(np.frombuffer(block, "<i4", 1, 40)[0]) * BLOCK
    if not _OLD <= start <= path.stat().st_size:
        raise damaged(path, f"its samples begin at byte {start}")
    extended = version >= _EXTENDED
    header = Fields(block[: min(start, _SIZE if extended else _OLD)], _SIZE)
    _refuse_what_is_not_evenly_sampled(path, header)
    return _facts(path, header, version, start, extended=extended)


def _facts(
    path: Path, header: Fields, version: float, start: int, *, extended: bool
) -> dict[str, Any]:
    floats = header.one("h", 100)
    if floats not in (0, 1):
        raise damaged(path, f"its data format is {floats}, expected 0 (integers) or 1 (floats)")
    sockets = _sockets(path, header)
    interval = header.one("f", 122)  # between samples of any channel
    checked_interval(path, interval * len(sockets))
    names = [header.text(442 + 10 * i, 10) for i in sockets]
    comment = header.text(5154, 128) if extended else ""
    outputs, alternates = _outputs(header, version, extended=extended)
    scales, offsets = _scaling(
        path, header, dict(zip(sockets, names, strict=True)), version, floats=bool(floats)
    )
    return {
        "version": ".".join(f"{round(version * 1000):04d}"),
        "interval": interval,
        "names": names,
        "numbers": sockets,
        "units": [parse_unit(header.text(602 + 8 * i, 8)) for i in sockets],
        "scales": scales,
        "offsets": offsets,
        "filters": tuple(_filter(header, i, version) for i in sockets),
        "dtype": "<f4" if floats else "<i2",
        "data_start": start + header.one("h", 14) * (4 if floats else 2),
        "sweeps": _sweeps(path, header, len(sockets)),
        "outputs": outputs,
        "run": _run(header, alternates=alternates),
        "started": started(
            header.one("i", 20), 1e3 * header.one("i", 24) + header.one("h", 366)
        ),
        "protocol": header.text(4898, 256),
        "comment": comment or header.text(310, 56),
        "current_clamp": {0: False, 1: True}.get(header.one("h", 260)),
        "remarks": _remarks(path, header, outputs, extended=extended),
    }


def _remarks(
    path: Path, header: Fields, outputs: tuple[Output, ...], *, extended: bool
) -> tuple[str, ...]:
    # tags count the unit of the table of sweeps; 0 says samples of all channels
    tick = header.one("f", 130) or header.one("f", 122)
    values = np.array(header.many("h", 1588, _N_EPOCHS))
    if extended:
        values = values | np.array(header.many("h", 2668, _N_EPOCHS))
    active = outputs[header.one("h", 1440) % _N_OUTPUTS]
    on = [e.letter for e in active.epochs if values[e.number] and header.one("h", 1436)]
    return (
        *tags(path, block=header.one("i", 44), count=header.one("i", 48), tick=tick / 1e6),
        *averages(header.one("h", 158), header.one("i", 150), header.one("i", 190)),
        *switched(on),
    )


def _sockets(path: Path, header: Fields) -> list[int]:
    """Give the physical number of each recorded channel, in the order of the samples."""
    count = header.one("h", 120)
    if not 1 <= count <= _N_INPUTS:
        raise damaged(path, f"it has {count} channels, expected 1 to {_N_INPUTS}")
    sequence = list(header.many("h", 410, count))
    if not all(0 <= i < _N_INPUTS for i in sequence):
        raise damaged(path, f"its sampling sequence is {sequence}")
    return sequence


def _refuse_what_is_not_evenly_sampled(path: Path, header: Fields) -> None:
    first, second = header.one("f", 122), header.one("f", 126)
    change, length = header.one("i", 194), header.one("i", 138)
    if second > 0 and second != first and 0 < change < length:
        msg = (
            f"{path.name} changes its sampling interval within each sweep, from {first:g} to "
            f"{second:g} us at sample {change}; sweeps of two rates are not read. Resample it "
            "in Clampfit"
        )
        raise UnsupportedError(msg)
    if header.one("h", 38):
        msg = f"{path.name} holds floats in Microsoft's binary format, which is not read"
        raise UnsupportedError(msg)


def _scaling(
    path: Path, header: Fields, names: dict[int, str], version: float, *, floats: bool
) -> tuple[list[float], list[float]]:
    """Value in the channel's unit = stored number * scale + offset; floats are values."""
    if floats:
        return [1.0] * len(names), [0.0] * len(names)
    full_scale, resolution = header.one("f", 244), header.one("i", 252)
    scales, offsets = [], []
    for i, name in names.items():
        # instrument scale factor, signal gain, programmable gain
        factors = tuple(header.one("f", at + 4 * i) for at in (922, 1050, 730))
        factors = (*factors, *_telegraph(header, i, version))
        scales.append(
            gain(path, name, factors=factors, full_scale=full_scale, resolution=resolution)
        )
        offsets.append(header.one("f", 986 + 4 * i) - header.one("f", 1114 + 4 * i))
    return scales, offsets


def _telegraph(header: Fields, i: int, version: float) -> tuple[float, ...]:
    """Give the gain that the amplifier telegraphed for a channel, if it did."""
    if version >= _TELEGRAPHS:
        # some writers leave other numbers than 0 and 1 there; they mean nothing
        on = header.one("h", 4512 + 2 * i) == 1
        return (header.one("f", 4576 + 4 * i),) if on else ()
    on = header.one("h", 262) in (1, 2) and header.one("h", 264) == i
    return (header.one("f", 268),) if on else ()


def _filter(header: Fields, i: int, version: float) -> float:
    """Give the filter (Hz) that the amplifier telegraphed for a channel; 0 if it did not."""
    on = version >= _TELEGRAPHS and header.one("h", 4512 + 2 * i) == 1
    return float(header.one("f", 4640 + 4 * i)) if on else 0.0


def _sweeps(path: Path, header: Fields, n_channels: int) -> SweepTable:
    n_sweeps = header.one("i", 16)
    if n_sweeps < 0:
        raise damaged(path, f"it counts {n_sweeps} sweeps")
    return SweepTable(
        n_channels=n_channels,
        n_sweeps=n_sweeps,
        n_samples=header.one("i", 10),
        mode=header.one("h", 8),
        per_sweep=header.one("i", 138),
        synch=read_synch(path, header.one("i", 92), header.one("i", 96)),
        tick=header.one("f", 130),
        rate=0.0,
    )


def _run(header: Fields, *, alternates: bool) -> Run:
    return Run(
        mode=header.one("h", 8),
        sweeps_per_run=header.one("i", 146),
        first=header.one("h", 162),
        samples=header.one("i", 138),
        active=header.one("h", 1440),
        alternates=alternates,
        changes=header.one("i", 76) if header.one("i", 72) > 0 else 0,
        dos_clampex=header.one("h", 36) == _DOS_CLAMPEX,
    )


def _outputs(
    header: Fields, version: float, *, extended: bool
) -> tuple[tuple[Output, ...], bool]:
    made = []
    for i in range(_N_OUTPUTS):
        facts: dict[str, Any] = {
            "number": i,
            "name": header.text(1306 + 10 * i, 10),
            "unit": parse_unit(header.text(1346 + 8 * i, 8)),
            "holding": header.one("f", 1394 + 4 * i),
        }
        if extended and i < _N_WAVEFORMS:
            facts |= _waveform(header, i)
        elif not extended and i == header.one("h", 1440):
            facts |= _old_waveform(header)
        made.append(Output(**facts))
    return tuple(made), bool(version >= _ALTERNATING and header.one("h", 5876))


def _waveform(header: Fields, i: int) -> dict[str, Any]:
    def each(form: str, offset: int, size: int) -> tuple[Any, ...]:
        return header.many(form, offset + _N_EPOCHS * size * i, _N_EPOCHS)

    columns = zip(
        each("h", 2308, 2),
        each("f", 2348, 4),
        each("f", 2428, 4),
        each("i", 2508, 4),
        each("i", 2588, 4),
        each("i", 2136, 4),
        each("i", 2216, 4),
        strict=True,
    )
    names = ("kind", "level", "rise", "duration", "growth", "period", "width")
    train = bool(header.one("h", 3260 + 2 * i))
    listed = None
    if header.one("h", 3360 + 2 * i):
        listed = UserList(
            parameter=header.one("h", 3368 + 2 * i),
            text=header.text(3376 + 256 * i, 256),
            repeats=bool(header.one("h", 4400 + 2 * i)),
        )
    return {
        "enabled": bool(header.one("h", 2296 + 2 * i)),
        "origin": header.one("h", 2300 + 2 * i),
        "keeps_last": bool(header.one("h", 2304 + 2 * i)),
        "epochs": _rows(dict(zip(names, column, strict=True)) for column in columns),
        "user_list": listed,
        "train": train,
        "after_train": _after(header, train, 3304 + 4 * i, 3312 + 4 * i),
        "leak_subtracted": bool(header.one("h", 4456 + 2 * i)),
        "file": StimulusFile(
            path=header.text(2736 + 256 * i, 256),
            episode=header.one("i", 2724 + 4 * i),
            channel=header.one("h", 2732 + 2 * i),
            scale=header.one("f", 2708 + 4 * i),
            offset=header.one("f", 2716 + 4 * i),
        ),
    }


def _old_waveform(header: Fields) -> dict[str, Any]:
    """Read the one waveform of a header of 2048 bytes."""
    columns = zip(
        header.many("h", 1444, _N_EPOCHS),
        header.many("f", 1464, _N_EPOCHS),
        header.many("f", 1504, _N_EPOCHS),
        header.many("h", 1544, _N_EPOCHS),
        header.many("h", 1564, _N_EPOCHS),
        strict=True,
    )
    names = ("kind", "level", "rise", "duration", "growth")
    origin = header.one("h", 1438)
    train = bool(header.one("h", 1718))
    listed = None
    if header.one("h", 1966):
        listed = UserList(
            parameter=header.one("h", 1762), text=header.text(1764, 80), repeats=False
        )
    path = header.text(1634, 84)
    return {
        "enabled": origin != 0,
        "origin": origin,
        "keeps_last": bool(header.one("h", 1442)),
        "epochs": _rows(dict(zip(names, column, strict=True)) for column in columns),
        "user_list": listed,
        "train": train,
        "after_train": _after(header, train, 1742, 1746),
        "leak_subtracted": bool(header.one("h", 1932)),
        "file": StimulusFile(
            path=path,
            episode=header.one("h", 1630),
            channel=header.one("h", 1632),
            scale=header.one("f", 1620),
            offset=header.one("f", 1624),
        )
        if origin == FILE
        else None,
    }


def _rows(columns: Any) -> tuple[EpochRow, ...]:
    rows = (EpochRow(number=i, **column) for i, column in enumerate(columns))
    return tuple(row for row in rows if row.kind)


def _after(header: Fields, train: int, period: int, level: int) -> float | None:
    """Level after a conditioning train (offsets of its period and its level)."""
    return header.one("f", level) if train and header.one("f", period) > 0 else None

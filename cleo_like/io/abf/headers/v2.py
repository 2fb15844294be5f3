"""The header of ABF2: a list of sections, each a table whose rows have a stated size.

Sections and their fields are those of Axon's public structures (file description of ABF2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import UnsupportedError
from cleo_like.io.abf.headers.fields import (
    BLOCK,
    Fields,
    checked_interval,
    damaged,
    decoded,
    gain,
    started,
)
from cleo_like.io.abf.headers.outputs import EpochRow, Output, Run, StimulusFile, UserList
from cleo_like.io.abf.headers.remarks import averages, switched, tags
from cleo_like.io.abf.headers.sweeps import SweepTable, read_synch
from cleo_like.io.text_units import parse_unit

if TYPE_CHECKING:
    from pathlib import Path

_SIZE, _STRINGS_HEAD = 512, 44
_MOST_CHANNELS = 64
_COUNTED_WITH_TEN = 11  # Clampex 11 has 50 epochs; how its user lists count them is not public

_ADC = {
    "number": ("<i2", 0), "telegraph": ("<i2", 2), "telegraph_gain": ("<f4", 6),
    "telegraph_filter": ("<f4", 10),
    "programmable": ("<f4", 28), "instrument": ("<f4", 40), "instrument_offset": ("<f4", 44),
    "signal": ("<f4", 48), "signal_offset": ("<f4", 52), "name": ("<i4", 74),
    "unit": ("<i4", 78),
}  # fmt: skip
_DAC = {
    "number": ("<i2", 0), "holding": ("<f4", 12), "name": ("<i4", 24), "unit": ("<i4", 28),
    "enabled": ("<i2", 40), "origin": ("<i2", 42), "keeps_last": ("<i2", 44),
    "scale": ("<f4", 46), "offset": ("<f4", 50), "episode": ("<i4", 54), "channel": ("<i2", 58),
    "train": ("<i2", 60), "train_period": ("<f4", 82), "train_level": ("<f4", 86),
    "leak": ("<i2", 92), "path": ("<i4", 118),
}  # fmt: skip
_EPOCH = {
    "number": ("<i2", 0), "output": ("<i2", 2), "kind": ("<i2", 4), "level": ("<f4", 6),
    "rise": ("<f4", 10), "duration": ("<i4", 14), "growth": ("<i4", 18),
    "period": ("<i4", 22), "width": ("<i4", 26),
}  # fmt: skip
_DIGITAL = {"number": ("<i2", 0), "value": ("<i2", 2), "train": ("<i2", 4)}
_USER_LIST = {
    "output": ("<i2", 0), "parameter": ("<i2", 4), "repeats": ("<i2", 6), "text": ("<i4", 8),
}  # fmt: skip


@attrs.frozen
class _Section:
    """Where a section lies: first block, bytes per row, rows."""

    block: int
    size: int
    count: int

    @property
    def start(self) -> int:
        return self.block * BLOCK


class _File:
    """The sections of one file, each checked against its size before it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = path.stat().st_size
        head = self._read(0, _SIZE)
        if len(head) < _SIZE:
            raise damaged(path, f"it has {len(head)} bytes, an ABF2 header has {_SIZE}")
        self.head = Fields(head, _SIZE)
        self.protocol = Fields(self._block("protocol", 76, 208), 512)
        self.strings = self._strings()

    def _read(self, start: int, size: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(size)

    def section(self, name: str, at: int) -> _Section:
        """Find a section; one that reaches beyond the file is an error."""
        found = _Section(
            self.head.one("I", at), self.head.one("I", at + 4), self.head.one("q", at + 8)
        )
        if found.count < 0 or found.start + found.size * found.count > self.bytes:
            text = (
                f"its header promises {found.count} entries of {found.size} bytes from byte "
                f"{found.start} on ({name}), the file has {self.bytes} bytes"
            )
            raise damaged(self.path, text)
        return found

    def _block(self, name: str, at: int, least: int) -> bytes:
        place = self.section(name, at)
        if not place.block or place.size * place.count < least:
            raise damaged(self.path, f"its {name} section is missing")
        return self._read(place.start, min(place.size * place.count, 512))

    def table(self, name: str, at: int, fields: dict[str, tuple[str, int]]) -> np.ndarray:
        """Read a section as rows of named fields."""
        place = self.section(name, at)
        least = max(offset + int(form[2]) for form, offset in fields.values())
        if not place.block or not place.count:
            place = _Section(0, least, 0)
        elif place.size < least:
            raise damaged(self.path, f"an entry of its {name} has {place.size} bytes")
        row = np.dtype(
            {
                "names": list(fields),
                "formats": [form for form, _ in fields.values()],
                "offsets": [offset for _, offset in fields.values()],
                "itemsize": place.size,
            }
        )
        return np.frombuffer(self._read(place.start, place.size * place.count), dtype=row)

    def _strings(self) -> list[bytes]:
        place = self.section("strings", 220)
        raw = self._read(place.start, place.size) if place.block and place.count else b""
        if raw[:4] != b"SSCH":
            return []
        count = int(np.frombuffer(raw, "<u4", 1, 8)[0]) if len(raw) >= _STRINGS_HEAD else 0
        count = min(count, len(raw))
        # no text is empty; some writers put a further zero before the first
        return raw[_STRINGS_HEAD:].lstrip(b"\0").split(b"\0", count)[:count]

    def text(self, index: int) -> str:
        """Read a text by its index (1 is the first, 0 none)."""
        known = 0 < index <= len(self.strings)
        return decoded(self.strings[index - 1]) if known else ""


def read_v2(path: Path) -> dict[str, Any]:
    """Read the facts of an `AbfSource` from an ABF2 header."""
    file = _File(path)
    head, protocol = file.head, file.protocol
    version = tuple(reversed(head.many("B", 4, 4)))
    if version[0] != 2:
        raise damaged(path, f"its version is {'.'.join(map(str, version))}, expected 2")
    _refuse_compressed_epochs(path, protocol)
    inputs = file.table("inputs", 92, _ADC)
    if not 1 <= len(inputs) <= _MOST_CHANNELS:
        raise damaged(path, f"it has {len(inputs)} channels, expected 1 to {_MOST_CHANNELS}")
    interval = protocol.one("f", 2)  # between samples of one channel
    checked_interval(path, interval)
    floats, data = _data(file)
    names = [file.text(int(i)) for i in inputs["name"]]
    scales, offsets = _scaling(file, inputs, names, floats=floats)
    return {
        "version": ".".join(map(str, version)),
        "interval": interval,
        "names": names,
        "numbers": inputs["number"].tolist(),
        "units": [parse_unit(file.text(int(i))) for i in inputs["unit"]],
        "scales": scales,
        "offsets": offsets,
        "filters": tuple(
            float(row["telegraph_filter"]) if row["telegraph"] == 1 else 0.0 for row in inputs
        ),
        "dtype": "<f4" if floats else "<i2",
        "data_start": data.start,
        "sweeps": _sweeps(file, len(inputs), data.count),
        "outputs": _outputs(file),
        "run": _run(file),
        "started": started(head.one("I", 16), head.one("I", 20)),
        "protocol": file.text(head.one("I", 72)),
        "comment": file.text(protocol.one("i", 132)),
        "current_clamp": {0: False, 1: True}.get(protocol.one("h", 126)),
        "remarks": _remarks(file, interval / len(inputs)),
    }


def _remarks(file: _File, between: float) -> tuple[str, ...]:
    """Tags, averages, digital outputs; `between` are us between samples of any channel."""
    protocol, on = file.protocol, []
    if protocol.one("h", 140):
        patterns = file.table("digital outputs", 124, _DIGITAL)
        known = {int(e["number"]) for e in file.table("epochs", 156, _EPOCH) if e["kind"]}
        on = [
            EpochRow(number=int(row["number"]), kind=1, level=0.0, duration=0).letter
            for row in patterns
            if (row["value"] or row["train"]) and int(row["number"]) in known
        ]
    tick = protocol.one("f", 14) or between
    return (
        *tags(
            file.path,
            block=file.head.one("I", 252),
            count=file.head.one("q", 260),
            tick=tick / 1e6,
        ),
        *averages(protocol.one("h", 42), protocol.one("i", 34), protocol.one("i", 70)),
        *switched(on),
    )


def _refuse_compressed_epochs(path: Path, protocol: Fields) -> None:
    ratio = protocol.one("I", 10)
    if protocol.one("B", 6) and ratio > 1:
        msg = (
            f"{path.name} stores some epochs at 1/{ratio} of the sampling rate; sweeps of two "
            "rates are not read. Resample it in Clampfit"
        )
        raise UnsupportedError(msg)


def _data(file: _File) -> tuple[bool, _Section]:
    """Find the samples, and whether they are floats."""
    data = file.section("samples", 236)
    told = file.head.one("H", 30)
    size = {0: 2, 1: 4}.get(told)
    if size is None or data.size != size:
        raise damaged(
            file.path,
            f"its data format is {told} (0 integers of 2 bytes, 1 floats of 4) and a sample "
            f"has {data.size} bytes",
        )
    return told == 1, data


def _scaling(
    file: _File, inputs: np.ndarray, names: list[str], *, floats: bool
) -> tuple[list[float], list[float]]:
    """Value in the channel's unit = stored number * scale + offset; floats are values."""
    if floats:
        return [1.0] * len(inputs), [0.0] * len(inputs)
    full_scale, resolution = file.protocol.one("f", 110), file.protocol.one("i", 118)
    scales = []
    for row, name in zip(inputs, names, strict=True):
        factors = tuple(float(row[k]) for k in ("instrument", "signal", "programmable"))
        if row["telegraph"] == 1:
            factors = (*factors, float(row["telegraph_gain"]))
        scales.append(
            gain(file.path, name, factors=factors, full_scale=full_scale, resolution=resolution)
        )
    offsets = inputs["instrument_offset"].astype(float) - inputs["signal_offset"]
    return scales, offsets.tolist()


def _sweeps(file: _File, n_channels: int, n_samples: int) -> SweepTable:
    protocol = file.protocol
    return SweepTable(
        n_channels=n_channels,
        n_sweeps=file.head.one("I", 12),
        n_samples=n_samples,
        mode=protocol.one("h", 0),
        per_sweep=protocol.one("i", 22),
        # at the end of the file, so the first to go when it is cut: not an error
        synch=read_synch(file.path, file.head.one("I", 316), file.head.one("q", 324)),
        tick=protocol.one("f", 14),
        rate=0.0,
    )


def _run(file: _File) -> Run:
    protocol = file.protocol
    return Run(
        mode=protocol.one("h", 0),
        sweeps_per_run=protocol.one("i", 30),
        first=protocol.one("h", 46),
        samples=protocol.one("i", 22),
        active=protocol.one("h", 142),
        alternates=bool(protocol.one("h", 182)),
        changes=file.head.one("q", 292) if file.head.one("I", 284) else 0,
        epoch_count=10 if file.head.one("B", 59) < _COUNTED_WITH_TEN else None,
    )


def _outputs(file: _File) -> tuple[Output, ...]:
    epochs = file.table("epochs", 156, _EPOCH)
    lists = file.table("user lists", 172, _USER_LIST)
    return tuple(
        _output(file, row, epochs[epochs["output"] == row["number"]], lists)
        for row in file.table("outputs", 108, _DAC)
    )


def _output(file: _File, row: Any, epochs: np.ndarray, lists: np.ndarray) -> Output:
    number, train = int(row["number"]), bool(row["train"])
    level = float(row["train_level"]) if train and row["train_period"] > 0 else None
    keys = [key for key in _EPOCH if key != "output"]
    rows = [EpochRow(**{key: epoch[key].item() for key in keys}) for epoch in epochs]
    listed = [
        UserList(
            parameter=int(entry["parameter"]),
            text=file.text(int(entry["text"])),
            repeats=bool(entry["repeats"]),
        )
        for entry in lists[lists["output"] == number]
    ]
    return Output(
        number=number,
        name=file.text(int(row["name"])),
        unit=parse_unit(file.text(int(row["unit"]))),
        holding=float(row["holding"]),
        enabled=bool(row["enabled"]),
        origin=int(row["origin"]),
        keeps_last=bool(row["keeps_last"]),
        epochs=tuple(sorted((r for r in rows if r.kind), key=lambda r: r.number)),
        user_list=listed[0] if listed else None,
        train=train,
        after_train=level,
        leak_subtracted=bool(row["leak"]),
        file=StimulusFile(
            path=file.text(int(row["path"])),
            episode=int(row["episode"]),
            channel=int(row["channel"]),
            scale=float(row["scale"]),
            offset=float(row["offset"]),
        ),
    )

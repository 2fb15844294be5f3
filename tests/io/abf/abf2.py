"""ABF2 files for tests: the public structures, written field by field."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RANGE, RESOLUTION = 10.0, 32768


@attrs.define(kw_only=True)
class In:
    """An input: name, unit, number of its socket, factors of its gain."""

    name: str = "IN 0"
    unit: str = "mV"
    number: int = 0
    instrument: float = 0.01
    signal: float = 1.0
    programmable: float = 1.0
    telegraph: tuple[int, float] = (0, 1.0)
    offset: float = 0.0
    signal_offset: float = 0.0

    @property
    def gain(self) -> float:
        """Stored integers per unit."""
        gain = self.instrument * self.signal * self.programmable
        gain *= self.telegraph[1] if self.telegraph[0] == 1 else 1.0
        return gain * RESOLUTION / RANGE


@attrs.define(kw_only=True)
class Out:
    """An output; `epochs` are (kind, level, rise, duration, growth, period, width)."""

    name: str = "Cmd 0"
    unit: str = "pA"
    number: int = 0
    holding: float = 0.0
    enabled: int = 1
    origin: int = 1
    keeps_last: int = 0
    epochs: Sequence[tuple[Any, ...]] = ()
    train: tuple[int, float, float] = (0, 0.0, 0.0)
    leak: int = 0
    file: tuple[str, int, int, float, float] = ("", 0, 0, 1.0, 0.0)
    user_list: tuple[int, str, int] | None = None


def write_abf2(
    path: Path,
    data: np.ndarray,
    *,
    inputs: Sequence[In] = (In(),),
    outputs: Sequence[Out] = (Out(),),
    rate: float = 10_000.0,
    floats: bool = False,
    mode: int = 5,
    lengths: Sequence[int] | None = None,
    synch: Sequence[tuple[int, int]] | None = None,
    n_sweeps: int | None = None,
    creator: int = 10,
    **protocol: Any,
) -> Path:
    """Write `data` (n_channels, n_sweeps, n_samples), or (n_channels, 1, n) with `lengths`.

    `protocol` sets fields of the protocol section by offset: ``at_182=("h", 1)``.
    """
    n_channels, sweeps, n_samples = data.shape
    lengths = lengths if lengths is not None else [n_samples] * sweeps
    flat = data.reshape(n_channels, -1).T
    if floats:
        raw = flat.astype("<f4")
    else:
        gains = np.array([i.gain for i in inputs])
        offsets = np.array([i.offset - i.signal_offset for i in inputs])
        raw = np.rint((flat - offsets) * gains).astype("<i2")
    texts = ["tests", "C:\\protocols\\steps.pro", "a comment"]

    def index(text: str) -> int:
        if not text:
            return 0
        texts.append(text)
        return len(texts)

    general = bytearray(512)
    _put(general, 0, "hf", mode, 1e6 / rate)
    _put(general, 14, "f", 1e6 / rate / n_channels)
    _put(general, 22, "iiiii", n_samples * n_channels, 0, sweeps, 1, 1)
    _put(general, 110, "ffiih", RANGE, RANGE, RESOLUTION, RESOLUTION, 2)
    _put(general, 132, "i", 3)
    for key, (form, value) in protocol.items():
        _put(general, int(key.removeprefix("at_")), form, value)
    if synch is None:
        at = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        synch = [
            (int(a) * n_channels, n * n_channels) for a, n in zip(at, lengths, strict=True)
        ]
    listed = [o for o in outputs if o.user_list is not None]
    sections = {
        76: [bytes(general)],
        92: [_input(i, index) for i in inputs],
        108: [_output(o, index) for o in outputs],
        124: [struct.pack("<h30x", k) for k in range(max(len(o.epochs) for o in outputs))],
        156: [_epoch(o, k, e) for o in outputs for k, e in enumerate(o.epochs)],
        172: [_user_list(o, index) for o in listed],
        220: [],
        236: [raw.tobytes()],
        316: [struct.pack("<ii", *row) for row in synch],
    }
    sections[220] = [_strings(texts)]
    head = bytearray(512)
    _put(head, 0, "4s4BII", b"ABF2", 0, 0, 6, 2, 512, n_sweeps or len(lengths))
    _put(head, 16, "III", 20240102, 3_600_000, 0)
    _put(head, 28, "HH", 1, int(floats))
    _put(head, 56, "4BI", 0, 0, 0, creator, 1)
    _put(head, 72, "I", 2)
    body = b""
    for offset, rows in sections.items():
        if not rows:
            continue
        size, count = len(rows[0]), len(rows)
        if offset == 236:
            size, count = raw.itemsize, raw.size
        _put(head, offset, "IIq", 1 + len(body) // 512, size, count)
        content = b"".join(rows)
        body += content + bytes(-len(content) % 512)
    path.write_bytes(bytes(head) + body)
    return path


def _put(block: bytearray, offset: int, form: str, *values: Any) -> None:
    struct.pack_into("<" + form, block, offset, *values)


def _strings(texts: Sequence[str]) -> bytes:
    body = b"".join(t.encode("latin-1") + b"\0" for t in texts)
    return struct.pack("<4s4I", b"SSCH", 1, len(texts), 64, len(body)) + bytes(24) + body


def _input(i: In, index: Any) -> bytes:
    row = bytearray(128)
    _put(row, 0, "hhhf", i.number, i.telegraph[0], 0, i.telegraph[1])
    _put(row, 24, "hhf", i.number, i.number, i.programmable)
    _put(row, 40, "ffff", i.instrument, i.offset, i.signal, i.signal_offset)
    _put(row, 74, "ii", index(i.name), index(i.unit))
    return bytes(row)


def _output(o: Out, index: Any) -> bytes:
    row = bytearray(256)
    path, episode, channel, scale, offset = o.file
    _put(row, 0, "h", o.number)
    _put(row, 12, "f", o.holding)
    _put(row, 24, "ii", index(o.name), index(o.unit))
    _put(row, 40, "hhhffih", o.enabled, o.origin, o.keeps_last, scale, offset, episode, channel)
    _put(row, 60, "h", o.train[0])
    _put(row, 82, "ff", o.train[1], o.train[2])
    _put(row, 92, "h", o.leak)
    _put(row, 118, "i", index(path))
    return bytes(row)


def _epoch(o: Out, number: int, epoch: tuple[Any, ...]) -> bytes:
    row = bytearray(48)
    kind, level, rise, duration, *rest = epoch
    growth, period, width = (*rest, 0, 0, 0)[:3]
    _put(row, 0, "hhhff", number, o.number, kind, level, rise)
    _put(row, 14, "iiii", duration, growth, period, width)
    return bytes(row)


def _user_list(o: Out, index: Any) -> bytes:
    row = bytearray(64)
    parameter, text, repeats = o.user_list
    _put(row, 0, "hhhhi", o.number, 0, parameter, repeats, index(text))
    return bytes(row)

"""What Neo reads: WinWCP, CED Spike2, AxoGraph, Stimfit's CFS, WinEDR."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.plugins import needed
from cleo_like.core.sweep import Sweep
from cleo_like.io.rigs.assemble import (
    MONITOR,
    UNKNOWN,
    Signal,
    in_si,
    recording_of,
    roles,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.core.recording import Recording

READERS = {
    ".wcp": "WinWcpIO", ".edr": "WinEdrIO", ".smr": "CedIO", ".smrx": "CedIO",
    ".axgd": "AxographIO", ".axgx": "AxographIO", ".cfs": "StimfitIO",
}  # fmt: skip
"""Suffix -> Neo's class."""
_DAMAGED = (ValueError, IndexError, KeyError, TypeError, OSError, EOFError, struct.error,
            AssertionError, AttributeError, NotImplementedError, MemoryError)  # fmt: skip


def read_with_neo(path: Path) -> list[Recording]:
    """Read a file by Neo: a segment is a sweep, channels are told apart by their units.

    Raises
    ------
    FileFormatError
        Neo cannot read it, or it has no channel in volts or amperes.
    UnsupportedError
        Neo, or what it needs for this format, is not installed.
    """
    kind = READERS[path.suffix.lower()]
    io = getattr(needed("neo.io", "readers", f"a {path.suffix} file"), kind)
    try:
        blocks = io(str(path)).read(lazy=False)
    except ImportError as error:
        msg = f"Neo reads {path.suffix} with a package that is not installed ({error})"
        raise FileFormatError(msg) from error
    except _DAMAGED as error:
        msg = f"Neo cannot read {path.name} ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error
    segments = [segment for block in blocks for segment in block.segments]
    sweeps, findings = [], []
    for number, segment in enumerate(segments):
        sweep, found = _sweep(segment, number)
        findings += found
        if sweep is not None:
            sweeps.append(sweep)
    recording = recording_of(
        path, sweeps, cell=path.stem, file_format=f"{kind.removesuffix('IO')} (Neo)",
        findings=findings, packages=("neo",),
    )  # fmt: skip
    return [recording]


def _sweep(segment: Any, number: int) -> tuple[Sweep | None, list[str]]:
    """Give a segment as a sweep, of the signals that share the rate of the first."""
    found: list[Signal] = []
    rate, start = 0.0, 0.0
    for signal in segment.analogsignals:
        own = float(signal.sampling_rate.rescale("Hz"))
        if found and own != rate:
            continue
        names = signal.array_annotations.get("channel_names", [signal.name] * signal.shape[1])
        for k in range(signal.shape[1]):
            unit = str(signal.units.dimensionality.string)
            values, si = in_si(np.asarray(signal.magnitude[:, k], dtype=float), unit)
            if si in {"V", "A"}:
                found.append(Signal(name=str(names[k]), unit=si, values=values))
                rate, start = own, float(signal.t_start.rescale("s"))
    mode, response, command = roles(found)
    if response is None:
        return None, [f"segment {number} has no channel in volts or amperes"]
    if command is not None and command.values.size != response.values.size:
        command = None
    more = [s.name for s in found if s is not response and s is not command]
    notes = [MONITOR.format(command.name) if command is not None else UNKNOWN]
    if more:
        notes.append(f"further channels are left out: {', '.join(more)}")
    sweep = Sweep(
        mode=mode, response=response.values, rate=rate, number=number, start_time=start,
        command=None if command is None else command.values,
    )  # fmt: skip
    return sweep, notes

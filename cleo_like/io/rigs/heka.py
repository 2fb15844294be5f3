"""HEKA PatchMaster bundles (.dat): a cell a group, the sweeps of all its series.

Offsets are those of HEKA's own descriptions of the trees (PulsedFile_v9, StimFile_v9); myokit's
reader is the other witness in the tests.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.sweep import ClampMode, Sweep
from cleo_like.io.rigs.assemble import UNKNOWN, Signal, in_si, recording_of, roles
from cleo_like.io.rigs.heka_tree import Node, bundle_items, tree_at

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.core.recording import Recording
    from cleo_like.io.rigs.heka_tree import Bytes

_CURRENT = 4  # TrRecordingMode: CClamp; 0 to 3 and 5 hold the potential
_FORMATS = {0: "i2", 1: "i4", 2: "f4", 3: "f8"}  # TrDataFormat
_LITTLE, _LEAK = 1, 2  # bits of TrDataKind
_UNDATED = "the file does not tell from when its clock counts; only differences are used"
_CONSTANT, _RAMP, _INCREASE = 0, 1, 0
_STIM_SCALE, _RELATIVE, _TEMPLATE = 1, 2, 4  # bits of chStimToDacID
_NANO = 1e-9  # currents of a stimulus are in nA, whatever its unit says


def is_heka(path: Path) -> bool:
    """Whether a file begins as a PatchMaster bundle."""
    with path.open("rb") as file:
        return file.read(3) == b"DAT"


def read_heka(path: Path) -> list[Recording]:
    """Read a PatchMaster bundle: a recording for each group and amplifier.

    A series is a stimulus, and the name of its sweeps. The command is reconstructed from the
    stimulus where it consists of constant segments and ramps; else it is the recorded
    monitor; else it is unknown, and a finding says so.

    Raises
    ------
    FileFormatError
        No bundle of PatchMaster ("DAT2"), damaged, or without sweeps.
    """
    data: Bytes = path.read_bytes()
    try:
        items, order = bundle_items(data)
        pulsed = tree_at(data, items[".pul"])
        stimuli = tree_at(data, items[".pgf"]) if ".pgf" in items else None
        cells = _cells(data, pulsed, stimuli, order)
    except KeyError as error:
        msg = f"{path.name} has no part {error} of a PatchMaster bundle"
        raise FileFormatError(msg) from error
    except (struct.error, IndexError, ValueError, RecursionError) as error:
        if isinstance(error, FileFormatError):
            raise
        msg = f"{path.name} is a damaged HEKA file ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error
    if not cells:
        msg = f"{path.name} is a HEKA file without any sweep"
        raise FileFormatError(msg)
    several = len(cells) > 1
    return [
        recording_of(
            path, sweeps, cell=f"{path.stem}_{name}" if several else path.stem,
            file_format="HEKA PatchMaster", findings=[*findings, _UNDATED],
            device={"group": name},
        )
        for name, (sweeps, findings) in cells.items()
    ]  # fmt: skip


Found = tuple[list[Sweep], list[str]]


def _cells(data: Bytes, pulsed: Node, stimuli: Node | None, order: str) -> dict[str, Found]:
    out: dict[str, Found] = {}
    for place, group in enumerate(pulsed.children):
        label = group.text(4, 32) or f"group-{place + 1}"
        begun: float | None = None
        for series in group.children:
            for k, sweep in enumerate(series.children):
                begun = sweep.real(48) if begun is None else begun
                for index, traces in _by_amplifier(sweep).items():
                    name = label if index in {0, 1} else f"{label}-{index}"
                    made = _sweep(data, traces, (sweep, k, stimuli), order)
                    if made is None:
                        continue
                    sweeps, findings = out.setdefault(name, ([], []))
                    sweeps.append(attrs.evolve(
                        made[0], number=len(sweeps), stimulus=series.text(4, 32) or None,
                        start_time=max(sweep.real(48) - begun, 0.0),
                    ))  # fmt: skip
                    findings.append(made[1])
    return out


def _by_amplifier(sweep: Node) -> dict[int, list[Node]]:
    out: dict[int, list[Node]] = {}
    for trace in sweep.children:
        if not trace.short(64) & _LEAK:
            out.setdefault(trace.byte(69), []).append(trace)
    return out


def _sweep(
    data: Bytes, traces: list[Node], who: tuple[Node, int, Node | None], order: str
) -> tuple[Sweep, str] | None:
    mode = ClampMode.CURRENT if traces[0].byte(68) == _CURRENT else ClampMode.VOLTAGE
    signals = [_signal(data, trace, order) for trace in traces]
    mode, response, monitor = roles(signals, mode)
    if response is None:
        return None
    chosen = traces[signals.index(response)]
    rate = 1 / chosen.real(104)
    command, said = _command(who, mode, rate, response.values.size)
    if command is None and monitor is not None and monitor.values.size == response.values.size:
        command, said = monitor.values, f"the command is the recorded monitor {monitor.name!r}"
    settings = {
        "membrane_capacitance": chosen.real(176),
        "series_resistance": 1 / g if (g := chosen.real(184)) > 0 else 0.0,
    }
    sweep = Sweep(
        mode=mode, response=response.values, command=command, rate=rate,
        settings={name: value for name, value in settings.items() if value > 0},
    )  # fmt: skip
    return sweep, said


def _signal(data: Bytes, trace: Node, order: str) -> Signal:
    kind = "<" if trace.short(64) & _LITTLE else order
    dtype = np.dtype(f"{kind}{_FORMATS[trace.byte(70)]}")
    start, n = trace.whole(40), trace.whole(44)
    block, skip = (trace.whole(292), trace.whole(296)) if trace.size >= 300 else (0, 0)
    if block > 0 and skip > block:
        raw = b"".join(
            data[start + k * skip : start + k * skip + block]
            for k in range(-(-n * dtype.itemsize // block))
        )
        raw = raw[: n * dtype.itemsize]
    else:
        raw = data[start : start + n * dtype.itemsize]
    values = np.frombuffer(raw, dtype, count=n).astype(float) * trace.real(72)
    values, unit = in_si(values, trace.text(96, 8))
    return Signal(name=trace.text(4, 32), unit=unit, values=values)


def _command(
    who: tuple[Node, int, Node | None], mode: ClampMode, rate: float, n: int
) -> tuple[np.ndarray | None, str]:
    """Draw the stimulus of a sweep, or say why it cannot be."""
    sweep, k, stimuli = who
    number = sweep.whole(40) - 1
    if stimuli is None or not 0 <= number < len(stimuli.children):
        return None, UNKNOWN
    unit = mode.command_unit
    for channel in stimuli.children[number].children:
        if channel.text(40, 8) == unit:
            drawn, why = _drawn(channel, k, rate, unit)
            if drawn is None:
                return None, f"{UNKNOWN}: {why}"
            if abs(drawn.size - n) > 1:
                return None, f"{UNKNOWN}: the stimulus has {drawn.size} samples, the sweep {n}"
            drawn = np.pad(drawn, (0, max(n - drawn.size, 0)), mode="edge")[:n]
            return drawn, "the command is reconstructed from the stimulus of the series"
    return None, f"{UNKNOWN}: no output of the stimulus is in {unit}"


def _drawn(channel: Node, k: int, rate: float, unit: str) -> tuple[np.ndarray | None, str]:
    flags = channel.short(76)
    if not flags & _STIM_SCALE or flags & _TEMPLATE:
        return None, "its output is a file, or scaled in another way"
    scale = _NANO if unit == "A" else 1.0
    holding = channel.real(48) * (1e-6 if unit == "A" else 1.0)
    parts, level = [], holding
    for segment in channel.children:
        kind = segment.byte(4)
        if kind not in {_CONSTANT, _RAMP}:
            return None, f"a segment of class {kind}, neither constant nor ramp"
        steps = (segment.real(28), segment.real(56))
        changes = any(step != 0 for step in steps)
        if changes and (segment.byte(6) != _INCREASE or segment.byte(7) != _INCREASE):
            return None, "levels that do not increase from sweep to sweep"
        if changes and {segment.real(20), segment.real(48)} - {0.0, 1.0}:
            return None, "levels that change by a factor"
        if segment.whole(16) > 1 or segment.whole(44) > 1:
            return None, "levels from parameters of the rig"
        value = (segment.real(8) + k * steps[0]) * scale
        if segment.whole(16) == 1:
            value = holding
        elif flags & _RELATIVE:
            value += holding
        length = round((segment.real(36) + k * steps[1]) * rate)
        if segment.byte(5):  # stored
            start = level if kind == _RAMP else value
            parts.append(np.linspace(start, value, length, endpoint=kind != _RAMP))
        level = value
    return np.concatenate(parts) if parts else np.zeros(0), ""

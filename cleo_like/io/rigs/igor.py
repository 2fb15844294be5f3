"""Igor waves (.ibw) and packed experiments (.pxp), read by igor2."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.plugins import needed
from cleo_like.core.sweep import Sweep
from cleo_like.io.rigs.assemble import UNKNOWN, Signal, in_si, recording_of, roles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cleo_like.core.recording import Recording

_DAMAGED = (ValueError, IndexError, KeyError, TypeError, OSError, EOFError, struct.error,
            AssertionError, AttributeError, NotImplementedError)  # fmt: skip
Wave: TypeAlias = tuple[str, str, float | None, np.ndarray]
"""Name, unit, rate (Hz), and samples with a sweep in each column."""
_TIME = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_PAIRED = "commands are the waves in amperes, paired with the potentials in their order"


def read_igor_wave(path: Path) -> list[Recording]:
    """Read an Igor binary wave: a sweep, or one in each column.

    Raises
    ------
    FileFormatError
        Damaged, or without a unit and a time step.
    UnsupportedError
        igor2 is not installed.
    """
    binary = needed("igor2.binarywave", "readers", "an Igor wave")
    try:
        wave = binary.load(str(path))["wave"]
    except _DAMAGED as error:
        msg = (
            f"{path.name} is no Igor binary wave, or damaged ({type(error).__name__}: {error})"
        )
        raise FileFormatError(msg) from error
    return [_recording(path, [_named(wave)])]


def read_igor_experiment(path: Path) -> list[Recording]:
    """Read the waves of a packed experiment as the sweeps of one cell.

    Waves in volts are responses; as many in amperes are their commands.

    Raises
    ------
    FileFormatError
        Damaged, or without a wave of a unit and a time step.
    UnsupportedError
        igor2 is not installed.
    """
    packed = needed("igor2.packed", "readers", "an Igor experiment")
    try:
        _, tree = packed.load(str(path))
        waves = [_named(wave.wave["wave"]) for wave in _waves(tree["root"])]
    except _DAMAGED as error:
        what = f"{type(error).__name__}: {error}"
        msg = f"{path.name} is no packed Igor experiment, or damaged ({what})"
        raise FileFormatError(msg) from error
    return [_recording(path, waves)]


def _waves(folder: dict[Any, Any]) -> Iterator[Any]:
    """Go through a folder and those in it, in their order."""
    for thing in folder.values():
        if isinstance(thing, dict):
            yield from _waves(thing)
        elif hasattr(thing, "wave"):
            yield thing


def _named(wave: dict[str, Any]) -> Wave:
    """Give name, unit, rate (Hz) and samples, a sweep a column."""
    header = wave["wave_header"]
    data = np.asarray(wave["wData"], dtype=float)
    name = _text(header["bname"])
    unit = _text(header["dataUnits"]) or _text(wave.get("data_units", b""))
    step = float(header["sfA"][0] if "sfA" in header else header["hsA"])
    short = np.asarray(header["dimUnits"])[0] if "dimUnits" in header else header["xUnits"]
    told = _text(short) or _text(wave.get("dimension_units", b""))
    rate = 1 / (step * _TIME[told]) if told in _TIME and step > 0 else None
    return (
        name,
        unit,
        rate,
        data.reshape(data.shape[0], -1) if data.ndim else data.reshape(1, 1),
    )


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.tobytes()
    if isinstance(value, (list, tuple)):
        value = b"".join(value)
    raw = value if isinstance(value, bytes) else str(value).encode()
    return raw.split(b"\0")[0].decode("utf-8", "replace").strip()


def _columns(waves: list[Wave], findings: list[str]) -> list[tuple[Signal, float]]:
    """Give each column in V or A with its rate; say what else there is."""
    columns: list[tuple[Signal, float]] = []
    for name, unit, rate, data in waves:
        if rate is None:
            findings.append(f"wave {name!r} has no time step in seconds; left out")
            continue
        scaled = [in_si(column, unit) for column in data.T]
        if scaled[0][1] not in {"V", "A"}:
            said = f"the unit {unit!r}" if unit else "no unit"
            findings.append(f"wave {name!r} has {said}, neither volts nor amperes; left out")
            continue
        columns += [(Signal(name=name, unit=si, values=v), rate) for v, si in scaled]
    return columns


def _pairs(
    columns: list[tuple[Signal, float]], findings: list[str]
) -> list[list[tuple[Signal, float]]]:
    """Put potentials and currents together where as many of one length are there."""
    volts = [c for c in columns if c[0].unit == "V"]
    amps = [c for c in columns if c[0].unit == "A"]
    alike = len(volts) == len(amps) and all(
        v.values.size == a.values.size and r == s
        for (v, r), (a, s) in zip(volts, amps, strict=True)
    )
    if volts and alike:
        findings.append(_PAIRED)
        return [[v, a] for v, a in zip(volts, amps, strict=True)]
    if columns:
        findings.append(UNKNOWN)
    if volts and amps:
        told = f"{len(amps)} waves in amperes do not fit {len(volts)} in volts; left out"
        findings.append(told)
    return [[c] for c in volts] or [[c] for c in amps]


def _recording(path: Path, waves: list[Wave]) -> Recording:
    findings: list[str] = []
    sweeps: list[Sweep] = []
    at = 0.0
    for pair in _pairs(_columns(waves, findings), findings):
        mode, response, command = roles([signal for signal, _ in pair])
        if response is None:
            continue
        sweeps.append(Sweep(
            mode=mode, response=response.values, rate=pair[0][1], number=len(sweeps),
            command=None if command is None else command.values, start_time=at,
        ))  # fmt: skip
        at += sweeps[-1].duration
    if len(sweeps) > 1:
        findings.append("the file does not tell when sweeps began; they follow each other")
    return recording_of(
        path, sweeps, cell=path.stem, file_format="Igor", findings=findings,
        packages=("igor2",),
    )  # fmt: skip

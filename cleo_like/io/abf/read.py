"""ABF file -> recordings: one per cell, with the right command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.cell import Cell
from cleo_like.core.protocol import FAMILIES, Protocol
from cleo_like.core.provenance import Provenance, hash_of, versions
from cleo_like.core.recording import Recording
from cleo_like.core.sweep import ClampMode, Sweep
from cleo_like.io.abf.channels import Choice, choose
from cleo_like.io.abf.command import Command, command_of
from cleo_like.io.abf.source import AbfSource, open_abf
from cleo_like.io.plausibility import unit_findings
from cleo_like.io.sidecar import apply_sidecar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SAME = 1.001  # a recorded command within one LSB (and a hair) of the epoch table is that table


def read_abf(path: Path, read_stimulus: Callable[[Path], Protocol]) -> list[Recording]:
    """Read every cell of an ABF file.

    Parameters
    ----------
    path : Path
        An ABF1 or ABF2 file.
    read_stimulus : callable
        Reads a stimulus file that the header points to (path -> Protocol).

    Returns
    -------
    list of Recording
        One per cell.

    Raises
    ------
    FileFormatError
        Not an ABF file, or truncated.
    """
    source = open_abf(path)
    choices, findings = choose(source)
    samples = source.samples()
    several = len(choices) > 1
    recordings = [
        _recording(source, samples, choice, findings, read_stimulus, several=several)
        for choice in choices
    ]
    return [apply_sidecar(recording, path) for recording in recordings]


def read_waveforms(path: Path) -> tuple[AbfSource, np.ndarray]:
    """Read the first channel of a stimulus file: (header, waveforms (n_sweeps, n_samples))."""
    source = open_abf(path)
    return source, np.stack(source.channel(source.samples(), 0))


def _recording(
    source: AbfSource,
    samples: np.ndarray,
    choice: Choice,
    findings: tuple[str, ...],
    read_stimulus: Callable[[Path], Protocol],
    *,
    several: bool,
) -> Recording:
    command = _command(source, samples, choice, read_stimulus)
    responses = source.channel(samples, choice.response)
    commands = _per_sweep(source, command)
    sweeps = [
        Sweep(
            response=response,
            command=commands[number],
            rate=source.rate,
            number=number,
            mode=choice.mode,
            start_time=float(source.starts[number]),
            stimulus=source.protocol or None,
            notes=(f"command: {command.origin}",),
        )
        for number, response in enumerate(responses)
    ]
    name = source.names[choice.response]
    said = (*findings, *command.findings, *unit_findings(sweeps), *_clock(source))
    return Recording(
        sweeps=sweeps,
        cell=Cell(id=f"{source.path.stem}_{name.replace(' ', '')}" if several else source.path.stem,
                  source=source.path.name),
        provenance=Provenance(
            source=source.path.name, software=versions(["pyabf"]), input_hash=hash_of(source.path)
        ),
        protocol=_protocol(source, command, choice.mode),
        session_start=None if source.started is None else f"{source.started}+00:00",
        findings=said,
        device={"electrode": name, "file_format": f"ABF {source.version}",
                "comment": source.comment},
    )  # fmt: skip


def _clock(source: AbfSource) -> tuple[str, ...]:
    if source.started is None:
        return ("the file does not say when it was recorded",)
    return ("ABF keeps local time without a zone; it was taken as UTC",)


def _per_sweep(source: AbfSource, command: Command) -> list[np.ndarray | None]:
    if command.waveforms is None:
        return [None] * len(source.lengths)
    return list(command.waveforms)


def _command(
    source: AbfSource,
    samples: np.ndarray,
    choice: Choice,
    read_stimulus: Callable[[Path], Protocol],
) -> Command:
    """The epoch table when it tells, else what was recorded, the truth where they differ."""
    if choice.recorded is None:
        if choice.dac is None:
            return Command(waveforms=None, origin="unknown", findings=("no command is known",))
        return command_of(source, choice.dac, read_stimulus)
    recorded = source.channel(samples, choice.recorded)
    name = source.names[choice.recorded]
    if len(set(source.lengths.tolist())) > 1:
        text = f"sweeps differ in length; the command recorded as {name!r} was left out"
        return Command(waveforms=None, origin="unknown", findings=(text,))
    measured = Command(waveforms=np.stack(recorded), origin=f"recorded as channel {name!r}")
    if choice.dac is None or not (source.enabled[choice.dac] and source.origin[choice.dac]):
        return measured
    table = command_of(source, choice.dac, read_stimulus)
    if table.waveforms is None or measured.waveforms is None:
        return measured
    return _agreed(source, choice.recorded, measured, table)


def _agreed(source: AbfSource, channel: int, measured: Command, table: Command) -> Command:
    difference = float(np.abs(measured.waveforms - table.waveforms).max())  # type: ignore[operator]
    unit = source.units[channel]
    step = abs(float(source.scales[channel])) * unit.scale
    if difference <= _SAME * step:
        origin = (
            f"{table.origin}, confirmed by the {measured.origin.removeprefix('recorded as ')}"
        )
        return Command(waveforms=table.waveforms, epochs=table.epochs, origin=origin)
    text = (
        f"the recorded command differs from the {table.origin} by up to "
        f"{difference / unit.scale:.4g} {unit.text}; the recorded one was taken"
    )
    return Command(waveforms=measured.waveforms, origin=measured.origin, findings=(text,))


def _protocol(source: AbfSource, command: Command, mode: ClampMode) -> Protocol | None:
    if command.waveforms is None or mode is ClampMode.UNKNOWN or not command.waveforms.size:
        return None
    length = source.lengths[0] / source.rate
    pauses = np.diff(source.starts) - length
    return Protocol(
        waveforms=command.waveforms,
        rate=source.rate,
        family=family_in(source.comment),
        mode=mode,
        epochs=command.epochs,
        holding=float(command.waveforms[0, 0]),
        gap=max(float(np.median(pauses)), 0.0) if len(pauses) else 0.0,
        name=source.protocol or source.path.stem,
        source=f"{source.path.name}: {command.origin}",
    )


def family_in(comment: str) -> str:
    """Find the family that our writer put into the comment; "arbitrary" without one."""
    _, found, rest = comment.partition("family:")
    words = rest.split()
    return words[0] if found and words and words[0] in FAMILIES else "arbitrary"

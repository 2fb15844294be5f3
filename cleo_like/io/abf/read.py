"""ABF file -> recordings: one per cell, with the right command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.cell import Cell
from cleo_like.core.errors import FileFormatError
from cleo_like.core.protocol import Protocol
from cleo_like.core.provenance import Provenance
from cleo_like.core.recording import Recording, Scaling
from cleo_like.core.sweep import ClampMode, Sweep
from cleo_like.io.abf.channels import Choice, choice_of, choose
from cleo_like.io.abf.command import Command, command_of, is_played
from cleo_like.io.abf.source import AbfSource, open_abf
from cleo_like.io.channels import family_in
from cleo_like.io.findings.electrodes import electrode_names, pick
from cleo_like.io.findings.plausibility import unit_findings
from cleo_like.io.findings.samples import measured, sample_findings
from cleo_like.io.sidecar import apply_sidecar, protocol_in_sidecar

if TYPE_CHECKING:
    from pathlib import Path

_SAME = 1.001  # a recorded command within one LSB (and a hair) of the epoch table is that table
_FOLLOWS = (0.5, 2.0)
_STIMULUS = "cleo_like stimulus"  # how the comment of our stimulus files begins
_BYPASS = 1e5  # Hz: telegraphed by amplifiers without a filter


@attrs.frozen(kw_only=True, eq=False)
class _Opened:
    """A file with its samples and the cells that are in it."""

    source: AbfSource
    samples: np.ndarray
    choices: list[Choice]
    findings: tuple[str, ...]

    def recording(self, choice: Choice) -> Recording:
        several = len(self.choices) > 1
        findings = (*self.findings, *self.source.findings)
        return _recording(self.source, self.samples, choice, findings, several=several)


def read_abf(path: Path) -> list[Recording]:
    """Read every cell of an ABF file.

    Parameters
    ----------
    path : Path
        An ABF1 or ABF2 file.

    Returns
    -------
    list of Recording
        One per cell; those whose output played a waveform come first.

    Raises
    ------
    FileFormatError
        Not an ABF file, truncated or damaged, or a stimulus file.
    """
    opened = _opened(path)
    return [opened.recording(choice) for choice in opened.choices]


def read_abf_electrode(path: Path, electrode: str | None) -> Recording:
    """Read one cell of an ABF file, or any channel of it.

    Parameters
    ----------
    path : Path
        An ABF1 or ABF2 file.
    electrode : str or None
        Name of a channel. None takes the only cell, or the only one that was driven.

    Raises
    ------
    FileFormatError
        As `read_abf`.
    InputError
        Several cells were driven, or none of several, and none was named.
    UnknownNameError
        No such channel.
    """
    opened = _opened(path)
    if electrode is None:
        driven = [c for c in opened.choices if c.driven]
        chosen = driven if len(driven) == 1 else opened.choices
        recording = pick(path, [opened.recording(c) for c in chosen], None)
        others = [opened.source.names[c.response] for c in opened.choices if c not in chosen]
        text = f"also recorded, their outputs silent: {', '.join(map(repr, others))}"
        return (
            recording
            if not others
            else attrs.evolve(recording, findings=(*recording.findings, text))
        )
    recordings = [opened.recording(c) for c in opened.choices]
    names = opened.source.names
    if electrode in electrode_names(recordings) or electrode not in names:
        return pick(path, recordings, electrode, others=names)
    choice = choice_of(opened.source, opened.samples, names.index(electrode), opened.choices)
    return opened.recording(choice)


def _opened(path: Path) -> _Opened:
    source = open_abf(path)
    if source.comment.startswith(_STIMULUS):
        msg = f"{path.name} is a stimulus file without responses; read it with read_protocol"
        raise FileFormatError(msg)
    samples = source.samples()
    choices, findings = choose(source, samples)
    return _Opened(source=source, samples=samples, choices=choices, findings=findings)


def read_abf_protocol(path: Path) -> Protocol:
    """Read a stimulus file, or the protocol of a recording.

    Raises
    ------
    FileFormatError
        It holds no command that is known.
    """
    source = open_abf(path)
    if _is_stimulus(source):
        return _stimulus(source)
    for recording in read_abf(path):
        if recording.protocol is not None:
            return recording.protocol
    msg = f"{path.name} holds no command that is known, so no protocol can be read from it"
    raise FileFormatError(msg)


def _is_stimulus(source: AbfSource) -> bool:
    """Whether a file holds a command alone: ours, or one channel that no output drives."""
    if source.comment.startswith(_STIMULUS):
        return True
    driven = any(output.driven for output in source.outputs)
    return source.n_channels == 1 and source.units[0].si != "?" and not driven


def _stimulus(source: AbfSource) -> Protocol:
    sweeps = source.channel(source.samples(), 0)
    if len({len(s) for s in sweeps}) > 1:
        msg = f"the sweeps of {source.path.name} differ in length; a protocol needs equal ones"
        raise FileFormatError(msg)
    waveforms = np.stack(sweeps)
    known = protocol_in_sidecar(source.path, waveforms)
    if known is not None:
        return known
    return Protocol(
        waveforms=waveforms,
        rate=source.rate,
        family=family_in(source.comment),
        mode=ClampMode.CURRENT if source.units[0].si == "A" else ClampMode.VOLTAGE,
        holding=_holding(source),
        gap=_gap(source),
        name=source.protocol or source.path.stem,
        source=source.path.name,
    )


def _holding(source: AbfSource) -> float:
    """Level of the first output, which played the stimulus file's neighbour (SI)."""
    return source.outputs[0].holding * source.units[0].scale if source.outputs else 0.0


def _recording(
    source: AbfSource,
    samples: np.ndarray,
    choice: Choice,
    findings: tuple[str, ...],
    *,
    several: bool,
) -> Recording:
    command = _command(source, samples, choice)
    responses = source.channel(samples, choice.response)
    sweeps = _sweeps(source, choice, command, responses)
    name = source.names[choice.response]
    stem = source.path.stem
    lasting = (
        *command.findings,
        *sample_findings(sweeps),
        *unit_findings(sweeps, about=source.comment),
    )
    recording = Recording(
        sweeps=sweeps,
        cell=Cell(
            id=f"{stem}_{name.replace(' ', '')}" if several else stem, source=source.path.name
        ),
        provenance=Provenance.of_file(source.path),
        protocol=_protocol(source, command, choice.mode),
        session_start=None if source.started is None else f"{source.started}+00:00",
        findings=(*findings, *lasting, *_clock(source)),
        device={
            "electrode": name,
            "file_format": f"ABF {source.version}",
            "comment": source.comment,
            **_filtering(source.filters[choice.response]),
        },
    )
    return _with_scaling(apply_sidecar(recording, source.path, lasting), source, choice)


def _filtering(corner: float) -> dict[str, str]:
    """Say what filter the amplifier telegraphed; above 100 kHz it is bypassed."""
    if not 0 < corner < _BYPASS:
        return {}
    return {"filtering": f"low pass of {corner / 1e3:g} kHz, as the amplifier telegraphed"}


def _with_scaling(recording: Recording, source: AbfSource, choice: Choice) -> Recording:
    scaling = Scaling(
        scale=float(source.scales[choice.response]),
        offset=float(source.offsets[choice.response]),
        unit=source.units[choice.response].scale,
        whole=np.issubdtype(source.dtype, np.integer),
    )
    return attrs.evolve(recording, scaling=scaling)


def _sweeps(
    source: AbfSource, choice: Choice, command: Command, responses: list[np.ndarray]
) -> list[Sweep]:
    waveforms = command.waveforms
    commands = [None] * len(responses) if waveforms is None else list(waveforms)
    return [
        measured(
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
        )
        for number, response in enumerate(responses)
    ]


def _clock(source: AbfSource) -> tuple[str, ...]:
    if source.started is None:
        return ("the file does not say when it was recorded",)
    return ("ABF keeps local time without a zone; it was taken as UTC",)


def _command(source: AbfSource, samples: np.ndarray, choice: Choice) -> Command:
    """Take the epoch table where it tells, else (or where it is wrong) what was recorded."""
    if choice.recorded is None:
        if choice.output is None:
            text = choice.doubt or "no command is known"
            return Command(waveforms=None, origin="unknown", findings=(text,))
        return command_of(source, choice.output)
    recorded = source.channel(samples, choice.recorded)
    name = source.names[choice.recorded]
    if len(set(source.lengths.tolist())) > 1:
        text = f"sweeps differ in length; the command recorded as {name!r} was left out"
        return Command(waveforms=None, origin="unknown", findings=(text,))
    measured = Command(waveforms=np.stack(recorded), origin=f"recorded as channel {name!r}")
    if choice.output is None or not is_played(source, choice.output):
        return measured
    table = command_of(source, choice.output)
    if table.waveforms is None or measured.waveforms is None:
        return attrs.evolve(measured, findings=table.findings)
    return _agreed(source, choice.recorded, measured, table)


def _agreed(source: AbfSource, channel: int, measured: Command, table: Command) -> Command:
    difference = float(np.abs(measured.waveforms - table.waveforms).max())  # type: ignore[operator]
    unit, name = source.units[channel], source.names[channel]
    step = abs(float(source.scales[channel])) * unit.scale
    if difference <= _SAME * step:
        origin = f"{table.origin}, confirmed by channel {name!r}"
        return Command(waveforms=table.waveforms, epochs=table.epochs, origin=origin)
    differs = (
        f"differs from the {table.origin} by up to {difference / unit.scale:.4g} {unit.text}"
    )
    if not _follows(measured.waveforms, table.waveforms):
        text = f"channel {name!r} {differs} and does not follow it, so it is not the command"
        return attrs.evolve(table, findings=(*table.findings, text))
    text = f"the recorded command {differs}; the recorded one was taken"
    return attrs.evolve(measured, findings=(text,))


def _follows(measured: Any, table: Any) -> bool:
    """Whether a channel steps with the epoch table (slope within a factor of two).

    An input to which nothing is connected has the right unit too. A table without steps
    drives nothing, so any recorded command may be the true one.
    """
    steps = table - table.mean()
    power = float((steps**2).sum())
    if power == 0:
        return True
    slope = float((steps * (measured - measured.mean())).sum()) / power
    return _FOLLOWS[0] < slope < _FOLLOWS[1]


def _protocol(source: AbfSource, command: Command, mode: ClampMode) -> Protocol | None:
    if command.waveforms is None or mode is ClampMode.UNKNOWN or not command.waveforms.size:
        return None
    if not np.isfinite(command.waveforms).all():  # a recorded command with samples missing
        return None
    return Protocol(
        waveforms=command.waveforms,
        rate=source.rate,
        family=family_in(source.comment),
        mode=mode,
        epochs=command.epochs,
        holding=float(command.waveforms[0, 0]),
        gap=_gap(source),
        name=source.protocol or source.path.stem,
        source=f"{source.path.name}: {command.origin}",
    )


def _gap(source: AbfSource) -> float:
    """Find the usual pause between sweeps (s); below half a sample it is rounding."""
    pauses = np.diff(source.starts) - source.lengths[:-1] / source.rate
    pause = float(np.median(pauses)) if len(pauses) else 0.0
    return pause if pause > 0.5 / source.rate else 0.0

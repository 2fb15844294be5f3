"""ATF file -> recordings or protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cleo_like.core.cell import Cell
from cleo_like.core.errors import FileFormatError
from cleo_like.core.protocol import Protocol
from cleo_like.core.provenance import Provenance
from cleo_like.core.recording import Recording
from cleo_like.core.sweep import ClampMode, Sweep
from cleo_like.io.atf.parse import read_table
from cleo_like.io.channels import family_in
from cleo_like.io.findings.electrodes import electrode_names, pick
from cleo_like.io.findings.plausibility import unit_findings
from cleo_like.io.findings.responses import REACH, is_auxiliary, is_potential, reach
from cleo_like.io.findings.samples import measured, sample_findings
from cleo_like.io.sidecar import apply_sidecar, protocol_in_sidecar

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from cleo_like.io.atf.table import AtfTable

_OTHER = {"V": "A", "A": "V"}


@attrs.frozen(kw_only=True)
class _Roles:
    """Which channels are cells, and which is the command of each."""

    responses: tuple[int, ...]
    commands: tuple[int | None, ...]


def read_atf(path: Path) -> list[Recording]:
    """Read an ATF recording: potentials and currents, or one of them.

    Raises
    ------
    FileFormatError
        Not ATF, truncated or damaged, or currents alone, which are a stimulus.
    """
    table = read_table(path)
    roles = _roles(path, table)
    several = len(roles.responses) > 1
    return [
        _recording(path, table, response, command, several=several)
        for response, command in zip(roles.responses, roles.commands, strict=True)
    ]


def read_atf_electrode(path: Path, electrode: str | None) -> Recording:
    """Read one cell of an ATF file, or any channel of it by its name.

    Raises
    ------
    InputError
        There are several cells, and none was named.
    UnknownNameError
        No such channel.
    """
    table = read_table(path)
    if electrode is None or electrode not in table.names:
        return pick(path, read_atf(path), electrode, others=table.names)
    index = table.names.index(electrode)
    if _is_stimulus(table):
        return _recording(path, table, index, None, several=True)
    roles = _roles(path, table)
    if index in roles.responses:
        recordings = read_atf(path)
        names = electrode_names(recordings)
        chosen = recordings[roles.responses.index(index)]
        return recordings[names.index(electrode)] if electrode in names else chosen
    return _recording(path, table, index, _command(table, index, {index}), several=True)


def read_atf_protocol(path: Path) -> Protocol:
    """Read a stimulus file (its first signal), or the command of a recording.

    Raises
    ------
    FileFormatError
        It holds no command.
    """
    table = read_table(path)
    index = _command_index(path, table)
    unit = table.units[index]
    waveforms = table.values[index] * unit.scale
    known = protocol_in_sidecar(path, waveforms)
    if known is not None:
        return known
    rate = _rate(path, table)
    source = path.name
    if len(table.names) > 1:
        source = f"{path.name}: {_named(table, index)}, one of {len(table.names)} signals"
    return Protocol(
        waveforms=waveforms,
        rate=rate,
        family=family_in(table.comment),
        mode=ClampMode.CURRENT if unit.si == "A" else ClampMode.VOLTAGE,
        holding=float(waveforms[0, 0]),
        name=path.stem,
        source=source,
    )


def _recording(
    path: Path, table: AtfTable, response: int, command: int | None, *, several: bool
) -> Recording:
    sweeps = _sweeps(path, table, response, command)
    name = table.names[response]
    lasting = (
        *table.findings,
        *sample_findings(sweeps),
        *unit_findings(sweeps, about=table.comment),
    )
    if command is None:
        lasting = (*lasting, "the file has no trace of a command; it is unknown")
    recording = Recording(
        sweeps=sweeps,
        cell=Cell(
            id=f"{path.stem}_{name.replace(' ', '')}" if several else path.stem,
            source=path.name,
        ),
        provenance=Provenance.of_file(path),
        findings=(
            *_chosen(table, response, command),
            *lasting,
            "ATF does not say when it was recorded",
        ),
        device={"electrode": name, "file_format": "ATF 1.0"},
    )
    return recording if several else apply_sidecar(recording, path, lasting)


def _sweeps(path: Path, table: AtfTable, response: int, command: int | None) -> list[Sweep]:
    rate = _rate(path, table)
    unit = table.units[response]
    mode = {"V": ClampMode.CURRENT, "A": ClampMode.VOLTAGE}.get(unit.si, ClampMode.UNKNOWN)
    return [
        measured(
            Sweep(
                response=table.values[response, i] * unit.scale,
                command=(
                    None
                    if command is None
                    else table.values[command, i] * table.units[command].scale
                ),
                rate=rate,
                number=i,
                mode=mode,
                start_time=float(start),
            )
        )
        for i, start in enumerate(table.starts)
    ]


def _chosen(table: AtfTable, response: int, command: int | None) -> tuple[str, ...]:
    """Say what was taken of several channels, beyond a response and its command."""
    others = [i for i in range(len(table.names)) if i not in (response, command)]
    if not others:
        return ()
    taken = f"response: {_named(table, response)}"
    if command is not None:
        taken += f"; recorded command: {_named(table, command)}"
    left = ", ".join(_named(table, i) for i in others)
    return (f"{taken}; also in the file: {left} (electrode=... reads any channel)",)


def _named(table: AtfTable, index: int) -> str:
    return f"{table.names[index]!r} ({table.units[index].text or 'no unit'})"


def _values(table: AtfTable, index: int) -> np.ndarray:
    return table.values[index].ravel() * table.units[index].scale


def _is_stimulus(table: AtfTable) -> bool:
    """Whether a file holds currents alone."""
    return {unit.si for unit in table.units} == {"A"}


def _roles(path: Path, table: AtfTable) -> _Roles:
    """Find the cells: the first channel that can be one, and others of its kind."""
    kinds = [unit.si for unit in table.units]
    clamped = [i for i, kind in enumerate(kinds) if kind in _OTHER]
    if not clamped:
        units = ", ".join(u.text or "none" for u in table.units)
        msg = f"{path.name} has no trace in mV or pA; its units are: {units}"
        raise FileFormatError(msg)
    if _is_stimulus(table):
        msg = (
            f"{path.name} holds currents only, a stimulus file; read it with read_protocol, or "
            f"as a response with electrode={table.names[0]!r}"
        )
        raise FileFormatError(msg)
    cells = [i for i in clamped if _can_be_cell(table, i)]
    first = (cells or [i for i in clamped if not is_auxiliary(table.names[i])] or clamped)[0]
    # several currents beside a potential: one is the response, no other an electrode for sure
    further = kinds[first] == "V"
    responses = [i for i in cells if kinds[i] == "V"] if further and cells else [first]
    taken = set(responses)
    commands = []
    for response in responses:
        command = _command(table, response, taken)
        if command is not None and further:
            taken.add(command)
        commands.append(command)
    return _Roles(responses=tuple(responses), commands=tuple(commands))


def _can_be_cell(table: AtfTable, index: int) -> bool:
    if is_auxiliary(table.names[index]):
        return False
    return table.units[index].si == "A" or is_potential(_values(table, index))


def _command(table: AtfTable, response: int, taken: set[int]) -> int | None:
    """Find the channel that recorded the command: the next one of the other kind."""
    other = _OTHER.get(table.units[response].si)
    fitting = [i for i, u in enumerate(table.units) if u.si == other and i not in taken]
    if other == "V":  # no trigger
        fitting = [i for i in fitting if reach(_values(table, i)) <= -REACH[0]]
    later = [i for i in fitting if i > response]
    return next(iter(later or fitting), None)


def _command_index(path: Path, table: AtfTable) -> int:
    kinds = [unit.si for unit in table.units]
    if _is_stimulus(table) or kinds == ["V"]:
        return 0
    command = _roles(path, table).commands[0]
    if command is None:
        msg = f"{path.name} has no trace of a command, so no protocol can be read from it"
        raise FileFormatError(msg)
    return command


def _rate(path: Path, table: AtfTable) -> float:
    if table.rate is None:
        msg = f"{path.name} has one sample per trace, so its rate is unknown"
        raise FileFormatError(msg)
    return table.rate

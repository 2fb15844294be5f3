"""ATF file -> recording or protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.core.cell import Cell
from cleo_like.core.errors import FileFormatError
from cleo_like.core.protocol import Protocol
from cleo_like.core.provenance import Provenance, hash_of, versions
from cleo_like.core.recording import Recording
from cleo_like.core.sweep import ClampMode, Sweep
from cleo_like.io.atf.table import AtfTable, read_table
from cleo_like.io.channels import family_in
from cleo_like.io.plausibility import unit_findings
from cleo_like.io.sidecar import apply_sidecar, protocol_in_sidecar

if TYPE_CHECKING:
    from pathlib import Path


def read_atf(path: Path) -> list[Recording]:
    """Read an ATF recording: a potential and a current, or one of them.

    Raises
    ------
    FileFormatError
        Not ATF, truncated, or a single trace of current, which is a stimulus.
    """
    table = read_table(path)
    response, command = _roles(path, table)
    rate = _rate(path, table)
    potential = table.units[response].si == "V"
    mode = ClampMode.CURRENT if potential else ClampMode.VOLTAGE
    sweeps = [
        Sweep(
            response=table.values[response, i] * table.units[response].scale,
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
        for i, start in enumerate(table.starts)
    ]
    lasting = unit_findings(sweeps)
    if command is None:
        lasting = (*lasting, "the file has no trace of a command; it is unknown")
    recording = Recording(
        sweeps=sweeps,
        cell=Cell(id=path.stem, source=path.name),
        provenance=Provenance(source=path.name, software=versions(), input_hash=hash_of(path)),
        findings=(*lasting, "ATF does not say when it was recorded"),
        device={"electrode": table.names[response], "file_format": "ATF 1.0"},
    )
    return [apply_sidecar(recording, path, lasting)]


def read_atf_protocol(path: Path) -> Protocol:
    """Read a stimulus file, or the command of a recording.

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
    return Protocol(
        waveforms=waveforms,
        rate=rate,
        family=family_in(table.comment),
        mode=ClampMode.CURRENT if unit.si == "A" else ClampMode.VOLTAGE,
        holding=float(waveforms[0, 0]),
        name=path.stem,
        source=path.name,
    )


def _roles(path: Path, table: AtfTable) -> tuple[int, int | None]:
    """Find the response (the first potential, else refuse) and the command."""
    kinds = [unit.si for unit in table.units]
    if "V" not in kinds and "A" not in kinds:
        units = ", ".join(u.text or "none" for u in table.units)
        msg = f"{path.name} has no trace in mV or pA; its units are: {units}"
        raise FileFormatError(msg)
    if kinds[0] == "A" and "V" not in kinds:
        msg = f"{path.name} holds currents only, a stimulus file; read it with read_protocol"
        raise FileFormatError(msg)
    response = 0 if kinds[0] != "?" else kinds.index("V")
    other = "A" if kinds[response] == "V" else "V"
    return response, kinds.index(other) if other in kinds else None


def _command_index(path: Path, table: AtfTable) -> int:
    kinds = [unit.si for unit in table.units]
    if len(kinds) == 1 and kinds[0] != "?":
        return 0
    _, command = _roles(path, table)
    if command is None:
        msg = f"{path.name} has no trace of a command, so no protocol can be read from it"
        raise FileFormatError(msg)
    return command


def _rate(path: Path, table: AtfTable) -> float:
    if table.rate is None:
        msg = f"{path.name} has one sample per trace, so its rate is unknown"
        raise FileFormatError(msg)
    return table.rate

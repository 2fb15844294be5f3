"""Recording or protocol -> ABF1 file and its sidecar."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.protocol import Protocol
from cleo_like.core.sweep import ClampMode
from cleo_like.io.abf.arrays import Header, write_abf1
from cleo_like.io.abf.table import EpochTable, epoch_table
from cleo_like.io.channels import channels_of, comment_for
from cleo_like.io.facts import facts_of, protocol_facts
from cleo_like.io.sidecar import written_with_sidecar
from cleo_like.io.targets import check_target
from cleo_like.io.text_units import SHOWN

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.core.recording import Recording


def write_abf(
    thing: Recording | Protocol, path: str | Path, *, overwrite: bool = False
) -> Path:
    """Write a recording, or a protocol as a stimulus file, as ABF1.

    A recording becomes two channels, the response (mV or pA) and the command (pA or mV); a
    protocol one channel that Clampex plays as a stimulus file. What ABF cannot hold goes
    into ``<name>.abf.json`` beside it.

    Parameters
    ----------
    thing : Recording or Protocol
        Its sweeps must agree in length, rate and clamp mode.
    path : str or Path
        Both files appear whole or not at all.
    overwrite : bool
        Whether a file that this package wrote may be replaced; a recording from elsewhere
        never is.

    Returns
    -------
    Path
        The ABF file.

    Raises
    ------
    ExistingFileError
        The file, or its sidecar, exists.
    FileFormatError
        ABF1 cannot hold it (sweeps that differ, too long, unknown clamp mode).
    InputError
        A sample is NaN or infinite.

    Notes
    -----
    Clampex holds the first and the last 1/64 of every sweep; a stimulus that must be played
    whole needs that much holding at both ends.
    """
    path = check_target(path, overwrite=overwrite, sidecar=True)
    if isinstance(thing, Protocol):
        return _write_protocol(thing, path, overwrite=overwrite)
    return _write_recording(thing, path, overwrite=overwrite)


def _write_protocol(protocol: Protocol, path: Path, *, overwrite: bool) -> Path:
    facts, arrays = protocol_facts(protocol)
    unit = SHOWN[protocol.mode.command_unit]
    header = Header(
        comment=comment_for(protocol, "stimulus"),
        protocol=f"{protocol.name}.pro",
        current_clamp=protocol.mode is ClampMode.CURRENT,
        output_unit=unit.text,
        holding=protocol.holding / unit.scale,
    )
    with written_with_sidecar(path, facts, arrays, overwrite=overwrite) as temporary:
        write_abf1(
            temporary,
            protocol.waveforms / unit.scale,
            units=unit.text,
            rate=f"{protocol.rate!r} Hz",
            names=["Cmd"],
            start_times=_seconds(protocol.start_times),
            header=header,
            overwrite=True,  # the temporary file
        )
    return path


def _write_recording(recording: Recording, path: Path, *, overwrite: bool) -> Path:
    channels = channels_of(recording, path)
    facts, arrays = facts_of(recording)
    unit = SHOWN[channels.mode.command_unit]
    table = _table(recording, unit.scale)
    facts["epoch_table"] = table if isinstance(table, str) else "written"
    protocol = recording.protocol
    name = protocol.name if protocol is not None else (recording.sweeps[0].stimulus or "")
    header = Header(
        recorded=_recorded(recording),
        comment=comment_for(protocol, "recording"),
        protocol=f"{name}.pro" if name else "",
        current_clamp=channels.mode is ClampMode.CURRENT,
        output_unit=unit.text,
        holding=0.0 if protocol is None else protocol.holding / unit.scale,
        table=None if isinstance(table, str) else table,
    )
    with written_with_sidecar(path, facts, arrays, overwrite=overwrite) as temporary:
        write_abf1(
            temporary,
            channels.data,
            units=channels.units,
            rate=f"{channels.rate!r} Hz",
            names=channels.names,
            start_times=_start_times(recording),
            header=header,
            overwrite=True,  # the temporary file
        )
    return path


def _table(recording: Recording, scale: float) -> EpochTable | str:
    protocol = recording.protocol
    if protocol is None:
        return "left out: no protocol is known"
    table = epoch_table(protocol, scale)
    if isinstance(table, str):
        return f"left out: {table}"
    commands = [s.command for s in recording.sweeps]
    same = len(commands) == protocol.n_sweeps and all(
        c is not None and np.allclose(c, w, rtol=1e-6, atol=0)
        for c, w in zip(commands, protocol.waveforms, strict=True)
    )
    return table if same else "left out: the sweeps were commanded otherwise than the protocol"


def _recorded(recording: Recording) -> datetime:
    start = recording.session_start
    if start is None:
        start = recording.provenance.created
    return datetime.now(UTC) if start is None else datetime.fromisoformat(start)


def _start_times(recording: Recording) -> Any:
    """Give the start times, or None (end to end) where they are unknown or overlap."""
    times = np.array([s.start_time for s in recording.sweeps])
    pauses = np.diff(times) - recording.sweeps[0].duration
    if times[0] < 0 or (pauses < -0.5 / recording.sweeps[0].rate).any():
        return None
    return _seconds(times)


def _seconds(times: np.ndarray) -> Any:
    return [f"{t!r} s" for t in times.tolist()]

"""Recording or protocol -> ATF file and its sidecar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.protocol import Protocol
from cleo_like.io.atf.table import AtfTable, write_table
from cleo_like.io.channels import channels_of, comment_for
from cleo_like.io.facts import facts_of, protocol_facts
from cleo_like.io.sidecar import written_with_sidecar
from cleo_like.io.targets import check_target
from cleo_like.io.text_units import SHOWN, parse_unit

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.core.recording import Recording


def write_atf(
    thing: Recording | Protocol, path: str | Path, *, overwrite: bool = False
) -> Path:
    """Write a recording, or a protocol as a stimulus file, as ATF 1.0 text.

    About four times the size of ABF and slow to load in Clampex; numbers keep 8 digits.
    What ATF cannot hold goes into ``<name>.atf.json`` beside it.

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
        The ATF file.

    Raises
    ------
    ExistingFileError
        The file, or its sidecar, exists.
    FileFormatError
        More sweeps than an ATF line has room for, or sweeps that differ.
    InputError
        A sample is NaN or infinite.
    """
    path = check_target(path, overwrite=overwrite, sidecar=True)
    if isinstance(thing, Protocol):
        unit = SHOWN[thing.mode.command_unit]
        facts, arrays = protocol_facts(thing)
        table = AtfTable(
            values=thing.waveforms[np.newaxis] / unit.scale,
            names=("Cmd",),
            units=(unit,),
            rate=thing.rate,
            starts=thing.start_times,
            comment=comment_for(thing, "stimulus"),
        )
    else:
        channels = channels_of(thing, path)
        facts, arrays = facts_of(thing)
        table = AtfTable(
            values=channels.data,
            names=tuple(channels.names),
            units=tuple(map(parse_unit, channels.units)),
            rate=channels.rate,
            starts=np.array([s.start_time for s in thing.sweeps]),
            comment=comment_for(thing.protocol, "recording"),
        )
    _check_finite(table)
    with written_with_sidecar(path, facts, arrays, overwrite=overwrite) as temporary:
        write_table(temporary, table)
    return path


def _check_finite(table: AtfTable) -> None:
    bad = np.argwhere(~np.isfinite(table.values))
    if len(bad):
        channel, sweep, sample = bad[0]
        msg = (
            f"{table.names[channel]} is not finite in sweep {sweep} at sample {sample}; ATF "
            "holds finite numbers only: trim the sweep, or write NWB"
        )
        raise InputError(msg)

"""A recording as plain channels in the units of people (mV, pA), for ABF and ATF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.core.protocol import FAMILIES
from cleo_like.core.sweep import ClampMode
from cleo_like.io.text_units import SHOWN

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording


@attrs.frozen(kw_only=True, eq=False)
class Channels:
    """Response and command as arrays.

    Parameters
    ----------
    data : array, shape (n_channels, n_sweeps, n_samples)
        Response first, then the command where it is known.
    names, units : list of str
        One per channel.
    rate : float
        Hz.
    mode : ClampMode
        Of all sweeps.
    """

    data: np.ndarray
    names: list[str]
    units: list[str]
    rate: float
    mode: ClampMode


def channels_of(recording: Recording, path: Path) -> Channels:
    """Stack the sweeps of a recording.

    Raises
    ------
    FileFormatError
        The sweeps differ in length, rate or mode, or the mode is unknown.
    """
    kind = path.suffix.removeprefix(".").upper()
    try:
        stacked = recording.stacked()
    except InputError as error:
        msg = f"{kind} needs sweeps of one length, rate and clamp mode; write NWB ({error})"
        raise FileFormatError(msg) from error
    commands = [s.command is not None for s in recording.sweeps]
    if any(commands) and not all(commands):
        msg = (
            f"{commands.count(False)} of {len(commands)} sweeps have no command, and {kind} "
            "keeps it for all sweeps or for none; write NWB"
        )
        raise FileFormatError(msg)
    mode = recording.sweeps[0].mode
    if mode is ClampMode.UNKNOWN:
        msg = (
            f"the clamp mode of {recording.cell.id} is unknown, so the units that {kind} needs "
            "are too; set Sweep.mode"
        )
        raise FileFormatError(msg)
    units = [SHOWN[mode.response_unit]]
    values = [np.divide(stacked.response, units[0].scale, dtype=float)]
    if stacked.command is not None:
        units.append(SHOWN[mode.command_unit])
        values.append(np.divide(stacked.command, units[1].scale, dtype=float))
    return Channels(
        data=np.stack(values),
        names=["Vm" if mode is ClampMode.CURRENT else "Im", "Cmd"][: len(units)],
        units=[unit.text for unit in units],
        rate=stacked.rate,
        mode=mode,
    )


def comment_for(protocol: Protocol | None, what: str) -> str:
    """One line for the file itself; `family_in` reads it when the sidecar is lost.

    Examples
    --------
    >>> comment_for(None, "recording")
    'cleo_like recording; family: arbitrary; more in the .json file beside it'
    """
    family = "arbitrary" if protocol is None else protocol.family
    return f"cleo_like {what}; family: {family}; more in the .json file beside it"


def family_in(comment: str) -> str:
    """Find the family that `comment_for` wrote; "arbitrary" without one.

    Examples
    --------
    >>> family_in("cleo_like stimulus; family: picture; more in the .json file beside it")
    'picture'
    """
    _, found, rest = comment.partition("family:")
    word = rest.split(";")[0].strip()
    return word if found and word in FAMILIES else "arbitrary"

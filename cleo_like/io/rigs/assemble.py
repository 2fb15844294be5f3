"""From the signals of a file to a recording: which is the response, which the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.cell import Cell
from cleo_like.core.errors import FileFormatError
from cleo_like.core.provenance import Provenance
from cleo_like.core.recording import Recording
from cleo_like.core.sweep import ClampMode, Sweep
from cleo_like.io.findings.plausibility import unit_findings
from cleo_like.io.findings.samples import measured, sample_findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

UNKNOWN = "the file does not tell the command"
"""Finding of every reader whose format hides what was commanded."""
MONITOR = "the command is the recorded channel {!r}, as its unit shows"
PREFIXES = {
    "": 1.0,
    "m": 1e-3,
    "u": 1e-6,
    "µ": 1e-6,
    "μ": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
}


@attrs.frozen(kw_only=True, eq=False)
class Signal:
    """One channel of one sweep (SI); the unit is "V", "A", or as the file has it."""

    name: str
    unit: str
    values: np.ndarray


def in_si(values: np.ndarray, unit: str) -> tuple[np.ndarray, str]:
    """Convert to V or A; values of another unit stay as they are.

    Examples
    --------
    >>> in_si(np.array([-70.0]), "mV")
    (array([-0.07]), 'V')
    >>> in_si(np.array([1.0]), "degC")
    (array([1.]), 'degC')
    """
    text = unit.strip()
    if text[-1:] in {"V", "A"} and text[:-1] in PREFIXES:
        return np.asarray(values, dtype=float) * PREFIXES[text[:-1]], text[-1]
    return np.asarray(values, dtype=float), text


def roles(
    signals: Sequence[Signal], mode: ClampMode | None = None
) -> tuple[ClampMode, Signal | None, Signal | None]:
    """Find response and command of a sweep: potentials answer in current clamp.

    Parameters
    ----------
    signals : sequence of Signal
        Of one electrode.
    mode : ClampMode, optional
        As the file tells it; without it potentials are responses, and currents alone too.

    Returns
    -------
    mode : ClampMode
        Clamp mode.
    response, command : Signal or None
        The first of each unit.
    """
    first: dict[str, Signal] = {}
    for signal in signals:
        first.setdefault(signal.unit, signal)
    volts, amps = first.get("V"), first.get("A")
    if mode is None:
        mode = ClampMode.CURRENT if volts is not None else ClampMode.VOLTAGE
    if mode is ClampMode.CURRENT:
        return mode, volts, amps
    return mode, amps, volts


def recording_of(
    path: Path,
    sweeps: Sequence[Sweep],
    *,
    cell: str,
    file_format: str,
    findings: Sequence[str],
    session_start: str | None = None,
    device: Mapping[str, Any] | None = None,
    packages: Sequence[str] = (),
) -> Recording:
    """Put sweeps together, with what is to be doubted.

    Raises
    ------
    FileFormatError
        There is no sweep.
    """
    if not sweeps:
        msg = f"{path.name} holds no potential or current of a cell: {'; '.join(findings)}"
        raise FileFormatError(msg)
    own = tuple(measured(sweep) for sweep in sweeps)
    about = {"file_format": file_format, **(device if device is not None else {})}
    return Recording(
        sweeps=own,
        cell=Cell(id=cell, source=path.name),
        provenance=Provenance.of_file(path, *packages),
        session_start=session_start,
        findings=(*dict.fromkeys(findings), *sample_findings(own), *unit_findings(own)),
        device=about,
    )

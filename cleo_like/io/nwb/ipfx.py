"""What ipfx 2.1 asks of a file beyond NWB: sweep table, stimulus code, test pulse."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.sweep import ClampMode

if TYPE_CHECKING:
    from pynwb import NWBFile

    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording
    from cleo_like.core.sweep import Sweep

CODES = {
    "long_square": "X4PS_SupraThresh",
    "short_square": "X6SP_Rheo",
    "ramp": "X7Ramp",
    "chirp": "C2CHIRP",
}
"""Stimulus codes of the ontology that comes with ipfx 2.1.2, by family of protocol."""

_REST = 0.2  # s after the stimulus, without which ipfx drops the sweep
_FILTER = 20_000.0  # Hz; twice the corner of ipfx's filter
_EDGES = 4  # on and off of the test pulse, on and off of the step


def played(recording: Recording) -> tuple[Protocol, ...]:
    """Give the protocols of a recording: several, one, or none that is known."""
    if recording.protocol is not None:
        return (recording.protocol,)
    return recording.protocols


def stimulus_codes(recording: Recording, code: str | None) -> list[str]:
    """Check that ipfx can use a recording and give the stimulus code of each sweep.

    Parameters
    ----------
    recording : Recording
        In current clamp.
    code : str, optional
        A code of ipfx's ontology, for families without one in `CODES`.

    Raises
    ------
    InputError
        With everything that is missing.
    """
    protocols = played(recording)
    families = [p.family for p in recording.protocols for _ in range(len(p))]
    if not families:
        one = recording.protocol.family if recording.protocol is not None else "None"
        families = [one] * recording.n_sweeps
    found = [CODES.get(family, code) for family in families]
    if len(protocols) < 2 and code is not None:
        found = [code] * recording.n_sweeps
    unknown = dict.fromkeys(f for f, c in zip(families, found, strict=True) if c is None)
    missing = [f"a stimulus code for the family {f!r} (give ipfx_code=...)" for f in unknown]
    commands = [s.command for s in recording.sweeps if s.command is not None]
    if len(commands) < recording.n_sweeps or not commands:
        missing.append("a command for every sweep")
    elif any(s.mode is not ClampMode.CURRENT for s in recording.sweeps):
        missing.append("current clamp in every sweep")
    else:
        missing += _shape_missing(recording.sweeps)
    if missing:
        msg = f"ipfx could not analyse this file; it lacks: {'; '.join(missing)}"
        raise InputError(msg)
    slowest = min(s.rate for s in recording.sweeps)
    if slowest <= _FILTER:
        warnings.warn(
            f"ipfx filters at 10 kHz by default, which needs more than 20 kHz sampling; this "
            f"recording has {slowest / 1e3:g} kHz, so give ipfx another filter",
            stacklevel=4,
        )
    return [str(one) for one in found]


def _shape_missing(sweeps: tuple[Sweep, ...]) -> list[str]:
    missing = []
    edges = [np.flatnonzero(np.diff(np.asarray(s.command))) for s in sweeps]
    by_stimulus: dict[str | None, int] = {}  # a step of 0 pA shows no edges of its own
    for s, e in zip(sweeps, edges, strict=True):
        by_stimulus[s.stimulus] = max(len(e), by_stimulus.get(s.stimulus, 0))
    if min(by_stimulus.values()) < _EDGES:
        missing.append(
            "a test pulse before the step, commanded and recorded "
            "(cleo_like.stimuli.with_test_pulse)"
        )
    rests = [
        (s.n_samples - int(e[-1]) - 1) / s.rate
        for s, e in zip(sweeps, edges, strict=True)
        if len(e)
    ]
    if rests and min(rests) < _REST:
        missing.append(f"{_REST} s of rest after the step (there are {min(rests):g} s)")
    return missing


def add_sweep_table(nwbfile: NWBFile, series: list[Any]) -> None:
    """Add the deprecated SweepTable, which ipfx cannot do without.

    pynwb refuses to make one, but reads one; so it is made the way its reader does.
    """
    from pynwb.icephys import SweepTable

    table = SweepTable.__new__(SweepTable, parent=nwbfile, in_construct_mode=True)
    table.__init__(name="sweep_table", description="Series of the same sweep, for ipfx")
    table._in_construct_mode = False  # noqa: SLF001
    for one in series:
        table.add_entry(one)
    nwbfile.sweep_table = table

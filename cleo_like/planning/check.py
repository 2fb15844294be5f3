"""Tell before the experiment whether a protocol will do what it shall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core import ClampMode, Protocol
from cleo_like.core.errors import InputError
from cleo_like.patch import PatchPipette, record, rig_preset
from cleo_like.patch.batch import specimens
from cleo_like.planning.report import ProtocolReport, Row, not_judged
from cleo_like.planning.rig_facts import RigFacts
from cleo_like.planning.rows.cells import Played, access_rows, cell_rows, early
from cleo_like.planning.rows.command import command_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.patch.names import Cells, Rig

_UNPLAYABLE = ("range", "headstage", "rate", "format", "readback")
"""Rows without which no rig plays the command: the cells are then not asked."""
_FOLLOWS: dict[str, tuple[str, ...]] = {
    "spikes": ("fidelity", "signal", "carry_over", "population", "quality"),
    "block": ("spikes", "fidelity", "signal", "carry_over", "population", "quality"),
    "hyperpolarisation": ("fidelity", "signal", "carry_over", "population", "quality"),
    "carry_over": ("quality",),
    "fidelity": ("population",),
    "signal": ("fidelity", "population", "quality"),
    "bridge": ("quality",),
    "rests": ("carry_over", "quality"),
    "charge": ("carry_over",),
}
"""A red row, and the rows that it explains: those are not judged."""
_CELL_ROWS = (
    "spikes", "block", "hyperpolarisation", "fidelity", "signal", "carry_over", "access",
    "bridge", "population", "quality",
)  # fmt: skip
_IN_SEQUENCE = 8
"""Sweeps that are played one after another to see what carries over: the slowest library
state (1 s) is settled by then."""

_PATIENCE = 2.0
"""Longest gap (s) that is simulated: what carries over a longer one is less."""


def check(
    protocol: Protocol, cells: Cells, pipette: Rig | None = None, *, seed: int = 0
) -> ProtocolReport:
    """Play a protocol to cells through a rig, and judge it row by row.

    Parameters
    ----------
    protocol : Protocol
        What is planned.
    cells : str, CellModel, Population, or a sequence of these
        What it is planned for.
    pipette : PatchPipette, IdealElectrode or str, optional
        The rig, or the name of one (default: ideal).
    seed : int
        Of the noise.

    Returns
    -------
    ProtocolReport
        Range, resolution, headstage, rate, format, readback, rests (1/64), duration,
        bandwidth and charge of the command; spikes, block, hyperpolarisation, fidelity,
        signal to noise, carry-over, access, bridge, population and quality control of what
        the cells do. A row that follows from a red one is not judged.

    Raises
    ------
    InputError
        No Protocol, no rig, or a rig in the other clamp mode.
    UnknownNameError
        No library cell has that name.

    Examples
    --------
    >>> from cleo_like.stimuli import long_square
    >>> steps = long_square(["-20 pA", "20 pA"], duration="200 ms", rate="20 kHz")
    >>> check(steps, "passive")
    ProtocolReport green
    """
    if not isinstance(protocol, Protocol):
        msg = f"protocol must be a Protocol, got {type(protocol).__name__}: {protocol!r}"
        raise InputError(msg)
    if isinstance(pipette, str):
        pipette = rig_preset(pipette, protocol.mode)
    rig = RigFacts.of(pipette)
    if isinstance(pipette, PatchPipette) and pipette.mode is not protocol.mode:
        pipette.check(protocol)  # says so
    names = [one.id for one in specimens(cells)]
    rows = command_rows(protocol, rig)
    bad = [row.name for row in rows if row.verdict == "red" and row.name in _UNPLAYABLE]
    if bad:
        why = f"the rig cannot play the command ({', '.join(bad)})"
        rows += [not_judged(name, why) for name in _CELL_ROWS]
    elif protocol.mode is ClampMode.VOLTAGE:
        rows += _in_voltage_clamp(protocol, cells, pipette, rig, seed)
    else:
        rows += _in_current_clamp(protocol, cells, pipette, rig, seed)
    return ProtocolReport(
        protocol=repr(protocol), rig=rig.name, cells=names, rows=_explained(rows)
    )


def _in_current_clamp(
    protocol: Protocol, cells: Cells, pipette: Rig | None, rig: RigFacts, seed: int
) -> list[Row]:
    options: dict[str, Any] = {"electrode": pipette, "seed": seed, "progress": False}
    played = record(cells, protocol, consume=lambda r: Played.of(r, protocol), **options)
    following = None
    if protocol.n_sweeps > 1:
        first = _first_sweeps(protocol, _IN_SEQUENCE)
        pairs = record(
            cells, first, sequential=True, consume=lambda r: (r.cell.id, early(r)), **options
        )
        following = dict(pairs)
    return cell_rows(protocol, rig, played, following)


def _first_sweeps(protocol: Protocol, count: int) -> Protocol:
    epochs = tuple(
        attrs.evolve(e, levels=None if e.levels is None else e.levels[:count])
        for e in protocol.epochs
    )
    picture = None if protocol.picture is None else protocol.picture[:count]
    return attrs.evolve(
        protocol, waveforms=protocol.waveforms[:count], epochs=epochs, picture=picture,
        gap=min(protocol.gap, _PATIENCE),
    )  # fmt: skip


def _in_voltage_clamp(
    protocol: Protocol, cells: Cells, pipette: Rig | None, rig: RigFacts, seed: int
) -> list[Row]:
    """Judge how far the membrane is from the command, at the end of its plateaus."""
    from cleo_like.planning.rows.voltage import error_row

    why = "voltage clamp: the potential is commanded"
    found = [
        not_judged(name, why)
        for name in _CELL_ROWS
        if name not in ("access", "bridge", "quality")
    ]
    recordings: Sequence[Any] = record(
        cells, protocol, electrode=pipette, seed=seed, keep_voltage=True, progress=False
    )
    resistances = [_resistance(r) for r in recordings]
    return [*found, error_row(protocol, recordings), access_rows(protocol, rig, resistances)[0]]


def _resistance(recording: Any) -> Any:
    answers = recording.truth.answers if recording.truth is not None else {}
    return _Known(resistance=float(answers.get("input_resistance", np.nan)))


@attrs.frozen(kw_only=True)
class _Known:
    resistance: float


def _explained(rows: Sequence[Row]) -> list[Row]:
    """Take the verdict from rows that a red row explains."""
    red = {row.name for row in rows if row.verdict == "red"}
    # what explains a red row is looked up from the first causes on
    for cause, effects in _FOLLOWS.items():
        if cause in red:
            red -= set(effects)
    causes: dict[str, str] = {}
    for cause in red:
        for effect in _FOLLOWS.get(cause, ()):
            causes.setdefault(effect, cause)
    return [
        row
        if row.name not in causes or row.verdict in ("green", "not judged")
        else not_judged(row.name, f"follows from {causes[row.name]}: {row.text}")
        for row in rows
    ]

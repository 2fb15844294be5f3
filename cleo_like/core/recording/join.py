"""Several recordings of one cell as one: the protocols of an experiment, or files of a rig."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.cell import Cell
from cleo_like.core.errors import InputError
from cleo_like.core.provenance import Provenance
from cleo_like.core.recording.recording import Recording
from cleo_like.core.recording.truth import GroundTruth
from cleo_like.core.units import si

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cleo_like.core.protocol import Protocol
    from cleo_like.core.units import Quantity


def join_recordings(
    recordings: Iterable[Recording],
    *,
    cell: Cell | str | None = None,
    pause: Quantity = "0 s",
) -> Recording:
    """Make one recording of several of the same cell, one protocol after the other.

    Parameters
    ----------
    recordings : iterable of Recording
        In the order in which they were made, each with its own protocol, rate and length.
    cell : Cell or str, optional
        The cell, or its name; needed where the recordings name different ones (a file for each
        protocol is often all that a rig writes).
    pause : quantity
        Least pause between two recordings; where both tell when they began, and that is
        later, it is that.

    Returns
    -------
    Recording
        All sweeps, numbered anew where numbers occur twice, with what all recordings agree on;
        `Recording.by_protocol` and ``recording["ramp"]`` give the parts back.

    Raises
    ------
    InputError
        None is given, or they are of different cells and none is named.

    Examples
    --------
    >>> from cleo_like import Protocol, record
    >>> flat, wave = (Protocol(waveforms=[[1e-11] * 200] * n, rate=2e4, family=f)
    ...               for n, f in ((2, "noise"), (1, "sine")))
    >>> whole = join_recordings(record("passive", p, seed=1)[0] for p in (flat, wave))
    >>> len(whole), list(whole.by_protocol()), whole["sine"][0].number
    (3, ['noise', 'sine'], 2)
    """
    parts = list(recordings)
    _check(parts)
    found = _cell(parts, cell)
    named, protocols = _named(parts)
    numbers = [sweep.number for part in named for sweep in part]
    anew = len(set(numbers)) < len(numbers)
    sweeps: list[Any] = []
    for part, offset in zip(named, _offsets(parts, si(pause, "s", "pause")), strict=True):
        first = part[0].start_time if len(part) else 0.0
        for sweep in part:
            changed: dict[str, Any] = {"start_time": offset + sweep.start_time - first}
            changed |= {"number": len(sweeps)} if anew else {}
            sweeps.append(attrs.evolve(sweep, **changed))
    alone = protocols[0] if len(protocols) == 1 else None
    return Recording(
        sweeps=sweeps,
        cell=found,
        provenance=_provenance(parts),
        truth=_truth(parts),
        protocol=alone,
        protocols=() if alone is not None else protocols,
        session_start=parts[0].session_start,
        findings=tuple(dict.fromkeys(text for part in parts for text in part.findings)),
        device=_agreed([part.device for part in parts]),
        scaling=parts[0].scaling if len({part.scaling for part in parts}) == 1 else None,
    )


def _check(parts: Sequence[Any]) -> None:
    for part in parts:
        if not isinstance(part, Recording):
            msg = f"expected recordings to join, got {type(part).__name__}: {part!r:.60}"
            raise InputError(msg)
    if not parts:
        msg = "there is no recording to join"
        raise InputError(msg)


def _cell(parts: Sequence[Recording], cell: Cell | str | None) -> Cell:
    if isinstance(cell, Cell):
        return cell
    names = list(dict.fromkeys(part.cell.id for part in parts))
    if cell is not None:
        return attrs.evolve(parts[0].cell, id=cell)
    if len(names) > 1:
        msg = (
            f"the recordings are of different cells ({', '.join(names)}); if they are of one, "
            f"give cell={names[0]!r}"
        )
        raise InputError(msg)
    return parts[0].cell


def _named(parts: Sequence[Recording]) -> tuple[list[Recording], tuple[Protocol, ...]]:
    """Give every protocol a name of its own, and its sweeps that name.

    Protocols are given where all are known; else the names of stimuli must do.
    """
    told = [part.protocols or ((part.protocol,) if part.protocol else ()) for part in parts]
    names = iter(numbered([protocol.name for some in told for protocol in some]))
    out, protocols = [], []
    for part, some in zip(parts, told, strict=True):
        sweeps, at = list(part.sweeps), 0
        for protocol in some:
            name = next(names)
            if name != protocol.name:
                for k in range(at, min(at + protocol.n_sweeps, len(sweeps))):
                    sweeps[k] = attrs.evolve(sweeps[k], stimulus=name)
            at += protocol.n_sweeps
            protocols.append(attrs.evolve(protocol, name=name))
        out.append(attrs.evolve(part, sweeps=sweeps, protocol=None, protocols=()))
    complete = all(
        sum(protocol.n_sweeps for protocol in some) == len(part)
        for part, some in zip(parts, told, strict=True)
    )
    return out, tuple(protocols) if complete else ()


def numbered(names: Sequence[str]) -> list[str]:
    """Give names that occur twice their number behind.

    Examples
    --------
    >>> numbered(["ramp", "chirp", "ramp"])
    ['ramp-1', 'chirp', 'ramp-2']
    """
    count, seen = Counter(names), Counter[str]()
    out = []
    for name in names:
        seen[name] += 1
        out.append(f"{name}-{seen[name]}" if count[name] > 1 else name)
    return out


def _offsets(parts: Sequence[Recording], pause: float) -> list[float]:
    """Start of each part (s): as the files tell, never before the one in front has ended."""
    if pause < 0:
        msg = f"pause must be 0 s or more, got {pause:g} s"
        raise InputError(msg)
    begun = [_time(part.session_start) for part in parts]
    out: list[float] = []
    end = -pause
    for part, when in zip(parts, begun, strict=True):
        told = 0.0
        if when is not None and begun[0] is not None:
            told = (when - begun[0]).total_seconds()
        out.append(max(end + pause, told) if out else 0.0)
        first = part[0].start_time if len(part) else 0.0
        end = max([out[-1], *(out[-1] + s.start_time - first + s.duration for s in part)])
    return out


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    when = datetime.fromisoformat(text)
    return when if when.tzinfo is not None else None


def _provenance(parts: Sequence[Recording]) -> Provenance:
    made = [part.provenance for part in parts]
    sources = list(dict.fromkeys(one.source for one in made))
    software = {name: v for one in made for name, v in one.software.items()}
    seeds = {one.seed for one in made}
    return Provenance(
        source=", ".join(sources),
        software=software,
        parameters={"parts": [dict(one.parameters) | _own(one) for one in made]},
        seed=seeds.pop() if len(seeds) == 1 else None,
        created=made[0].created,
    )


def _own(one: Provenance) -> dict[str, Any]:
    known = {"source": one.source, "seed": one.seed, "input_hash": one.input_hash}
    return {name: value for name, value in known.items() if value is not None}


def _truth(parts: Sequence[Recording]) -> GroundTruth | None:
    truths = [part.truth for part in parts if part.truth is not None]
    if len(truths) < len(parts):
        return None
    voltages = [truth.voltage for truth in truths if truth.voltage is not None]
    return GroundTruth(
        spike_times=[times for truth in truths for times in truth.spike_times],
        voltage=[v for some in voltages for v in some]
        if len(voltages) == len(truths)
        else None,
        model=truths[0].model if len({truth.model for truth in truths}) == 1 else None,
        parameters=_agreed([truth.parameters for truth in truths]),
        answers=_agreed([truth.answers for truth in truths]),
    )


def _agreed(maps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Keep what all say alike (NaN is like NaN)."""
    return {
        name: value
        for name, value in maps[0].items()
        if all(name in other and repr(other[name]) == repr(value) for other in maps[1:])
    }

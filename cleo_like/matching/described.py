"""A file that describes its own protocol: the description counts, and is checked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core import ClampMode, Epoch
from cleo_like.matching.command.levels import level_of
from cleo_like.matching.epochs import HOLDING, baseline_before, filled
from cleo_like.matching.verdict import (
    ARBITRARY,
    LONG_SQUARE,
    NONE,
    PICTURE,
    PULSE_TRAIN,
    SHORT_SQUARE,
)

if TYPE_CHECKING:
    from cleo_like.core import Protocol, Recording, Sweep
    from cleo_like.matching.verdict import Match, SweepVerdict

_STEPS = (LONG_SQUARE, SHORT_SQUARE, PULSE_TRAIN)
_WITHIN = 0.5e-3
"""A step may be found this far (s) from where it is described."""
_UNSEEN, _BEYOND = 0.1, 0.02
"""Part of a described waveform that may look like holding (a wave starts there smoothly),
and that may be seen beyond its ends in noise."""
_SAME = 1e-14
"""Levels closer than this (A) are the same."""


def compare(found: Match, recording: Recording) -> Match:
    """Take family and epochs of the recording's protocol where the commands have them.

    "arbitrary" tells nothing of the family (files of other makers have commands without a
    name); there the family that was found counts. A description without epochs gives the
    family only. Where commands and description differ, the epochs are those of the commands,
    and the difference is said.
    """
    protocol = recording.protocol
    if protocol is None or protocol.mode is not ClampMode.CURRENT:
        return found
    if protocol.family == ARBITRARY:
        return found
    trouble = _disagreement(found, protocol, recording)
    note = trouble if trouble is not None else "as the file describes it"
    if trouble is not None or not _epochs(protocol):
        sweeps = tuple(_named(v, protocol, note) for v in found.sweeps)
        return attrs.evolve(
            found, family=protocol.family, reason=f"{found.reason}; {note}", sweeps=sweeps,
            disagreement=trouble,
        )  # fmt: skip
    told = [
        _told(v, recording.sweeps[v.index], protocol, recording.n_sweeps) for v in found.sweeps
    ]
    return _summary(found, told, protocol)


def _named(verdict: SweepVerdict, protocol: Protocol, note: str) -> SweepVerdict:
    """Give a sweep that was looked at the described family."""
    if verdict.family == protocol.family or not verdict.epochs:
        return verdict
    return attrs.evolve(verdict, family=protocol.family, reason=f"{verdict.reason}; {note}")


def _disagreement(found: Match, protocol: Protocol, recording: Recording) -> str | None:
    """Say what the commands show and the description does not, if anything."""
    looked = [v for v in found.sweeps if v.epochs]
    if not looked:
        constant = [v for v in found.sweeps if np.isfinite(v.holding)]
        if constant and all(_is_still(v, recording, protocol) for v in constant):
            return None
        if found.family != protocol.family:
            return _differs(found, protocol)
        return None
    troubles = [t for v in looked if (t := _trouble(v, protocol)) is not None]
    if len(troubles) <= len(looked) / 2:
        return None
    if _kind(found.family) != _kind(protocol.family) and protocol.family != PICTURE:
        return _differs(found, protocol)
    return Counter(troubles).most_common(1)[0][0]


def _epochs(protocol: Protocol) -> list[Epoch]:
    """Give the described epochs; those of a file's header (A, B, C) tell no family."""
    own = (_main(protocol), "pulse")
    known = any(e.name in own for e in protocol.epochs)
    return [e for e in protocol.epochs if e.name != HOLDING] if known else []


def _differs(found: Match | SweepVerdict, protocol: Protocol) -> str:
    shown = "nothing" if found.family == NONE else f"a {found.family}"
    return f"the file describes a {protocol.family} but its commands show {shown}"


def _kind(family: str) -> str:
    return "steps" if family in _STEPS else family


def _trouble(verdict: SweepVerdict, protocol: Protocol) -> str | None:
    """How the epochs found in one sweep differ from those that are described."""
    told = _epochs(protocol)
    if not told:
        same = _kind(protocol.family) in (_kind(verdict.family), PICTURE)
        return None if same else _differs(verdict, protocol)
    shown = [e for e in verdict.epochs if e.name != HOLDING]
    within = max(_WITHIN * protocol.rate, 1)
    for epoch in shown:
        beyond = within if epoch.levels is not None else _BEYOND * (epoch.stop - epoch.start)
        if not _is_inside(epoch, told, max(within, beyond)):
            return _apart(epoch, told, protocol.rate)
    if protocol.family == PICTURE:  # its rows may look like anything, between its ends
        return None
    for epoch in told:
        if epoch.levels is None:
            seen = [s for s in shown if min(s.stop, epoch.stop) > max(s.start, epoch.start)]
            covered = sum(min(s.stop, epoch.stop) - max(s.start, epoch.start) for s in seen)
            if covered < (1 - _UNSEEN) * (epoch.stop - epoch.start):
                return _apart(seen[0] if seen else None, [epoch], protocol.rate)
            if any(s.name not in (epoch.name, ARBITRARY) for s in seen):
                return (
                    f"the file describes a {epoch.name} but its commands show a {seen[0].name}"
                )
        elif not _is_seen(epoch, shown, within):
            nearest = min(shown, key=lambda s, e=epoch: abs(s.start - e.start), default=None)
            return _apart(nearest, [epoch], protocol.rate)
    return None


def _is_inside(epoch: Epoch, told: list[Epoch], within: float) -> bool:
    """Whether an epoch that was found lies in one, or in a row, of those described."""
    start = min((e.start for e in told if e.stop > epoch.start), default=None)
    stop = max((e.stop for e in told if e.start < epoch.stop), default=None)
    return (
        start is not None
        and stop is not None
        and epoch.start >= start - within
        and epoch.stop <= stop + within
    )


def _is_seen(epoch: Epoch, shown: list[Epoch], within: float) -> bool:
    """Whether a described step was found at its place, or has no height in this sweep."""
    touching = [s for s in shown if min(s.stop, epoch.stop) > max(s.start, epoch.start)]
    if not touching:
        return True  # a level that is holding's cannot be seen
    apart = max(abs(touching[0].start - epoch.start), abs(touching[-1].stop - epoch.stop))
    return apart <= within


def _apart(shown: Epoch | None, told: list[Epoch], rate: float) -> str:
    nearest = told[0]
    if shown is not None:
        nearest = min(told, key=lambda e: abs(e.start - shown.start) + abs(e.stop - shown.stop))
    text = (
        f"the file describes a {nearest.name} at {nearest.start / rate:.6g} to "
        f"{nearest.stop / rate:.6g} s but its commands show "
    )
    if shown is None:
        return text + "nothing there"
    return text + f"it at {shown.start / rate:.6g} to {shown.stop / rate:.6g} s"


def _is_still(verdict: SweepVerdict, recording: Recording, protocol: Protocol) -> bool:
    """Whether a constant sweep is what is described: all its levels are the same."""
    if protocol.n_sweeps != recording.n_sweeps:
        return False
    row = protocol.waveforms[verdict.index]
    close = abs(float(row[0]) - verdict.holding) <= 3 * verdict.noise + _SAME
    return bool(np.ptp(row) <= _SAME) and close


def _told(
    verdict: SweepVerdict, sweep: Sweep, protocol: Protocol, n_sweeps: int
) -> SweepVerdict:
    """Give a sweep its described epochs, with the levels that it has."""
    command = sweep.command
    constant = verdict.family == NONE and np.isfinite(verdict.holding)
    if command is None or not (verdict.epochs or constant):
        return verdict
    if _trouble(verdict, protocol) is not None:
        return verdict
    row = verdict.index if protocol.n_sweeps == n_sweeps else None
    epochs = [_leveled(e, command, row) for e in _epochs(protocol) if e.start < command.size]
    holding = verdict.holding
    if verdict.step is None and all(e.levels is not None for e in protocol.epochs):
        holding = protocol.holding
    told = filled(epochs, command.size, float(holding))
    step = next((e for e in told if e.name == _main(protocol)), None)
    amplitude = verdict.amplitude
    if step is not None and step.levels is not None:
        amplitude = float(step.levels[0]) - holding
    reason = verdict.reason
    if verdict.family != protocol.family:
        reason = f"{reason}; a {protocol.family} as the file describes it"
    return attrs.evolve(
        verdict, family=protocol.family, epochs=told, step=step, holding=holding,
        amplitude=amplitude if step is not None else np.nan, reason=reason,
        complete=verdict.complete and (step is None or command.size >= step.stop),
    )  # fmt: skip


def _leveled(epoch: Epoch, command: np.ndarray, row: int | None) -> Epoch:
    """Give an epoch the level of one sweep, and no end beyond it."""
    stop = min(epoch.stop, command.size)
    if epoch.levels is None:
        return attrs.evolve(epoch, stop=stop)
    level = level_of(command[epoch.start : stop], (stop - epoch.start) // 4)
    if row is not None and abs(epoch.levels[row] - level) <= _SAME:
        level = float(epoch.levels[row])
    return attrs.evolve(epoch, stop=stop, levels=[level])


def _main(protocol: Protocol) -> str:
    """Name of the epoch that is the family's own."""
    return "step" if protocol.family in (LONG_SQUARE, SHORT_SQUARE) else protocol.family


def _summary(found: Match, told: list[SweepVerdict], protocol: Protocol) -> Match:
    """Match of sweeps whose epochs are those described."""
    own_epochs = _epochs(protocol)
    first, last = own_epochs[0], own_epochs[-1]
    own = [
        v
        for v in told
        if v.family == protocol.family
        and v.complete
        and {(first.name, first.start), (last.name, last.stop)}
        <= {(e.name, e.start) for e in v.epochs} | {(e.name, e.stop) for e in v.epochs}
    ]
    common = [_of_all(e, own) for e in own_epochs]
    step = next((e for e in common if e.name == _main(protocol)), None)
    varies = [e for e in common if e.levels is not None and np.ptp(e.levels) > _SAME]
    still = [e for e in common if e.name.endswith("_pulse") and e not in varies]
    rate = found.rate if np.isfinite(found.rate) else protocol.rate
    rests = own[0].epochs if own else ()
    return attrs.evolve(
        found, family=protocol.family, sweeps=tuple(told), step=step, rate=rate,
        reason=f"{found.reason}; as the file describes it",
        members=tuple(v.index for v in own), varying=tuple(varies), constant=tuple(still),
        baseline=None if step is None else baseline_before(rests, step.start, rate),
    )  # fmt: skip


def _of_all(epoch: Epoch, own: list[SweepVerdict]) -> Epoch:
    """Give a described epoch the levels of the sweeps that have it."""
    if epoch.levels is None or not own:
        return attrs.evolve(epoch, levels=None)
    same = [next(e for e in v.epochs if e.start == epoch.start) for v in own]
    return attrs.evolve(epoch, levels=np.concatenate([e.levels for e in same]))

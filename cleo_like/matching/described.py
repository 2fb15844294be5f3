"""A file that describes its own protocol: the description counts, and is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cleo_like.core import ClampMode
from cleo_like.matching.verdict import (
    ARBITRARY,
    LONG_SQUARE,
    NONE,
    PICTURE,
    PULSE_TRAIN,
    SHORT_SQUARE,
)

if TYPE_CHECKING:
    from cleo_like.core import Epoch, Protocol, Recording
    from cleo_like.matching.verdict import Match, SweepVerdict

_STEPS = (LONG_SQUARE, SHORT_SQUARE, PULSE_TRAIN, NONE)
_WITHIN = 0.5e-3
"""A step may be found this far (s) from where it is described."""


def compare(found: Match, recording: Recording) -> Match:
    """Take the family of the recording's protocol and say where the commands differ.

    "arbitrary" tells nothing of the family (files of other makers have commands without a
    name); there the family that was found counts.
    """
    protocol = recording.protocol
    if protocol is None or protocol.mode is not ClampMode.CURRENT:
        return found
    if protocol.family == ARBITRARY:
        return found
    trouble = _disagreement(found, protocol)
    note = trouble if trouble is not None else "as the file describes it"
    sweeps = tuple(_named(v, protocol, note) for v in found.sweeps)
    return attrs.evolve(
        found, family=protocol.family, reason=f"{found.reason}; {note}", sweeps=sweeps,
        disagreement=trouble,
    )  # fmt: skip


def _named(verdict: SweepVerdict, protocol: Protocol, note: str) -> SweepVerdict:
    """Give a sweep that was looked at the described family."""
    if verdict.family == protocol.family or not verdict.epochs:
        return verdict
    return attrs.evolve(verdict, family=protocol.family, reason=f"{verdict.reason}; {note}")


def _disagreement(found: Match, protocol: Protocol) -> str | None:
    """Say what the commands show and the description does not, if anything."""
    # the rows of a picture may look like anything that is not made of steps
    drawn = protocol.family == PICTURE and found.family not in _STEPS
    if protocol.family != found.family and not drawn:
        shown = "nothing" if found.family == NONE else f"a {found.family}"
        return f"the file describes a {protocol.family} but its commands show {shown}"
    told = next((e for e in protocol.epochs if e.name == "step"), None)
    if told is None or found.step is None:
        return None
    return _window_differs(told, protocol.rate, found)


def _window_differs(told: Epoch, rate: float, found: Match) -> str | None:
    if found.window is None:
        return None
    described = (told.start / rate, told.stop / rate)
    apart = max(abs(a - b) for a, b in zip(described, found.window, strict=True))
    if apart <= _WITHIN:
        return None
    return (
        f"the file describes a step at {described[0]:.6g} to {described[1]:.6g} s but its "
        f"commands show it at {found.window[0]:.6g} to {found.window[1]:.6g} s"
    )

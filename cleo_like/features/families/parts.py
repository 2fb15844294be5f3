"""The sweeps of each family in a recording of several protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cleo_like.matching import match
from cleo_like.matching.verdict import NONE

if TYPE_CHECKING:
    from cleo_like.core.recording import Recording
    from cleo_like.matching import Match


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """The sweeps of one family.

    Parameters
    ----------
    recording : Recording
        These sweeps alone.
    found : Match
        What they are; its places count in `recording`.
    """

    recording: Recording
    found: Match

    @property
    def family(self) -> str:
        """Name of the family, as the file tells it or the commands show it."""
        return self.found.family

    @property
    def numbers(self) -> list[int]:
        """Numbers of the sweeps."""
        return [sweep.number for sweep in self.recording]

    def is_a(self, family: str) -> bool:
        """Whether it can be measured as that family."""
        return family in {self.found.family, self.found.found} and bool(self.found.members)


def parts_of(recording: Recording) -> list[Part]:
    """Match a recording and put the sweeps of each family together.

    Parameters
    ----------
    recording : Recording
        Of one protocol or of several.

    Returns
    -------
    list of Part
        In the order of their first sweeps; sweeps that were set aside (voltage clamp, no
        command, nothing commanded) are a part of the family "none". One part at least.
    """
    played = [recording]
    if recording.protocols:  # what each is told to be counts
        played = list(recording.by_protocol().values())
    matched = [match(part) for part in played]
    families = [verdict.family for found in matched for verdict in found.sweeps]
    stimulated = {family for family in families if family != NONE}
    if len(played) == 1 and len(stimulated) < 2:  # the usual case; no sweep is looked at twice
        return [Part(recording=played[0], found=matched[0])]
    rows: dict[str, list[int]] = {}
    for row, family in enumerate(families):
        rows.setdefault(family, []).append(row)
    some = [recording[places] for places in rows.values()]
    return [Part(recording=one, found=match(one)) for one in some]

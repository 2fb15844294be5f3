"""Which of several series recorded at once is the response of the cell."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.io.findings.responses import COPY, correlation, is_auxiliary, is_potential
from cleo_like.io.nwb.evidence import OTHER, START
from cleo_like.io.nwb.source.contents import named

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cleo_like.io.nwb.evidence import Part


def split_monitors(
    responses: list[Part], stimuli: list[Part], findings: list[str]
) -> tuple[list[Part], list[Part]]:
    """Tell responses from what was only recorded beside them on the same electrode.

    Of one sweep (same number, or two series that start together) one unit is the response's:
    that which the stimuli leave to it, else volts. Of two potentials it is the one whose name
    and rest are a membrane's and that is no copy of the command.

    Parameters
    ----------
    responses, stimuli : list of Part
        Of a whole file.
    findings : list of str
        What is noticed is added.

    Returns
    -------
    responses, monitors : list of Part
    """
    groups: dict[Hashable, tuple[list[Part], list[Part]]] = defaultdict(lambda: ([], []))
    for part in responses + stimuli:
        groups[_moment(part)][part.series.stimulus].append(part)
    monitors: list[Part] = []
    for asked, played in groups.values():
        numbered = asked and asked[0].number is not None
        if len(asked) > 1 and (numbered or len(asked) == 2):
            monitors += _beside(asked, played, findings)
    if monitors:
        findings.append(
            f"{len(monitors)} series recorded beside the response of a sweep were left out: "
            f"{named([m.series.name for m in monitors])}"
        )
    gone = {m.key for m in monitors}
    return [r for r in responses if r.key not in gone], monitors


def _moment(part: Part) -> Hashable:
    numbered = part.number is not None
    at = part.number if numbered else round(part.begin / START)
    return part.series.electrode, numbered, at


def _beside(asked: list[Part], played: list[Part], findings: list[str]) -> list[Part]:
    """Give those of the responses of one sweep that are monitors."""
    units = {a.series.unit for a in asked}
    commanded = {OTHER[p.series.unit] for p in played} & units
    if len(units) == 2:
        unit = next(iter(commanded)) if len(commanded) == 1 else "V"
    else:
        unit = next(iter(units))
    monitors = [a for a in asked if a.series.unit != unit]
    alike = [a for a in asked if a.series.unit == unit]
    fitting = [p for p in played if OTHER[p.series.unit] == unit]
    if unit != "V" or len(alike) < 2 or len(fitting) >= len(alike):
        return monitors
    potentials = [a for a in alike if _is_membrane(a, fitting)]
    if len(potentials) == 1:
        return monitors + [a for a in alike if a not in potentials]
    names = named([a.series.name for a in alike])
    findings.append(f"{names} were recorded at once; which is the potential cannot be told")
    return monitors


def _is_membrane(part: Part, commands: list[Part]) -> bool:
    """Whether a series can be a membrane potential, by its name and samples."""
    if is_auxiliary(part.series.name):
        return False
    samples = _samples(part)
    played = [_samples(c)[None] for c in commands if c.stop - c.start == len(samples)]
    copies = any(abs(correlation([samples], command)) >= COPY for command in played)
    return not copies and is_potential(samples)


def _samples(part: Part) -> np.ndarray:
    try:
        return part.series.values(part.start, part.stop)
    except FileFormatError:
        return np.empty(0)  # the sweep will say so when it is loaded

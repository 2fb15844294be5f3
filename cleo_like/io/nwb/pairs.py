"""Which stimulus goes with which response in an NWB file.

In this order: the IntracellularRecordings table, the SweepTable, the sweep numbers of the
series, then electrode and start time. Never by sorted names: "__10" sorts before "__2".
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """A series and the stretch of it that belongs to the sweep."""

    series: Any
    start: int = 0
    count: int | None = None

    def samples(self) -> Any:
        """Load the stored numbers of the stretch, not converted."""
        stop = None if self.count is None else self.start + self.count
        return self.series.data[self.start : stop]


@attrs.frozen(kw_only=True, eq=False)
class Pair:
    """One sweep: its number, its electrode's name, its response and stimulus."""

    number: int
    electrode: str
    response: Part
    stimulus: Part | None


@attrs.frozen(kw_only=True)
class Pairing:
    """All sweeps of a file, how they were paired, and what was noticed."""

    pairs: tuple[Pair, ...]
    method: str
    findings: tuple[str, ...]


def pair(nwbfile: Any) -> Pairing:
    """Pair the patch-clamp series of an opened file."""
    if nwbfile.intracellular_recordings is not None and len(nwbfile.intracellular_recordings):
        pairs, method = _from_recordings_table(nwbfile.intracellular_recordings)
    elif nwbfile.sweep_table is not None and len(nwbfile.sweep_table):
        rows = _rows_of(nwbfile.sweep_table)
        pairs, method = _by_key(rows), "SweepTable"
    else:
        pairs, method = _from_series(nwbfile)
    findings = []
    lonely = [p.number for p in pairs if p.stimulus is None and not _is_izero(p)]
    if lonely:
        findings.append(
            f"no stimulus belongs to {len(lonely)} of {len(pairs)} responses "
            f"(paired by {method}); their command is unknown"
        )
    used = {id(p.response.series) for p in pairs}
    left = [s for s in _patch_series(nwbfile.acquisition.values()) if id(s) not in used]
    if left:
        findings.append(
            f"{len(left)} responses are in no row of the {method} and were left out"
        )
    return Pairing(pairs=tuple(pairs), method=method, findings=tuple(findings))


def is_stimulus(series: Any) -> bool:
    """Whether a patch-clamp series is a command rather than a response."""
    return type(series).__name__.endswith("StimulusSeries")


def electrode_of(series: Any) -> str:
    """Name of the electrode of a series."""
    return str(series.electrode.name)


def start_of(series: Any) -> float:
    """Start of a series (s) on the clock of the session."""
    if series.starting_time is not None:
        return float(series.starting_time)
    return float(series.timestamps[0])


def _is_izero(pair: Pair) -> bool:
    return type(pair.response.series).__name__ == "IZeroClampSeries"


def _patch_series(series: Iterable[Any]) -> list[Any]:
    return [s for s in series if hasattr(s, "electrode") and hasattr(s, "stimulus_description")]


def _from_recordings_table(table: Any) -> tuple[list[Pair], str]:
    responses = table.get_category("responses")["response"]
    stimuli = table.get_category("stimuli")["stimulus"]
    pairs = []
    for row in range(len(table)):
        response, stimulus = _part(responses[row]), _part(stimuli[row])
        if response is None:
            continue
        own = getattr(response.series, "sweep_number", None)
        number = row if own is None else int(own)
        electrode = electrode_of(response.series)
        pairs.append(
            Pair(number=number, electrode=electrode, response=response, stimulus=stimulus)
        )
    return pairs, "IntracellularRecordings table"


def _part(reference: Any) -> Part | None:
    """Read a table cell; index -1 or count -1 say that there is no series."""
    start, count, series = reference
    if series is None or start < 0 or count < 0:
        return None
    return Part(series=series, start=int(start), count=int(count))


def _rows_of(table: Any) -> list[tuple[int, Any]]:
    rows = []
    for row in range(len(table)):
        number = int(table["sweep_number"][row])
        rows += [(number, series) for series in table["series"][row]]
    return rows


def _by_key(rows: Iterable[tuple[int, Any]]) -> list[Pair]:
    """Pair what has the same sweep number on the same electrode."""
    groups: dict[tuple[int, str], dict[bool, list[Any]]] = defaultdict(
        lambda: {True: [], False: []}
    )
    seen = set()
    for number, series in rows:
        if id(series) not in seen:
            seen.add(id(series))
            groups[(number, electrode_of(series))][is_stimulus(series)].append(series)
    pairs = []
    for (number, electrode), group in groups.items():
        for response in group[False]:
            # two responses or two stimuli under one number cannot be told apart
            only = len(group[True]) == 1 and len(group[False]) == 1
            stimulus = Part(series=group[True][0]) if only else None
            pairs.append(
                Pair(
                    number=number,
                    electrode=electrode,
                    response=Part(series=response),
                    stimulus=stimulus,
                )
            )
    return sorted(pairs, key=lambda p: (p.number, start_of(p.response.series)))


def _from_series(nwbfile: Any) -> tuple[list[Pair], str]:
    responses = _patch_series(nwbfile.acquisition.values())
    responses = [s for s in responses if not is_stimulus(s)]
    stimuli = [s for s in _patch_series(nwbfile.stimulus.values()) if is_stimulus(s)]
    everything = responses + stimuli
    numbered = [s for s in everything if getattr(s, "sweep_number", None) is not None]
    if everything and len(numbered) == len(everything):
        rows = [(int(s.sweep_number), s) for s in everything]
        pairs = _by_key(rows)
        if all(p.stimulus is not None for p in pairs):
            return pairs, "sweep numbers of the series"
    ordered = sorted(responses, key=start_of)
    table: dict[tuple[str, int], list[Any]] = defaultdict(list)
    starts: dict[tuple[str, int], int] = defaultdict(int)
    for series in stimuli:
        table[_moment(series)].append(series)
    for series in responses:
        starts[_moment(series)] += 1
    pairs = []
    for number, series in enumerate(ordered):
        found = table[_moment(series)]
        only = len(found) == 1 and starts[_moment(series)] == 1
        stimulus = Part(series=found[0]) if only else None
        pairs.append(
            Pair(
                number=number,
                electrode=electrode_of(series),
                response=Part(series=series),
                stimulus=stimulus,
            )
        )
    return pairs, "electrode and start time"


def _moment(series: Any) -> tuple[str, int]:
    """Electrode and start to 10 us: closer than any two sweeps, wider than rounding."""
    return electrode_of(series), round(start_of(series) * 1e5)

"""NWB file -> recordings: one per electrode, paired, scaled, and with findings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.cell import Cell
from cleo_like.core.errors import CleoLikeError, FileFormatError, unknown_name
from cleo_like.core.protocol import Protocol
from cleo_like.core.provenance import Provenance
from cleo_like.core.recording import Recording
from cleo_like.io.facts import facts_of_some, restored_protocol, with_facts
from cleo_like.io.findings.electrodes import pick
from cleo_like.io.findings.plausibility import unit_findings
from cleo_like.io.nwb.extras import stored_facts
from cleo_like.io.nwb.pairs import pair
from cleo_like.io.nwb.source import hdf5
from cleo_like.io.nwb.source.contents import contents_of
from cleo_like.io.nwb.source.kinds import known
from cleo_like.io.nwb.source.streamed import Streamed
from cleo_like.io.nwb.sweeps import sweeps_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import h5py

    from cleo_like.core.sweep import Sweep
    from cleo_like.io.nwb.pairs import Pair, Pairing
from cleo_like.io.nwb.sweeps import Cut

_IMAGING = (
    "{name} has no patch-clamp commands, it has two-photon imaging: read it with read, "
    "read_experiments or read_masks"
)
_SEXES = {"m": "M", "male": "M", "f": "F", "female": "F", "u": "U", "o": "O"}


def read_nwb(path: Path | Streamed, electrode: str | None = None) -> list[Recording]:
    """Read every electrode of an NWB file that has responses.

    Parameters
    ----------
    path : Path
        The file.
    electrode : str, optional
        Only this electrode, or only the series of that name.

    Raises
    ------
    FileFormatError
        Not an NWB file, truncated, or without intracellular responses.
    """
    with hdf5.opened(path) as file:
        pairing = pair(file)
        names = list(dict.fromkeys(p.electrode for p in pairing.pairs))
        chosen = {name: [p for p in pairing.pairs if p.electrode == name] for name in names}
        if electrode is not None and electrode not in chosen:
            chosen = _series_named(pairing, electrode)
        elif electrode is not None:
            chosen = {electrode: chosen[electrode]}
        if not chosen and electrode is not None and names:
            series = [p.response.series.name for p in (*pairing.pairs, *pairing.left_out)]
            raise unknown_name("electrode or series", electrode, {*names, *series})
        if not chosen:
            raise FileFormatError(_nothing(path, pairing))
        stored, damage = _stored(file)
        own = stored is not None and len(names) == 1
        cuts = {name: sweeps_of(pairs) for name, pairs in chosen.items()}
        if all(cut.unreadable and not cut.sweeps for cut in cuts.values()):
            why = "; ".join(text for cut in cuts.values() for text in cut.findings)
            msg = f"no response of {path.name} can be read: {why}"
            raise FileFormatError(msg)
        several = len(names) > 1
        found = [
            _recording(path, file, pairing, (name, chosen[name][0], cut), several=several)
            for name, cut in cuts.items()
        ]
    if damage is not None:
        found = [attrs.evolve(r, findings=(*r.findings, damage)) for r in found]
    if stored is None or not own or electrode not in {None, *names}:
        return found
    return [_restored(found[0], *stored)]


def read_nwb_electrode(path: Path, electrode: str | None) -> Recording:
    """Read one electrode, or one response series, of an NWB file.

    Raises
    ------
    UnknownNameError
        No electrode or series has that name.
    InputError
        None was named, and there are several electrodes.
    """
    if electrode is None:
        return pick(path, read_nwb(path), None)
    return read_nwb(path, electrode)[0]


def read_nwb_protocol(path: Path) -> Protocol:
    """Read the protocol of an NWB file: the stored one, or its commands.

    Raises
    ------
    FileFormatError
        No command, or commands that differ in length or rate.
    """
    with hdf5.opened(path) as file:
        contents = contents_of(file)
        imaging = _has_imaging(file)
        stored, _ = (None, None) if contents.responses else _stored(file)
        if stored is not None:
            series = sorted(
                contents.stimuli,
                key=lambda s: (s.start, s.number if s.number is not None else 0),
            )
            waveforms = _stack([s.values(0, s.samples.count) for s in series])
            protocol = None
            if waveforms is not None and stored[0].get("protocol") is not None:
                protocol = restored_protocol(stored[0]["protocol"], stored[1], waveforms)
            if protocol is not None:
                return protocol
    if contents.responses:
        for recording in read_nwb(path):
            protocol = recording.protocol
            protocol = protocol if protocol is not None else _commanded(path, recording)
            if protocol is not None:
                return protocol
    if imaging:
        raise FileFormatError(_IMAGING.format(name=path.name))
    msg = f"{path.name} has no commands of one length and rate; no protocol can be read from it"
    raise FileFormatError(msg)


def nwb_version(path: Path) -> str:
    """Version of the NWB schema of a file ("2.8.0")."""
    with hdf5.opened(path) as file:
        return str(hdf5.nwb_version(file))


def _has_imaging(file: h5py.File) -> bool:
    """Whether a file has planes of a microscope."""
    return hdf5.has(hdf5.optional_or_none(file, "general"), "optophysiology")


def _series_named(pairing: Pairing, name: str) -> dict[str, list[Pair]]:
    """Find the one response of that name, whether it was left out or not."""
    every = [*pairing.pairs, *pairing.left_out]
    found = [p for p in every if p.response.series.name == name]
    return {name: found} if found else {}


def _nothing(path: Path | Streamed, pairing: Pairing) -> str:
    contents = pairing.contents
    reasons = contents.findings()
    if reasons:
        return f"{path.name} has no readable intracellular response: {'; '.join(reasons)}"
    if _has_imaging(contents.file):
        what = "two-photon imaging: read it with read, read_experiments or read_masks"
    elif contents.stimuli or contents.templates:
        what = "stimuli only; use read_protocol"
    elif contents.plain:
        what = (
            f"no patch-clamp series, only plain time series ({', '.join(contents.plain[:5])})"
        )
    else:
        what = "no patch-clamp series"
    return f"{path.name} has no intracellular response, it has {what}"


def _stored(file: h5py.File) -> tuple[tuple[dict[str, Any], Any] | None, str | None]:
    """Give what cleo_like stored, and why it cannot be used where it is damaged."""
    try:
        return stored_facts(file), None
    except FileFormatError as error:
        return None, f"{error}; ignored"


def _words(sweeps: Sequence[Sweep], device: dict[str, Any]) -> str:
    """Gather what the file says of the recording; "juxtacellular" would be found in it."""
    said = [str(v) for v in device.values() if v is not None]
    return " ".join([*said, *{s.stimulus for s in sweeps if s.stimulus is not None}])


def _restored(
    found: Recording, facts: dict[str, Any], arrays: dict[str, np.ndarray]
) -> Recording:
    try:
        some, parts = facts_of_some(facts, arrays, [s.number for s in found.sweeps])
        return _with_own_starts(found, with_facts(found, some, parts, found.findings))
    except (CleoLikeError, KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"what cleo_like stored in the file does not fit its sweeps ({error}); ignored"
        return attrs.evolve(found, findings=(*found.findings, text))


def _with_own_starts(found: Recording, back: Recording) -> Recording:
    """Let the series say when they start, where someone has moved them since."""
    pairs = list(zip(found.sweeps, back.sweeps, strict=True))
    moved = [s.number for s, b in pairs if abs(s.start_time - b.start_time) > 1 / s.rate]
    if not moved:
        return back
    text = f"{len(moved)} series start at other times than cleo_like stored; theirs are taken"
    sweeps = [attrs.evolve(b, start_time=s.start_time) for s, b in pairs]
    return attrs.evolve(back, sweeps=sweeps, findings=(*back.findings, text))


def _stack(commands: list[np.ndarray]) -> np.ndarray | None:
    if not commands or len({len(c) for c in commands}) > 1:
        return None
    return np.stack(commands)


def _commanded(path: Path, recording: Recording) -> Protocol | None:
    shapes = {(s.n_samples, s.rate, s.mode) for s in recording.sweeps}
    commands = [s.command for s in recording.sweeps if s.command is not None]
    if len(shapes) != 1 or len(commands) != recording.n_sweeps or commands[0].size == 0:
        return None
    if not all(np.isfinite(c).all() for c in commands):
        return None
    return Protocol(
        waveforms=np.stack(commands),
        rate=recording.sweeps[0].rate,
        family="arbitrary",
        mode=recording.sweeps[0].mode,
        holding=float(np.median([c[0] for c in commands])),
        name=path.stem,
        source=path.name,
    )


def _recording(
    path: Path | Streamed,
    file: h5py.File,
    pairing: Pairing,
    part: tuple[str, Pair, Cut],
    *,
    several: bool,
) -> Recording:
    electrode, first, cut = part
    place = hdf5.optional_or_none(first.response.series.group, "electrode")
    device = hdf5.optional_or_none(place, "device")
    cell, doubts = _cell(path, file, place, electrode, several=several)
    started, undated = _session_start(file)
    about = {
        "electrode": electrode,
        "file_format": "NWB 2",
        "name": hdf5.target_name(place, "device", "general", "devices"),
        "description": known(hdf5.attribute_or_none(device, "description")),
        "electrode_description": known(hdf5.text(place, "description")),
        "filtering": known(hdf5.text(place, "filtering")),
    }
    doubts += unit_findings(cut.sweeps, about=_words(cut.sweeps, about))
    return Recording(
        sweeps=cut.sweeps,
        cell=cell,
        provenance=Provenance.of_file(
            Path(path.name) if isinstance(path, Streamed) else path,
            "h5py",
            digest=path.digest if isinstance(path, Streamed) else None,
            paired_by=pairing.method,
        ),
        session_start=started,
        findings=(*pairing.findings, *cut.findings, *doubts, *undated),
        device=about,
    )


def _session_start(file: h5py.File) -> tuple[str | None, tuple[str, ...]]:
    text = hdf5.text(file, "session_start_time")
    try:
        started = datetime.fromisoformat(text if text is not None else "")
    except ValueError:
        return None, (f"session_start_time is {text!r}, which is no time",)
    if started.tzinfo is None:
        said = "session_start_time has no time zone; it was taken as UTC"
        return started.replace(tzinfo=UTC).isoformat(), (said,)
    return started.isoformat(), ()


def _cell(
    path: Path | Streamed, file: h5py.File, place: h5py.Group, electrode: str, *, several: bool
) -> tuple[Cell, list[str]]:
    subject = hdf5.optional_or_none(file, "general", "subject")
    about = {
        name: known(hdf5.text(subject, name))
        for name in ("species", "sex", "subject_id", "age")
    }
    species = about["species"]
    doubts = []
    if species is not None and not _latin(species):
        doubts.append(f"species {species!r} is not a Latin binomial")
    fallback = f"{path.stem}_{electrode}" if several else path.stem
    cell_id = known(hdf5.text(place, "cell_id"))
    cell = Cell(
        id=cell_id if cell_id is not None else fallback,
        species=species,
        region=known(hdf5.text(place, "location")),
        donor=about["subject_id"],
        age=about["age"],
        sex=_SEXES.get(str(about["sex"]).lower()),
        source=path.name,
    )
    return cell, doubts


def _latin(species: str) -> bool:
    words = species.split()
    plain = len(words) >= 2 and words[0].istitle() and words[1].islower()
    return plain or "NCBITaxon" in species

"""Recording or protocol -> NWB file for intracellular electrophysiology."""

from __future__ import annotations

import itertools
import uuid
import warnings
from typing import TYPE_CHECKING, Any

from cleo_like.core.cell import Cell
from cleo_like.core.errors import InputError
from cleo_like.core.files import atomic_path
from cleo_like.core.protocol import Protocol
from cleo_like.core.provenance import Provenance, versions
from cleo_like.core.recording import Recording
from cleo_like.core.sweep import Sweep
from cleo_like.io.facts import facts_of, protocol_facts
from cleo_like.io.nwb.extras import add_facts, add_truth
from cleo_like.io.nwb.ipfx import add_sweep_table, played, stimulus_codes
from cleo_like.io.nwb.names import session_of
from cleo_like.io.nwb.parts import (
    electrode_from,
    is_simulated,
    response_series,
    start_of_session,
    stimulus_series,
    subject_from,
)
from cleo_like.io.targets import check_target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pynwb import NWBFile


def write_nwb(
    thing: Recording | Protocol,
    path: str | Path,
    *,
    overwrite: bool = False,
    session_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    ipfx_compatible: bool = False,
    ipfx_code: str | None = None,
) -> Path:
    """Write a recording, or a protocol, as NWB.

    The file has subject, device, electrode, response and stimulus series (float32,
    compressed), the whole hierarchy of the IntracellularRecordings table, and what cleo_like
    needs to read it back. Ground truth goes into a processing module of its own, labelled as
    simulation truth.

    Parameters
    ----------
    thing : Recording or Protocol
        Sweeps may differ in length, rate and clamp mode.
    path : str or Path
        The file appears whole or not at all; `dandi_path` names it for the archive.
    overwrite : bool
        Whether a file that this package wrote may be replaced; a recording from elsewhere
        never is.
    session_id : str, optional
        See `dandi_path`.
    metadata : mapping, optional
        Further fields of the NWB file: experimenter, lab, institution, keywords,
        experiment_description, related_publications ...
    ipfx_compatible : bool
        Add what ipfx 2.1 asks for: a SweepTable and a stimulus code. This costs one best
        practice violation (the SweepTable is deprecated). The protocol must have a test
        pulse and 0.2 s of rest after the step.
    ipfx_code : str, optional
        Code of ipfx's stimulus ontology, where the family does not tell.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ExistingFileError
        The file exists.
    FileFormatError
        A sweep of unknown clamp mode.
    InputError
        No sweep, a session in the future or without time zone, or ipfx asked for more.
    """
    path = check_target(path, overwrite=overwrite, sidecar=False)
    recording = _as_recording(thing) if isinstance(thing, Protocol) else thing
    if not recording.sweeps:
        msg = f"the recording of {recording.cell.id} has no sweep to write"
        raise InputError(msg)
    numbers = [s.number for s in recording.sweeps]
    if len(set(numbers)) < len(numbers):
        msg = f"NWB needs different sweep numbers, got {numbers}"
        raise InputError(msg)
    codes = stimulus_codes(recording, ipfx_code) if ipfx_compatible else None
    nwbfile = _nwbfile(recording, session_id, metadata if metadata is not None else {})
    facts, arrays = (
        protocol_facts(thing) if isinstance(thing, Protocol) else facts_of(recording)
    )
    if facts.get("truth") is not None:
        del facts["truth"]["spike_times"]  # they are in their own table
    _add_sweeps(nwbfile, recording, codes, with_responses=not isinstance(thing, Protocol))
    add_facts(nwbfile, facts, arrays)
    add_truth(nwbfile, recording)
    _save(nwbfile, path, overwrite=overwrite)
    return path


def _save(nwbfile: NWBFile, path: Path, *, overwrite: bool) -> None:
    """Build the file in memory, then write its bytes: HDF5 does not survive a full disk."""
    import h5py
    import pynwb

    in_memory = h5py.File(path.name, "w", driver="core", backing_store=False)
    with in_memory, pynwb.NWBHDF5IO(file=in_memory, mode="w") as io:
        io.write(nwbfile)
        in_memory.flush()
        image = in_memory.id.get_file_image()
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(image)


def _as_recording(protocol: Protocol) -> Recording:
    """Dress a protocol as sweeps, of which only the commands will be written."""
    sweeps = [
        Sweep(
            response=waveform,
            command=waveform,
            rate=protocol.rate,
            number=number,
            mode=protocol.mode,
            start_time=float(start),
            stimulus=protocol.name,
        )
        for number, (waveform, start) in enumerate(
            zip(protocol.waveforms, protocol.start_times, strict=True)
        )
    ]
    return Recording(
        sweeps=sweeps,
        cell=Cell(id="no cell", source="a stimulus protocol without a recording"),
        provenance=Provenance.of_simulation(),
        protocol=protocol,
    )


def _nwbfile(recording: Recording, session_id: str | None, metadata: Mapping[str, Any]) -> Any:
    import pynwb

    cell = recording.cell
    protocols = played(recording)
    kind = "Simulated" if is_simulated(recording) else "Intracellular"
    told = [f"protocol {protocol.name} ({protocol.source})" for protocol in protocols]
    about = "".join(f", {text}" for text in told)
    modes = sorted({str(s.mode).replace("_", " ") for s in recording.sweeps})
    notes = [f"cell: {cell!r}", *recording.findings]
    if recording.session_start is None:
        notes.append("session_start_time is the time of making the data or the file")
    software = recording.provenance.software or versions()
    fields: dict[str, Any] = {
        "session_description": (
            f"{kind} {' and '.join(modes)} recording of cell {cell.id}{about}"
        ),
        "identifier": str(uuid.uuid4()),
        "session_start_time": start_of_session(recording),
        "session_id": session_of(recording, session_id),
        # no keywords of our own: Neo 0.14 opens no file that has any
        "protocol": ", ".join(p.family for p in protocols) or None,
        "experiment_description": (
            "; ".join(f"{p.name}: {p.source}" for p in protocols) or "not described"
        ),
        "notes": "\n".join(notes),
        "subject": subject_from(recording),
        "was_generated_by": [[name, version] for name, version in software.items()],
    }
    fields.update(metadata)
    return pynwb.NWBFile(**fields)


def _add_sweeps(
    nwbfile: NWBFile, recording: Recording, codes: list[str] | None, *, with_responses: bool
) -> None:
    electrode = electrode_from(nwbfile, recording)
    fallback = recording.protocol.name if recording.protocol is not None else "not described"
    rows: list[str] = []
    simultaneous: list[int] = []
    everything: list[Any] = []
    for place, sweep in enumerate(recording.sweeps):
        stimulus = sweep.stimulus if sweep.stimulus is not None else fallback
        about = codes[place] if codes is not None else stimulus
        series = {
            "response": response_series(sweep, electrode, about) if with_responses else None,
            "stimulus": stimulus_series(sweep, electrode, about),
        }
        present = {kind: s for kind, s in series.items() if s is not None}
        everything += present.values()
        with warnings.catch_warnings():
            # a response without a stimulus is legal, and said in the notes
            warnings.simplefilter("ignore", UserWarning)
            row = nwbfile.add_intracellular_recording(electrode=electrode, **present)
        rows.append(about)
        simultaneous.append(nwbfile.add_icephys_simultaneous_recording(recordings=[row]))
    _add_hierarchy(nwbfile, rows, simultaneous)
    if codes is not None:
        add_sweep_table(nwbfile, everything)


def _add_hierarchy(nwbfile: NWBFile, stimuli: list[str], simultaneous: list[int]) -> None:
    """Group consecutive sweeps of one stimulus; one repetition, one condition."""
    groups = []
    for stimulus, members in itertools.groupby(
        zip(stimuli, simultaneous, strict=True), key=lambda pair: pair[0]
    ):
        rows = [row for _, row in members]
        groups.append(
            nwbfile.add_icephys_sequential_recording(
                simultaneous_recordings=rows, stimulus_type=stimulus
            )
        )
    repetition = nwbfile.add_icephys_repetition(sequential_recordings=groups)
    nwbfile.add_icephys_experimental_condition(repetitions=[repetition])

"""The pieces of an NWB file: subject, device, electrode, series."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.core.sweep import ClampMode
from cleo_like.io.nwb.names import subject_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pynwb import NWBFile
    from pynwb.icephys import IntracellularElectrode

    from cleo_like.core.recording import Recording
    from cleo_like.core.sweep import Sweep

NO_ORGANISM = "http://purl.obolibrary.org/obo/NCBITaxon_32630"
"""NCBI taxonomy's "synthetic construct": the species of a simulated cell that has none.
It passes the archive's checks and claims no animal."""
ANY_AGE = "P0D/"
"""From birth on, without an upper bound: true of every age that is not known."""

_CURRENT_SETTINGS = ("gain", "bias_current", "bridge_balance", "capacitance_compensation")
_VOLTAGE_SETTINGS = (
    "gain", "capacitance_fast", "capacitance_slow", "resistance_comp_bandwidth",
    "resistance_comp_correction", "resistance_comp_prediction", "whole_cell_capacitance_comp",
    "whole_cell_series_resistance_comp",
)  # fmt: skip
_ELECTRODE_TEXTS = ("filtering", "resistance", "seal", "initial_access_resistance", "slice")


def is_simulated(recording: Recording) -> bool:
    """Whether a recording comes from the simulator."""
    return recording.truth is not None or recording.provenance.source == "simulation"


def start_of_session(recording: Recording) -> datetime:
    """Start of the session with its time zone; the time of making where it is unknown.

    Raises
    ------
    InputError
        It has no time zone, or lies in the future.
    """
    return session_time(recording.session_start, recording.provenance.created)


def session_time(session_start: str | None, created: str | None) -> datetime:
    """Read the start of a session; when the data were made, or now, where it is unknown.

    Raises
    ------
    InputError
        It has no time zone, or lies in the future.
    """
    text = session_start if session_start is not None else created
    now = datetime.now(UTC)
    if text is None:
        return now
    start = datetime.fromisoformat(text)
    if start.tzinfo is None:
        msg = f"session_start {text!r} has no time zone; write for example '{text}+00:00'"
        raise InputError(msg)
    if start > now:
        msg = f"session_start {text!r} is in the future (it is {now.isoformat()})"
        raise InputError(msg)
    return start


def subject_from(recording: Recording) -> Any:
    """Make the Subject: what is known, and honest values for what an archive insists on."""
    from pynwb.file import Subject

    cell, simulated = recording.cell, is_simulated(recording)
    unknown = [f for f in ("species", "age", "sex") if getattr(cell, f) is None]
    about = (
        f"Simulated cell {cell.id}: a computer model, not an animal."
        if simulated
        else f"Donor of the recorded cell {cell.id}."
    )
    if unknown:
        about += f" Not known: {', '.join(unknown)}"
        about += (
            "; species stands for 'synthetic construct', age for any age, sex U for unknown."
            if simulated
            else "."
        )
    species = cell.species
    if species is None and simulated:
        species = NO_ORGANISM
    return Subject(
        subject_id=subject_of(recording),
        species=species,
        age=cell.age if cell.age is not None else ANY_AGE,
        sex=cell.sex if cell.sex is not None else "U",
        description=about,
    )


def electrode_from(nwbfile: NWBFile, recording: Recording) -> Any:
    """Make device and electrode."""
    device = recording.device
    simulated = is_simulated(recording)
    what = "Simulated patch-clamp amplifier and digitiser" if simulated else "Patch-clamp rig"
    known = "; ".join(f"{key}: {value}" for key, value in device.items() if value is not None)
    name = str(device.get("name", "virtual rig" if simulated else "rig"))
    rig = nwbfile.create_device(
        name=_plain(name), description=f"{what}. {known}" if known else f"{what}."
    )
    texts = {k: str(device[k]) for k in _ELECTRODE_TEXTS if device.get(k) is not None}
    about = device.get("electrode_description")
    if about is None:
        about = "Simulated whole-cell pipette" if simulated else "Patch pipette"
    return nwbfile.create_icephys_electrode(
        name=_plain(str(device.get("electrode", "electrode 0"))),
        device=rig,
        description=str(about),
        cell_id=recording.cell.id,
        location=recording.cell.region,
        **texts,
    )


def response_series(sweep: Sweep, electrode: IntracellularElectrode, stimulus: str) -> Any:
    """Make the CurrentClampSeries or VoltageClampSeries of a sweep."""
    from pynwb.icephys import CurrentClampSeries, VoltageClampSeries

    current = _is_current(sweep)
    cls = CurrentClampSeries if current else VoltageClampSeries
    what = "Membrane potential" if current else "Clamp current"
    wanted = _CURRENT_SETTINGS if current else _VOLTAGE_SETTINGS
    return cls(
        name=f"{cls.__name__}_{sweep.number:04d}",
        description=f"{what} of sweep {sweep.number}",
        data=_packed(sweep.response),
        **_common(sweep, electrode, stimulus),
        **_numbers(sweep.settings, wanted),
    )


def stimulus_series(sweep: Sweep, electrode: IntracellularElectrode, stimulus: str) -> Any:
    """Make the stimulus series of a sweep; None where the command is unknown."""
    from pynwb.icephys import CurrentClampStimulusSeries, VoltageClampStimulusSeries

    if sweep.command is None:
        return None
    current = _is_current(sweep)
    cls = CurrentClampStimulusSeries if current else VoltageClampStimulusSeries
    what = "Commanded current" if current else "Commanded potential"
    return cls(
        name=f"{cls.__name__}_{sweep.number:04d}",
        description=f"{what} of sweep {sweep.number}, holding included",
        data=_packed(sweep.command),
        **_common(sweep, electrode, stimulus),
    )


def _common(sweep: Sweep, electrode: IntracellularElectrode, stimulus: str) -> dict[str, Any]:
    if not 0 <= sweep.number < 2**32:
        msg = f"NWB needs sweep numbers from 0 to 4294967295, got {sweep.number}"
        raise FileFormatError(msg)
    return {
        "electrode": electrode,
        "rate": float(sweep.rate),
        "starting_time": float(sweep.start_time),
        "stimulus_description": stimulus,
        "sweep_number": np.uint32(sweep.number),
        "conversion": 1.0,
    }


def _is_current(sweep: Sweep) -> bool:
    if sweep.mode is ClampMode.UNKNOWN:
        msg = (
            f"the clamp mode of sweep {sweep.number} is unknown, so NWB's kind of series and "
            "its unit are too; set Sweep.mode"
        )
        raise FileFormatError(msg)
    return sweep.mode is ClampMode.CURRENT


def _packed(samples: np.ndarray) -> Any:
    """Compress float32 samples (bytes of like weight together, then deflate)."""
    from hdmf.backends.hdf5 import H5DataIO

    data = np.ascontiguousarray(samples, dtype=np.float32)
    return H5DataIO(data, compression="gzip", compression_opts=4, shuffle=True)


def _numbers(settings: Mapping[str, Any], wanted: tuple[str, ...]) -> dict[str, float]:
    return {n: float(settings[n]) for n in wanted if settings.get(n) is not None}


def _plain(name: str) -> str:
    """NWB names become paths inside the file."""
    return name.replace("/", "-").replace(":", "-")

"""NWB file -> recordings: one per electrode, paired, scaled, and with findings."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.cell import Cell
from cleo_like.core.errors import CleoLikeError, FileFormatError
from cleo_like.core.protocol import Protocol
from cleo_like.core.provenance import Provenance, hash_of, versions
from cleo_like.core.recording import Recording
from cleo_like.core.sweep import ClampMode, Sweep
from cleo_like.io.facts import restored_protocol, with_facts
from cleo_like.io.nwb.extras import stored_facts
from cleo_like.io.nwb.pairs import Pair, Pairing, Part, is_stimulus, pair, start_of
from cleo_like.io.plausibility import unit_findings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MODES = {
    "CurrentClampSeries": ClampMode.CURRENT,
    "IZeroClampSeries": ClampMode.CURRENT,
    "VoltageClampSeries": ClampMode.VOLTAGE,
}
_SETTINGS = (
    "bias_current", "bridge_balance", "capacitance_compensation", "capacitance_fast",
    "capacitance_slow", "resistance_comp_bandwidth", "resistance_comp_correction",
    "resistance_comp_prediction", "whole_cell_capacitance_comp",
    "whole_cell_series_resistance_comp", "gain",
)  # fmt: skip
_NOTHING = {"", "na", "n/a", "nan", "none", "unknown", "{}", "null", "unspecified"}
_SEXES = {"m": "M", "male": "M", "f": "F", "female": "F", "u": "U", "o": "O"}
_WHOLE = 1e-9  # relative; a rate this close to a whole number was computed as 1 / interval


def read_nwb(path: Path) -> list[Recording]:
    """Read every electrode of an NWB file that has responses.

    Raises
    ------
    FileFormatError
        Not an NWB file, truncated, or without intracellular responses.
    """
    with opened(path) as nwbfile:
        pairing = pair(nwbfile)
        if not pairing.pairs:
            only = "stimuli only; use read_protocol"
            what = only if nwbfile.stimulus else "no patch-clamp series"
            msg = f"{path.name} has no intracellular response, it has {what}"
            raise FileFormatError(msg)
        electrodes = list(dict.fromkeys(p.electrode for p in pairing.pairs))
        found = [_recording(path, nwbfile, pairing, name) for name in electrodes]
        stored = stored_facts(nwbfile)
    if stored is None or len(found) != 1:
        return found
    return [_restored(found[0], *stored)]


def read_nwb_protocol(path: Path) -> Protocol:
    """Read the protocol of an NWB file: the stored one, or its commands.

    Raises
    ------
    FileFormatError
        No command, or commands that differ in length or rate.
    """
    with opened(path) as nwbfile:
        responses = bool(pair(nwbfile).pairs)
        stored = None if responses else stored_facts(nwbfile)
        series = [s for s in nwbfile.stimulus.values() if is_stimulus(s)]
        series.sort(key=lambda s: (start_of(s), s.sweep_number or 0))
        if stored is not None:
            waveforms = np.stack([_values(Part(series=s)) for s in series])
            protocol = restored_protocol(stored[0]["protocol"], stored[1], waveforms)
            if protocol is not None:
                return protocol
    if responses:
        for recording in read_nwb(path):
            protocol = recording.protocol
            protocol = protocol if protocol is not None else _commanded(path, recording)
            if protocol is not None:
                return protocol
    msg = f"{path.name} has no commands of one length and rate; no protocol can be read from it"
    raise FileFormatError(msg)


def _restored(
    found: Recording, facts: dict[str, Any], arrays: dict[str, np.ndarray]
) -> Recording:
    try:
        return with_facts(found, facts, arrays, found.findings)
    except (CleoLikeError, KeyError, TypeError) as error:
        text = f"what cleo_like stored in the file does not fit its sweeps ({error}); ignored"
        return attrs.evolve(found, findings=(*found.findings, text))


def _commanded(path: Path, recording: Recording) -> Protocol | None:
    shapes = {(s.n_samples, s.rate, s.mode) for s in recording.sweeps}
    commands = [s.command for s in recording.sweeps if s.command is not None]
    if len(shapes) != 1 or len(commands) != recording.n_sweeps:
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


def nwb_version(path: Path) -> str:
    """Version of the NWB schema of a file ("2.8.0")."""
    import h5py

    with h5py.File(path, "r") as file:
        return str(file.attrs["nwb_version"])


class opened:  # noqa: N801
    """Context manager: the NWBFile object of a file, with errors that name the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Any:
        """Open for reading."""
        import pynwb
        from hdmf.build.errors import BuildError, ConstructError

        try:
            with warnings.catch_warnings():
                # about cached schema versions and loose metadata, which are read below
                warnings.simplefilter("ignore")
                self._io = pynwb.NWBHDF5IO(str(self.path), "r", load_namespaces=True)
                return self._io.read()
        except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError,
                BuildError, ConstructError) as error:  # fmt: skip
            self.__exit__()
            msg = (
                f"{self.path.name} cannot be read as NWB ({type(error).__name__}: {error}); "
                "expected a complete NWB 2 file in HDF5"
            )
            raise FileFormatError(msg) from error

    def __exit__(self, *_: object) -> None:
        """Close."""
        io = getattr(self, "_io", None)
        if io is not None:
            io.close()


def _recording(path: Path, nwbfile: Any, pairing: Pairing, electrode: str) -> Recording:
    pairs = [p for p in pairing.pairs if p.electrode == electrode]
    sweeps = [sweep for p in pairs for sweep in _sweep(path, p)]
    empty = len(pairs) - len(sweeps)
    findings = [*pairing.findings, *unit_findings(sweeps)]
    if empty:
        findings.append(f"{empty} sweeps without a recorded sample were left out")
    several = len({p.electrode for p in pairing.pairs}) > 1
    cell, doubts = _cell(path, nwbfile, pairs[0], several=several)
    series = pairs[0].response.series
    return Recording(
        sweeps=sweeps,
        cell=cell,
        provenance=Provenance(
            source=path.name,
            software=versions(["pynwb"]),
            parameters={"paired_by": pairing.method},
            input_hash=hash_of(path),
        ),
        session_start=nwbfile.session_start_time.isoformat(),
        findings=(*findings, *doubts),
        device={
            "electrode": electrode,
            "file_format": "NWB 2",
            "name": series.electrode.device.name,
            "description": _known(series.electrode.device.description),
            "electrode_description": _known(series.electrode.description),
            "filtering": _known(series.electrode.filtering),
        },
    )


def _sweep(path: Path, found: Pair) -> Iterator[Sweep]:
    series = found.response.series
    rate, notes = _rate(path, series)
    response = _values(found.response)
    command, more = _command(found, response, rate)
    notes += more
    if command is not None and len(command) != len(response):
        short = min(len(command), len(response))
        notes.append(
            f"response of {len(response)} and command of {len(command)} samples cut to {short}"
        )
        response, command = response[:short], command[:short]
    kept = _recorded(response, command)
    if kept == 0:
        return
    if kept < len(response):
        notes.append(f"NaN tail of {len(response) - kept} samples trimmed")
        response, command = response[:kept], None if command is None else command[:kept]
    notes += _zero_tail(response)
    yield Sweep(
        response=response,
        command=command,
        rate=rate,
        number=found.number,
        mode=_MODES.get(type(series).__name__, ClampMode.UNKNOWN),
        start_time=start_of(series) + found.response.start / rate,
        stimulus=_known(series.stimulus_description),
        settings=_settings(series),
        notes=notes,
    )


def _rate(path: Path, series: Any) -> tuple[float, list[str]]:
    if series.rate is not None:
        rate = float(series.rate)
        whole = float(round(rate))
        if rate != whole and abs(rate - whole) < _WHOLE * rate:
            return whole, [f"rate {rate!r} Hz taken as {whole:g} Hz"]
        return rate, []
    times = np.asarray(series.timestamps[:], dtype=float)
    steps = np.diff(times)
    if len(steps) == 0 or not np.allclose(steps, steps.mean(), rtol=1e-2, atol=0):
        msg = f"{path.name}: the time stamps of {series.name!r} are not evenly spaced"
        raise FileFormatError(msg)
    return float(len(steps) / (times[-1] - times[0])), ["rate taken from the time stamps"]


def _values(part: Part) -> np.ndarray:
    """SI values: stored * conversion + offset (the gain is metadata, never applied)."""
    series = part.series
    stored = np.asarray(part.samples())
    conversion = 1.0 if series.conversion is None else float(series.conversion)
    offset = 0.0 if series.offset is None else float(series.offset)
    if conversion == 1.0 and offset == 0.0:
        return stored if stored.dtype == np.float32 else stored.astype(float)
    return stored.astype(float) * conversion + offset


def _command(found: Pair, response: np.ndarray, rate: float) -> tuple[Any, list[str]]:
    if type(found.response.series).__name__ == "IZeroClampSeries":
        return np.zeros(len(response)), ["the current was zero (IZeroClampSeries)"]
    if found.stimulus is None:
        return None, []
    series = found.stimulus.series
    if series.rate is not None and abs(float(series.rate) - rate) > _WHOLE * rate:
        return None, [f"the stimulus has another rate ({float(series.rate):g} Hz); left out"]
    return _values(found.stimulus), []


def _recorded(response: np.ndarray, command: np.ndarray | None) -> int:
    """Count the samples up to the last one that was recorded."""
    bad = np.isnan(response)
    if command is not None:
        bad = bad | np.isnan(command)
    good = np.flatnonzero(~bad)
    return int(good[-1]) + 1 if len(good) else 0


def _zero_tail(response: np.ndarray) -> list[str]:
    """Report the zeros with which some software fills an interrupted sweep."""
    nonzero = np.flatnonzero(response)
    tail = len(response) - 1 - int(nonzero[-1]) if len(nonzero) else 0
    if tail < max(10, len(response) // 100):
        return []
    return [f"the last {tail} samples are exactly zero: the sweep may have been stopped early"]


def _settings(series: Any) -> dict[str, float]:
    values = {name: getattr(series, name, None) for name in _SETTINGS}
    return {
        name: float(value)
        for name, value in values.items()
        if value is not None and np.isfinite(value)
    }


def _cell(path: Path, nwbfile: Any, found: Pair, *, several: bool) -> tuple[Cell, list[str]]:
    subject, electrode = nwbfile.subject, found.response.series.electrode
    about = {
        name: _known(getattr(subject, name, None))
        for name in ("species", "sex", "subject_id", "age")
    }
    species = about["species"]
    doubts = []
    if species is not None and not _latin(species):
        doubts.append(f"species {species!r} is not a Latin binomial")
    fallback = f"{path.stem}_{electrode.name}" if several else path.stem
    cell_id = _known(getattr(electrode, "cell_id", None))
    cell = Cell(
        id=cell_id if cell_id is not None else fallback,
        species=species,
        region=_known(electrode.location),
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


def _known(value: Any) -> str | None:
    """Text that says something; None for "NA", "{}" and their like."""
    if value is None or str(value).strip().lower() in _NOTHING:
        return None
    return str(value)

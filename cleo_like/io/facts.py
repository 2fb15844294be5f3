"""What a recording knows beside its samples, as JSON types, and back again.

The NWB writer keeps these facts inside the file, the ABF and ATF writers in a sidecar.
Waveforms of a protocol are not repeated where the commands of the sweeps already are the
waveforms.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.cell import Cell
from cleo_like.core.errors import FileFormatError
from cleo_like.core.protocol import Protocol, levels_from_epochs
from cleo_like.core.provenance import Provenance, to_json
from cleo_like.core.recording import GroundTruth
from cleo_like.core.sweep import ClampMode, same_rate
from cleo_like.io.findings.plausibility import UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cleo_like.core.recording import Recording
    from cleo_like.core.sweep import Sweep

ROUNDING = 1e-4
"""Largest difference, relative to the largest command, that rounding in a file explains
(ABF: half of 1/32000; float32: 6e-8)."""

Arrays = dict[str, np.ndarray]

_OF_PROTOCOL = ("picture", "protocol_waveforms")
"""Arrays of a protocol; of several, each with its number behind."""


def facts_of(recording: Recording) -> tuple[dict[str, Any], Arrays]:
    """Take a recording apart.

    Parameters
    ----------
    recording : Recording
        Anything that is to be written.

    Returns
    -------
    facts : dict
        JSON types only.
    arrays : dict of str to array
        What is too large for text: "picture", "protocol_waveforms", "truth_voltage_3" ...
    """
    arrays: Arrays = {}
    facts = {
        "cell": _fields(recording.cell),
        "provenance": _fields(recording.provenance),
        "session_start": recording.session_start,
        "findings": recording.findings,
        "device": recording.device,
        "sweeps": [_sweep_facts(sweep) for sweep in recording.sweeps],
        "protocol": None,
        "truth": None,
    }
    if recording.protocol is not None:
        facts["protocol"] = recording.protocol.description()
        arrays |= _protocol_arrays(recording.protocol)
        if not _is_commanded(recording):
            arrays["protocol_waveforms"] = recording.protocol.waveforms
    told: list[dict[str, Any]] = []
    for k, part in enumerate(_parts(recording)):
        own, large = facts_of(part)
        told.append({"n_sweeps": len(part), **own["protocol"]})
        arrays |= {_numbered(name, k): large[name] for name in _OF_PROTOCOL if name in large}
    if told:
        facts["protocols"] = told
    if recording.truth is not None:
        facts["truth"] = _truth_facts(recording.truth)
        arrays |= _truth_arrays(recording.truth)
    return json.loads(to_json(facts)), arrays


def _parts(recording: Recording) -> list[Recording]:
    """Give the sweeps of each of several protocols, with nothing but their commands."""
    ends = np.cumsum([0, *map(len, recording.protocols)])
    bare = attrs.evolve(recording, truth=None, findings=(), device={})
    return [bare[int(a) : int(b)] for a, b in pairwise(ends)]


def _numbered(name: str, k: int) -> str:
    return f"{name}_{k}"


def protocol_facts(protocol: Protocol) -> tuple[dict[str, Any], Arrays]:
    """Take a protocol apart, as `facts_of` does with a recording."""
    facts = {"protocol": protocol.description()}
    return json.loads(to_json(facts)), _protocol_arrays(protocol)


def with_facts(
    recording: Recording, facts: Mapping[str, Any], arrays: Arrays, findings: tuple[str, ...]
) -> Recording:
    """Put a recording together again from its samples and its facts.

    Parameters
    ----------
    recording : Recording
        As read from the samples alone.
    facts, arrays
        What `facts_of` gave.
    findings : tuple of str
        What the reader noticed now; added to those that were stored. Whether values are
        plausible for a cell is no question for those of a simulator.

    Raises
    ------
    FileFormatError
        The facts speak of another number of sweeps.
    """
    provenance = Provenance(**facts["provenance"])
    if provenance.source == "simulation":
        findings = tuple(f for f in findings if not f.endswith(UNCHANGED))
    stored = facts["sweeps"]
    if len(stored) != recording.n_sweeps:
        msg = f"facts of {len(stored)} sweeps do not belong to {recording.n_sweeps} sweeps"
        raise FileFormatError(msg)
    sweeps = [_sweep(s, f) for s, f in zip(recording.sweeps, stored, strict=True)]
    protocol = None
    if facts["protocol"] is not None:
        commands = _stack([s.command for s in sweeps])
        protocol = restored_protocol(facts["protocol"], arrays, commands)
        sweeps = _exact_commands(sweeps, protocol)
    sweeps, protocols = _several(sweeps, facts.get("protocols", []), arrays)
    return attrs.evolve(
        recording,
        sweeps=sweeps,
        cell=Cell(**facts["cell"]),
        provenance=provenance,
        session_start=facts["session_start"],
        findings=tuple(dict.fromkeys((*facts["findings"], *findings))),
        device=facts["device"],
        protocol=protocol,
        protocols=protocols,
        truth=_truth(facts["truth"], arrays),
    )


def _several(
    sweeps: list[Sweep], described: Sequence[Mapping[str, Any]], arrays: Arrays
) -> tuple[list[Sweep], tuple[Protocol, ...]]:
    """Rebuild several protocols, each from the commands of its sweeps."""
    found, out, at = [], [], 0
    for k, one in enumerate(described):
        named = {n: arrays[_numbered(n, k)] for n in _OF_PROTOCOL if _numbered(n, k) in arrays}
        count = one["n_sweeps"]
        about = {name: value for name, value in one.items() if name != "n_sweeps"}
        part, at = sweeps[at : at + count], at + count
        protocol = restored_protocol(about, named, _stack([s.command for s in part]))
        if protocol is None:
            return sweeps, ()
        found.append(protocol)
        out += _exact_commands(part, protocol)
    return (out, tuple(found)) if at == len(sweeps) else (sweeps, ())


def facts_of_some(
    facts: Mapping[str, Any], arrays: Arrays, numbers: Sequence[int]
) -> tuple[dict[str, Any], Arrays]:
    """Keep what the facts say of the sweeps with these numbers, where others were lost.

    Protocols, which speak of all sweeps, go then.
    """
    rows = {f["number"]: row for row, f in enumerate(facts["sweeps"])}
    if list(rows) == list(numbers) or not set(numbers) <= set(rows):
        return dict(facts), arrays
    kept = [rows[number] for number in numbers]
    some = {
        **{name: value for name, value in facts.items() if name != "protocols"},
        "sweeps": [facts["sweeps"][row] for row in kept],
        "protocol": None,
    }
    if facts["truth"] is not None:
        times = facts["truth"]["spike_times"]
        some["truth"] = {**facts["truth"], "spike_times": [times[row] for row in kept]}
    stem = "truth_voltage_"
    others = {name: array for name, array in arrays.items() if not name.startswith(stem)}
    voltage = {
        f"{stem}{k}": arrays[f"{stem}{row}"]
        for k, row in enumerate(kept)
        if f"{stem}{row}" in arrays
    }
    return some, others | voltage


def restored_protocol(
    description: Mapping[str, Any], arrays: Arrays, commands: np.ndarray | None
) -> Protocol | None:
    """Rebuild a protocol: its stored waveforms, its epochs redrawn, or the commands.

    None where the file holds none of the three.
    """
    waveforms = arrays.get("protocol_waveforms", commands)
    if waveforms is None:
        return None
    protocol = Protocol.from_description(description, waveforms, arrays.get("picture"))
    if not protocol.is_steps:
        return protocol
    drawn = levels_from_epochs(
        protocol.epochs, protocol.n_sweeps, protocol.n_samples, protocol.holding
    )
    return attrs.evolve(protocol, waveforms=drawn) if _close(drawn, waveforms) else protocol


def _fields(noun: Any) -> dict[str, Any]:
    return {f.name: getattr(noun, f.name) for f in attrs.fields(type(noun))}


def _sweep_facts(sweep: Sweep) -> dict[str, Any]:
    names = ("rate", "number", "start_time", "stimulus", "settings", "notes")
    return {"mode": str(sweep.mode)} | {name: getattr(sweep, name) for name in names}


def _sweep(sweep: Sweep, facts: Mapping[str, Any]) -> Sweep:
    """Give a sweep its facts, where they speak of the samples that are in the file now."""
    mode = ClampMode(facts["mode"])
    if not same_rate(sweep.rate, facts["rate"]):
        msg = f"facts of {facts['rate']} Hz, samples of {sweep.rate} Hz in sweep {sweep.number}"
        raise FileFormatError(msg)
    if sweep.mode is not mode and ClampMode.UNKNOWN not in {mode, sweep.mode}:
        msg = f"facts of {mode}, samples of {sweep.mode} in sweep {sweep.number}"
        raise FileFormatError(msg)
    trimmed = [note for note in sweep.notes if "NaN tail" in note]
    notes = tuple(dict.fromkeys((*facts["notes"], *trimmed)))
    return attrs.evolve(sweep, **{**facts, "notes": notes})


def _protocol_arrays(protocol: Protocol) -> Arrays:
    return {} if protocol.picture is None else {"picture": protocol.picture}


def _is_commanded(recording: Recording) -> bool:
    """Whether the commands of the sweeps are the waveforms of the protocol."""
    commands = _stack([s.command for s in recording.sweeps])
    protocol = recording.protocol
    return (
        protocol is not None and commands is not None and _close(commands, protocol.waveforms)
    )


def _stack(commands: list[np.ndarray | None]) -> np.ndarray | None:
    known = [c for c in commands if c is not None]
    if not known or len(known) < len(commands) or len({len(c) for c in known}) > 1:
        return None
    return np.stack(known)


def _close(left: np.ndarray, right: np.ndarray) -> bool:
    if left.shape != right.shape:
        return False
    largest = max(_size(right), _size(left))
    return _size(left - right) <= ROUNDING * largest


def _size(values: np.ndarray) -> float:
    """Largest absolute value; NaN where there is one."""
    return float(np.maximum(values.max(), -values.min()))


def _exact_commands(sweeps: list[Sweep], protocol: Protocol | None) -> list[Sweep]:
    """Give the sweeps the unrounded commands of a step protocol."""
    if protocol is None or len(sweeps) != protocol.n_sweeps:
        return sweeps
    pairs = list(zip(sweeps, protocol.waveforms, strict=True))
    if not all(s.command is not None and _close(w, s.command) for s, w in pairs):
        return sweeps
    return [attrs.evolve(s, command=w) for s, w in pairs]


def _truth_facts(truth: GroundTruth) -> dict[str, Any]:
    return {
        "spike_times": truth.spike_times,
        "model": truth.model,
        "parameters": truth.parameters,
        "answers": truth.answers,
        "has_voltage": truth.voltage is not None,
    }


def _truth_arrays(truth: GroundTruth) -> Arrays:
    voltage = truth.voltage if truth.voltage is not None else ()
    return {f"truth_voltage_{i}": v for i, v in enumerate(voltage)}


def _truth(facts: Mapping[str, Any] | None, arrays: Arrays) -> GroundTruth | None:
    if facts is None:
        return None
    times = [np.array(t, dtype=float) for t in facts["spike_times"]]
    voltage = None
    if facts["has_voltage"]:
        voltage = [arrays[f"truth_voltage_{i}"] for i in range(len(times))]
    return GroundTruth(
        spike_times=times,
        voltage=voltage,
        model=facts["model"],
        parameters=facts["parameters"],
        answers=facts["answers"],
    )

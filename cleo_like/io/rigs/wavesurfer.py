"""WaveSurfer (.h5): analog scans as counts of the converter, scaled by the header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.sweep import Sweep
from cleo_like.io.rigs.assemble import MONITOR, UNKNOWN, Signal, in_si, recording_of, roles

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

    from cleo_like.core.recording import Recording

_NEW = {
    "rate": "AcquisitionSampleRate", "names": "AIChannelNames", "units": "AIChannelUnits",
    "scales": "AIChannelScales", "coefficients": "AIScalingCoefficients",
    "active": "IsAIChannelActive",
}  # fmt: skip
_OLD = {
    "rate": "Acquisition/SampleRate", "names": "Acquisition/AnalogChannelNames",
    "units": "Acquisition/AnalogChannelUnits", "scales": "Acquisition/AnalogChannelScales",
    "coefficients": "Acquisition/AnalogScalingCoefficients",
    "active": "Acquisition/IsAnalogChannelActive",
}  # fmt: skip
"""Fields of the header, since version 0.99 and before."""


def is_wavesurfer(path: Path) -> bool:
    """Whether a file is HDF5 with WaveSurfer's header and sweeps."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return "header" in file and any(_is_sweep(name) for name in file)
    except OSError:
        return False


def _is_sweep(name: str) -> bool:
    return name.startswith(("sweep_", "trial_"))


def read_wavesurfer(path: Path) -> list[Recording]:
    """Read the sweeps of a WaveSurfer file as one cell.

    The first potential is the response and the first current the command (the other way round
    where there are currents only).

    Raises
    ------
    FileFormatError
        Not WaveSurfer's, damaged, or without a channel in volts or amperes.
    """
    import h5py

    if not is_wavesurfer(path):
        msg = f"{path.name} is no WaveSurfer file: it has no header and sweeps in HDF5"
        raise FileFormatError(msg)
    try:
        with h5py.File(path, "r") as file:
            return [_recording(path, file)]
    except (KeyError, OSError, IndexError, TypeError) as error:
        msg = f"{path.name} is a damaged WaveSurfer file ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error


def _recording(path: Path, file: h5py.File) -> Recording:
    header = file["header"]
    fields = _NEW if _NEW["rate"] in header else _OLD
    rate = float(np.ravel(header[fields["rate"]][()])[0])
    active = np.ravel(header[fields["active"]][()]).astype(bool)
    names, units = (_texts(header[fields[key]]) for key in ("names", "units"))
    kept = np.flatnonzero(active)
    scales = np.ravel(header[fields["scales"]][()])[kept]
    coefficients = np.atleast_2d(header[fields["coefficients"]][()])
    # one row a channel that was recorded (or, in some versions, for each that there is)
    coefficients = coefficients[kept] if len(coefficients) == active.size else coefficients
    sweeps, findings = [], []
    for name in sorted(filter(_is_sweep, file)):
        group = file[name]
        scans = np.asarray(group["analogScans"][()])
        if scans.shape[0] != kept.size:
            msg = f"{path.name}: {name} has {scans.shape[0]} channels, the header {kept.size}"
            raise FileFormatError(msg)
        signals = [
            _scaled(names[c], units[c], scans[row], scales[row], coefficients[row])
            for row, c in enumerate(kept)
        ]
        mode, response, command = roles(signals)
        if response is None:
            units_told = ", ".join(s.unit for s in signals)
            findings.append(f"{name} has channels in {units_told} only")
            continue
        findings.append(MONITOR.format(command.name) if command is not None else UNKNOWN)
        start = float(np.ravel(group["timestamp"][()])[0]) if "timestamp" in group else 0.0
        sweeps.append(Sweep(
            mode=mode, response=response.values, rate=rate, number=_number(name),
            command=None if command is None else command.values, start_time=max(start, 0.0),
        ))  # fmt: skip
    return recording_of(
        path, sweeps, cell=path.stem, file_format="WaveSurfer", findings=findings,
        device={"version": _version(header)}, packages=("h5py",),
    )  # fmt: skip


def _number(name: str) -> int:
    return int(name.split("_")[1])


def _scaled(
    name: str, unit: str, counts: np.ndarray, scale: float, coefficients: np.ndarray
) -> Signal:
    """Turn counts into volts at the converter (a polynomial), then into the channel's unit."""
    volts = np.polynomial.polynomial.polyval(counts.astype(float), np.ravel(coefficients))
    values, si = in_si(volts / float(scale), unit)
    return Signal(name=name, unit=si, values=values)


def _texts(data: Any) -> list[str]:
    return [t.decode("utf-8", "replace") if isinstance(t, bytes) else str(t)
            for t in np.ravel(data[()])]  # fmt: skip


def _version(header: h5py.Group) -> str:
    return _texts(header["VersionString"])[0] if "VersionString" in header else "not told"

"""What is in a file, for people: the text behind ``cleo-like info FILE``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cleo_like.core.errors import FileFormatError
from cleo_like.io.load import existing
from cleo_like.io.readers import reader_for
from cleo_like.io.targets import sidecar_path

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording


@attrs.frozen(kw_only=True)
class Description:
    """Contents of one file; `str` gives the text.

    Parameters
    ----------
    name : str
        Name of the file.
    format : str
        Format and version ("ABF 1.8.3.0").
    size : int
        Bytes.
    recordings : tuple of Recording
        One per cell; empty for a stimulus file.
    protocol : Protocol or None
        Of a stimulus file.
    sidecar : bool
        Whether a sidecar lies beside it.
    imaging : tuple of str
        Lines on two-photon imaging.
    """

    name: str
    format: str
    size: int
    recordings: tuple[Recording, ...] = ()
    protocol: Protocol | None = None
    sidecar: bool = False
    imaging: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Several lines, one fact each."""
        lines = [f"{self.name}: {self.format}, {self.size / 1e6:.3g} MB"]
        if self.sidecar:
            lines.append("  sidecar: yes")
        if self.protocol is not None:
            lines += ["  stimulus file", *_protocol_lines(self.protocol)]
        for recording in self.recordings:
            lines += _recording_lines(recording)
        lines += self.imaging
        return "\n".join(lines)


def describe(path: str | Path) -> Description:
    """Tell what is in an ABF, ATF or NWB file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Description
        `str` of it is the text for people.

    Raises
    ------
    FileFormatError
        The file cannot be read.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from pathlib import Path
    >>> from cleo_like import Protocol
    >>> from cleo_like.io import describe, write
    >>> made = Protocol(waveforms=np.full((2, 400), 1e-11), rate=2e4, family="noise")
    >>> print(describe(write(made, Path(tempfile.mkdtemp()) / "noise.abf")))
    noise.abf: ABF 1.8.3.0, 0.0087 MB
      sidecar: yes
      stimulus file
      protocol: Protocol noise: 2 sweeps of 20 ms at 20 kHz, 10..10 pA, gap 0 ms
        family: noise; from: user
    """
    file = existing(path)
    reader = reader_for(file)
    recordings: tuple[Recording, ...] = ()
    protocol = None
    imaging = () if reader.imaging is None else tuple(reader.imaging.describe(file))
    try:
        if not (imaging and reader.imaging is not None and reader.imaging.only(file)):
            recordings = tuple(reader.read_all(file))
    except FileFormatError:
        if reader.read_protocol is None:
            raise
        protocol = reader.read_protocol(file)  # raises again where the file is broken
    version = "" if reader.version is None else f" {reader.version(file)}"
    return Description(
        name=file.name,
        format=f"{reader.name}{version}",
        size=file.stat().st_size,
        recordings=recordings,
        protocol=protocol,
        imaging=imaging,
        sidecar=sidecar_path(file).is_file(),
    )


def _recording_lines(recording: Recording) -> list[str]:
    lines = [f"  {recording!r}", f"    {recording.cell!r}"]
    lines.append(f"    electrode: {recording.device.get('electrode', 'unknown')}")
    if recording.session_start is not None:
        lines.append(f"    session: {recording.session_start}")
    origins = {n for s in recording.sweeps for n in s.notes if n.startswith("command: ")}
    lines += [f"    {origin}" for origin in sorted(origins)]
    if recording.protocol is not None:
        lines += [f"  {line}" for line in _protocol_lines(recording.protocol)]
    if recording.truth is not None:
        lines.append(f"    {recording.truth!r}")
    lines.append(f"    {recording.provenance!r}")
    lines += [f"    finding: {text}" for text in recording.findings]
    return lines


def _protocol_lines(protocol: Protocol) -> list[str]:
    lines = [f"  protocol: {protocol!r}"]
    lines.append(f"    family: {protocol.family}; from: {protocol.source}")
    for epoch in protocol.epochs:
        start, stop = epoch.start / protocol.rate, epoch.stop / protocol.rate
        lines.append(f"    epoch {epoch.name}: {start * 1e3:.6g}..{stop * 1e3:.6g} ms")
    return lines

"""The one door out: `write` chooses the format by the suffix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.protocol import Protocol
from cleo_like.core.recording import Recording
from cleo_like.io.abf.write import write_abf
from cleo_like.io.atf.write import write_atf
from cleo_like.io.nwb.write import write_nwb

if TYPE_CHECKING:
    from collections.abc import Callable

_WRITERS: dict[str, Callable[..., Path]] = {
    ".abf": write_abf,
    ".atf": write_atf,
    ".nwb": write_nwb,
}


def write(thing: Recording | Protocol, path: str | Path, **options: Any) -> Path:
    """Write a recording or a protocol as ABF, ATF or NWB.

    Parameters
    ----------
    thing : Recording or Protocol
        A protocol becomes a stimulus file.
    path : str or Path
        The suffix chooses the format: .abf, .atf or .nwb. The file appears whole or not at
        all.
    **options
        Of `write_nwb`; the other formats have none.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UnknownNameError
        The suffix is none of the three.
    FileFormatError
        The format cannot hold the data; the message says which one can.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from cleo_like import Protocol
    >>> from cleo_like.io import read_protocol, write
    >>> made = Protocol(waveforms=np.full((2, 400), 1e-11), rate=2e4, family="noise")
    >>> read_protocol(write(made, Path(tempfile.mkdtemp()) / "noise.atf"))
    Protocol noise: 2 sweeps of 20 ms at 20 kHz, 10..10 pA, gap 0 ms
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        raise unknown_name("file suffix", suffix, _WRITERS)
    if not isinstance(thing, (Recording, Protocol)):
        msg = f"expected a Recording or a Protocol to write, got {type(thing).__name__}"
        raise InputError(msg)
    return _WRITERS[suffix](thing, path, **options)

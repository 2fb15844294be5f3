"""Whether what came is a recording, and what to write if it is something else."""

from __future__ import annotations

from pathlib import Path

from cleo_like.core.errors import InputError
from cleo_like.core.recording.recording import Recording


def check_recording(value: object) -> None:
    """Refuse what is no recording: a list of them, a path, one sweep, traces.

    Raises
    ------
    InputError
        It is none; the message says how to get one.

    Examples
    --------
    >>> check_recording("cell.abf")
    Traceback (most recent call last):
        ...
    cleo_like.core.errors.InputError: expected a Recording, got str: read it first, \
cl.read('cell.abf')
    """
    if isinstance(value, Recording):
        return
    hint = ""
    if isinstance(value, (str, Path)):
        hint = f": read it first, cl.read({str(value)!r})"
    elif isinstance(value, (list, tuple)):
        hint = "; record gives a list: take [0]"
    msg = f"expected a Recording, got {type(value).__name__}{hint}"
    raise InputError(msg)

"""Names as DANDI wants them: ``sub-X/sub-X_ses-Y_icephys.nwb``."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleo_like.core.recording import Recording


def dandi_path(recording: Recording, session_id: str | None = None) -> str:
    """Name a file by its subject and session, for a folder that goes to DANDI.

    Parameters
    ----------
    recording : Recording
        Its donor is the subject, or the cell where no donor is known.
    session_id : str, optional
        As given to `write_nwb`; by default the cell (when there is a donor), else the start
        of the session, else "1".

    Returns
    -------
    str
        Relative path with forward slashes.

    Examples
    --------
    >>> from cleo_like import Cell, Provenance, Recording
    >>> cell = Cell(id="cell 7", donor="mouse_3")
    >>> dandi_path(Recording(sweeps=[], cell=cell, provenance=Provenance(source="x")))
    'sub-mouse-3/sub-mouse-3_ses-cell-7_icephys.nwb'
    """
    subject, session = subject_of(recording), session_of(recording, session_id)
    return f"sub-{subject}/sub-{subject}_ses-{session}_icephys.nwb"


def subject_of(recording: Recording) -> str:
    """Give the identifier of the subject, safe in a path."""
    donor = recording.cell.donor
    return safe(donor if donor is not None else recording.cell.id)


def session_of(recording: Recording, session_id: str | None = None) -> str:
    """Give the identifier of the session, safe in a path."""
    if session_id is not None:
        return safe(session_id)
    if recording.cell.donor is not None:
        return safe(recording.cell.id)
    if recording.session_start is not None:
        return datetime.fromisoformat(recording.session_start).strftime("%Y%m%dT%H%M%S")
    return "1"


def safe(text: str) -> str:
    """Replace everything but letters, digits, dots and plus signs by a hyphen.

    Examples
    --------
    >>> safe("a/b_c d")
    'a-b-c-d'
    """
    return re.sub(r"[^0-9A-Za-z.+]+", "-", text).strip("-.") or "unknown"

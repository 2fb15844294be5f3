"""Which of several electrodes of a file is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.core.errors import InputError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cleo_like.core.recording import Recording


def electrode_names(recordings: Sequence[Recording]) -> list[str]:
    """Name of the electrode of each recording; the cell's where there is none."""
    return [str(r.device.get("electrode", r.cell.id)) for r in recordings]


def pick(
    path: Path,
    recordings: Sequence[Recording],
    electrode: str | None,
    *,
    others: Sequence[str] = (),
) -> Recording:
    """Take the recording of one electrode.

    Parameters
    ----------
    path : Path
        Their file, for the message.
    recordings : sequence of Recording
        One per cell.
    electrode : str or None
        Its name; None where there is one only.
    others : sequence of str
        What else can be named.

    Raises
    ------
    UnknownNameError
        No such electrode; the message lists those that exist.
    InputError
        There are several, and none was named.
    """
    names = electrode_names(recordings)
    if electrode is not None:
        if electrode not in names:
            raise unknown_name("electrode", electrode, {*names, *others})
        return recordings[names.index(electrode)]
    if len(recordings) != 1:
        first = f"electrode={names[0]!r}" if names else "another file"
        msg = (
            f"{path.name} has {len(recordings)} electrodes with responses "
            f"({', '.join(names)}); pick one ({first}) or use read_all"
        )
        raise InputError(msg)
    return recordings[0]

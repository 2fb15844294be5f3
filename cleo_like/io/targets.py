"""Which file may be replaced: never a recording that this package did not write."""

from __future__ import annotations

import json
from pathlib import Path

from cleo_like.core.errors import OutputError
from cleo_like.core.files import check_output

# the marks by which a file of this package is known
SIDECAR_KIND = "cleo_like sidecar"
CREATOR, CREATOR_AT = b"cleo_like".ljust(16), 294
"""sCreatorInfo of an ABF, and where it is."""
ATF_COMMENT = b"Comment=cleo_like "
TIFF_SOFTWARE = b"cleo_like\0"
"""Tag Software of a TIFF; it lies before the first frame."""
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
FACTS = "cleo_like"
"""Processing module of an NWB."""
_HEAD = 8192  # bytes; the lines in front of the columns of an ATF
_SIDECAR_SUFFIXES = (".abf", ".atf")


def sidecar_path(path: str | Path) -> Path:
    """Give the name of the sidecar of a file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Path
        The same with ``.json`` behind.

    Examples
    --------
    >>> sidecar_path("cell1.abf").name
    'cell1.abf.json'
    """
    return Path(f"{path}.json")


def check_target(
    path: str | Path,
    *,
    overwrite: bool,
    how: str = "give overwrite=True",
    sidecar: bool | None = None,
) -> Path:
    """Refuse a file that cannot be written or may not be replaced, before any work.

    Parameters
    ----------
    path : str or Path
        The file that is to be written.
    overwrite : bool
        Whether a file that this package wrote may be replaced. A recording from elsewhere
        (a rig, an archive) never is.
    how : str
        What the user does to replace it, for the error.
    sidecar : bool, optional
        Whether a sidecar is written too (default: for ABF and ATF).

    Raises
    ------
    ExistingFileError
        It exists and `overwrite` is False.
    OutputError
        It cannot be written, or is a recording that this package did not write.
    """
    final = check_output(path, overwrite=overwrite, how=how)
    if sidecar is None:
        sidecar = final.suffix.lower() in _SIDECAR_SUFFIXES
    if sidecar:
        check_output(sidecar_path(final), overwrite=overwrite, how=how)
        if sidecar_path(final).exists() and not _is_sidecar(sidecar_path(final)):
            msg = f"{sidecar_path(final)} is no sidecar of this package; it is not replaced"
            raise OutputError(msg)
    if final.exists() and _is_foreign(final):
        msg = (
            f"{final} is a recording that cleo_like did not write; it is never replaced: give "
            "another name (or delete it yourself)"
        )
        raise OutputError(msg)
    return final


def _is_foreign(path: Path) -> bool:
    """Whether a file is a recording, by its first bytes, and not one of this package."""
    with path.open("rb") as file:
        start = file.read(_HEAD)
    if start[:4] in (b"ABF ", b"ABF2"):
        return start[CREATOR_AT : CREATOR_AT + len(CREATOR)] != CREATOR
    if start[:3] == b"ATF":
        return ATF_COMMENT not in start
    if start[:4] in _TIFF:
        return TIFF_SOFTWARE not in start
    if start[:4] == b"\x89HDF":
        return not _has_facts(path)
    return False


def _has_facts(path: Path) -> bool:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return f"processing/{FACTS}" in file
    except OSError:  # damaged: nobody can say whose it was
        return False


def _is_sidecar(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == SIDECAR_KIND

"""The registry: which dandisets are taken, which not, and why; dated, cited, to be edited."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

import attrs

from cleo_like.core.errors import FileFormatError, unknown_name

DECISIONS = ("include", "include_with_care", "exclude", "unknown")


@attrs.frozen(kw_only=True)
class Entry:
    """What was decided about a dandiset.

    Parameters
    ----------
    dandiset : str
        "000020".
    decision : str
        One of `DECISIONS`.
    reason, note : str
        Why; what to mind.
    species, regions, licence : str
        As far as a source says.
    superseded_by : str
        Dandisets that hold its files, or took its place.
    source, date : str
        Where that stands, and of when.
    """

    dandiset: str
    decision: str
    reason: str = ""
    note: str = ""
    species: str = ""
    regions: str = ""
    licence: str = ""
    superseded_by: str = ""
    source: str = ""
    date: str = ""

    def __attrs_post_init__(self) -> None:
        """Check the decision."""
        if self.decision not in DECISIONS:
            raise unknown_name("decision", self.decision, DECISIONS)


def read_registry(path: str | Path | None = None) -> dict[str, Entry]:
    """Read a registry: CSV with the columns of `Entry`; the package's when none is given.

    Raises
    ------
    FileFormatError
        No such file, a column that is missing, or an unknown decision.

    Examples
    --------
    >>> read_registry()["000630"].decision
    'exclude'
    """
    name = "registry.csv" if path is None else Path(path).name
    try:
        text = (
            (resources.files("cleo_like.io.dandi") / "registry.csv").read_text("utf-8")
            if path is None
            else Path(path).read_text("utf-8-sig")
        )
    except (OSError, UnicodeDecodeError) as error:
        msg = f"cannot read the registry {name} as text in UTF-8 ({error})"
        raise FileFormatError(msg) from error
    known = {f.name for f in attrs.fields(Entry)}
    out: dict[str, Entry] = {}
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        told = {k: (v or "").strip() for k, v in row.items() if k in known}
        try:
            entry = Entry(**told)
        except (TypeError, KeyError) as error:
            msg = f"{name}, line {number}: {error} (columns dandiset and decision are needed)"
            raise FileFormatError(msg) from error
        if entry.dandiset in out:
            msg = f"{name}, line {number}: {entry.dandiset} stands there twice"
            raise FileFormatError(msg)
        out[entry.dandiset] = entry
    return out

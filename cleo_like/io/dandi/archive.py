"""The archive as a list: dandisets and their files, asked once and then only when changed."""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import (
    CleoLikeError,
    FileFormatError,
    InputError,
    OutputError,
    UnsupportedError,
)
from cleo_like.core.files import atomic_path
from cleo_like.io.dandi.asset import Asset, asset_of
from cleo_like.io.dandi.registry import Entry, read_registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

API = "https://api.dandiarchive.org/api"
_ID = re.compile(r"\d{6}")


@attrs.frozen(kw_only=True)
class Dandiset:
    """A dandiset, and what the registry says of it."""

    id: str
    name: str
    modified: str
    assets: int
    size: int
    entry: Entry | None

    @property
    def wanted(self) -> bool:
        """Whether it is taken; one that the registry does not have is looked at."""
        return self.entry is None or self.entry.decision != "exclude"


class Archive:
    """A DANDI server, through its own client, with a cache of what it said.

    Parameters
    ----------
    cache : path
        Folder for lists and files.
    api : str
        Address of the API.
    registry : mapping of str to Entry, optional
        That of the package when not given.

    Raises
    ------
    UnsupportedError
        The package ``dandi`` is not installed.
    """

    def __init__(
        self,
        cache: str | Path,
        *,
        api: str = API,
        registry: Mapping[str, Entry] | None = None,
    ) -> None:
        self.cache = Path(cache)
        self.api = api.rstrip("/")
        self.registry = read_registry() if registry is None else dict(registry)
        self._opened: Any = None

    @property
    def client(self) -> Any:
        """The client of the package ``dandi``; opened on first use."""
        if self._opened is None:
            os.environ.setdefault(
                "DANDI_NO_ET", "1"
            )  # it would report its use to a third party
            try:
                from dandi.dandiapi import DandiAPIClient
            except ImportError as error:
                msg = "DANDI needs the package dandi: pip install 'cleo_like[dandi]'"
                raise UnsupportedError(msg) from error
            with _said(self.api):
                self._opened = DandiAPIClient(self.api)
        return self._opened

    def dandisets(self) -> list[Dandiset]:
        """List all dandisets of the archive with what the registry says.

        What a dandiset says of itself is no reason to leave it out: 000020 and others tell
        nothing of their clamp series.
        """
        with _said(self.api):
            found = list(self.client.get_dandisets())
            return [self._dandiset(d) for d in found]

    def _dandiset(self, remote: Any) -> Dandiset:
        draft = remote.draft_version
        return Dandiset(
            id=remote.identifier,
            name=str(draft.name),
            modified=str(draft.modified),
            assets=int(draft.asset_count),
            size=int(draft.size),
            entry=self.registry.get(remote.identifier),
        )

    def assets(self, dandiset: str, *, every: bool = False) -> list[Asset]:
        """List the NWB files of a dandiset; one request when nothing changed since last time.

        Parameters
        ----------
        dandiset : str
            Six digits.
        every : bool
            Whether files whose own metadata name no clamp are listed too.

        Raises
        ------
        InputError
            Not six digits.
        FileFormatError
            No such dandiset, or the archive answers something else.
        """
        if not _ID.fullmatch(dandiset):
            msg = f"a dandiset is named by six digits, got {dandiset!r}"
            raise InputError(msg)
        with _said(f"{self.api}, dandiset {dandiset}"):
            remote = self.client.get_dandiset(dandiset, "draft", lazy=False)
            stamp = f"{remote.version.modified} {remote.version.asset_count}"
            known = self._remembered(dandiset)
            if known is None or known["stamp"] != stamp:
                known = self._asked(remote, stamp)
                self._remember(dandiset, known)
        found = [self._asset(dandiset, row, known) for row in known["assets"]]
        return [a for a in found if every or a.may_be_intracellular]

    def _asked(self, remote: Any, stamp: str) -> dict[str, Any]:
        metadata = remote.get_raw_metadata()
        path = f"{remote.version_api_path}assets/"
        rows = [
            row
            for row in self.client.paginate(path, params={"order": "path", "metadata": "true"})
            if str(row.get("path", "")).lower().endswith(".nwb")
        ]
        for row in rows:
            if not row.get("metadata"):  # an older server does not add them to the list
                row["metadata"] = self.client.get(f"/assets/{row['asset_id']}/")
        licences = metadata.get("license") or []
        return {
            "stamp": stamp,
            "licence": ", ".join(map(str, licences)) or None,
            "citation": metadata.get("citation"),
            "name": metadata.get("name"),
            "description": metadata.get("description"),
            "keywords": metadata.get("keywords"),
            "assets": rows,
        }

    def _asset(self, dandiset: str, row: Mapping[str, Any], known: Mapping[str, Any]) -> Asset:
        return asset_of(
            dandiset,
            row,
            row.get("metadata") or {},
            url=f"{self.api}/assets/{row['asset_id']}/download/",
            licence=known["licence"],
            citation=known["citation"],
        )

    def _file(self, dandiset: str) -> Path:
        return self.cache / "lists" / f"{dandiset}.json"

    def _remembered(self, dandiset: str) -> dict[str, Any] | None:
        try:
            return json.loads(self._file(dandiset).read_text("utf-8"))
        except (OSError, ValueError):  # not there, or cut: it is asked again
            return None

    def _remember(self, dandiset: str, known: Mapping[str, Any]) -> None:
        try:
            with atomic_path(self._file(dandiset)) as temporary:
                temporary.write_text(json.dumps(known), "utf-8")
        except OSError as error:
            msg = f"cannot write to the cache {self.cache}: {error.strerror or error}"
            raise OutputError(msg) from error


@contextmanager
def _said(where: str) -> Iterator[None]:
    """Turn what the client raises into an error that says where."""
    import requests

    try:
        yield
    except (requests.RequestException, RuntimeError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, CleoLikeError):
            raise
        msg = f"{where} does not answer as an archive does ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error
    except Exception as error:
        if type(error).__module__.split(".")[0] != "dandi":
            raise
        msg = f"{where}: {error}"
        raise FileFormatError(msg) from error


def wanted(dandisets: Iterable[Dandiset]) -> list[Dandiset]:
    """Leave out what the registry excludes."""
    return [d for d in dandisets if d.wanted]

"""Which files of an archive are at hand, kept beside them: `extract` needs no archive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import OutputError
from cleo_like.core.files import atomic_path
from cleo_like.io.dandi.download import blob_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from cleo_like.io.dandi.archive import Archive
    from cleo_like.io.dandi.asset import Asset


def write_manifest(
    archive: Archive, assets: Iterable[Asset], listed: Mapping[str, Sequence[Asset]]
) -> Path:
    """Add files to the manifest of a cache, beside those of before.

    Files of before that their dandiset no longer lists (replaced, or taken away) go: a cell
    would be there twice, once as it was. So do copies of what is there already.

    Parameters
    ----------
    archive : Archive
        Whose cache it is.
    assets : iterable of Asset
        Files that were fetched now, or are streamed when they are read.
    listed : mapping of str to sequence of Asset
        All files of each dandiset that was asked now.

    Returns
    -------
    Path
        ``manifest.json`` in the cache.

    Raises
    ------
    OutputError
        The cache cannot be written to.
    """
    kept = archive.cache / "manifest.json"
    now = {name: {a.asset_id for a in of} for name, of in listed.items()}
    rows = {
        row["asset_id"]: row
        for row in _before(kept)
        if row["asset_id"] in now.get(row["dandiset"], {row["asset_id"]})
    }
    for asset in assets:
        place = str(blob_path(archive.cache, asset).relative_to(archive.cache))
        rows[asset.asset_id] = attrs.asdict(asset) | {"file": place}
    contents: dict[str, dict[str, Any]] = {}
    for row in rows.values():
        contents.setdefault(str(row["sha256"] or row["blob"]), row)
    try:
        with atomic_path(kept) as temporary:
            temporary.write_text(json.dumps(list(contents.values()), indent=0), "utf-8")
    except OSError as error:
        msg = f"cannot write to the cache {archive.cache}: {error.strerror or error}"
        raise OutputError(msg) from error
    return kept


def _before(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text("utf-8"))
        return [row for row in rows if {"asset_id", "dandiset", "sha256", "blob"} <= set(row)]
    except (OSError, ValueError, TypeError):  # none yet, or damaged: it is made anew
        return []

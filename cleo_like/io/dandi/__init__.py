"""DANDI: which dandisets hold intracellular recordings, and their files without fetching twice.

    registry -> Archive.dandisets -> Archive.assets -> distinct -> fetch (or stream) -> read

Needs the package ``dandi`` (and ``remfile`` to stream): the extra ``dandi``. Public data need
no token.
"""

from cleo_like.io.dandi.archive import Archive, Dandiset
from cleo_like.io.dandi.asset import Asset, distinct
from cleo_like.io.dandi.download import Fetched, fetch, fetch_all
from cleo_like.io.dandi.manifest import write_manifest
from cleo_like.io.dandi.registry import Entry, read_registry
from cleo_like.io.dandi.stream import read_streamed

__all__ = [
    "Archive", "Asset", "Dandiset", "Entry", "Fetched", "distinct", "fetch", "fetch_all",
    "read_registry", "read_streamed", "write_manifest",
]  # fmt: skip

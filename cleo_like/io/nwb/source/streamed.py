"""A file that is read over a network instead of from a disk."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Streamed:
    """Takes the place of a path: a name, an open file, and the digest if it is known."""

    name: str
    file: Any
    digest: str | None = None

    @property
    def stem(self) -> str:
        """Name without its suffix."""
        return self.name.rsplit(".", 1)[0]

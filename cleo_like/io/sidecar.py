"""What ABF and ATF cannot hold, in a JSON file beside the recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.core.recording import Recording


def apply_sidecar(recording: Recording, path: Path) -> Recording:
    """Put back what the sidecar of a file knows (cell, protocol, truth ...)."""
    return recording

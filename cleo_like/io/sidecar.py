"""What ABF and ATF cannot hold, in a JSON file beside them: ``cell1.abf.json``.

The sidecar carries the hash of its file. One that belongs to another file is ignored, and the
reader says so.
"""

from __future__ import annotations

import base64
import json
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError
from cleo_like.core.files import atomic_path, together
from cleo_like.core.provenance import hash_of
from cleo_like.io.facts import Arrays, restored_protocol, with_facts
from cleo_like.io.targets import SIDECAR_KIND, sidecar_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording

_VERSION = 1


@attrs.frozen(kw_only=True)
class Sidecar:
    """A sidecar that belongs to its file."""

    facts: Mapping[str, Any]
    arrays: Arrays


@contextmanager
def written_with_sidecar(
    path: Path, facts: Mapping[str, Any], arrays: Arrays, *, overwrite: bool
) -> Iterator[Path]:
    """Give a temporary path to write the file to; then both appear, or neither.

    Should the process die between the two renames, the hash tells that they differ.
    """
    with (
        together(),
        atomic_path(sidecar_path(path), overwrite=overwrite) as temporary,
        atomic_path(path, overwrite=overwrite) as file,
    ):
        yield file
        content = {
            "kind": SIDECAR_KIND,
            "version": _VERSION,
            "file": {"name": path.name, "hash": hash_of(file), "bytes": file.stat().st_size},
            "facts": facts,
            "arrays": {name: _encoded(array) for name, array in arrays.items()},
        }
        temporary.write_text(json.dumps(content, allow_nan=False, indent=1), encoding="utf-8")


def read_sidecar(path: Path) -> tuple[Sidecar | None, tuple[str, ...]]:
    """Read the sidecar of a file.

    Returns
    -------
    sidecar : Sidecar or None
        None when there is none, or when it belongs to another file.
    findings : tuple of str
        Why a sidecar that is there was ignored.
    """
    beside = sidecar_path(path)
    if not beside.is_file():
        return None, ()
    try:
        content = json.loads(beside.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("kind") != SIDECAR_KIND:
            return None, (f"{beside.name} is not a sidecar of this package and was ignored",)
        if content["file"]["hash"] != hash_of(path):
            return None, (
                f"the sidecar {beside.name} was written for another file (the hash differs) "
                "and was ignored: protocol, cell and ground truth are unknown",
            )
        arrays = {name: _decoded(item) for name, item in content["arrays"].items()}
        return Sidecar(facts=content["facts"], arrays=arrays), ()
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        kind = type(error).__name__
        return None, (
            f"the sidecar {beside.name} is damaged ({kind}: {error}); it was ignored",
        )


def apply_sidecar(
    recording: Recording, path: Path, findings: tuple[str, ...] = ()
) -> Recording:
    """Put back what the sidecar of a file knows (cell, protocol, truth ...).

    Parameters
    ----------
    recording : Recording
        As read from the file alone.
    path : Path
        The file.
    findings : tuple of str
        Those of the reader that stay true when the sidecar has spoken.
    """
    sidecar, ignored = read_sidecar(path)
    if sidecar is not None and "sweeps" in sidecar.facts:
        try:
            return with_facts(recording, sidecar.facts, sidecar.arrays, findings)
        except (CleoLikeError, KeyError, TypeError) as error:
            name = sidecar_path(path).name
            ignored = (f"the sidecar {name} does not fit ({error}); it was ignored",)
    return attrs.evolve(recording, findings=(*recording.findings, *ignored))


def protocol_in_sidecar(path: Path, waveforms: np.ndarray) -> Protocol | None:
    """Give the protocol of a stimulus file, None where no sidecar tells it."""
    sidecar, _ = read_sidecar(path)
    if sidecar is None or sidecar.facts.get("protocol") is None:
        return None
    return restored_protocol(sidecar.facts["protocol"], sidecar.arrays, waveforms)


def _encoded(array: np.ndarray) -> dict[str, Any]:
    plain = np.ascontiguousarray(array)
    packed = zlib.compress(plain.astype(plain.dtype.newbyteorder("<")).tobytes(), 1)
    return {
        "dtype": plain.dtype.newbyteorder("<").str,
        "shape": list(plain.shape),
        "zlib_base64": base64.b64encode(packed).decode("ascii"),
    }


def _decoded(item: Mapping[str, Any]) -> np.ndarray:
    data = zlib.decompress(base64.b64decode(item["zlib_base64"]))
    return np.frombuffer(data, dtype=np.dtype(item["dtype"])).reshape(item["shape"]).copy()

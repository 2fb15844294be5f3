"""How a recording, protocol or table came to be: versions, parameters, seed, hash."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from cleo_like.core.arrays import frozen_mapping, si_mapping, si_value


@attrs.frozen(kw_only=True)
class Provenance:
    """Where data come from, complete enough to make them again.

    Parameters
    ----------
    source : str
        "simulation", or the name of the file that was read.
    software : mapping of str to str
        Package name to version.
    parameters : mapping
        Every argument that shaped the result; JSON types and arrays.
    seed : int, optional
        Seed of the run; None where nothing was random or nothing is known.
    input_hash : str, optional
        SHA-256 of the input ("sha256:...").
    created : str, optional
        ISO 8601 time with time zone.

    Examples
    --------
    >>> p = Provenance(source="simulation", parameters={"dt": 2e-5}, seed=7)
    >>> Provenance.from_json(p.to_json()) == p
    True
    """

    source: str
    software: Mapping[str, str] = attrs.field(factory=dict, converter=frozen_mapping)
    parameters: Mapping[str, Any] = attrs.field(factory=dict, converter=si_mapping)
    seed: int | None = None
    input_hash: str | None = None
    created: str | None = None

    @classmethod
    def of_file(
        cls, path: Path, *packages: str, digest: str | None = None, **parameters: Any
    ) -> Provenance:
        """Give that of data read from a file: its name, its hash, and what read it.

        Parameters
        ----------
        path : Path
            The file.
        *packages : str
            Packages beside this one and numpy whose versions matter.
        digest : str, optional
            SHA-256 of the file, where it is known already (a file that is streamed).
        **parameters
            What shaped the result.
        """
        return cls(
            source=path.name,
            software=versions(packages),
            parameters=parameters,
            input_hash=hash_of(path) if digest is None else digest,
        )

    @classmethod
    def of_simulation(cls, *packages: str, **known: Any) -> Provenance:
        """Give that of simulated data: versions, and the other fields as they are known.

        Parameters
        ----------
        *packages : str
            Packages beside this one and numpy whose versions matter.
        **known
            Fields of the class; `created` is now where it is not given.
        """
        return cls(
            source="simulation", software=versions(packages), **{"created": now()} | known
        )

    def to_json(self) -> str:
        """Write as JSON text (arrays become lists, NaN becomes null)."""
        return to_json({f.name: getattr(self, f.name) for f in attrs.fields(Provenance)})

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))

    def __repr__(self) -> str:
        """One line: source, seed, when."""
        seed = "" if self.seed is None else f", seed {self.seed}"
        when = "" if self.created is None else f", {self.created}"
        return f"Provenance({self.source}{seed}{when})"


def now() -> str:
    """Give the present time in ISO 8601 with its time zone, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions(packages: Iterable[str] = ()) -> dict[str, str]:
    """Versions of this package and of the named ones; "not installed" where missing."""
    return {name: _version(name) for name in ("cleo_like", "numpy", *packages)}


@functools.cache
def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def hash_of(data: Path | bytes | np.ndarray) -> str:
    """SHA-256 of a file, bytes, or an array (its values, shape and type)."""
    digest = hashlib.sha256()
    if isinstance(data, Path):
        with data.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    elif isinstance(data, bytes):
        digest.update(data)
    else:
        digest.update(f"{data.dtype.str}{data.shape}".encode())
        digest.update(np.ascontiguousarray(data).tobytes())
    return f"sha256:{digest.hexdigest()}"


def to_json(value: object, *, indent: int | None = None) -> str:
    """Write as strict JSON: arrays as lists, mappings as objects, NaN as null."""
    return json.dumps(_plain(value), allow_nan=False, indent=indent)


def _plain(value: object) -> Any:
    value = si_value(value)
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Path):
        return value.name
    return value

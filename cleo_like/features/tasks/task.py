"""One source to measure: how it is told apart, and the rows it becomes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from cleo_like.core.errors import CleoLikeError
from cleo_like.core.provenance import hash_of
from cleo_like.core.recording import Recording
from cleo_like.features.long_square.cell import CellFeatures
from cleo_like.features.parameters import DEFINITIONS, ExtractionParameters
from cleo_like.features.registry import ExtractorLike, extractor_name, run_extractor
from cleo_like.features.table import Record
from cleo_like.io.load import read_chosen

Source = Recording | str | Path
Each = Callable[["Recording | Path", Recording, CellFeatures, int], None]
_BAD_FILE = (CleoLikeError, OSError, ValueError, LookupError, ArithmeticError, TypeError)
"""What a broken file or sweep can raise: it becomes a row with the reason."""


@attrs.frozen(kw_only=True)
class Task:
    """One source to analyse, small enough to travel."""

    source: Recording | Path
    content_hash: str
    extractor: ExtractorLike
    parameters: ExtractionParameters
    each: Each | None = None
    electrode: str | Mapping[str, str] | None = None

    @classmethod
    def of(cls, item: Source, **settings: Any) -> Task:
        """Make the task of a source from what it holds now."""
        if isinstance(item, Recording):
            source: Recording | Path = attrs.evolve(item, truth=None, protocol=item.protocol)
            return cls(source=source, content_hash=_recording_hash(item), **settings)
        path = Path(item)
        digest = hash_of(path) if path.is_file() else "missing"
        return cls(source=path, content_hash=digest, **settings)

    @property
    def name(self) -> str:
        """How its rows name the source."""
        source = self.source
        return source.name if isinstance(source, Path) else source.provenance.source

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells its rows from those of other sources, extractors and settings."""
        return self.content_hash, extractor_name(self.extractor), self._settings()

    @property
    def about(self) -> dict[str, Any]:
        """The part of a row that is known before anything is measured."""
        names = ("source", "content_hash", "extractor", "settings")
        return dict(zip(names, (self.name, *self.key), strict=True))

    def _settings(self) -> str:
        text = settings_of(self.parameters)
        if self.electrode is None:
            return text
        chosen = self.electrode if isinstance(self.electrode, str) else dict(self.electrode)
        return json.dumps({**json.loads(text), "electrode": chosen}, sort_keys=True)


def _recording_hash(recording: Recording) -> str:
    parts = [recording.cell.id.encode()]
    for sweep in recording.sweeps:
        parts.append(f"{sweep.number} {sweep.rate} {sweep.mode}".encode())
        arrays = (sweep.response, sweep.command)
        parts += [hash_of(a).encode() for a in arrays if a is not None]
    return hash_of(b"\n".join(parts))


@lru_cache(maxsize=32)
def settings_of(parameters: ExtractionParameters) -> str:
    """One line that tells parameter sets apart, and definitions that changed since."""
    return json.dumps(attrs.asdict(parameters) | _definitions(parameters), sort_keys=True)


def _definitions(parameters: ExtractionParameters) -> dict[str, int]:
    return {} if parameters.exact else {"definitions": DEFINITIONS}


def run_task(task: Task) -> list[Record]:
    """Analyse one source; whatever is wrong with it becomes a row with the reason."""
    if isinstance(task.source, Recording):
        recordings = [task.source]
    else:
        try:
            recordings = read_chosen(task.source, task.electrode)
        except _BAD_FILE as error:
            return [failed(task.about | {"cell_id": task.source.stem}, error)]
    return [_one(r, task, len(recordings)) for r in recordings]


def _one(recording: Recording, task: Task, n: int) -> Record:
    cell = recording.cell
    meta = task.about | {
        "cell_id": cell.id,
        "species": cell.species,
        "region": cell.region,
        "donor": cell.donor,
        "n_sweeps": recording.n_sweeps,
    }
    try:
        record, features = run_extractor(recording, task.extractor, task.parameters, meta)
    except _BAD_FILE as error:
        return failed(meta, error)
    if task.each is not None and features is not None:
        task.each(task.source, recording, features, n)
    return record


def failed(meta: dict[str, Any], error: BaseException) -> Record:
    """Give the row of what could not be measured."""
    why = f"{type(error).__name__}: {error}"
    return Record(meta=meta | {"status": "failed", "notes": why}, values={}, reasons={"": why})

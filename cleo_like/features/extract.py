"""`extract`: recordings or files in, one table out; on one core, many, or a cluster."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError, InputError
from cleo_like.core.provenance import hash_of
from cleo_like.core.recording import Recording
from cleo_like.features.long_square.cell import CellFeatures
from cleo_like.features.parameters import DEFAULT, DEFINITIONS, ExtractionParameters
from cleo_like.features.registry import (
    ExtractorLike,
    extractor_name,
    extractor_named,
    run_extractor,
)
from cleo_like.features.table import FeatureTable, Record, check_table
from cleo_like.io.load import files_in, read_chosen
from cleo_like.utilities.processes import process_pool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Executor

Source = Recording | str | Path
Each = Callable[["Recording | Path", Recording, CellFeatures, int], None]
_IN_FLIGHT = 4  # tasks per worker that wait or run
_SAVE_EVERY = 30.0  # s
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


def extract(
    sources: Source | Iterable[Source],
    *,
    extractor: ExtractorLike = "native",
    parameters: ExtractionParameters = DEFAULT,
    electrode: str | Mapping[str, str] | None = None,
    n_jobs: int = 1,
    executor: Any = None,
    resume: str | Path | None = None,
    progress: bool = True,
    retries: int = 3,
    each: Each | None = None,
) -> FeatureTable:
    """Measure cells: read, match, extract, one row each.

    Parameters
    ----------
    sources : Recording, path, or iterable of them
        A file with several electrodes gives one row for each; a folder or a pattern
        (``data/*.abf``) stands for its files.
    extractor : str or callable
        "native", "ipfx" (in the peers' environment), "efel", the name of an installed
        extractor (entry point group ``cleo_like.extractors``), or a function
        ``(stack, window, parameters) -> mapping of name to value``.
    parameters : ExtractionParameters
        Limits.
    electrode : str or mapping of pattern to str, optional
        Channel or electrode that is read of each file (``"IN 0"``), or of the files whose
        names are like a pattern (``{"*.abf": "IN 0"}``); without it every cell is.
    n_jobs : int
        Processes on this machine.
    executor : concurrent.futures.Executor, optional
        Where to run instead, for instance ``client.get_executor()`` of a Dask client.
    resume : path, optional
        A ``.csv`` or ``.parquet`` table: sources that are in it already (same content,
        extractor and parameters) are not measured again, and it is saved on the way.
    progress : bool
        Show a progress bar.
    retries : int
        How often a task is given again when its worker died.
    each : callable, optional
        Called in the process that measured a cell with (source, recording, `CellFeatures`,
        cells in the source), to draw or keep what a row cannot hold; for extractors that give
        it ("native", "ipfx", "efel"). With several processes it must be importable by name.

    Returns
    -------
    FeatureTable
        Rows in the order of the sources. A source that could not be analysed has a row
        with ``status`` "failed" and the reason.

    Examples
    --------
    >>> from cleo_like import Cell, Provenance, Sweep
    >>> t = np.arange(20000) / 20e3
    >>> on = (t >= 0.2) & (t < 0.7)
    >>> sweeps = [Sweep(response=-0.07 + 2e8 * a * 1e-12 * np.where(
    ...     on, 1 - np.exp(-(t - 0.2) / 0.02), 0), command=a * 1e-12 * on, rate=20e3, number=k)
    ...     for k, a in enumerate([-60.0, -40.0, -20.0])]
    >>> table = extract(
    ...     Recording(sweeps=sweeps, cell=Cell(id="rc"), provenance=Provenance(source="x")),
    ...     progress=False)
    >>> round(float(table["input_resistance"][0]), 2)
    200.0
    """
    _check_options(extractor, parameters, electrode, n_jobs)
    if isinstance(extractor, str):
        extractor_named(extractor)  # an unknown name is said before any work
    items = _items(sources)
    tasks = [
        attrs.evolve(_task(item, extractor, parameters, each), electrode=electrode)
        for item in items
    ]
    done = _Done(tasks, None if resume is None else Path(resume))
    with _Runner(executor, n_jobs, retries) as runner, done, _bar(len(items), progress) as bar:
        bar.update(len(items) - len(done.missing))
        for position, records in runner.run([(k, tasks[k]) for k in done.missing]):
            done.put(position, records)
            bar.update(1)
    return done.table()


def _items(sources: Source | Iterable[Source]) -> list[Source]:
    """List the sources, or say which is none."""
    if isinstance(sources, (Recording, str, Path)):
        return _expanded(sources)
    try:
        items = list(sources)
    except TypeError:
        items = [sources]  # type: ignore[list-item]
    if not items:
        msg = "sources is empty: give recordings, paths of files, a folder or a pattern"
        raise InputError(msg)
    for item in items:
        if not isinstance(item, (Recording, str, Path)):
            msg = (
                "sources must be recordings or paths of files, one or a list of them; got "
                f"{type(item).__name__}: {item!r:.60}"
            )
            raise InputError(msg)
    return [file for item in items for file in _expanded(item)]


def _expanded(item: Source) -> list[Source]:
    """Give the files of a folder or pattern; all else is itself."""
    if isinstance(item, Recording):
        return [item]
    return [*files_in(item)]


def _task(
    item: Source,
    extractor: ExtractorLike,
    parameters: ExtractionParameters,
    each: Each | None,
) -> Task:
    if isinstance(item, Recording):
        source: Recording | Path = attrs.evolve(item, truth=None, protocol=item.protocol)
        digest = _recording_hash(item)
    else:
        source = Path(item)
        digest = hash_of(source) if source.is_file() else "missing"
    return Task(
        source=source,
        content_hash=digest,
        extractor=extractor,
        parameters=parameters,
        each=each,
    )


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
    base = {
        "content_hash": task.content_hash,
        "extractor": extractor_name(task.extractor),
        "settings": _settings(task),
    }
    if isinstance(task.source, Recording):
        recordings, name = [task.source], task.source.provenance.source
    else:
        name = task.source.name
        try:
            recordings = read_chosen(task.source, task.electrode)
        except _BAD_FILE as error:
            return [_failed(base | {"source": name, "cell_id": task.source.stem}, error)]
    return [_one(r, task, base | {"source": name}, len(recordings)) for r in recordings]


def _one(recording: Recording, task: Task, base: dict[str, Any], n: int) -> Record:
    cell = recording.cell
    meta = base | {
        "cell_id": cell.id,
        "species": cell.species,
        "region": cell.region,
        "donor": cell.donor,
        "n_sweeps": recording.n_sweeps,
    }
    try:
        record, features = run_extractor(recording, task.extractor, task.parameters, meta)
    except _BAD_FILE as error:
        return _failed(meta, error)
    if task.each is not None and features is not None:
        task.each(task.source, recording, features, n)
    return record


def _failed(meta: dict[str, Any], error: Exception) -> Record:
    why = f"{type(error).__name__}: {error}"
    return Record(meta=meta | {"status": "failed", "notes": why}, values={}, reasons={"": why})


class _Done:
    """Rows that are there, by source; saved on the way and on the way out."""

    def __init__(self, tasks: list[Task], path: Path | None) -> None:
        if path is not None:
            check_table(path, overwrite=True)  # what cannot be written is said before any work
        self._path = path
        self._count = len(tasks)
        self._before: FeatureTable | None = None
        self._rows: dict[int, np.ndarray] = {}  # of the table from before, by task
        self._other = np.zeros(0, dtype=int)
        self._records: dict[int, list[Record]] = {}
        self._saved = time.monotonic()
        if path is not None and path.is_file():
            self._recall(tasks, FeatureTable.read(path))
        self.missing = [k for k in range(len(tasks)) if k not in self._rows]

    def _recall(self, tasks: list[Task], table: FeatureTable) -> None:
        self._before = table
        names = ("content_hash", "extractor", "settings")
        rows: dict[tuple[Any, ...], list[int]] = {}
        for row, key in enumerate(zip(*(table[name] for name in names), strict=True)):
            rows.setdefault(key, []).append(row)
        used = np.zeros(len(table), dtype=bool)
        for k, task in enumerate(tasks):
            found = rows.get(_key(task))
            if found is not None and task.content_hash != "missing":
                self._rows[k] = np.array(found)
                used[found] = True
        self._other = np.flatnonzero(~used)

    def __enter__(self) -> _Done:
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._save(self._path)

    def put(self, position: int, records: list[Record]) -> None:
        self._records[position] = records
        if self._path is not None and time.monotonic() - self._saved > _SAVE_EVERY:
            self._save(self._path)
            self._saved = time.monotonic()

    def _save(self, path: Path) -> None:
        table = self.table()
        if (
            self._before is not None and self._other.size
        ):  # rows of other sources stay in the file
            table = FeatureTable.join([self._before.take(self._other), table])
        if len(table):
            table.write(path, overwrite=True)

    def table(self) -> FeatureTable:
        """Give the rows in the order of the tasks: two tables are joined, however many rows."""
        new = sorted(self._records)
        records = [r for k in new for r in self._records[k]]
        if self._before is None or not self._rows:
            return FeatureTable.from_records(records)
        old = sorted(self._rows)
        recalled = self._before.take(np.concatenate([self._rows[k] for k in old]))
        measured = FeatureTable.from_records(records)
        parts = [(old, [self._rows[k].size for k in old], recalled)]
        parts.insert(
            0 if new and new[0] < old[0] else 1,
            (new, [len(self._records[k]) for k in new], measured),
        )
        place = np.concatenate([np.repeat(ks, sizes) for ks, sizes, _ in parts]).astype(int)
        joined = FeatureTable.join([table for _, _, table in parts])
        return joined.take(np.argsort(place, kind="stable"))


def _check_options(
    extractor: object, parameters: object, electrode: object, n_jobs: object
) -> None:
    """Refuse options of the wrong kind before any work."""
    if not isinstance(n_jobs, int):
        msg = f"n_jobs must be a whole number, got {n_jobs!r:.60}"
    elif n_jobs < 1:
        msg = f"n_jobs must be 1 or more, got {n_jobs}"
    elif not isinstance(parameters, ExtractionParameters):
        msg = f"parameters must be ExtractionParameters(...), got {parameters!r:.60}"
    elif not (isinstance(extractor, str) or callable(extractor)):
        msg = f"extractor must be a name or a function, got {extractor!r:.60}"
    elif not isinstance(electrode, (str, Mapping, NoneType)):
        msg = (
            "electrode must be a name, or a mapping of patterns of file names to names, "
            f"got {electrode!r:.60}"
        )
    else:
        return
    raise InputError(msg)


def _settings(task: Task) -> str:
    """Tell rows of other limits, or of another channel, apart."""
    text = settings_of(task.parameters)
    if task.electrode is None:
        return text
    chosen = task.electrode
    chosen = chosen if isinstance(chosen, str) else dict(chosen)
    return json.dumps({**json.loads(text), "electrode": chosen}, sort_keys=True)


def _key(task: Task) -> tuple[str, str, str]:
    return task.content_hash, extractor_name(task.extractor), _settings(task)


class _Runner:
    """Gives tasks to this process, to processes of its own, or to a given executor."""

    def __init__(self, executor: Executor, n_jobs: int, retries: int) -> None:
        self._own = executor is None and n_jobs > 1
        self._executor = executor
        self._n_jobs = n_jobs
        self._retries = retries

    def __enter__(self) -> _Runner:
        if self._own:
            self._executor = process_pool(self._n_jobs)
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def run(self, tasks: list[tuple[int, Task]]) -> Iterator[tuple[int, list[Record]]]:
        """Give the records of each task, in the order of the tasks."""
        if self._executor is None:
            yield from ((k, run_task(task)) for k, task in tasks)
            return
        waiting = iter(tasks)
        flying: deque[tuple[int, Task, Any]] = deque()
        depth = _IN_FLIGHT * _workers(self._executor, self._n_jobs)
        while True:
            for k, task in waiting:
                flying.append((k, task, self._submit(task)))
                if len(flying) >= depth:
                    break
            if not flying:
                return
            k, task, future = flying.popleft()
            yield k, self._outcome(task, future)

    def _submit(self, task: Task) -> Any:
        try:
            return self._executor.submit(run_task, task)
        except BrokenExecutor:
            if not self._own:
                raise
            self._executor.shutdown(wait=False)
            self._executor = process_pool(self._n_jobs)
            return self._executor.submit(run_task, task)

    def _outcome(self, task: Task, future: Any) -> list[Record]:
        """Wait for a task; a worker that died gets it (that is, another gets it) again."""
        for _ in range(self._retries):
            error = future.exception()
            if error is None:
                return future.result()
            future = self._submit(task)
        error = future.exception()
        if error is None:
            return future.result()
        name = getattr(task.source, "name", None) or task.source.provenance.source  # type: ignore[union-attr]
        meta = {
            "source": name,
            "content_hash": task.content_hash,
            "extractor": extractor_name(task.extractor),
            "settings": settings_of(task.parameters),
        }
        return [_failed(meta, error)]


def _workers(executor: Executor, n_jobs: int) -> int:
    return int(getattr(executor, "_max_workers", None) or max(n_jobs, 8))


def _bar(total: int, progress: bool) -> Any:  # noqa: FBT001
    from tqdm import tqdm

    return tqdm(total=total, disable=not progress, unit="cell", desc="features")

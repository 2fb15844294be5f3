"""`extract`: recordings or files in, one table out; on one core, many, or a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import InputError
from cleo_like.core.recording import Recording
from cleo_like.features.parameters import DEFAULT, ExtractionParameters
from cleo_like.features.registry import (
    ExtractorLike,
    extractor_named,
)
from cleo_like.features.tasks.done import Done
from cleo_like.features.tasks.runner import Runner
from cleo_like.features.tasks.task import Each, Source, Task
from cleo_like.io.load import files_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cleo_like.features.table import FeatureTable


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
    >>> import numpy as np
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
        Task.of(
            item, extractor=extractor, parameters=parameters, each=each, electrode=electrode
        )
        for item in items
    ]
    done = Done(tasks, None if resume is None else Path(resume))
    with Runner(executor, n_jobs, retries) as runner, done, _bar(len(items), progress) as bar:
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


def _bar(total: int, progress: bool) -> Any:  # noqa: FBT001
    from tqdm import tqdm

    return tqdm(total=total, disable=not progress, unit="cell", desc="features")

"""A session as files: NWB for each plane, tables, and what the cache needs to find them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import UnsupportedError
from cleo_like.core.files import atomic_path, check_folder, check_output, together
from cleo_like.core.provenance import to_json, versions
from cleo_like.sessions.storage.project import KEYS, project_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import pandas as pd

    from cleo_like.sessions.experiment import InSilicoExperiment
    from cleo_like.sessions.session import InSilicoSession

ABOUT = "session.json"
"""The plan, and the metadata of each experiment."""
_PROJECT = "project_metadata"
_FILES = "behavior_ophys_experiments"


def nwb_path(folder: Path, experiment: int) -> Path:
    """Give where the NWB file of an experiment lies, as in the AllenSDK's cache."""
    return folder / _FILES / f"behavior_ophys_experiment_{experiment}.nwb"


def project_path(folder: Path, table: str) -> Path:
    """Give where a table of the data set lies."""
    return folder / _PROJECT / f"{table}.csv"


def movie_path(folder: Path, experiment: int) -> Path:
    """Give where the raw movie of an experiment lies."""
    return folder / "movies" / f"{experiment}.tif"


def planned_files(
    experiments: tuple[int, ...], folder: Path, *, tables: bool, movies: Collection[int] = ()
) -> list[Path]:
    """Give all files that a session is written to; `movies` are the experiments with one."""
    files = [folder / ABOUT, *(project_path(folder, name) for name in KEYS)]
    files += [nwb_path(folder, key) for key in experiments]
    files += [movie_path(folder, key) for key in movies]
    if tables:
        files.append(folder / "tables" / "stimulus_presentations.parquet")
        files += [_table_path(folder, key, kind) for key in experiments for kind in _TABLES]
    return files


def check_session_files(
    experiments: tuple[int, ...],
    folder: str | Path,
    *,
    overwrite: bool = False,
    tables: bool = True,
    movies: Collection[int] = (),
    how: str = "give overwrite=True",
) -> None:
    """Refuse a session that cannot be written, before it is simulated.

    Raises
    ------
    ExistingFileError
        A file exists and is not to be replaced.
    OutputError
        A folder that cannot be written to.
    UnsupportedError
        Tables without pyarrow.
    """
    check_folder(folder)
    for path in planned_files(experiments, Path(folder), tables=tables, movies=movies):
        check_output(path, overwrite=overwrite, how=how)
    if tables:
        _check_parquet()


def _check_parquet() -> None:
    try:
        importlib.import_module("pyarrow")
    except ImportError as error:
        msg = (
            "parquet tables need pyarrow: pip install 'cleo_like[parquet]', "
            "or leave them out (tables=False, --no-tables)"
        )
        raise UnsupportedError(msg) from error


def write_session(
    session: InSilicoSession,
    folder: str | Path,
    *,
    tables: bool = True,
    overwrite: bool = False,
    progress: Callable[[str, float], Any] | None = None,
) -> list[Path]:
    """Write a session: all files, or none.

    Raw movies (`with_movie`) are TIFF files of their own, which the NWB files name. The same
    plan and seed give the same bytes.
    ``project_metadata`` and ``behavior_ophys_experiments`` are laid out as the AllenSDK's
    cache has them, ``tables`` holds parquet tables for other programs, and ``session.json``
    the plan.

    Parameters
    ----------
    session : InSilicoSession
        The session.
    folder : path
        Of this session alone; a cache over several is the folder above them.
    tables : bool
        Whether to write parquet tables (the extra `parquet`).
    overwrite : bool
        Whether files of an earlier session may be replaced.
    progress : callable, optional
        Told what is written now, and which share is done.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ExistingFileError
        A file exists.
    UnsupportedError
        Tables without pyarrow.
    """
    where = Path(folder)
    keys = tuple(session.experiments)
    movies = [key for key, e in session.experiments.items() if e.data.movie is not None]
    check_session_files(keys, where, overwrite=overwrite, tables=tables, movies=movies)
    tell = progress if progress is not None else (lambda *_: None)
    with together():
        for name, table in project_tables(session).items():
            with atomic_path(project_path(where, name), overwrite=overwrite) as path:
                table.to_csv(path, lineterminator="\n")
        for k, (key, experiment) in enumerate(session.experiments.items()):
            tell(f"writing {key}", k / len(keys))
            _write_plane(where, key, experiment, overwrite=overwrite)
            if tables:
                _write_tables(where, key, experiment, overwrite=overwrite)
        if tables:
            stimuli = session.stimulus_presentations
            _parquet(
                stimuli,
                where / "tables" / "stimulus_presentations.parquet",
                overwrite=overwrite,
            )
        with atomic_path(where / ABOUT, overwrite=overwrite) as path:
            path.write_text(_about(session), encoding="utf-8")
    tell("written", 1.0)
    return planned_files(keys, where, tables=tables, movies=movies)


def _write_plane(
    folder: Path, key: int, experiment: InSilicoExperiment, *, overwrite: bool
) -> None:
    from cleo_like.io import write_ophys, write_tiff

    movie, files = experiment.data.movie, []
    if movie is not None:
        files = [write_tiff(movie, movie_path(folder, key), overwrite=overwrite)]
    write_ophys(
        experiment.data, nwb_path(folder, key), overwrite=overwrite, movie_files=files,
        reproducible=True,
    )  # fmt: skip


def _about(session: InSilicoSession) -> str:
    about = {
        "software": versions(("brian2",)),
        "plan": session.plan.to_dict(),
        "experiments": {key: dict(e.metadata) for key, e in session.experiments.items()},
    }
    return to_json(about, indent=1) + "\n"


def _table_path(folder: Path, experiment: int, kind: str) -> Path:
    return folder / "tables" / f"{experiment}_{kind}.parquet"


def _tidy(experiment: InSilicoExperiment) -> pd.DataFrame:
    from cleo_like.responses import build_tidy_cell_df

    return build_tidy_cell_df(experiment)


def _spikes(experiment: InSilicoExperiment) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    trains = experiment.truth.spike_times or ()
    ids = experiment.dff_traces.index.to_numpy()
    return pd.DataFrame(
        {
            "cell_specimen_id": np.repeat(ids, [len(t) for t in trains]),
            "spike_time": np.concatenate([np.zeros(0), *trains]),
        }
    )


_TABLES: dict[str, Callable[[InSilicoExperiment], pd.DataFrame]] = {
    "cells": lambda e: e.cell_specimen_table.drop(columns="roi_mask"),
    "traces": _tidy,
    "true_tuning": lambda e: e.tuning,
    "true_spikes": _spikes,
}


def _write_tables(
    folder: Path, key: int, experiment: InSilicoExperiment, *, overwrite: bool
) -> None:
    for kind, make in _TABLES.items():
        _parquet(make(experiment), _table_path(folder, key, kind), overwrite=overwrite)


def _parquet(table: pd.DataFrame, path: Path, *, overwrite: bool) -> None:
    with atomic_path(path, overwrite=overwrite) as temporary:
        table.to_parquet(temporary)

"""A folder of sessions, with the calls of the AllenSDK's project cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.arrays import as_tuple, frozen_mapping
from cleo_like.core.errors import FileFormatError, InputError, unknown_name
from cleo_like.sessions.experiment import InSilicoExperiment
from cleo_like.sessions.storage.project import KEYS, LISTS, project_tables
from cleo_like.sessions.storage.write import ABOUT, nwb_path, project_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from cleo_like.core.ophys.experiment import ImagingExperiment
    from cleo_like.sessions.session import InSilicoSession
    from cleo_like.sessions.visual.task import Columns


@attrs.define(kw_only=True, eq=False)
class InSilicoCache:
    """Sessions on disk or in memory, found as users of the AllenSDK find recorded ones.

    `VisualBehaviorOphysProjectCache.from_s3_cache(cache_dir=...)` becomes
    `InSilicoCache.from_local(...)`; the calls after it stay.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        The four tables of a data set.
    sources : mapping of int to path or InSilicoExperiment
        Where each experiment is.
    metadata : mapping of int to mapping
        What the AllenSDK calls metadata, of each experiment.
    columns : "stop_time" or "end_time"
        Columns of `stimulus_presentations`: as before AllenSDK 2.16, or since.
    """

    tables: Mapping[str, pd.DataFrame] = attrs.field(converter=frozen_mapping)
    sources: Mapping[int, Path | InSilicoExperiment]
    metadata: Mapping[int, Mapping[str, Any]]
    columns: Columns = "stop_time"

    @classmethod
    def from_local(
        cls, cache_dir: str | Path, *, columns: Columns = "stop_time"
    ) -> InSilicoCache:
        """Open a folder that `write_session` or ``cleo-like session`` wrote.

        Parameters
        ----------
        cache_dir : path
            Folder of one session, or of several such folders.
        columns : "stop_time" or "end_time"
            Columns of `stimulus_presentations`.

        Returns
        -------
        InSilicoCache

        Raises
        ------
        InputError
            No session in the folder, or two with the same identifier.
        FileFormatError
            A table that cannot be read.
        """
        root = Path(cache_dir)
        folders = [f for f in (root, *sorted(_below(root))) if (f / ABOUT).is_file()]
        if not folders:
            msg = (
                f"no session in {root}: neither it nor a folder in it has a {ABOUT}; "
                f"`cleo-like session` and write_session make one"
            )
            raise InputError(msg)
        parts = [_read_folder(folder) for folder in folders]
        return cls._joined(parts, columns)

    @classmethod
    def from_local_cache(
        cls, cache_dir: str | Path, *, columns: Columns = "stop_time", **_: Any
    ) -> InSilicoCache:
        """Do as `from_local`; other options of the AllenSDK's call are not needed."""
        return cls.from_local(cache_dir, columns=columns)

    @classmethod
    def from_s3_cache(
        cls, cache_dir: str | Path, *, columns: Columns = "stop_time", **_: Any
    ) -> InSilicoCache:
        """Do as `from_local`: nothing is downloaded, the folder must have sessions."""
        return cls.from_local(cache_dir, columns=columns)

    @classmethod
    def of_sessions(
        cls, sessions: Iterable[InSilicoSession], *, columns: Columns = "stop_time"
    ) -> InSilicoCache:
        """Hold simulated sessions without writing them.

        Parameters
        ----------
        sessions : iterable of InSilicoSession
            One or more.
        columns : "stop_time" or "end_time"
            Columns of `stimulus_presentations`.

        Returns
        -------
        InSilicoCache
        """
        many = as_tuple(sessions)
        if not many:
            raise InputError("a cache needs at least one session")
        parts = [
            _Part(
                project_tables(s),
                s.experiments,
                {k: e.metadata for k, e in s.experiments.items()},
            )
            for s in many
        ]
        return cls._joined(parts, columns)

    @classmethod
    def _joined(cls, parts: list[_Part], columns: Columns) -> InSilicoCache:
        import pandas as pd

        tables = {name: pd.concat([p.tables[name] for p in parts]) for name in KEYS}
        twice = tables["ophys_session_table"].index
        if twice.has_duplicates:
            found = sorted(set(twice[twice.duplicated()]))
            msg = f"two sessions have the same identifier: {', '.join(map(str, found))}"
            raise InputError(msg)
        sources: dict[int, Any] = {}
        metadata: dict[int, Any] = {}
        for part in parts:
            sources |= part.sources
            metadata |= part.metadata
        return cls(tables=tables, sources=sources, metadata=metadata, columns=columns)

    def get_ophys_session_table(self) -> pd.DataFrame:
        """Give one row per session: index ophys_session_id."""
        return self.tables["ophys_session_table"].copy()

    def get_behavior_session_table(self) -> pd.DataFrame:
        """Give one row per session: index behavior_session_id."""
        return self.tables["behavior_session_table"].copy()

    def get_ophys_experiment_table(self) -> pd.DataFrame:
        """Give one row per plane of a session: index ophys_experiment_id."""
        return self.tables["ophys_experiment_table"].copy()

    def get_ophys_cells_table(self) -> pd.DataFrame:
        """Give one row per ROI: index cell_roi_id."""
        return self.tables["ophys_cells_table"].copy()

    def get_behavior_ophys_experiment(self, ophys_experiment_id: int) -> InSilicoExperiment:
        """Give one plane of a session; its file is read now.

        Parameters
        ----------
        ophys_experiment_id : int
            Of `get_ophys_experiment_table`.

        Returns
        -------
        InSilicoExperiment

        Raises
        ------
        UnknownNameError
            No such experiment.
        """
        key = int(ophys_experiment_id)
        if key not in self.sources:
            raise unknown_name("ophys_experiment_id", str(key), map(str, self.sources))
        source = self.sources[key]
        if isinstance(source, Path):
            data = _imaging_experiment(source)
            return InSilicoExperiment(
                data=data, metadata=self.metadata[key], columns=self.columns
            )
        return attrs.evolve(source, columns=self.columns)

    def __repr__(self) -> str:
        """One line."""
        n = {name: len(table) for name, table in self.tables.items()}
        return (
            f"InSilicoCache: {n['ophys_session_table']} sessions, "
            f"{n['ophys_experiment_table']} experiments, {n['ophys_cells_table']} cells"
        )


@attrs.frozen
class _Part:
    """What one session brings to a cache."""

    tables: Mapping[str, pd.DataFrame]
    sources: Mapping[int, Any]
    metadata: Mapping[int, Mapping[str, Any]]


def _below(root: Path) -> list[Path]:
    if not root.is_dir():
        raise InputError(f"{root} is no folder")
    return [child for child in root.iterdir() if child.is_dir()]


def _read_folder(folder: Path) -> _Part:
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        metadata = {int(key): value for key, value in about["experiments"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{folder / ABOUT} is not what cleo_like wrote: {error}"
        raise FileFormatError(msg) from error
    tables = {name: _read_table(folder, name) for name in KEYS}
    return _Part(tables, {key: nwb_path(folder, key) for key in metadata}, metadata)


def _read_table(folder: Path, name: str) -> pd.DataFrame:
    import pandas as pd

    path = project_path(folder, name)
    index, columns = KEYS[name]
    try:
        table = pd.read_csv(path, index_col=index, dtype={"mouse_id": str})
        table = table[list(columns)]
    except FileNotFoundError as error:
        msg = f"{path} is missing; write the session again"
        raise FileFormatError(msg) from error
    except (KeyError, ValueError) as error:
        msg = f"{path} is not what cleo_like wrote: {error}"
        raise FileFormatError(msg) from error
    for column in set(LISTS) & set(columns):
        if table[column].dtype.kind not in "iu":
            table[column] = table[column].map(json.loads)
    return table


def _imaging_experiment(path: Path) -> ImagingExperiment:
    from cleo_like.io import read_experiments

    return read_experiments(path)[0]

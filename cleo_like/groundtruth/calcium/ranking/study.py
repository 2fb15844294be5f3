"""Does a simulation rank methods as real recordings do? Measured on paired recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.files import atomic_path
from cleo_like.core.provenance import hash_of, to_json
from cleo_like.groundtruth.calcium.known import Known
from cleo_like.groundtruth.calcium.ranking.agreement import REAL, agreement, summary
from cleo_like.groundtruth.calcium.ranking.blame import blame
from cleo_like.groundtruth.calcium.ranking.recordings import (
    LONGEST,
    RATE,
    data_folder,
    read_sets,
)
from cleo_like.groundtruth.calcium.ranking.simulate import MAIN, STAGES, simulate
from cleo_like.groundtruth.calcium.scores import CORRELATIONS, cell_scores
from cleo_like.groundtruth.calcium.tables import SCORES
from cleo_like.groundtruth.extractors import Guard
from cleo_like.groundtruth.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cleo_like.groundtruth.calcium.ranking.recordings import PairedSet
    from cleo_like.groundtruth.extractors import Method

RANKED = (*CORRELATIONS, "f1")
"""Scores by which methods are ranked."""
_VERSION = 2
"""Of the simulation: another number makes it run again."""
_NOTES = "ranking_notes.txt"
TABLES = ("ranking_cells", "ranking_agreement", "ranking_summary", "ranking_blame")


@attrs.frozen(kw_only=True, eq=False)
class Ranking:
    """Ranking of methods on real recordings, and as simulations predict it.

    Parameters
    ----------
    cells : DataFrame
        One row a cell, stage ("real" or one of `simulate.STAGES`), repeat and method.
    agreement : DataFrame
        Each stage against the real recordings, pooled and set by set.
    summary : DataFrame
        The same, one row a score and stage.
    blame : DataFrame
        By how much each stage that is matched or left out changes the disagreement.
    notes : tuple of str
        What was left out, and why.
    """

    cells: pd.DataFrame
    agreement: pd.DataFrame
    summary: pd.DataFrame
    blame: pd.DataFrame
    notes: tuple[str, ...] = ()

    def write(self, folder: str | Path) -> None:
        """Write every table as CSV, and the notes."""
        Store(Path(folder)).write_tables({
            name: getattr(self, name.removeprefix("ranking_")) for name in TABLES
        })  # fmt: skip
        with atomic_path(Path(folder) / _NOTES) as path:
            path.write_text("\n".join(self.notes), "utf-8")

    def __repr__(self) -> str:
        """One line."""
        sets, names = self.cells["set"].nunique(), self.cells["extractor"].nunique()
        n = len(self.cells[["set", "cell"]].drop_duplicates())
        return f"Ranking of {names} methods on {n} cells of {sets} sets"


def calcium_ranking(
    methods: Sequence[Method],
    *,
    data: str | Path | None = None,
    folder: str | Path = "groundtruth",
    stages: Sequence[str] = MAIN,
    repeats: int = 2,
    rate: float = RATE,
    longest: float = LONGEST,
    cells: int | None = None,
    progress: bool = True,
) -> Ranking:
    """Rank methods on real recordings and on simulations of them.

    Answers are kept by method and data set: a new method is the only one that runs.

    Parameters
    ----------
    methods : sequence of Method
        Of `calcium.methods`; none is scored on a set that it was trained on.
    data : str or Path, optional
        Folder of the data sets (default: ``ophys_gt/dev`` in ``CLEO_LIKE_DATA``).
    folder : str or Path
        Where tables and scores are kept.
    stages : sequence of str
        Of `simulate.STAGES`: what of the recording the simulation is given.
    repeats : int
        Simulations of each recording.
    rate : float
        Hz at which recordings are compared.
    longest : float
        Seconds of a cell.
    cells : int, optional
        Most cells of a set.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Ranking
        Tables; also written as CSV into the folder.

    Raises
    ------
    UnsupportedError
        The recordings are not there.
    InputError
        Fewer than three methods, which have no ranking.
    """
    import pandas as pd
    from tqdm import tqdm

    for stage in stages:
        if stage not in STAGES:
            raise unknown_name("stage", stage, STAGES)
    if len(methods) < 3 or repeats < 1:
        msg = f"a ranking needs three methods and a repeat, got {len(methods)} and {repeats}"
        raise InputError(msg)
    place = data_folder(data)
    rows: list[pd.DataFrame] = []
    notes: list[str] = []
    guards = {m.name: Guard(m) for m in methods}
    try:
        sets = list(read_sets(place, rate=rate, longest=longest, cells=cells))
        for paired in tqdm(sets, disable=not progress, unit="set", desc="calcium ranking"):
            notes += [f"{paired.name}: {why}" for why in paired.left_out]
            some = [m for m in methods if paired.name not in m.trained_on]
            notes += [
                f"{paired.name}: {m.name} was trained on it"
                for m in methods
                if paired.name in m.trained_on
            ]
            asked = [(REAL, 0), *((s, k) for s in stages for k in range(repeats))]
            rows += _set_rows(paired, [guards[m.name] for m in some], Path(folder), asked)
    finally:
        for guard in guards.values():
            guard.close()
    table = pd.concat(rows, ignore_index=True)
    found = agreement(table, RANKED)
    ranking = Ranking(
        cells=table, agreement=found, summary=summary(found), blame=blame(found),
        notes=tuple(notes),
    )  # fmt: skip
    ranking.write(folder)
    return ranking


def read_ranking(folder: str | Path) -> Ranking | None:
    """Give the ranking that a folder holds; None where there is none.

    Parameters
    ----------
    folder : str or Path
        Of `calcium_ranking`.
    """
    import pandas as pd

    paths = {name: Path(folder) / f"{name}.csv" for name in TABLES}
    if not all(path.is_file() for path in paths.values()):
        return None
    read = {n.removeprefix("ranking_"): _table(pd, p) for n, p in paths.items()}
    notes = Path(folder) / _NOTES
    lines = notes.read_text("utf-8").splitlines() if notes.is_file() else []
    return Ranking(**read, notes=tuple(lines))


def _table(pd: Any, path: Path) -> Any:
    return pd.read_csv(path) if path.stat().st_size > 2 else pd.DataFrame()


def _set_rows(
    paired: PairedSet, guards: Sequence[Guard], folder: Path, asked: list[tuple[str, int]]
) -> list[pd.DataFrame]:
    """Score every method on a set and its simulations; what is kept is not done again."""
    import pandas as pd

    data = hash_of(np.nan_to_num(paired.dff)).split(":")[-1][:12]
    digest = hash_of(to_json([_VERSION, data, paired.rate, len(paired.times)]).encode()).split(
        ":"
    )[-1][:12]
    out = []
    made: dict[tuple[str, int], Any] = {}
    for guard in guards:
        method = guard.method
        for stage, seed in asked:
            name = f"{paired.name}-{digest}-{stage.replace(' ', '_')}-{seed}.csv"
            path = folder / "ranking" / method.key / name
            if not path.is_file():
                key = (stage, seed)
                if key not in made:
                    made[key] = _imaged(paired, stage, seed)
                row = _scored(paired, made[key], guard)
                with atomic_path(path) as temporary:
                    row.to_csv(temporary, index=False)
            out.append(
                pd.read_csv(path).assign(
                    set=paired.name, indicator=paired.indicator, stage=stage, repeat=seed,
                    extractor=method.name,
                )
            )  # fmt: skip
    return out


def _imaged(paired: PairedSet, stage: str, seed: int) -> Any:
    if stage == REAL:
        return paired.imaged(paired.dff, paired.times, paired.rows)
    return paired.imaged(*simulate(paired, STAGES[stage], seed))


def _scored(paired: PairedSet, truth: Any, guard: Guard) -> pd.DataFrame:
    """Score one method: rows are averaged by cell, weighted by their length; events added."""
    import pandas as pd

    found = guard.ask(truth.dff, truth.frame_rate, Known.of(paired.indicator), truth=truth)
    arrays = found.arrays or {"trace": np.full(truth.dff.shape, np.nan)}
    table = pd.DataFrame(cell_scores(arrays, truth)).assign(
        cell=[paired.cells[k] for k in paired.cell], seconds=paired.lengths,
        status=found.status,
    )  # fmt: skip
    rows = []
    for cell, part in table.groupby("cell", sort=False):
        one: dict[str, Any] = {"cell": cell, "status": found.status}
        one["spikes"], one["seconds"] = part["spikes"].sum(), part["seconds"].sum()
        for score in SCORES:
            there = np.isfinite(part[score])
            weight = part["seconds"][there]
            one[score] = (
                float(np.average(part[score][there], weights=weight)) if there.any() else np.nan
            )
        whole = 2 * part["hits"].sum() + part["false"].sum() + part["missed"].sum()
        if np.isfinite(whole) and whole > 0 and part["hits"].notna().any():
            one["f1"] = 2 * part["hits"].sum() / whole
        rows.append(one)
    return pd.DataFrame(rows)

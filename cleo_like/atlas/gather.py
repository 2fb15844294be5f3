"""From files to the table of an atlas: features, provenance, and a verdict for every sweep."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import CleoLikeError, FileFormatError, InputError, UnsupportedError
from cleo_like.core.files import atomic_path, together
from cleo_like.core.provenance import hash_of
from cleo_like.features.extract import extract
from cleo_like.features.table import FeatureTable, check_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd


_TOLD = (
    "dandiset", "asset_id", "asset_path", "taxon", "age", "sex", "licence", "citation",
)  # fmt: skip


def gather(
    files: Sequence[str | Path],
    *,
    output: str | Path,
    cache: str | Path | None = None,
    jobs: int = 1,
    dask: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Measure files, or what `atlas fetch` left in a cache; one row per cell.

    An interrupted run goes on where it stopped, to the same table byte for byte.

    Parameters
    ----------
    files : sequence of path
        Recordings; those of the cache's manifest when there are none.
    output : path
        The table (.csv); features as measured stand beside it in ``<name>.features.csv``,
        verdicts on every file and sweep in ``<name>.verdicts.csv``.
    cache : path, optional
        Folder of `atlas fetch`.
    jobs : int
        Processes.
    dask : str, optional
        Address of a scheduler ("tcp://...").
    overwrite : bool
        Whether a finished table may be replaced.
    progress : bool
        Show a bar.

    Raises
    ------
    InputError
        Neither files nor a cache.
    """
    target = Path(output)
    check_table(target, overwrite=overwrite)
    told, sources, lost = _sources(files, None if cache is None else Path(cache))
    features = target.with_name(f"{target.stem}.features.csv")
    with dask_executor(dask) as executor:
        table = extract(
            sources, n_jobs=jobs, executor=executor, resume=features, progress=progress
        )
    frame = _with_lost(_with_provenance(table, told), lost)
    judged = _judged_lost(verdicts(sources), lost)
    other = target.with_name(f"{target.stem}.verdicts.csv")
    with (
        together(),  # a run that was killed before has neither, and can be repeated
        atomic_path(target, overwrite=overwrite) as table_file,
        atomic_path(other) as verdict_file,
    ):
        frame.to_csv(table_file, index=False)
        judged.to_csv(verdict_file, index=False)
    return frame


def _sources(
    files: Sequence[str | Path], cache: Path | None
) -> tuple[dict[str, dict[str, Any]], list[Any], list[tuple[dict[str, Any], str]]]:
    """Files to measure, what the archive told of each (by content), and what cannot be had."""
    lost: list[tuple[dict[str, Any], str]] = []
    told: dict[str, dict[str, Any]] = {}
    sources: list[Any] = [Path(f) for f in files]
    if cache is not None:
        try:
            rows = json.loads((cache / "manifest.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            msg = f"{cache} has no manifest; run `cleo-like atlas fetch` first"
            raise FileFormatError(msg) from error
        for row in rows:
            path = cache / row["file"]
            if path.is_file():
                sources.append(path)
                told[hash_of(path)] = row
            else:
                sources += _streamed(row, told, lost)
    if not sources and lost:
        row, why = lost[0]
        msg = (
            f"none of the {len(lost)} files of the cache can be had, e.g. {row['path']}: {why}"
        )
        raise FileFormatError(msg)
    if not sources:
        msg = "nothing to measure: give files, or a cache that `cleo-like atlas fetch` filled"
        raise InputError(msg)
    return told, sources, lost


def _streamed(
    row: dict[str, Any],
    told: dict[str, dict[str, Any]],
    lost: list[tuple[dict[str, Any], str]],
) -> list[Any]:
    """Read a file that was too large to fetch over the network; tell where it cannot be."""
    from cleo_like.io.dandi import Asset, read_streamed

    names = {f.name for f in attrs.fields(Asset)}
    told_of = {k: v for k, v in row.items() if k in names}
    asset = Asset(**{**told_of, "measured": tuple(row.get("measured", ()))})
    try:
        found = read_streamed(asset)
    except (CleoLikeError, OSError) as error:
        lost.append((row, f"{type(error).__name__}: {error}"))
        return []
    for recording in found:
        told[recording.cell.id] = row
    return list(found)


def _with_lost(frame: pd.DataFrame, lost: list[tuple[dict[str, Any], str]]) -> pd.DataFrame:
    """Add a row for every file that could not be had: no file of the list is forgotten."""
    import pandas as pd

    if not lost:
        return frame
    rows = []
    for row, why in lost:
        path = Path(row["path"])
        told = {"cell_id": path.stem, "source": path.name, "status": "failed", "notes": why}
        of = {name: row.get(name) for name in (*_TOLD, "species", "donor")}
        rows.append(of | told | {"asset_path": row["path"]})
    added = pd.DataFrame(rows).reindex(columns=frame.columns)
    return pd.concat([frame.astype(object), added.astype(object)], ignore_index=True)


def _judged_lost(judged: pd.DataFrame, lost: list[tuple[dict[str, Any], str]]) -> pd.DataFrame:
    import pandas as pd

    if not lost:
        return judged
    rows = [(Path(row["path"]).name, None, None, None, False, why) for row, why in lost]
    added = pd.DataFrame(rows, columns=judged.columns)
    return pd.concat([judged.astype(object), added.astype(object)], ignore_index=True)


@contextmanager
def dask_executor(address: str | None) -> Iterator[Any]:
    """Give the executor of a Dask scheduler for a while; None without an address.

    Parameters
    ----------
    address : str, optional
        ``tcp://...``.

    Raises
    ------
    UnsupportedError
        The package distributed is not installed.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        msg = "--dask needs the package distributed: pip install 'cleo_like[distributed]'"
        raise UnsupportedError(msg) from error
    with Client(address) as client:
        yield client.get_executor()


def _with_provenance(table: FeatureTable, told: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Put what the archive told before the features; the file's own word on a subject stays."""
    frame = table.frame.copy()
    rows = [
        told.get(str(h), told.get(str(c), {}))
        for h, c in zip(frame["content_hash"], frame["cell_id"], strict=True)
    ]
    for name in ("species", "donor"):
        mine = [v if v else row.get(name) for v, row in zip(frame[name], rows, strict=True)]
        frame[name] = mine
    place = list(frame.columns).index("status")
    for name in reversed(_TOLD):
        key = "path" if name == "asset_path" else name
        frame.insert(place, name, [row.get(key) for row in rows])
    return frame


def verdicts(sources: Sequence[Any]) -> pd.DataFrame:
    """Say of every file, cell and sweep which protocol it is and whether it is a long square.

    Returns
    -------
    DataFrame
        source, cell_id, sweep, family, used, reason.
    """
    import pandas as pd

    from cleo_like.core.recording import Recording
    from cleo_like.io import read_all
    from cleo_like.matching import match

    rows: list[tuple[Any, ...]] = []
    for source in sources:
        name = source.provenance.source if isinstance(source, Recording) else source.name
        try:
            found = [source] if isinstance(source, Recording) else read_all(source)
            for recording in found:
                for position, verdict in enumerate(match(recording).sweeps):
                    used = verdict.family == "long_square"
                    number = recording.sweeps[position].number
                    rows.append(
                        (name, recording.cell.id, number, verdict.family, used, verdict.reason)
                    )
        except (CleoLikeError, OSError) as error:
            rows.append((name, None, None, None, False, f"{type(error).__name__}: {error}"))
    columns = ["source", "cell_id", "sweep", "family", "used", "reason"]
    return pd.DataFrame(rows, columns=columns)

"""A folder of recordings as pages: an index with a row for each cell, and a page for each."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError, ExistingFileError, UnknownNameError
from cleo_like.core.files import check_folder
from cleo_like.core.provenance import hash_of
from cleo_like.core.views.style import RESPONSE_COLOUR, house_style, trace
from cleo_like.features.catalogue import CATALOGUE, feature
from cleo_like.features.extract import extract
from cleo_like.features.families import measure_others, parts_of
from cleo_like.features.parameters import DEFAULT
from cleo_like.io.folders import names_of, plain_name
from cleo_like.io.load import files_in
from cleo_like.report.page import Link, Page, Picture
from cleo_like.report.plots.features import features_figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from matplotlib.figure import Figure

    from cleo_like.core.recording import Recording
    from cleo_like.features.catalogue import Feature
    from cleo_like.features.long_square.cell import CellFeatures
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.registry import ExtractorLike
    from cleo_like.features.table import FeatureTable
    from cleo_like.qc.verdicts import Criteria, Preset

INDEX = "index.html"
_SHOWN = ("v_baseline", "input_resistance", "tau", "sag", "rheobase_i", "fi_fit_slope")
_THUMBNAIL = (2.2, 1.3)  # inches
_DPI = 90
_FAILURES = ["sweep", "check", "verdict", "reason"]


def _name(stems: Mapping[Path, str], path: Path, cell_id: str, n_cells: int) -> str:
    """Name the pages of a cell: by the file, and by the cell where there are several in it."""
    return stems[path] if n_cells == 1 else f"{stems[path]}-{plain_name(cell_id)}"


def folder_report(
    places: str | Path | Iterable[str | Path],
    output: str | Path,
    *,
    extractor: ExtractorLike = "native",
    criteria: Criteria | Preset = "own",
    parameters: ExtractionParameters = DEFAULT,
    electrode: str | Mapping[str, str] | None = None,
    n_jobs: int = 1,
    overwrite: bool = False,
    progress: bool = True,
) -> Path:
    """Measure and judge all recordings of a folder, and write pages to look at them.

    Parameters
    ----------
    places : path or iterable of paths
        Files, folders or patterns, see `io.files_in`.
    output : path
        A folder that is made: ``index.html`` (a row for each cell), ``cells/`` (a page for
        each, with its figure, every feature and why one is missing, checks that failed),
        ``features.csv`` with its reasons, ``verdicts.csv``, and ``features.xlsx`` where
        openpyxl is installed.
    extractor : str or callable
        As for `extract`; figures are drawn for "native" and "ipfx".
    criteria : Criteria or str
        Limits of the checks, or a preset of them: "own" or "allen".
    parameters, electrode
        As for `extract`.
    n_jobs : int
        Processes.
    overwrite : bool
        Whether a report that is there already may be replaced; no other folder ever is.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Path
        The index.

    Raises
    ------
    ExistingFileError
        The folder exists and is no report, or is one and may not be replaced.
    """
    files, target = files_in(places), Path(output)
    _check_target(target, overwrite=overwrite)
    check_folder(target.parent)
    names = names_of(files)
    # beside its place, so that it appears whole or not at all
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for part in ("cells", "thumbnails"):
            (building / part).mkdir()
        each = _CellWriter(names, building, criteria)
        table = extract(
            files, extractor=extractor, parameters=parameters, electrode=electrode,
            n_jobs=n_jobs, each=each, progress=progress,
        )  # fmt: skip
        rows = _files_of_rows(files, table)
        _write_failed(names, building, rows, table)
        _write_tables(building, table)
        _write_index(names, building, rows, table, title=f"Cells of {_common(files)}")
        building.chmod(0o755)
        _put_in_place(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target / INDEX


def _put_in_place(building: Path, target: Path) -> None:
    """Rename the new folder; the old one is kept until that is done."""
    if not target.exists():
        building.rename(target)
        return
    old = building.with_name(f"{building.name}-old")
    target.rename(old)
    try:
        building.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)


def _check_target(target: Path, *, overwrite: bool) -> None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    is_report = (target / INDEX).is_file() and (target / "features.csv").is_file()
    if not is_report:
        msg = f"{target} exists and is no report of this kind; name a new folder"
        raise ExistingFileError(msg)
    if not overwrite:
        msg = f"{target} is a report already; give overwrite=True to replace it"
        raise ExistingFileError(msg)


@attrs.frozen
class _CellWriter:
    """Writes the page, the thumbnail and the verdicts of a cell, where it was measured."""

    names: Mapping[Path, str]
    folder: Path
    criteria: Criteria | Preset

    def __call__(
        self,
        source: Recording | Path,
        recording: Recording,
        measured: CellFeatures,
        n_cells: int,
    ) -> None:
        from cleo_like.qc import quality

        path = Path(str(source))
        name = _name(self.names, path, recording.cell.id, n_cells)
        judged = quality(recording, criteria=self.criteria, features=measured)
        page = _page(recording.cell.id, path).add_text(repr(recording))
        page.add_list(recording.findings)
        page.add_figure(
            features_figure(measured), alt=f"Sweeps, V-I and f-I curves of {recording.cell.id}"
        )
        page.add_heading("Features").add_table(_rows_of_cell(measured))
        others, skipped = measure_others(parts_of(recording), measured.parameters)
        for family, found in others.items():
            page.add_heading(f"Features of {family.replace('_', ' ')} sweeps")
            page.add_table(_feature_rows(found.values, found.errors, found.reasons))
        page.add_list(skipped)
        page.add_list(measured.notes)
        page.add_heading("Quality").add_text(repr(judged))
        verdicts = judged.table()
        page.add_table(
            verdicts.loc[
                verdicts["verdict"] != "pass", ["sweep", "check", "verdict", "reason"]
            ],
            caption="Checks that did not pass (sweep -1 is the cell); verdicts.csv has all.",
        )
        page.save(self.folder / "cells" / f"{name}.html", overwrite=True)
        verdicts.insert(1, "source", path.name)
        verdicts.to_csv(self.folder / "cells" / f"{name}.csv", index=False)
        _thumbnail(recording, self.folder / "thumbnails" / f"{name}.png")


def _page(cell_id: str, path: Path) -> Page:
    page = Page(f"{cell_id} ({path.name})")
    return page.add_links([Link(text="All cells", href=f"../{INDEX}")])


def _rows_of_cell(measured: CellFeatures) -> list[dict[str, Any]]:
    return _feature_rows(measured.values, measured.uncertainty, measured.reasons)


def _feature_rows(
    values: Mapping[str, float], errors: Mapping[str, float], reasons: Mapping[str, str]
) -> list[dict[str, Any]]:
    rows = []
    for name, value in values.items():
        known = _known(name)
        rows.append({
            "feature": name, "value": value, "standard error": errors.get(name),
            "unit": "" if known is None or known.unit == "1" else known.unit,
            "meaning": "" if known is None else known.meaning,
            "why it is missing": reasons.get(name, ""),
        })  # fmt: skip
    return rows


def _known(name: str) -> Feature | None:
    """Look a column up; those of other people's extractors are in no catalogue."""
    try:
        return feature(name)
    except UnknownNameError:
        return None


def _thumbnail(recording: Recording, path: Path) -> None:
    """Draw the responses small, without axes."""
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=_THUMBNAIL)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        some = recording.sweeps[:: max(1, recording.n_sweeps // 12)]
        for sweep in some:
            trace(axes, sweep.time, sweep.response, colour=RESPONSE_COLOUR, lw=0.6)
        figure.savefig(path, dpi=_DPI)


def _files_of_rows(files: list[Path], table: FeatureTable) -> list[Path]:
    """Give the file of each row: rows are in the order of the files, one for each cell."""
    digests = [hash_of(path) if path.is_file() else "missing" for path in files]
    copies, cells = Counter(digests), Counter(table["content_hash"])
    return [
        path
        for path, digest in zip(files, digests, strict=True)
        for _ in range(cells[digest] // copies[digest])
    ]


def _write_failed(
    names: Mapping[Path, str], folder: Path, rows: list[Path], table: FeatureTable
) -> None:
    """Draw and explain the cells that could not be measured."""
    from cleo_like.io import read_all

    count = Counter(rows)
    for row, path in enumerate(rows):
        cell_id = str(table["cell_id"].iloc[row])
        name = _name(names, path, cell_id, count[path])
        if (folder / "cells" / f"{name}.html").is_file():
            continue
        page = _page(cell_id, path).add_text(str(table["notes"].iloc[row]))
        if table["status"].iloc[row] == "ok":  # no long squares, and so no figure of them
            page.add_heading("Features").add_table(_rows_of_table(table, row))
        try:
            found = [r for r in read_all(path) if r.cell.id == cell_id]
        except (CleoLikeError, OSError):
            found = []  # what is wrong with the file is the text above
        for recording in found:
            page.add_text(repr(recording)).add_list(recording.findings)
            if recording.n_sweeps:
                page.add_figure(_sweeps_figure(recording), alt=f"Sweeps of {cell_id}")
                _thumbnail(recording, folder / "thumbnails" / f"{name}.png")
        page.save(folder / "cells" / f"{name}.html", overwrite=True)


def _sweeps_figure(recording: Recording) -> Figure:
    """Draw the sweeps as `Recording.plot` does, for cells that have no figure of features."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5))
    recording.plot(ax=figure.subplots())
    return figure


def _rows_of_table(table: FeatureTable, row: int) -> list[dict[str, Any]]:
    """Give the features of a row that has no more than the table."""
    values = table.frame.iloc[row]
    asked = [name for name in table.features if np.isfinite(values[name])]
    errors = {name: float(values.get(f"{name}_error", np.nan)) for name in asked}
    return _feature_rows({name: values[name] for name in asked}, errors, {})


def _write_tables(folder: Path, table: FeatureTable) -> None:
    import pandas as pd

    table.to_csv(folder / "features.csv")
    parts = sorted((folder / "cells").glob("*.csv"))
    if parts:
        verdicts = pd.concat([pd.read_csv(part) for part in parts], ignore_index=True)
        verdicts.to_csv(folder / "verdicts.csv", index=False)
        for part in parts:
            part.unlink()
    if _has_openpyxl():
        with pd.ExcelWriter(folder / "features.xlsx", engine="openpyxl") as book:
            table.frame.to_excel(book, sheet_name="features", index=False)
            table.reasons.to_excel(book, sheet_name="why missing", index=False)
            _units().to_excel(book, sheet_name="units", index=False)


def _units() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([
        {"feature": f.name, "unit": f.unit, "meaning": f.meaning, "source": f.source}
        for f in CATALOGUE.values()
    ])  # fmt: skip


def _has_openpyxl() -> bool:
    from importlib.util import find_spec

    return find_spec("openpyxl") is not None


def _write_index(
    names: Mapping[Path, str],
    folder: Path,
    rows: list[Path],
    table: FeatureTable,
    *,
    title: str,
) -> None:
    from cleo_like.report.versions import version_table

    count, lines, reasons = Counter(rows), [], []
    # most cells are named by their file; then its name once is enough
    plain = all(path.stem == cell for path, cell in zip(rows, table["cell_id"], strict=True))
    for row, path in enumerate(rows):
        cell_id = str(table["cell_id"].iloc[row])
        name = _name(names, path, cell_id, count[path])
        href, drawn = f"cells/{name}.html", f"thumbnails/{name}.png"
        has = (folder / drawn).is_file()
        if table["status"].iloc[row] != "ok":
            reasons.append(f"{cell_id} ({path.name}): {table['notes'].iloc[row]}")
        small = Picture(src=drawn, href=href, alt=f"Sweeps of {cell_id}") if has else ""
        lines.append({
            "recording": small,
            "cell": Link(text=cell_id, href=href),
            **({} if plain else {"file": path.name}),
            "sweeps": table["n_sweeps"].iloc[row],
            **{_label(f): table[f].iloc[row] for f in _SHOWN if f in table.features},
        })  # fmt: skip
    measured = int((table["status"] == "ok").sum())
    page = Page(title)
    page.add_text(
        f"{measured} of {len(table)} cells of {len(count)} files measured. "
        "Behind each cell: its figure, every feature and why one is missing, and its quality."
    )
    downloads = ["features.csv", "features.reasons.csv", "verdicts.csv", "features.xlsx"]
    there = [name for name in downloads if (folder / name).is_file()]
    page.add_links([Link(text=name, href=name) for name in there])
    page.add_table(lines)
    if reasons:
        page.add_heading("Not measured").add_list(reasons)
    page.add_heading("How it was made").add_table(
        {k: v for k, v in version_table().items() if v != "not installed"}
    )
    page.save(folder / INDEX, overwrite=True)


def _label(name: str) -> str:
    known = _known(name)
    return known.label if known is not None else name


def _common(files: list[Path]) -> str:
    parents = {path.resolve().parent for path in files}
    return next(iter(parents)).name if len(parents) == 1 else f"{len(parents)} folders"

"""Files of real or simulated cells: what is in them, protocols, features, quality."""

# options arrive as arguments; click reads \b as "keep these lines"

# ruff: noqa: D301, FBT001, PLR0917

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleo_like.cli.config import settings
from cleo_like.cli.shared import (
    HOW,
    check_figure,
    files_argument,
    overwrite_option,
    recordings_of,
    save_figure,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.core.recording import Recording
    from cleo_like.features.long_square.cell import CellFeatures
    from cleo_like.qc.verdicts import Preset


_SKIPPED = re.compile(r"^sweeps? [\d, -]+ skipped: |not measured: |'native' only")


@click.command()
@files_argument
def info(files: tuple[Path, ...]) -> None:
    """Tell what is in ABF, ATF and NWB files.

    A file that cannot be read is said, and the others go on.

    \b
    Example:
      cleo-like info recordings/*.abf
    """
    from cleo_like.io import describe

    _complain(_each(files, lambda path: click.echo(str(describe(path))))[1])


@click.command()
@files_argument
def match(files: tuple[Path, ...]) -> None:
    """Tell which protocol each sweep of a file is, and why.

    \b
    Example:
      cleo-like match recordings/*.abf
    """
    _complain(_each(files, _print_matches)[1])


def _channels() -> dict[str, str] | None:
    """Give the channels that the settings choose, None for all."""
    return dict(settings().channels) or None


def _print_matches(path: Path) -> None:
    from cleo_like.matching import match as find

    for recording in recordings_of(path):
        found = find(recording)
        click.echo(f"{path} {recording.cell.id}: {found!r}")
        for verdict in found.sweeps:
            click.echo(f"  {verdict!r}")


def _each(files: tuple[Path, ...], work: Callable[[Path], Any]) -> tuple[list[Any], list[Path]]:
    """Do the work for every file; those that cannot be read are said and given back."""
    from cleo_like.core.errors import CleoLikeError

    done, bad = [], []
    for path in files:
        try:
            done.append(work(path))
        except (CleoLikeError, OSError) as error:
            click.echo(f"{path}: {error}", err=True)
            bad.append(path)
    return done, bad


def _complain(bad: list[Path]) -> None:
    if bad:
        msg = f"could not read {', '.join(map(str, bad))}"
        raise click.ClickException(msg)


@click.command()
@files_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--extractor", default="native", show_default=True, help="native, ipfx, efel ...")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option("--figures", default=None, type=click.Path(path_type=Path))
@click.option("--resume", is_flag=True, help="Skip files that OUTPUT has already; it grows.")
@click.option(
    "--lowpass", default=None,
    help="The amplifier's Bessel filter, instead of what files state ('10 kHz'; 0: none).",
)  # fmt: skip
@overwrite_option
def features(
    files: tuple[Path, ...],
    output: Path,
    extractor: str,
    jobs: int,
    figures: Path | None,
    resume: bool,
    lowpass: str | None,
    overwrite: bool,
) -> None:
    """Measure cells: one row of features each, and why a value is missing.

    Long squares, short squares, ramps and chirps of a file go into one row; what is skipped is
    said, and why. The exit code is 1 when no cell could be measured.

    \b
    Examples:
      cleo-like features recordings -o table.csv          (every file of a folder)
      cleo-like features recordings/*.abf -o table.csv
      cleo-like features *.nwb -o table.parquet --extractor ipfx --figures figures
    """
    import attrs

    from cleo_like.features.extract import extract
    from cleo_like.features.table import check_table
    from cleo_like.io.folders import names_of

    parameters = settings().parameters()
    if lowpass is not None:
        parameters = attrs.evolve(parameters, lowpass=lowpass)  # type: ignore[arg-type]
    check_table(output, overwrite=overwrite or resume, how=HOW)
    draw = None
    if figures is not None:
        names = names_of(files)
        for name in names.values():
            check_figure(figures / f"{name}.png", overwrite=overwrite)
        draw = partial(_draw_features, names, figures, overwrite=overwrite)
    table = extract(
        files,
        extractor=extractor,
        parameters=parameters,
        electrode=_channels(),
        n_jobs=jobs,
        resume=output if resume else None,
        each=draw,
    )
    measured = int((table["status"] == "ok").sum())
    written = table.write(output, overwrite=overwrite or resume)
    click.echo(f"{measured} of {len(table)} cells measured, table in {written}")
    for row, status in enumerate(table["status"]):
        if status != "ok":
            click.echo(f"  {table['source'].iloc[row]}: {table['notes'].iloc[row]}")
        for note in str(table["notes"].iloc[row]).split("; ") if status == "ok" else ():
            if _SKIPPED.search(note):
                click.echo(f"  {table['source'].iloc[row]}: {note}")
    if not measured:
        msg = "no cell was measured; the table says why"
        raise click.ClickException(msg)


def _draw_features(
    names: dict[Path, str],
    folder: Path,
    source: Recording | Path,
    recording: Recording,
    measured: CellFeatures,
    n_cells: int,
    *,
    overwrite: bool,
) -> None:
    """Draw a cell where it was measured; a figure that cannot be written is told."""
    from cleo_like.core.errors import CleoLikeError
    from cleo_like.report.plots.features import features_figure

    name = names[Path(source)] if isinstance(source, Path) else recording.cell.id
    if n_cells > 1:
        name = f"{name}-{recording.cell.id}"
    try:
        figure = features_figure(measured, title=name)
        save_figure(figure, folder / f"{name}.png", overwrite=overwrite)
    except (CleoLikeError, OSError) as error:
        click.echo(f"no figure of {name}: {error}", err=True)


@click.command()
@files_argument
@click.option("-o", "--output", default=None, type=click.Path(path_type=Path))
@click.option(
    "--criteria",
    type=click.Choice(["own", "allen"]),
    default="own",
    show_default=True,
    help="own: a sweep against its own recording; allen: the Allen Institute's limits.",
)
@overwrite_option
def qc(files: tuple[Path, ...], output: Path | None, criteria: Preset, overwrite: bool) -> None:
    """Judge feature tables (ranges) or recordings (every criterion), with reasons.

    \b
    Examples:
      cleo-like qc table.csv
      cleo-like qc recordings/*.abf -o verdicts.csv
      cleo-like qc recordings/sub-*/*.nwb --criteria allen
    """
    import pandas as pd

    from cleo_like.core.errors import InputError
    from cleo_like.core.files import atomic_path, check_output

    if output is not None:
        if output.suffix.lower() != ".csv":
            msg = f"verdicts are written as .csv, got {output.name!r}"
            raise InputError(msg)
        check_output(output, overwrite=overwrite, how=HOW)
    judged, bad = _each(
        files, lambda p: _judged_table(p) if _is_table(p) else _judged_recordings(p, criteria)
    )
    if output is not None and judged:
        with atomic_path(output, overwrite=overwrite) as temporary:
            pd.concat(judged, ignore_index=True).to_csv(temporary, index=False)
        click.echo(f"all verdicts in {output}")
    _complain(bad)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".parquet")


def _judged_table(path: Path) -> Any:
    """Print what is out of range in a feature table; give all verdicts."""
    from cleo_like.features import FeatureTable
    from cleo_like.qc import range_table

    table = FeatureTable.read(path)
    verdicts = range_table(table.frame)
    verdicts.insert(0, "cell_id", table.frame["cell_id"].reindex(verdicts["row"]).to_numpy())
    failed = verdicts[verdicts["verdict"] == "fail"]
    measured = table.frame.index[table["status"] == "ok"]
    unknown = (verdicts["verdict"] == "unknown") & verdicts["row"].isin(measured)
    good, empty = len(measured) - failed["row"].nunique(), len(table) - len(measured)
    click.echo(
        f"{path}: {good} of {len(measured)} cells in range, {int(unknown.sum())} values missing"
        + (f"; {empty} rows without any value" if empty else "")
    )
    for cell_id, name, reason in failed[["cell_id", "feature", "reason"]].itertuples(
        index=False
    ):
        click.echo(f"  {cell_id}: {name} {reason}")
    return verdicts


def _judged_recordings(path: Path, criteria: Preset) -> Any:
    """Print the verdict of each cell and its failing sweeps; give all verdicts."""
    import pandas as pd

    from cleo_like.qc import quality

    limits = settings().criteria(criteria)
    found = [quality(recording, criteria=limits) for recording in recordings_of(path)]
    for cell in found:
        click.echo(f"{path}: {cell!r}")
        for sweep in cell.sweeps:
            for check in sweep.failures:
                click.echo(f"  sweep {sweep.number}: {check.name}: {check.reason}")
    return pd.concat([cell.table() for cell in found], ignore_index=True)


@click.command()
@files_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--extractor", default="native", show_default=True, help="native, ipfx, efel ...")
@click.option(
    "--criteria",
    type=click.Choice(["own", "allen"]),
    default="own",
    show_default=True,
    help="own: a sweep against its own recording; allen: the Allen Institute's limits.",
)
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@overwrite_option
def report(
    files: tuple[Path, ...],
    output: Path,
    extractor: str,
    criteria: Preset,
    jobs: int,
    overwrite: bool,
) -> None:
    """Write pages about recordings: a row for each cell, its figure, features and quality.

    OUTPUT becomes a folder with index.html, a page for each cell, and tables (CSV; Excel where
    openpyxl is installed). It appears whole or not at all. The exit code is 1 when no cell
    could be measured.

    \b
    Examples:
      cleo-like report recordings -o report
      cleo-like report day1 day2/*.abf -o report --jobs 2 --criteria allen
    """
    from cleo_like.features.table import FeatureTable
    from cleo_like.report.folder import folder_report

    index = folder_report(
        files, output, extractor=extractor, criteria=settings().criteria(criteria),
        parameters=settings().parameters(), electrode=_channels(), n_jobs=jobs,
        overwrite=overwrite,
    )  # fmt: skip
    click.echo(f"open {index}")
    if not (FeatureTable.read(index.parent / "features.csv")["status"] == "ok").any():
        msg = "no cell was measured; the report says why"
        raise click.ClickException(msg)

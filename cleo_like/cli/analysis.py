"""Files of real or simulated cells: what is in them, protocols, features, quality."""

# options arrive as arguments; click reads \b as "keep these lines"
# ruff: noqa: D301, FBT001, PLR0917

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleo_like.cli.shared import save_figure

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def info(files: tuple[Path, ...]) -> None:
    """Tell what is in ABF, ATF and NWB files.

    \b
    Example:
      cleo-like info recordings/*.abf
    """
    from cleo_like.io import describe

    for path in files:
        click.echo(str(describe(path)))


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def match(files: tuple[Path, ...]) -> None:
    """Tell which protocol each sweep of a file is, and why.

    \b
    Example:
      cleo-like match recordings/*.abf
    """
    _complain(_each(files, _print_matches)[1])


def _print_matches(path: Path) -> None:
    from cleo_like.io import read_all
    from cleo_like.matching import match as find

    for recording in read_all(path):
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
        except CleoLikeError as error:
            click.echo(f"{path}: {error}", err=True)
            bad.append(path)
    return done, bad


def _complain(bad: list[Path]) -> None:
    if bad:
        msg = f"could not read {', '.join(map(str, bad))}"
        raise click.ClickException(msg)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--extractor", default="native", show_default=True, help="native, ipfx, efel ...")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option("--figures", default=None, type=click.Path(file_okay=False, path_type=Path))
@click.option("--resume", is_flag=True, help="Skip files that OUTPUT has already.")
def features(
    files: tuple[Path, ...],
    output: Path,
    extractor: str,
    jobs: int,
    figures: Path | None,
    resume: bool,
) -> None:
    """Measure cells: one row of features each, and why a value is missing.

    \b
    Examples:
      cleo-like features recordings/*.abf -o table.csv
      cleo-like features *.nwb -o table.parquet --extractor ipfx --figures figures
    """
    from cleo_like.features.extract import extract
    from cleo_like.features.table import is_parquet

    is_parquet(output)  # a wrong ending is said before any work
    table = extract(files, extractor=extractor, n_jobs=jobs, resume=output if resume else None)
    measured = int((table["status"] == "ok").sum())
    click.echo(f"{measured} of {len(table)} cells measured, table in {table.write(output)}")
    for row, status in enumerate(table["status"]):
        if status != "ok":
            click.echo(f"  {table['source'].iloc[row]}: {table['notes'].iloc[row]}")
    if figures is not None:
        _write_feature_figures(files, figures)


def _write_feature_figures(files: tuple[Path, ...], folder: Path) -> None:
    from cleo_like.core.errors import CleoLikeError, InputError
    from cleo_like.features.registry import cell_features
    from cleo_like.io import read_all
    from cleo_like.report.features_figure import features_figure

    for path in files:
        try:
            recordings = read_all(path)
        except CleoLikeError:  # the table says why
            continue
        for recording in recordings:
            more = f"-{recording.cell.id}" if len(recordings) > 1 else ""
            name = f"{path.stem}{more}"
            try:
                figure = features_figure(cell_features(recording), title=name)
            except InputError as error:  # no long squares: the table says so too
                click.echo(f"no figure of {name}: {error}")
                continue
            save_figure(figure, folder / f"{name}.png")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", default=None, type=click.Path(dir_okay=False, path_type=Path))
def qc(files: tuple[Path, ...], output: Path | None) -> None:
    """Judge feature tables (ranges) or recordings (every criterion), with reasons.

    \b
    Examples:
      cleo-like qc table.csv
      cleo-like qc recordings/*.abf -o verdicts.csv
    """
    import pandas as pd

    judged, bad = _each(
        files, lambda p: _judged_table(p) if _is_table(p) else _judged_recordings(p)
    )
    if output is not None and judged:
        from cleo_like.core.files import atomic_path

        with atomic_path(output) as temporary:
            pd.concat(judged, ignore_index=True).to_csv(temporary, index=False)
        click.echo(f"all verdicts in {output}")
    _complain(bad)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".parquet")


def _judged_table(path: Path) -> Any:
    """Print what is out of range in a feature table; give all verdicts."""
    from cleo_like.features import FeatureTable
    from cleo_like.features.qc import range_table

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


def _judged_recordings(path: Path) -> Any:
    """Print the verdict of each cell and its failing sweeps; give all verdicts."""
    import pandas as pd

    from cleo_like.features.qc import quality
    from cleo_like.io import read_all

    found = [quality(recording) for recording in read_all(path)]
    for cell in found:
        click.echo(f"{path}: {cell!r}")
        for sweep in cell.sweeps:
            for check in sweep.failures:
                click.echo(f"  sweep {sweep.number}: {check.name}: {check.reason}")
    return pd.concat([cell.table() for cell in found], ignore_index=True)

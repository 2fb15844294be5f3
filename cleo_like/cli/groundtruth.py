"""Which extractor is right: `run`, `report`, `add`, `advise` and `calcium-ranking`."""

# options arrive as arguments; click reads \b as "keep these lines"
# ruff: noqa: D301, FBT001, PLR0917

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleo_like.cli.shared import HOW, overwrite_option

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from cleo_like.groundtruth import CalciumStudy, Study
    from cleo_like.report import Page

_folder = click.option(
    "--folder", default="groundtruth", show_default=True, type=click.Path(path_type=Path),
    help="Where recordings, answers and tables are kept.",
)  # fmt: skip
_PAGE, _RANKING = "groundtruth.html", "calcium_ranking.html"


@click.group()
def groundtruth() -> None:
    """Score extractors where the answer is known.

    \b
    Examples:
      cleo-like groundtruth run --quick
      cleo-like groundtruth run --calcium --folder calcium
      cleo-like groundtruth calcium-ranking --data ophys_gt/dev --folder calcium
      cleo-like groundtruth add mine --command "python measure.py {input} {output}"
      cleo-like groundtruth report -o page.html
      cleo-like groundtruth advise cell.abf
    """


@groundtruth.command()
@click.option(
    "--quick", "size", flag_value="quick", default=True, help="About ten CPU minutes."
)
@click.option(
    "--full", "size", flag_value="full", help="All cells, rigs and eight seeds; hours."
)
@click.option("--calcium", is_flag=True, help="Spike inference instead of patch clamp.")
@click.option("--cases", default=None, type=click.Path(path_type=Path), help="A TOML file.")
@click.option(
    "--extractor", "names", multiple=True,
    help="native, compat, ipfx, efel, efel_default, gigaseal, or an installed one; for calcium "
    "l0, ar1, suite2p, wiener, nnls, oasis ...; repeatable.",
)  # fmt: skip
@click.option("--block", "blocks", multiple=True, help="Only this block; repeatable.")
@click.option("-j", "--jobs", default=1, show_default=True, help="Processes.")
@click.option("--dask", default=None, metavar="ADDRESS", help="Scheduler, tcp://...")
@_folder
def run(
    size: str, calcium: bool, cases: Path | None, names: tuple[str, ...],
    blocks: tuple[str, ...], jobs: int, dask: str | None, folder: Path,
) -> None:  # fmt: skip
    """Run the cases that are not done yet, and score all of them.

    \b
    Examples:
      cleo-like groundtruth run --quick
      cleo-like groundtruth run --calcium --quick --folder calcium
      cleo-like groundtruth run --cases mine.toml --extractor native --extractor efel
      cleo-like groundtruth run --full --block noise -j 2
    """
    from cleo_like.atlas.gather import dask_executor
    from cleo_like.groundtruth import added_methods, load_cases, run_study

    named = f"calcium_{size}" if calcium else size
    plan = load_cases(cases if cases is not None else named)
    plan = plan.only(blocks) if blocks else plan
    chosen = [*_chosen(names, plan.modality), *added_methods(folder, plan.modality)]
    if jobs < 1:
        msg = f"--jobs must be 1 or more, got {jobs}"
        raise click.UsageError(msg)
    if dask is not None and jobs > 1:
        raise click.UsageError("--jobs are processes here, --dask a cluster: give one of them")
    with _pool(jobs) if dask is None else dask_executor(dask) as executor:
        study = run_study(plan, chosen, folder=folder, executor=executor)
    _finish(study, folder)


def _pool(jobs: int) -> AbstractContextManager[Executor | None]:
    """Give so many processes; none but this one for one job."""
    if jobs == 1:
        return nullcontext()
    from cleo_like.utilities.processes import process_pool

    return process_pool(jobs)


def _chosen(names: tuple[str, ...], modality: str) -> list[str]:
    """Take the named extractors, or all that are installed here."""
    from cleo_like.core.errors import UnsupportedError
    from cleo_like.groundtruth import CALCIUM, OWN
    from cleo_like.groundtruth.study import method_for

    if names:
        return list(names)
    found = []
    for name in OWN if modality == "patch" else CALCIUM:
        try:
            method_for(name, modality)
        except UnsupportedError as error:
            click.echo(f"{name} is left out: {error}", err=True)
            continue
        found.append(name)
    return found


def _page_of(study: Study | CalciumStudy, folder: Path) -> Page:
    from cleo_like.groundtruth import CalciumStudy
    from cleo_like.groundtruth.calcium.ranking import read_ranking

    if isinstance(study, CalciumStudy):
        from cleo_like.report.calcium_page import calcium_page

        return calcium_page(study, read_ranking(folder))
    from cleo_like.report.groundtruth_page import groundtruth_page

    return groundtruth_page(study)


def _finish(study: Study | CalciumStudy, folder: Path) -> None:
    from cleo_like.groundtruth import CalciumStudy, summary

    _page_of(study, folder).save(folder / _PAGE, overwrite=True)
    if isinstance(study, CalciumStudy):
        click.echo(str(study))
        click.echo(f"tables and {_PAGE} in {folder}")
        return
    found = summary(study.comparison)
    click.echo(str(study))
    if found["cells"]:
        click.echo(
            f"native is best or equal in {100 * found['best_or_equal']:.1f} % of "
            f"{found['cells']} comparisons, much worse in {found['much_worse']}"
        )
    click.echo(f"tables and {_PAGE} in {folder}")


@groundtruth.command()
@_folder
@click.option("-o", "--output", default=None, type=click.Path(path_type=Path), help="The page.")
@overwrite_option
def report(folder: Path, output: Path | None, overwrite: bool) -> None:
    """Write the page of a study again from what its folder holds.

    \b
    Example:
      cleo-like groundtruth report --folder groundtruth -o page.html
    """
    from cleo_like.core.files import check_output
    from cleo_like.groundtruth import plan_of, results_of

    target = output if output is not None else folder / _PAGE
    check_output(target, overwrite=overwrite or output is None, how=HOW)
    plan = plan_of(folder)
    study = results_of(plan, _all_methods(folder, plan.modality), folder)
    _page_of(study, folder).save(target, overwrite=overwrite or output is None)
    click.echo(f"page in {target}")


def _all_methods(folder: Path, modality: str) -> list:
    """Every extractor that has answers in a folder."""
    from cleo_like.groundtruth import added_methods
    from cleo_like.groundtruth.study import method_for

    methods = [method_for(n, modality) for n in _chosen((), modality)]
    methods += added_methods(folder, modality)
    return [m for m in methods if (folder / "outcomes" / m.key).is_dir()]


@groundtruth.command()
@click.argument("name")
@click.option("--command", required=True, help="With {input} and {output}, {start}, {end}.")
@click.option(
    "--format", "file_format", default=None,
    help="abf (default), nwb, csv; of calcium traces csv (default), npz.",
)  # fmt: skip
@click.option(
    "--define", multiple=True, metavar="FEATURE=TEXT",
    help="What it means by a feature, where that is not the native definition; repeatable.",
)  # fmt: skip
@click.option("--timeout", default=120.0, show_default=True, help="Seconds for a recording.")
@_folder
def add(
    name: str, command: str, file_format: str | None, define: tuple[str, ...], timeout: float,
    folder: Path,
) -> None:  # fmt: skip
    """Add any program as an extractor, and run it (only it) on the cases of the folder.

    The program is given a recording as a file and writes a CSV: columns level (cell, sweep,
    spike), sweep, spike, name, value, uncertainty; or one row with a column a feature. In a
    study of calcium it is given traces and writes one row a frame, columns rate_0, rate_1 ...
    (spikes/s) or trace_0 ..., and event_0 ... where it has them.

    \b
    Example:
      cleo-like groundtruth add mine --command "python measure.py {input} {output}"
      cleo-like groundtruth add mine --command "infer {input} {output} {rate} {tau}"
    """
    from cleo_like.core.errors import InputError
    from cleo_like.groundtruth import add_command, plan_of, run_study

    plan = plan_of(folder)
    meanings = {}
    for text in define:
        feature, sign, words = text.partition("=")
        if not sign or not words:
            msg = f"--define needs FEATURE=TEXT, got {text!r}"
            raise InputError(msg)
        meanings[feature] = words
    made = add_command(
        folder, name, command, file_format=file_format, definitions=meanings, timeout=timeout,
        modality=plan.modality,
    )  # fmt: skip
    others = [m for m in _all_methods(folder, plan.modality) if m.name != name]
    _finish(run_study(plan, [*others, made], folder=folder), folder)


@groundtruth.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--study", default=None, type=click.Path(path_type=Path), help="Folder of a study."
)
def advise(file: Path, study: Path | None) -> None:
    """Measure noise, rate, filter and access of a file; say which features to trust there.

    \b
    Example:
      cleo-like groundtruth advise cell.abf
    """
    from cleo_like.groundtruth import advise as give

    click.echo(give(file, study=study).text())


@groundtruth.command("calcium-ranking")
@click.option(
    "--data", default=None, type=click.Path(path_type=Path),
    help="Folder of paired recordings (DS09-... and so on); default in CLEO_LIKE_DATA.",
)  # fmt: skip
@click.option("--extractor", "names", multiple=True, help="Methods; default all; repeatable.")
@click.option(
    "--stages", type=click.Choice(["main", "all"]), default="main", show_default=True,
    help="all: also what each stage of the simulation changes, to say which is to blame.",
)  # fmt: skip
@click.option("--repeats", default=2, show_default=True, help="Simulations of a recording.")
@click.option("--seconds", default=120.0, show_default=True, help="Of each cell.")
@click.option("--cells", default=None, type=int, help="Most cells of a data set.")
@_folder
def calcium_ranking(
    data: Path | None, names: tuple[str, ...], stages: str, repeats: int, seconds: float,
    cells: int | None, folder: Path,
) -> None:  # fmt: skip
    """Ask whether simulations rank spike inference as paired recordings do.

    \b
    Example:
      cleo-like groundtruth calcium-ranking --data ophys_gt/dev --folder calcium
    """
    from cleo_like.groundtruth import added_methods
    from cleo_like.groundtruth import calcium_ranking as rank
    from cleo_like.groundtruth.calcium.ranking import MAIN, STAGES
    from cleo_like.groundtruth.study import method_for
    from cleo_like.report.calcium_page import ranking_page, verdicts

    modality = "calcium"
    methods = [method_for(n, modality) for n in _chosen(names, modality)]
    methods += added_methods(folder, modality)
    found = rank(
        methods, data=data, folder=folder, stages=MAIN if stages == "main" else tuple(STAGES),
        repeats=repeats, longest=seconds, cells=cells,
    )  # fmt: skip
    ranking_page(found).save(folder / _RANKING, overwrite=True)
    click.echo(str(found))
    for line in verdicts(found):
        click.echo(line)
    click.echo(f"tables and {_RANKING} in {folder}")

"""Which extractor is right: `run`, `report`, `add` and `advise`."""

# options arrive as arguments; click reads \b as "keep these lines"
# ruff: noqa: D301, FBT001, PLR0917

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleo_like.cli.shared import HOW, overwrite_option

if TYPE_CHECKING:
    from cleo_like.groundtruth import Study

_folder = click.option(
    "--folder", default="groundtruth", show_default=True, type=click.Path(path_type=Path),
    help="Where recordings, answers and tables are kept.",
)  # fmt: skip
_PAGE = "groundtruth.html"


@click.group()
def groundtruth() -> None:
    """Score extractors where the answer is known.

    \b
    Examples:
      cleo-like groundtruth run --quick
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
@click.option("--cases", default=None, type=click.Path(path_type=Path), help="A TOML file.")
@click.option(
    "--extractor", "names", multiple=True,
    help="native, compat, ipfx, efel, efel_default, gigaseal, or an installed one; repeatable.",
)  # fmt: skip
@click.option("-j", "--jobs", default=1, show_default=True, help="Processes.")
@_folder
def run(size: str, cases: Path | None, names: tuple[str, ...], jobs: int, folder: Path) -> None:
    """Run the cases that are not done yet, and score all of them.

    \b
    Examples:
      cleo-like groundtruth run --quick
      cleo-like groundtruth run --cases mine.toml --extractor native --extractor efel
    """
    from cleo_like.groundtruth import added_methods, run_study

    chosen = [*_chosen(names), *added_methods(folder)]
    source: str | Path = cases if cases is not None else size
    if jobs < 1:
        msg = f"--jobs must be 1 or more, got {jobs}"
        raise click.UsageError(msg)
    if jobs == 1:
        study = run_study(source, chosen, folder=folder)
    else:
        from concurrent.futures import ProcessPoolExecutor

        with ProcessPoolExecutor(jobs) as pool:
            study = run_study(source, chosen, folder=folder, executor=pool)
    _finish(study, folder)


def _chosen(names: tuple[str, ...]) -> list[str]:
    """Take the named extractors, or all that are installed here."""
    from cleo_like.core.errors import UnsupportedError
    from cleo_like.groundtruth import OWN, method_named

    if names:
        return list(names)
    found = []
    for name in OWN:
        try:
            method_named(name)
        except UnsupportedError as error:
            click.echo(f"{name} is left out: {error}", err=True)
            continue
        found.append(name)
    return found


def _finish(study: Study, folder: Path) -> None:
    from cleo_like.groundtruth import summary
    from cleo_like.report.groundtruth_page import groundtruth_page

    groundtruth_page(study).save(folder / _PAGE, overwrite=True)
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
    from cleo_like.groundtruth import plan_of, score_study
    from cleo_like.report.groundtruth_page import groundtruth_page

    target = output if output is not None else folder / _PAGE
    check_output(target, overwrite=overwrite or output is None, how=HOW)
    study = score_study(plan_of(folder), _all_methods(folder), folder)
    groundtruth_page(study).save(target, overwrite=overwrite or output is None)
    click.echo(f"page in {target}")


def _all_methods(folder: Path) -> list:
    """Every extractor that has answers in a folder."""
    from cleo_like.groundtruth import added_methods, method_named

    methods = [method_named(n) for n in _chosen(())] + added_methods(folder)
    return [m for m in methods if (folder / "outcomes" / m.key).is_dir()]


@groundtruth.command()
@click.argument("name")
@click.option("--command", required=True, help="With {input} and {output}, {start}, {end}.")
@click.option(
    "--format", "file_format", default="abf", show_default=True, help="abf, nwb, csv."
)
@click.option(
    "--define", multiple=True, metavar="FEATURE=TEXT",
    help="What it means by a feature, where that is not the native definition; repeatable.",
)  # fmt: skip
@click.option("--timeout", default=120.0, show_default=True, help="Seconds for a recording.")
@_folder
def add(
    name: str, command: str, file_format: str, define: tuple[str, ...], timeout: float,
    folder: Path,
) -> None:  # fmt: skip
    """Add any program as an extractor, and run it (only it) on the cases of the folder.

    The program is given a recording as a file and writes a CSV: columns level (cell, sweep,
    spike), sweep, spike, name, value, uncertainty; or one row with a column a feature.

    \b
    Example:
      cleo-like groundtruth add mine --command "python measure.py {input} {output}"
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
        folder, name, command, file_format=file_format, definitions=meanings, timeout=timeout
    )
    others = [m for m in _all_methods(folder) if m.name != name]
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

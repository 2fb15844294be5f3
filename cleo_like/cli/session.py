"""In-silico imaging sessions: simulate one, show one."""

# options arrive as arguments; click reads \b as "keep these lines"
# ruff: noqa: D301, FBT001, PLR0917

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from cleo_like.cli.shared import HOW, overwrite_option, save_figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleo_like.sessions import InSilicoExperiment, SessionPlan


class _SimulateOrShow(click.Group):
    """``session`` simulates by itself; ``session show`` shows."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what is no verb as options of ``run``."""
        if args and args[0] not in self.commands and args[0] not in {"-h", "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_SimulateOrShow)
def session() -> None:
    """Simulate a two-photon imaging session, or show one.

    `cleo-like session run --help` lists the options of a simulation; "run" may be left out.

    \b
    Examples:
      cleo-like session --config short -o session
      cleo-like session --config mine.toml --seed 3 -o session3
      cleo-like session --config mesoscope -o mesoscope
      cleo-like session show session
      cleo-like session show session --experiment 812345601 -o plane.png
    """


@session.command("run")
@click.option(
    "--config",
    default="short",
    show_default=True,
    metavar="FILE|PRESET",
    help="Plan: a TOML file, or short, half_hour, single_plane, mesoscope.",
)
@click.option("--seed", default=None, type=int, help="Seed, instead of the plan's.")
@click.option("--tables/--no-tables", default=True, help="Parquet tables (needs pyarrow).")
@click.option("--figures/--no-figures", default=True, help="A figure of each plane.")
@click.option(
    "--movie",
    default=None,
    metavar="PRESET",
    help="Raw movies of the planes as TIFF: resonant_512, small_field, raw_resonant.",
)
@click.option(
    "--traces-from",
    type=click.Choice(["simulation", "movie"]),
    default="simulation",
    show_default=True,
    help="Traces and events as simulated, or extracted from the movie of their plane.",
)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder.")
@overwrite_option
def run(
    config: str,
    seed: int | None,
    tables: bool,
    figures: bool,
    movie: str | None,
    traces_from: Literal["simulation", "movie"],
    out: Path,
    overwrite: bool,
) -> None:
    """Simulate a session; writes NWB, tables and figures, all files or none.

    \b
    Examples:
      cleo-like session --config short -o session
      cleo-like session --config mine.toml --seed 3 --no-figures -o session3
      cleo-like session --config short --movie resonant_512 -o session   # 0.3 GB
      cleo-like session --config short --movie resonant_512 --traces-from movie -o session

    \b
    A plan (every setting has a default; see the docs, "Sessions"):
      preset = "half_hour"
      seed = 3
      [task]
      duration = "10 min"
      [images]
      files = ["cat.png", "dog.png"]
      [plane]
      n_cells = 60
      indicator = "jgcamp8m"
      cells = {kind = "currents", model = "adex_adapting"}
    """
    from cleo_like.core.files import check_output, together
    from cleo_like.imaging.movie import movie_preset
    from cleo_like.sessions import simulate_session, with_movies, write_session
    from cleo_like.sessions.storage.write import check_session_files

    plan = _plan(config, seed)
    if movie is not None:
        movie_preset(movie)  # refused before anything is simulated
    elif traces_from == "movie":
        raise click.UsageError("--traces-from movie needs one: say --movie resonant_512")
    keys = plan.ophys_experiment_ids
    movies = () if movie is None else keys
    check_session_files(keys, out, overwrite=overwrite, tables=tables, movies=movies, how=HOW)
    extra = [_figure_path(out, key) for key in keys] if figures else []
    for path in extra:
        check_output(path, overwrite=overwrite, how=HOW)
    click.echo(repr(plan))
    with _bar() as tell:
        made = simulate_session(plan, progress=tell)
        if movie is not None:
            made = with_movies(made, movie, traces_from=traces_from)
    for experiment in made.experiments.values():
        for note in experiment.data.notes:
            click.echo(f"note: {note}")
    with together():
        files = write_session(made, out, tables=tables, overwrite=overwrite)
        for key, experiment in made.experiments.items() if figures else ():
            save_figure(_figure(experiment), _figure_path(out, key), overwrite=overwrite)
    click.echo(f"{made!r}\n{len(files)} files in {out}; open them with")
    click.echo(f"  InSilicoCache.from_local({str(out)!r})")


@session.command("show")
@click.argument("source", metavar="FILE|FOLDER", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--experiment", default=None, type=int, help="Which one, where there are several."
)
@click.option("-o", "--output", default=None, type=click.Path(path_type=Path), help="A figure.")
@overwrite_option
def show(source: Path, experiment: int | None, output: Path | None, overwrite: bool) -> None:
    """Say what a session holds, and draw an experiment of it.

    \b
    Examples:
      cleo-like session show session
      cleo-like session show session --experiment 812345601 -o plane.png
    """
    from cleo_like.cli.shared import check_figure

    if output is not None:
        check_figure(output, overwrite=overwrite)
    found = _opened(source, experiment)
    for one in found:
        click.echo(_described(one))
    if output is not None:
        save_figure(_figure(found[0]), output, overwrite=overwrite)


def _plan(config: str, seed: int | None) -> SessionPlan:
    import attrs

    from cleo_like.sessions import SessionPlan, read_plan

    is_file = Path(config).suffix.lower() == ".toml" or Path(config).is_file()
    plan = read_plan(config) if is_file else SessionPlan.preset(config)
    return plan if seed is None else attrs.evolve(plan, seed=seed)


def _figure_path(folder: Path, experiment: int) -> Path:
    return folder / "figures" / f"{experiment}.png"


def _figure(experiment: InSilicoExperiment) -> Any:
    from cleo_like.report.plots.session import session_figure

    return session_figure(experiment)


def _opened(source: Path, wanted: int | None) -> list[InSilicoExperiment]:
    from cleo_like.core.errors import unknown_name
    from cleo_like.sessions import InSilicoCache

    # a file of a session lies two folders below it
    root = source if source.is_dir() else source.resolve().parent.parent
    cache = InSilicoCache.from_local(root)
    keys = list(cache.get_ophys_experiment_table().index)
    if source.is_file():
        named = [key for key in keys if str(key) in source.stem]
        if not named:
            raise unknown_name("experiment file", source.name, map(str, keys))
        keys = named
    if wanted is not None:
        keys = [wanted]
    return [cache.get_behavior_ophys_experiment(key) for key in keys]


def _described(experiment: InSilicoExperiment) -> str:
    about = experiment.metadata
    stimuli = experiment.stimulus_presentations
    rates = (
        experiment.events["events"].map(lambda e: (e > 0).mean()) * about["ophys_frame_rate"]
    )
    lines = [
        repr(experiment),
        f"  session {about['ophys_session_id']}, {about['session_type']}, "
        f"{about['targeted_structure']} {about['imaging_depth']} um, {about['indicator']}",
        f"  {len(stimuli)} flashes of {len(experiment.stimulus_templates)} pictures, "
        f"{int(stimuli['is_change'].sum())} changes, {int(stimuli['omitted'].sum())} omitted",
        f"  events per cell and second: median {rates.median():.3g}"
        if len(rates)
        else "  no cells",
    ]
    if experiment.data.truth is not None and experiment.data.truth.spike_times is not None:
        spikes = sum(map(len, experiment.data.truth.spike_times))
        lines.append(f"  truth: {spikes} spikes")
    return "\n".join(lines)


@contextmanager
def _bar() -> Iterator[Callable[[str, float], None]]:
    """Show progress on the terminal; nothing where the output is a file."""
    from tqdm import tqdm

    with tqdm(total=100, unit="%", disable=None, leave=False, bar_format=_FORMAT) as bar:

        def tell(what: str, share: float) -> None:
            bar.set_description_str(what, refresh=False)
            bar.update(max(100 * share - bar.n, 0))

        yield tell


_FORMAT = "{desc:<28} {percentage:3.0f}% |{bar}| {elapsed}, {remaining} left"

"""The atlas: from an archive or a table to a map, places on it, and a page to explore."""

# options arrive as arguments; click reads \b as "keep these lines"
# ruff: noqa: D301, FBT001, PLR0917

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleo_like.cli.shared import HOW, check_figure, overwrite_option, save_figure

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.atlas import Atlas, Placement
    from cleo_like.atlas.frozen.embed import Embedding

_PATH = click.Path(path_type=Path)
_FIGURE = click.option(
    "--figure", default=None, type=_PATH, help="A picture (.png, .pdf, .svg)."
)
_COLOUR = click.option("--colour", default=None, help="Feature or column that colours it.")


@click.group()
def atlas() -> None:
    """Real and simulated cells on one frozen map.

    \b
    Examples:
      cleo-like atlas fetch 000020 --cache cache --limit 20
      cleo-like atlas extract --cache cache -o cells.csv --jobs 2
      cleo-like atlas build cells.csv -o map.npz
      cleo-like atlas place map.npz my_cells.csv -o placed.csv
      cleo-like atlas explore map.npz -o map.html
    """


@atlas.command()
@click.argument("dandisets", nargs=-1)
@click.option("--cache", required=True, type=_PATH, help="Folder for lists and files.")
@click.option("--api", default=None, help="Address of the archive's API.")
@click.option("--registry", default=None, type=_PATH, help="Your own registry (CSV).")
@click.option(
    "--limit", type=click.IntRange(min=1), default=None, help="Files of each dandiset."
)
# of small files streaming fetches more than they have, and a cached one is never fetched again
@click.option(
    "--stream-above",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="MB; not downloaded.",
)
def fetch(
    dandisets: tuple[str, ...],
    cache: Path,
    api: str | None,
    registry: Path | None,
    limit: int | None,
    stream_above: int,
) -> None:
    """Fetch intracellular files of DANDI, all of the registry when no dandiset is named.

    Copies are left out, what is there is not fetched again, a killed download goes on.
    """
    from cleo_like.io.dandi import (
        Archive,
        distinct,
        fetch_all,
        read_registry,
        write_manifest,
    )
    from cleo_like.io.dandi.archive import API, wanted

    archive = Archive(cache, api=api or API, registry=read_registry(registry))
    names = list(dandisets) or [d.id for d in wanted(archive.dandisets())]
    found, listed = [], {}
    for name in names:
        entry = archive.registry.get(name)
        if entry is not None and entry.decision != "include":
            why = "; ".join(w for w in (entry.reason, entry.note) if w)
            click.echo(f"{name}: {entry.decision} ({why})")
        listed[name] = archive.assets(name)
        found += listed[name][:limit]
    kept, dropped = distinct(found)
    large = [a for a in kept if a.size > stream_above * 1e6]
    small = [a for a in kept if a.size <= stream_above * 1e6]
    failed, moved = [], 0.0
    for one in fetch_all(archive, small):
        moved += one.bytes
        if one.path is None:
            failed.append(one)
            click.echo(f"{one.asset.dandiset}/{one.asset.path}: {one.reason}", err=True)
    write_manifest(archive, kept, listed)
    there, moved = len(small) - len(failed), moved / 1e6
    click.echo(
        f"{there} of {len(small)} files are there ({moved:.1f} MB came now), "
        f"{len(large)} are streamed when read, {len(dropped)} copies left out"
    )
    if failed and len(failed) == len(small):
        msg = "no file could be fetched"
        raise click.ClickException(msg)


@atlas.command()
@click.argument("files", nargs=-1, type=_PATH)
@click.option("--cache", default=None, type=_PATH, help="Folder that `atlas fetch` filled.")
@click.option("-o", "--output", required=True, type=_PATH)
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option("--dask", default=None, metavar="ADDRESS", help="Scheduler, tcp://...")
@overwrite_option
def extract(
    files: tuple[Path, ...],
    cache: Path | None,
    output: Path,
    jobs: int,
    dask: str | None,
    overwrite: bool,
) -> None:
    """Measure cells: one row each with donor, dandiset, licence and citation; resumable.

    OUTPUT grows; run it again after an interruption. Beside it, OUTPUT.verdicts.csv says for
    every file and sweep whether it was used, and why not.
    """
    from cleo_like.atlas.gather import gather

    table = gather(files, cache=cache, output=output, jobs=jobs, dask=dask, overwrite=overwrite)
    measured = int((table["status"] == "ok").sum())
    click.echo(f"{measured} of {len(table)} cells measured, table in {output}")
    for source, notes in table.loc[table["status"] != "ok", ["source", "notes"]].values:
        click.echo(f"  {source}: {notes}")
    if not measured:
        msg = "no cell was measured; the table says why"
        raise click.ClickException(msg)


@atlas.command("import")
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option("--mapping", required=True, help="A name (ipfx, visp_viewer ...) or a TOML file.")
@click.option("--lab", default=None, help="Name of the lab.")
@click.option("-o", "--output", required=True, type=_PATH)
@overwrite_option
def import_(
    files: tuple[Path, ...], mapping: str, lab: str | None, output: Path, overwrite: bool
) -> None:
    """Bring a published table (with its metadata table) to names and units of the atlas."""
    from cleo_like.atlas import import_table

    table = _warned(lambda: import_table(list(files), mapping, lab=lab))
    _write_csv(table, output, overwrite=overwrite)
    absent = table.attrs["absent"]
    click.echo(f"{len(table)} cells in {output}")
    if absent:
        click.echo(f"  not in the table: {', '.join(absent)}")


@atlas.command()
@click.argument("tables", nargs=-1, required=True, type=_PATH)
@click.option("-o", "--output", required=True, type=_PATH, help="The map (.npz).")
@click.option("--features", default=None, help="Columns, with commas between.")
@click.option("--lab", default=None, help="Column with the lab.")
@click.option("--label", default=None, help="Column with the kind of cell (subclass, if any).")
@click.option("--donor", default=None, help="Column with the donor.")
@click.option(
    "--harmonise", type=click.Choice(["none", "robust", "transport"]), default="robust",
    show_default=True,
)  # fmt: skip
@click.option(
    "--embedding", type=click.Choice(["umap", "published", "opentsne", "pca"]), default="umap",
    show_default=True,
)  # fmt: skip
@click.option("--metric", type=click.Choice(["supervised"]), default=None)
@click.option("--seed", default=0, show_default=True)
@overwrite_option
def build(
    tables: tuple[Path, ...],
    output: Path,
    features: str | None,
    lab: str | None,
    label: str | None,
    donor: str | None,
    harmonise: str,
    embedding: Embedding,
    metric: str | None,
    seed: int,
    overwrite: bool,
) -> None:
    """Make a map of tables of cells, and freeze it in one file."""
    from cleo_like.atlas import build as make
    from cleo_like.core.files import check_output

    check_output(output, overwrite=overwrite, how=HOW)
    table = _tables(tables)
    if label is None and "subclass" in table.columns and table["subclass"].nunique() > 1:
        label = "subclass"
    made = _warned(lambda: make(
        table,
        features=None if features is None else [f.strip() for f in features.split(",")],
        lab=lab, label=label, donor=donor, harmonise=harmonise, embedding=embedding,
        metric=metric, seed=seed, name=output.stem,
    ))  # fmt: skip
    made.save(output, overwrite=overwrite)
    click.echo(f"{made!r}\n  in {output}")
    click.echo(f"  features: {', '.join(made.features)}")
    if made.classes:
        count = made.cells["label"].value_counts()
        told = ", ".join(f"{kind} {count[kind]}" for kind in made.classes)
        click.echo(f"  kinds ({label}): {told}")
    dropped = len(made.about["dropped"])
    click.echo(f"  {int(made.imputed.sum())} values filled, {dropped} cells left out")
    for name, scale in made.labs.items():
        click.echo(f"  scale of {name or 'all'}: {scale.basis}")


@atlas.command()
@click.argument("map_", metavar="MAP", type=_PATH)
@click.argument("tables", nargs=-1, required=True, type=_PATH)
@click.option("-o", "--output", default=None, type=_PATH, help="Places as .csv.")
@click.option("--lab", default=None, help="Column with the lab.")
@click.option("--label", default=None, help="Column with kinds, to know which cells are known.")
@click.option("--adapt/--no-adapt", default=True, help="Give a new lab its own scale.")
@click.option(
    "--per-feature", default=None, type=_PATH, help="How far in each feature, as .csv."
)
@_FIGURE
@_COLOUR
@overwrite_option
def place(
    map_: Path,
    tables: tuple[Path, ...],
    output: Path | None,
    lab: str | None,
    label: str | None,
    adapt: bool,
    per_feature: Path | None,
    figure: Path | None,
    colour: str | None,
    overwrite: bool,
) -> None:
    """Place cells on a map: kind, neighbours, landmarks, and whether they belong at all."""
    from cleo_like.atlas import Atlas, against_real, landmark_shares
    from cleo_like.atlas import place as find
    from cleo_like.atlas.columns import column_named
    from cleo_like.atlas.newcomers import adapted, placed_score

    if figure is not None:
        check_figure(figure, overwrite=overwrite)
    known, table = Atlas.load(map_), _tables(tables)
    if label is not None:
        column_named(table, label, ())
    if adapt:
        known = _warned(lambda: adapted(known, table, lab=lab, label=label))
    placed = _warned(lambda: find(known, table, lab=lab))
    click.echo(repr(placed))
    for name in dict.fromkeys(placed.table["lab"]):
        scale = known.scale_for(name)
        click.echo(f"  scale of {name}: {scale.basis if scale else 'common'}")
    found = placed_score(known, table, placed, label)
    if found is not None:
        click.echo(f"  kinds as the table tells them: balanced accuracy {found}")
    for mark in landmark_shares(placed, table).itertuples(index=False):
        name, cells, share, _, chance, inside = mark
        if cells:
            click.echo(
                f"  landmark {name!s}: {cells} cells carry it, and {share:.0%} of their "
                f"neighbours ({chance:.0%} of all, {inside:.0%} of its members' neighbours)"
            )
    near = [", ".join(placed.neighbours(k)["cell_id"].head(5)) for k in range(len(placed))]
    told = placed.table.assign(nearest=near)
    if output is not None:
        _write_csv(told, output, overwrite=overwrite)
        click.echo(f"places in {output}")
    else:
        columns = ["cell_id", "label", "share", "percentile", "outside", "nearest"]
        click.echo(told[columns].to_string(index=False, max_colwidth=40))
    if per_feature is not None:
        _write_csv(against_real(known, table), per_feature, overwrite=overwrite)
    _draw(known, figure, colour, placed=placed, overwrite=overwrite)


@atlas.command()
@click.argument("map_", metavar="MAP", type=_PATH)
@click.option("-o", "--output", required=True, type=_PATH, help="The page (.html).")
@_FIGURE
@_COLOUR
@overwrite_option
def explore(
    map_: Path, output: Path, figure: Path | None, colour: str | None, overwrite: bool
) -> None:
    """Write a map as one HTML page that needs neither server nor network."""
    from cleo_like.atlas import Atlas
    from cleo_like.report.explorer import explore as write

    if figure is not None:
        check_figure(figure, overwrite=overwrite)
    made = Atlas.load(map_)
    written = write(made, output, overwrite=overwrite)
    _draw(made, figure, colour, overwrite=overwrite)
    click.echo(f"page in {written} ({written.stat().st_size / 1e6:.1f} MB)")


@atlas.command()
@click.argument("map_", metavar="MAP", type=_PATH)
def report(map_: Path) -> None:
    """Tell how good a map is: labs and donors still visible, labels, landmarks, citations."""
    from cleo_like.atlas import Atlas, batch_panel

    made = Atlas.load(map_)
    click.echo(f"{made!r}\n{batch_panel(made)}")
    for doubt in made.about.get("doubts", ()):
        click.echo(f"doubtful unit: {doubt}")
    for mark in made.landmarks:
        click.echo(f"landmark {mark.name}: {len(mark.members)} cells ({mark.meaning})")
    for name, text in made.citations().items():
        click.echo(f"cite {name}: {text}")


def _draw(
    made: Atlas,
    figure: Path | None,
    colour: str | None,
    *,
    placed: Placement | None = None,
    overwrite: bool,
) -> None:
    """Write the map as a picture, where one is asked for."""
    if figure is not None:
        from cleo_like.report.plots.atlas import atlas_figure

        drawn = atlas_figure(made, colour=colour, placed=placed)
        save_figure(drawn, figure, overwrite=overwrite)


def _tables(paths: tuple[Path, ...]) -> pd.DataFrame:
    from cleo_like.atlas.tables.cells import read_cells

    return read_cells(paths)


def _write_csv(table: pd.DataFrame, output: Path, *, overwrite: bool) -> None:
    from cleo_like.core.files import atomic_path, check_output

    check_output(output, overwrite=overwrite, how=HOW)
    with atomic_path(output, overwrite=overwrite) as temporary:
        table.to_csv(temporary, index=False)


def _warned(work: Any) -> Any:
    """Do something, and print warnings as lines."""
    import warnings

    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", UserWarning)
        out = work()
    for one in found:
        if issubclass(one.category, UserWarning):
            click.echo(f"warning: {one.message}", err=True)
    return out

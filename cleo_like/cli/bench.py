"""Simulated cells: the library, recording, reading a picture back, the demonstration."""

# options arrive as arguments; click reads \b as "keep these lines"

# ruff: noqa: D301, FBT001, PLR0917

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleo_like.cli.rig import rig_of, rig_options
from cleo_like.cli.shared import (
    HOW,
    check_figure,
    overwrite_option,
    read_or_make_protocol,
    save_figure,
)

if TYPE_CHECKING:
    from cleo_like.patch.backends.choose import Backend


@click.command()
def cells() -> None:
    """List the library cells with their landmarks and sources."""
    from cleo_like.cells import cell_names, get_cell

    for name in cell_names():
        cell = get_cell(name)
        click.echo(f"{name:26s} {cell.landmark}\n{'':26s} {cell.source}")


@click.command()
@click.option("--cell", "names", multiple=True, required=True, help="Library cell; repeatable.")
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    required=True,
    metavar="FILE|SPEC",
    help="File or one line; repeatable: played one after the other to each cell.",
)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path))
@click.option("--format", "formats", multiple=True, type=click.Choice(["abf", "nwb", "atf"]))
@rig_options
@click.option("--seed", type=int, default=None, help="Seed (default: drawn, kept).")
@click.option(
    "--backend",
    type=click.Choice(["auto", "compiled", "brian2", "cpp_standalone"]),
    default="auto",
)
@click.option("--sequential", is_flag=True, help="Sweeps one after another, with the gap.")
@click.option("--keep-voltage", is_flag=True, help="Keep the noise-free potential (NWB).")
@click.option("--ipfx", is_flag=True, help="Add what ipfx asks of an NWB file (sweep table).")
@overwrite_option
def simulate(  # as many as there are options
    names: tuple[str, ...],
    protocols: tuple[str, ...],
    out: Path,
    formats: tuple[str, ...],
    rig: str,
    seed: int | None,
    backend: Backend,
    sequential: bool,
    keep_voltage: bool,
    ipfx: bool,
    overwrite: bool,
    **settings: str | None,
) -> None:
    """Record library cells with protocols; writes ABF and NWB, all files or none.

    Several protocols are one NWB file for each cell, and an ABF file for each protocol.

    \b
    Examples:
      cleo-like simulate --cell rs --cell narrow_fs --protocol steps.atf -o recordings
      cleo-like simulate --cell sag --protocol "sag_ladder rate=20kHz" -o recordings
      cleo-like simulate --cell rs --protocol steps.atf --protocol "ramp duration=4s" -o both
      cleo-like simulate --cell rs --protocol photo.abf --noise 0.1mV -o recordings
      cleo-like simulate --cell rs --protocol steps.atf --rig multiclamp_700b --rs 15Mohm -o r
    """
    from cleo_like.io import write_simulated
    from cleo_like.io.save import check_fits
    from cleo_like.patch import experiment, record
    from cleo_like.patch.recording_run import has_test_pulse

    folders = dict.fromkeys(formats if formats else ("abf", "nwb"), out)
    if len(protocols) == 1:  # files are named by the cell alone: said before any work
        _check_files(names, folders, [], overwrite=overwrite)
    played = [read_or_make_protocol(text) for text in protocols]
    _check_files(names, folders, [one.name for one in played], overwrite=overwrite)
    rigs = [rig_of(rig, one.mode, settings) for one in played]
    for one in played:
        check_fits(one, folders)
    options: dict[str, Any] = {
        "seed": seed, "backend": backend, "sequential": sequential,
        "keep_voltage": keep_voltage,
        "membrane_test": rig != "ideal" and any(map(has_test_pulse, played)),
    }  # fmt: skip
    if len(played) == 1:
        recordings = record(list(names), played[0], electrode=rigs[0], **options)
    else:
        recordings = experiment(list(names), played, rigs, **options)
    written = write_simulated(recordings, folders, overwrite=overwrite, ipfx_compatible=ipfx)
    for recording, paths in zip(recordings, written, strict=True):
        click.echo(repr(recording))
        for path in paths:
            click.echo(f"  {path}")


def _check_files(
    names: tuple[str, ...], folders: dict[str, Path], protocols: list[str], *, overwrite: bool
) -> None:
    """Refuse files that cannot be written, before the simulation."""
    from cleo_like.core.recording.join import numbered
    from cleo_like.io import simulated_paths
    from cleo_like.io.save import check_writable
    from cleo_like.patch.batch import specimens

    for cell in specimens(list(names)):
        for kind, folder in folders.items():
            for path in simulated_paths(folder, kind, cell.id, numbered(protocols)):
                check_writable(path, overwrite=overwrite, how=HOW)


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--protocol", default=None, metavar="FILE", help="Picture stimulus.")
@click.option("--electrode", default=None, help="Which one, where a file has several.")
@click.option("--repeat", "repeats", multiple=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", default=None, type=click.Path(path_type=Path))
@overwrite_option
def relief(
    recording: Path,
    protocol: str | None,
    electrode: str | None,
    repeats: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
) -> None:
    """Read the recording of a picture protocol back as a picture.

    \b
    Examples:
      cleo-like relief recordings/rs.abf
      cleo-like relief recordings/rs.abf --repeat recordings/rs-2.abf -o relief.png
    """
    from cleo_like.io import read
    from cleo_like.report import relief_figure
    from cleo_like.stimuli import relief as read_back

    if output is not None:
        check_figure(output, overwrite=overwrite)
    drawn = read(recording, electrode=electrode)
    used = read_or_make_protocol(protocol) if protocol is not None else None
    found = read_back(
        drawn, used, repeats=[read(path, electrode=electrode) for path in repeats]
    )
    click.echo(f"{found!r}\n{found.direct!r}\n{found.best!r}")
    for note in found.notes:
        click.echo(f"note: {note}")
    if output is not None:
        figure = relief_figure(found, drawn, protocol=used)
        save_figure(figure, output, overwrite=overwrite)


@click.command()
@click.option("-o", "--out", default="demo", show_default=True, type=click.Path(path_type=Path))
@click.option("--picture", default=None, help="Your own picture (default: a photograph).")
@click.option("--seed", default=1, show_default=True, help="Seed of all noise.")
@overwrite_option
def demo(out: Path, picture: str | None, seed: int, overwrite: bool) -> None:
    """Draw a photograph with neurons, image a population; ABF, NWB and a page in OUT.

    \b
    Example:
      cleo-like demo --picture cat.png -o cat
    """
    from cleo_like.report.demo import run_demo

    page = run_demo(out, picture=picture, seed=seed, overwrite=overwrite, say=click.echo)
    click.echo(f"\nLook at {page}")

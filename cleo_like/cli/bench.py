"""Simulated cells: the library, recording, reading a picture back, the demonstration."""

# options arrive as arguments; click reads \b as "keep these lines"
# ruff: noqa: D301, FBT001, PLR0917

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleo_like.cli.shared import read_or_make_protocol, save_figure

if TYPE_CHECKING:
    from cleo_like.core import Recording


@click.command()
def cells() -> None:
    """List the library cells with their landmarks and sources."""
    from cleo_like.cells import cell_names, get_cell

    for name in cell_names():
        cell = get_cell(name)
        click.echo(f"{name:26s} {cell.landmark}\n{'':26s} {cell.source}")


@click.command()
@click.option("--cell", "names", multiple=True, required=True, help="Library cell; repeatable.")
@click.option("--protocol", required=True, metavar="FILE|SPEC", help="File or one line.")
@click.option("-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--format", "formats", multiple=True, type=click.Choice(["abf", "nwb", "atf"]))
@click.option("--noise", default="0 mV", show_default=True, help="Recording noise, rms.")
@click.option("--lowpass", default=None, help="Bessel filter, for example '2 kHz'.")
@click.option("--seed", type=int, default=None, help="Seed (default: drawn, kept).")
@click.option(
    "--backend",
    type=click.Choice(["auto", "compiled", "brian2", "cpp_standalone"]),
    default="auto",
)
@click.option("--sequential", is_flag=True, help="Sweeps one after another, with the gap.")
@click.option("--keep-voltage", is_flag=True, help="Keep the noise-free potential (NWB).")
def simulate(
    names: tuple[str, ...],
    protocol: str,
    out: Path,
    formats: tuple[str, ...],
    noise: str,
    lowpass: str | None,
    seed: int | None,
    backend: str,
    sequential: bool,
    keep_voltage: bool,
) -> None:
    """Record library cells with a protocol; writes ABF and NWB.

    \b
    Examples:
      cleo-like simulate --cell rs --cell narrow_fs --protocol steps.atf -o recordings
      cleo-like simulate --cell sag --protocol "sag_ladder rate=20kHz" -o recordings
      cleo-like simulate --cell rs --protocol photo.abf --noise 0.1mV -o recordings
    """
    from cleo_like.patch import IdealElectrode, record

    recordings = record(
        list(names),
        read_or_make_protocol(protocol),
        electrode=IdealElectrode(noise=noise, lowpass=lowpass),
        seed=seed,
        backend=backend,
        sequential=sequential,
        keep_voltage=keep_voltage,
    )
    for recording in recordings:
        click.echo(repr(recording))
        for path in _write_recording(recording, out, formats if formats else ("abf", "nwb")):
            click.echo(f"  {path}")


def _write_recording(recording: Recording, out: Path, formats: tuple[str, ...]) -> list[Path]:
    """Write one recording in each format; NWB files get the names that DANDI wants."""
    from cleo_like.io import dandi_path, write

    names = {
        kind: dandi_path(recording) if kind == "nwb" else f"{recording.cell.id}.{kind}"
        for kind in formats
    }
    return [write(recording, out / name) for name in names.values()]


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--protocol", default=None, metavar="FILE", help="Picture stimulus.")
@click.option("--repeat", "repeats", multiple=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", default=None, type=click.Path(dir_okay=False, path_type=Path))
def relief(
    recording: Path, protocol: str | None, repeats: tuple[Path, ...], output: Path | None
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

    drawn = read(recording)
    used = read_or_make_protocol(protocol) if protocol is not None else None
    found = read_back(drawn, used, repeats=[read(path) for path in repeats])
    click.echo(f"{found!r}\n{found.direct!r}\n{found.best!r}")
    for note in found.notes:
        click.echo(f"note: {note}")
    if output is not None:
        save_figure(relief_figure(found, drawn, protocol=used), output)


@click.command()
@click.option("-o", "--out", default="demo", show_default=True, type=click.Path(path_type=Path))
@click.option("--picture", default=None, help="Your own picture (default: a photograph).")
@click.option("--seed", default=1, show_default=True, help="Seed of all noise.")
def demo(out: Path, picture: str | None, seed: int) -> None:
    """Draw a photograph with neurons, image a population; ABF, NWB and a page in OUT.

    \b
    Example:
      cleo-like demo --picture cat.png -o cat
    """
    from cleo_like.report.demo import run_demo

    page = run_demo(out, picture=picture, seed=seed, say=click.echo)
    click.echo(f"\nLook at {page}")

"""What several verbs do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cleo_like.core import Protocol, Recording

_STIMULUS_SUFFIXES = (".abf", ".atf", ".nwb")


def read_or_make_protocol(text: str) -> Protocol:
    """Read a protocol from a file, or make it from one line or a name of the settings."""
    from cleo_like.cli.config import settings
    from cleo_like.io import read_protocol
    from cleo_like.stimuli import parse_protocol

    text = settings().protocols.get(text, text)
    path = Path(text)
    if path.suffix.lower() in _STIMULUS_SUFFIXES or path.is_file():
        return read_protocol(path)
    return parse_protocol(text)


HOW = "give --overwrite"
"""What a user of the command line does to replace a file."""

overwrite_option = click.option(
    "--overwrite",
    is_flag=True,
    help="Replace files of an earlier run, never a rig's.",
)


def _files_meant(
    _: click.Context, __: click.Parameter, given: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Put files in the place of folders and patterns."""
    from cleo_like.io.load import files_in

    return tuple(files_in(given))


files_argument = click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    callback=_files_meant,
)
"""Files, folders and patterns of them, as a verb's first argument."""


def recordings_of(path: Path) -> list[Recording]:
    """Read the cells of a file, or the channel that the settings name."""
    from cleo_like.cli.config import settings
    from cleo_like.io import read_chosen

    return read_chosen(path, settings().channels)


def check_figure(output: Path, *, overwrite: bool) -> None:
    """Refuse a figure that cannot be written, before any work."""
    from matplotlib.backend_bases import FigureCanvasBase

    from cleo_like.core.errors import unknown_name
    from cleo_like.core.files import check_output

    kinds = FigureCanvasBase.get_supported_filetypes()
    if output.suffix.lower().removeprefix(".") not in kinds:
        raise unknown_name("kind of figure", output.suffix, [f".{kind}" for kind in kinds])
    check_output(output, overwrite=overwrite, how=HOW)


def save_figure(figure: Figure, output: Path, *, overwrite: bool) -> None:
    """Write a figure, whole or not at all, and say where."""
    from cleo_like.core.files import atomic_path

    with atomic_path(output, overwrite=overwrite) as temporary:
        figure.savefig(temporary, dpi=150)
    click.echo(f"figure in {output}")


def show_versions_and_exit(ctx: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001
    """Answer ``--versions``, whatever else is on the line."""
    from cleo_like.report.versions import show_versions

    if asked:
        show_versions()
        ctx.exit()

"""One format into another."""

# options arrive as arguments; click reads \b as "keep these lines"
# ruff: noqa: D301, FBT001

from __future__ import annotations

from pathlib import Path

import click

from cleo_like.cli.shared import HOW, overwrite_option

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("source", metavar="IN", type=_PATH)
@click.argument("target", metavar="OUT", type=_PATH)
@click.option("--electrode", default=None, help="Which, where IN has several.")
@overwrite_option
def convert(source: Path, target: Path, electrode: str | None, overwrite: bool) -> None:
    """Convert a recording or a stimulus between ABF, ATF and NWB.

    A file with several cells gives one file for each, numbered from 0. What the target
    cannot hold is said; nothing is left out silently.

    \b
    Examples:
      cleo-like convert cell.abf cell.nwb
      cleo-like convert session.nwb cell.abf --electrode electrode_1
    """
    from cleo_like.core.errors import FileFormatError
    from cleo_like.core.files import together
    from cleo_like.io import read, read_all, read_protocol, write
    from cleo_like.io.save import check_writable

    check_writable(target, overwrite=overwrite, how=HOW)
    try:
        found = (
            [read(source, electrode=electrode)] if electrode is not None else read_all(source)
        )
    except FileFormatError:
        if electrode is not None:
            raise
        made = write(read_protocol(source), target, overwrite=overwrite)  # a stimulus alone
        click.echo(f"{made}: a stimulus")
        return
    names = [target] if len(found) == 1 else [
        target.with_name(f"{target.stem}_{k}{target.suffix}") for k in range(len(found))
    ]  # fmt: skip
    with together():
        written = [
            write(recording, name, overwrite=overwrite)
            for recording, name in zip(found, names, strict=True)
        ]
    for recording, path in zip(found, written, strict=True):
        click.echo(f"{path}: {recording!r}")
        for finding in recording.findings:
            click.echo(f"  {finding}")

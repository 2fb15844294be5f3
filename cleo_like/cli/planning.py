"""Before the experiment: check a protocol, design a stimulus, serve a cell."""

# options arrive as arguments; click reads \b as "keep these lines"
# ruff: noqa: D301, FBT001, PLR0917

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import click

from cleo_like.cli.rig import rig_of, rig_options
from cleo_like.cli.shared import HOW, overwrite_option, read_or_make_protocol


@click.command()
@click.argument("protocol", metavar="FILE|SPEC")
@click.option("--cell", "names", multiple=True, required=True, help="Library cell; repeatable.")
@rig_options
@click.option("--seed", default=0, show_default=True, help="Seed of the noise.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of text.")
@click.option("-o", "--output", default=None, type=click.Path(path_type=Path), help="A page.")
@overwrite_option
def check(
    protocol: str,
    names: tuple[str, ...],
    rig: str,
    seed: int,
    as_json: bool,
    output: Path | None,
    overwrite: bool,
    **settings: str | None,
) -> None:
    """Tell whether a protocol will do what it shall; exit code 1 where a row is red.

    \b
    Examples:
      cleo-like check photo.abf --cell rs --rig multiclamp_700b --rs 15Mohm
      cleo-like check "long_square amplitudes=-50:400:50pA rate=20kHz" --cell rs --json
    """
    from cleo_like.core.files import check_output
    from cleo_like.planning import check as judge
    from cleo_like.report.protocol_page import protocol_page

    if output is not None:
        check_output(output, overwrite=overwrite, how=HOW)
    planned = read_or_make_protocol(protocol)
    report = judge(planned, list(names), rig_of(rig, planned.mode, settings), seed=seed)
    click.echo(report.to_json() if as_json else report.text())
    if output is not None:
        protocol_page(report, planned).save(output, overwrite=overwrite)
        click.echo(f"page in {output}", err=as_json)
    click.get_current_context().exit(report.exit_code)


@click.command()
@click.argument("target", metavar="FILE|SPEC")
@click.option("--cell", "names", multiple=True, required=True, help="Library cell; repeatable.")
@click.option("--peak", default=None, help="Largest current around holding.")
@click.option("--cutoff", default=None, help="Highest frequency of the low-pass.")
@click.option("--tau", default=None, help="Time constant to use instead of the measured one.")
@click.option("--auto-amplitude", is_flag=True, help="Scale the target to stand out of noise.")
@rig_options
@click.option("--seed", default=0, show_default=True, help="Seed of the noise.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@overwrite_option
def design(
    target: str,
    names: tuple[str, ...],
    peak: str | None,
    cutoff: str | None,
    tau: str | None,
    auto_amplitude: bool,
    rig: str,
    seed: int,
    output: Path,
    overwrite: bool,
    **settings: str | None,
) -> None:
    """Make the stimulus that a cell can follow; several cells get one for all.

    \b
    Examples:
      cleo-like design photo.abf --cell rs --peak 14pA -o designed.abf
      cleo-like design photo.abf --cell sag --rig multiclamp_700b -o designed.abf
    """
    from cleo_like.io import write
    from cleo_like.io.save import check_writable
    from cleo_like.planning import Limits, design_text
    from cleo_like.planning import design as make

    check_writable(output, overwrite=overwrite, how=HOW)
    wanted = read_or_make_protocol(target)
    pipette = rig_of(rig, wanted.mode, settings)
    digitiser = pipette.digitiser
    limits: dict[str, Any] = {
        "peak": peak,
        "dac": None if digitiser is None else digitiser.command,
    }
    if cutoff is not None:
        limits["cutoff"] = cutoff
    made = make(
        wanted, list(names), Limits(**limits), electrode=pipette, tau=tau, seed=seed,
        amplitude="auto" if auto_amplitude else None,
    )  # fmt: skip
    click.echo(design_text(made))
    click.echo(f"stimulus in {write(made, output, overwrite=overwrite)}")


@click.command()
@click.option("--cell", required=True, help="Library cell.")
@click.option("--rate", default="20 kHz", show_default=True, help="Sampling rate.")
@click.option(
    "--mode",
    type=click.Choice(["current_clamp", "voltage_clamp"]),
    default="current_clamp",
    show_default=True,
)
@click.option("--holding", default=None, help="Command at which the cell rests.")
@rig_options
@click.option("--seed", default=0, show_default=True, help="Seed of the noise.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=5555, show_default=True, help="0: any.")
def serve(
    cell: str,
    rate: str,
    mode: str,
    holding: str | None,
    rig: str,
    seed: int,
    host: str,
    port: int,
    **settings: str | None,
) -> None:
    """Serve a model cell to another program, block by block, until Ctrl-C (needs pyzmq).

    \b
    Example:
      cleo-like serve --cell rs --rig multiclamp_700b --rs 15Mohm
    """
    from cleo_like.patch.live import LiveCell
    from cleo_like.remote import CellServer

    live = LiveCell(
        cell, rig_of(rig, mode, settings), rate, holding=holding, seed=seed
    )  # fmt: skip
    server = CellServer(live, host=host, port=port)
    click.echo(f"{live.name} at {server.endpoint} (protocol in docs: serving)")
    # a shell starts programs in the background with SIGINT ignored
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    try:
        server.serve()
    finally:
        server.close()
    click.echo("stopped")

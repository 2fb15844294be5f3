"""Stimulus files: one command per family, its options are the arguments of the function."""

# options arrive as arguments; click reads \b as "keep these lines"

# ruff: noqa: D301

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleo_like.cli.shared import HOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.core import Protocol


@click.group()
def stimulus() -> None:
    """Write a stimulus file (.abf or .atf for Clampex, .nwb).

    \b
    Examples:
      cleo-like stimulus image photo.jpg --sweep-duration 1s --sample-rate 10kHz -o photo.abf
      cleo-like stimulus long-square --amplitudes=-100:300:50pA -o steps.atf
      cleo-like stimulus chirp --help
    """


def _add_stimulus_commands() -> None:
    """Make `stimulus NAME` for each family from its signature and docstring."""
    from cleo_like.stimuli.spec import FAMILY_MAKERS

    for name, maker in FAMILY_MAKERS.items():
        verb = "image" if name == "picture" else name.replace("_", "-")
        stimulus.add_command(_family_command(verb, name, maker))


def _family_command(verb: str, name: str, maker: Callable[..., Protocol]) -> click.Command:
    texts = _parameter_texts(maker.__doc__ or "")
    parameters: list[click.Parameter] = []
    for key, parameter in inspect.signature(maker).parameters.items():
        required = parameter.default is parameter.empty
        if key == "picture":
            parameters.append(click.Argument([key]))
        elif key != "dac":
            shown = f"  [default: {_shown_default(parameter.default)}]" if not required else ""
            parameters.append(
                click.Option(
                    [f"--{key.replace('_', '-')}", key],
                    required=required,
                    metavar="VALUE",
                    help=texts.get(key, "") + shown,
                )
            )
    parameters.append(
        click.Option(["--overwrite"], is_flag=True, help="Replace a stimulus file.")
    )
    parameters.append(
        click.Option(
            ["-o", "--output"],
            required=True,
            type=click.Path(path_type=Path),
            help="File to write: .abf, .atf or .nwb.",
        )
    )

    def run(output: Path, overwrite: bool, **given: str | None) -> None:  # noqa: FBT001
        words = [f"{key}={value}" for key, value in given.items() if value is not None]
        _write_stimulus(" ".join([name, *map(shlex.quote, words)]), output, overwrite=overwrite)

    summary = (maker.__doc__ or "").strip().splitlines()[0]
    return click.Command(verb, callback=run, params=parameters, help=summary)


def _write_stimulus(line: str, output: Path, *, overwrite: bool) -> None:
    from cleo_like.io import write
    from cleo_like.io.save import check_writable
    from cleo_like.stimuli import parse_protocol

    check_writable(output, overwrite=overwrite, how=HOW)  # a picture takes a while
    protocol = parse_protocol(line)
    written = write(protocol, output, overwrite=overwrite)
    click.echo(f"{protocol!r}\nwritten to {written}")


def _parameter_texts(docstring: str) -> dict[str, str]:
    """Take the description of each parameter out of a numpydoc docstring."""
    heading = r"\n\s*\n\s*\w+\n\s*-+\n"
    section = re.search(rf"Parameters\n\s*-+\n(.*?)(?:{heading}|\Z)", docstring, re.S)
    texts: dict[str, str] = {}
    names: list[str] = []
    for line in inspect.cleandoc(section[1] if section else "").splitlines():
        head = re.match(r"(\w+(?:, \w+)*)(?: : |$)", line)
        if head:
            names = head[1].split(", ")
        for name in names if not head else []:
            texts[name] = f"{texts.get(name, '')} {line.strip()}".strip()
    return {name: _resolved(name, text) for name, text in texts.items()}


def _resolved(name: str, text: str) -> str:
    """Replace "As in `other`" by what is said there, for those who have no other page open."""
    from cleo_like.stimuli.spec import FAMILY_MAKERS
    from cleo_like.stimuli.waveforms import shapes

    told = re.match(r"As in `(shapes\.)?(\w+)`(.*)", text)
    if told is None:
        return text
    other = getattr(shapes, told[2], None) if told[1] else FAMILY_MAKERS.get(told[2])
    there = _parameter_texts(getattr(other, "__doc__", None) or "").get(name, text)
    return f"{there.rstrip('.')}{told[3]}" if f"`{name}`" in told[3] else there


def _shown_default(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)


_add_stimulus_commands()

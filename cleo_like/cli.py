"""The command line: one thin function per verb."""

from __future__ import annotations

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Virtual patch-clamp laboratory: stimulus, simulate, relief, info, demo."""

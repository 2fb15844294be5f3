"""The command line: one thin function per verb, in modules by what they work on."""

# click reads \b as "keep these lines"

# ruff: noqa: D301

from __future__ import annotations

import errno
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleo_like.cli.analysis import features, info, match, qc, report
from cleo_like.cli.atlas import atlas
from cleo_like.cli.bench import cells, demo, relief, simulate
from cleo_like.cli.config import found_settings, logged, read_settings
from cleo_like.cli.convert import convert
from cleo_like.cli.groundtruth import groundtruth
from cleo_like.cli.planning import check, design, serve
from cleo_like.cli.session import session
from cleo_like.cli.shared import show_versions_and_exit
from cleo_like.cli.stimulus import stimulus
from cleo_like.core.errors import CleoLikeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@contextmanager
def _ended_cleanly() -> Iterator[None]:
    """Let a queue that ends a job leave nothing half-written, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Verbs(click.Group):
    """A group whose commands report the package's errors in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _ended_cleanly(), logged(_prepared(ctx), [ctx.info_name or "", *_words(ctx)]):
                return super().invoke(ctx)
        except CleoLikeError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:  # an installation for analysis only
            from cleo_like.core.errors import missing_package

            package = str(error.name).split(".")[0]
            verb = f"cleo-like {ctx.invoked_subcommand}"
            raise click.ClickException(str(missing_package(package, verb))) from error
        except OSError as error:  # a full disk, a file that vanished
            if error.errno == errno.EPIPE:  # the reader of a pipe has gone: click knows
                raise
            where = f" ({error.filename})" if error.filename is not None else ""
            msg = f"{error.strerror or error}{where}"
            raise click.ClickException(msg) from error


def _prepared(ctx: click.Context) -> Path | None:
    """Read the settings, for every verb; give the log."""
    chosen = ctx.params.get("config")
    ctx.obj = read_settings(chosen) if chosen is not None else found_settings(Path.cwd())
    log = ctx.params.get("log")
    return log if log is not None else ctx.obj.log


def _words(ctx: click.Context) -> list[str]:
    """Give the words behind the options of the group."""
    return [*ctx._protected_args, *ctx.args]  # noqa: SLF001  (click has no other name for them)


@click.group(cls=_Verbs, context_settings=_CONTEXT)
@click.version_option(package_name="cleo_like")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=None,
    help="Settings (default: the nearest cleo-like.toml, here or above).",
)
@click.option(
    "--log", type=click.Path(path_type=Path), default=None, help="File to add what happens to."
)
@click.option(
    "--versions",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_versions_and_exit,
    help="Show the versions of everything used, for an error report.",
)
def main(config: Path | None, log: Path | None) -> None:
    """Virtual patch-clamp and two-photon laboratory.

    \b
    Examples:
      cleo-like stimulus image photo.jpg --sweep-duration 1s --sample-rate 10kHz -o photo.abf
      cleo-like check photo.abf --cell rs --rig multiclamp_700b
      cleo-like design photo.abf --cell rs --peak 14pA -o designed.abf
      cleo-like simulate --cell rs --protocol photo.abf -o recordings
      cleo-like relief recordings/rs.abf -o relief.png
      cleo-like report recordings -o report
      cleo-like groundtruth run --quick
      cleo-like session --config short -o session
      cleo-like demo
    """


for _verb in (
    stimulus,
    design,
    check,
    cells,
    simulate,
    serve,
    relief,
    info,
    match,
    features,
    qc,
    report,
    demo,
    atlas,
    convert,
    session,
    groundtruth,
):
    main.add_command(_verb)

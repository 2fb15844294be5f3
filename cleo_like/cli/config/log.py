"""A log of what ran: when, which words, what was said, how it ended."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from cleo_like.core.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class _Tee:
    """A stream that also goes to the log, progress bars left out."""

    def __init__(self, stream: Any, log: IO[str]) -> None:
        self._stream, self._log = stream, log

    def write(self, text: str) -> int:
        if "\r" not in text:
            self._log.write(text)
        return int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def logged(path: Path | None, words: Sequence[str]) -> Iterator[None]:
    """Add to a file what a command says on the screen, when, and how it ended.

    Parameters
    ----------
    path : Path, optional
        The log; nothing is done without one.
    words : sequence of str
        Of the command line.

    Raises
    ------
    OutputError
        The file cannot be written to.
    """
    if path is None:
        yield
        return
    from cleo_like.core.provenance import versions

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = path.open("a", encoding="utf-8")
    except OSError as error:
        msg = f"cannot write the log {path}: {error.strerror}"
        raise OutputError(msg) from error
    begun, ended = time.monotonic(), "ended"
    before = sys.stdout, sys.stderr
    with log:
        log.write(f"{_now()} cleo_like {versions()['cleo_like']}: {' '.join(words)}\n")
        sys.stdout, sys.stderr = _Tee(before[0], log), _Tee(before[1], log)
        try:
            yield
        except BaseException as error:
            said = getattr(error, "message", None) or str(error)
            ended = f"failed: {said}" if said not in {"", "0"} else ended
            raise
        finally:
            sys.stdout, sys.stderr = before
            log.write(f"{_now()} {ended} after {time.monotonic() - begun:.1f} s\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

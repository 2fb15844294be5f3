"""One run at a time: Brian2 keeps global state that two threads would mix up."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cleo_like.core.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

_running = threading.Lock()


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold Brian2 for one run.

    Raises
    ------
    UnsupportedError
        Another thread of this process is running a network.

    Examples
    --------
    >>> with exclusive():
    ...     pass
    """
    if not _running.acquire(blocking=False):
        msg = (
            "another run of Brian2 is under way in this process; Brian2 is not safe with "
            "threads: run networks one after another, or in processes"
        )
        raise UnsupportedError(msg)
    try:
        yield
    finally:
        _running.release()

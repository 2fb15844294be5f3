"""One run at a time: Brian2 keeps global state that two threads would mix up."""

from __future__ import annotations

import threading

from cleo_like.core.errors import UnsupportedError

_running = threading.Lock()


class exclusive:  # noqa: N801  # a statement's word: with exclusive()
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

    __slots__ = ()

    def __enter__(self) -> None:
        """Begin."""
        if not _running.acquire(blocking=False):
            msg = (
                "another run of Brian2 is under way in this process; Brian2 is not safe with "
                "threads: run networks one after another, or in processes"
            )
            raise UnsupportedError(msg)

    def __exit__(self, *_: object) -> None:
        """Let the next one."""
        _running.release()

"""Processes of a pool that end when the one that started them is killed."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor

_LOOK = 1.0  # s between two looks whether the parent lives


def process_pool(n: int) -> ProcessPoolExecutor:
    """Make a pool whose processes do not outlive this one.

    Those of the standard library wait for work for ever when their parent is killed
    (SIGKILL, out of memory): each holds the pipe open that would tell the others.

    Parameters
    ----------
    n : int
        Processes.

    Examples
    --------
    >>> with process_pool(1) as pool:
    ...     pool.submit(abs, -2).result()
    2
    """
    return ProcessPoolExecutor(n, initializer=_end_with_parent)


def _end_with_parent() -> None:
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if parent.pid != os.getppid():  # a server of forks stands between
        parent.join()
    while parent.pid == os.getppid():
        time.sleep(_LOOK)
    os._exit(1)

"""What else a header tells of a recording: tags, averaged sweeps, switched digital outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.io.abf.headers.fields import BLOCK, decoded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_TAG = 64  # bytes
_MOST = 20  # tags that are listed


def tags(path: Path, *, block: int, count: int, tick: float) -> tuple[str, ...]:
    """Read the comments that were set during the recording, each with its time.

    Parameters
    ----------
    path : Path
        The file.
    block, count : int
        Where they lie, and how many the header promises.
    tick : float
        Seconds per unit of their time.
    """
    have = (path.stat().st_size - block * BLOCK) // _TAG
    if block <= 0 or min(count, have) <= 0:
        return ()
    with path.open("rb") as file:
        file.seek(block * BLOCK)
        raw = file.read(_TAG * min(count, have, _MOST))
    rows = np.frombuffer(raw, dtype=[("at", "<i4"), ("text", "S56"), ("rest", "V4")])
    listed = [f"{row['at'] * tick:.6g} s {decoded(row['text'])!r}" for row in rows]
    more = f", and {count - len(rows)} more" if count > len(rows) else ""
    return (f"tags: {', '.join(listed)}{more}",)


def averages(mode: int, runs: int, count: int) -> tuple[str, ...]:
    """Say that a sweep is the average of several."""
    several = max(runs, count)
    if mode == 0 or several < 2:
        return ()
    return (f"each sweep is an average of up to {several} runs; spikes in it are no spikes",)


def switched(letters: Iterable[str]) -> tuple[str, ...]:
    """Say in which epochs digital outputs (light, valves, other stimulators) were on."""
    listed = ", ".join(letters)
    if not listed:
        return ()
    return (
        f"digital outputs were on in epoch {listed}: what they switched (light, a valve) is "
        "not in the command",
    )

"""Epochs of a verdict: they follow each other and fill the sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.core import Epoch

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

HOLDING = "holding"
_REST = 20e-3
"""Shortest interval at holding (s) that serves as baseline, where there is a longer one."""


def filled(
    epochs: Iterable[Epoch], length: int, holding: float | np.ndarray
) -> tuple[Epoch, ...]:
    """Put "holding" between epochs, before the first and after the last of a sweep.

    Examples
    --------
    >>> filled([Epoch(name="ramp", start=2, stop=5)], 9, 0.0)
    (Epoch holding [0, 2), Epoch ramp [2, 5), Epoch holding [5, 9))
    """
    levels = [holding] if isinstance(holding, float) else holding
    found: list[Epoch] = []
    at = 0
    for epoch in epochs:
        if epoch.start > at:
            found.append(Epoch(name=HOLDING, start=at, stop=epoch.start, levels=levels))
        found.append(epoch)
        at = epoch.stop
    if at < length:
        found.append(Epoch(name=HOLDING, start=at, stop=length, levels=levels))
    return tuple(found)


def baseline_before(epochs: Iterable[Epoch], start: int, rate: float) -> tuple[int, int] | None:
    """Last interval at holding before a sample; longer than 20 ms if there is such.

    Examples
    --------
    >>> rests = [Epoch(name="holding", start=a, stop=b) for a, b in ((0, 500), (600, 605))]
    >>> baseline_before(rests, 605, 1e4)
    (0, 500)
    """
    before = [(e.start, e.stop) for e in epochs if e.name == HOLDING and e.stop <= start]
    if not before:
        return None
    enough = [r for r in before if r[1] - r[0] >= _REST * rate]
    return enough[-1] if enough else max(before, key=lambda r: r[1] - r[0])

"""One step of a group as C++ statements."""

from __future__ import annotations

import attrs


@attrs.define(eq=False)
class Part:
    """One step in C++: statements on locals, and the arrays behind them.

    `held` are look-ups in 2-D TimedArrays whose column does not change: (TimedArray, index,
    arrays of the index).
    """

    kind: str
    every: int
    scalar: str
    vector: str
    arrays: dict[str, str]
    written: set[str]
    constants: dict[str, str]
    timed: dict[str, int]
    noise: list[str]
    held: list[tuple[str, str, list[str]]]
    support: str
    outputs: list[str] = attrs.field(factory=list)
    refractory: bool = False

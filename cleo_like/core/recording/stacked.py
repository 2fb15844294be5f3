"""Sweeps as arrays: stacked, and how their numbers were scaled in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import numpy as np


@attrs.frozen(kw_only=True, eq=False)
class Stacked:
    """Sweeps of equal length and rate as arrays (SI).

    `response` and `command` have the shape (n_sweeps, n_samples); `command` is None when
    a sweep has none.
    """

    response: np.ndarray
    command: np.ndarray | None
    rate: float
    numbers: tuple[int, ...]


@attrs.frozen(kw_only=True)
class Scaling:
    """How stored whole numbers became potentials: (number * scale + offset) * unit.

    Single precision gives other last bits than this when it multiplies and adds itself, and
    the last bits decide which of two equal samples is the steepest.
    """

    scale: float
    offset: float
    unit: float  # V
    whole: bool  # False: the file holds single-precision values, not whole numbers

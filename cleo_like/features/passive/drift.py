"""A drift that all sweeps share, measured where no current flows yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.estimate import widening

if TYPE_CHECKING:
    from cleo_like.features.passive.family import Family

_LEAST = 4  # sweeps: the scatter of fewer slopes says little
_BINS = 10  # parts of the rest, whose means are compared
_SHORTEST = 0.05  # s of rest
_SURE = 4.0  # standard errors
_STRAIGHT = 0.5  # of the drift: what it may change from one half of the rest to the other


def without_drift(family: Family) -> tuple[Family, float] | None:
    """Take a straight drift off the potentials; None where the rest before the step has none.

    Slopes of all sweeps of the recording, before the first change of the current: they must
    agree with each other, and be the same in both halves of it, as those of a cell that
    still settles are not.

    Parameters
    ----------
    family : Family
        Whose potentials drift.

    Returns
    -------
    tuple of Family and float, or None
        Without the drift, and the drift (mV/s).
    """
    rate, first = family.stack.rate, family.commands.first
    width = (int(family.commands.edges[0]) - first) // _BINS
    if width * _BINS < _SHORTEST * rate or family.stack.n_sweeps < _LEAST:
        return None
    rest = family.stack.voltage_mv[:, first : first + width * _BINS]
    means = rest.reshape(len(rest), _BINS, width).mean(axis=2)
    means = means[np.isfinite(means).all(axis=1)]
    if len(means) < _LEAST:
        return None
    seconds = width / rate
    slope, error = _common(means, seconds)
    halves = [_common(half, seconds) for half in np.split(means, 2, axis=1)]
    change = abs(halves[0][0] - halves[1][0])
    bent = change > max(_STRAIGHT * abs(slope), _SURE * np.hypot(halves[0][1], halves[1][1]))
    if not abs(slope) > _SURE * error or bent:
        return None
    bins = family.bins
    middle = (bins.starts + bins.stops) / 2 / rate
    return attrs.evolve(family, bins=attrs.evolve(bins, mean=bins.mean - slope * middle)), slope


def _common(means: np.ndarray, seconds: float) -> tuple[float, float]:
    """Median slope (mV/s) of the sweeps and its error; a spike in one of them moves neither."""
    t = np.arange(means.shape[1]) * seconds
    t -= t.mean()
    slopes = means @ t / (t @ t)
    middle = float(np.median(slopes))
    spread = 1.4826 * float(np.median(np.abs(slopes - middle)))
    # the median of normal values is pi / 2 times as uncertain (in variance) as their mean
    error = np.sqrt(np.pi / 2) * spread / np.sqrt(slopes.size) * widening(slopes.size - 1)
    return middle, float(error)

"""Where the median of a table of neurons lies: beyond, the column is in another unit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cleo_like.atlas.columns import definition

if TYPE_CHECKING:
    from cleo_like.features.catalogue import Feature

_FEW = 5
_OTHER_UNITS = {"MOhm": "GOhm", "s": "ms", "mV": "V", "pA": "nA", "V/s": "mV/s"}
_VOLTS = 0.2
"""mV. Thresholds, peaks, troughs, after-potentials are larger; in volts all lie below."""

# The plausible range of a single cell (catalogue) spans two units or a logarithm in these; the
# median of a table cannot. From 1,512 cells of M1 and 119 of 17 dandisets (medians 200 MOhm, 12
# and 17 ms, 61 pA, 0.08, 290 V/s, 75 and 110 ms, ratio 2.3) and the extremes of the literature:
# octopus cells 5 MOhm and 0.3 ms, granule cells 5 pA, stellate cells sag 0.3 to 0.5.
_MEDIANS = tuple(
    (re.compile(pattern), low, high)
    for pattern, low, high in (
        (r"tau", 5e-4, 0.2),
        (r"(steady_state_)?input_resistance", 4.0, 2500.0),
        (r"rheobase_i", 3.0, 4000.0),
        (r"(hero_)?latency(_0_long_square)?", 5e-4, 5.0),
        (r"sag|sag_nearest_minus_100", -0.02, 0.6),
        (r"ap_((1|mean)_)?upstroke(_0_long_square)?", 8.0, 1500.0),
        (r"ap_(1|mean)_downstroke_0_long_square", -1200.0, -4.0),
        (r"ap_(updown_ratio|(1|mean)_upstroke_downstroke_ratio_0_long_square)", 0.5, 20.0),
        (r"ap_((1|mean)_)?threshold_v(_0_long_square)?", -75.0, -3.0),
        (r"ap_(1|mean)_fast_trough_v_0_long_square", -95.0, -5.0),
        (r"ap_(1|mean)_peak_v_0_long_square", -20.0, 90.0),
    )
)
_POTENTIALS = re.compile(r".*(threshold_v|peak_v|trough_v|amplitude|ahp_depth|^rebound$).*")


def odd_median(name: str, values: np.ndarray) -> str:
    """Say what is odd about the middle of a table's values; "" where nothing is.

    Examples
    --------
    >>> odd_median("input_resistance", np.log10([150.0, 200.0, 120.0, 90.0, 310.0]))[:46]
    'the median is 2.2 MOhm, of neurons it is 4 to '
    """
    known = definition(name)
    if known is None or values.size < _FEW:
        return ""
    middle = float(np.median(values))
    unit = "" if known.unit == "1" else f" {known.unit}"
    for pattern, low, high in _MEDIANS:
        if pattern.fullmatch(name) and not low <= middle <= high:
            return f"the median is {middle:.2g}{unit}, of neurons it is {low:g} to {high:g}"
    small = known.unit == "mV" and _POTENTIALS.fullmatch(name) is not None
    if small and 0 < np.quantile(np.abs(values), 0.9) < _VOLTS:
        return f"nearly all values are below {_VOLTS:g} mV in size"
    return ""


def outside(known: Feature) -> str:
    """Word the plausible range of a feature."""
    unit = "" if known.unit == "1" else f" {known.unit}"
    return f"outside {known.low:g} to {known.high:g}{unit}"


def hint(name: str, values: np.ndarray | None = None) -> str:
    """Guess which unit or definition was taken for another."""
    if "sag" in name and "measured" not in name:
        if values is not None and values.size and np.median(values) < 0:
            return ": another sign?"
        if values is not None and values.size and np.median(values) < 1:
            return ": steady state over peak for a fraction (1 minus it)?"
        return ": a ratio of peak to steady state (1 and more) for a fraction?"
    return f": another unit{unit_hint(name)}"


def unit_hint(name: str) -> str:
    """Give the unit that is most often taken for a feature's."""
    known = definition(name)
    if known is None or known.unit not in _OTHER_UNITS:
        return "?"
    logarithm = ", or a logarithm" if known.unit in ("MOhm", "V/s", "s") else ""
    return f" ({_OTHER_UNITS[known.unit]} for {known.unit}?){logarithm}"

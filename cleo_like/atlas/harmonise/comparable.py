"""Which features two labs may be compared on: shape, definition, unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.atlas.columns import as_frame, definition, transform_of, transformed, values_of
from cleo_like.atlas.harmonise.medians import hint, odd_median, outside, unit_hint
from cleo_like.atlas.harmonise.scale import moments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from cleo_like.features import FeatureTable

_UNIT_FACTOR = 30.0
"""No kind of cell differs from another by so much in the median: the unit does."""
_SHAPE_LIMIT = 0.15
"""Largest gap of two standardised cumulative distributions that is no other shape: an
exponential lies .16 from a normal, two narrow kinds .3, a t with 5 degrees .04."""
_CHANCE = 1.36  # times sqrt(1/n + 1/m): the gap that samples of one shape seldom exceed (5 %)
_FEW = 5
_OUTSIDE = 0.5  # share of values beyond the plausible range from which on a unit is suspect


@attrs.frozen(kw_only=True)
class Comparison:
    """What was found for each feature of two tables.

    Parameters
    ----------
    table : DataFrame
        One row per feature: medians, shape (largest gap of the standardised distributions),
        shift (difference of means in spreads), verdict ("yes", "no", "careful") and reason.
    """

    table: pd.DataFrame

    @property
    def features(self) -> tuple[str, ...]:
        """Features that may be compared (verdict yes or careful)."""
        return tuple(self.table.loc[self.table["verdict"] != "no", "feature"])

    def __str__(self) -> str:
        """Print the table."""
        return self.table.to_string(index=False, float_format=lambda v: f"{v:.3g}")


def compare(
    first: FeatureTable | pd.DataFrame,
    second: FeatureTable | pd.DataFrame,
    features: Sequence[str] | None = None,
    *,
    definitions: tuple[Mapping[str, str], Mapping[str, str]] | None = None,
) -> Comparison:
    """Tell which features two labs may be compared on, and why not the others.

    Parameters
    ----------
    first, second : FeatureTable or DataFrame
        Same units are expected (those of the catalogue); a wrong one is found.
    features : sequence of str, optional
        All columns with a definition that both have, when not given.
    definitions : pair of mappings, optional
        Feature to how each table defines it; those of imported tables are found in
        ``frame.attrs["definitions"]``.

    Returns
    -------
    Comparison
        Verdict and reason for each feature.

    Examples
    --------
    >>> import pandas as pd
    >>> a = pd.DataFrame({"input_resistance": np.linspace(50, 400, 40)})
    >>> b = pd.DataFrame({"input_resistance": np.linspace(0.05, 0.4, 40)})
    >>> compare(a, b).table.loc[0, "reason"]  # doctest: +ELLIPSIS
    'second: 100 % outside 1 to 3000 MOhm, medians differ 1000-fold: another unit (GOhm...'
    """
    import pandas as pd

    one, two = as_frame(first), as_frame(second)
    told = definitions or (
        one.attrs.get("definitions", {}), two.attrs.get("definitions", {})
    )  # fmt: skip
    if features is None:
        features = [c for c in one.columns if c in two.columns and _usable(one, two, c)]
    rows = [
        _row(name, values_of(one, [name])[:, 0], values_of(two, [name])[:, 0], told)
        for name in features
    ]
    columns = ["feature", "median_1", "median_2", "shape", "shift", "verdict", "reason"]
    return Comparison(table=pd.DataFrame(rows, columns=columns))


def _usable(one: pd.DataFrame, two: pd.DataFrame, name: str) -> bool:
    known = definition(str(name))
    both = all(f[name].dtype.kind in "fiu" for f in (one, two))
    return known is not None and known.unit not in ("text", "sample") and both


def _row(
    name: str,
    a: np.ndarray,
    b: np.ndarray,
    told: tuple[Mapping[str, str], Mapping[str, str]],
) -> tuple[object, ...]:
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if min(a.size, b.size) < _FEW:
        nan = float("nan")
        return (name, nan, nan, nan, nan, "no", f"only {a.size} and {b.size} values")
    medians = float(np.median(a)), float(np.median(b))
    suspects = unit_suspicions(name, a, b)
    shape, shift = _shape(name, a, b)
    words = told[0].get(name), told[1].get(name)
    reasons = list(suspects)
    chance = _CHANCE * np.sqrt(1 / a.size + 1 / b.size)
    if not suspects and shape > max(_SHAPE_LIMIT, chance):
        reasons.append(f"the two distributions differ in shape ({shape:.2f})")
    if words[0] and words[1] and words[0] != words[1]:
        reasons.append(f"defined as {words[0]!r} and {words[1]!r}")
    verdict = "no" if suspects else ("careful" if reasons else "yes")
    return (name, *medians, shape, shift, verdict, ", ".join(reasons))


def unit_suspicions(name: str, a: np.ndarray, b: np.ndarray | None = None) -> list[str]:
    """Say what makes a unit or a definition doubtful, from values alone.

    Examples
    --------
    >>> unit_suspicions("sag", np.array([1.05, 1.2, 1.4]))
    ['100 % outside -1 to 1: a ratio of peak to steady state (1 and more) for a fraction?']
    """
    known = definition(name)
    reasons = []
    for k, values in enumerate((a, b)):
        if values is None or known is None:
            continue
        share = float(np.mean((values < known.low) | (values > known.high)))
        alone = b is None
        if share > _OUTSIDE:
            which = "" if alone else ("first: ", "second: ")[k]
            limits = f"{which}{share:.0%} {outside(known)}"
            reasons.append(limits.replace("%", " %") + (hint(name, values) if alone else ""))
        elif odd := odd_median(name, values):
            reasons.append(odd + (hint(name, values) if alone else ""))
    factor = _factor(name, a, b)
    if factor > _UNIT_FACTOR:
        reasons.append(f"medians differ {_rounded(factor)}-fold: another unit{unit_hint(name)}")
    elif b is not None and reasons:
        reasons[-1] += hint(name)
    return reasons


def odd_values(name: str, values: np.ndarray) -> str:
    """Say which values of a feature can hardly be measured ones, where most are plausible.

    Several times the very same number beyond the plausible range, the wrong sign, or three
    times beyond: a code for "not measured", or some cells in another unit.

    Examples
    --------
    >>> odd_values("input_resistance", np.array([150.0, -999.0, 200.0, -999.0, 180.0]))[:50]
    '2 of 5 values outside 1 to 3000 MOhm, e.g. -999: a'
    """
    known = definition(name)
    if known is None or not values.size:
        return ""
    beyond = (values < known.low) | (values > known.high)
    if not 0 < beyond.mean() <= _OUTSIDE:
        return ""
    found, counts = np.unique(values[beyond], return_counts=True)
    far = found > 3 * known.high if known.high > 0 else np.zeros(found.size, dtype=bool)
    if known.low > 0:
        far |= found < known.low / 3
    odd = found[(counts > 1) | far]
    if not odd.size:
        return ""
    number = int(np.isin(values, odd).sum())
    return (
        f"{number} of {values.size} values {outside(known)}, e.g. "
        f'{odd[0]:g}: a code for "not measured" (missing = [...] in the mapping), or another '
        "unit?"
    )


def doubtful_units(
    features: Sequence[str], reference: np.ndarray, values: np.ndarray
) -> dict[str, str]:
    """Say which columns (cells x features) look like another unit than in a reference.

    Examples
    --------
    >>> ohm = np.linspace(50, 400, 40)[:, None]
    >>> list(doubtful_units(["input_resistance"], ohm, ohm / 1000))
    ['input_resistance']
    """
    out = {}
    for k, name in enumerate(features):
        one, two = (v[np.isfinite(v[:, k]), k] for v in (reference, values))
        if min(one.size, two.size) < _FEW:
            continue
        alone = set(unit_suspicions(name, one))  # what is as odd in the reference is no news
        here = [why for why in unit_suspicions(name, two) if why not in alone]
        factor = _factor(name, one, two)
        if factor > _UNIT_FACTOR:
            here.append(
                f"medians differ {_rounded(factor)}-fold: another unit{unit_hint(name)}"
            )
        if here:
            out[name] = ", ".join(here)
    return out


def _factor(name: str, a: np.ndarray, b: np.ndarray | None) -> float:
    """By how much two medians differ, for features that are compared by their logarithm."""
    if b is None or transform_of(name) != "log10":
        return 1.0
    one, two = abs(float(np.median(a))), abs(float(np.median(b)))
    return max(one, two) / min(one, two) if min(one, two) > 0 else 1.0


def _rounded(factor: float) -> str:
    near = 10 ** round(np.log10(factor))
    return f"{near:.0f}" if 0.3 < factor / near < 3 else f"{factor:.3g}"


def _shape(name: str, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Largest gap of the standardised distributions, and the shift in spreads."""
    x, y = (transformed(v[:, None], [transform_of(name)]) for v in (a, b))
    (mean, spread), (mean2, spread2) = moments(x), moments(y)
    x, y = ((v[~np.isnan(v)] - m) / s for v, m, s in ((x, mean, spread), (y, mean2, spread2)))
    if min(x.size, y.size) < _FEW:
        return float("nan"), float("nan")
    grid = np.sort(np.concatenate([x, y]))
    gap = np.abs(
        np.searchsorted(np.sort(x), grid, "right") / x.size
        - np.searchsorted(np.sort(y), grid, "right") / y.size
    )
    shift = (mean2 - mean) / np.sqrt((spread**2 + spread2**2) / 2)
    return float(gap.max()), float(shift[0])

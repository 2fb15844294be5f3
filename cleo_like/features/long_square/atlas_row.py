"""The row of the atlas of intracellular recordings: spikes at rheobase and 20 pA above."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.features.long_square.cell import CellFeatures

LABELS = (0, 1, 2, 3, 4, 5)
"""Label k is the sweep at rheobase + 20 k pA."""

SPIKE_NAMES = (
    "threshold_v", "peak_v", "upstroke", "downstroke", "upstroke_downstroke_ratio", "width",
    "fast_trough_v",
)  # fmt: skip
TRAIN_NAMES = ("first_isi", "avg_rate", "isi_cv", "latency", "median_isi", "adapt")
CELL_NAMES = {
    "input_resistance": "input_resistance",
    "tau": "tau",
    "v_baseline": "v_baseline",
    "sag_nearest_minus_100": "sag",
    "sag_measured_at": "vm_for_sag",
    "rheobase_i": "rheobase_i",
    "fi_linear_fit_slope": "fi_fit_slope",
}
_STEP = 20  # pA
_ERRORS = ("error", "shared_error")


@attrs.frozen(kw_only=True)
class Row:
    """Values by column name, standard errors, and why each missing one is missing."""

    values: dict[str, float]
    reasons: dict[str, str] = attrs.field(factory=dict)
    errors: dict[str, float] = attrs.field(factory=dict)


def column_names() -> tuple[str, ...]:
    """All columns of the row, in order."""
    names = list(CELL_NAMES)
    for label in LABELS:
        tail = f"_{label}_long_square"
        names += [f"ap_1_{n}{tail}" for n in SPIKE_NAMES]
        names += [f"ap_mean_{n}{tail}" for n in SPIKE_NAMES]
        names += [f"{n}{tail}" for n in TRAIN_NAMES] + [f"stimulus_amplitude{tail}"]
    return (*names, "fi_sqrt_fit_A", "fi_sqrt_fit_Ic")


def atlas_row(cell: CellFeatures) -> Row:
    """Make the atlas row of a cell.

    The column names, units and rules are those of the published atlas: of sweeps with the
    same current the one whose rate is nearest to their median, labels for 0, 20, ... 100 pA
    above rheobase, the first spike and the mean over the spikes of each.

    Parameters
    ----------
    cell : CellFeatures
        From `long_square_features` (with ``parameters=ATLAS`` for the published values).

    Returns
    -------
    Row
        Every column of `column_names`; missing ones are NaN with a reason.
    """
    row = Row(values=dict.fromkeys(column_names(), np.nan))
    values, reasons = row.values, row.reasons
    for name, source in CELL_NAMES.items():
        values[name] = cell.values[source]
        if source in cell.reasons:
            reasons[name] = cell.reasons[source]
    chosen = _one_per_amplitude(cell)
    for label in LABELS:
        _label(cell, chosen, label, row)
    gain, onset, why = _sqrt_fit(cell, chosen)
    values["fi_sqrt_fit_A"], values["fi_sqrt_fit_Ic"] = gain, onset
    for name in values:
        if np.isnan(values[name]) and name not in reasons:
            reasons[name] = why if name.startswith("fi_sqrt") else "too few spikes"
    return row


def _one_per_amplitude(cell: CellFeatures) -> dict[int, int]:
    """Map the current above rheobase (whole pA) to the sweep that stands for it."""
    rheobase = cell.values["rheobase_i"]
    if np.isnan(rheobase):
        return {}
    amplitude, rate = cell.sweeps["stim_amp"], cell.sweeps["avg_rate"]
    rows = np.flatnonzero((rate > 0) & (amplitude >= rheobase))
    out = {}
    for level in np.unique(amplitude[rows]):
        same = rows[amplitude[rows] == level]
        middle = np.median(rate[same])
        out[int(np.rint(level - rheobase))] = int(same[np.abs(rate[same] - middle).argmin()])
    return out


def _label(cell: CellFeatures, chosen: dict[int, int], label: int, out: Row) -> None:
    values, reasons = out.values, out.reasons
    tail, above = f"_{label}_long_square", label * _STEP
    names = [name for name in values if name.endswith(tail)]
    if above not in chosen:
        why = f"no spiking sweep at rheobase + {above} pA" if chosen else "no spiking sweep"
        reasons.update(dict.fromkeys(names, why))
        return
    row = chosen[above]
    spikes = cell.spikes.of(row)
    for name in SPIKE_NAMES:
        first, mean = f"ap_1_{name}{tail}", f"ap_mean_{name}{tail}"
        column = spikes[name]
        good = np.isfinite(column)
        values[first] = float(column[0])
        values[mean] = float(column[good].mean()) if good.any() else np.nan
        for at in (first, mean):
            if np.isnan(values[at]):
                reasons[at] = "the spike was cut off by the end of the step"
        if f"{name}_error" in spikes:
            error, shared = (spikes[f"{name}_{kind}"][good] for kind in _ERRORS)
            found = float(spikes[f"{name}_error"][0]), mean_error(error, shared)
            known = zip((first, mean), found, strict=True)
            out.errors.update({at: e for at, e in known if np.isfinite(e)})
    for name in TRAIN_NAMES:
        values[f"{name}{tail}"] = float(cell.sweeps[name][row])
        if np.isnan(values[f"{name}{tail}"]):
            reasons[f"{name}{tail}"] = f"only {int(cell.sweeps['n_spikes'][row])} spike(s)"
    values[f"stimulus_amplitude{tail}"] = above + cell.values["rheobase_i"]


def mean_error(error: np.ndarray, shared: np.ndarray) -> float:
    """Give the standard error of a mean over spikes; NaN where one of them has none.

    Parameters
    ----------
    error : array, shape (n_spikes,)
        Of each spike.
    shared : array, shape (n_spikes,)
        The part of it that all spikes of the cell have alike, which no mean takes away.

    Examples
    --------
    >>> round(mean_error(np.array([0.5, 0.5, 0.5, 0.5]), np.array([0.3, 0.3, 0.3, 0.3])), 4)
    0.3606
    """
    if not error.size:
        return float("nan")
    own = np.sqrt(np.maximum(error**2 - shared**2, 0.0).sum()) / error.size
    return float(np.hypot(own, shared.mean()))


def _sqrt_fit(cell: CellFeatures, chosen: dict[int, int]) -> tuple[float, float, str]:
    """Fit rate = A sqrt(d - Ic), d the current above rheobase; A, Ic and why one is missing."""
    if len(chosen) < 3:
        return np.nan, np.nan, f"only {len(chosen)} spiking current(s); the fit needs 3"
    d = np.array(sorted(chosen), dtype=float)
    rate = np.array([cell.sweeps["avg_rate"][chosen[int(k)]] for k in d])
    gain, onset = sqrt_fit(d, rate)
    if np.isfinite(gain) and (gain > 0 or cell.parameters.exact):
        return gain, onset, ""
    why = "the square of the rate does not rise with the current"
    return np.nan, onset if cell.parameters.exact else np.nan, why


def sqrt_fit(d: np.ndarray, rate: np.ndarray) -> tuple[float, float]:
    """Fit rate = A sqrt(d - Ic) as ipfx's collection of features does.

    Where the search does not end, or ends where A is undetermined, a straight line through
    the squares of the rates serves: its A is NaN where they fall. Rates that are all alike,
    and a search that does not end, give 0 and the lowest current.

    Examples
    --------
    >>> [round(x, 6) for x in sqrt_fit(np.array([0.0, 20.0, 40.0]), np.sqrt([4.0, 44.0, 84.0]))]
    [1.414214, -2.0]
    """
    from scipy import optimize

    def model(x: np.ndarray, a: float, onset: float) -> np.ndarray:
        return np.where(x < onset, 0.0, a * np.sqrt(np.maximum(x - onset, 0.0)))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optimize.OptimizeWarning)
            (a, onset), covariance = optimize.curve_fit(model, d, rate, p0=(1.0, d[0]))
        if not np.isinf(covariance[0, 0]):
            return float(a), float(onset)
    except RuntimeError:  # no convergence
        if (rate == rate[0]).all():
            return 0.0, float(d.min())
    m, c = np.linalg.lstsq(np.column_stack([d, np.ones_like(d)]), rate**2, rcond=None)[0]
    return float(np.sqrt(m)) if m >= 0 else np.nan, float(-c / m)

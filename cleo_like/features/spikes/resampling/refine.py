"""From spikes as samples to their shape: potentials, times, slopes, each with its error.

Each spike is a window of the sweep; its Fourier transform times a Wiener filter, from the
spectra of the cell's own noise and spikes, gives potential and slope on finer samples. The
declared filter of the amplifier is undone. A parametric bootstrap of the mean spike chooses
one more low pass for each value and corrects what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.spikes.resampling.bootstrap import RATIOS, calibrated, rebuilt
from cleo_like.features.spikes.resampling.points import GROUPS, NEEDS, Hints, points
from cleo_like.features.spikes.resampling.spectra import lost, spectra_of
from cleo_like.features.spikes.resampling.trough import troughs
from cleo_like.features.spikes.resampling.windows import AFTER, Grid, cut, flat_tops, quiet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.features.lowpass import Lowpass
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.spikes.resampling.bootstrap import Calibration
    from cleo_like.features.spikes.resampling.spectra import Spectra
    from cleo_like.features.spikes.resampling.windows import Windows
    from cleo_like.features.stack import SweepStack

SAFE = 0.9
"""Bandwidth times the time of the upstroke: from here on the upstroke is right to 3 %; below,
it is a lower bound (29 of 29 and 112 + 84 conditions of simulated spikes)."""
SAFE_LOST = 0.035
"""Share of the upstroke that may lie beyond what is seen; the rest of it is then below 3 %."""
_ALIGNED = 5e3  # Hz: low pass through which peaks are aligned
_LEAST_QUIET = 8  # stretches: the error of their median is then 44 %
_AFTER_FALL = 0.6e-3  # s after the steepest filtered fall
_ROOM = 0.5e-3  # s at the end of the window that no point may need
_UNSEEN, _FOLD = 8.6, 0.17  # share of an upstroke that is not seen: 8.6 exp(-B t_r / 0.17)
_SHARES = {
    "downstroke": 0.35, "width": 0.05, "peak_v": 0.06, "threshold_v": 0.1, "peak_t": 1.0,
    "threshold_t": 1.5, "fast_trough_v": 0.006,
}  # fmt: skip
"""Errors for an upstroke that is not seen at all: of the value, of the height, of the time of
the upstroke. Twelve chains and noises of five simulated cells."""
_FLOORS = {
    "downstroke": 2e-3, "width": 1e-3, "peak_v": 0.02, "peak_t": 1e-6, "fast_trough_v": 0.05,
    "threshold_v": 0.2, "threshold_t": 4e-6,
}  # fmt: skip
"""Least errors (of the value; mV; s): spikes of a cell differ from their mean."""
_LOST = 0.6  # of what is estimated to lie beyond what is seen: its error
_MOST, _MOST_FOLD = (
    5.4,
    0.25,
)  # more than 5.4 exp(-B t_r / 0.25) cannot: slow spikes have no tail
_LEAST_ERROR, _USUAL = 0.005, 0.015  # of the upstroke: spikes of a cell differ from their mean
_NOT_LOST = -0.02  # of the upstroke: if less is missing, the undone filter amplified noise
_JUMP = 0.7  # of a spike's fall within one sample: it is reset, not repolarised
_AT_ONCE = 512  # spikes
_SLOPES = ("upstroke", "downstroke")
_NAMES = (
    "upstroke", "downstroke", "upstroke_downstroke_ratio", "peak_v", "peak_t", "threshold_v",
    "threshold_t", "width", "fast_trough_v",
)  # fmt: skip
ERRORS = tuple(f"{name}_error" for name in _NAMES)
"""Columns of standard errors."""
SHARED = tuple(f"{name}_shared_error" for name in _NAMES)
"""The part of them that all spikes of a cell have alike: no mean over spikes takes it away."""
JUDGED = ("time_bandwidth", "upstroke_bound")
"""Columns that say whether an upstroke is more than a lower bound."""


@attrs.frozen(kw_only=True)
class Resampling:
    """How the shape of the spikes was found.

    Parameters
    ----------
    filtered : Lowpass, optional
        What the file or the user states of the amplifier's filter.
    bandwidth : float
        Hz up to which the spikes can be seen; NaN without resampling.
    lost : float
        Share of the upstroke that is estimated to lie beyond.
    bounds, count : int
        Spikes whose upstroke is a lower bound, and all that were resampled.
    reason : str
        Why spikes were not resampled.
    """

    filtered: Lowpass | None = None
    bandwidth: float = np.nan
    lost: float = np.nan
    bounds: int = 0
    count: int = 0
    reason: str = ""


def refined(
    stack: SweepStack,
    bounds: tuple[int, int],
    columns: Mapping[str, np.ndarray],
    p: ExtractionParameters,
    filtered: Lowpass | None,
) -> tuple[dict[str, np.ndarray], Resampling]:
    """Measure the shape of all spikes of a cell.

    Parameters
    ----------
    stack : SweepStack
        All sweeps.
    bounds : tuple of int
        First sample of the step and first after it.
    columns : mapping of str to array, shape (n_spikes,)
        Spikes as samples.
    p : ExtractionParameters
        Limits.
    filtered : Lowpass, optional
        Declared filter.

    Returns
    -------
    columns : dict of str to array
        With errors; spikes that cannot be resampled stay as they are, without errors.
    resampling : Resampling
        What is to be said of it.
    """
    out = {name: np.array(column) for name, column in columns.items()}
    for name in (*ERRORS, *SHARED, *JUDGED):
        out[name] = np.full(columns["sweep"].size, np.nan)
    grid = Grid.of(stack.rate)
    rows = np.flatnonzero(_continuous(stack, columns, grid))
    if rows.size == 0:
        why = (
            "they are cut off flat, or fall within one sample" if columns["sweep"].size else ""
        )
        return out, Resampling(filtered=filtered, reason=why)
    sweep, peak = columns["sweep"].astype(int), columns["peak_index"].astype(int)
    still = quiet(stack, bounds, sweep, peak, grid)
    if len(still) < _LEAST_QUIET:
        why = f"only {len(still)} stretches of {1e3 * grid.size / grid.rate:.3g} ms are quiet"
        return out, Resampling(filtered=filtered, reason=f"{why}: the noise is not known")
    some = {k: c[rows] for k, c in columns.items()}
    cell = _Cell.of(stack, bounds, some, grid, still=still, filtered=filtered)
    values, errors, missing = cell.measure(p)
    safe = cell.settled(values, errors, missing)
    cell.placed(values, errors, stack, bounds, p)
    for k, (whole, shared) in errors.items():
        values |= {f"{k}_error": whole, f"{k}_shared_error": shared}
    for name, found in values.items():
        if name in out:
            known = np.isfinite(found) | name.endswith("_error")
            if name in columns:  # a spike that is cut off has no downstroke and no trough
                known &= np.isfinite(columns[name][rows])
            out[name][rows[known]] = found[known]
    out["upstroke_bound"][rows] = ~safe
    return out, Resampling(
        filtered=filtered, bandwidth=cell.spectra.bandwidth, lost=missing,
        bounds=int((~safe).sum()), count=rows.size,
    )  # fmt: skip


def _continuous(stack: SweepStack, columns: Mapping[str, np.ndarray], grid: Grid) -> np.ndarray:
    """Spikes that are not cut off, and do not fall by most of their height in one sample."""
    sweep, peak = columns["sweep"].astype(int), columns["peak_index"].astype(int)
    if not sweep.size:
        return np.zeros(0, dtype=bool)
    reach = max(2, round(2e-3 * stack.rate))
    at = np.clip(peak[:, None] + np.arange(reach), 0, stack.n_samples - 1)
    v = stack.voltage_mv[sweep[:, None], at]
    smooth = np.diff(v, axis=1).min(axis=1) > -_JUMP * (v[:, 0] - v.min(axis=1))
    smooth &= np.isfinite(cut(stack, sweep, peak, grid).x).all(axis=1)
    return np.asarray(smooth & ~flat_tops(stack, sweep, peak))


@attrs.frozen(kw_only=True, eq=False)
class _Cell:
    """Windows and spectra of the spikes of a cell."""

    grid: Grid
    windows: Windows
    spikes: np.ndarray
    spectra: Spectra
    hints: Hints
    stop: np.ndarray
    sweep: np.ndarray
    columns: Mapping[str, np.ndarray]

    @classmethod
    def of(
        cls,
        stack: SweepStack,
        bounds: tuple[int, int],
        columns: Mapping[str, np.ndarray],
        grid: Grid,
        *,
        still: np.ndarray,
        filtered: Lowpass | None,
    ) -> _Cell:
        from scipy.fft import rfft

        sweep, peak = columns["sweep"].astype(int), columns["peak_index"].astype(int)
        threshold = columns["threshold_index"].astype(int)
        windows = cut(stack, sweep, peak, grid)
        spikes = rfft(windows.x, axis=1)
        last = np.append(sweep[1:] != sweep[:-1], True)
        following = np.where(last, bounds[1], np.append(threshold[1:], 0)) - peak
        nothing = np.zeros(peak.size)
        fall = columns["downstroke_t"] - columns["peak_t"] + _AFTER_FALL
        hints = Hints(
            threshold=(threshold - peak) / grid.rate, peak=nothing,
            following=np.minimum(following / grid.rate, AFTER - _ROOM),
            fall=np.where(np.isfinite(fall), fall, AFTER), target=nothing, level=nothing,
            trough=columns["fast_trough_v"] - windows.level,
        )  # fmt: skip
        return cls(
            grid=grid, windows=windows, spikes=spikes, hints=hints, sweep=sweep,
            columns=columns,
            spectra=spectra_of(spikes, windows.x[:, : grid.size], still, grid, filtered),
            stop=np.minimum(following + grid.before, grid.size),
        )  # fmt: skip

    def measure(
        self, p: ExtractionParameters
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], float]:
        """Give values, errors and the share of the upstroke that is not seen.

        Errors have the shape (2, n_spikes): all of it, and what the spikes share.
        """
        found, hints = self._calibrated(p.thresh_frac)
        values: dict[str, np.ndarray] = {}
        for name in ("upstroke", "downstroke", "peak_v"):
            values |= self._through(found, name, hints)
        trough, values["fast_trough_t"] = troughs(
            self.spikes, found.trough, self.grid, stop=self.stop,
            downstroke=values["downstroke"],
        )  # fmt: skip
        values["fast_trough_v"] = found.corrected["fast_trough_v"].value(trough)
        target = p.thresh_frac * _mean_of_sweep(values["upstroke"], self.sweep)
        hints = hints.having(target=target * found.share["threshold_v"])
        values |= self._through(found, "threshold_v", hints)
        known = np.isfinite(values["fast_trough_v"])
        deep = np.where(known, values["fast_trough_v"], hints.trough)
        hints = hints.having(trough=deep, level=values["threshold_v"])
        values |= self._through(found, "width", hints)
        errors = {}
        for name, one in found.corrected.items():
            scale = np.abs(values[name]) if name in RATIOS else np.float64(1.0)
            if name in _SLOPES:  # noise is not less for a spike that is slower than the others
                scale = np.maximum(scale, np.nanmedian(scale))
            both = np.array([[one.total], [one.common]]) * scale
            errors[name] = np.where(np.isfinite(values[name]), both, np.nan)
        return values, errors, lost(self.spectra, self.grid, found.upstroke)

    def settled(
        self, values: dict[str, np.ndarray], errors: dict[str, np.ndarray], missing: float
    ) -> np.ndarray:
        """Correct the upstrokes that are safe for what is not seen; give which those are."""
        rise, fall = values["upstroke"], values["downstroke"]
        height = values["peak_v"] - values["threshold_v"]
        values["time_bandwidth"] = 1e-3 * self.spectra.bandwidth * height / rise
        safe = values["time_bandwidth"] >= SAFE
        safe &= _NOT_LOST < missing <= SAFE_LOST
        most = _MOST * np.exp(-values["time_bandwidth"] / _MOST_FOLD)
        beyond = np.clip(missing, 0.0, most)
        values["upstroke"] = np.where(safe, rise * (1 + beyond), rise)
        left = np.maximum(_LEAST_ERROR, np.maximum(_LOST * beyond, np.minimum(most, _USUAL)))
        left = left * values["upstroke"]
        errors["upstroke"] = np.where(safe, np.hypot(errors["upstroke"], left), np.nan)
        # a fall as steep as the rise has a tail of its own
        alike = np.where(rise > 0, np.minimum(-fall / rise, 1), 1) ** 2
        errors["downstroke"] = np.hypot(errors["downstroke"], fall * beyond * alike)
        self._widened(errors, values, height)
        ratio = values["upstroke"] / -fall
        parts = (errors[k] / values[k] for k in ("upstroke", "downstroke"))
        values["upstroke_downstroke_ratio"] = ratio
        errors["upstroke_downstroke_ratio"] = ratio * np.hypot(*parts)
        return np.asarray(safe)

    def _widened(
        self, errors: dict[str, np.ndarray], values: dict[str, np.ndarray], height: np.ndarray
    ) -> None:
        """Add what the bandwidth leaves open."""
        unseen = np.minimum(_UNSEEN * np.exp(-values["time_bandwidth"] / _FOLD), 1.0)
        time = 1e-3 * height / values["upstroke"]
        for name, floor in _FLOORS.items():
            scale = np.abs(values[name]) if name in RATIOS else 1.0
            size = time if name.endswith("_t") else height
            size = scale if name in RATIOS else size
            share = _SHARES.get(name, 0.0) * unseen * size
            errors[name] = np.sqrt(errors[name] ** 2 + share**2 + (floor * scale) ** 2)

    def placed(
        self,
        values: dict[str, np.ndarray],
        errors: dict[str, np.ndarray],
        stack: SweepStack,
        bounds: tuple[int, int],
        p: ExtractionParameters,
    ) -> None:
        """Bring potentials to the level of their windows, and times into their sweeps."""
        far = ~(values["peak_t"] - values["threshold_t"] <= p.max_interval)
        for name in ("threshold_v", "threshold_t"):
            values[name][far] = errors[name][:, far] = np.nan
        for name in ("peak_v", "threshold_v", "fast_trough_v"):
            values[name] = values[name] + self.windows.level
        peak = self.columns["peak_index"]
        for name in ("peak_t", "threshold_t", "fast_trough_t", "upstroke_t", "downstroke_t"):
            values[name] = values[name] + peak / stack.rate
        first, last = (k / stack.rate for k in bounds)
        values["threshold_t"] = np.clip(values["threshold_t"], first, last)

    def _calibrated(self, fraction: float) -> tuple[Calibration, Hints]:
        """Align the spikes and calibrate; give the hints with the peaks' times."""
        align = np.exp(-np.log(2) / 2 * (self.spectra.f / _ALIGNED) ** 2)
        gain = self.spectra.wiener * self.spectra.undo * align
        hints = self.hints.later(-self.spectra.delay)
        hints = hints.having(peak=self._points("peak_v", gain, hints)["peak_t"])
        turn = np.exp(2j * np.pi * self.spectra.f * hints.peak[:, None])
        middle = {k: np.median(x, keepdims=True) for k, x in attrs.asdict(hints).items()}
        late = middle["peak"]
        one = Hints(**middle | {
            "peak": late * 0, "threshold": middle["threshold"] - late,
            "trough": np.array([-np.inf]),
        })  # fmt: skip
        found = calibrated(
            (self.spikes * turn).mean(axis=0), self.spectra, self.grid, one,
            stop=int(np.median(self.stop)), fraction=fraction,
        )  # fmt: skip
        return found, hints

    def _through(self, found: Calibration, name: str, hints: Hints) -> dict[str, np.ndarray]:
        """Corrected values of one group."""
        if not found.undone[name]:
            hints = hints.later(self.spectra.delay)
        raw = self._points(name, found.gains[name], hints)
        return {k: found.corrected[k].value(x) for k, x in raw.items()}

    def _points(self, name: str, gain: np.ndarray, hints: Hints) -> dict[str, np.ndarray]:
        parts = []
        for a in range(0, self.sweep.size, _AT_ONCE):
            some = slice(a, a + _AT_ONCE)
            course = rebuilt(self.spikes[some], gain, self.grid, NEEDS[name])
            parts.append(points(name, course, hints.take(some)))
        return {k: np.concatenate([part[k] for part in parts]) for k in GROUPS[name]}


def _mean_of_sweep(values: np.ndarray, sweep: np.ndarray) -> np.ndarray:
    total = np.bincount(sweep, values)
    return (total / np.maximum(np.bincount(sweep), 1))[sweep]

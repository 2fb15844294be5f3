"""How far each value is off, and how uncertain: the mean spike with noise, measured again."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.spikes.resampling.points import NEEDS, Course, points
from cleo_like.features.spikes.resampling.trough import Parabola, mean_power, parabola, troughs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.features.spikes.resampling.points import Hints
    from cleo_like.features.spikes.resampling.spectra import Spectra
    from cleo_like.features.spikes.resampling.windows import Grid

_LOWPASS = (np.inf, 8e3, 5e3, 3e3, 2e3, 1.3e3)  # Hz: -3 dB of a Gaussian, on top
_DRAWS, _DRAWS_OF_MEAN = 40, 24
_OF_CORRECTION = 0.3  # a correction is wrong by this share of itself
_SEED = 20
RATIOS = ("upstroke", "downstroke", "width")
"""Corrected by a factor; potentials and times by a difference."""


@attrs.frozen(kw_only=True)
class Corrected:
    """What is to be done with a value: times `factor`, plus `shift`, and its error.

    Parameters
    ----------
    factor, shift : float
        Of the value.
    error : float
        Of a single spike; relative where there is a factor.
    common : float
        That all spikes of the cell share, in the same unit.
    """

    factor: float = 1.0
    shift: float = 0.0
    error: float = np.nan
    common: float = 0.0

    def value(self, found: np.ndarray) -> np.ndarray:
        """Correct values."""
        return found * self.factor + self.shift

    @property
    def total(self) -> float:
        """Whole standard error of a single spike."""
        return float(np.hypot(self.error, self.common))


@attrs.frozen(kw_only=True, eq=False)
class Calibration:
    """Filters and corrections of a cell.

    Parameters
    ----------
    gains : mapping of str to array of complex
        Filter of each of `GROUPS`.
    undone : mapping of str to bool
        Whether it undoes the declared filter.
    share : mapping of str to float
        Upstroke through the filter over the true one.
    corrected : mapping of str to Corrected
        Of each value.
    trough : Parabola
        For the fast trough.
    upstroke : float
        Of the mean spike (V/s).
    """

    gains: Mapping[str, np.ndarray]
    undone: Mapping[str, bool]
    share: Mapping[str, float]
    corrected: Mapping[str, Corrected]
    trough: Parabola
    upstroke: float


def rebuilt(spikes: np.ndarray, gain: np.ndarray, grid: Grid, which: str = "vd") -> Course:
    """Give potential (v) and slope (d) on finer samples.

    `gain` is one filter, shape (n_frequencies,), or one for each spike.
    """
    from scipy.fft import irfft

    y = spikes * gain
    y[..., -1] = 0.0  # at half the rate the phase is not known
    whole, n = grid.padded * grid.up, grid.size * grid.up
    y *= grid.up
    none = np.empty((len(spikes), 0))
    v = irfft(y, whole, axis=1)[:, :n] if "v" in which else none
    y *= 2e-3j * np.pi * grid.frequencies
    d = irfft(y, whole, axis=1)[:, :n] if "d" in which else none
    return Course(v=v, d=d, t=grid.times)


@lru_cache(maxsize=8)
def _normal(rows: int, size: int) -> np.ndarray:
    """Spectra of noise of power 1: the same for every cell, so that results repeat."""
    rng = np.random.default_rng(_SEED)
    out = rng.standard_normal((rows, size)) + 1j * rng.standard_normal((rows, size))
    return out * np.sqrt(0.5)


def calibrated(
    mean: np.ndarray, spectra: Spectra, grid: Grid, hints: Hints, *, stop: int, fraction: float
) -> Calibration:
    """Choose a filter for each value, and find what to correct.

    Parameters
    ----------
    mean : array of complex, shape (n_frequencies,)
        Fourier transform of the aligned mean spike.
    spectra : Spectra
        Of the cell.
    grid : Grid
        Of the windows.
    hints : Hints
        One spike; its trough is not used.
    stop : int
        First sample of the window that does not belong to the spike.
    fraction : float
        Of the upstroke: slope of the threshold.
    """
    clean = mean * spectra.wiener_of_mean
    true, common, level = _truth(clean, spectra, grid, hints, stop=stop, fraction=fraction)
    gains, undone = _candidates(spectra)
    hints = hints.having(trough=level, level=true["threshold_v"])
    late = np.where(undone, 0.0, spectra.delay)
    tried = _tried(clean, gains, late, grid, hints, fraction=fraction)
    chosen = _choose(tried, true, gains, spectra, fraction)
    drawn = clean + _normal(_DRAWS, mean.size) * np.sqrt(grid.padded * spectra.noise)
    many = hints.take(np.zeros(_DRAWS, dtype=int))
    corrected: dict[str, Corrected] = {}
    for name, k in chosen.items():
        some = many.having(target=fraction * tried["upstroke"][k]).later(float(late[k]))
        found = points(name, rebuilt(drawn, gains[k], grid, NEEDS[name]), some)
        for value, drawn_values in found.items():
            known = float(late[k]) if value.endswith("_t") else 0.0
            corrected[value] = _compared(
                value, drawn_values, true[value], common[value], known=known
            )
    shape = parabola(spectra.noise, grid, true["downstroke"])
    name, down = "fast_trough_v", np.full(_DRAWS, true["downstroke"])
    found_trough, _ = troughs(drawn, shape, grid, stop=np.full(_DRAWS, stop), downstroke=down)
    corrected[name] = _compared(name, found_trough, true[name], common[name])
    return Calibration(
        gains={name: gains[k] for name, k in chosen.items()},
        undone={name: bool(undone[k]) for name, k in chosen.items()},
        share={name: tried["upstroke"][k] / true["upstroke"] for name, k in chosen.items()},
        corrected=corrected, trough=shape, upstroke=true["upstroke"],
    )  # fmt: skip


def _truth(
    clean: np.ndarray, spectra: Spectra, grid: Grid, hints: Hints, *, stop: int, fraction: float
) -> tuple[dict[str, float], dict[str, float], float]:
    """Values of the mean spike without the bias of its own noise, their errors, its trough."""
    own = spectra.noise / spectra.count
    n = _DRAWS_OF_MEAN
    noisy = _normal(_DRAWS, clean.size)[:n] * np.sqrt(grid.padded * own)
    rows = np.concatenate([clean[None], clean + noisy * spectra.wiener_of_mean])
    course = rebuilt(rows, spectra.undo, grid)
    many = hints.take(np.zeros(n + 1, dtype=int))
    found = points("upstroke", course, many) | points("downstroke", course, many)
    down = found["downstroke"][0]
    shape = parabola(own, grid, down)
    trough, _ = troughs(
        rows * spectra.undo, shape, grid, stop=np.full(n + 1, stop),
        downstroke=np.full(n + 1, down),
    )  # fmt: skip
    level = float(trough[0]) if np.isfinite(trough[0]) else -np.inf
    many = many.having(trough=level, target=fraction * found["upstroke"][0])
    found |= points("peak_v", course, many) | points("threshold_v", course, many)
    many = many.having(level=found["threshold_v"][0])
    found |= points("width", course, many) | {"fast_trough_v": trough}
    true, common = {}, {}
    for name, values in found.items():
        known = values[1:][np.isfinite(values[1:])]
        enough = known.size > n / 2 and np.isfinite(values[0])
        true[name] = float(2 * values[0] - known.mean()) if enough else float(values[0])
        common[name] = float(known.std(ddof=1)) if enough else np.nan
    return true, common, level


def _candidates(spectra: Spectra) -> tuple[np.ndarray, np.ndarray]:
    """Wiener filter with and without the inverse of the declared one, and further low passes.

    Returns
    -------
    tuple of array of complex, shape (n_filters, n_frequencies), and of bool
        Gains, and whether the declared filter is undone.
    """
    corners = [c for c in _LOWPASS if c == np.inf or c < 2 * spectra.f[spectra.top]]
    with np.errstate(divide="ignore"):
        low = np.exp(-np.log(2) / 2 * (spectra.f / np.array(corners)[:, None]) ** 2)
    plain = spectra.wiener * low
    if spectra.delay == 0:
        return plain.astype(complex), np.ones(len(plain), dtype=bool)
    both = np.concatenate([plain * spectra.undo, plain.astype(complex)])
    return both, np.arange(len(both)) < len(plain)


def _tried(
    clean: np.ndarray,
    gains: np.ndarray,
    late: np.ndarray,
    grid: Grid,
    hints: Hints,
    *,
    fraction: float,
) -> dict[str, np.ndarray]:
    """Values of the mean spike through each filter, and the slopes that errors depend on."""
    rows = np.arange(len(gains))
    course = rebuilt(np.repeat(clean[None], rows.size, axis=0), gains, grid)
    many = hints.take(np.zeros(rows.size, dtype=int)).later(late)
    out = points("upstroke", course, many)
    many = many.having(target=fraction * out["upstroke"])
    for name in ("downstroke", "peak_v", "threshold_v", "width"):
        out |= points(name, course, many)
    k, step = course.sample(np.nan_to_num(out["threshold_t"])), 1e3 * course.step
    bend = (course.d[rows, k + 1] - course.d[rows, k - 1]) / (2 * step)
    out["threshold_bend"] = np.maximum(bend, 1e-3)  # V/s per ms
    return out


def _choose(
    tried: Mapping[str, np.ndarray],
    true: Mapping[str, float],
    gains: np.ndarray,
    spectra: Spectra,
    fraction: float,
) -> dict[str, int]:
    """Filter of the least total of noise and of a share of what must be corrected."""
    power = np.abs(gains) ** 2 * spectra.noise
    v_noise = np.sqrt([mean_power(p) for p in power])
    d_noise = np.sqrt([mean_power(p * (2e-3 * np.pi * spectra.f) ** 2) for p in power])
    jitter = d_noise / tried["threshold_bend"]  # ms
    steep = np.minimum(tried["upstroke"], -tried["downstroke"]) / 2
    spread = {
        "upstroke": d_noise, "downstroke": d_noise, "peak_v": v_noise,
        "threshold_v": np.hypot(v_noise, fraction * tried["upstroke"] * jitter),
        "width": 1e-3 * np.sqrt(2) * v_noise / np.maximum(steep, 1e-3),
    }  # fmt: skip
    out = {}
    for name, error in spread.items():
        off = np.abs(tried[name] - true[name])
        total = np.hypot(error, _OF_CORRECTION * off)
        out[name] = int(np.where(np.isfinite(total), total, np.inf).argmin())
    return out


def _compared(
    name: str, found: np.ndarray, true: float, common: float, *, known: float = 0.0
) -> Corrected:
    """Correction of a value, from draws of which the true one is known.

    `known` is a delay, whose correction is certain.
    """
    there = found[np.isfinite(found)]
    if there.size < found.size / 2 or not np.isfinite(true):
        return Corrected()
    middle, spread = float(there.mean()), float(there.std(ddof=1))
    if name in RATIOS:
        off = _OF_CORRECTION * abs(true / middle - 1)
        return Corrected(
            factor=true / middle, error=float(np.hypot(spread / abs(middle), off)),
            common=common / abs(true),
        )  # fmt: skip
    off = _OF_CORRECTION * abs(true - middle + known)
    return Corrected(shift=true - middle, error=float(np.hypot(spread, off)), common=common)

"""Waves and lines as formulas: where they begin and end, though holding is touched smoothly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.matching.command.noise import white_sd

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.matching.command.extent import Rest, Span

_MOST = 5_000
"""A formula is fitted to no more samples than this."""
_SMOOTH = 60
"""Longest mean (samples) that is taken to count the crossings in noise."""
_ROUNDS = 40
"""Largest number of steps of a fit."""
_GOOD = 0.1
"""Residual, as a fraction of the amplitude, above which a formula is not the wave."""
_FAR = 0.5
"""An end is moved by no more than this fraction of the stretch."""


@attrs.frozen(eq=False)
class Formula:
    """A curve about holding, and how far (SD) the samples are from it."""

    curve: Callable[[np.ndarray], np.ndarray]
    error: float
    frequencies: tuple[float, float] = (0.0, 0.0)
    """At the first and last sample, cycles per sample; of waves only."""


def ends_of(samples: np.ndarray, stretch: Span, rest: Rest, family: str) -> Span:
    """Find where the formula of a ramp, sine or chirp meets holding, if it does.

    A ramp and most waves begin at holding: their first samples are not to be told from it.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Command.
    stretch : (start, stop)
        Where it is seen to be away from holding.
    rest : Rest
        Its holding.
    family : str
        "ramp", "sine" or "chirp"; others keep their ends.
    """
    a, b = stretch
    if family not in ("ramp", "sine", "chirp") or b - a < 16:
        return stretch
    y = samples[a:b] - rest.level
    head: Formula | None
    tail: Formula | None
    if family == "ramp":
        held = _held(y, rest)
        if held is not None:
            b = a + held
            y = y[:held]
        head, tail = _line(y, from_end=False), _line(y, from_end=True)
    else:
        wave = fit_wave(y)
        head = tail = wave if _explains(wave, y) else None
    far = int(_FAR * (b - a))
    start, stop = a, b
    if head is not None and a > 0:
        start = a + _meets(head, 0, (-min(a, far), far), rest)
    if tail is not None and b < samples.size:
        stop = a + _meets(tail, b - a, (b - a - far, min(b - a + far, samples.size - a)), rest)
    return (start, stop) if stop - start >= 16 else stretch


def is_wave(y: np.ndarray) -> bool:
    """Whether a command is one sine or chirp all the time."""
    return _explains(fit_wave(y), y)


def _explains(wave: Formula | None, y: np.ndarray) -> bool:
    return wave is not None and bool(wave.error < _GOOD * np.std(y))


def _meets(formula: Formula, end: int, bounds: Span, rest: Rest) -> int:
    """Sample nearest to holding among those about an end that are not told from it."""
    low, high = bounds
    at = np.arange(low, high + 1)
    size = np.abs(formula.curve(at))
    hidden = size < max(4 * rest.noise, 1.5 * rest.grain, 6 * formula.error)
    centre = end - low
    before = centre - 1 - np.argmin(np.r_[hidden[:centre][::-1], False])
    after = centre + np.argmin(np.r_[hidden[centre:], False])
    zone = size[before + 1 : after]
    if zone.size == 0:
        return end
    # the middle: a frequency that begins at 0 makes two crossings of one by a small error
    least = max(float(zone.min()), rest.noise / 2, 2 * formula.error)
    near = np.flatnonzero(zone <= least)
    return int(low + before + 1 + (near[0] + near[-1] + 1) // 2)


def _held(y: np.ndarray, rest: Rest) -> int | None:
    """Sample from which a ramp stays at the level that it has reached, if it does."""
    line, last = _line(y, from_end=False), max(8, y.size // 200)
    level = float(np.median(y[-last:]))
    start, stop = line.curve(np.array([0, y.size]))
    if start == stop:
        return None
    at = int(np.ceil((level - start) / (stop - start) * y.size - 1e-6))
    if not 16 <= at <= y.size - last:
        return None
    # the top must be flat: its slope is none of the ramp's, and known well enough to say so
    length, ramp = y.size - at, abs(float(stop - start)) / y.size
    slope = abs(float(np.polyfit(np.arange(length), y[at:], 1)[0]))
    unsure = max(rest.noise, line.error) * (12 / length**3) ** 0.5
    spread = float(np.sqrt(np.mean((y[at:] - level) ** 2)))
    flat = slope < 0.2 * ramp and spread < max(2 * rest.noise, 0.02 * float(np.ptp(y)))
    return at if flat and unsure < 0.05 * ramp else None


def _line(y: np.ndarray, *, from_end: bool) -> Formula:
    """Straight line through the first, or last, third."""
    third = max(8, y.size // 3)
    at = np.arange(y.size)[-third:] if from_end else np.arange(third)
    slope, offset = np.polyfit(at, y[at], 1)
    error = float(np.std(y[at] - slope * at - offset))
    return Formula(lambda x: slope * x + offset, error)


def fit_wave(y: np.ndarray) -> Formula | None:
    """Sine whose frequency is constant, or moves linearly or exponentially.

    Parameters
    ----------
    y : array, shape (n_samples,)
        Wave about its middle, any unit.

    Examples
    --------
    >>> t = np.arange(20000) / 2e4
    >>> wave = fit_wave(np.sin(2 * np.pi * (3 * t + 4 * t**2)))
    >>> bool(wave.error < 1e-6)
    True
    """
    noise = white_sd(y)
    crossing = _counted(y, noise)
    if crossing.size < 2:
        return None
    step = max(1, y.size // _MOST)
    z, wanted = np.arange(0, y.size, step) / y.size, y[::step]
    size = float(np.sqrt(2) * np.std(wanted))
    sign = 1.0 if y[: max(int(crossing[0]), 1)].mean() > 0 else -1.0
    best: Formula | None = None
    for cycles, first in _guesses(crossing / y.size):
        wave = _Wave(cycles, np.array([sign * size, *first])).fitted(z, wanted)
        error = float(np.std(wave.at(z) - wanted))
        if best is None or error < best.error:
            rates = (wave.frequency(0.0) / y.size, wave.frequency(1.0) / y.size)
            best = Formula(lambda k, wave=wave: wave.at(k / y.size), error, rates)
        if best.error < max(1.1 * noise, 1e-4 * size):
            break
    return best


@attrs.frozen(eq=False)
class _Wave:
    """Sine of amplitude p0 and p1 + cycles(p2, p3, time) cycles; time runs from 0 to 1."""

    cycles: Callable[[float, float, np.ndarray], np.ndarray]
    p: np.ndarray

    def at(self, z: np.ndarray) -> np.ndarray:
        """Values at some times."""
        return self.p[0] * np.sin(2 * np.pi * self._phase(z))

    def frequency(self, z: float) -> float:
        """Cycles per unit of time at a time."""
        ends = self._phase(np.array([z - 1e-4, z + 1e-4]))
        return abs(float(ends[1] - ends[0])) / 2e-4

    def _phase(self, z: np.ndarray) -> np.ndarray:
        return self.p[1] + self.cycles(self.p[2], self.p[3], z)

    def fitted(self, z: np.ndarray, wanted: np.ndarray) -> _Wave:
        """Least squares from here (Levenberg's damping; amplitude and phase are smooth)."""
        wave, damping = self, 1e-3
        off = wanted - wave.at(z)
        cost = float(off @ off)
        for _ in range(_ROUNDS):
            slopes = wave._slopes(z)
            normal, pull = slopes.T @ slopes, slopes.T @ off
            change = np.linalg.solve(normal + np.diag(damping * np.diag(normal) + 1e-300), pull)
            tried = attrs.evolve(wave, p=wave.p + change)
            with np.errstate(over="ignore", invalid="ignore"):  # a step too far is not taken
                left = wanted - tried.at(z)
            if not float(left @ left) < cost:
                damping *= 10
                if damping > 1e6:
                    break
                continue
            gained = cost - float(left @ left)
            wave, off, cost, damping = tried, left, cost - gained, damping / 10
            if gained <= 1e-12 * cost:
                break
        return wave

    def _slopes(self, z: np.ndarray) -> np.ndarray:
        """Give the derivatives by the four parameters, shape (n, 4)."""
        angle = 2 * np.pi * self._phase(z)
        turn = 2 * np.pi * self.p[0] * np.cos(angle)
        f, bend = self.p[2], self.p[3]
        by_f = self.cycles(1.0, bend, z)
        small = 1e-6 * max(abs(bend), 1.0)
        by_bend = (self.cycles(f, bend + small, z) - self.cycles(f, bend - small, z)) / (
            2 * small
        )
        if self.cycles is _linear:
            by_f, by_bend = z, z**2 / 2
        return np.stack([np.sin(angle), turn, turn * by_f, turn * by_bend], axis=1)


def _linear(f: float, bend: float, z: np.ndarray) -> np.ndarray:
    """Cycles of a frequency that moves linearly from f, by `bend` per unit of time."""
    return f * z + bend / 2 * z**2


def _exponential(f: float, bend: float, z: np.ndarray) -> np.ndarray:
    """Cycles of a frequency f exp(bend z)."""
    return f * (np.expm1(bend * z) / bend if abs(bend) > 1e-9 else z)


def _counted(y: np.ndarray, noise: float) -> np.ndarray:
    """Crossings of means of so many samples that their noise is a hundredth of the range."""
    wanted = (100 * noise / max(float(np.ptp(y)), 1e-300)) ** 2
    block = int(np.clip(np.ceil(wanted), 1, max(1, min(_SMOOTH, y.size // 100))))
    means = y[: y.size // block * block].reshape(-1, block).mean(axis=1)
    return crossings(means, 0.1) * block + (block - 1) / 2


def _guesses(
    x: np.ndarray,
) -> list[tuple[Callable[[float, float, np.ndarray], np.ndarray], list[float]]]:
    """Cycles as functions of time, and the parameters that the crossings give them."""
    half = np.arange(1, x.size + 1) / 2
    degree = min(2, x.size - 1)
    poly = np.r_[np.zeros(2 - degree), np.polyfit(x, half, degree)]
    guesses: list[tuple[Callable[[float, float, np.ndarray], np.ndarray], list[float]]] = [
        (_linear, [float(poly[2]), float(poly[1]), 2 * float(poly[0])])
    ]
    if x.size >= 4:
        rates, middles = np.diff(half) / np.diff(x), (x[1:] + x[:-1]) / 2
        slope, log_f = (float(v) for v in np.polyfit(middles, np.log(rates), 1))
        f = float(np.exp(log_f))
        phase = float(half[0] - _exponential(f, slope, x[:1])[0])
        guesses.append((_exponential, [phase, f, slope]))
    return guesses


def crossings(y: np.ndarray, band: float) -> np.ndarray:
    """Points where samples change sign; returns within `band` of their size do not count."""
    low = band * float(np.quantile(np.abs(y), 0.95))
    outside = np.flatnonzero(np.abs(y) > low)
    sign = np.sign(y[outside])
    turn = np.flatnonzero(sign[1:] != sign[:-1])
    a, b = outside[turn], outside[turn + 1]
    return a + (b - a) * np.abs(y[a]) / (np.abs(y[a]) + np.abs(y[b]))

"""Deflections of single sweeps, each from the level from which its own step starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.estimate import Estimate, stated

if TYPE_CHECKING:
    from cleo_like.features.passive.joint.bins import Bins
    from cleo_like.features.passive.joint.circuit import Circuit
    from cleo_like.features.passive.joint.fit import Problem
    from cleo_like.features.passive.joint.response import Geometry

_SETTLED = 3e-3  # of the end of the response
_LEAST, _MOST = 0.1, 0.6  # of the step: limits of the steady window
_SHORTEST = 0.03  # s: least steady window
_NO_CURRENT = 0.5  # pA
_PEAK = 0.35  # of the time of the peak: half width of the window about it
_PEAK_LIMITS = (2e-3, 30e-3)  # s
_SCALARS = ("reached", "reached_end", "sag_before", "reached_error")
_STEP = 1e-4  # relative, of numerical derivatives
_CURVED = 0.01  # p of the F test for rectification
_LEVELS = 3  # sweeps that the noise of the levels counts as in that test


@attrs.frozen(kw_only=True, eq=False)
class Deflections:
    """What each sweep's own step does.

    Parameters
    ----------
    amplitude : array, shape (n_sweeps,)
        Step (pA) relative to the first level of the sweep.
    steady, peak : arrays, shape (n_sweeps,)
        Deflections (mV) at the end of the step and at its peak.
    noise, peak_noise : arrays, shape (n_sweeps,)
        Standard errors (mV) of both that the noise of the sweep explains.
    sag_noise : array, shape (n_sweeps,)
        Standard error of `sag`, in which the level before the step nearly cancels.
    peak_potential : array, shape (n_sweeps,)
        Mean potential (mV) about the peak.
    reached, reached_end : float
        Parts of the final response that are there in the steady window, and in the last
        30 ms of the step.
    sag_before : float
        Sag times the response to what was before the step, over that to the largest step.
    reached_error : float
        Its standard error: as uncertain as the time constants are.
    """

    amplitude: np.ndarray
    steady: np.ndarray
    peak: np.ndarray
    noise: np.ndarray
    peak_noise: np.ndarray
    sag_noise: np.ndarray
    peak_potential: np.ndarray
    reached: float
    reached_end: float
    sag_before: float
    reached_error: float

    @property
    def sag(self) -> np.ndarray:
        """1 - mean deflection of the last 30 ms / that of the peak, of each sweep."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1 - self.steady * self.reached_end / self.reached / self.peak

    def take(self, rows: np.ndarray) -> Deflections:
        """Give some of the sweeps."""
        parts = {
            field.name: getattr(self, field.name)[rows]
            for field in attrs.fields(type(self)) if field.name not in _SCALARS
        }  # fmt: skip
        return attrs.evolve(self, **parts)


def deflections(problem: Problem, circuit: Circuit) -> Deflections:
    """Measure every sweep against the fitted response to what came before its step."""
    bins, geometry = problem.bins, problem.geometry
    last = geometry.currents.shape[1] - 1
    earlier = curve(circuit, geometry.before(last), electrode=True)
    rest = bins.mean - earlier
    amplitude = geometry.currents[:, -1]
    before, within = bins.part < last, bins.part == last
    level, level_weight = _mean(rest, bins.weight * before)
    away = rest - level[:, None]
    away -= 1e-3 * circuit.series * np.outer(amplitude, within)
    unit = curve(circuit, geometry.step_alone())[0]
    variance = circuit.fit.variance
    steady, peak = _windows(problem, circuit, unit)
    d_steady, w_steady = _mean(away, bins.weight * steady)
    d_peak, w_peak = _mean(away, bins.weight * peak)
    widths = bins.widths
    reached = _share(unit, widths * steady, circuit)
    share = (
        _share(unit, widths * peak, circuit, at_peak=True) if circuit.kind == "gate" else 1.0
    )
    with np.errstate(divide="ignore"):
        noise = np.sqrt(variance * (1 / w_steady + 1 / level_weight))
        peak_noise = np.sqrt(variance * (1 / w_peak + 1 / level_weight)) / share
    with np.errstate(divide="ignore", invalid="ignore"):
        rest_of = d_steady / d_peak * share  # 1 - sag, but for the shape of the windows
        sag_noise = np.sqrt(
            variance * (1 / w_steady + rest_of**2 / w_peak + (1 - rest_of) ** 2 / level_weight)
        ) / np.abs(d_peak)
    potential, _ = _mean(bins.mean, bins.weight * peak)
    return Deflections(
        amplitude=amplitude,
        steady=d_steady,
        peak=d_peak / share if circuit.kind == "gate" else d_steady,
        noise=noise,
        peak_noise=peak_noise,
        sag_noise=sag_noise,
        peak_potential=potential,
        reached=reached,
        reached_end=_share(unit, widths * _end(bins, geometry.rate), circuit)
        if circuit.kind == "gate"
        else reached,
        sag_before=_before(problem, circuit, earlier),
        reached_error=_reached_error(problem, circuit, widths * steady, reached),
    )


def _before(problem: Problem, circuit: Circuit, earlier: np.ndarray) -> float:
    """Sag times the response at the start of the step over that to the largest step."""
    if circuit.kind != "gate":  # the peak is the end
        return 0.0
    currents, bins = problem.geometry.currents, problem.bins
    start = np.flatnonzero(bins.part == currents.shape[1] - 1)[0]
    peak = 1e-3 * circuit.values["peak"] * np.abs(currents[:, -1]).max(initial=0.0)
    sag = 1 - circuit.values["resistance"] / circuit.values["peak"]
    return float(sag * min(np.abs(earlier[:, start]).max() / peak, 1.0)) if peak > 0 else 0.0


def _end(bins: Bins, rate: float) -> np.ndarray:
    """Bins of the last 30 ms of the step."""
    within = bins.part == bins.part[-1]
    return within & (bins.starts >= bins.stops[-1] - max(_SHORTEST * rate, bins.widths[-1]))


def _reached_error(
    problem: Problem, circuit: Circuit, weight: np.ndarray, reached: float
) -> float:
    """Error of the part that is reached, by its derivatives; 0 where all is reached."""
    if abs(1 - reached) < _SETTLED:
        return 0.0
    fit, alone = circuit.fit, problem.geometry.step_alone()
    n = fit.order
    gradient = np.zeros(2 * n + 1)
    for k in [*range(n), *range(n + 1, 2 * n + 1)]:
        p = np.concatenate((fit.shape, [fit.delay], fit.weights))
        step = _STEP if k < n else _STEP * float(np.abs(fit.weights).max())
        p[k] += step
        moved = circuit.moved(p[:n], p[n + 1 :])
        there = _share(curve(moved, alone)[0], weight, moved)
        gradient[k] = (there - reached) / step
    return fit.error(gradient)


def curve(circuit: Circuit, geometry: Geometry, *, electrode: bool = False) -> np.ndarray:
    """Fitted response (mV) of the membrane, or of membrane and electrode."""
    taus, resistances = circuit.exponentials(electrode=electrode)
    delay = circuit.delay(electrode=electrode)
    parts = [
        1e-3 * (r * geometry.value(tau, delay)).real
        for tau, r in zip(taus.tolist(), resistances.tolist(), strict=True)
    ]
    return np.sum(parts, axis=0)


def _mean(x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean of each sweep and its weight."""
    total = weight.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (x * weight).sum(axis=1) / total, total


def _windows(
    problem: Problem, circuit: Circuit, unit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bins of the steady state and of the peak."""
    bins, rate = problem.bins, problem.geometry.rate
    within = bins.part == bins.part[-1]
    first = bins.starts[within][0] - bins.since[within][0]
    length = bins.stops[-1] - first
    moving = within & (np.abs(unit - unit[-1]) > _SETTLED * abs(unit[-1]))
    settled = bins.stops[moving].max(initial=first)
    least = bins.stops[-1] - max(_LEAST * length, min(_SHORTEST * rate, _MOST * length))
    begin = min(max(settled, bins.stops[-1] - _MOST * length), least)
    middle = (bins.starts + bins.stops) / 2
    steady = within & (middle >= begin)
    top = circuit.peak_time() * rate
    if not top < length:
        return steady, steady
    narrowest, widest = (x * rate for x in _PEAK_LIMITS)
    half = min(max(_PEAK * top, narrowest), widest)
    peak = within & (np.abs(middle - first - top) <= half)
    return steady, peak if peak.any() else steady


def _share(
    unit: np.ndarray, weight: np.ndarray, circuit: Circuit, *, at_peak: bool = False
) -> float:
    """Mean of the fitted curve over a window, over its peak or its end."""
    whole = circuit.values["peak" if at_peak else "resistance"] * 1e-3
    return float((unit * weight).sum() / weight.sum() / whole)


def chord(
    problem: Problem, circuit: Circuit, part: int, rows: np.ndarray, when: tuple[float, float]
) -> Estimate:
    """Deflection over current (MOhm) of one plateau, some samples after its start.

    Parameters
    ----------
    part : int
        Number of edges before the plateau.
    rows : array of int
        Sweeps.
    when : tuple of float
        First and last sample after the start of the plateau.
    """
    bins, geometry = problem.bins, problem.geometry
    earlier = geometry.before(part)
    rest = bins.mean - curve(circuit, earlier, electrode=True)
    level, level_weight = _mean(rest, bins.weight * (bins.part < part))
    within = (bins.part == part) & (bins.since >= when[0]) & (bins.since < when[1])
    deflection, weight = _mean(rest - level[:, None], bins.weight * within)
    amplitude = geometry.currents[:, part]
    with np.errstate(divide="ignore"):
        noise = np.sqrt(circuit.fit.variance * (1 / weight + 1 / level_weight))
    use = np.zeros(amplitude.size, dtype=bool)
    use[rows] = True
    use &= np.isfinite(deflection) & np.isfinite(noise) & (np.abs(amplitude) > _NO_CURRENT)
    if not use.any():
        return Estimate()
    return slope(amplitude[use], deflection[use], noise[use])


def slope(amplitude: np.ndarray, deflection: np.ndarray, noise: np.ndarray) -> Estimate:
    """Resistance (MOhm): the line through the origin of deflections (mV) on steps (pA)."""
    power = float(amplitude @ amplitude)
    value = float(amplitude @ deflection) / power
    floor = float(np.sqrt(((amplitude * noise) ** 2).sum())) / power
    scatter, freedom = 0.0, amplitude.size - 1
    if freedom > 0:
        left = deflection - value * amplitude
        scatter = float(np.sqrt(left @ left / freedom / power))
    return stated(1e3 * value, 1e3 * floor, 1e3 * scatter, freedom)


def level_noise(problem: Problem, circuit: Circuit) -> float:
    """Error (mV) of a deflection by what the level before the step does by itself.

    From the difference of its two halves in each sweep: their scatter, which 1/f noise has at
    all times alike, and what they have in common, a drift, which grows with the time between
    level and deflection. The residual in the step has also what the model does not fit.
    """
    bins = problem.bins
    last = problem.geometry.currents.shape[1] - 1
    before = (bins.part < last) & (bins.weight > 0)
    middle = (bins.starts + bins.stops) / 2
    centre = float(np.median(middle[before.any(axis=0)]))
    halves = [
        _mean(circuit.fit.residual, bins.weight * (before & side))[0]
        for side in (middle > centre, middle <= centre)
    ]
    apart = halves[0] - halves[1]
    apart = apart[np.isfinite(apart)]
    if apart.size < 2:
        return float("nan")
    own, late = middle[before.any(axis=0)], middle[bins.part == last]
    longer = (late.max() - own.mean()) / max((own.max() - own.min()) / 2, 1e-300)
    return float(np.hypot(apart.std(ddof=1), longer * apart.mean()))


def rectification(amplitude: np.ndarray, deflection: np.ndarray, noise: float) -> float | None:
    """Resistance (MOhm) at 0 pA where the deflections are no straight line, else None.

    Terms in the square, or square and cube, of the current must improve the line (F test,
    p < 0.01 for both together). Some six sweeps leave little to tell the noise from; so what
    the levels tell counts too, like three sweeps (moderated variance: Smyth 2004,
    doi:10.2202/1544-6115.1027).

    Parameters
    ----------
    amplitude : array
        Steps (pA).
    deflection : array
        Deflections (mV).
    noise : float
        Their error by the noise (mV), see `level_noise`.
    """
    from scipy import special

    steps = np.unique(amplitude[amplitude != 0]).size
    if steps < 3 or amplitude.size < 4 or not np.isfinite(noise):
        return None
    x = amplitude / np.abs(amplitude).max()
    line = deflection - x * (x @ deflection) / (x @ x)
    known = _LEVELS * noise**2
    best, at_rest = _CURVED / 2, None
    for order in (2, 3):
        freedom = amplitude.size - order
        if steps <= order or freedom < 1:
            continue
        design = x[:, None] ** np.arange(1, order + 1)
        found, *_ = np.linalg.lstsq(design, deflection, rcond=None)
        left = deflection - design @ found
        variance = (known + left @ left) / (_LEVELS + freedom)
        if not variance > 0:
            continue
        f = max(float(line @ line - left @ left), 0.0) / (order - 1) / variance
        p = float(special.fdtrc(order - 1, _LEVELS + freedom, f))
        if p < best:
            best, at_rest = p, float(1e3 * found[0] / np.abs(amplitude).max())
    return at_rest

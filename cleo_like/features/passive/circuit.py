"""What one or two exponentials mean: a membrane, one with a slow gate, one with an electrode.

The linearised membrane with one slow gate has the impedance (s + z) / (C (s + p1) (s + p2))
(Hutcheon & Yarom 2000, doi:10.1016/S0166-2236(00)01547-2; Koch 1999, Biophysics of Computation,
ch. 10); its step response are two exponentials of 1/p1 and 1/p2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.features.passive.fit import Fit, Problem

Kind = Literal["passive", "gate", "electrode", "cable", "none"]
_ELECTRODE = 1e-3  # s: no membrane of a cell is so fast, electrodes are
_ENTRY = 6.0  # gain (in chi square) below which a second exponential is no question
_FLOOR = 2e-3  # of the largest deflection: no misfit below this asks for an exponential
_SMALL = 1e-4  # relative step of numerical derivatives

# resistances are those of the end of the response and of its peak
_NAMES = ("resistance", "peak", "tau", "capacitance", "instantaneous", "gate_tau", "series")


@attrs.frozen(kw_only=True)
class Circuit:
    """The accepted fit and its meaning.

    Parameters
    ----------
    fit : Fit
        One or two exponentials.
    kind : str
        "passive" (one exponential), "gate" (sag), "electrode" (the faster one is no membrane),
        "cable" (two of the same sign).
    values : mapping of str to float
        ``resistance`` (MOhm, at the end), ``peak`` (MOhm), ``tau`` (s), ``capacitance`` (pF),
        ``instantaneous`` (MOhm), ``gate_tau`` (s), ``series`` (MOhm); NaN where not defined.
    errors : mapping of str to float
        Their standard errors.
    doubts : mapping of str to float
        What a second exponential that was not quite rejected would change (it is in the errors),
        also of ``sag``.
    """

    fit: Fit
    kind: Kind
    values: dict[str, float]
    errors: dict[str, float]
    doubts: dict[str, float] = attrs.field(factory=dict)

    @property
    def members(self) -> np.ndarray:
        """Which of the exponentials are of the membrane."""
        if self.kind == "electrode":
            return np.arange(self.fit.order) > 0
        return np.ones(self.fit.order, dtype=bool)

    def peak_time(self) -> float:
        """Time (s) of the peak after the start of a step; infinite where there is none."""
        if self.kind != "gate":
            return np.inf
        (t1, t2), (r1, r2) = self.fit.taus, self.fit.resistances
        return float(np.log(-r1 * t2 / (r2 * t1)) / (1 / t1 - 1 / t2))


def circuit_of(problem: Problem) -> Circuit:
    """Choose between one and two exponentials.

    The second is accepted where it lowers the sum of squares of the independent bins by more than
    twice the logarithm of their number plus 6, and means something.
    """
    one_start, two_start = problem.starts()
    one = problem.solve(one_start)
    first = _meaning(one)
    floor = problem.n * _mean_weight(problem) * (_FLOOR * _largest(problem, one)) ** 2
    left = max(one.squares - problem.gain(one), 0.0)
    if one.effective * np.log((one.squares + floor) / (left + floor)) < _ENTRY:
        return first
    two = problem.solve(two_start, one.delay)
    better = two.effective * float(np.log((one.squares + floor) / (two.squares + floor)))
    asked = 2 * np.log(two.effective) + _ENTRY
    second = _meaning(two)
    if second.kind == "none":
        return first
    if better > asked:
        return second
    return _doubted(first, second, max(0.0, (better - _ENTRY) / (asked - _ENTRY)))


def _doubted(first: Circuit, second: Circuit, doubt: float) -> Circuit:
    """Add to the errors what the rejected exponential would change, as far as it is likely."""
    errors, doubts = dict(first.errors), {}
    for name, value in first.values.items():
        away = doubt * abs(second.values[name] - value)
        if np.isfinite(away):
            errors[name], doubts[name] = float(np.hypot(errors[name], away)), away
    if second.kind == "gate":
        doubts["sag"] = doubt * (1 - second.values["resistance"] / second.values["peak"])
    return attrs.evolve(first, errors=errors, doubts=doubts)


def _mean_weight(problem: Problem) -> float:
    weight = problem.bins.weight
    return float(weight.sum() / max((weight > 0).sum(), 1))


def _largest(problem: Problem, fit: Fit) -> float:
    """Largest deflection (mV) of any bin from the level of its sweep."""
    away = np.abs(problem.bins.mean - fit.levels[:, None])
    return float(away[problem.bins.weight > 0].max(initial=0.0))


def _meaning(fit: Fit) -> Circuit:
    kind = _kind(fit.taus, fit.resistances)
    values = _values(kind, fit.taus, fit.resistances)
    p = np.concatenate((np.log(fit.taus), [fit.delay], fit.resistances))
    n = fit.order
    gradients = np.zeros((len(_NAMES), p.size))
    for k in range(p.size):
        if k == n:
            continue  # the delay itself is in no value
        step = _SMALL if k < n else _SMALL * max(abs(p[k]), 1e-9)
        up, down = p.copy(), p.copy()
        up[k] += step
        down[k] -= step
        high, low = (_values(kind, np.exp(q[:n]), q[n + 1 :]) for q in (up, down))
        gradients[:, k] = [(high[name] - low[name]) / (2 * step) for name in _NAMES]
    errors = {
        name: fit.error(g) if np.isfinite(g).all() else np.nan
        for name, g in zip(_NAMES, gradients, strict=True)
    }
    return Circuit(fit=fit, kind=kind, values=values, errors=errors)


def _kind(taus: np.ndarray, resistances: np.ndarray) -> Kind:
    """Say what the exponentials (the faster first) are."""
    if taus.size == 1:
        return "passive"
    fast, slow = resistances.tolist()
    if taus[0] < _ELECTRODE:
        return "electrode" if slow > 0 and abs(fast) < slow else "none"
    if fast > 0 and slow > 0:
        return "cable"
    if fast > 0 > slow and fast + slow > 0:
        values = _values("gate", taus, resistances)
        if min(values["tau"], values["capacitance"], values["gate_tau"]) > 0:
            return "gate"
    return "none"


def _values(kind: Kind, taus: np.ndarray, resistances: np.ndarray) -> dict[str, float]:
    out = dict.fromkeys(_NAMES, float(np.nan))
    if kind in ("passive", "electrode"):
        tau, r = float(taus[-1]), float(resistances[-1])
        out |= {"resistance": r, "peak": r, "tau": tau, "capacitance": 1e6 * tau / r}
        if kind == "electrode":
            out["series"] = float(resistances[0])
        return out
    total, p = float(resistances.sum()), 1 / taus
    with np.errstate(divide="ignore", invalid="ignore"):
        capacitance = 1 / float(resistances @ p)  # s / MOhm = 1e6 pF
        out |= {"resistance": total, "peak": total, "capacitance": 1e6 * capacitance}
        if kind == "cable":
            out["tau"] = float(taus[1])
            return out
        z = float(p.prod()) * total * capacitance
        tau = 1 / (float(p.sum()) - z)
        peak = np.log(-resistances[0] * p[0] / (resistances[1] * p[1])) / (p[0] - p[1])
        out["peak"] = float(resistances @ (1 - np.exp(-peak * p)))
        out |= {"tau": tau, "instantaneous": tau / capacitance, "gate_tau": 1 / z}
    return out

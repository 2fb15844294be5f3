"""What one or two exponentials mean: a membrane, one with a slow gate, one with an electrode.

The linearised membrane with one slow gate has the impedance (s + z) / (C (s + p1) (s + p2))
(Hutcheon & Yarom 2000, doi:10.1016/S0166-2236(00)01547-2; Koch 1999, Biophysics of Computation,
ch. 10); its step response are two exponentials of 1/p1 and 1/p2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np

from cleo_like.features.passive.joint.basis import exponentials

if TYPE_CHECKING:
    from cleo_like.features.passive.joint.fit import Fit, Problem

Kind = Literal["passive", "gate", "electrode", "cable", "none"]
_PEAK_TIMES = np.concatenate(([0.0], np.geomspace(1e-4, 2.0, 2000)))  # s
_ELECTRODE = 1e-3  # s: no membrane of a cell is so fast, electrodes are
ENTRY = 6.0  # gain (in chi square) below which a second exponential is no question
_ROUGHLY = 4  # steps after which one exponential that fits has been found
_FLOOR = 2e-3  # of the largest deflection: no misfit below this asks for an exponential
_ROUGH = 0.05  # of the resistance of the electrode: error of taking it off
_LARGE = 0.5  # of the final response
_LATE = 1.5  # standard errors of what is known of the delay
_USUAL = 1e-4  # s: error of what is known of the delay of a recording
_JUMPS = 3.0  # standard errors by which a response must begin too early, and jump
_MOMENTS = 6e-4  # s after an edge, at least, that tell of a jump
_BESIDE = 30  # times beside that of the peak; a hundredth of its time moves it by 2
_SMALL = 1e-4  # relative step of numerical derivatives

# resistances are those of the end of the response and of its peak
_GATE = ("resistance", "capacitance", "tau", "instantaneous", "gate_tau")
_NAMES = ("resistance", "peak", "tau", "capacitance", "instantaneous", "gate_tau", "series")


@attrs.frozen(kw_only=True)
class Circuit:
    """The accepted fit and its meaning.

    Parameters
    ----------
    fit : Fit
        One or two exponentials.
    kind : str
        "passive" (one exponential), "gate" (a slow one: sag), "electrode" (the faster one
        is no membrane), "cable" (two of the same sign).
    values : mapping of str to float
        ``resistance`` (MOhm, of the end), ``peak`` (MOhm), ``tau`` (s), ``capacitance`` (pF),
        ``instantaneous`` (MOhm), ``gate_tau`` (s), ``series`` (MOhm); NaN where not defined.
    errors : mapping of str to float
        Their standard errors.
    doubts : mapping of str to float
        What a second exponential that was not quite rejected would change, and a jump that
        is not told from a delay (they are in the errors), also of ``sag``.
    membrane_delay : float, optional
        Where one exponential that begins early is a jump and a membrane: when that begins (s).
    """

    fit: Fit
    kind: Kind
    values: dict[str, float]
    errors: dict[str, float]
    doubts: dict[str, float] = attrs.field(factory=dict)
    membrane_delay: float | None = None

    def exponentials(self, *, electrode: bool) -> tuple[np.ndarray, np.ndarray]:
        """Time constants (s) and resistances (MOhm), of the electrode too if asked."""
        taus, resistances = self.fit.exponentials()
        if electrode or self.kind != "electrode":
            return taus, resistances
        if self.membrane_delay is not None:
            return taus, resistances - self.series
        return taus[1:], resistances[1:]

    def delay(self, *, electrode: bool) -> float:
        """When these exponentials begin (s)."""
        late = self.membrane_delay
        return self.fit.delay if electrode or late is None else late

    @property
    def series(self) -> float:
        """Resistance (MOhm) that is the electrode's."""
        return self.values["series"] if self.kind == "electrode" else 0.0

    def moved(self, shape: np.ndarray, weights: np.ndarray) -> Circuit:
        """Give the circuit of the same kind at other parameters."""
        fit = attrs.evolve(self.fit, shape=shape, weights=weights)
        return attrs.evolve(self, fit=fit, values=_values(self.kind, shape, weights))

    def peak_time(self) -> float:
        """Time (s) of the peak after the start of a step; infinite where there is none."""
        if self.kind != "gate":
            return np.inf
        course = _course(*self.fit.exponentials())
        top = int(course.argmax())
        return float(_PEAK_TIMES[top]) if top < course.size - 1 else np.inf


def circuit_of(problem: Problem) -> Circuit:
    """Choose between one and two exponentials.

    The second is accepted where it lowers the sum of squares of the independent bins by more
    than twice the logarithm of their number plus 6, and means something.
    """
    one_start, two_start = problem.starts()
    one = problem.solve(one_start, steps=_ROUGHLY)
    if not one.settled:
        second = _plainly_two(problem, one, two_start)
        if second is not None:
            return second
        one = problem.solve([float(np.exp(one.shape[0]))], one.delay)
    floor = _floor(problem, one)
    left = max(one.squares - problem.gain(one), 0.0)
    odd = _odd(problem, one)
    if not odd and one.effective * np.log((one.squares + floor) / (left + floor)) < ENTRY:
        return _single(problem, one)
    two = problem.solve(two_start, problem.delay.expected if odd else one.delay)
    if odd and _odd(problem, two):  # still too late: perhaps an electrode answers at once
        other = problem.solve([_ELECTRODE / 4, float(np.exp(one.shape[0]))])
        two = min(two, other, key=lambda fit: fit.squares)
    better, asked = _better(one.squares, two, floor)
    second = _meaning(two)
    if second.kind == "none":
        return _single(problem, one)
    if better > asked:
        return second
    found = _single(problem, one)
    return _doubted(found, second, max(0.0, (better - ENTRY) / (asked - ENTRY)))


def _plainly_two(problem: Problem, one: Fit, start: list[float]) -> Circuit | None:
    """Give the circuit of two exponentials where one is out of the question.

    One that does not fit is found slowly, and need not be found: were even half of what it
    leaves to go by further steps, the second would be accepted.
    """
    two = problem.solve(start, problem.delay.expected if _odd(problem, one) else one.delay)
    better, asked = _better(one.squares / 2, two, _floor(problem, one))
    if _odd(problem, two) or not better > asked:
        return None
    second = _meaning(two)
    return None if second.kind == "none" else second


def _better(left: float, two: Fit, floor: float) -> tuple[float, float]:
    """Give how much better two exponentials are than one that leaves so much, and must be."""
    better = two.effective * float(np.log((left + floor) / (two.squares + floor)))
    return better, 2 * float(np.log(two.effective)) + ENTRY


def _floor(problem: Problem, one: Fit) -> float:
    """Sum of squares (mV^2) that asks for no further exponential."""
    return problem.n * _mean_weight(problem) * (_FLOOR * _largest(problem, one)) ** 2


def _odd(problem: Problem, fit: Fit) -> bool:
    """Whether no recording is so late as this fit has it."""
    return abs(fit.delay - problem.delay.expected) > _LATE * problem.delay.error


def _single(problem: Problem, one: Fit) -> Circuit:
    """Give the meaning of one exponential, which may begin before the current changes.

    No cell answers beforehand. A bridge out of balance makes a jump and the same exponential
    at the usual delay, a dendrite a first part that is only faster: the moments after the
    edges tell which.
    """
    found = _meaning(one)
    tau, w = float(np.exp(one.shape[0])), float(one.weights[0])
    own = one.error(np.array([0.0, 1.0, 0.0]))
    away = one.delay - problem.delay.expected
    if not away < 0:
        return found
    jump, error = _jump(problem, one, tau, w)
    if away < -_JUMPS * float(np.hypot(_USUAL, own)) and jump > _JUMPS * error:
        return _with_electrode(found, jump, error, problem.delay.expected)
    early = -one.delay - 2 * own
    if early <= 0:
        return found
    doubt = min(float(np.hypot(max(jump, 0.0), error)), abs(w) * early / tau) / abs(w)
    errors, doubts = dict(found.errors), dict(found.doubts)
    for name in ("resistance", "peak", "capacitance"):
        doubts[name] = abs(found.values[name]) * doubt
        errors[name] = float(np.hypot(errors[name], doubts[name]))
    return attrs.evolve(found, errors=errors, doubts=doubts)


def _jump(problem: Problem, one: Fit, tau: float, w: float) -> tuple[float, float]:
    """Measure what answers at once (MOhm), and its error, by a line through the first moments.

    What one exponential leaves there, by the jump that it has at the usual delay.
    """
    bins, geometry = problem.bins, problem.geometry
    late = (bins.since + bins.widths / 2) / geometry.rate - problem.delay.expected
    near = (bins.part > 0) & (late < max(tau / 8, _MOMENTS))
    edge = 1e-3 * np.diff(geometry.currents, axis=1, prepend=0.0)[:, bins.part[near]]
    weight = bins.weight[:, near]
    x = np.stack((edge, edge * late[near])).reshape(2, -1)
    normal = (x * weight.ravel()) @ x.T
    if not np.linalg.det(normal) > 0:
        return 0.0, float(np.inf)
    inverse = np.linalg.inv(normal)
    added = inverse @ ((x * weight.ravel()) @ one.residual[:, near].ravel())
    left = one.residual[:, near].ravel() - added @ x
    spread = float(weight.ravel() @ left**2) / max(int(np.count_nonzero(weight)) - 2, 1)
    error = float(np.sqrt(max(spread, one.variance) * inverse[0, 0]))
    had = w * (1 - float(np.exp((one.delay - problem.delay.expected) / tau)))
    return had + float(added[0]), float(np.hypot(error, _USUAL * abs(w) / tau))


def _with_electrode(found: Circuit, jump: float, error: float, delay: float) -> Circuit:
    """Take the jump off the resistance of one exponential."""
    r = found.values["resistance"] - jump
    tau = found.values["tau"]
    values = found.values | {
        "resistance": r, "peak": r, "capacitance": 1e6 * tau / r, "series": jump,
    }  # fmt: skip
    doubts = {"resistance": error, "peak": error, "capacitance": 1e6 * tau / r * error / r}
    errors = found.errors | {"series": error}
    errors |= {name: float(np.hypot(errors[name], d)) for name, d in doubts.items()}
    return attrs.evolve(
        found, kind="electrode", values=values, errors=errors, doubts=doubts,
        membrane_delay=delay,
    )  # fmt: skip


def _doubted(first: Circuit, second: Circuit, doubt: float) -> Circuit:
    """Add to the errors what the rejected exponential would change, as far as it is likely."""
    errors, doubts = dict(first.errors), dict(first.doubts)
    for name, value in first.values.items():
        away = doubt * abs(second.values[name] - value)
        if np.isfinite(away):
            errors[name] = float(np.hypot(errors[name], away))
            doubts[name] = float(np.hypot(doubts.get(name, 0.0), away))
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


def _course(
    taus: np.ndarray, resistances: np.ndarray, about: slice = slice(None)
) -> np.ndarray:
    """Step response (MOhm) at the times, or some of them, at which a peak is looked for."""
    t = _PEAK_TIMES[about]
    return (resistances @ (1 - np.exp(-np.multiply.outer(1 / taus, t)))).real


def _meaning(fit: Fit) -> Circuit:
    taus, resistances = fit.exponentials()
    kind = _kind(taus, resistances)
    n = fit.order
    values = _values(kind, fit.shape, fit.weights)
    # where the peak is, so that it is not looked for at all times for each derivative
    top = int(_course(taus, resistances).argmax()) if kind == "gate" else 0
    about = slice(max(top - _BESIDE, 0), top + _BESIDE)
    p = np.concatenate((fit.shape, [fit.delay], fit.weights))
    gradients = np.zeros((len(_NAMES), p.size))
    for k in range(p.size):
        if k == n:
            continue  # the delay itself is in no value
        step = _SMALL if k < n else _SMALL * float(np.abs(fit.weights).max())
        up, down = p.copy(), p.copy()
        up[k] += step
        down[k] -= step
        high, low = (_values(kind, q[:n], q[n + 1 :], about) for q in (up, down))
        gradients[:, k] = [(high[name] - low[name]) / (2 * step) for name in _NAMES]
    known = np.isfinite(gradients.sum(axis=1))
    found = fit.errors(np.where(known[:, None], gradients, 0.0))
    errors = {
        name: error if sure else float(np.nan)
        for name, error, sure in zip(_NAMES, found, known.tolist(), strict=True)
    }
    if kind == "electrode":  # an electrode is no exact exponential
        rough = _ROUGH * abs(values["series"])
        errors |= {k: float(np.hypot(errors[k], rough)) for k in ("resistance", "peak")}
    return Circuit(fit=fit, kind=kind, values=values, errors=errors)


def _kind(taus: np.ndarray, resistances: np.ndarray) -> Kind:
    """Say what the exponentials (the faster first) are."""
    if taus.size == 1:
        return "passive"
    if np.isrealobj(taus) and taus[0] < _ELECTRODE:
        fast, slow = resistances.tolist()
        return "electrode" if slow > 0 and abs(fast) < slow else "none"
    gate = _gate(taus, resistances)
    if not min(gate.values()) > 0:
        return "none"
    if gate["instantaneous"] > gate["resistance"]:
        return "gate"
    # both of one sign: a small slow part is a gate that amplifies, a large one the membrane,
    # and the fast one then what flows to other compartments
    return "gate" if resistances[1].real < _LARGE * gate["resistance"] else "cable"


def _gate(taus: np.ndarray, resistances: np.ndarray) -> dict[str, float]:
    """Membrane and gate of two poles and their residues."""
    p, q = (1 / tau for tau in taus.tolist())
    r, s = resistances.tolist()
    total, product, rate = (r + s).real, (p * q).real, (r * p + s * q).real
    if not (rate and total and product):
        return dict.fromkeys(_GATE, float(np.nan)) | {"resistance": total}
    capacitance = 1 / rate  # s / MOhm = 1e6 pF
    z = product * total * capacitance
    left = (p + q).real - z
    tau = 1 / left if left else float(np.inf)
    return {
        "resistance": total, "capacitance": 1e6 * capacitance, "tau": tau,
        "instantaneous": tau / capacitance, "gate_tau": 1 / z,
    }  # fmt: skip


def _values(
    kind: Kind, shape: np.ndarray, weights: np.ndarray, about: slice = slice(None)
) -> dict[str, float]:
    taus, resistances = exponentials(shape, weights)
    out = dict.fromkeys(_NAMES, float(np.nan))
    if kind in ("passive", "electrode"):
        tau, r = float(taus[-1].real), float(resistances[-1].real)
        out |= {
            "resistance": r,
            "peak": r,
            "tau": tau,
            "capacitance": 1e6 * tau / r if r else np.nan,
        }
        if kind == "electrode":
            out["series"] = float(resistances[0].real)
        return out
    out |= _gate(taus, resistances)
    out["peak"] = out["resistance"]
    if kind == "gate":
        out["peak"] = max(float(_course(taus, resistances, about).max()), out["peak"])
    elif kind == "cable":
        out |= {"tau": float(taus[-1].real), "instantaneous": np.nan, "gate_tau": np.nan}
    return out

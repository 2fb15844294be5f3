"""Time constants and capacitance of a fitted family."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.features.estimate import MODEL, Estimate
from cleo_like.features.passive.joint.basis import LONGEST
from cleo_like.features.passive.joint.fit import Problem

if TYPE_CHECKING:
    from cleo_like.features.passive.family import Found
    from cleo_like.features.passive.joint.fit import Fit

NAMES = (
    "tau", "capacitance", "tau_effective", "instantaneous_input_resistance",
    "sag_time_constant",
)  # fmt: skip
_WIDE = 1.96  # a 95 % interval as wide as the value: half of it exceeds the value
_SHORTEST = 2e-4  # s: electrodes answer so fast, and the first samples are left out
_EARLY = 5.0  # times what is left out after an edge: a shorter tau has no early part
_CONFLICT = 2.0  # standard errors
_MODELS = 0.7  # of the difference between two models: error of having chosen one
_SMALL_SAG = 0.05  # at which that is half as much


def checked(value: float, error: float, what: str) -> Estimate:
    """Give the value, or the reason why its error leaves nothing of it."""
    error = float(np.hypot(error, MODEL * value))
    if not np.isfinite(value):
        return Estimate(reason=f"{what} is not defined for this response")
    if not (value > 0 and 2 * _WIDE * error < value):
        return Estimate(reason=f"{what} {value:.3g} +- {_WIDE * error:.2g} (95 %): not known")
    return Estimate(value=value, error=error)


def times(found: Found) -> tuple[dict[str, Estimate], np.ndarray]:
    """Give the values of `NAMES`, and the time constant (s) of each sweep by itself.

    That is NaN without a hyperpolarising step, and where the noise leaves nothing of it.
    """
    problem, one = _one(found)
    return _values(found, one), _single(found, problem, one)


def _values(found: Found, one: Fit) -> dict[str, Estimate]:
    circuit = found.circuit
    values, errors = circuit.values, dict(circuit.errors)
    if not _SHORTEST < values["tau"] < LONGEST * 0.99:
        outside = Estimate(reason="the time constant lies outside 0.2 ms to 1 s")
        return dict.fromkeys(NAMES, outside)
    _add_early(found, errors)
    _add_model(found, one, errors)
    out = {
        "tau": checked(values["tau"], errors["tau"], "a time constant (s) of"),
        "capacitance": checked(
            values["capacitance"], errors["capacitance"], "a capacitance (pF) of"
        ),
        "tau_effective": _effective(one),
    }
    why = "the potential sags no more than the noise lets see"
    for name, key in (
        ("instantaneous_input_resistance", "instantaneous"), ("sag_time_constant", "gate_tau"),
    ):  # fmt: skip
        if circuit.kind == "gate":
            out[name] = checked(values[key], errors[key], f"a {name} of")
        else:
            out[name] = Estimate(reason=why)
    return out


def _add_early(found: Found, errors: dict[str, float]) -> None:
    """Add to the errors what the first tau after the edges says differently.

    A rectifying cell is no RC circuit: over the whole step its time constant and capacitance
    come out wrong by some percent, less by the start alone.
    """
    circuit, problem = found.circuit, found.problem
    tau = circuit.values["tau"]
    if circuit.kind != "passive" or tau < _EARLY * found.mask:
        return
    shape, weights, early = _until(problem, tau).nearby(circuit.fit)
    own_tau, r = float(np.exp(shape[0])), float(weights[0])
    for name, value, gradient in (
        ("tau", own_tau, [1.0, 0.0, 0.0]),
        ("capacitance", 1e6 * own_tau / r, [1.0, 0.0, -1 / r]),
    ):
        own = abs(value) * early.error(np.array(gradient))
        away = abs(value - circuit.values[name])
        if away > _CONFLICT * own:
            errors[name] = float(np.hypot(errors[name], away))


def _add_model(found: Found, one: Fit, errors: dict[str, float]) -> None:
    """Add to the error of tau what the choice of the model decides.

    Potassium gates as fast as the membrane make a sag as well; where it is small, one gate
    that is slow is a bad model of them, and tau lies between its answer and that of one
    exponential, or beyond (stuttering: 3.4 and 3.8 ms, 3.9 with all gates held).
    """
    circuit = found.circuit
    if circuit.kind != "gate":
        return
    values = circuit.values
    sag = 1 - values["resistance"] / values["peak"]
    away = abs(values["tau"] - float(np.exp(one.shape[0])))
    share = _MODELS * _SMALL_SAG / (_SMALL_SAG + max(sag, 0.0))
    errors["tau"] = float(np.hypot(errors["tau"], share * away))


def _until(problem: Problem, time: float) -> Problem:
    """Leave out what is later than this time (s) after the last edge."""
    bins, rate = problem.bins, problem.geometry.rate
    late = (bins.part > 0) & (bins.since > time * rate)
    return Problem(bins.without(late), problem.geometry, problem.delay)


def _one(found: Found) -> tuple[Problem, Fit]:
    """One exponential up to the peak."""
    circuit = found.circuit
    problem = found.problem
    if circuit.kind == "gate":
        problem = _until(problem, circuit.peak_time())
    if circuit.kind == "passive":
        return problem, circuit.fit
    return problem, problem.solve([circuit.values["tau"]], circuit.fit.delay)


def _effective(fit: Fit) -> Estimate:
    tau = float(np.exp(fit.shape[0]))
    return checked(tau, tau * fit.error(np.array([1.0, 0, 0])), "an effective tau (s) of")


def _single(found: Found, problem: Problem, fit: Fit) -> np.ndarray:
    family = found.family
    out = np.full(family.stack.n_sweeps, np.nan)
    taus, errors = problem.single_taus(float(np.exp(fit.shape[0])), fit.delay)
    sure = (2 * _WIDE * errors < 1) & (taus > _SHORTEST) & (taus < LONGEST * 0.99)
    rows = family.down[sure[family.down]]
    out[family.rows[rows]] = taus[rows]
    return out

"""The resistances of a fitted family, compared with each other and with a constant pulse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.estimate import MODEL, Estimate, stated
from cleo_like.features.passive.deflections import (
    chord,
    curve,
    level_noise,
    rectification,
    slope,
)
from cleo_like.features.passive.family import NO_SWEEP
from cleo_like.features.passive.times import checked

if TYPE_CHECKING:
    from cleo_like.features.passive.deflections import Deflections
    from cleo_like.features.passive.family import Found
    from cleo_like.features.passive.joint.circuit import Circuit

NAMES = ("input_resistance", "peak_input_resistance", "steady_state_input_resistance")
_SURE = 3.0  # standard errors
_APART = 0.1  # resistances that differ by less agree whatever their errors
_OPENED = 0.1  # of the sag: error of a peak whose gate an earlier pulse has opened
_EXTRAPOLATED = 0.25  # of the way from the steps to rest: error of going it
_END = 0.3  # of a pulse: taken for its end
_REACHED = 0.5  # of the final response: what ends earlier is not extrapolated


@attrs.frozen(kw_only=True)
class Resistances:
    """Estimates by name, what is to be said of them, and whether they contradict."""

    values: dict[str, Estimate]
    notes: tuple[str, ...] = ()
    conflict: str = ""


def resistances(found: Found, steps: Deflections | None) -> Resistances:
    """Give the three resistances, that of the pulse alone, and that at rest.

    Parameters
    ----------
    found : Found
        The fit.
    steps : Deflections or None
        Of the sweeps with a hyperpolarising step (and those of 0 pA); None if there are none.
    """
    circuit = found.circuit
    pulse = _pulse(found)
    when = _when(found)
    fitted = checked(circuit.values["peak"], circuit.errors["peak"], "a resistance (MOhm) of")
    final = checked(
        circuit.values["resistance"], circuit.errors["resistance"], "a resistance (MOhm) of"
    )
    out = {"pulse_input_resistance": pulse, "rest_input_resistance": Estimate(reason=_STRAIGHT)}
    if steps is None:
        values = dict.fromkeys(NAMES, fitted) | {
            "steady_state_input_resistance": final,
            "rest_input_resistance": Estimate(reason=NO_SWEEP),
        }
        note = f"input_resistance, tau and capacitance from the constant pulse at {when}"
        return Resistances(values=out | values, notes=(note,))
    if steps.reached < _REACHED:
        why = f"the step ends when {100 * steps.reached:.2g} % of the response are reached"
        return Resistances(values=out | dict.fromkeys(NAMES, Estimate(reason=why)))
    peak, steady = _of_steps(steps, circuit)
    out |= {"peak_input_resistance": peak, "steady_state_input_resistance": steady}
    out["input_resistance"], notes = peak, []
    if pulse.known and circuit.kind != "gate" and fitted.known:
        if _agree(fitted, peak):
            hidden = _hidden(steps, circuit) * fitted.value
            error = float(np.hypot(fitted.error, hidden))
            out["input_resistance"] = attrs.evolve(fitted, error=error)
            notes.append(f"input_resistance and tau also from the constant pulse at {when}")
        else:
            notes.append(f"input_resistance from the steps alone, not the pulse at {when}")
    curved = rectification(steps.amplitude, steps.peak, level_noise(found.problem, circuit))
    if curved is not None:
        far = _EXTRAPOLATED * abs(curved - peak.value)
        out["rest_input_resistance"] = Estimate(
            value=curved, error=float(np.hypot(peak.error, far))
        )
        notes.append(f"the cell rectifies: {curved:.4g} MOhm at 0 pA")
    return Resistances(values=out, notes=tuple(notes), conflict=conflict(found, curved))


_STRAIGHT = "the deflections are a straight line through 0 pA: it is input_resistance"


def _of_steps(steps: Deflections, circuit: Circuit) -> tuple[Estimate, Estimate]:
    """Resistance at the peak and at the end, by the deflections."""
    amplitude = steps.amplitude
    steady = _steady(steps, circuit)
    steady = _doubted(steady, circuit, "resistance")
    sags = circuit.kind == "gate"
    peak = slope(amplitude, steps.peak, steps.peak_noise) if sags else steady
    unseen = _OPENED * steps.sag_before if sags else _hidden(steps, circuit)
    peak = attrs.evolve(peak, error=float(np.hypot(peak.error, unseen * peak.value)))
    what = "a resistance (MOhm) of"
    alone = steps.amplitude.size == 1 or circuit.kind == "electrode"
    out = []
    for found, key in ((_doubted(peak, circuit, "peak"), "peak"), (steady, "resistance")):
        error = max(found.error, circuit.errors[key]) if alone else found.error
        out.append(checked(found.value, error, what))
    return out[0], out[1]


def _steady(steps: Deflections, circuit: Circuit) -> Estimate:
    """Resistance at the end of the step.

    An RC circuit that has not settled is extrapolated, with the error of that. A slow gate is
    not: how it goes on is not known so well, and the missing part is in the error.
    """
    if circuit.kind == "gate":
        found = slope(steps.amplitude, steps.steady, steps.noise)
        missing = abs(found.value * (1 - 1 / steps.reached))
    else:
        found = slope(
            steps.amplitude, steps.steady / steps.reached, steps.noise / steps.reached
        )
        missing = found.value * steps.reached_error / steps.reached
    return attrs.evolve(found, error=float(np.hypot(found.error, missing)))


def _hidden(steps: Deflections, circuit: Circuit) -> float:
    """Sag that slow noise may hide.

    White noise hides none: the second exponential would have been seen. The more the residual
    is correlated, the less it would.
    """
    known = steps.sag_noise[np.isfinite(steps.sag_noise)]
    slow = 1 - circuit.fit.effective / circuit.fit.n
    return float(slow * known.min()) if known.size else 0.0


def _doubted(found: Estimate, circuit: Circuit, key: str) -> Estimate:
    """Add what a second exponential, not quite rejected, would change."""
    return attrs.evolve(found, error=float(np.hypot(found.error, circuit.doubts.get(key, 0.0))))


def _agree(a: Estimate, b: Estimate) -> bool:
    return abs(a.value - b.value) <= max(
        _SURE * float(np.hypot(a.error, b.error)), MODEL * max(a.value, b.value)
    )


def _when(found: Found) -> str:
    ms = 1e3 / found.family.stack.rate
    return " and ".join(f"{a * ms:.4g} to {b * ms:.4g} ms" for a, b in found.family.pulses)


def _pulse(found: Found) -> Estimate:
    """Resistance that the pulses before the step give alone, at the fitted time constants."""
    family, circuit, problem = found.family, found.circuit, found.problem
    if not family.pulses:
        return Estimate(reason="no constant hyperpolarising pulse before the step")
    fit, bins, geometry = circuit.fit, problem.bins, problem.geometry
    last = geometry.currents.shape[1] - 1
    weight = bins.weight * (bins.part < last)
    model = curve(circuit, geometry)
    rest = bins.mean - curve(circuit, geometry, electrode=True) + model
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    x = model - (model * share).sum(axis=1, keepdims=True)
    y = rest - (rest * share).sum(axis=1, keepdims=True)
    power = (weight * x * x).sum(axis=1)
    total = power.sum()
    if not total > 0:
        return Estimate(reason="no constant hyperpolarising pulse before the step")
    scale = float((weight * x * y).sum() / total)
    scores = (weight * x * (y - scale * x)).sum(axis=1)
    n = int((power > 0).sum())
    scatter = float(np.sqrt((scores**2).sum() * n / max(n - 1, 1))) / total if n > 1 else 0.0
    r = circuit.values["peak"]
    found_r = stated(scale * r, r * float(np.sqrt(fit.variance / total)), r * scatter, n - 1)
    return checked(found_r.value, found_r.error, "a resistance (MOhm) of")


def conflict(found: Found, curved: float | None) -> str:
    """Why steps and pulse cannot both be right; "" if they agree.

    Their deflections are compared at the same time after their start, so that no time
    constant is asked. A rectifying cell answers a small pulse otherwise than large steps:
    there the resistance at 0 pA may agree instead.
    """
    pulse, step = _chords(found)
    if not (step.known and pulse.known) or _close(step, pulse):
        return ""
    if curved is not None:
        low, high = sorted((curved, step.value))
        margin = _SURE * pulse.error + _APART * abs(pulse.value)
        if low - margin < pulse.value < high + margin:
            return ""
    return (
        f"the steps give {step.value:.4g} +- {step.error:.2g} MOhm, the constant pulse at "
        f"{_when(found)} gives {pulse.value:.4g} +- {pulse.error:.2g}, at the same time after "
        "their start"
    )


def _chords(found: Found) -> tuple[Estimate, Estimate]:
    """Deflection over current at the end of the longest pulse, and of the steps then."""
    family, problem = found.family, found.problem
    edges = np.concatenate(([family.commands.first], family.commands.edges, [family.stop]))
    lengths = np.diff(edges)
    last = lengths.size - 1
    pulses = [int(np.searchsorted(edges, a)) for a, _ in family.pulses]
    if not pulses or not family.down.size:
        return Estimate(), Estimate()
    longest = max(pulses, key=lambda k: int(lengths[k]))
    end = min(lengths[longest], lengths[last])
    when = ((1 - _END) * end, end)
    every = np.arange(family.rows.size)
    pulse = chord(problem, found.circuit, longest, every, when)
    return pulse, chord(problem, found.circuit, last, family.down, when)


def _close(a: Estimate, b: Estimate) -> bool:
    away = abs(a.value - b.value)
    least = min(abs(a.value), abs(b.value))
    return bool(away <= _SURE * np.hypot(a.error, b.error) or away <= _APART * least)

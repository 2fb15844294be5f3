"""Resistances, time constants, capacitance, sag of a cell: each with its error or a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.estimate import Estimate
from cleo_like.features.passive.deflections import deflections
from cleo_like.features.passive.drift import without_drift
from cleo_like.features.passive.family import (
    FIRING,
    NO_ANSWER,
    NO_REST,
    NO_STEP,
    NO_SWEEP,
    Family,
    Found,
    family_of,
    solved,
)
from cleo_like.features.passive.joint.circuit import ENTRY
from cleo_like.features.passive.lateness import in_step, jump_of, lag_of
from cleo_like.features.passive.resistances import NAMES as RESISTANCES
from cleo_like.features.passive.resistances import conflict, resistances
from cleo_like.features.passive.sag import sags
from cleo_like.features.passive.slopes import across_sweeps
from cleo_like.features.passive.times import times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.core.window import Window
    from cleo_like.features.stack import SweepStack

NAMES = (
    *RESISTANCES, "tau", "capacitance", "sag", "vm_for_sag", "tau_effective",
    "instantaneous_input_resistance", "sag_time_constant", "rest_input_resistance",
    "pulse_input_resistance",
)  # fmt: skip
_SURE = 3.0  # standard errors
_TIMES = "do their times belong together?"
_GATES = 2.0
"""Times the relative difference of the resistances at rest and in the steps: error of tau.
With gates held tau differs by 1.2 to 2.5 times that in narrow_fs and long_latency, by 3 to 5
in lts and wang_buzsaki, whose potassium and calcium gates are strong at rest."""
_TOLD = 0.25  # of tau: a larger error (95 % of half its value) is no interval
_POSSIBLE = (1.0, 2e4)  # MOhm: from the largest motor neurons to the smallest granule cells


@attrs.frozen(kw_only=True, eq=False)
class Membrane:
    """What was found.

    Parameters
    ----------
    values : mapping of str to Estimate
        Every name of `NAMES`.
    sweeps : mapping of str to array, shape (n_sweeps,)
        ``sag`` and ``tau_sweep`` (s) of each sweep, NaN where there is none.
    notes : tuple of str
        What was left out or chosen.
    """

    values: Mapping[str, Estimate]
    sweeps: Mapping[str, np.ndarray]
    notes: tuple[str, ...] = ()


def membrane_of(
    stack: SweepStack, step: Window, sweeps: Mapping[str, np.ndarray], lowest: float
) -> Membrane:
    """Measure the membrane by one joint fit of all quiet sweeps to the whole command.

    Every change of the current before the end of the step is in the fit (test pulses, a pulse
    that touches the step, changes of holding), and each sweep has a level of its own; so
    none of them, nor drift from sweep to sweep, is taken for the answer to the step.

    Parameters
    ----------
    stack : SweepStack
        All sweeps.
    step : Window
        The step.
    sweeps : mapping of str to array
        ``stim_amp`` (pA), ``avg_rate`` (Hz) and ``peak_deflect_v`` (mV) of each sweep.
    lowest : float
        Most negative step (pA) that is used.

    Returns
    -------
    Membrane
        Values, errors such that +-1.96 of them are the 95 % interval, reasons, notes.
    """
    family = family_of(stack, step, sweeps, lowest)
    notes: tuple[str, ...] = ()
    if isinstance(family, Family):
        family, notes = _in_time(family)
    found = family if isinstance(family, str) else solved(family)
    if isinstance(found, Found):
        found, steady = _steadier(found)
        notes += steady
    why = found if isinstance(found, str) else _refusal(found)
    if isinstance(found, str) or why:
        return _without_levels(stack, step, sweeps, lowest, why)
    return _measured(found, sweeps, notes)


def _in_time(family: Family) -> tuple[Family | str, tuple[str, ...]]:
    """Put current and potential in time; a potential that moves first is no answer."""
    lag = lag_of(family)
    if lag is not None and lag < 0:
        return f"the potential moves {-lag * 1e3:.3g} ms before the current: {_TIMES}", ()
    moved, note = in_step(family)
    return moved, (note,) if note else ()


def _steadier(found: Found) -> tuple[Found, tuple[str, ...]]:
    """Take a drift off that the sweeps show before their step, if it goes on in the step.

    It does where the response fits the better for it, by as much as asks for an exponential:
    without it a slow exponential would take the drift up.
    """
    steady = without_drift(found.family)
    again = None if steady is None else solved(steady[0])
    if steady is None or not isinstance(again, Found):
        return found, ()
    before, after = found.circuit.fit, again.circuit.fit
    gain = after.effective * np.log(before.squares / max(after.squares, 1e-300))
    if not gain > 2 * np.log(after.effective) + ENTRY:
        return found, ()
    return again, (f"a drift of {steady[1]:.2g} mV/s before the step taken off all sweeps",)


def _without_levels(
    stack: SweepStack, step: Window, sweeps: Mapping[str, np.ndarray], lowest: float, why: str
) -> Membrane:
    """Give the reasons, and what the ends of the steps tell if only their starts do not."""
    empty = np.full(stack.n_sweeps, np.nan)
    values = {name: Estimate(reason=why) for name in NAMES}
    notes: tuple[str, ...] = ()
    if why in {FIRING, NO_ANSWER} or why.startswith(NO_REST):
        ends = across_sweeps(stack, step, sweeps, lowest)
        if ends.known:
            values |= {"input_resistance": ends, "steady_state_input_resistance": ends}
            notes = (f"resistance by the ends of the steps, across sweeps: {why}",)
    return Membrane(
        values=values, sweeps={"sag": empty, "tau_sweep": empty.copy()}, notes=notes
    )


def _refusal(found: Found) -> str:
    """Why the fit as a whole tells nothing; "" if it does."""
    r, error = found.circuit.values["resistance"], found.circuit.errors["resistance"]
    if not abs(r) > _SURE * error or r == 0:
        return conflict(found, None) or NO_ANSWER
    if r < 0:
        return "the potential moves against the current: is the sign of one of them right?"
    low, high = _POSSIBLE
    if not low < r < high:
        return f"{r:.3g} MOhm is no cell: are the units of current and potential right?"
    return ""


def _measured(
    found: Found, sweeps: Mapping[str, np.ndarray], told: tuple[str, ...] = ()
) -> Membrane:
    family = found.family
    every = deflections(found.problem, found.circuit)
    steps = every.take(np.flatnonzero(family.whole)) if family.down.size else None
    ohms = resistances(found, steps)
    of_time, single_taus = times(found)
    values = {**ohms.values, **of_time}
    values["tau"], doubt = _at_rest(values)
    by_sweep = sags(found, every, sweeps)
    values |= {"sag": by_sweep.sag, "vm_for_sag": by_sweep.potential}
    if steps is None and not values["sag"].known:
        values |= dict.fromkeys(("sag", "vm_for_sag"), Estimate(reason=NO_SWEEP))
    if ohms.conflict:
        names = (*RESISTANCES, "tau", "tau_effective", "capacitance")
        values |= {name: Estimate(reason=ohms.conflict) for name in names}
    return Membrane(
        values={name: values[name] for name in NAMES},
        sweeps={"sag": by_sweep.each, "tau_sweep": single_taus},
        notes=(*told, *_notes(found, sweeps), *ohms.notes, *doubt),
    )


def _at_rest(values: Mapping[str, Estimate]) -> tuple[Estimate, tuple[str, ...]]:
    """Add to the error of tau what steps that change the resistance leave open of it at rest.

    Where that is most of it, the value is that of the steps, and no interval is stated.
    """
    tau, rest = values["tau"], values["rest_input_resistance"]
    steps = values["peak_input_resistance"]
    if not (tau.known and rest.known and steps.known):
        return tau, ()
    away = abs(rest.value / steps.value - 1)
    error = float(np.hypot(tau.error, _GATES * away * tau.value))
    if error < _TOLD * tau.value:
        return attrs.evolve(tau, error=error), ()
    note = (
        f"tau is that of the steps, whose resistance is {steps.value:.4g} MOhm; at rest it is "
        f"{rest.value:.4g}, and tau is not known there"
    )
    return Estimate(value=tau.value), (note,)


def _notes(found: Found, sweeps: Mapping[str, np.ndarray]) -> list[str]:
    family, out = found.family, []
    quiet = (sweeps["avg_rate"] == 0) & (np.abs(sweeps["stim_amp"]) > NO_STEP)
    lost = [k for k in family.spiking.tolist() if quiet[k] and sweeps["stim_amp"][k] < 0]
    if lost:
        numbers = ", ".join(str(family.stack.numbers[k]) for k in lost)
        out.append(f"not used for the membrane, a spike before the step: sweep {numbers}")
    if family.clipped.size:
        numbers = ", ".join(str(family.stack.numbers[k]) for k in family.clipped.tolist())
        out.append(f"not used for the membrane, clipped: sweep {numbers}")
    if found.masked_more:
        out.append(
            f"{found.mask * 1e3:.2g} ms after each edge of the current left out: an artefact"
        )
    if found.circuit.kind == "electrode":
        out.append(
            f"{found.circuit.values['series']:.3g} MOhm that answer within 1 ms are the "
            "electrode's, not the membrane's"
        )
    else:
        jump = jump_of(family)
        if jump:
            out.append(
                f"{jump:.3g} MOhm answer at once with the current: is the bridge off? They are "
                "in the resistances, and shift potentials within the step"
            )
    return out

"""The membrane test: access, resistance, capacitance and holding from a pulse in each sweep."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.recording import check_recording
from cleo_like.core.sweep import ClampMode
from cleo_like.features.clamp.chain import Chain, chain_of
from cleo_like.features.clamp.circuit_fit import (
    fit_circuit,
    fit_potential,
    potential_response,
    step_response,
)
from cleo_like.features.clamp.doubts import (
    LARGEST,
    LARGEST_CELL,
    LEAST,
    answer_of,
    creep_of,
    no_cell,
    restless,
)
from cleo_like.features.clamp.exponential import Fit, fit_exponential
from cleo_like.features.stack import given_window

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.core.recording import Recording
    from cleo_like.core.sweep import Sweep
    from cleo_like.core.units import Quantity
    from cleo_like.core.window import Window, WindowLike

_BASE = 20e-3  # s before the pulse that give its zero, where there is as much
# time after an edge (s) in which filter and electrode show, not the cell, at least, and as many
# delays of the recording chain: a 4-pole Bessel filter is over by then
_SKIP, _DELAYS = 0.15e-3, 4.0
_SURE = 3.0  # standard errors by which the steady response must differ from zero
_ALIKE = 4.0  # neighbours that filtered noise has in common: 50 kHz and a 10 kHz filter
_CREEP = 0.02  # of the steady change, at which a clamped current is called creeping
_ACTIVE = 0.003  # of it, at which a potential is that of no passive membrane: the bursting cell
# of the library has .006 at -25 pA, and its access comes out at 10 MOhm for 15
# misfit above which a response is not one exponential (an I_h cell with a third of sag has .1;
# noise of 50 uV on a pulse of 4 mV has .01)
_MISFIT = 0.03


@attrs.frozen(kw_only=True, eq=False)
class MembraneTest:
    """What a pulse tells of pipette and cell, sweep by sweep (SI).

    Attributes
    ----------
    number : array of int, shape (n_sweeps,)
        Number of each sweep.
    access_resistance : array, shape (n_sweeps,)
        Between pipette and cell (ohm).
    input_resistance : array, shape (n_sweeps,)
        Of the cell (ohm), the seal in parallel, without the access resistance.
    capacitance : array, shape (n_sweeps,)
        Of the membrane (F).
    time_constant : array, shape (n_sweeps,)
        Of the fitted response (s): the membrane's in current clamp, about access resistance
        times capacitance in voltage clamp.
    holding : array, shape (n_sweeps,)
        Before the pulse: the current (A) in voltage clamp, the potential (V) in current clamp.
    notes : tuple of tuple of str
        For each sweep: why a value is missing, and what biases it.
    """

    number: np.ndarray
    access_resistance: np.ndarray
    input_resistance: np.ndarray
    capacitance: np.ndarray
    time_constant: np.ndarray
    holding: np.ndarray
    notes: tuple[tuple[str, ...], ...]

    def table(self) -> pd.DataFrame:
        """Give a table in MOhm, pF, ms and pA (or mV)."""
        import pandas as pd

        return pd.DataFrame({
            "sweep": self.number,
            "access_resistance": self.access_resistance / 1e6,
            "input_resistance": self.input_resistance / 1e6,
            "capacitance": self.capacitance * 1e12,
            "time_constant": self.time_constant * 1e3,
            "holding": self.holding,
            "notes": ["; ".join(n) for n in self.notes],
        })  # fmt: skip

    def __repr__(self) -> str:
        """Medians in one line."""
        with np.errstate(invalid="ignore"):
            access, resistance, capacitance = (
                float(np.nanmedian(x)) if np.isfinite(x).any() else np.nan
                for x in (self.access_resistance, self.input_resistance, self.capacitance)
            )
        return (
            f"MembraneTest of {len(self.number)} sweeps: access {access / 1e6:.3g} MOhm, "
            f"input resistance {resistance / 1e6:.4g} MOhm, "
            f"capacitance {capacitance * 1e12:.4g} pF (medians)"
        )


def membrane_test(
    recording: Recording,
    *,
    start: Quantity | None = None,
    end: Quantity | None = None,
    window: WindowLike | None = None,
) -> MembraneTest:
    """Estimate access resistance, input resistance and capacitance from a pulse.

    Parameters
    ----------
    recording : Recording
        Sweeps in one clamp mode, with their commands.
    start, end : quantity or str, optional
        The pulse; default: the protocol's epoch "test_pulse", else the first pulse of the
        command that returns to where it came from.
    window : Window, pair of quantities or str, optional
        Instead of the two; a text is the name of an epoch.

    Returns
    -------
    MembraneTest

    Raises
    ------
    InputError
        No sweep, no command, no pulse, or an unknown clamp mode.

    Notes
    -----
    Voltage clamp: the step response of pipette, cell, amplifier and filter is fitted to the
    current; what the sweep's settings state of correction and bandwidth, and the device of
    the filter, is known in it. It begins at the classic answer: the steady current gives access
    plus input resistance, the charge above it over its time constant the access. Current
    clamp: the response is a jump (what the bridge leaves) and an exponential, read at the edge
    plus the delay of the filter that the device states; where the bridge is known, the
    circuit is fitted from there, with what neutralisation leaves of the pipette's
    capacitance.

    Examples
    --------
    >>> from cleo_like import long_square, record
    >>> pulse = long_square(["-20 pA"], duration="150 ms", before="50 ms", after="50 ms")
    >>> membrane_test(record("passive", pulse, electrode="multiclamp_700b", seed=1)[0])
    MembraneTest of 1 sweeps: access 10.1 MOhm, input resistance 192.2 MOhm, \
capacitance 99.43 pF (medians)
    """
    check_recording(recording)
    if not recording.sweeps:
        msg = f"the recording of {recording.cell.id} has no sweep to test"
        raise InputError(msg)
    given = given_window(recording, start, end, window)
    rows = [_row(recording, sweep, given) for sweep in recording.sweeps]
    names = ("access_resistance", "input_resistance", "capacitance", "time_constant", "holding")
    return MembraneTest(
        number=np.array([s.number for s in recording.sweeps]),
        notes=tuple(tuple(row["notes"]) for row in rows),
        **{name: np.array([row.get(name, np.nan) for row in rows]) for name in names},
    )


def with_membrane_test(recording: Recording, **options: Any) -> Recording:
    """Write the estimates into the settings of the sweeps, as a rig's software does.

    Keys: ``series_resistance`` (which quality control reads), ``input_resistance``,
    ``membrane_capacitance`` (SI). What could not be estimated is left out.

    Parameters
    ----------
    recording : Recording
        As for `membrane_test`.
    **options
        Of `membrane_test`.
    """
    found = membrane_test(recording, **options)
    keys = {
        "series_resistance": found.access_resistance,
        "input_resistance": found.input_resistance,
        "membrane_capacitance": found.capacitance,
    }
    sweeps = []
    for k, sweep in enumerate(recording.sweeps):
        known = {name: float(v[k]) for name, v in keys.items() if np.isfinite(v[k])}
        sweeps.append(attrs.evolve(sweep, settings=dict(sweep.settings) | known))
    return attrs.evolve(recording, sweeps=tuple(sweeps))


def _row(recording: Recording, sweep: Sweep, given: Window | None) -> dict[str, Any]:
    """Measure one sweep."""
    if sweep.mode is ClampMode.UNKNOWN:
        msg = f"the clamp mode of sweep {sweep.number} is unknown; set Sweep.mode"
        raise InputError(msg)
    command = _commanded(sweep)
    first, last = _pulse(recording, sweep, given)
    chain = chain_of(recording, sweep)
    skip = round(max(_SKIP, _DELAYS * chain.delay) * sweep.rate)
    base = sweep.response[max(0, first - round(_BASE * sweep.rate)) : first].astype(float)
    middle = (first + last) // 2
    size = float(command[middle]) - float(command[first - 1])
    row: dict[str, Any] = {"holding": float(base.mean()), "notes": []}
    if size == 0:
        row["notes"].append("the pulse has no height")
        return row
    if last - first - skip < LEAST:
        row["notes"].append(f"the pulse has {last - first} samples; a fit needs more")
        return row
    end = _end_of_rest(command, first, last)
    found = answer_of(sweep, first, last, size, skip=skip, base=base, notes=row["notes"])
    if found is None:
        return row
    late, unseen = found
    first, last = first + late, min(last + late, sweep.n_samples)
    response = sweep.response[first:last].astype(float)
    fit = fit_exponential(response[np.newaxis, skip:], 1 / sweep.rate)
    change = float(fit.offset[0]) - row["holding"]
    row["notes"] += restless(base, change)
    tail = response[-(len(response) // 4) :]
    noise = float(np.std(base)) * np.sqrt(_ALIKE / len(base) + _ALIKE / len(tail))
    if not abs(tail.mean() - base.mean()) > _SURE * noise:
        row["notes"].append("the response to the pulse is within the noise")
        return row
    row |= {"time_constant": float(fit.tau[0])}
    known = skip, 1 / sweep.rate, size, change, last - first
    if sweep.mode is ClampMode.VOLTAGE:
        most, row = LARGEST, row | _in_voltage_clamp(response, fit, known, chain, row["notes"])
    else:  # what comes after the pulse tells as much
        most, response = LARGEST_CELL, sweep.response[first : end + late].astype(float)
        row |= _in_current_clamp(response, fit, known, chain, row["notes"], late=late > 0)
    row |= dict.fromkeys(unseen, np.nan)
    return _checked(row, fit, most)


def _commanded(sweep: Sweep) -> np.ndarray:
    """Give the command of a sweep, or say that the file has none."""
    if sweep.command is None:
        msg = (
            f"sweep {sweep.number} has no command, so that the pulse's size is not known; give "
            "the recording its protocol (Sweep.command)"
        )
        raise InputError(msg)
    return sweep.command


def _pulse(recording: Recording, sweep: Sweep, given: Window | None) -> tuple[int, int]:
    """Give the samples of the pulse."""
    protocol = recording.protocol
    if given is not None:
        start, end = given
        first, last = round(start * sweep.rate), round(end * sweep.rate)
        if not 0 < first < last <= sweep.n_samples:
            msg = (
                f"the pulse must lie inside the sweep of {sweep.duration * 1e3:g} ms with a "
                f"rest before it, got {start * 1e3:g} to {end * 1e3:g} ms"
            )
            raise InputError(msg)
        return first, last
    if protocol is not None and any(e.name == "test_pulse" for e in protocol.epochs):
        epoch = protocol.epoch("test_pulse")
        return epoch.start, min(epoch.stop, sweep.n_samples)
    command = np.asarray(_commanded(sweep), dtype=float)
    edges = np.flatnonzero(np.diff(command)) + 1
    for first, last in itertools.pairwise(edges):
        if command[first - 1] == command[min(last, len(command) - 1)]:
            return int(first), int(last)
    msg = (
        f"sweep {sweep.number} has no pulse that returns to where it came from; give start= "
        "and end=, or put one in front of the protocol (with_test_pulse)"
    )
    raise InputError(msg)


def _end_of_rest(command: np.ndarray, first: int, last: int) -> int:
    """Give the end of the rest after a pulse: as long as it, or to the next change."""
    after = command[last : 2 * last - first]
    other = np.flatnonzero(after != command[first - 1])
    return last + int(other[0] if other.size else len(after))


def _in_voltage_clamp(
    response: np.ndarray,
    fit: Fit,
    known: tuple[int, float, float, float, int],
    chain: Chain,
    notes: list[str],
) -> dict[str, float]:
    """Solve charge, decay and steady current for capacitance, access and resistance."""
    skip, dt, size, change, _ = known
    tau, total = float(fit.tau[0]), size / change
    doubt = no_cell(total)
    if doubt:
        notes.append(doubt)
        return {}
    if chain.whole_cell > 0:
        notes.append(
            f"whole-cell compensation takes the transient of {chain.whole_cell * 1e12:g} pF "
            "away: access resistance and capacitance cannot be seen"
        )
        return {"input_resistance": total}
    above = response[: skip + 1] - float(fit.offset[0])
    charge = dt * (above.sum() - 0.5 * (above[0] + above[-1]))
    charge += float(fit.amplitude[0]) * tau + change * chain.delay
    # the circuit without amplifier and filter, solved; then all of it, fitted
    access = size / (charge / tau + change)
    resistance = total - access
    guess = (access, tau * (1 / access + 1 / resistance), resistance)
    if not (np.isfinite(guess).all() and min(guess) > 0):
        guess = (0.1 * abs(total), 10 * tau / abs(total), abs(total))
    holding = float(fit.offset[0]) - change
    found = fit_circuit(response - holding, dt, size, guess, chain)
    if found is None:
        notes.append("no circuit of a pipette and a cell fits the pulse")
        return {"input_resistance": total}
    if chain.correction > 0:
        notes.append(
            f"series resistance is corrected by {chain.correction:.0%}: the access resistance "
            "relies on that setting"
        )
    model = step_response(np.arange(len(response)) * dt, found, chain)
    creep = creep_of((response - holding - size * model)[skip:])
    if creep > _CREEP * abs(change):
        notes.append(
            "the current creeps as that of no passive membrane (I_h or another slow "
            f"conductance, up to {creep / abs(change):.0%} of the steady change): the input "
            "resistance is that of a pulse of this length"
        )
    names = ("access_resistance", "capacitance", "input_resistance")
    return dict(zip(names, found, strict=False))


def _in_current_clamp(
    response: np.ndarray,
    fit: Fit,
    known: tuple[int, float, float, float, int],
    chain: Chain,
    notes: list[str],
    *,
    late: bool,
) -> dict[str, float]:
    """Read jump and exponential at the edge plus the filter's delay; then fit the circuit."""
    skip, dt, size, change, length = known
    tau = float(fit.tau[0])
    grown = float(fit.amplitude[0]) * np.exp((skip * dt - chain.filter_delay) / tau)
    resistance = -grown / size
    jump = change / size - resistance
    found = {"input_resistance": resistance, "capacitance": tau / resistance}
    if late:  # to the length of a bin: the circuit would take the rest for its capacitance
        return found
    if chain.bridge is None:
        notes.append("the bridge balance is not known: access resistance is what it leaves")
        return found | {"access_resistance": jump}
    access = jump + chain.bridge
    guess = (access, tau / resistance, resistance)
    if np.isfinite(guess).all() and min(guess) > 0 and fit.misfit[0] <= _MISFIT:
        # what is left of the pipette's capacitance delays the jump and takes current
        holding = float(fit.offset[0]) - change
        above = response - holding
        fitted = fit_potential(above, dt, size, guess, chain, length=length)
        if fitted is not None:
            model = potential_response(np.arange(length) * dt, fitted, chain)
            creep = creep_of((above[:length] - size * model)[skip:])
            if creep <= _ACTIVE * abs(change):
                access, found["capacitance"], found["input_resistance"], _ = fitted
            else:
                notes.append(
                    "the response is not that of a passive membrane (an active conductance, up "
                    f"to {creep / abs(change):.1%} of the steady change): access resistance "
                    "and capacitance are biased; give a smaller or shorter pulse, or one of "
                    "voltage clamp"
                )
    return found | {"access_resistance": access}


def _checked(row: dict[str, Any], fit: Fit, most: float) -> dict[str, Any]:
    """Take away what cannot be, and say what biases the rest."""
    for name in ("input_resistance", "capacitance", "access_resistance"):
        value = row.get(name)
        if value is not None and not (np.isfinite(value) and value > 0):
            row["notes"].append(f"{name.replace('_', ' ')} cannot be told from this pulse")
            row[name] = np.nan
    doubt = no_cell(row.get("input_resistance", np.nan), most)
    if doubt:
        row["notes"].append(doubt)
        row |= dict.fromkeys(("input_resistance", "capacitance", "access_resistance"), np.nan)
    if fit.misfit[0] > _MISFIT:
        row["notes"].append(
            "the response is not one exponential (a sag, a second compartment, or it has not "
            f"settled): values are biased (misfit {fit.misfit[0]:.0%} of the amplitude)"
        )
    return row

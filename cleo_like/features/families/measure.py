"""What is measured of each family, and what is skipped and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.window import Window
from cleo_like.features.families.first_spike import (
    AMPLITUDE,
    COLUMNS,
    LATENCY,
    Measured,
    first_spikes,
    mean_over_sweeps,
    without_charging,
)
from cleo_like.features.impedance import impedance
from cleo_like.features.long_square.row import REST_MV
from cleo_like.features.spikes.table import spikes_of
from cleo_like.features.stack import SweepStack
from cleo_like.matching.verdict import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cleo_like.features.families.parts import Part
    from cleo_like.features.parameters import ExtractionParameters

_AFTER = 0.02  # s: the membrane gives its charge back within some time constants of 5 to 20 ms
_MOST = 0.5  # of its sweeps: a current that makes so many fire is above threshold
_SPIKE = 15.0  # mV above the median: less is not looked at as a spike
_FEW = 20  # samples before the stimulus
_SAME = 0.1  # pA: less is rounding, no two commands
_MOMENTS = (0.3e-3, 1e-3)  # s after an onset: filters are over, a membrane has hardly moved
_LEAST = 4  # samples for a line and its error
_BRIDGE = 3.0  # MOhm: less is balanced well
_IMPEDANCE = (
    "resonance_frequency", "resonance_q", "impedance_low", "impedance_max", "impedance_cutoff",
)  # fmt: skip


def measure_others(
    parts: Sequence[Part], parameters: ExtractionParameters
) -> tuple[dict[str, Measured], list[str]]:
    """Measure the families beside the long square.

    Parameters
    ----------
    parts : sequence of Part
        Of a recording.
    parameters : ExtractionParameters
        Limits of spikes.

    Returns
    -------
    measured : dict of str to Measured
        By family.
    skipped : list of str
        Which sweeps were not measured, and why.
    """
    measured, skipped = {}, []
    for part in parts:
        if part.is_a("long_square"):
            skipped += _no_members(part)
            continue
        if part.family not in FAMILIES or part.family in measured:
            skipped.append(_skipped(part))
            continue
        try:
            measured[part.family] = FAMILIES[part.family](part, parameters)
        except InputError as error:
            skipped.append(f"{part.family} not measured: {error}")
            continue
        skipped += _no_members(part)
    return measured, skipped


def columns_of(family: str) -> tuple[str, ...]:
    """Names of the columns that a family gives."""
    if family == "chirp":
        return _IMPEDANCE
    names = (*COLUMNS, LATENCY, *([AMPLITUDE] if family == "short_square" else []))
    return tuple(f"{name}_{family}" for name in names)


def _skipped(part: Part) -> str:
    who = _sweeps(part.numbers)
    if part.family == NONE:
        return f"{who} skipped: {part.found.reason}"
    return f"{who} skipped: {part.family}, of which no feature is defined"


def _no_members(part: Part) -> list[str]:
    """Say which sweeps of a family do not share its window."""
    inside = set(part.found.members)
    out = [v for v in part.found.sweeps if v.index not in inside]
    by_reason: dict[str, list[int]] = {}
    for verdict in out:
        by_reason.setdefault(verdict.reason, []).append(verdict.number)
    return [f"{_sweeps(numbers)} skipped: {why}" for why, numbers in by_reason.items()]


def _sweeps(numbers: Sequence[int]) -> str:
    return f"{'sweep' if len(numbers) == 1 else 'sweeps'} {ranges(numbers)}"


def ranges(numbers: Sequence[int]) -> str:
    """Write 0-3, 7 for [0, 1, 2, 3, 7].

    Examples
    --------
    >>> ranges([0, 1, 2, 3, 7])
    '0-3, 7'
    """
    parts: list[list[int]] = []
    for n in sorted(numbers):
        if parts and n == parts[-1][1] + 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in parts)


def _stack(part: Part) -> tuple[SweepStack, Window]:
    found = part.found
    if found.window is None or not found.members:
        msg = f"its sweeps share no window ({found.reason})"
        raise InputError(msg)
    stack = SweepStack.from_recording(part.recording, positions=found.members)
    return stack, found.window


def _ramp(part: Part, parameters: ExtractionParameters) -> Measured:
    """First spike of each ramp that makes the cell fire, averaged."""
    stack, (start, end) = _stack(part)
    table = spikes_of(stack, Window(start=start, end=end), parameters)
    found = first_spikes(table, start)
    rows = found.pop("row")
    count = f"{rows.size} of {stack.n_sweeps} ramps fire"
    notes: tuple[str, ...] = (count,) if stack.n_sweeps > 1 else ()
    if not rows.size:
        a, b = stack.bounds(Window(start=start, end=end))
        top = stack.current_pa[:, a:b].max()
        return _silent(part, stack, f"no spike up to {top:.4g} pA")
    values, errors, reasons = mean_over_sweeps("ramp", found)
    notes += _doubts(stack, start, parameters)
    if values["threshold_i_ramp"] < float(np.median(stack.first_level(stack.index(start)))):
        notes += ("the cell fires while the current falls: is its sign right?",)
    used = tuple(stack.numbers)
    return Measured(values=values, errors=errors, reasons=reasons, used=used, notes=notes)


def _short_square(part: Part, parameters: ExtractionParameters) -> Measured:
    """First spike at the least current that makes most of its sweeps fire."""
    stack, (start, end) = _stack(part)
    last = (stack.n_samples - 1) / stack.rate
    every = spikes_of(stack, Window(start=start, end=min(end + _AFTER, last)), parameters)
    table = without_charging(every, stack, start, end)
    amplitude = part.found.amplitudes * 1e12
    amplitude = amplitude[[part.found.members.index(k) for k in _places(part, stack)]]
    level = np.round(amplitude / _SAME).astype(int)
    fires = table.counts > 0
    above = [x for x in np.unique(level) if fires[level == x].mean() >= _MOST]
    if not above:
        return _silent(part, stack, f"no spike up to {amplitude.max():.4g} pA")
    found = first_spikes(table, start)
    rows = found.pop("row")
    least = level[rows] == above[0]
    chosen = {name: column[least] for name, column in found.items()}
    values, errors, reasons = mean_over_sweeps("short_square", chosen)
    if chosen[LATENCY].max() > end - start:  # what is injected then is no more what fired it
        at = "threshold_i_short_square"
        values[at] = np.nan
        reasons[at] = f"the spike begins after the pulse: see {AMPLITUDE}_short_square"
    values[f"{AMPLITUDE}_short_square"] = float(amplitude[level == above[0]].mean())
    return Measured(
        values=values, errors=errors, reasons=reasons, used=tuple(stack.numbers),
        notes=_doubts(stack, start, parameters) + _at_once(stack, start, amplitude),
    )  # fmt: skip


def _at_once(stack: SweepStack, start: float, amplitude: np.ndarray) -> tuple[str, ...]:
    """Say what answers at once with a pulse: within it the potential is off by that.

    A line through 0.3 to 1 ms after the onset, led back to it; the median of all sweeps.
    """
    onset = stack.index(start)
    first, last = (onset + round(t * stack.rate) for t in _MOMENTS)
    before = stack.voltage_mv[:, max(onset - (last - onset), 0) : max(onset - 1, 0)]
    if last - first < _LEAST or before.shape[1] < _LEAST or last > stack.n_samples:
        return ()
    rest = np.median(before, axis=1, keepdims=True)
    strong = np.abs(amplitude) >= np.abs(amplitude).max() / 2
    course = (stack.voltage_mv[:, first:last] - rest)[strong] / amplitude[strong, None] * 1e3
    course = np.median(course, axis=0)
    at = np.arange(first, last) - onset
    (slope, jump), spread = np.polyfit(at, course, 1, cov="unscaled")
    left = course - (jump + slope * at)
    error = float(np.sqrt(spread[1, 1] * (left @ left) / (at.size - 2)))
    if not (slope > 0 and jump > max(_BRIDGE, 5 * error)):
        return ()
    top = np.abs(amplitude).max() * jump * 1e-3
    return (
        f"{jump:.3g} MOhm answer at once with the pulse: is the bridge off? Potentials within "
        f"it are off by up to {top:.3g} mV",
    )


def _doubts(
    stack: SweepStack, start: float, parameters: ExtractionParameters
) -> tuple[str, ...]:
    """Say what before the stimulus makes the first spike a doubtful answer to it."""
    stop = stack.index(start)
    before = stack.voltage_mv[:, :stop]
    if stop < _FEW:
        return ()
    rest, notes = np.median(before, axis=1), []
    rows = np.flatnonzero(before.max(axis=1) - rest > _SPIKE)
    if rows.size:
        window = Window(start=0.0, end=start)
        rows = rows[spikes_of(stack.take(rows), window, parameters, shapes=False).counts > 0]
    if rows.size:
        numbers = ranges([stack.numbers[k] for k in rows.tolist()])
        notes.append(
            f"a spike before the stimulus in sweep {numbers}: the first in it may be no answer"
        )
    level = float(np.median(rest))
    if not REST_MV[0] <= level <= REST_MV[1]:
        notes.append(
            f"the baseline is {level:.3g} mV, where no membrane rests: unit, gain, offset or "
            "seal may be wrong"
        )
    return tuple(notes)


def _places(part: Part, stack: SweepStack) -> list[int]:
    """Places in the part of the sweeps of a stack."""
    place = {number: k for k, number in enumerate(part.numbers)}
    return [place[number] for number in stack.numbers]


def _silent(part: Part, stack: SweepStack, why: str) -> Measured:
    names = columns_of(part.family)
    return Measured(
        values=dict.fromkeys(names, np.nan), reasons=dict.fromkeys(names, why),
        used=tuple(stack.numbers),
    )  # fmt: skip


def _chirp(part: Part, parameters: ExtractionParameters) -> Measured:  # noqa: ARG001
    """Impedance over the frequencies that the file says it plays, else up to 20 Hz."""
    stack, (start, end) = _stack(part)
    protocol = part.recording.protocol
    told = {} if protocol is None else dict(protocol.parameters)
    band = {"high": f"{told['stop']!r} Hz"} if told.get("stop") else {}
    found = impedance(stack, f"{start!r} s", f"{end!r} s", **band)
    top = int(found.magnitude.argmax())
    errors = {"impedance_low": found.error[0], "impedance_max": found.error[top]}
    return Measured(
        values=found.values, errors={name: float(x) for name, x in errors.items()},
        reasons=found.reasons, used=tuple(stack.numbers), notes=found.notes,
    )  # fmt: skip


FAMILIES: dict[str, Callable[[Part, ExtractionParameters], Measured]] = {
    "short_square": _short_square,
    "ramp": _ramp,
    "chirp": _chirp,
}
"""Families beside the long square of which features are defined."""

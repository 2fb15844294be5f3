"""One cell from its long squares: membrane, firing, spikes, each value with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.features.long_square.row import (
    REST_MV,
    Answers,
    firing_values,
    measured,
    membrane_values,
    rest_and_rebound,
)
from cleo_like.features.parameters import DEFAULT, ExtractionParameters
from cleo_like.features.spikes.notes import resampling_notes, spike_notes
from cleo_like.features.stack import SweepStack, as_stack, needed_window

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cleo_like.core.recording import Recording
    from cleo_like.core.units import Quantity
    from cleo_like.core.window import Window, WindowLike
    from cleo_like.features.spikes.table import SpikeTable

_REST_LENGTH = 0.1  # s before the step
_FEW = 20  # samples


@attrs.frozen(kw_only=True, eq=False)
class CellFeatures:
    """All that was measured of one cell, with the arrays that figures need.

    Parameters
    ----------
    stack : SweepStack
        The analysed sweeps.
    window : Window
        The step.
    parameters : ExtractionParameters
        The limits.
    spikes : SpikeTable
        Every spike.
    sweeps : mapping of str to array, shape (n_sweeps,)
        Train and subthreshold features of each sweep.
    values, uncertainty : mapping of str to float
        Cell-level features and, where it is defined, their standard error.
    reasons : mapping of str to str
        Why a value is missing.
    excluded : mapping of int to str
        Sweeps (numbers) that were left out, and why.
    notes : tuple of str
        What was moved or chosen on the way (baseline, filter).
    """

    stack: SweepStack
    window: Window
    parameters: ExtractionParameters
    spikes: SpikeTable
    sweeps: Mapping[str, np.ndarray]
    values: Mapping[str, float]
    uncertainty: Mapping[str, float]
    reasons: Mapping[str, str]
    excluded: Mapping[int, str]
    notes: tuple[str, ...]

    @property
    def fi_curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Currents (pA), ascending, and firing rates (Hz) of all sweeps."""
        order = np.argsort(self.sweeps["stim_amp"], kind="stable")
        return self.sweeps["stim_amp"][order], self.sweeps["avg_rate"][order]

    @property
    def vi_curve(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Currents (pA), peak and steady potentials (mV) of the subthreshold sweeps."""
        quiet = np.flatnonzero(self.sweeps["avg_rate"] == 0)
        order = quiet[np.argsort(self.sweeps["stim_amp"][quiet], kind="stable")]
        names = ("stim_amp", "peak_deflect_v", "v_steady")
        return tuple(self.sweeps[k][order] for k in names)  # type: ignore[return-value]

    def sweep_frame(self) -> pd.DataFrame:
        """Give the sweeps as a pandas table."""
        import pandas as pd

        return pd.DataFrame({"number": self.stack.numbers, **self.sweeps})


def long_square_features(
    source: Recording | SweepStack,
    start: Quantity | None = None,
    end: Quantity | None = None,
    *,
    window: WindowLike | None = None,
    parameters: ExtractionParameters = DEFAULT,
) -> CellFeatures:
    """Measure one cell from its long-square sweeps.

    Parameters
    ----------
    source : Recording or SweepStack
        The sweeps of the family; a sweep that cannot be used is left out with a reason.
    start, end : quantity
        Of the step, end excluded.
    window : Window, pair of quantities or str, optional
        Instead of the two: ``cl.match(recording).window``, or the name of an epoch ("step").
    parameters : ExtractionParameters
        Limits; with ``compat="ipfx"`` all values are ipfx's.

    Returns
    -------
    CellFeatures
        Values in mV, pA, MOhm, pF, s, Hz, and a reason for each missing one.

    Examples
    --------
    A 200 MOhm, 20 ms cell, three steps:

    >>> t = np.arange(20000) / 20e3
    >>> rise = np.where((t >= 0.2) & (t < 0.7), 1 - np.exp(-(t - 0.2) / 0.02), 0)
    >>> i = np.array([[-60.0], [-40.0], [-20.0]]) * ((t >= 0.2) & (t < 0.7))
    >>> v = -70 + 0.2 * np.array([[-60.0], [-40.0], [-20.0]]) * rise
    >>> cell = long_square_features(
    ...     SweepStack(voltage_mv=v, current_pa=i, rate=20e3), "200 ms", "700 ms")
    >>> round(cell.values["input_resistance"], 3), cell.reasons["rheobase_i"]
    (200.0, 'no sweep with a depolarising step fired')
    """
    step = needed_window(source, start, end, window)
    return analyse(as_stack(source, exact=parameters.exact), step, parameters)


def analyse(stack: SweepStack, step: Window, parameters: ExtractionParameters) -> CellFeatures:
    """Do the work of `long_square_features` for a window in seconds."""
    stack, excluded = _usable(stack, step)
    if not parameters.exact:
        stack, strange = _without_strangers(stack, step)
        excluded |= strange
    if stack.n_sweeps == 0:
        why = "; ".join(f"sweep {k} {reason}" for k, reason in sorted(excluded.items()))
        msg = f"no sweep can be measured: {why}"
        raise InputError(msg)
    found = measured(stack, step, parameters)
    answers = Answers()
    told = membrane_values(answers, found)
    told += firing_values(answers, found)
    notes = found.where.notes + _filter_note(stack, parameters) + told
    if not parameters.exact:
        notes += rest_and_rebound(answers, found)
        notes += spike_notes(stack, step, found.table) + resampling_notes(found.table)
    return CellFeatures(
        stack=stack,
        window=step,
        parameters=parameters,
        spikes=found.table,
        sweeps=found.sweeps,
        values=answers.values,
        uncertainty=answers.errors,
        reasons=answers.reasons,
        excluded=excluded,
        notes=notes,
    )


def _filter_note(stack: SweepStack, p: ExtractionParameters) -> tuple[str, ...]:
    used = p.cutoff(stack.rate)
    if used == p.filter or p.resamples:
        return ()
    return (
        f"filter at {used:g} kHz: {p.filter:g} kHz is not below the Nyquist frequency "
        f"of {stack.rate / 2e3:g} kHz",
    )


def _without_strangers(stack: SweepStack, step: Window) -> tuple[SweepStack, dict[int, str]]:
    """Leave out sweeps that rest where no membrane does, if most rest where one can.

    A seal that is lost, a gain that was changed or a channel that was off makes them; one in
    six made the resistance ten times too small.
    """
    start, _ = stack.bounds(step)
    first = max(0, start - round(_REST_LENGTH * stack.rate))
    if start - first < _FEW or stack.n_sweeps < 2:
        return stack, {}
    rest = np.median(stack.voltage_mv[:, first:start], axis=1)
    strange = (rest < REST_MV[0]) | (rest > REST_MV[1])
    if not 0 < 2 * strange.sum() < strange.size:
        return stack, {}
    usual = float(np.median(rest[~strange]))
    why = {
        stack.numbers[k]: f"rests at {rest[k]:.3g} mV, where no membrane does; the others at "
        f"{usual:.3g} mV"
        for k in np.flatnonzero(strange).tolist()
    }
    return stack.take(np.flatnonzero(~strange)), why


def _usable(stack: SweepStack, step: Window) -> tuple[SweepStack, dict[int, str]]:
    """Leave out sweeps that end within the step or have undefined samples in it."""
    excluded = dict(stack.excluded)
    start, last = stack.bounds(step)
    first = max(0, start - round(0.1 * stack.rate))
    stop = min(last + round(0.01 * stack.rate), stack.n_samples)
    with np.errstate(invalid="ignore"):
        total = stack.voltage_mv[:, first:stop].sum(axis=1)
        total += stack.current_pa[:, first:stop].sum(axis=1)
    finite = np.isfinite(total)
    long_enough = stack.lengths > last
    for row in np.flatnonzero(~(finite & long_enough)).tolist():
        number = stack.numbers[row]
        if not long_enough[row]:
            seconds = stack.lengths[row] / stack.rate
            excluded[number] = f"ends at {seconds:g} s, within the step"
        else:
            bad = ~np.isfinite(stack.voltage_mv[row] + stack.current_pa[row])
            when = (first + int(bad[first:stop].argmax())) / stack.rate
            excluded[number] = f"a sample that is not a number at {when:g} s"
    keep = finite & long_enough
    return (stack if keep.all() else stack.take(np.flatnonzero(keep))), excluded

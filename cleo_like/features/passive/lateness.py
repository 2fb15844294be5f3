"""Whether the potential answers when the current changes, or later, or before it.

A command that is drawn from a header, a stimulus without its own start, or a copy that passed a
slow filter may lie beside the response. A membrane's first answer is a straight rise from the
edge on; a lag that a fit does not have goes into its time constant and capacitance.
"""

from __future__ import annotations

import attrs
import numpy as np

from cleo_like.features.passive.family import NO_STEP, Family, rebinned

_BINS = (2.5e-4, 1e-3, 2.5e-3)  # s: as fine as the noise allows
_BEFORE = 0.1  # s before the edge that are looked at, at most
_LEAST = 20  # bins before the edge and after it: half of the first give the noise
_TOP = 2e-3  # s over which the largest answer is averaged
_LOW, _HIGH = 0.1, 0.3  # of the largest answer, between which the rise is read
_CLEAR = 6.0  # standard errors that the lower of them must be above the noise
_EARLIEST = 1.2e-3
"""Least lag (s) that is one: filters and the edge's own sample are late by less."""
_EARLIEST_PULSE = 9e-4  # s: of a pulse that tells the access, which a lag makes wrong
_STILL, _MOVING = 0.3, 0.5
"""Parts of what a rise from the edge on would give in the time of the lag, below which nothing
answers yet, and above which the potential moved before the current did. A capacitance charges
at once, whatever the gates do; a bridge that is off by as much gives 1 or -1 and 0."""
_STANDS = 5e-3  # s before the edge in which a rest stands still
_NOTHING = 0.01  # of the largest answer
_FINE = 1e-4  # s: bins in which a jump is looked for
_SEEN, _OF_TOP = 4e-3, 0.06
"""Jump (GOhm) that is worth a word, and part of the largest answer: a membrane of 2 ms bends so
much in 1.3 ms that it seems to begin at 0.05 of it."""


def in_step(family: Family) -> tuple[Family, str]:
    """Move the edges of the current to where the potential answers them.

    Parameters
    ----------
    family : Family
        Sweeps with a step.

    Returns
    -------
    Family
        The same where the answer begins with the current.
    str
        What was moved, or "".
    """
    lag = lag_of(family)
    if lag is None or not lag > 0:
        return family, ""
    samples = round(lag * family.stack.rate)
    command = attrs.evolve(family.commands, edges=family.commands.edges + samples)
    if family.start + samples >= family.stop - 1:
        return family, ""
    note = (
        f"the potential answers {lag * 1e3:.3g} ms after the current changes: is the time of "
        "the command right? The membrane is measured from the answer on, latencies are not"
    )
    pulses = tuple((a + samples, b + samples) for a, b in family.pulses)
    moved = attrs.evolve(family, commands=command, start=family.start + samples, pulses=pulses)
    return rebinned(moved), note


def lag_of(family: Family) -> float | None:
    """Time (s) from the change of the current to the answer; None where there is no lag.

    Parameters
    ----------
    family : Family
        Sweeps with a step.

    Returns
    -------
    float or None
        Negative where the potential moves first.
    """
    for longest in _BINS:
        answer = _answer(family, longest)
        if answer is None:
            return None
        course = _Course.of(*answer)
        if course is not None:
            return course.lag()
    return None


def jump_of(family: Family) -> float:
    """Resistance (MOhm) that answers at once with the current; 0 where none is seen.

    A straight line through the answer from 0.3 to 1.3 ms after the edge, led back to it: a
    membrane begins at 0 there, what a bridge leaves of the electrode does not.

    Parameters
    ----------
    family : Family
        Sweeps with a step.
    """
    answer = _answer(family, _FINE)
    if answer is None:
        return 0.0
    course, edge, _ = answer
    course = course - course[: edge // 2].mean()
    at = np.arange(3, 13) + 0.5
    slope, start = np.polyfit(at, course[edge + 3 : edge + 13], 1)
    error = float(course[: edge // 2].std(ddof=1))  # the lead back has about that of one bin
    least = max(_SEEN, _CLEAR * error, _OF_TOP * float(course[edge:].max()))
    return float(start) * 1e3 if start > least and slope > 0 else 0.0


def lag_of_pulse(
    response: np.ndarray, edge: int, stop: int, *, size: float, rate: float
) -> float:
    """Time (s) from one pulse to the answer of the potential; 0 where there is no lag.

    Parameters
    ----------
    response : array, shape (n_samples,)
        Potential, any unit.
    edge, stop : int
        The pulse (samples).
    size : float
        Its height: only the sign matters.
    rate : float
        Samples per second (Hz).
    """
    for longest in _BINS:
        n = max(1, round(longest * rate))
        before, after = min(edge, round(_BEFORE * rate)) // n, (stop - edge) // n
        if before < _LEAST or after < _LEAST:
            return 0.0
        part = np.sign(size) * response[edge - before * n : edge + after * n]
        course = _Course.of(part.reshape(-1, n).mean(axis=1), before, n / rate)
        if course is not None:
            return course.lag(_EARLIEST_PULSE) or 0.0
    return 0.0


def _answer(family: Family, longest: float) -> tuple[np.ndarray, int, float] | None:
    """Give what the potential of all sweeps does in the direction of the current, in bins.

    Returns
    -------
    array, int, float
        Potential over current (GOhm), the bin of the edge, and the length of a bin (s).
    """
    stack, command = family.stack, family.commands
    size = max(1, round(longest * stack.rate))
    rows = family.rows[family.whole] if command.edges.size == 1 else family.rows
    jumps = command.levels[rows, 1] - command.levels[rows, 0]
    edge = int(command.edges[0])
    stop = int(command.edges[1]) if command.edges.size > 1 else family.stop
    before = min(edge - command.first, round(_BEFORE * stack.rate)) // size
    after = (stop - edge) // size
    power = float(jumps @ jumps)
    if before < _LEAST or after < _LEAST or np.abs(jumps).max(initial=0.0) < NO_STEP:
        return None
    window = slice(edge - before * size, edge + after * size)
    course = (jumps / power) @ stack.voltage_mv[rows, window]
    if not np.isfinite(course).all():
        return None
    return course.reshape(-1, size).mean(axis=1), before, size / stack.rate


@attrs.frozen(kw_only=True, eq=False)
class _Course:
    """What answers the current, bin by bin, above what was there at rest.

    Parameters
    ----------
    values : array, shape (n_bins,)
        Potential over current (GOhm).
    edge : int
        Bin in which the current changes.
    width : float
        Of a bin (s).
    noise : float
        SD of a bin at rest.
    onset, tau : float
        Bin in which the rise begins, and its time constant in bins.
    top : float
        Largest answer.
    """

    values: np.ndarray
    edge: int
    width: float
    noise: float
    onset: float
    tau: float
    top: float

    @classmethod
    def of(cls, values: np.ndarray, edge: int, width: float) -> _Course | None:
        """Read the rise between two parts of the largest answer; None below the noise.

        The time that an exponential takes from one to the other tells its time constant, and
        with it how long before the first it began.
        """
        quiet = values[: edge // 2]
        values, noise = values - quiet.mean(), float(quiet.std(ddof=1))
        values = values - cls._drifted(values, edge, width, noise)
        # the largest of noisy bins is not the largest answer
        wide = min(max(1, round(_TOP / width)), values.size - edge)
        top = float(np.convolve(values[edge:], np.full(wide, 1 / wide), mode="valid").max())
        if not _LOW * top > _CLEAR * noise:
            return None
        low, high = (_crossing(values, part * top) for part in (_LOW, _HIGH))
        tau = max((high - low) / np.log((1 - _LOW) / (1 - _HIGH)), 1.0)
        onset = low + tau * np.log(1 - _LOW)
        return cls(
            values=values, edge=edge, width=width, noise=noise, onset=onset, tau=tau, top=top
        )

    @staticmethod
    def _drifted(values: np.ndarray, edge: int, width: float, noise: float) -> float:
        """Give how far the rest has gone by the edge, where it stands still there.

        A drift is no answer that came before the current; such an answer goes on rising.
        """
        size = min(round(_STANDS / width), edge // 4)
        if size < 2:
            return 0.0
        near, before = values[edge - size : edge], values[edge - 2 * size : edge - size]
        level = float(near.mean())
        still = abs(level - float(before.mean())) <= max(0.2 * abs(level), noise)
        return level if still else 0.0

    def lag(self, earliest: float = _EARLIEST) -> float | None:
        """Time (s) from the current to the answer, where it is one."""
        late, least = self.onset - self.edge, max(earliest / self.width, 1.5)
        if late < -least:
            moves = self._rise(round(self.onset), self.edge) > _MOVING
            return late * self.width if moves else None
        leaves = np.abs(self.values) > max(_CLEAR * self.noise, _NOTHING * self.top)
        begin = self.edge + int(leaves[self.edge :].argmax())
        if not abs(self._rise(self.edge, begin)) <= _STILL:
            return None
        # behind a bridge that is off the answer begins with a jump, else before it is seen
        if begin > self.onset + 1 and abs(self._rise(round(self.onset), begin)) <= _STILL:
            late = begin - self.edge
        return late * self.width if late > least else None

    def _rise(self, first: int, last: int) -> float:
        """Mean between two bins, over that of a rise from the first on; NaN in the noise."""
        part = self.values[first:last]
        expected = part.size / 2 * self.top / self.tau
        if not expected > _CLEAR * self.noise / np.sqrt(max(part.size, 1)):
            return np.nan
        return float(part.mean()) / expected


def _crossing(course: np.ndarray, level: float) -> float:
    """Place (bins) at which the course last comes from below a level before its largest."""
    peak = int(course.argmax())
    below = np.flatnonzero(course[: peak + 1] < level)
    k = int(below[-1]) if below.size else 0
    rise = course[k + 1] - course[k]
    return k + 0.5 + (float((level - course[k]) / rise) if rise > 0 else 0.0)

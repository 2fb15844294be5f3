"""Cells of one indicator, advanced from event to event.

A cell is its place in the table of calcium, which falls in a straight line; the table turns
it into calcium and its slope, and those at both ends of a step advance the filters of the
binding kernel. All cells take the step as if none had spiked; then each spike adds what the
trajectory after it has over the one without it, from the spike to the end of the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.imaging.events.table import FLOOR, CalciumTable, Interpolated, filter_weights

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from cleo_like.imaging.events.kinetics import Kinetics

LONGEST = 0.15
"""Longest step, relative to the fastest time constant of calcium."""
_NOBODY, _NEVER = np.zeros(0, dtype=int), np.zeros(0)
_LENGTHS = 2**13
_KEPT = 32  # step lengths whose weights are kept; frames have one or two


class EventDriven:
    """Cells of one indicator, advanced from event to event.

    Parameters
    ----------
    kinetics : Kinetics
        The indicator.
    n : int
        Number of cells (or ROIs).

    Examples
    --------
    >>> from cleo_like.imaging import gcamp6f
    >>> cells = EventDriven(gcamp6f().kinetics(), 2)
    >>> cells.advance(0.074, np.array([1]), np.array([0.0]))  # cell 1 spikes at 0
    >>> [round(float(x), 3) for x in cells.dff()]
    [0.0, 0.105]
    """

    def __init__(self, kinetics: Kinetics, n: int) -> None:
        self.kinetics = kinetics
        self.n = n
        self.table = CalciumTable(kinetics)
        self.rates = kinetics.rates
        self._longest = LONGEST * (1 + kinetics.kappa_S) / kinetics.gamma
        lengths = np.linspace(0, self._longest, _LENGTHS)
        weights = filter_weights(self.rates, lengths)
        self._per_second = (_LENGTHS - 1) / self._longest
        self._weights = Interpolated(weights.reshape(-1, _LENGTHS))
        self._scale = kinetics.gain * kinetics.dFF_max
        self._offset = 0.0
        # computed as all others are, so that dF/F at rest is 0 exactly
        self._offset = -float(self._shown(np.array([kinetics.rest]))[0])
        self._steps: dict[float, np.ndarray] = {}
        self._first = np.zeros(n, dtype=np.intp)  # scratch: first spike of each cell
        self.reset()

    def reset(self) -> None:
        """Go back to rest at time 0."""
        self.time = 0.0
        self._place = np.full(self.n, -1.0)
        self._filters = np.zeros((len(self.rates), self.n))
        self._after = np.zeros((2, self.n))  # calcium above rest, and its slope

    def advance(
        self,
        time: float,
        cells: Int[np.ndarray, "n_spikes"] | None = None,
        times: Float[np.ndarray, "n_spikes"] | None = None,
    ) -> None:
        """Advance all cells to a time.

        Parameters
        ----------
        time : float
            Seconds, not before the present one.
        cells, times : array, shape (n_spikes,)
            Spikes since the present time up to and with the new one, in order of time:
            who, and when (s).
        """
        if cells is None or times is None:
            cells, times = _NOBODY, _NEVER
        length = time - self.time
        if length <= self._longest:
            self._advance_once(time, cells, times)
            return
        pieces = int(np.ceil(length / self._longest))
        ends = self.time + length * np.arange(1, pieces) / pieces
        cuts = [0, *np.searchsorted(times, ends), len(cells)]
        for end, a, b in zip([*ends, time], cuts[:-1], cuts[1:], strict=True):
            self._advance_once(float(end), cells[a:b], times[a:b])

    def _advance_once(self, time: float, cells: np.ndarray, times: np.ndarray) -> None:
        """Advance by one step, and add its spikes."""
        h = time - self.time
        self._step(h)
        self.time = time
        if len(cells):
            self._spike(cells, np.minimum(np.maximum(time - times, 0.0), h))

    def _step(self, h: float) -> None:
        """Advance all cells by the same time, without spikes."""
        if h <= 0:
            return
        self._place -= self.table.fall * h
        before, self._after = self._after, self.table.calcium(self._place)
        if len(self.rates):
            rows = np.concatenate([self._filters, before, self._after])
            self._filters = self._matrix(h) @ rows

    def _matrix(self, h: float) -> np.ndarray:
        """Give what takes filters, and calcium at both ends of a step, to the next filters."""
        found = self._steps.get(h)
        if found is None:
            if len(self._steps) >= _KEPT:
                self._steps.clear()
            own = np.diag(np.exp(-self.rates * h))
            found = np.concatenate(
                [own, filter_weights(self.rates, np.array([h]))[..., 0]], axis=1
            )
            self._steps[h] = found
        return found

    def _spike(self, cells: np.ndarray, ages: np.ndarray) -> None:
        """Add spikes of some age: of every cell the first one, then the second one, ..."""
        while len(cells) > 1:
            index = np.arange(len(cells))
            self._first[cells[::-1]] = index[::-1]
            first = self._first[cells] == index
            if first.all():
                break
            self._spike_once(cells[first], ages[first])
            cells, ages = cells[~first], ages[~first]
        self._spike_once(cells, ages)

    def _spike_once(self, cells: np.ndarray, age: np.ndarray) -> None:
        """Add one spike to each of some cells."""
        fallen = self.table.fall * age
        found = self.table.spike(self._place[cells] + fallen)
        self._place[cells] = place = found[4] - fallen
        end = self.table.calcium(place)
        if len(self.rates):
            more = np.concatenate([found[2:4] - found[:2], end - self._after[:, cells]])
            weights = self._weights(age * self._per_second).reshape(-1, 4, len(age))
            weights *= more
            self._filters[:, cells] += weights.sum(axis=1)
        self._after[:, cells] = end

    def calcium(self) -> Float[np.ndarray, "n"]:
        """Give free calcium (mol/m^3)."""
        return self.kinetics.rest + self._after[0]

    def set_calcium(self, calcium: Float[np.ndarray, "n"]) -> None:
        """Set free calcium (mol/m^3), now; the indicator follows it as it does spikes.

        Raises
        ------
        InputError
            Calcium below rest, which spikes cannot bring about, or beyond the table.
        """
        rest, most = self.kinetics.rest, self.table.most
        above = np.asarray(calcium, dtype=float) - rest
        if not (above >= -1e-12 * rest).all() or above.max(initial=0) > most:
            msg = (
                f"calcium must be from rest ({rest * 1e6:g} nM) to "
                f"{(rest + most) * 1e3:.3g} uM in event-driven evaluation, got "
                f"{np.asarray(calcium) * 1e6} nM; use evaluation='clock' for any"
            )
            raise InputError(msg)
        some = above > FLOOR * rest
        self._place = np.where(some, self.table.place(np.where(some, above, 1.0)), -1.0)
        self._after = self.table.calcium(self._place)

    def state(self) -> tuple[Any, ...]:
        """Give all that changes, copied."""
        return self.time, self._place.copy(), self._filters.copy(), self._after.copy()

    def set_state(self, state: tuple[Any, ...]) -> None:
        """Go back to what `state` gave."""
        self.time, *arrays = state
        self._place, self._filters, self._after = (array.copy() for array in arrays)

    @property
    def gain(self) -> float:
        """Factor of excitation on dF/F."""
        return self.kinetics.gain

    def bound(self) -> Float[np.ndarray, "n"]:
        """Give the concentration that the indicator shows (mol/m^3)."""
        k = self.kinetics
        if k.A is None or len(self.rates) == 0:
            return self.calcium()
        bound = self._filters[0] - self._filters[1]
        bound *= k.A
        bound += k.rest
        return bound

    def dff(self) -> Float[np.ndarray, "n"]:
        """Give dF/F."""
        return self._shown(self.bound())

    def _shown(self, bound: np.ndarray) -> np.ndarray:
        """Give dF/F of an effective concentration: scale * (H(bound) - H(rest))."""
        k = self.kinetics
        power = np.maximum(bound, 0.0)
        power /= k.K_d
        if k.n_H != 1:
            power **= k.n_H
        power += 1.0
        dff = np.divide(-self._scale, power, out=power)
        dff += self._offset
        return dff

"""The same model one step at a time, for closed loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.imaging.calibrated.indicator import mean_size
from cleo_like.imaging.calibrated.population.bursts import burst_numbers, sizes_of

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from cleo_like.imaging.calibrated.indicator import CalibratedIndicator
    from cleo_like.imaging.calibrated.population.cells import CellFactors


class OnlineCells:
    """Cells of one calibrated indicator, advanced from time to time.

    Parameters
    ----------
    indicator : CalibratedIndicator
        What they carry.
    cells : CellFactors
        How they differ.

    Examples
    --------
    >>> import numpy as np
    >>> from cleo_like.imaging.calibrated import CellFactors, calibrated_indicator
    >>> online = OnlineCells(calibrated_indicator("jgcamp8f"), CellFactors.equal(2))
    >>> online.advance(0.05, np.array([1]), np.array([0.01]))
    >>> online.dff()[0], online.dff()[1] > 0
    (np.float64(0.0), np.True_)
    """

    def __init__(self, indicator: CalibratedIndicator, cells: CellFactors) -> None:
        self.indicator, self.factors, self.n = indicator, cells, len(cells)
        self._sized_bursts = not cells.bursts_are_alike
        self._rates = indicator.kernel.rates / cells.duration[:, None]
        self._weights = indicator.kernel.mode_weights
        self.reset()

    def reset(self) -> None:
        """Go back to rest at time 0."""
        self.time = 0.0
        self._modes = np.zeros_like(self._rates)
        self._sized = np.zeros_like(self._rates)  # the same, with the sizes of bursts
        self._last = np.full(self.n, -np.inf)
        self._count = np.zeros(self.n, dtype=int)

    def advance(
        self,
        time: float,
        cells: Int[np.ndarray, " n_spikes"] | None = None,
        times: Float[np.ndarray, " n_spikes"] | None = None,
    ) -> None:
        """Advance all cells to a time.

        Parameters
        ----------
        time : float
            Seconds, not before the present one.
        cells, times : array (n_spikes,)
            Spikes up to and with the new time: who, and when (s), in any order.

        Raises
        ------
        InputError
            A time in the past, or a spike after the new time.
        """
        if time < self.time:
            raise InputError(f"time cannot go back from {self.time} s to {time} s")
        kept = np.exp(-self._rates * (time - self.time))
        self._modes *= kept
        self._sized *= kept
        self.time = time
        if cells is None or times is None or len(cells) == 0:
            return
        cells, times = np.asarray(cells), np.asarray(times)
        age = time - times
        if age.min() < -1e-9:
            raise InputError(f"a spike at {np.max(times)} s is after the new time {time} s")
        decayed = np.exp(-self._rates[cells] * np.maximum(age, 0.0)[:, None])
        np.add.at(self._modes, cells, decayed)
        if self._sized_bursts:
            order = np.lexsort((times, cells))
            who = cells[order]
            numbers = burst_numbers(times[order], who, self._last, self._count)
            sizes = sizes_of(numbers, who, self.factors.bursts)
            np.add.at(self._sized, who, sizes[:, None] * decayed[order])

    def state(self) -> tuple[Any, ...]:
        """Give all that changes, copied."""
        arrays = (self._modes, self._sized, self._last, self._count)
        return self.time, *(array.copy() for array in arrays)

    def set_state(self, state: tuple[Any, ...]) -> None:
        """Go back to what `state` gave."""
        self.time, *arrays = state
        self._modes, self._sized, self._last, self._count = (a.copy() for a in arrays)

    def calcium(self) -> Float[np.ndarray, " n"]:
        """Give the calcium-like variable."""
        return np.asarray(self._modes @ self._weights)

    def dff(self) -> Float[np.ndarray, " n"]:
        """Give (F - F0)/F0."""
        calcium = np.asarray(self._modes @ self._weights)
        found = self.factors.gain * self.indicator.fluorescence(calcium)
        if self._sized_bursts:
            found *= mean_size(self._sized @ self._weights, calcium)
        return np.asarray(found)

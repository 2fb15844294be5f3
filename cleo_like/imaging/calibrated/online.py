"""The same model one step at a time, for closed loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from cleo_like.imaging.calibrated.cells import CellFactors
    from cleo_like.imaging.calibrated.indicator import CalibratedIndicator


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
        self._rates = indicator.kernel.rates / cells.duration[:, None]
        self._weights = indicator.kernel.mode_weights
        self.reset()

    def reset(self) -> None:
        """Go back to rest at time 0."""
        self.time = 0.0
        self._modes = np.zeros_like(self._rates)

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
        self._modes *= np.exp(-self._rates * (time - self.time))
        self.time = time
        if cells is None or times is None or len(cells) == 0:
            return
        age = time - np.asarray(times)
        if age.min() < -1e-9:
            raise InputError(f"a spike at {np.max(times)} s is after the new time {time} s")
        decayed = np.exp(-self._rates[cells] * np.maximum(age, 0.0)[:, None])
        np.add.at(self._modes, cells, decayed)

    def state(self) -> tuple[Any, ...]:
        """Give all that changes, copied."""
        return self.time, self._modes.copy()

    def set_state(self, state: tuple[Any, ...]) -> None:
        """Go back to what `state` gave."""
        self.time, modes = state
        self._modes = modes.copy()

    def calcium(self) -> Float[np.ndarray, " n"]:
        """Give the calcium-like variable."""
        return np.asarray(self._modes @ self._weights)

    def dff(self) -> Float[np.ndarray, " n"]:
        """Give (F - F0)/F0."""
        return self.factors.gain * self.indicator.fluorescence(self.calcium())

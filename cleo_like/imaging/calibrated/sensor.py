"""A calibrated indicator as a sensor of a `Scope`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.imaging.calibrated.online import OnlineCells
from cleo_like.imaging.calibrated.population.cells import CellFactors
from cleo_like.imaging.sensors.block import EventBlock
from cleo_like.imaging.sensors.sensor import Sensor
from cleo_like.imaging.sensors.shown import time_worth_drawing

if TYPE_CHECKING:
    from brian2 import NeuronGroup

    from cleo_like.imaging.calibrated.indicator import CalibratedIndicator
    from cleo_like.imaging.calibrated.population.noise import FrameNoise
    from cleo_like.imaging.rois import Rois


class _ImagedCells(OnlineCells):
    """Cells whose calcium-like variable, which has no unit, is not passed on as calcium."""

    def calcium(self) -> np.ndarray:
        """Give NaN: the model has no concentration."""
        return np.full(self.n, np.nan)


@attrs.define(eq=False, slots=False, repr=False)
class CalibratedSensor(Sensor):
    """A calibrated indicator in cells that differ; dF/F is (F - F0)/F0.

    Evaluated from spikes, at spikes and frames only.

    Parameters
    ----------
    indicator : CalibratedIndicator
        The model.
    cells_differ : bool
        Draw gain, duration and noise of each cell and the sizes of its bursts (default); else
        all are the median cell. A cell in two planes is the same cell.
    rand_seed : int, optional
        Seed of the draw.
    sigma_noise, dFF_1AP, location, extra_namespace, name, save_history
        As for `Sensor`.

    Examples
    --------
    >>> from cleo_like.imaging.calibrated import gcamp6f
    >>> sensor = gcamp6f()
    >>> sensor.name, sensor.resting_brightness, sensor.snr > 0.5
    ('gcamp6f', 1.0, True)
    """

    indicator: CalibratedIndicator = attrs.field(kw_only=True)
    """The model."""
    cells_differ: bool = attrs.field(kw_only=True, default=True)
    """Whether each cell has its own gain, duration, noise and sizes of bursts."""
    rand_seed: int | None = attrs.field(kw_only=True, default=None)
    """Seed of the draw."""

    def make_block(
        self,
        group: NeuronGroup,
        targets: np.ndarray,
        rho_rel: np.ndarray,
        kwparams: dict[str, Any],
    ) -> EventBlock:
        """Make the evaluation for cells of one group."""
        del kwparams
        if self.cells_differ:
            everyone = self.indicator.draw_cells(len(group), self.rng)
        else:
            everyone = CellFactors.equal(len(group))
        factors = everyone.take(targets)
        block = EventBlock(
            lambda: _ImagedCells(self.indicator, factors), group, targets, rho_rel
        )
        self.brian_objects.add(block.monitor)
        return block

    def answer_to_one_spike(self, times: np.ndarray) -> np.ndarray:
        """Give (F - F0)/F0 of the median cell at times (s) from one spike."""
        return np.asarray(self.indicator.dff([0.0], [0], np.asarray(times), n=1)[0])

    def _lasts(self) -> float:
        one = self.indicator.single_spike()
        return time_worth_drawing(one.time_to_peak, one.half_decay)

    def frame_noise(self, rois: Rois) -> FrameNoise:
        """Give the noise of the cells: their factors, and the slow part of the recordings."""
        cells = [self.blocks[group.name].cells.factors.noise for group in rois.groups]
        return self.indicator.noise.frame_by_frame(np.asarray(rois.in_order(cells)))

"""What the cells do: dF/F at the time at which the laser meets each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_samples
from cleo_like.core.errors import InputError
from cleo_like.core.ophys.traces import Traces
from cleo_like.core.units import si
from cleo_like.imaging.calibrated.table import calibrated_indicator
from cleo_like.imaging.movie.kernels.tables import stream

if TYPE_CHECKING:
    from jaxtyping import Float

    from cleo_like.core.units import Quantity
    from cleo_like.imaging.calibrated.indicator import CalibratedIndicator
    from cleo_like.imaging.calibrated.population import CellFactors


@attrs.frozen(kw_only=True, eq=False)
class Activity:
    """The population of a movie.

    Parameters
    ----------
    n : int
        Cells.
    resting : array, shape (n,)
        Light at rest, relative to that of a response.
    traces : Traces, optional
        Where dF/F comes from, or
    spikes : tuple of array, optional
        spikes of each cell (s), and
    indicator : CalibratedIndicator, optional
        what they do,
    cells : CellFactors, optional
        with what differs between cells beside F0: durations, sizes of bursts.
    notes : tuple of str
        What was assumed.
    """

    n: int
    resting: Float[np.ndarray, "n"]
    traces: Traces | None = None
    spikes: tuple[np.ndarray, ...] | None = None
    indicator: CalibratedIndicator | None = None
    cells: CellFactors | None = None
    notes: tuple[str, ...] = ()

    def dff(
        self, times: Float[np.ndarray, "n_frames"], delays: Float[np.ndarray, "n"]
    ) -> Float[np.ndarray, "n_frames n"]:
        """Give dF/F of each cell when the laser meets it.

        Parameters
        ----------
        times : array, shape (n_frames,)
            At which frames begin (s).
        delays : array, shape (n,)
            From there to the cell (s).
        """
        if self.traces is not None:
            given, seen = _clean(self.traces)
            columns = [
                np.interp(times + delay, given, trace)
                for delay, trace in zip(delays, seen, strict=True)
            ]
        else:
            columns = list(self._of_spikes(times, delays))
        out = np.empty((len(times), self.n), np.float32)
        for i, column in enumerate(columns):
            out[:, i] = column / (self.resting[i] if self._divides else 1.0)
        return out

    @property
    def _divides(self) -> bool:
        """Whether dF/F does not have the spread of F0 yet."""
        return self.traces is None or "gain" not in self.traces.rois

    def _of_spikes(self, times: np.ndarray, delays: np.ndarray) -> np.ndarray:
        spikes, indicator = self.spikes or (), self.indicator
        if indicator is None or self.cells is None or self.n == 0:
            return np.zeros((self.n, len(times)))
        who = np.repeat(np.arange(self.n), [len(s) for s in spikes])
        # a cell met later sees its spikes earlier
        when = np.concatenate([np.zeros(0), *spikes]) - delays[who]
        return indicator.dff(when, who, times, cells=self.cells)


def activity_of(
    source: Any, indicator: str | CalibratedIndicator | None, resting: float | None, seed: int
) -> Activity:
    """Understand what was given as the activity of a population.

    Parameters
    ----------
    source : Traces, or sequence of arrays, or mapping of cell to array
        dF/F, or spike times of each cell (s, or quantities).
    indicator : str or CalibratedIndicator, optional
        For spikes.
    resting : float, optional
        Spread of the light at rest.
    seed : int
        Of the movie.
    """
    rng = stream(seed, "cells")
    if isinstance(source, Traces):
        if indicator is not None:
            msg = "traces are dF/F already: give the indicator with spikes only"
            raise InputError(msg)
        return _of_traces(source, resting, rng)
    spikes = _trains(source)
    if indicator is None:
        msg = "spikes need an indicator to be seen: indicator='jgcamp8s', for instance"
        raise InputError(msg)
    model = calibrated_indicator(indicator) if isinstance(indicator, str) else indicator
    n = len(spikes)
    cells = model.draw_cells(n, rng)
    # the gain of a cell is what its F0 makes of a response that is the same in all cells
    drawn = 1 / cells.gain
    if resting is not None:
        drawn = np.exp(-resting * rng.standard_normal(n))
    cells = attrs.evolve(cells, gain=np.ones(n))
    return Activity(n=n, resting=drawn, spikes=spikes, indicator=model, cells=cells)


def _of_traces(traces: Traces, resting: float | None, rng: np.random.Generator) -> Activity:
    notes = []
    if traces.truth is None or traces.truth.fluorescence is None:
        notes.append("traces have no truth: their noise is rendered as activity")
    if "F/F" not in traces.quantity:
        msg = f"traces must be dF/F to be rendered, these are {traces.quantity!r}"
        raise InputError(msg)
    if "gain" in traces.rois:
        drawn = 1 / np.asarray(traces.rois["gain"], float)
        drawn /= np.median(drawn) if drawn.size else 1.0
    else:
        drawn = np.exp(
            (0.0 if resting is None else resting) * rng.standard_normal(traces.n_rois)
        )
    return Activity(n=traces.n_rois, resting=drawn, traces=traces, notes=tuple(notes))


def _clean(traces: Traces) -> tuple[np.ndarray, np.ndarray]:
    """Give times in the middle of exposures, and (F - F0)/F0 without noise."""
    from cleo_like.imaging.export import resting_brightness

    truth = traces.truth
    known = None if truth is None else truth.fluorescence
    seen = traces.fluorescence if known is None else known
    return traces.times - traces.exposure / 2, seen / resting_brightness(traces)


def _trains(source: Any) -> tuple[np.ndarray, ...]:
    trains = list(source.values()) if hasattr(source, "values") else source
    if not isinstance(trains, (list, tuple)):
        msg = (
            "activity must be Traces, or the spike times of each cell (a list of arrays, or "
            f"a mapping of cell to array), got {type(source).__name__}"
        )
        raise InputError(msg)
    found = tuple(map(si_samples("s", name="spike_times"), trains))
    if any(train.ndim != 1 or not np.isfinite(train).all() for train in found):
        msg = "spike_times must be a list of one array of finite times for each cell"
        raise InputError(msg)
    return found


def spike_trains(
    n: int,
    duration: Quantity,
    *,
    rate: Quantity = "0.4 Hz",
    rate_spread: float = 0.9,
    burst: float = 2.5,
    shared: float = 0.5,
    seed: int = 0,
) -> list[np.ndarray]:
    """Draw spikes of a cortical population, where there is no simulated network.

    Rates are log-normal over cells; spikes come in bursts of a geometric number of spikes
    10 ms apart; a slow signal that all cells share makes them more and less active together.

    Parameters
    ----------
    n : int
        Cells.
    duration : quantity
        Length of the trains.
    rate : quantity
        Median rate of a cell.
    rate_spread : float
        Standard deviation of the logarithm of the rates.
    burst : float
        Mean number of spikes of a burst (1 or more).
    shared : float
        Standard deviation of the logarithm of the shared signal.
    seed : int
        Of the draw.

    Returns
    -------
    list of array
        Spike times of each cell (s), rising.

    Examples
    --------
    >>> trains = spike_trains(20, "30 s", seed=1)
    >>> len(trains), bool(max(t.max(initial=0) for t in trains) < 30)
    (20, True)
    """
    from cleo_like.imaging.movie.motion import wander

    total, mean = si(duration, "s", "duration"), si(rate, "Hz", "rate")
    if not (total > 0 and mean > 0 and burst >= 1):
        msg = f"duration and rate must be above 0 and burst 1 or more, got {burst:g}"
        raise InputError(msg)
    rng = stream(seed, "spikes")
    step = 0.1
    drive = np.exp(shared * wander(int(np.ceil(total / step)) + 1, step, 2.0, 1, rng)[:, 0])
    rates = mean / burst * np.exp(rate_spread * rng.standard_normal(n))
    trains = []
    for one in rates:
        count = rng.poisson(one * step * drive)
        starts = step * (np.repeat(np.arange(len(drive)), count) + rng.random(count.sum()))
        sizes = rng.geometric(1 / burst, len(starts))
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        times = np.sort(np.repeat(starts, sizes) + 0.01 * within)
        trains.append(times[times < total])
    return trains

"""An indicator that turns spikes into (F - F0)/F0, with cells that differ."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import frozen_mapping, si_samples
from cleo_like.core.errors import InputError
from cleo_like.core.ophys.traces import ImagingTruth, Traces
from cleo_like.imaging.calibrated.population.bursts import burst_numbers, sizes_of
from cleo_like.imaging.calibrated.population.cells import CellFactors, Variability
from cleo_like.imaging.calibrated.population.noise import RecordingNoise
from cleo_like.imaging.calibrated.propagate import exponential_sum
from cleo_like.imaging.events.single_spike import SingleSpike

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jaxtyping import Float
    from numpy.typing import ArrayLike

    from cleo_like.imaging.calibrated.kernel import Kernel
    from cleo_like.imaging.calibrated.response import HillResponse, SigmoidResponse

_VALUES_AT_ONCE = 2_000_000


class ExtrapolationWarning(UserWarning):
    """Spikes are faster or more than the recordings of a fit had; the message says how far."""


@attrs.frozen(kw_only=True)
class CalibratedIndicator:
    """Kernel and saturation of an indicator, and how cells differ; dF/F is (F - F0)/F0.

    The model is a description of recordings, not of chemistry: spikes through a kernel make
    a calcium-like variable, and a saturating curve makes fluorescence of it.

    Parameters
    ----------
    name : str
        Of the indicator.
    kernel : Kernel
        Calcium-like variable after a spike.
    response : HillResponse or SigmoidResponse
        dF/F of that variable.
    variability : Variability
        Differences between cells; none by default.
    noise : RecordingNoise
        Noise of dF/F of the median cell; none by default.
    source : str
        Recordings or paper that the numbers come from.
    evidence : mapping
        Statistics of the fit: cells, spikes, correlation on held-out cells, ...

    Examples
    --------
    >>> import numpy as np
    >>> from cleo_like.imaging.calibrated import calibrated_indicator
    >>> indicator = calibrated_indicator("gcamp6f")
    >>> frames = np.arange(90) / 30
    >>> trace = indicator.dff([0.5, 0.52, 0.54], [0, 0, 0], frames, n=1)
    >>> trace.shape, float(trace[0, :15].max())
    ((1, 90), 0.0)
    """

    name: str
    kernel: Kernel
    response: HillResponse | SigmoidResponse
    variability: Variability = attrs.field(factory=Variability)
    noise: RecordingNoise = attrs.field(factory=RecordingNoise)
    source: str
    evidence: Mapping[str, Any] = attrs.field(factory=dict, converter=frozen_mapping)

    def draw_cells(self, n: int, rng: np.random.Generator) -> CellFactors:
        """Draw how n cells differ from the median cell.

        Parameters
        ----------
        n : int
            Number of cells.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        CellFactors
        """
        return self.variability.draw(n, rng)

    def calcium(
        self,
        spike_times: ArrayLike,
        spike_cells: ArrayLike,
        frame_times: ArrayLike,
        *,
        n: int | None = None,
        cells: CellFactors | None = None,
    ) -> Float[np.ndarray, "n n_frames"]:
        """Compute the calcium-like variable (1 at the peak of one spike of the median cell).

        Parameters are those of `dff`.
        """
        factors = _factors(n, cells)
        rates = self.kernel.rates / factors.duration[:, None]
        weights = np.broadcast_to(self.kernel.mode_weights, rates.shape)
        times, who, frames = _times(spike_times), _cells(spike_cells), _times(frame_times)
        return exponential_sum(times, who, frames, rates, weights)

    def dff(
        self,
        spike_times: Any,
        spike_cells: Any,
        frame_times: Any,
        *,
        n: int | None = None,
        cells: CellFactors | None = None,
    ) -> Float[np.ndarray, "n n_frames"]:
        """Compute noise-free (F - F0)/F0 at frames from spikes, exactly.

        Parameters
        ----------
        spike_times : array (n_spikes,), s
            All spikes, in any order (a plain array is in seconds, or a quantity).
        spike_cells : array of int (n_spikes,)
            Cell of each spike.
        frame_times : array (n_frames,), s
            Increasing; any spacing. A spike at the time of a frame has happened.
        n : int, optional
            Number of cells, all equal to the median cell. Give this or `cells`.
        cells : CellFactors, optional
            The cells, as `draw_cells` gives them.

        Returns
        -------
        array (n, n_frames)

        Raises
        ------
        InputError
            Neither or both of `n` and `cells`; spikes of cells that are not there; times
            that are not finite; frames that do not increase.
        """
        factors = _factors(n, cells)
        times, who, frames = _times(spike_times), _cells(spike_cells), _times(frame_times)
        if len(who) and (who.min() < 0 or who.max() >= len(factors)):
            msg = (
                f"cells of spikes must be 0 to {len(factors) - 1}, "
                f"got {who.min()} to {who.max()}"
            )
            raise InputError(msg)
        order = np.argsort(who, kind="stable")
        times, who = times[order], who[order]
        out = np.empty((len(factors), frames.size))
        for part in _blocks(len(factors), frames.size):  # bounds the memory, not the speed
            first, last = np.searchsorted(who, [part.start, part.stop])
            some = factors.take(part)
            spikes = times[first:last], who[first:last] - part.start
            c = self.calcium(*spikes, frames, cells=some)
            dff = self.fluorescence(c)
            if not some.bursts_are_alike:
                dff *= self._burst_size(*spikes, frames, c, some)
            np.multiply(dff, some.gain[:, None], out=out[part])
        return out

    def _burst_size(
        self,
        times: np.ndarray,
        who: np.ndarray,
        frames: np.ndarray,
        calcium: np.ndarray,
        cells: CellFactors,
    ) -> np.ndarray:
        """Factor of bursts on dF/F: each weighs as what is left of its calcium (0: none)."""
        order = np.lexsort((times, who))
        times, who = times[order], who[order]
        n = len(cells)
        numbers = burst_numbers(times, who, np.full(n, -np.inf), np.zeros(n, dtype=int))
        rates = self.kernel.rates / cells.duration[:, None]
        weights = np.broadcast_to(self.kernel.mode_weights, rates.shape)
        sizes = sizes_of(numbers, who, cells.bursts)
        sized = exponential_sum(times, who, frames, rates, weights, sizes=sizes)
        return mean_size(sized, calcium)

    def traces(
        self,
        spike_times: Any,
        spike_cells: Any,
        frame_times: Any,
        rng: np.random.Generator,
        *,
        n: int | None = None,
        cells: CellFactors | None = None,
        drift: bool = True,
        recording_starts: Sequence[float] = (),
    ) -> Traces:
        """Compute (F - F0)/F0 as it is recorded: with noise, and the truth kept.

        Parameters
        ----------
        spike_times, spike_cells, frame_times
            As for `dff`.
        rng : numpy.random.Generator
            Source of randomness.
        n : int, optional
            Number of cells, which are drawn as `draw_cells` does. Give this or `cells`.
        cells : CellFactors, optional
            The cells.
        drift, recording_starts
            As for `RecordingNoise.draw`: the baseline drifts unless you say not, and there is
            one recording without an offset.

        Returns
        -------
        Traces
            Frames that last since the one before (noise) and show its end (signal). The ROI
            table holds the factors of the cells; the truth spikes and dF/F without noise.

        Examples
        --------
        >>> import numpy as np
        >>> from cleo_like.imaging.calibrated import calibrated_indicator
        >>> indicator = calibrated_indicator("jgcamp8m")
        >>> rng, frames = np.random.default_rng(1), np.arange(1, 301) / 30
        >>> traces = indicator.traces([0.5, 0.52, 4.0], [0, 0, 1], frames, rng, n=2)
        >>> traces, traces.truth
        (Traces: 2 ROIs, 300 frames at 30 Hz (10 s), ImagingTruth: 3 spikes, fluorescence)
        """
        if (n is None) == (cells is None):
            _factors(n, cells)
        drawn = cells if cells is not None else self.draw_cells(int(n or 0), rng)
        times, who, frames = _times(spike_times), _cells(spike_cells), _times(frame_times)
        clean = self.dff(times, who, frames, cells=drawn)
        noise = self.noise.draw(
            frames, drawn.noise, rng, drift=drift, recording_starts=recording_starts
        )
        noise += clean
        order = np.lexsort((times, who))
        edges = np.searchsorted(who[order], np.arange(1, len(drawn)))
        factors = {name: getattr(drawn, name) for name in ("gain", "duration", "noise")}
        return Traces(
            fluorescence=noise,
            times=frames,
            rois=factors,
            quantity=f"(F - F0)/F0 of {self.name}",
            truth=ImagingTruth(
                spike_times=np.split(times[order], edges) if len(drawn) else [],
                fluorescence=clean,
            ),
        )

    def fluorescence(self, calcium: ArrayLike) -> np.ndarray:
        """Give (F - F0)/F0 of the calcium-like variable, for a cell of gain 1.

        Warns
        -----
        ExtrapolationWarning
            The variable is larger than in any recording that the indicator was fitted to.
        """
        reach = getattr(self.response, "reach", np.inf)
        if np.max(calcium, initial=0.0) > reach:
            known = float(self.response(np.array(reach)))
            msg = (
                f"{self.name}: spikes add up to more than in any recording it was fitted to "
                f"(calcium of {reach:g} single spikes, dF/F {known:.2g}); dF/F above is "
                f"extrapolated"
            )
            warnings.warn(msg, ExtrapolationWarning, stacklevel=3)
        return self.response(calcium)

    def single_spike(self) -> SingleSpike:
        """Give peak, rise and decay of the response to one spike of the median cell."""
        longest = max(self.kernel.decays)
        t = np.concatenate([[0.0], np.geomspace(1e-5, 6 * longest, 20_000)])
        return SingleSpike.of(t, self.response(self.kernel(t)))


def mean_size(sized: np.ndarray, calcium: np.ndarray) -> np.ndarray:
    """Mean of the sizes of bursts, each weighted by what is left of its calcium (0: none)."""
    return np.divide(sized, calcium, out=np.zeros_like(sized), where=calcium > 0)


def _factors(n: int | None, cells: CellFactors | None) -> CellFactors:
    if (n is None) == (cells is None):
        raise InputError(
            "give the number of cells (n=...) or the cells (cells=...), one of them"
        )
    return cells if cells is not None else CellFactors.equal(int(n or 0))


_times = si_samples("s", name="times")


def _cells(values: object) -> np.ndarray:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise InputError(f"cells of spikes must be whole numbers, got {array.dtype}")
    return array.astype(np.intp)


def _blocks(n: int, n_frames: int) -> Iterator[slice]:
    size = max(1, _VALUES_AT_ONCE // max(n_frames, 1))
    return (slice(start, min(start + size, n)) for start in range(0, n, size))

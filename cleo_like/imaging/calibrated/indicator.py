"""An indicator that turns spikes into (F - F0)/F0, with cells that differ."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import frozen_mapping, si_samples
from cleo_like.core.errors import InputError
from cleo_like.imaging.calibrated.cells import CellFactors, Variability
from cleo_like.imaging.calibrated.propagate import exponential_sum
from cleo_like.imaging.events.single_spike import SingleSpike

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
            c = self.calcium(
                times[first:last], who[first:last] - part.start, frames, cells=some
            )
            np.multiply(self.fluorescence(c), some.gain[:, None], out=out[part])
        return out

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

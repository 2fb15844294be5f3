"""How simulated cells fire: four regimes, each cell with a rate of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

SPREAD = 0.5
"""SD of the logarithm of the rate over cells; rates of cortical cells are log-normal (Buzsaki &
Mizuseki 2014, Nat Rev Neurosci 15:264), with about 1; half of it keeps a regime what it is."""


@attrs.frozen(kw_only=True)
class Regime:
    """A kind of firing.

    Parameters
    ----------
    rate : float
        Median rate of events over cells (1/s).
    spikes : float
        Mean number of spikes of an event (geometric).
    interval : float
        Mean interval in an event (s), at least `REFRACTORY`.
    """

    rate: float
    spikes: float = 1.0
    interval: float = 0.012


REFRACTORY = 2e-3
REGIMES: Mapping[str, Regime] = {
    "sparse": Regime(rate=0.1),
    "poisson": Regime(rate=0.5),
    "bursty": Regime(rate=0.15, spikes=4.0),
    "high_rate": Regime(rate=5.0),
}
"""Rates of single spikes are those of sparse, usual and driven cortical cells; bursts as of
pyramidal cells: about four spikes, 12 ms apart."""


def rates_of(regime: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the rates of events (1/s) of n cells."""
    return REGIMES[regime].rate * np.exp(SPREAD * rng.standard_normal(n))


def trains(
    regime: str, rates: np.ndarray, start: float, stop: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw spike trains.

    Parameters
    ----------
    regime : str
        One of `REGIMES`.
    rates : array, shape (n_cells,)
        Of events (1/s).
    start, stop : float
        Seconds.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of array, shape (n_spikes,)
        Times (s) and cells, by cell and then by time.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> times, cells = trains("bursty", np.full(200, 0.15), 0.0, 100.0, rng)
    >>> round(times.size / (0.15 * 200 * 100), 1)  # spikes of an event
    4.0
    """
    kind = REGIMES[regime]
    counts = rng.poisson(rates * (stop - start))
    begins = rng.uniform(start, stop, counts.sum())
    cells = np.repeat(np.arange(rates.size), counts)
    if kind.spikes > 1:
        sizes = rng.geometric(1 / kind.spikes, begins.size)
        first = np.r_[0, np.cumsum(sizes)[:-1]].astype(int)
        gaps = REFRACTORY + rng.exponential(kind.interval - REFRACTORY, sizes.sum())
        passed = np.cumsum(gaps)
        begins = np.repeat(begins, sizes) + passed - np.repeat(passed[first], sizes)
        cells = np.repeat(cells, sizes)
    kept = begins < stop
    order = np.lexsort((begins[kept], cells[kept]))
    return begins[kept][order], cells[kept][order]

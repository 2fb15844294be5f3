"""Where a command changes: differences of neighbouring means at every scale.

At each scale w the mean of the w samples after a point is compared with the mean of the w
samples before it (the MOSUM statistic), against the noise of that very difference; the
narrowest scale that sees a change places it (Baranowski, Chen & Fryzlewicz 2019, J. R.
Stat. Soc. B 81:649, "narrowest over threshold").
"""

from __future__ import annotations

import attrs
import numpy as np

from cleo_like.matching.command.noise import (
    contrast_sd,
    is_clean,
    median_of,
    quantum,
    rough_sd,
    runs,
    white_sd,
)

_SIGMAS = 6.0
"""A change this many standard deviations large is none of noise (1e6 comparisons)."""
SLEW = 1e-3
"""Longest edge (s): a command on its way for longer varies, it does not step."""
_WINDOWS = 50
"""Noise is measured at scales of which so many windows fit into the sweep."""
_MEMORY, _SLOWEST = 5e-3, 30.0
"""Recorded noise forgets within 5 ms, and disturbs long means no more than white noise 30
times larger than its first differences tell; what lasts longer is signal."""
_ROUGH_BLOCK, _LEAST_BLOCK = 5e-3, 32
"""Length (s; samples) of the blocks in which the local noise is measured: one edge, which
three of their differences see, must not be half of a block."""


@attrs.frozen(kw_only=True, eq=False)
class Changes:
    """Edges (first sample of the new level) and stretches in which the command varies."""

    edges: np.ndarray
    varying: tuple[tuple[int, int], ...]
    radius: np.ndarray
    """How far (samples) each edge may have to be moved: the scale that found it."""
    slow: float
    """Standard deviation of the white noise that disturbs long means as much."""


@attrs.define(kw_only=True, eq=False)
class _Search:
    """State of the search while scales grow."""

    samples: np.ndarray
    floor: float
    slew: int
    memory: int
    slowest: float
    edges: list[tuple[int, int, int, int]] = attrs.Factory(list)  # at, first, last, scale
    varying: list[tuple[int, int]] = attrs.Factory(list)
    total: np.ndarray = attrs.field(init=False)
    power: np.ndarray = attrs.field(init=False)
    slow: float = 0.0

    def step(self, scale: int) -> None:
        """Look at one scale and keep the changes that no narrower one has seen."""
        n = self.samples.size
        stride = max(1, scale // 8)  # the edges are put in their place later
        at = np.arange(scale, n - scale + 1, stride)
        before, here, after = (
            slice(k * scale, n - (2 - k) * scale + 1, stride) for k in range(3)
        )
        low, mid, high = (self.total[before], self.total[here], self.total[after])
        difference = (high - 2 * mid + low) / scale
        noise = np.sqrt(self.power[after] - self.power[before]) / scale
        if scale <= self.memory and scale * _WINDOWS <= n:
            # noise with a memory falls less than white noise as the windows grow
            seen = contrast_sd(difference, scale // stride) * (scale / 2) ** 0.5
            self.slow = max(self.slow, min(seen, self.slowest))
        noise = np.maximum(noise, self.slow * (2 / scale) ** 0.5)
        threshold = np.maximum(_SIGMAS * noise, self.floor)
        free = ~self._taken(at, scale)
        for sign in (1, -1):
            self._keep(sign * difference * free, threshold, (scale, stride))

    def _taken(self, at: np.ndarray, scale: int) -> np.ndarray:
        """Points whose two windows reach into a change that is known already."""
        known = sorted([(first, last) for _, first, last, _ in self.edges] + self.varying)
        if not known:
            return np.zeros(at.size, dtype=bool)
        spans = np.array(known)
        reach = np.maximum.accumulate(spans[:, 1]) + scale
        before = np.searchsorted(spans[:, 0] - scale, at, side="left")
        return (before > 0) & (at < reach[np.maximum(before - 1, 0)])

    def _keep(
        self, difference: np.ndarray, threshold: np.ndarray, grid: tuple[int, int]
    ) -> None:
        scale, stride = grid
        starts, stops = runs(difference > threshold)
        if starts.size == 0:
            return
        apart = np.flatnonzero((starts[1:] - stops[:-1]) * stride >= scale)
        starts, stops = starts[np.r_[0, apart + 1]], stops[np.r_[apart, stops.size - 1]]
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            top = (start + int(np.argmax(difference[start:stop]))) * stride
            first, last = start * stride, (stop - 1) * stride
            if last + 1 - first > 2 * scale + self.slew:
                self.varying.append((first + scale - 1, last + 1 + scale))
            else:
                wide = scale - 1
                ends = (min(first + wide, top), max(last - wide, top))
                self.edges.append((top + scale, ends[0] + scale, ends[1] + scale, scale))


def find_changes(samples: np.ndarray, rate: float, floor: float) -> Changes:
    """Find the edges of a command and the stretches where it varies steadily.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Command without gaps, in any unit.
    rate : float
        Samples per second (Hz).
    floor : float
        Changes up to this size do not count (unit of the command).

    Examples
    --------
    >>> x = np.repeat([0.0, 100.0, 0.0], [2000, 10000, 8000])
    >>> noise = np.random.default_rng(0).normal(0, 30.0, x.size)
    >>> bool(np.all(np.abs(find_changes(x + noise, 2e4, 0.0).edges - [2000, 12000]) < 10))
    True
    """
    search = _Search(
        samples=samples,
        floor=max(floor, 0.0),
        slew=max(5, round(SLEW * rate)),
        memory=max(1, round(_MEMORY * rate)),
        slowest=_SLOWEST * max(white_sd(samples), quantum(samples)),
    )
    search.total = np.concatenate(([0.0], np.cumsum(samples - median_of(samples))))
    rough = np.maximum(
        rough_sd(samples, max(_LEAST_BLOCK, round(_ROUGH_BLOCK * rate))), quantum(samples) / 2
    )
    search.power = np.concatenate(([0.0], np.cumsum(rough**2)))
    # differences of sums of n terms: below this it is rounding
    search.floor = max(search.floor, 1e-12 * float(np.max(np.abs(search.total), initial=0.0)))
    for power in range(max(1, int(np.log2(max(samples.size, 2))))):
        search.step(2**power)
        if power == 0 and is_clean(samples) and _small_rest(samples, search.floor):
            break
    edges = sorted(search.edges)
    return Changes(
        edges=np.array([e[0] for e in edges], dtype=int),
        radius=np.array([max(e[3], e[2] - e[1]) for e in edges], dtype=int),
        varying=_joined(search.varying, search.slew),
        slow=search.slow,
    )


def _small_rest(samples: np.ndarray, floor: float) -> bool:
    """Whether the changes too small for an edge add up to nothing either."""
    change = np.abs(samples[1:] - samples[:-1])
    return float(change[change <= floor].sum()) <= floor


def _joined(stretches: list[tuple[int, int]], gap: int) -> tuple[tuple[int, int], ...]:
    """Join stretches that overlap or lie no more than `gap` samples apart."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(stretches):
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return tuple(joined)

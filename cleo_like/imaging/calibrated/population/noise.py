"""Noise of recorded dF/F: white, slow, and on request drift and offsets of F0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_default, si_required, si_samples
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

STATED_RATE = 30.0
"""Frame rate (1/s) for which the white noise of a frame is stated."""
_VALUES_AT_ONCE = 2_000_000
_times = si_samples("s", name="frame_times")


@attrs.frozen(kw_only=True)
class RecordingNoise:
    """Noise of dF/F of the median cell of a set of recordings.

    Parameters
    ----------
    white : float
        Standard deviation of the white part in a frame that lasts 1 s; of a frame at rate f,
        it is sqrt(f) times that.
    slow : float
        Standard deviation of the slow part (an Ornstein-Uhlenbeck process).
    slow_time : quantity
        Time constant of the slow part.
    drift : float
        Standard deviation of changes slower than a minute, with `drift_time`.
    drift_time : quantity
        Time constant of the drift.
    offset : float
        Standard deviation of the offset of a recording, as F0 is estimated for each.

    Raises
    ------
    InputError
        A negative size, or a time constant that is not positive.

    Examples
    --------
    >>> noise = RecordingNoise(white=0.01, slow=0.05, slow_time="0.5 s")
    >>> round(noise.of_frame(25.0), 3)
    0.05
    >>> noise.draw(np.arange(100) / 25, np.ones(3), np.random.default_rng(1)).shape
    (3, 100)
    """

    white: float = attrs.field(default=0.0, converter=float)
    slow: float = attrs.field(default=0.0, converter=float)
    slow_time: float = attrs.field(
        default=si_default("1 s", "s"), converter=si_required("s", "slow_time")
    )
    drift: float = attrs.field(default=0.0, converter=float)
    drift_time: float = attrs.field(
        default=si_default("60 s", "s"), converter=si_required("s", "drift_time")
    )
    offset: float = attrs.field(default=0.0, converter=float)

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        sizes = {name: getattr(self, name) for name in ("white", "slow", "drift", "offset")}
        if not all(0 <= size < np.inf for size in sizes.values()):
            raise InputError(f"sizes of noise must be 0 or more, and finite, got {sizes}")
        if not (0 < self.slow_time < np.inf and 0 < self.drift_time < np.inf):
            msg = (
                f"time constants of noise must be above 0 s, got {self.slow_time} s and "
                f"{self.drift_time} s"
            )
            raise InputError(msg)

    def of_frame(self, rate: float) -> float:
        """Give the standard deviation of the white part at a frame rate (1/s)."""
        return float(self.white * np.sqrt(rate))

    def draw(
        self,
        frame_times: Any,
        factors: Float[np.ndarray, " n"],
        rng: np.random.Generator,
        *,
        drift: bool = True,
        recording_starts: Sequence[float] = (),
    ) -> Float[np.ndarray, "n n_frames"]:
        """Draw the noise of cells, exactly at any frame rate.

        A frame lasts from the one before to its own time, and shows the mean over it.

        Parameters
        ----------
        frame_times : array (n_frames,), s
            Increasing, regular or not.
        factors : array (n,)
            Factor of each cell on the noise (`CellFactors.noise`).
        rng : numpy.random.Generator
            Source of randomness.
        drift : bool
            Whether the baseline drifts, slower than a minute (default).
        recording_starts : sequence of float, s
            Where recordings begin: each has an offset of its own. None by default.

        Returns
        -------
        array (n, n_frames)

        Raises
        ------
        InputError
            Times that do not increase.
        """
        times = _times(frame_times)
        if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise InputError("frame times must be a vector of finite, increasing values")
        factors = np.asarray(factors, dtype=float)
        lengths = frame_lengths(times)
        which = np.searchsorted(
            np.sort(np.asarray(recording_starts, dtype=float)), times, "right"
        )
        out = np.empty((len(factors), times.size))
        size = max(1, _VALUES_AT_ONCE // max(times.size, 1))
        for first in range(0, len(factors), size):  # bounds the memory, changes no number
            part = out[first : first + size]
            part[:] = self._fast(rng.standard_normal((len(part), 2, times.size + 1)), lengths)
        if drift and self.drift > 0:
            normal = rng.standard_normal((len(factors), times.size))
            out += self.drift * stationary(normal, np.exp(-lengths / self.drift_time))
        if len(recording_starts) and self.offset > 0:
            out += self.offset * rng.standard_normal((len(factors), which.max() + 1))[:, which]
        out *= factors[:, None]
        return out

    def frame_by_frame(self, factors: Float[np.ndarray, " n"]) -> FrameNoise:
        """Give the same noise one frame at a time, in units of the white noise of a frame."""
        white = self.of_frame(STATED_RATE)
        return FrameNoise(factors, self.slow / white if white > 0 else 0.0, self.slow_time)

    def _fast(self, normal: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Make white noise, and the mean of the slow process over each frame."""
        variance = self.white**2 / lengths
        if self.slow == 0:
            return np.asarray(np.sqrt(variance) * normal[:, 0, 1:])
        keep, level, shock, rest = frame_means(lengths, self.slow_time)
        states = stationary(normal[:, 1], np.concatenate([keep[:1], keep]))
        starts, ends = states[:, :-1], states[:, 1:]
        # what the ends do not say of the mean is white, and independent of the white noise
        white = np.sqrt(variance + (self.slow * rest) ** 2) * normal[:, 0, 1:]
        return np.asarray(white + self.slow * (level * starts + shock * (ends - keep * starts)))


class FrameNoise:
    """Noise of one frame after another, for closed loops.

    Parameters
    ----------
    factors : array (n,)
        Factor of each cell on the noise.
    slow : float
        Standard deviation of the slow part over that of the white part of a frame.
    slow_time : float
        Its time constant (s), longer than a frame.

    Examples
    --------
    >>> noise = FrameNoise(np.ones(2), slow=1.5, slow_time=0.5)
    >>> noise.next(0.1, np.full(2, 0.01), np.random.default_rng(1)).shape
    (2,)
    """

    def __init__(self, factors: np.ndarray, slow: float, slow_time: float) -> None:
        self.factors, self.slow, self.slow_time = factors, slow, slow_time
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._time, self._level = np.inf, np.zeros(len(self.factors))

    def state(self) -> tuple[float, np.ndarray]:
        """Give all that changes."""
        return self._time, self._level

    def set_state(self, state: tuple[float, np.ndarray]) -> None:
        """Go back to what `state` gave."""
        self._time, self._level = state

    def next(
        self, time: float, sigma: Float[np.ndarray, " n"], rng: np.random.Generator
    ) -> Float[np.ndarray, " n"]:
        """Draw the noise of a frame; a time in the past begins anew.

        Parameters
        ----------
        time : float
            Of the frame (s).
        sigma : array (n,)
            White noise of a frame in the median cell, where each cell is.
        rng : numpy.random.Generator
            Source of randomness.
        """
        n = len(self.factors)
        noise = rng.standard_normal(n)
        if self.slow > 0:
            passed = time - self._time
            keep = np.exp(-passed / self.slow_time) if passed >= 0 else 0.0
            fresh = np.sqrt(1 - keep**2) * rng.standard_normal(n)
            self._time, self._level = time, keep * self._level + fresh
            noise += self.slow * self._level
        return np.asarray(noise * sigma * self.factors)


def frame_lengths(times: np.ndarray) -> np.ndarray:
    """Time that each frame lasts: since the one before; the first as long as the second."""
    steps = np.diff(times)
    if steps.size == 0:
        return np.full(times.size, 1.0)
    return np.concatenate([steps[:1], steps])


def frame_means(lengths: np.ndarray, time: float) -> tuple[np.ndarray, ...]:
    """Mean of an Ornstein-Uhlenbeck process (variance 1) over frames, from its ends.

    Returns
    -------
    tuple of array
        Factor from end to end; weight of the start in the mean; weight of what the end has
        beyond that; standard deviation of the remainder.

    Notes
    -----
    Start, end and mean are jointly normal: with x = length/time and a = exp(-x), the mean
    has variance 2 (x - 1 + a)/x^2 and covariance (1 - a)/x with either end.
    """
    x = lengths / time
    keep = np.exp(-x)
    level = -np.expm1(-x) / x
    variance = 2 * (x + np.expm1(-x)) / x**2
    shock = level * (1 - keep) / -np.expm1(-2 * x)
    rest = variance - level**2 - shock**2 * -np.expm1(-2 * x)
    return keep, level, shock, np.sqrt(np.maximum(rest, 0.0))


def stationary(normal: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Make an Ornstein-Uhlenbeck process of variance 1 from normal numbers, on the last axis.

    ``x_k = keep_k x_(k-1) + sqrt(1 - keep_k^2) normal_k``, from its distribution at rest.
    """
    from scipy.signal import lfilter

    if keep.size == 0:
        return normal
    state = normal * np.sqrt(1 - keep**2)
    state[..., 0] = normal[..., 0]
    if np.ptp(keep) < 1e-9:
        return np.asarray(lfilter([1.0], [1.0, -float(keep[-1])], state, axis=-1))
    carried = keep.copy()
    carried[0] = 0.0
    step = 1
    while step < keep.size and carried[step:].any():  # doubling, as for spikes
        state[..., step:] = state[..., step:] + carried[step:] * state[..., :-step]
        carried[step:] = carried[step:] * carried[:-step]
        step *= 2
    return state

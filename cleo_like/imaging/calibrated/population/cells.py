"""How cells that carry one indicator differ: brightness, speed, noise and size of bursts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float

BURSTS_DRAWN = 256
"""Sizes of bursts that are drawn for a cell; a longer recording takes them round again."""


def _positive(name: str, ndim: int = 1) -> Any:
    def convert(value: object) -> np.ndarray:
        array = np.array(value, dtype=float)
        if array.ndim != ndim or not (np.isfinite(array) & (array > 0)).all():
            shape = "a vector" if ndim == 1 else "a table"
            msg = f"{name} must be {shape} of positive, finite factors, one row for each cell"
            raise InputError(msg)
        return read_only(array)

    return convert


@attrs.frozen(kw_only=True)
class CellFactors:
    """Factors of each cell on the median cell's parameters.

    Parameters
    ----------
    gain : array (n,)
        On dF/F.
    duration : array (n,)
        On all time constants.
    noise : array (n,)
        On the noise of dF/F (default 1).
    bursts : array (n, n_bursts)
        On dF/F of each burst in turn, taken round and round (default 1). A burst begins with
        a spike after a second of silence.

    Raises
    ------
    InputError
        Factors that are not positive, or of unequal length.

    Examples
    --------
    >>> CellFactors.equal(2).gain.tolist()
    [1.0, 1.0]
    """

    gain: Float[np.ndarray, " n"] = attrs.field(converter=_positive("gain"), eq=array_eq)
    duration: Float[np.ndarray, " n"] = attrs.field(
        converter=_positive("duration"), eq=array_eq
    )
    noise: Float[np.ndarray, " n"] = attrs.field(converter=_positive("noise"), eq=array_eq)
    bursts: Float[np.ndarray, "n n_bursts"] = attrs.field(
        converter=_positive("bursts", ndim=2), eq=array_eq
    )

    @noise.default
    def _same_noise(self) -> np.ndarray:
        return np.ones(len(self.gain))

    @bursts.default
    def _same_bursts(self) -> np.ndarray:
        return np.ones((len(self.gain), 1))

    def __attrs_post_init__(self) -> None:
        """Check the lengths."""
        lengths = {f.name: len(getattr(self, f.name)) for f in attrs.fields(CellFactors)}
        if len(set(lengths.values())) > 1 or self.bursts.shape[1] == 0:
            said = ", ".join(f"{name} {n}" for name, n in lengths.items())
            raise InputError(f"factors must have one length, got {said}")

    def __len__(self) -> int:
        """Give the number of cells."""
        return len(self.gain)

    @property
    def bursts_are_alike(self) -> bool:
        """Whether all bursts have the size that their spikes say."""
        return bool((self.bursts == 1).all())

    def take(self, which: Any) -> CellFactors:
        """Give some of the cells (indices or a slice; a cell may be taken twice)."""
        return CellFactors(
            **{f.name: getattr(self, f.name)[which] for f in attrs.fields(CellFactors)}
        )

    @classmethod
    def equal(cls, n: int) -> CellFactors:
        """Give n cells that are all the median cell."""
        return cls(gain=np.ones(n), duration=np.ones(n))


@attrs.frozen(kw_only=True)
class Variability:
    """Spread of the factors over cells: log-normal with median 1 (bursts: mean 1).

    Gain and noise of a recorded cell are largely one factor, as both are divided by its F0.

    Parameters
    ----------
    gain, duration, noise : float
        Standard deviation of the natural logarithm of each factor over cells.
    correlation : float
        Correlation of the logarithms of gain and duration.
    shared : float
        Correlation of the logarithms of gain and noise.
    burst : float
        Standard deviation of the natural logarithm of the size of a cell's bursts, whose mean
        is 1.

    Raises
    ------
    InputError
        A negative spread, or a correlation outside [-1, 1].

    Examples
    --------
    >>> import numpy as np
    >>> spread = Variability(gain=0.4, noise=0.4, shared=1.0)
    >>> cells = spread.draw(10_000, np.random.default_rng(1))
    >>> round(float(np.log(cells.gain).std()), 1), float(cells.duration.max())
    (0.4, 1.0)
    >>> bool(np.allclose(cells.gain, cells.noise))
    True
    """

    gain: float = attrs.field(default=0.0, converter=float)
    duration: float = attrs.field(default=0.0, converter=float)
    correlation: float = attrs.field(default=0.0, converter=float)
    noise: float = attrs.field(default=0.0, converter=float)
    shared: float = attrs.field(default=0.0, converter=float)
    burst: float = attrs.field(default=0.0, converter=float)

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        spreads = (self.gain, self.duration, self.noise, self.burst)
        known = all(0 <= spread < np.inf for spread in spreads)
        if not (known and abs(self.correlation) <= 1 and abs(self.shared) <= 1):
            said = ", ".join(
                f"{f.name} {getattr(self, f.name)}" for f in attrs.fields(type(self))
            )
            msg = (
                f"spreads must not be negative and correlations must be in [-1, 1], got {said}"
            )
            raise InputError(msg)

    def draw(self, n: int, rng: np.random.Generator) -> CellFactors:
        """Draw the factors of n cells.

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
        gain, second, third = rng.standard_normal((3, n))
        bursts = np.zeros((n, 1))
        if self.burst > 0:
            bursts = rng.standard_normal((n, BURSTS_DRAWN))
        return CellFactors(
            gain=np.exp(self.gain * gain),
            duration=np.exp(self.duration * _correlated(gain, second, self.correlation)),
            noise=np.exp(self.noise * _correlated(gain, third, self.shared)),
            # mean 1: a gain is that of the mean burst, as a fit finds it
            bursts=np.exp(self.burst * bursts - self.burst**2 / 2),
        )


def _correlated(one: np.ndarray, other: np.ndarray, r: float) -> np.ndarray:
    """Give what correlates with the first by r and has, as both, a variance of 1."""
    return np.asarray(r * one + np.sqrt(1 - r * r) * other)

"""How cells that carry one indicator differ: brightness of the response, and its speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float


def _positive(name: str) -> Any:
    def convert(value: object) -> np.ndarray:
        array = np.array(value, dtype=float)
        if array.ndim != 1 or not (np.isfinite(array) & (array > 0)).all():
            msg = f"{name} must be a vector of positive, finite factors, one for each cell"
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

    Raises
    ------
    InputError
        Factors that are not positive, or vectors of unequal length.

    Examples
    --------
    >>> CellFactors.equal(2).gain.tolist()
    [1.0, 1.0]
    """

    gain: Float[np.ndarray, " n"] = attrs.field(converter=_positive("gain"), eq=array_eq)
    duration: Float[np.ndarray, " n"] = attrs.field(
        converter=_positive("duration"), eq=array_eq
    )

    def __attrs_post_init__(self) -> None:
        """Check the lengths."""
        if len(self.gain) != len(self.duration):
            msg = f"factors must have one length, got {len(self.gain)} and {len(self.duration)}"
            raise InputError(msg)

    def __len__(self) -> int:
        """Give the number of cells."""
        return len(self.gain)

    def take(self, which: Any) -> CellFactors:
        """Give some of the cells (indices or a slice; a cell may be taken twice)."""
        return CellFactors(gain=self.gain[which], duration=self.duration[which])

    @classmethod
    def equal(cls, n: int) -> CellFactors:
        """Give n cells that are all the median cell."""
        return cls(gain=np.ones(n), duration=np.ones(n))


@attrs.frozen(kw_only=True)
class Variability:
    """Spread of the factors over cells: a log-normal distribution with median 1.

    Parameters
    ----------
    gain, duration : float
        Standard deviation of the natural logarithm of each factor.
    correlation : float
        Correlation of the two logarithms.

    Raises
    ------
    InputError
        A negative spread, or a correlation outside [-1, 1].

    Examples
    --------
    >>> import numpy as np
    >>> spread = Variability(gain=0.4, duration=0.0)
    >>> factors = spread.draw(10_000, np.random.default_rng(1))
    >>> round(float(np.log(factors.gain).std()), 1), float(factors.duration.max())
    (0.4, 1.0)
    """

    gain: float = attrs.field(default=0.0, converter=float)
    duration: float = attrs.field(default=0.0, converter=float)
    correlation: float = attrs.field(default=0.0, converter=float)

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        if not (self.gain >= 0 and self.duration >= 0 and abs(self.correlation) <= 1):
            msg = (
                "spreads must not be negative and their correlation must be in [-1, 1], got "
                f"gain {self.gain}, duration {self.duration}, correlation {self.correlation}"
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
        one, two = rng.standard_normal((2, n))
        r = self.correlation
        gain = self.gain * one
        duration = self.duration * (r * one + np.sqrt(1 - r * r) * two)
        return CellFactors(gain=np.exp(gain), duration=np.exp(duration))

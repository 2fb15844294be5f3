"""What a device did and when: arrays that grow by doubling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.arrays import read_only

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = 256
"""Rows reserved at the start."""


class History:
    """Times and values of equal shape, appended at constant cost.

    The first value fixes shape and type; scalars before a first array are spread over it.
    Values that do not fit (a signal that changes its shape, or is no number) turn the
    history into one of objects.

    Examples
    --------
    >>> history = History()
    >>> history.append(0.0, 0)
    >>> history.append(0.1, [1.5, 2.5])
    >>> history.values
    array([[0. , 0. ],
           [1.5, 2.5]])
    >>> history.times
    array([0. , 0.1])
    """

    _times: np.ndarray
    _values: np.ndarray
    _n: int

    def __init__(self) -> None:
        self.clear()

    def __len__(self) -> int:
        """Count the rows."""
        return self._n

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the values."""
        return iter(self.values)

    @property
    def times(self) -> np.ndarray:
        """Times (s), shape (n,)."""
        return read_only(self._times[: self._n])

    @property
    def values(self) -> np.ndarray:
        """Values, shape (n, ...)."""
        return read_only(self._values[: self._n])

    def append(self, time: float, value: Any) -> None:
        """Add one row."""
        n = self._n
        if n == len(self._times):
            self._grow()
        if not self._fits(value):
            self._refit(value)
        self._values[n] = value
        self._times[n] = time
        self._n = n + 1

    def clear(self) -> None:
        """Forget all rows and the shape."""
        self._times = np.empty(FIRST)
        self._values = np.empty(FIRST)
        self._n = 0

    def _fits(self, value: Any) -> bool:
        if self._values.dtype == object or isinstance(value, (int, float)):
            return True
        array = np.asarray(value)
        return array.dtype.kind in "biuf" and array.shape in ((), self._values.shape[1:])

    def _grow(self) -> None:
        # what is not yet written takes no memory: it must not be touched here
        for name in ("_times", "_values"):
            old = getattr(self, name)
            new = np.empty((2 * len(old), *old.shape[1:]), dtype=old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def _refit(self, value: Any) -> None:
        """Make room for a value that the rows so far cannot hold."""
        n, old = self._n, self._values
        array = np.asarray(value)
        if array.dtype.kind in "biuf" and old.ndim == 1:
            self._values = np.empty((len(old), *array.shape))
            self._values[:n] = old[:n].reshape((n,) + (1,) * array.ndim)
            return
        self._values = np.empty(len(old), dtype=object)
        for row in range(n):
            self._values[row] = old[row]

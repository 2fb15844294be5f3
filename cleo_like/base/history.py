"""What a device did and when: arrays that grow by doubling."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.arrays import read_only
from cleo_like.core.errors import InputError

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
    _n_times: int  # differs from _n only between two assignments by hand

    def __init__(self) -> None:
        self.clear()

    def copy(self) -> History:
        """Give a history of its own with the same rows."""
        twin = History()
        twin._n, twin._n_times = self._n, self._n_times
        twin._times = _with_room(self._times[: self._n_times])
        twin._values = _with_room(self._values[: self._n])
        return twin

    def __len__(self) -> int:
        """Count the rows."""
        return self._n

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the values."""
        return iter(self.values)

    @property
    def times(self) -> np.ndarray:
        """Times (s), shape (n,)."""
        return read_only(self._times[: self._n_times])

    @property
    def values(self) -> np.ndarray:
        """Values, shape (n, ...)."""
        return read_only(self._values[: self._n])

    def set_times(self, times: Any) -> None:
        """Replace all times (s); the values follow by `set_values`."""
        array = np.array(times, dtype=float).reshape(-1)
        self._n_times = len(array)
        self._times = _with_room(array)

    def set_values(self, values: Any) -> None:
        """Replace all values, shape (n, ...)."""
        rows = History()
        for value in values:
            rows.append(0.0, value)
        self._n, self._values = rows._n, rows._values

    def check(self, name: str) -> None:
        """Refuse as many times as values are not, which only an assignment can bring about."""
        if self._n != self._n_times:
            msg = (
                f"{name!r} has {self._n_times} times and {self._n} values, as they were "
                f"assigned; assign as many of both"
            )
            raise InputError(msg)

    def append(self, time: float, value: object) -> None:
        """Add one row."""
        n = self._n
        if n != self._n_times:
            self.check("history")
        if n == len(self._times) or n == len(self._values):
            self._grow()
        if not self._fits(value):
            self._refit(value)
        # a row of objects must not change with its object
        self._values[n] = copy.copy(value) if self._values.dtype == object else value
        self._times[n] = time
        self._n = self._n_times = n + 1

    def clear(self) -> None:
        """Forget all rows and the shape."""
        self._times = np.empty(FIRST)
        self._values = np.empty(FIRST)
        self._n = self._n_times = 0

    def _fits(self, value: object) -> bool:
        if self._values.dtype == object or isinstance(value, (int, float)):
            return True
        array = np.asarray(value)
        return array.dtype.kind in "biuf" and array.shape in ((), self._values.shape[1:])

    def _grow(self) -> None:
        # what is not yet written takes no memory: it must not be touched here
        for name in ("_times", "_values"):
            setattr(self, name, _with_room(getattr(self, name)[: self._n]))

    def _refit(self, value: object) -> None:
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


def _with_room(rows: np.ndarray) -> np.ndarray:
    """Give an array of twice as many rows that begins with these."""
    room = np.empty((max(FIRST, 2 * len(rows)), *rows.shape[1:]), dtype=rows.dtype)
    room[: len(rows)] = rows
    return room

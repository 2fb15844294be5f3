"""What a device did and when: arrays that grow by doubling."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cleo_like.core.arrays import read_only
from cleo_like.core.errors import InputError, PlaceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes

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


class ShowsHistory:
    """A device that keeps numbers: counted, indexed, drawn, and handed to pandas and xarray.

    What it needs: a `history` and a `name`.
    """

    history: History
    name: str
    _steps: ClassVar[bool] = False
    """Whether a value holds until the next."""

    def neo_unit(self) -> str:
        """Give the SI unit of the values, "dimensionless" where they have none."""
        return "dimensionless"

    def quantity_name(self) -> str:
        """Say what the values are, for the label of an axis."""
        return "value"

    def __len__(self) -> int:
        """Count the samples that were kept."""
        return len(self.history)

    def __bool__(self) -> bool:
        """Answer that the device is there, also before its first sample."""
        return True

    def __getitem__(self, which: int | slice) -> Any:
        """Give the values (SI) of a sample, or of some."""
        n = len(self)
        if isinstance(which, (int, np.integer)) and not -n <= which < n:
            raise PlaceError(f"{self.name!r} has {n} samples, got [{which}]")
        return self.history.values[which]

    def __iter__(self) -> Iterator[Any]:
        """Go over the values (SI) of the samples."""
        return iter(self.history.values)

    def _kept(self) -> tuple[np.ndarray, np.ndarray]:
        """Give times (s) and numbers, or say why there are none."""
        self.history.check(self.name)
        if not len(self.history):
            msg = (
                f"{self.name!r} has kept nothing: run the simulator with an IO processor that "
                f"samples, and with save_history=True"
            )
            raise InputError(msg)
        values = self.history.values
        if values.dtype == object:
            msg = f"what {self.name!r} kept has no common shape; take it from .values"
            raise InputError(msg)
        return self.history.times, values

    def plot(self, ax: Axes | None = None, *, most: int = 20) -> Axes:
        """Draw what was kept over time, a line for each neuron.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; a new figure where not given.
        most : int
            Largest number of lines.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            Nothing was kept.
        """
        from cleo_like.core.views.devices import plot_history

        times, values = self._kept()
        return plot_history(
            times, values, name=self.name, quantity=self.quantity_name(), unit=self.neo_unit(),
            ax=ax, steps=self._steps, most=most,
        )  # fmt: skip

    def to_pandas(self) -> pd.DataFrame:
        """Give a DataFrame with a row for each sample (index ``time_s``), in mV, pA or Hz."""
        from cleo_like.core.views.devices import history_frame

        return history_frame(*self._kept(), name=self.name, unit=self.neo_unit())

    def to_xarray(self) -> xr.DataArray:
        """Give a DataArray over (time, channel) in SI (needs xarray)."""
        from cleo_like.core.views.devices import history_array

        return history_array(*self._kept(), name=self.name, unit=self.neo_unit())

    def _repr_html_(self) -> str:
        from cleo_like.core.views.devices import device_card

        drawable = len(self.history) and self.history.values.dtype != object
        return device_card(repr(self), {}, self.plot if drawable else None)


def lasted(history: History) -> str:
    """Say how much was kept: ``"31 samples in 1 s"``."""
    n = len(history)
    if n == 0:
        return "no samples"
    times = history.times
    seconds = f" in {times[-1] - times[0]:.4g} s" if n > 1 and len(times) == n else ""
    return f"{n} sample{'s' if n != 1 else ''}{seconds}"

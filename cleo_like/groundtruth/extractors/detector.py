"""A spike detector of the user: called sweep by sweep, its answer checked."""

from __future__ import annotations

import functools
import inspect
import multiprocessing
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.units import si_array
from cleo_like.core.units.dimensions import has_unit
from cleo_like.features.registry import Extracted, extractor_name
from cleo_like.groundtruth.extractors.method import TIMEOUT, Method

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cleo_like.core.window import Window

_EDGE = 1e-3  # s that a time may lie outside its sweep
_NAMES = {
    "voltage": "voltage", "v": "voltage", "v_mv": "voltage", "voltage_mv": "voltage",
    "response": "voltage", "rate": "rate", "fs": "rate", "sampling_rate": "rate",
    "current": "current", "i": "current", "i_pa": "current", "current_pa": "current",
    "command": "current", "time": "time", "t": "time", "times": "time",
}  # fmt: skip
"""Arguments by the names that people give them."""


@attrs.frozen(kw_only=True, eq=False)
class Trace:
    """One sweep as a detector gets it: mV, pA, Hz."""

    voltage: np.ndarray
    current: np.ndarray
    rate: float

    @property
    def time(self) -> np.ndarray:
        """Time of each sample (s)."""
        return np.arange(self.voltage.size) / self.rate


def detector_method(
    detector: Callable[..., Any], *, name: str | None = None, timeout: float = TIMEOUT
) -> Method:
    """Make a method of a spike detector.

    Parameters
    ----------
    detector : callable
        Arguments by name: ``voltage`` (mV), ``rate`` (Hz), ``current`` (pA), ``time`` (s), or
        ``v``, ``fs``, ``i``, ``t``. One whose names are others gets voltage and rate. Returns
        times (s) of the spikes, from the start of the sweep.
    name : str, optional
        For the tables (default: the function's own).
    timeout : float
        Seconds for one recording.

    Returns
    -------
    Method
        Asked with a list of `Trace`. In a process of its own where the system can fork one.
    """
    run = functools.partial(_detect, detector, given_by_name(detector))
    isolated = "fork" in multiprocessing.get_all_start_methods()
    called = name if name is not None else extractor_name(detector)
    return Method(name=called, run=run, isolated=isolated, timeout=float(timeout))


def given_by_name(detector: Callable[..., Any]) -> tuple[str, ...] | None:
    """Give what each required argument of a detector is; None: voltage, then rate.

    Examples
    --------
    >>> given_by_name(lambda t, v: None), given_by_name(lambda trace, sampling: None)
    (('time', 'voltage'), None)
    """
    try:
        parameters = inspect.signature(detector).parameters.values()
    except (TypeError, ValueError):  # some builtins tell nothing
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in kinds and p.default is p.empty]
    known = tuple(_NAMES.get(name.lower(), "") for name in names)
    return known if known and all(known) else None


def _detect(
    detector: Callable[..., Any],
    order: tuple[str, ...] | None,
    traces: Sequence[Trace],
    step: Window,  # noqa: ARG001  (what every method is given)
) -> Extracted:
    wanted = order if order is not None else ("voltage", "rate")
    sweeps, times = [], []
    for k, trace in enumerate(traces):
        found = detector(*(getattr(trace, name) for name in wanted))
        seconds = checked_times(found, trace.voltage.size, trace.rate, f"sweep {k}")
        sweeps.append(np.full(seconds.size, k))
        times.append(seconds)
    return Extracted(
        values={}, spikes={"sweep": np.concatenate(sweeps), "peak_t": np.concatenate(times)}
    )


def checked_times(found: Any, n_samples: int, rate: float, where: str) -> np.ndarray:
    """Give spike times (s), or say what is wrong with them.

    Parameters
    ----------
    found : object
        What a detector returned.
    n_samples : int
        Of the sweep.
    rate : float
        Hz.
    where : str
        For the error.

    Raises
    ------
    InputError
        No array of numbers; NaN; samples or milliseconds where seconds are meant.

    Examples
    --------
    >>> checked_times([0.1, 0.25], 20_000, 20e3, "sweep 0")
    array([0.1 , 0.25])
    >>> checked_times([2000, 5000], 20_000, 20e3, "sweep 0")
    Traceback (most recent call last):
    ...
    cleo_like.core.errors.InputError: sweep 0: times up to 5000 in a sweep of 1 s: these look \
like sample numbers; divide them by the rate
    """
    if has_unit(found):
        return np.atleast_1d(si_array(found, "s", f"times of {where}"))
    if isinstance(found, (tuple, dict, set, str, bytes)) or found is None:
        kind = type(found).__name__
        if isinstance(found, tuple):
            kind = f"tuple of {len(found)} ({', '.join(type(x).__name__ for x in found)})"
        msg = f"{where}: it gave a {kind}; give one array of spike times (s)"
        raise InputError(msg)
    times = np.asarray(found)
    if times.size == 0:
        return np.zeros(0)
    if times.dtype == bool:
        msg = (
            f"{where}: it gave a mask of {times.size}; give times: np.flatnonzero(mask) / rate"
        )
        raise InputError(msg)
    if times.dtype.kind not in "iuf" or times.ndim != 1:
        msg = (
            f"{where}: it gave {times.dtype} of shape {times.shape}; give one array of spike "
            "times (s)"
        )
        raise InputError(msg)
    seconds = times.astype(float)
    bad = int((~np.isfinite(seconds)).sum())
    if bad:
        msg = f"{where}: {bad} of {seconds.size} times are NaN or infinite"
        raise InputError(msg)
    _check_unit(seconds, n_samples / rate, n_samples, where)
    return seconds


def _check_unit(times: np.ndarray, length: float, n_samples: int, where: str) -> None:
    """Refuse times beyond the sweep, with the unit that they seem to have."""
    low, high = float(times.min()), float(times.max())
    if low >= -_EDGE and high <= length + _EDGE:
        return
    told = f"{where}: times up to {high:g} in a sweep of {length:g} s"
    if low < -_EDGE:
        msg = f"{where}: a time of {low:g} s lies before the sweep begins"
    elif high < n_samples and np.array_equal(times, np.rint(times)):
        msg = f"{told}: these look like sample numbers; divide them by the rate"
    elif high / 1e3 <= length + _EDGE:
        msg = f"{told}: these look like milliseconds; divide them by 1000"
    else:
        msg = f"{told}; give seconds from the start of the sweep"
    raise InputError(msg)

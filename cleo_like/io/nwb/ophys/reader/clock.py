"""Times of the frames of a series, and the factor that makes values of its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.io.nwb.source import hdf5

_SECONDS = {"ms": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3}
_SLOWEST = 20.0  # s: nobody images calcium with frames so far apart


def times_of(group: Any, count: int | None) -> tuple[np.ndarray, list[str]]:
    """Read the times of a series.

    Parameters
    ----------
    group : h5py.Group
        The series.
    count : int, optional
        Number of its frames; None takes as many as there are time stamps.

    Returns
    -------
    times : array, shape (n_frames,)
        Rising (s); shorter than `count` where there are fewer stamps.
    notes : list of str
        What was left out.

    Raises
    ------
    FileFormatError
        Neither a rate nor stamps, or times that do not rise.
    """
    stamps = hdf5.optional(group, "timestamps")
    if stamps is not None:
        return _stamped(group, stamps, count)
    begin = hdf5.optional(group, "starting_time")
    rate = hdf5.as_number(hdf5.attribute_or_none(begin, "rate"))
    start = hdf5.as_number(hdf5.value(begin)) if begin is not None else None
    if rate is None or start is None or not (np.isfinite(rate) and rate > 0):
        msg = f"{hdf5.path_of(group)} has neither time stamps nor a start and a rate"
        raise FileFormatError(msg)
    if count is None:
        msg = f"{hdf5.path_of(group)} does not say how many frames there are"
        raise FileFormatError(msg)
    times = start + np.arange(count) / rate
    return times, _too_slow(times, hdf5.path_of(group))


def _stamped(group: Any, stamps: Any, count: int | None) -> tuple[np.ndarray, list[str]]:
    where = hdf5.path_of(group)
    unit = hdf5.attribute_or_none(stamps, "unit")
    scale = _SECONDS.get(str(unit).lower(), 1.0)
    try:
        times = np.asarray(stamps[:], dtype=float) * scale
    except hdf5.READ_ERRORS as error:
        msg = f"the time stamps of {where} cannot be read ({hdf5.said_by(error)})"
        raise FileFormatError(msg) from error
    notes = []
    if count is not None and len(times) != count:
        notes.append(
            f"{where}: {len(times)} time stamps for {count} frames; the shorter counts"
        )
        times = times[:count]
    finite = np.isfinite(times)
    if not finite.all():
        end = int(np.argmin(finite))
        if finite[end:].any():
            msg = f"the time stamps of {where} have gaps (NaN at frame {end})"
            raise FileFormatError(msg)
        notes.append(f"{where}: {len(times) - end} frames at the end have no time; left out")
        times = times[:end]
    steps = np.diff(times)
    if not (steps > 0).all():
        at = int(np.argmax(steps <= 0))
        msg = (
            f"the time stamps of {where} do not rise: {times[at]:.9g} s at frame {at} is "
            f"followed by {times[at + 1]:.9g} s"
        )
        raise FileFormatError(msg)
    return times, [*notes, *_too_slow(times, where)]


def _too_slow(times: np.ndarray, where: str) -> list[str]:
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    if step <= _SLOWEST:
        return []
    return [f"{where}: frames are {step:.4g} s apart; are these times milliseconds?"]


def scaling_of(data: Any) -> tuple[float, float]:
    """Give factor and offset: a value is stored * factor + offset."""
    found = []
    for name, default in (("conversion", 1.0), ("offset", 0.0)):
        stored = hdf5.as_number(hdf5.attribute_or_none(data, name))
        found.append(default if stored is None or not np.isfinite(stored) else stored)
    return found[0] if found[0] != 0 else 1.0, found[1]

"""Histories as Neo objects (the package ``neo`` is an extra)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import UnsupportedError

if TYPE_CHECKING:
    from types import ModuleType


def neo_module() -> ModuleType:
    """Import Neo, or say how to get it."""
    try:
        import neo
    except ModuleNotFoundError as error:
        msg = "to_neo() needs the package neo: pip install 'cleo_like[neo]'"
        raise UnsupportedError(msg) from error
    return neo


def times_are_regular(times: np.ndarray) -> bool:
    """Whether sample times have one spacing (to 1e-6 of it).

    Examples
    --------
    >>> times_are_regular(np.array([0.0, 0.1, 0.2])), times_are_regular(np.array([0.0]))
    (True, False)
    """
    steps = np.diff(times)
    return bool(
        len(steps) > 0 and steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-6, atol=0)
    )


def signal_to_neo(times: np.ndarray, values: np.ndarray, unit: str, **annotations: Any) -> Any:
    """Make an AnalogSignal, or an IrregularlySampledSignal where the spacing varies.

    Parameters
    ----------
    times : array, shape (n,)
        Seconds.
    values : array, shape (n,) or (n, channels)
        Samples.
    unit : str
        Unit of the values, as ``quantities`` writes it.
    **annotations
        Name, description and what else Neo takes.
    """
    neo = neo_module()
    if times_are_regular(times):
        return _analog(neo, times, values, unit, annotations)
    return neo.IrregularlySampledSignal(
        times, values, units=unit, time_units="s", **annotations
    )


def _analog(
    neo: ModuleType, times: np.ndarray, values: np.ndarray, unit: str, extra: dict[str, Any]
) -> Any:
    import quantities as pq

    period = float(times[-1] - times[0]) / (len(times) - 1)
    return neo.AnalogSignal(
        values,
        units=unit,
        t_start=float(times[0]) * pq.s,
        sampling_period=period * pq.s,
        **extra,
    )

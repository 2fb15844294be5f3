"""Signals as Neo objects (the package ``neo`` is an extra)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.core.units import si_array

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import ArrayLike


def neo_module() -> ModuleType:
    """Import Neo, or say how to get it."""
    try:
        import neo
    except ModuleNotFoundError as error:
        msg = "to_neo() needs the package neo: pip install neo"
        raise UnsupportedError(msg) from error
    return neo


def times_are_regular(times: ArrayLike) -> bool:
    """Whether sample times have one spacing (to 1e-6 of it).

    Parameters
    ----------
    times : array or quantity, shape (n,)
        The times.

    Examples
    --------
    >>> times_are_regular(np.array([0.0, 0.1, 0.2])), times_are_regular(np.array([0.0]))
    (True, False)
    """
    steps = np.diff(np.asarray(times))
    return bool(
        len(steps) > 0 and steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-6, atol=0)
    )


def analog_signal(t: ArrayLike, values_no_unit: ArrayLike, units: str = "") -> Any:
    """Make a Neo signal of values without unit.

    Parameters
    ----------
    t : quantity, shape (n,)
        Times.
    values_no_unit : array, shape (n,) or (n, channels)
        Values in `units`.
    units : str
        As ``quantities`` writes it ("" is dimensionless).

    Returns
    -------
    neo.AnalogSignal or neo.IrregularlySampledSignal
        The second where the spacing varies.
    """
    times = np.atleast_1d(si_array(t, "s", "t"))
    values = np.asarray(values_no_unit)
    if len(times) != len(values):
        msg = f"a signal needs as many times as values, got {len(times)} and {len(values)}"
        raise InputError(msg)
    return signal_to_neo(times, values, units or "dimensionless")


def add_to_neo_segment(segment: Any, *objects: Any) -> None:
    """File Neo objects in their places in a segment.

    Parameters
    ----------
    segment : neo.Segment
        Where to.
    *objects
        Signals, spike trains, events, epochs.
    """
    places = {
        "AnalogSignal": "analogsignals",
        "IrregularlySampledSignal": "irregularlysampledsignals",
        "SpikeTrain": "spiketrains",
        "Event": "events",
        "Epoch": "epochs",
        "ImageSequence": "imagesequences",
    }
    for item in objects:
        kind = type(item).__name__
        if kind not in places:
            msg = f"a Neo segment holds {', '.join(places)}, not {kind}"
            raise InputError(msg)
        getattr(segment, places[kind]).append(item)


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
        times * 1e3, values, units=unit, time_units="ms", **annotations
    )


def _analog(
    neo: ModuleType, times: np.ndarray, values: np.ndarray, unit: str, extra: dict[str, Any]
) -> Any:
    import quantities as pq

    period = float(times[-1] - times[0]) / (len(times) - 1)
    return neo.AnalogSignal(
        values,
        units=unit,
        t_start=float(times[0]) * 1e3 * pq.ms,
        sampling_period=period * 1e3 * pq.ms,
        **extra,
    )
